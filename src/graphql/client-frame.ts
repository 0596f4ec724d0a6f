import { type ConnectionInitMessage, MessageType, parseMessage } from 'graphql-ws';
import { OperationPayload } from './operation-payload.ts';

/** A message of graphql-transport-ws that a client may send, without whatever else was in its frame. */
export type ClientFrame =
  | { readonly type: MessageType.Ping | MessageType.Pong }
  | ConnectionInitMessage
  | { readonly type: MessageType.Complete; readonly id: string }
  | { readonly type: MessageType.Subscribe; readonly id: string; readonly payload: OperationPayload };

/** Of a client's id for an operation, which is kept as long as the operation runs. */
export const maxIdCharacters = 128;

/**
 * Reads a frame of a client.
 *
 * @throws Error when it is none, with a message that need not fit a close frame, nor be told to anybody.
 */
export function readClientFrame(text: string): ClientFrame {
  const message = parseMessage(text);
  switch (message.type) {
    case MessageType.Ping:
    case MessageType.Pong:
      return { type: message.type };
    case MessageType.ConnectionInit:
      return { type: message.type, ...(message.payload && { payload: message.payload }) };
    case MessageType.Complete:
      return { type: message.type, id: checkId(message.id) };
    case MessageType.Subscribe: {
      const payload = new OperationPayload(message.payload, text.length);
      return { type: message.type, id: checkId(message.id), payload };
    }
    default:
      throw new Error('a message of this type is the server’s');
  }
}

function checkId(id: string): string {
  if (id.length > maxIdCharacters) throw new Error('the id is too long');
  return id;
}
