import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** A way to a server of 127.0.0.1 that can swallow everything, without a word to either side. */
export interface SwallowingProxy extends AsyncDisposable {
  readonly port: number;
  /** From now on nothing arrives, in neither direction, and what was under way is lost for good. */
  swallow(): void;
  /** New connections pass again; those that were swallowed stay so. */
  pass(): void;
}

export async function startSwallowingProxy(port: number): Promise<SwallowingProxy> {
  const sockets = new Set<Socket>();
  const swallowed = new WeakSet<Socket>();
  let swallows = false;

  function forward(from: Socket, to: Socket): void {
    sockets.add(from);
    if (swallows) swallowed.add(from);
    from.on('data', (data) => {
      if (!swallowed.has(from)) to.write(data);
    });
    from.on('error', () => undefined);
    from.on('close', () => {
      sockets.delete(from);
      if (!swallowed.has(from)) to.destroy();
    });
  }

  const server = createServer((socket) => {
    const upstream = connect(port, '127.0.0.1');
    forward(socket, upstream);
    forward(upstream, socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();

  return {
    port: address !== null && typeof address === 'object' ? address.port : 0,
    swallow: () => {
      swallows = true;
      for (const socket of sockets) swallowed.add(socket);
    },
    pass: () => {
      swallows = false;
    },
    [Symbol.asyncDispose]: async () => {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, 'close');
    },
  };
}
