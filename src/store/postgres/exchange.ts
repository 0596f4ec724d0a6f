import { type Connection, type FieldDef, type Submittable, types } from 'pg';
import { encodeValue, type Result, type Row, type Statement } from './statement.ts';

interface Fields {
  readonly fields: readonly FieldDef[];
}

interface Cells {
  readonly fields: readonly (string | null)[];
}

interface Answer {
  fields: readonly FieldDef[];
  readonly rows: Row[];
}

export interface Exchange extends Submittable {
  readonly results: Promise<readonly Result[]>;
}

/**
 * Statements that are sent at once, with one Sync at the end, so that after the first that fails none is run: pg's own
 * pipeline has a Sync behind each, and would run what follows a BEGIN that failed without a transaction.
 *
 * @param parsed names of the statements that the session has; null: named statements are disabled.
 */
export function createExchange(statements: readonly Statement[], parsed: Set<string> | null): Exchange {
  const done = Promise.withResolvers<readonly Result[]>();
  done.promise.catch(() => undefined);
  const results: Result[] = [];
  let answer: Answer = { fields: [], rows: [] };

  function sendOne(connection: Connection, { text, values = [], name }: Statement): void {
    const statement = parsed && name ? name : '';
    if (!parsed?.has(statement)) {
      // After a failure nobody knows whether it was parsed; closing one that does not exist is no error.
      if (statement) connection.close({ type: 'S', name: statement }, true);
      connection.parse({ text, name: statement, types: [] }, true);
    }
    connection.bind({ portal: '', statement, values: values.map(encodeValue) }, true);
    connection.describe({ type: 'P', name: '' }, true);
    connection.execute(null, true);
  }

  return {
    results: done.promise,
    submit(connection: Connection) {
      connection.stream.cork();
      try {
        for (const statement of statements) sendOne(connection, statement);
        connection.sync();
      } finally {
        connection.stream.uncork();
      }
    },
    handleRowDescription: ({ fields }: Fields) => {
      answer = { fields, rows: [] };
    },
    handleDataRow: (cells: Cells) => {
      answer.rows.push(rowOf(answer.fields, cells));
    },
    handleCommandComplete: ({ text }: { readonly text: string }) => {
      results.push({ rows: answer.rows, count: Number(/[0-9]+$/.exec(text)?.[0] ?? 0) });
      answer = { fields: [], rows: [] };
    },
    handleReadyForQuery: () => {
      for (const { name } of statements) if (name) parsed?.add(name);
      done.resolve(results);
    },
    handleError: (error: Error) => {
      // It may be that one of them is stale, or gone.
      parsed?.clear();
      done.reject(error);
    },
    handleEmptyQuery: () => undefined,
    handlePortalSuspended: () => undefined,
    handleCopyInResponse: () => undefined,
    handleCopyData: () => undefined,
  } as Exchange;
}

function rowOf(fields: readonly FieldDef[], cells: Cells): Row {
  const row: Record<string, unknown> = {};
  for (const [index, { name, dataTypeID }] of fields.entries()) {
    const text = cells.fields[index] ?? null;
    row[name] = text === null ? null : types.getTypeParser(dataTypeID, 'text')(text);
  }
  return row;
}
