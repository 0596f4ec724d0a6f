import { once } from 'node:events';
import type { FormattedExecutionResult } from 'graphql';
import { WebSocket } from 'ws';

/** A graphql-transport-ws socket to which operations are given as JSON text. */
export interface RawSocket extends Disposable {
  /** Resolves to the one result of a query or mutation. @throws Error where the socket closes first. */
  run(payload: string): Promise<FormattedExecutionResult>;
}

export async function openRawSocket(url: string): Promise<RawSocket> {
  const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/graphql`, 'graphql-transport-ws');
  const waiting = new Map<string, PromiseWithResolvers<FormattedExecutionResult>>();
  let begun = 0;
  await once(socket, 'open');
  socket.send('{"type":"connection_init"}');
  await once(socket, 'message');
  socket.on('message', (data) => {
    const { id, type, payload } = JSON.parse(String(data));
    if (type === 'next') waiting.get(id)?.resolve(payload);
    else if (type === 'error') waiting.get(id)?.resolve({ errors: payload });
    if (type !== 'next') waiting.delete(id);
  });
  socket.on('close', (code, reason) => {
    for (const result of waiting.values()) result.reject(new Error(`closed with ${code}: ${reason}`));
  });
  return {
    run(payload) {
      begun += 1;
      const id = String(begun);
      const result = Promise.withResolvers<FormattedExecutionResult>();
      waiting.set(id, result);
      socket.send(`{"id":"${id}","type":"subscribe","payload":${payload}}`);
      return result.promise;
    },
    [Symbol.dispose]: () => socket.close(),
  };
}
