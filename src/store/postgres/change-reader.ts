import type { MessageKey } from '../../message.ts';
import type { Connections } from './connections.ts';
import { type EpochRow, epochColumns, epochOf, epochTables } from './epoch.ts';
import { deletionOf, markOf } from './state-reader.ts';
import { quoteName, type Row, type Value } from './statement.ts';
import { decodeText, encodeKey } from './text.ts';
import type { Position, Watched, WatchedBusiness } from './watched.ts';

/** How far a business has come. */
export interface Mark extends Position {
  readonly business: string;
}

export interface Marks {
  /** Undefined: it has no row. */
  readonly epoch: EpochRow | undefined;
  readonly marks: readonly Mark[];
}

/** Finds what has changed of all that is watched, whether or not a wake-up told of it. */
export interface ChangeReader {
  /** One statement, whatever is watched. */
  readMarks(businesses: readonly string[]): Promise<Marks>;
  /**
   * Reads what has changed up to these marks, and moves on to them. A mark was read before, so that none of the changes that
   * it covers can be missed.
   */
  catchUp(marks: readonly Mark[]): Promise<void>;
}

export interface ChangeReaderOptions {
  readonly schema: string;
  readonly readAll: Connections['readAll'];
  readonly watched: Watched;
  /** Reads these messages and settles them. */
  readonly readStates: (keys: readonly MessageKey[]) => Promise<void>;
}

/** If more of a business is watched, its changes are read in their order, and otherwise what is watched is looked up. */
const fewWatched = 500;
/** How many changes are read at a time, and how many messages are looked up. */
const pageSize = 2_000;

export function createChangeReader(options: ChangeReaderOptions): ChangeReader {
  const { schema, readAll, watched, readStates } = options;
  const texts = textsOf(schema);

  async function rowsOf(name: keyof typeof texts, values: readonly Value[]): Promise<readonly Row[]> {
    const [result] = await readAll([{ text: texts[name], name: `changes_${name}`, values }]);
    return result?.rows ?? [];
  }

  async function readMarks(businesses: readonly string[]): Promise<Marks> {
    const rows = await rowsOf('marks', [businesses.map(encodeKey)]);
    return {
      epoch: epochOf(rows[0]),
      marks: rows.flatMap((row) => markOfRow(row, businesses) ?? []),
    };
  }

  /** Those that are watched, and have changed or are gone. */
  async function lookUp(keys: readonly MessageKey[]): Promise<void> {
    for (let first = 0; first < keys.length; first += pageSize) {
      const some = keys.slice(first, first + pageSize);
      const told = some.map(({ business, id }) => watched.businesses.get(business)?.told.get(id)?.asOf ?? 0);
      const values = [
        some.map(({ business }) => encodeKey(business)),
        some.map(({ id }) => encodeKey(id)),
        told,
      ];
      const rows = await rowsOf('lookUp', values);
      await readStates(rows.flatMap((row) => some[Number(row['place']) - 1] ?? []));
    }
  }

  async function readPages(business: string, after: number): Promise<void> {
    let rows: readonly Row[];
    let from = after;
    do {
      rows = await rowsOf('page', [encodeKey(business), from, pageSize]);
      const told = watched.businesses.get(business)?.told;
      const changed = rows.flatMap((row) => {
        const id = decodeText(String(row['id']));
        const known = told?.get(id);
        return known && known.asOf < Number(row['change']) ? { business, id } : [];
      });
      await readStates(changed);
      from = Number(rows.at(-1)?.['change'] ?? from);
    } while (rows.length === pageSize);
  }

  async function catchUp(marks: readonly Mark[]): Promise<void> {
    const moved = marks.flatMap((mark): Moved | [] => {
      const business = watched.businesses.get(mark.business);
      return business && isBehind(business, mark) ? { mark, business } : [];
    });
    const lookedUp = moved.filter(isLookedUp);
    await lookUp(lookedUp.flatMap(keysOf));
    for (const each of moved)
      if (!lookedUp.includes(each)) await readPages(each.mark.business, each.business.position?.change ?? 0);
    for (const { mark, business } of moved) business.position = mark;
  }

  return { readMarks, catchUp };
}

interface Moved {
  readonly mark: Mark;
  readonly business: WatchedBusiness;
}

function isBehind({ position }: WatchedBusiness, mark: Mark): boolean {
  return position === null || position.change < mark.change;
}

/** A change leaves a row to be found, a deletion does not. */
function isLookedUp({ mark, business: { position, told } }: Moved): boolean {
  return position === null || position.deletion < mark.deletion || told.size <= fewWatched;
}

function keysOf({ mark, business: { told } }: Moved): MessageKey[] {
  return [...told.keys()].map((id) => ({ business: mark.business, id }));
}

/** Undefined for the row of no business. */
function markOfRow(row: Row, businesses: readonly string[]): Mark | undefined {
  const business = businesses[Number(row['place']) - 1];
  return business === undefined
    ? undefined
    : { business, change: Number(row['mark']), deletion: Number(row['deletion']) };
}

function textsOf(schema: string) {
  const tables = quoteName(schema);
  return {
    marks: `select ${epochColumns}, place, mark, deletion
from ${epochTables(schema)}
left join (
  select place, ${markOf(schema, 'w.business')} as mark, ${deletionOf(schema, 'w.business')} as deletion
  from unnest($1::text[]) with ordinality as w (business, place)
) as marks on true`,
    page: `select id, change from ${tables}.message
where business = $1 and change > $2::bigint order by change limit $3::bigint`,
    lookUp: `select w.place
from unnest($1::text[], $2::text[], $3::bigint[]) with ordinality as w (business, id, told, place)
left join ${tables}.message as m on m.business = w.business and m.id = w.id
where m.id is null or m.change > w.told`,
  };
}
