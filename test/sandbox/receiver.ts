import { EventEmitter, once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

export interface ReceivedCallback {
  readonly message_id: string;
  readonly status: string;
  readonly timestamp: string;
  readonly reason?: string;
}

/** An HTTP server in the gateway's place: collects callbacks, and answers them with `statuses`, then with 200. */
export interface Receiver {
  readonly url: string;
  readonly callbacks: readonly ReceivedCallback[];
  readonly requests: readonly IncomingMessage[];
  /** Resolves once `count` callbacks have come, to all of them. */
  received(count: number): Promise<readonly ReceivedCallback[]>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** A status of 0 destroys the connection instead of answering. */
export async function startReceiver(statuses: readonly number[] = []): Promise<Receiver> {
  const callbacks: ReceivedCallback[] = [];
  const requests: IncomingMessage[] = [];
  const news = new EventEmitter();

  const server = createServer(async (request, response) => {
    const callback = (await json(request)) as ReceivedCallback;
    const status = statuses[callbacks.length] ?? 200;
    callbacks.push(callback);
    requests.push(request);
    if (status === 0) request.socket.destroy();
    else response.writeHead(status).end();
    news.emit('callback');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;

  return {
    url: `http://127.0.0.1:${port}/callbacks`,
    callbacks,
    requests,
    async received(count) {
      while (callbacks.length < count) await once(news, 'callback');
      return callbacks;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
