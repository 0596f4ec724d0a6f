import type { Statement } from './statement.ts';
import { encodeKey } from './text.ts';

/**
 * Has the transaction hold what serializes the changes of each of these businesses, in ascending order, so that no two wait
 * for each other. Another schema of the same database has locks of its own.
 */
export function lockBusinesses(schema: string, businesses: Iterable<string>): Statement {
  return { text, name: 'lock', values: [[...businesses].map(encodeKey), schema] };
}

const text = `select pg_advisory_xact_lock(key)
from (
  select distinct hashtextextended($2 || '/' || business, 0) as key
  from unnest($1::text[]) as wanted (business)
  order by key
) as locks`;
