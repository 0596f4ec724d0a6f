import type { ForgottenClient } from '../../forgotten-client.ts';
import { keyOfText } from '../../message.ts';
import type { Kind } from './batch.ts';
import { keyTextOf } from './merge.ts';
import { inSchema } from './schema-text.ts';
import type { Row, Statement, Value } from './statement.ts';
import { encodeKey } from './text.ts';
import type { Change } from './watched.ts';

/** One step along the rows of a business. */
export interface Step {
  readonly business: string;
  /** Where the last one ended; 0 at first. */
  readonly after: number;
}

export interface Stepped {
  /** How many rows were deleted or erased. */
  readonly count: number;
  /** Messages that were deleted. */
  readonly deleted: readonly Change[];
  /** Where to go on from; null at the end. */
  readonly next: number | null;
}

export type StepKind<Call extends Step = Step> = Kind<Call, Stepped>;

/** Rows that one step looks at: so few that who waits for it waits hardly longer. Quarantined bodies are big. */
export const stepRows = { messages: 500, sends: 500, quarantine: 20, forgotten: 200 };

function stepKind<Call extends Step>(
  schema: string,
  sql: { readonly name: string; readonly text: string },
  valuesOf: (call: Call) => readonly Value[],
): StepKind<Call> {
  const statement: Statement = { name: sql.name, text: inSchema(schema, sql.text) };
  return {
    businessOf: ({ business }) => business,
    keyOf: ({ business }) => `${sql.name}/${business}`,
    plan: (calls) => ({
      statements: calls.map((call) => ({
        ...statement,
        values: [encodeKey(call.business), call.after, ...valuesOf(call)],
      })),
      read: (results) => results.map(({ rows }) => steppedOf(rows)),
    }),
  };
}

/** The first row says where the step ended; each other is one that was deleted or erased. */
function steppedOf([first, ...found]: readonly Row[]): Stepped {
  const next = first?.['next'] ?? null;
  const deleted = found.filter((row) => row['id'] !== null).map(deletionOf);
  return { count: found.length, deleted, next: next === null ? null : Number(next) };
}

/** Of a row of a message that was deleted. */
export function deletionOf(row: Row): Change {
  const key = keyOfText(keyTextOf(row));
  const change = Number(row['change']);
  return { ...key, change, state: { ...key, asOf: change, number: null, message: null } };
}

export interface PruneStep extends Step {
  /** What was touched last before this instant goes. */
  readonly before: number;
}

/**
 * Retention, a table at a time, oldest first. It ends at the first step in which nothing is old, so that a row whose clock was
 * wrong holds nobody up. $1 to $4: business, after, before, how many rows.
 */
export function pruneKinds(
  schema: string,
): Readonly<Record<'messages' | 'sends' | 'quarantine', StepKind<PruneStep>>> {
  const kind = (table: 'messages' | 'sends' | 'quarantine') =>
    stepKind<PruneStep>(schema, { name: `prune_${table}`, text: pruneTexts[table] }, ({ before }) => [
      before,
      stepRows[table],
    ]);
  return { messages: kind('messages'), sends: kind('sends'), quarantine: kind('quarantine') };
}

const pruneTexts = {
  messages: `with page as (
  select business, id, change as position, updated_at as touched from :schema.message
  where business = $1 and change > $2 order by change limit $4
), gone as (
  delete from :schema.message
  where business = $1 and id = any(array(select id from page where touched < $3))
    and updated_at < $3 and coalesce(scheduled_for, 0) < $3
  returning business, id, details is null as is_callback_only
), counted as (
  select (:schema.count_up($1, callback_only => -count(*) filter (where is_callback_only), deletes => true)).deleted_change
    as change
  from gone having count(*) > 0
)
select $1 as business, null as id, case when count(*) = $4 and min(touched) < $3 then max(position) end as next, null as change
from page
union all
select business, id, null, change from gone cross join counted`,
  sends: `with page as (
  select number as position, begun_at as created, greatest(begun_at, settled_at) as touched from :schema.send
  where business = $1 and number > $2 order by number limit $4
), gone as (
  delete from :schema.send
  where business = $1 and number = any(array(select position from page where touched < $3)) returning number
)
select null as business, null as id, case when count(*) = $4 and min(created) < $3 then max(position) end as next from page
union all
select null, null, number from gone`,
  quarantine: `with page as (
  select number as position, first_received_at as created, last_received_at as touched from :schema.quarantine
  where business = $1 and number > $2 order by number limit $4
), gone as (
  delete from :schema.quarantine
  where business = $1 and number = any(array(select position from page where touched < $3)) returning bytes
), counted as (
  select :schema.count_up($1, entries => -count(*), bytes => -sum(bytes)::bigint) from gone having count(*) > 0
)
select null as business, null as id, case when count(*) = $4 and min(created) < $3 then max(position) end as next from page
union all
select null, null, forced from gone cross join (select count(*) from counted) as c (forced)`,
};

export interface ForgetStep extends Step {
  /** The client's id, or its phone number. */
  readonly value: string;
}

export type ForgottenBy = 'client' | 'client_phone';

/**
 * Erases what one table has of a client, found by an index: it costs what the client has, whatever else is there. Messages go,
 * so that the next are always the first; sends that are PENDING stay. $1 to $4: business, after, client or phone, how many.
 */
export function forgetKinds(
  schema: string,
): Readonly<Record<ForgottenBy, Readonly<Record<'messages' | 'sends', StepKind<ForgetStep>>>>> {
  const kind = (table: 'messages' | 'sends', by: ForgottenBy) =>
    stepKind<ForgetStep>(
      schema,
      { name: `forget_${table}_by_${by}`, text: forgetTexts[table](by) },
      ({ value }) => [encodeKey(value), stepRows.forgotten],
    );
  const kinds = (by: ForgottenBy) => ({ messages: kind('messages', by), sends: kind('sends', by) });
  return { client: kinds('client'), client_phone: kinds('client_phone') };
}

/** Whom the business asked to forget. */
export function waysOf({ client, clientPhone }: ForgottenClient): (readonly [ForgottenBy, string])[] {
  return [
    ...(client === null ? [] : [['client', client] as const]),
    ...(clientPhone === null ? [] : [['client_phone', clientPhone] as const]),
  ];
}

/** What is left of whom a send was for, and of what it said. */
const nobody = `'{"client":null,"clientPhone":null,"clientName":null,"textMessage":null,"delay":null}'`;

const forgetTexts = {
  messages: (by: ForgottenBy) => `with page as (
  select id from :schema.message where business = $1 and ${by} = $3 and $2::bigint = 0 limit $4
), gone as (
  delete from :schema.message where business = $1 and id = any(array(select id from page)) and ${by} = $3
  returning business, id
), counted as (
  select (:schema.count_up($1, deletes => true)).deleted_change as change from gone having count(*) > 0
)
select $1 as business, null as id, case when count(*) = $4 then 0 end as next, null as change from page
union all
select business, id, null, change from gone cross join counted`,
  sends: (by: ForgottenBy) => `with page as (
  select number from :schema.send where business = $1 and ${by} = $3 and number > $2 order by number limit $4
), gone as (
  update :schema.send set client = null, client_phone = null, input = ${nobody}
  where business = $1 and number = any(array(select number from page)) and outcome <> 'PENDING'
  returning number
)
select null as business, null as id, case when count(*) = $4 then max(number) end as next from page
union all
select null, null, number from gone`,
};
