import type { StoreLog } from '../log.ts';
import { unavailable } from '../unavailable.ts';
import type { FirstSession, ServerInUse } from './connections.ts';
import { OperatorError, sqlStateOf } from './error.ts';
import { quoteName, type Result, type Row, type Statement } from './statement.ts';

/** The one row that tells which data this is. */
export interface EpochRow {
  /** Given when the tables were made. */
  readonly store: string;
  /** Change numbers of two epochs cannot be compared. */
  readonly id: string;
  /** On which timeline of the server it was written last. */
  readonly timeline: number;
  /** The change number that was given last. */
  readonly lastNumber: number;
}

/**
 * Whether the change numbers are still those that this node knows. A promoted standby may have lost the last of them, and
 * would give them again: whoever finds another timeline advances the sequence first. After a restore the numbers are lower
 * than some that were seen; then the epoch is replaced, so that cursors of before are refused.
 */
export interface Epoch {
  /** Of cursors. */
  readonly id: string;
  /** What is missing, for the operator: nothing is written until it is there again. Null: nothing. */
  readonly loss: string | null;
  /** Before the schema is migrated, so that no tables are made in the place of those that were lost. @throws Error then. */
  requireStore(session: Pick<FirstSession, 'ask'>): Promise<void>;
  /** After that, and before anything is written on this server. */
  follow(session: Pick<FirstSession, 'ask' | 'write'>, server: Pick<ServerInUse, 'timeline'>): Promise<void>;
  /** This node has read or written a change with this number. */
  saw(change: number): void;
  /** The highest number that this node has seen. */
  readonly seen: number;
  /** Compares what a poll has found with what was seen. */
  compare(row: EpochRow | undefined, before: SeenBefore, write: Write): Promise<void>;
  /** A poll has failed. */
  failed(error: unknown): void;
}

/** What a poll knows of the moment at which it began to read: meanwhile others see higher numbers than it will find. */
export interface SeenBefore {
  readonly seen: number;
  /** Messages are missing that were acknowledged by then. */
  readonly isBehind: boolean;
}

type Write = (statements: readonly Statement[]) => Promise<readonly Result[]>;

export interface EpochOptions {
  readonly schema: string;
  readonly log?: StoreLog | undefined;
  /** Another history goes on: all that is watched is to be read again. */
  readonly replaced: () => void;
}

/** More than any server gives between two copies of its log. */
const leap = 1_000_000_000;

export function createEpoch({ schema, log, replaced }: EpochOptions): Epoch {
  const readText = `select ${epochColumns} from ${epochTables(schema)}`;
  let known: EpochRow | undefined;
  let seen = 0;
  let loss: string | null = null;
  let isFailing = false;

  function adopt(row: EpochRow): void {
    const former = known;
    known = row;
    if (!former || (former.id === row.id && former.timeline === row.timeline)) return;
    if (former.id !== row.id) {
      seen = 0;
      log?.warn({ schema }, 'The epoch of the store was replaced. Cursors of before are refused.');
    }
    replaced();
  }

  function lose(sentence: string): void {
    if (loss === null) log?.error({ schema }, sentence);
    loss = sentence;
  }

  function find(): void {
    if (loss !== null) log?.info({ schema }, 'What was lost of the store is there again.');
    loss = null;
  }

  /** Whether it is the store that this node has seen numbers of. */
  function isSame(row: EpochRow | undefined): row is EpochRow {
    if (known && seen > 0 && row?.store !== known.store) {
      lose(lostSentence(schema, row !== undefined));
      return false;
    }
    find();
    return row !== undefined;
  }

  async function read(session: Pick<FirstSession, 'ask'>): Promise<EpochRow | undefined> {
    return epochOf((await session.ask({ text: readText })).rows[0]);
  }

  async function advance(
    row: EpochRow,
    timeline: number,
    { seen: seenBefore, isBehind }: SeenBefore,
    write: Write,
  ): Promise<void> {
    if (row.lastNumber < seenBefore || isBehind)
      log?.error(
        { schema, lastNumber: row.lastNumber, seen: seenBefore },
        'Changes that this node has seen are missing in the database: it was restored, or has lost writes. The epoch is replaced.',
      );
    const results = await write(
      advanceStatements(schema, { timeline, seen, replaces: isBehind ? row.id : null }),
    );
    const advanced = epochOf(results.at(-1)?.rows[0]);
    if (advanced) adopt(advanced);
  }

  return {
    get id() {
      return known?.id ?? '';
    },
    get loss() {
      return loss;
    },
    requireStore: async (session) => {
      if (!known || seen === 0) return;
      const row = await read(session).catch(undefinedIfMissing);
      if (!isSame(row)) throw new OperatorError(loss ?? '');
    },
    follow: async (session, { timeline }) => {
      const before = { seen, isBehind: false };
      const row = await read(session);
      if (!row) throw new OperatorError(`The table epoch of the schema ${schema} is empty. Restore it.`);
      if (row.timeline === timeline && row.lastNumber >= before.seen) return adopt(row);
      await advance(row, timeline, before, session.write);
    },
    saw: (change) => {
      seen = Math.max(seen, change);
    },
    get seen() {
      return seen;
    },
    compare: async (row, before, write) => {
      isFailing = false;
      if (!isSame(row)) return;
      const isForeign = known?.id !== row.id;
      if (!isForeign && (row.lastNumber < before.seen || before.isBehind))
        return advance(row, row.timeline, before, write);
      adopt(row);
    },
    failed: (error) => {
      if (seen > 0 && isMissing(error)) lose(lostSentence(schema, false));
      else if (!isFailing && sqlStateOf(error)?.startsWith('42'))
        log?.error({ err: error, schema }, 'What other nodes have changed cannot be read.');
      isFailing = true;
    },
  };
}

/** Nothing is written to another store than that which this node knows. */
export function guardWrites(epoch: Epoch, write: Write): Write {
  return async (statements) => {
    if (epoch.loss !== null) throw unavailable(new Error(epoch.loss));
    return write(statements);
  };
}

/** Two nodes that find the same advance it once: the second sees what the first has done, as it waits for the row. */
function advanceStatements(
  schema: string,
  { timeline, seen, replaces }: { timeline: number; seen: number; replaces: string | null },
): Statement[] {
  const tables = quoteName(schema);
  return [
    { text: `select 1 from ${tables}.epoch for update` },
    {
      // UPDATE takes no sequence in its FROM.
      text: `with given as materialized (
  select last_value from ${tables}.change_number
), advanced as (
  update ${tables}.epoch as e
  set timeline = $1::integer,
    epoch = case when n.last_value < $2::bigint or e.epoch = $3 then gen_random_uuid()::text else e.epoch end
  from given as n
  where e.timeline <> $1::integer or n.last_value < $2::bigint or e.epoch = $3
  returning n.last_value
)
select setval($4::regclass, greatest(last_value, $2::bigint) + ${leap}) from advanced`,
      values: [timeline, seen, replaces, `${tables}.change_number`],
    },
    { text: `select ${epochColumns} from ${epochTables(schema)}` },
  ];
}

export const epochColumns = 'store, epoch, timeline, last_value';

export function epochTables(schema: string): string {
  return `${quoteName(schema)}.epoch cross join ${quoteName(schema)}.change_number`;
}

/** Of a row of `epochColumns`. */
export function epochOf(row: Row | undefined): EpochRow | undefined {
  return (
    row && {
      store: String(row['store']),
      id: String(row['epoch']),
      timeline: Number(row['timeline']),
      lastNumber: Number(row['last_value']),
    }
  );
}

function lostSentence(schema: string, isAnother: boolean): string {
  const what = isAnother ? 'were replaced by others' : 'are gone or empty';
  return `The tables of the schema ${schema} ${what}, and this node has acknowledged writes. Restore them, or restart the gateway to go on with what is there now.`;
}

/** The schema, or a table of it, is not there. */
function isMissing(error: unknown): boolean {
  return /^(3F000|42P01)$/.test(sqlStateOf(error) ?? '');
}

function undefinedIfMissing(error: unknown): undefined {
  if (!isMissing(error)) throw error;
}
