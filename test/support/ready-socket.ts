import { once } from 'node:events';
import { WebSocket } from 'ws';

/** A client below graphql-ws, to do what no well-behaved client does. Its connection is acknowledged. */
export async function openReadySocket({ url }: { readonly url: string }): Promise<WebSocket> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
  await once(socket, 'open');
  socket.send('{"type":"connection_init"}');
  await once(socket, 'message');
  return socket;
}

/** What the server sends, in its order; `next` waits for it, and rejects when the socket closes first. */
export function incoming(socket: WebSocket) {
  const frames: Frame[] = [];
  let waiting: PromiseWithResolvers<Frame> | undefined;
  socket.on('message', (data) => {
    frames.push(JSON.parse(String(data)) as Frame);
    const frame = waiting && frames.shift();
    if (frame) waiting?.resolve(frame);
    if (frame) waiting = undefined;
  });
  socket.on('close', (code) => waiting?.reject(new Error(`closed with ${code}`)));
  function next(): Promise<Frame> {
    const frame = frames.shift();
    if (frame) return Promise.resolve(frame);
    if (socket.readyState === socket.CLOSED) return Promise.reject(new Error('closed'));
    waiting = Promise.withResolvers();
    return waiting.promise;
  }
  return { frames, next };
}

export interface Frame {
  readonly type: string;
  readonly id?: string;
  readonly payload?: unknown;
}

export function subscribeFrame(id: string, query: string, variables?: unknown, more: object = {}): string {
  return JSON.stringify({ id, type: 'subscribe', payload: { query, variables, ...more } });
}
