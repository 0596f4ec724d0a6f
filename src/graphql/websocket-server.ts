import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { handleProtocols, type makeServer } from 'graphql-ws';
import type { Logger } from 'pino';
import { type RawData, type WebSocket, WebSocketServer } from 'ws';

/** The part of graphql-ws that this adapter drives: it is told of each socket that opened. */
export type GraphqlProtocol = ReturnType<typeof makeServer>;

export interface WebsocketOptions {
  readonly server: Server;
  readonly path: string;
  readonly protocol: GraphqlProtocol;
  readonly log: Logger;
  /** How often each socket is pinged, in ms. One that stayed silent since the last ping is ended. */
  readonly pingIntervalMs?: number;
}

export interface GraphqlSockets {
  readonly open: number;
  /** Bytes that wait for readers who do not keep up, over all sockets. */
  readonly waitingBytes: number;
  /** Closes every socket with 1001, which clients take as "come back elsewhere"; ends those that do not answer. */
  close(): Promise<void>;
}

/** The largest frame a client may send: far more than any operation needs. */
const maxFrameBytes = 64 * 1024;
/** What may wait for a slow reader before its own requests are no longer read. */
const maxWaitingBytes = 1024 * 1024;
const closeGraceMs = 2_000;

/**
 * Serves graphql-transport-ws on the HTTP server's own port.
 *
 * Against the adapter that comes with graphql-ws: no timers for each socket (one sweep pings them all), no upgrade
 * request kept alive, and a reader that stopped is no longer listened to.
 */
export function serveWebsockets(options: WebsocketOptions): GraphqlSockets {
  const { server, path, protocol, log, pingIntervalMs = 12_000 } = options;
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: maxFrameBytes,
    perMessageDeflate: false,
    handleProtocols: (offered) => handleProtocols(offered),
  });
  const silent = new WeakSet<WebSocket>();
  const sweep = setInterval(() => sockets.clients.forEach(ping), pingIntervalMs);

  function ping(socket: WebSocket): void {
    if (silent.has(socket)) {
      socket.terminate();
    } else {
      silent.add(socket);
      socket.ping();
    }
  }

  function welcome(socket: WebSocket): void {
    socket.on('pong', () => silent.delete(socket));
    attach(socket, protocol, log);
  }

  function upgrade(request: IncomingMessage, stream: Duplex, head: Buffer): void {
    if (pathOf(request) === path) sockets.handleUpgrade(request, stream, head, welcome);
    else refuse(stream);
  }

  server.on('upgrade', upgrade);
  return {
    get open() {
      return sockets.clients.size;
    },
    get waitingBytes() {
      return [...sockets.clients].reduce((bytes, socket) => bytes + socket.bufferedAmount, 0);
    },
    async close() {
      clearInterval(sweep);
      server.off('upgrade', upgrade);
      await Promise.all([...sockets.clients].map(goAway));
    },
  };
}

/** Tells graphql-ws of a socket, by the little of it that graphql-ws needs. */
function attach(socket: WebSocket, protocol: GraphqlProtocol, log: Logger): void {
  let onMessage: (data: string) => Promise<void> = async () => {};
  const closed = protocol.opened(
    {
      protocol: socket.protocol,
      send: (data) => send(socket, data),
      close: (code, reason) => socket.close(code, reason),
      onMessage: (callback) => {
        onMessage = callback;
      },
    },
    undefined,
  );
  socket.on('message', (data: RawData) => {
    onMessage(String(data)).catch((error) => fail(socket, error, log));
  });
  socket.on('error', (error) => log.debug({ err: error }, 'a socket failed'));
  socket.on('close', (code, reason) => {
    Promise.resolve(closed(code, String(reason))).catch((error) =>
      log.error({ err: error }, 'leaving failed'),
    );
  });
}

/**
 * Resolves once the data has left: graphql-ws pulls the next state only then, so what waits for a slow reader is one
 * state for each subscription. A socket that is gone takes anything.
 */
function send(socket: WebSocket, data: string): Promise<void> {
  if (socket.readyState !== socket.OPEN) return Promise.resolve();
  return new Promise((resolve) => {
    // As bytes: ws writes a string in two pieces, on a path of Node's that costs several µs more.
    socket.send(Buffer.from(data), { binary: false }, () => {
      if (socket.isPaused) socket.resume();
      resolve();
    });
    if (socket.bufferedAmount > maxWaitingBytes) socket.pause();
  });
}

function fail(socket: WebSocket, error: unknown, log: Logger): void {
  log.error({ err: error }, 'a message on a socket failed unexpectedly');
  socket.close(1011, 'Internal server error');
}

function goAway(socket: WebSocket): Promise<void> {
  return new Promise((resolve) => {
    const deadline = setTimeout(() => socket.terminate(), closeGraceMs);
    socket.once('close', () => {
      clearTimeout(deadline);
      resolve();
    });
    socket.close(1001, 'Going away');
  });
}

function refuse(stream: Duplex): void {
  stream.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? '').split('?', 1)[0] ?? '';
}
