import { deliveryStatuses } from '../../message.ts';
import { sendOutcomes } from '../../send.ts';
import { type CursorKind, cursorOf, numberOf } from '../cursor.ts';
import type {
  KeptCallback,
  MessagePage,
  MessageQuery,
  QuarantinePage,
  QuarantineQuery,
  SendPage,
  SendQuery,
} from '../port.ts';
import type { Connections } from './connections.ts';
import { encodeOptional, messageColumns, messageOf } from './message-row.ts';
import { entryColumns, entryOf, keptOf, numberOf as numberOfId } from './quarantine.ts';
import { inSchema } from './schema-text.ts';
import { sendOf } from './send-row.ts';
import { encodeKey } from './text.ts';

/** Pages, newest first. Each reads at most a page of rows for each status, whatever the size of the table. */
export interface Lists {
  messages(query: MessageQuery): Promise<MessagePage>;
  sends(query: SendQuery): Promise<SendPage>;
  quarantined(query: QuarantineQuery): Promise<QuarantinePage>;
  findQuarantined(business: string, id: string): Promise<KeptCallback | undefined>;
}

export function createLists(schema: string, read: Connections['read']): Lists {
  const texts = {
    messages: inSchema(schema, messagesText('')),
    ofClient: inSchema(schema, messagesText('and client = $5')),
    sends: inSchema(schema, sendsText),
    quarantined: inSchema(schema, quarantinedText),
    callback: inSchema(schema, callbackText),
  };

  return {
    messages: async ({ business, first, after, client, statuses = deliveryStatuses }) => {
      const values = [encodeKey(business), ...pageOf('m', first, after), [...new Set(statuses)]];
      const rows = await (client === undefined
        ? read(texts.messages, values)
        : read(texts.ofClient, [...values, encodeOptional(client)]));
      const entries = rows
        .slice(0, first)
        .map((row) => ({ cursor: cursorOf('m', String(row['number'])), message: messageOf(row) }));
      return { entries, hasMore: rows.length > first };
    },
    sends: async ({ business, first, after, outcomes = sendOutcomes }) => {
      const values = [encodeKey(business), ...pageOf('s', first, after), [...new Set(outcomes)]];
      const rows = await read(texts.sends, values);
      const sends = rows.slice(0, first).map(sendOf);
      const entries = sends.map((send) => ({ cursor: cursorOf('s', send.id), send }));
      return { entries, hasMore: rows.length > first };
    },
    quarantined: async ({ business, first, after }) => {
      const rows = await read(texts.quarantined, [encodeKey(business), ...pageOf('q', first, after)]);
      const callbacks = rows.slice(0, first).map(entryOf);
      const entries = callbacks.map((callback) => ({ cursor: cursorOf('q', callback.id), callback }));
      return { entries, hasMore: rows.length > first };
    },
    findQuarantined: async (business, id) => {
      const [row] = await read(texts.callback, [encodeKey(business), numberOfId(id)]);
      return row && keptOf(row);
    },
  };
}

/** Below which number, and how many: one more than asked for tells whether there are more. */
function pageOf(kind: CursorKind, first: number, after: string | undefined): [below: number, limit: number] {
  return [after === undefined ? Number.MAX_SAFE_INTEGER : numberOf(kind, after), first + 1];
}

/** $1 to $4: business, below which number, how many, statuses. $5: client. */
function messagesText(condition: string): string {
  return `select m.number, ${messageColumns}
from unnest($4::text[]) as wanted (status)
cross join lateral (
  select * from :schema.message
  where business = $1 and status = wanted.status ${condition} and number < $2
  order by number desc limit $3
) as m
order by m.number desc limit $3`;
}

/** $1 to $4: business, below which number, how many, outcomes. */
const sendsText = `select s.*
from unnest($4::text[]) as wanted (outcome)
cross join lateral (
  select * from :schema.send
  where business = $1 and outcome = wanted.outcome and number < $2
  order by number desc limit $3
) as s
order by s.number desc limit $3`;

/** $1 to $3: business, below which number, how many. */
const quarantinedText = `select ${entryColumns} from :schema.quarantine as q
where business = $1 and number < $2 order by number desc limit $3`;

/** $1, $2: business and number. */
const callbackText = `select ${entryColumns}, q.body from :schema.quarantine as q where business = $1 and number = $2`;
