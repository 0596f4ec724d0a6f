import { keyText, type MessageKey } from '../../message.ts';
import type { Connections } from './connections.ts';
import { messageColumns, messageOf } from './message-row.ts';
import { quoteName, type Row } from './statement.ts';
import { encodeKey } from './text.ts';
import type { MessageState } from './watched.ts';

/** Reads messages as they are now, many in one statement. What is asked for while one is out shares the next. */
export interface StateReader {
  /** Resolves once all of them were read after this call, and handed on. */
  read(keys: readonly MessageKey[]): Promise<void>;
}

export interface StateReaderOptions {
  readonly schema: string;
  readonly readAll: Connections['readAll'];
  readonly settle: (state: MessageState) => void;
}

/** So many rows, of a few kilobytes each, are in memory at a time. */
const maxBatch = 500;

interface Batch {
  /** By `keyText`. */
  readonly keys: Map<string, MessageKey>;
  readonly done: PromiseWithResolvers<void>;
}

export function createStateReader({ schema, readAll, settle }: StateReaderOptions): StateReader {
  const text = readText(schema);
  const waiting: Batch[] = [];
  let isReading = false;

  async function readBatch({ keys, done }: Batch): Promise<void> {
    try {
      const wanted = [...keys.values()];
      const values = [
        wanted.map(({ business }) => encodeKey(business)),
        wanted.map(({ id }) => encodeKey(id)),
      ];
      const [result] = await readAll([{ text, name: 'states', values }]);
      for (const row of result?.rows ?? []) settle(stateOf(row, wanted));
      done.resolve();
    } catch (error) {
      done.reject(error);
    }
  }

  async function readWaiting(): Promise<void> {
    if (isReading || waiting.length === 0) return;
    isReading = true;
    // The calls that this turn of the event loop still brings share the statement.
    await new Promise(setImmediate);
    for (let batch = waiting.shift(); batch; batch = waiting.shift()) await readBatch(batch);
    isReading = false;
  }

  function openBatch(): Batch {
    const batch = { keys: new Map<string, MessageKey>(), done: Promise.withResolvers<void>() };
    batch.done.promise.catch(() => undefined);
    waiting.push(batch);
    return batch;
  }

  function add(key: MessageKey): Batch {
    const name = keyText(key);
    const shared = waiting.find(({ keys }) => keys.has(name));
    if (shared) return shared;
    const last = waiting.at(-1);
    const batch = last && last.keys.size < maxBatch ? last : openBatch();
    batch.keys.set(name, key);
    return batch;
  }

  return {
    read: async (keys) => {
      const batches = new Set(keys.map(add));
      void readWaiting();
      await Promise.all([...batches].map(({ done }) => done.promise));
    },
  };
}

function stateOf(row: Row, wanted: readonly MessageKey[]): MessageState {
  const { business, id } = wanted[Number(row['place']) - 1] ?? { business: '', id: '' };
  if (row['number'] === null) return { business, id, asOf: Number(row['mark']), number: null, message: null };
  return {
    business,
    id,
    asOf: Number(row['change']),
    number: Number(row['number']),
    message: messageOf(row),
  };
}

/** The highest change of a business is read in the same statement: of what is not there it tells as of when. */
function readText(schema: string): string {
  const tables = quoteName(schema);
  return `with wanted as (
  select * from unnest($1::text[], $2::text[]) with ordinality as w (business, id, place)
), marks as materialized (
  select business, ${markOf(schema, 'b.business')} as mark from (select distinct business from wanted) as b
)
select place, mark, m.number, m.change, ${messageColumns}
from wanted as w
join marks using (business)
left join ${tables}.message as m on m.business = w.business and m.id = w.id`;
}

/** Up to which change a business has come, as SQL. */
export function markOf(schema: string, business: string): string {
  return `greatest(
    (select max(change) from ${quoteName(schema)}.message where business = ${business}),
    ${deletionOf(schema, business)}, 0)`;
}

/** The number of the last deletion in a business, as SQL. */
export function deletionOf(schema: string, business: string): string {
  return `coalesce((select deleted_change from ${quoteName(schema)}.business where business = ${business} order by change desc limit 1), 0)`;
}
