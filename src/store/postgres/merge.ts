import { keyOfText, keyText, type Message, merge } from '../../message.ts';
import type { Kind } from './batch.ts';
import { findStatement, stateOf } from './finding.ts';
import { toColumns } from './message-row.ts';
import { inSchema } from './schema-text.ts';
import type { Row, Statement } from './statement.ts';
import { decodeText } from './text.ts';
import type { Change, MessageState } from './watched.ts';

/** News of one message. */
export interface News {
  readonly message: Message;
  /** An older message made room for it, so that the limit of messages from callbacks alone does not count. */
  readonly hasPlace: boolean;
}

export interface Merged {
  /** `refused`: it is the first news of its id, without details, and there is no room for one more of these. */
  readonly outcome: 'changed' | 'same' | 'refused';
  /** If it was changed, with its state if it was watched when the transaction began. */
  readonly change: Change | null;
}

/**
 * Adds what callbacks said to what is known.
 *
 * @param isWatched whether anybody watches the message with this `keyText`.
 */
export function mergeKind(
  schema: string,
  callbackOnlyLimit: number,
  isWatched: (key: string) => boolean,
): Kind<News, Merged> {
  const text = inSchema(schema, mergeText);

  return {
    businessOf: ({ message }) => message.business,
    plan: (calls) => {
      const news = mergeNews(calls);
      const watched = [...news].flatMap(([key, { message }]) => (isWatched(key) ? message : []));
      const finding = watched.length > 0 ? [findStatement(schema, watched)] : [];
      return {
        statements: [mergeStatement(text, [...news.values()], callbackOnlyLimit), ...finding],
        read: ([merged, found]) => {
          const states = new Map(found?.rows.map((row) => [keyTextOf(row), stateOf(row)]));
          const outcomes = new Map(merged?.rows.map((row) => [keyTextOf(row), mergedOf(row, states)]));
          return calls.map(({ message }) => outcomes.get(keyText(message)) ?? same);
        },
      };
    },
  };
}

/** No statement can change a row twice. */
function mergeNews(calls: readonly News[]): ReadonlyMap<string, News> {
  const byKey = new Map<string, News>();
  for (const { message, hasPlace } of calls) {
    const key = keyText(message);
    const known = byKey.get(key);
    byKey.set(key, {
      message: known ? merge(known.message, message) : message,
      hasPlace: hasPlace || known?.hasPlace === true,
    });
  }
  return byKey;
}

const same: Merged = { outcome: 'same', change: null };

function mergedOf(row: Row, states: ReadonlyMap<string, MessageState>): Merged {
  if (row['is_refused'] === true) return { outcome: 'refused', change: null };
  const key = keyTextOf(row);
  const change = { ...keyOfText(key), change: Number(row['change']), state: states.get(key) };
  return { outcome: 'changed', change };
}

export function keyTextOf(row: Row): string {
  return keyText({ business: decodeText(String(row['business'])), id: decodeText(String(row['id'])) });
}

export function mergeStatement(
  text: string,
  news: readonly (News & { readonly send?: number })[],
  callbackOnlyLimit: number,
): Statement {
  const messages = news.map(({ message }) => message);
  const places = news.map(({ hasPlace }) => hasPlace);
  const sends = news.map(({ send }) => send ?? null);
  return { text, name: 'merge', values: [...toColumns(messages), places, sends, callbackOnlyLimit] };
}

/**
 * Merges messages, no two with one key, whose businesses are locked. Of two events of a status, and of two details, the lesser
 * text is kept (event-text.ts). A merge that changes nothing writes nothing.
 *
 * $1 to $12: `toColumns`. $13: whether it has a place beside the limit. $14: the send that it is the answer of, or null; such
 * a one changes nothing if the message has the details of another. $15: how many messages of a business may have no details.
 *
 * Gives a row for each that was changed, and for each that was refused. The steps: what is known of each; which of the new ones
 * have room; sums for each business, of which one row has them counted; numbers for the new ones.
 */
export const mergeText = `with news as (
  select * from unnest(
    $1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[],
    $11::text[], $12::text[], $13::boolean[], $14::bigint[]
  ) with ordinality as n (
    business, id, created_at, scheduled_for, client, client_phone, details, accepted, sent, failed, delivered, read, has_place,
    send, nth
  )
), known as (
  select n.*, m.number as known_number, m.number is null as is_new,
    m.number is null and n.details is null as is_new_callback_only,
    coalesce(m.is_callback_only and n.details is not null, false) as is_explained
  from news n left join lateral (
    select number, details is null as is_callback_only from :schema.message
    where business = n.business and id = n.id offset 0
  ) m on true
), placed as (
  select k.*, is_new and (
      not is_new_callback_only or has_place
      or coalesce(b.callback_only_messages, 0) + count(*) filter (where is_new_callback_only) over (
        partition by k.business order by has_place desc, nth
      ) <= $15::bigint
    ) as is_added
  from known k left join lateral (
    select callback_only_messages from :schema.business
    where business = k.business and k.is_new_callback_only order by change desc limit 1
  ) b on true
), summed as (
  select p.*,
    row_number() over own as nth_of_business,
    count(*) filter (where is_added) over own as nth_added,
    count(*) filter (where is_added) over whole as added,
    count(*) filter (where is_added and is_new_callback_only) over whole
      - count(*) filter (where is_explained) over whole as callback_only
  from placed p
  window whole as (partition by business), own as (partition by business order by nth)
), counted as (
  select s.*, case when nth_of_business = 1 and (added > 0 or callback_only <> 0)
    then (:schema.count_up(business, messages => added, callback_only => callback_only)).last_message end as last_message
  from summed s
), numbered as (
  select c.*, coalesce(
    known_number, max(last_message) over (partition by business) - added + nth_added
  ) as number
  from counted c
), merged as (
  insert into :schema.message as m (
    business, id, number, change, created_at, send, scheduled_for, client, client_phone, details, accepted, sent, failed,
    delivered, read
  )
  select business, id, number, nextval(':schema.change_number'), created_at, send, scheduled_for, client, client_phone, details,
    accepted, sent, failed, delivered, read
  from numbered where is_added or not is_new
  on conflict (business, id) do update set
    change = excluded.change,
    send = case when excluded.details < m.details or m.details is null
      then coalesce(excluded.send, m.send) else m.send end,
    scheduled_for = case when excluded.details < m.details or m.details is null
      then excluded.scheduled_for else m.scheduled_for end,
    client = case when excluded.details < m.details or m.details is null
      then excluded.client else m.client end,
    client_phone = case when excluded.details < m.details or m.details is null
      then excluded.client_phone else m.client_phone end,
    details = least(m.details, excluded.details),
    accepted = least(m.accepted, excluded.accepted),
    sent = least(m.sent, excluded.sent),
    failed = least(m.failed, excluded.failed),
    delivered = least(m.delivered, excluded.delivered),
    read = least(m.read, excluded.read)
  where (excluded.send is null or m.details is null or m.send = excluded.send) and (
    least(m.details, excluded.details) is distinct from m.details
    or least(m.accepted, excluded.accepted) is distinct from m.accepted
    or least(m.sent, excluded.sent) is distinct from m.sent
    or least(m.failed, excluded.failed) is distinct from m.failed
    or least(m.delivered, excluded.delivered) is distinct from m.delivered
    or least(m.read, excluded.read) is distinct from m.read
  )
  returning business, id, change
)
select business, id, change, false as is_refused from merged
union all
select business, id, null, true from numbered where is_new and not is_added`;
