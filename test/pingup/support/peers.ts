import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';

/** A server on a port of its own that a test answers for, byte by byte if it likes. */
export interface Peer extends AsyncDisposable {
  readonly port: number;
  /** `http://127.0.0.1:{port}`, without a slash. */
  readonly url: string;
}

export interface HttpPeer extends Peer {
  /** Every request whose body has arrived, in order. */
  readonly requests: readonly ReceivedRequest[];
  /** How many connections there have been. */
  readonly connections: number;
  /** How many are open. */
  readonly open: number;
}

export interface ReceivedRequest {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export type Answer = (request: ReceivedRequest, response: ServerResponse) => void;

/** Listens on `port`, or on a free one. */
export async function startHttpPeer(answer: Answer, port = 0): Promise<HttpPeer> {
  const requests: ReceivedRequest[] = [];
  let connections = 0;
  let open = 0;
  const server = createServer(async (incoming, response) => {
    const { method, url, headers } = incoming;
    const body = Buffer.concat(await incoming.toArray()).toString();
    const request = { method, url, headers, body };
    requests.push(request);
    answer(request, response);
  });
  server.on('connection', (socket) => {
    connections += 1;
    open += 1;
    socket.on('close', () => {
      open -= 1;
    });
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const at = (server.address() as AddressInfo).port;
  return {
    port: at,
    url: `http://127.0.0.1:${at}`,
    requests,
    get connections() {
      return connections;
    },
    get open() {
      return open;
    },
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
    },
  };
}

export interface TcpPeer extends Peer {
  /** What has arrived, of all connections. */
  readonly received: () => string;
  readonly sockets: readonly Socket[];
}

/** `talk` gets the connection of each piece of data that has arrived. */
export async function startTcpPeer(talk: (socket: Socket) => void): Promise<TcpPeer> {
  const sockets: Socket[] = [];
  const pieces: Buffer[] = [];
  const server = createTcpServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    socket.on('data', (data: Buffer) => {
      pieces.push(data);
      talk(socket);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    received: () => Buffer.concat(pieces).toString('latin1'),
    sockets,
    async [Symbol.asyncDispose]() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
