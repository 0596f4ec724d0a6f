import { type DeliveryStatus, deliveryStatuses, type Message, updatedAtOf } from '../../message.ts';
import { decodeDetails, decodeEvent, encodeDetails, encodeEvent } from './event-text.ts';
import type { Row, Value } from './statement.ts';
import { decodeText, encodeKey } from './text.ts';

/** The columns that `messageOf` reads, of the table `m`. */
export const messageColumns =
  'm.business, m.id, m.details, m.accepted, m.sent, m.failed, m.delivered, m.read';

const columnOf: Readonly<Record<DeliveryStatus, string>> = {
  ACCEPTED: 'accepted',
  SENT: 'sent',
  FAILED: 'failed',
  DELIVERED: 'delivered',
  READ: 'read',
};

export function messageOf(row: Row): Message {
  const details = row['details'];
  const events = deliveryStatuses.flatMap((status) => {
    const text = row[columnOf[status]];
    return typeof text === 'string' ? decodeEvent(status, text) : [];
  });
  return {
    business: decodeText(String(row['business'])),
    id: decodeText(String(row['id'])),
    details: typeof details === 'string' ? decodeDetails(details) : null,
    // By instant and then by status, as the sort is stable.
    history: events.sort((a, b) => a.at - b.at),
  };
}

/** Messages as the columns of `unnest`: what is in all of them comes first. */
export function toColumns(messages: readonly Message[]): Value[] {
  const events = (status: DeliveryStatus) =>
    messages.map(({ history }) => {
      const event = history.find((each) => each.status === status);
      return event ? encodeEvent(event) : null;
    });
  return [
    messages.map(({ business }) => encodeKey(business)),
    messages.map(({ id }) => encodeKey(id)),
    messages.map(updatedAtOf),
    messages.map(({ details }) => details?.scheduledFor ?? null),
    messages.map(({ details }) => encodeOptional(details?.client)),
    messages.map(({ details }) => encodeOptional(details?.clientPhone)),
    messages.map(({ details }) => details && encodeDetails(details)),
    ...deliveryStatuses.map(events),
  ];
}

export function encodeOptional(text: string | null | undefined): string | null {
  return text == null ? null : encodeKey(text);
}
