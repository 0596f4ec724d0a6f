import type { Message, MessageKey } from '../../message.ts';
import type { Connections } from './connections.ts';
import { messageColumns, messageOf } from './message-row.ts';
import { inSchema } from './schema-text.ts';
import type { Row, Statement } from './statement.ts';
import { encodeKey } from './text.ts';
import type { MessageState } from './watched.ts';

/** Those that are known, in no promised order. */
export function createFind(
  schema: string,
  readAll: Connections['readAll'],
): (keys: readonly MessageKey[]) => Promise<Message[]> {
  return async (keys) => {
    const [found] = await readAll([findStatement(schema, keys)]);
    return (found?.rows ?? []).map(messageOf);
  };
}

/** $1, $2: businesses and ids. `send` tells whose answer gave a message its details. */
export function findStatement(schema: string, keys: readonly MessageKey[]): Statement {
  const businesses = keys.map(({ business }) => encodeKey(business));
  const ids = keys.map(({ id }) => encodeKey(id));
  return { text: inSchema(schema, findText), name: 'find', values: [businesses, ids] };
}

/** Of a row of `findStatement`. */
export function stateOf(row: Row): MessageState {
  const message = messageOf(row);
  const { business, id } = message;
  return { business, id, asOf: Number(row['change']), number: Number(row['number']), message };
}

const findText = `select ${messageColumns}, m.send, m.number, m.change
from unnest($1::text[], $2::text[]) as k (business, id)
cross join lateral (select * from :schema.message where business = k.business and id = k.id offset 0) as m`;
