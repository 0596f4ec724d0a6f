import type { Kind } from './batch.ts';
import { deletionOf } from './deleting.ts';
import { inSchema } from './schema-text.ts';
import { encodeKey } from './text.ts';
import type { Change } from './watched.ts';

export interface RoomWanted {
  readonly business: string;
  /** For how many messages that are known from callbacks alone. */
  readonly messages: number;
}

/** How many go at most for each that comes, and at a time: more than one, so that a limit that was lowered is reached. */
const maxDropped = { each: 10, all: 1_000 };
/**
 * What was first heard of within this long is never dropped: the send that it belongs to may still be settled. It counts
 * from the first news, so that no later callback keeps a message for longer.
 */
const youngMs = 86_400_000;

/** Drops the oldest messages that only callbacks have told of, if there are as many as there may be. Answers with those. */
export function makeRoomKind(schema: string, limit: number): Kind<RoomWanted, readonly Change[]> {
  const text = inSchema(schema, roomText);
  return {
    businessOf: ({ business }) => business,
    keyOf: ({ business }) => business,
    plan: (calls) => ({
      statements: calls.map(({ business, messages }) => ({
        text,
        name: 'make_room',
        values: [
          encodeKey(business),
          messages - limit,
          Math.min(messages * maxDropped.each, maxDropped.all),
          youngMs,
        ],
      })),
      read: (results) => results.map(({ rows }) => rows.map(deletionOf)),
    }),
  };
}

/** $1 to $4: business, how many more there are than may be if there were none, how many go at most, how old they must be. */
const roomText = `with excess as (
  select callback_only_messages + $2::bigint as messages from :schema.business where business = $1 order by change desc limit 1
), gone as (
  delete from :schema.message where business = $1 and id = any(array(
    select id from :schema.message
    where business = $1 and details is null and created_at < extract(epoch from clock_timestamp()) * 1000 - $4::bigint
    order by created_at limit (select greatest(least(messages, $3::bigint), 0) from excess)
  ))
  returning business, id
), counted as (
  select (:schema.count_up($1, callback_only => -count(*), deletes => true)).deleted_change as change from gone having count(*) > 0
)
select business, id, change from gone cross join counted`;
