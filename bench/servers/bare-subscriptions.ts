import { createServer } from 'node:http';
import { type WebSocket, WebSocketServer } from 'ws';
import { answer, listen, readBody } from './listen.ts';

/**
 * The same bytes on the wire as the gateway's, by hand: a callback is parsed and pushed to who watches its message.
 * There is no GraphQL, no check of anything, and nothing is kept.
 */
const server = createServer((request, response) => {
  readBody(request, (body) => {
    const { message_id, status } = JSON.parse(body);
    push(message_id, status.toUpperCase());
    answer(response, '{"accepted":1}');
  });
});

interface Watch {
  readonly socket: WebSocket;
  readonly id: string;
  revision: number;
}

const watches = new Map<string, Watch>();

function push(messageId: string, status: string): void {
  const watch = watches.get(messageId);
  if (!watch) return;
  const { socket, id } = watch;
  watch.revision += 1;
  const messageStatus = { id: messageId, revision: watch.revision, status };
  socket.send(JSON.stringify({ id, type: 'next', payload: { data: { messageStatus } } }));
  if (status !== 'READ') return;
  watches.delete(messageId);
  socket.send(JSON.stringify({ id, type: 'complete' }));
}

const sockets = new WebSocketServer({ server, perMessageDeflate: false });
sockets.on('connection', (socket) => {
  socket.on('message', (data) => {
    const { type, id, payload } = JSON.parse(String(data));
    if (type === 'connection_init') return socket.send('{"type":"connection_ack"}');
    watches.set(payload.variables.messageId, { socket, id, revision: 0 });
    push(payload.variables.messageId, 'ACCEPTED');
  });
});

await listen(server);
