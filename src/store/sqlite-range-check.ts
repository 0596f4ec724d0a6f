import type { DatabaseSync, SQLOutputValue, StatementSync } from 'node:sqlite';
import type { CheckedRange } from './sqlite-protocol.ts';

/**
 * Checks a table a range of rows at a time, each in a read of a few milliseconds: a long one would keep the WAL from
 * being checkpointed. All columns are read, and each row is looked for in each index. That finds every damaged page
 * but those of the free list, and every entry that an index lacks. The whole check is `npm run check-store`.
 */
export interface RangeCheck {
  tables(): string[];
  /** @throws an error of node:sqlite, or `missingEntry`, when it is damaged. */
  check(table: string, after: number): CheckedRange;
}

/** Rows of one range. */
const rowsPerRange = 500;
/** Bytes, about, at which a range ends earlier: quarantined bodies are big. */
const bytesPerRange = 4 * 1_048_576;

/** SQLite's own primary result code for a damaged database. */
const corrupt = 11;

export function createRangeCheck(db: DatabaseSync): RangeCheck {
  const checks = new Map<string, RangeCheck['check']>();
  return {
    tables: () => namesOf(db.prepare(`SELECT name FROM pragma_table_list WHERE schema = 'main'`)),
    check: (table, after) => {
      const check = checks.get(table) ?? createTableCheck(db, table);
      checks.set(table, check);
      return check(table, after);
    },
  };
}

function createTableCheck(db: DatabaseSync, table: string): RangeCheck['check'] {
  const hasRowids = db.prepare(`SELECT 1 FROM pragma_table_list WHERE name = ? AND wr = 0`).get(table);
  return hasRowids ? createRowCheck(db, table) : createWholeCheck(db, table);
}

/** A table without rowids has a row for each business, and is read in one go. */
function createWholeCheck(db: DatabaseSync, table: string): RangeCheck['check'] {
  const count = db.prepare(`SELECT count(*) AS rows FROM "${table}"`);
  return () => ({ rows: Number(count.get()?.['rows']), next: null });
}

function createRowCheck(db: DatabaseSync, table: string): RangeCheck['check'] {
  const rows = db.prepare(
    `SELECT rowid AS checked_rowid, * FROM "${table}" WHERE rowid > ? ORDER BY rowid LIMIT ${rowsPerRange}`,
  );
  const indexes = indexesOf(db, table).map((index) => ({
    index,
    countMissing: db.prepare(missingEntries(db, table, index)),
  }));

  return (_, after) => {
    const range = readRange(rows, after);
    if (range.next === null) return range;
    for (const { index, countMissing } of indexes) {
      const missing = Number(countMissing.get(after, range.next)?.['missing']);
      if (missing > 0) throw missingEntry(index.name, missing);
    }
    return range;
  };
}

function readRange(statement: StatementSync, after: number): CheckedRange {
  let rows = 0;
  let bytes = 0;
  let next: number | null = null;
  for (const row of statement.iterate(after)) {
    rows += 1;
    next = Number(row['checked_rowid']);
    for (const value of Object.values(row)) bytes += sizeOf(value);
    if (bytes > bytesPerRange) break;
  }
  return { rows, next };
}

function sizeOf(value: SQLOutputValue | undefined): number {
  return typeof value === 'string' || value instanceof Uint8Array ? value.length : 8;
}

interface Index {
  readonly name: string;
  /** The condition of a partial index, otherwise `true`. */
  readonly where: string;
}

function indexesOf(db: DatabaseSync, table: string): Index[] {
  const indexes = db.prepare(`SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND tbl_name = ?`);
  return indexes.all(table).map(({ name, sql }) => ({
    name: String(name),
    where: String(sql ?? '').split(' WHERE ')[1] ?? 'true',
  }));
}

/** Counts the rows of a range that the index lacks: one look into it for each row. */
function missingEntries(db: DatabaseSync, table: string, { name, where }: Index): string {
  const columns = namesOf(db.prepare(`SELECT name FROM pragma_index_info('${name}') WHERE name IS NOT NULL`));
  const same = columns.map((column) => `entry."${column}" IS checked."${column}"`);
  return `SELECT count(*) AS missing
    FROM (SELECT rowid AS checked_rowid, * FROM "${table}" NOT INDEXED
      WHERE rowid > ?1 AND rowid <= ?2 AND ${where}) AS checked
    WHERE NOT EXISTS (SELECT 1 FROM "${table}" AS entry INDEXED BY "${name}"
      WHERE ${[...same, 'entry.rowid = checked.checked_rowid', where].join(' AND ')})`;
}

function missingEntry(index: string, rows: number): Error {
  return Object.assign(new Error(`${rows} rows are missing from the index ${index}`), { errcode: corrupt });
}

function namesOf(statement: StatementSync): string[] {
  return statement.all().map(({ name }) => String(name));
}
