export type Scalar = string | number | bigint | boolean | null;
/** An array is sent as PostgreSQL's array, for `unnest`. */
export type Value = Scalar | Buffer | readonly Scalar[];

export interface Statement {
  readonly text: string;
  readonly values?: readonly Value[];
  /** It is parsed once a session under this name, which no other text has. A pooler has to be known to allow that. */
  readonly name?: string;
}

/** Integers of 8 bytes and `numeric` come as strings, `jsonb` as what it holds. */
export type Row = Readonly<Record<string, unknown>>;

export interface Result {
  readonly rows: readonly Row[];
  /** How many rows the statement changed, or returned. */
  readonly count: number;
}

/** As the protocol's text format has it; null stays null. */
export function encodeValue(value: Value): string | Buffer | null {
  if (value === null || Buffer.isBuffer(value)) return value;
  return isArray(value) ? `{${value.map(encodeElement).join(',')}}` : String(value);
}

function isArray(value: Value): value is readonly Scalar[] {
  return Array.isArray(value);
}

function encodeElement(value: Scalar): string {
  if (value === null) return 'NULL';
  return typeof value === 'string' ? `"${value.replace(/[\\"]/g, '\\$&')}"` : String(value);
}

/** For a name that stands in SQL. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
