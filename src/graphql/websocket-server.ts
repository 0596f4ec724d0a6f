import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { handleProtocols } from 'graphql-ws';
import type { Logger } from 'pino';
import { type WebSocket, WebSocketServer } from 'ws';
import { cutText } from '../cut-text.ts';
import { createMinuteLog } from '../log-once-a-minute.ts';
import { createYieldingQueue } from '../yielding-queue.ts';
import { tryAgainLater } from './close-codes.ts';
import { type BacklogOptions, createSocketBacklog } from './socket-backlog.ts';
import { createAdmission, type SocketLimits } from './websocket-admission.ts';
import { closeInTurn } from './websocket-closing.ts';
import { attachSocket, type GraphqlProtocol } from './websocket-socket.ts';

export interface WebsocketOptions extends SocketLimits {
  readonly server: Server;
  readonly path: string;
  readonly protocol: GraphqlProtocol;
  /** Whether the page that asks may have a socket. */
  readonly allowsOrigin: (request: IncomingMessage) => boolean;
  /** Whether the request names a host under which there are sockets; left out: any does. */
  readonly allowsHost?: (request: IncomingMessage) => boolean;
  /** Messages that one socket may send within any second of the clock. */
  readonly messagesPerSecond: number;
  readonly log: Logger;
  /** How often each socket is pinged, in ms. One that stayed silent since the last ping is ended. */
  readonly pingIntervalMs?: number;
  /** What may wait for readers who do not read. */
  readonly backlog?: Pick<BacklogOptions, 'stalledMs' | 'maxBytes'>;
}

export interface GraphqlSockets {
  readonly open: number;
  /** Bytes that wait for readers who do not keep up, over all sockets. */
  readonly waitingBytes: number;
  /**
   * Closes every socket with 1001, which clients take as "come back elsewhere"; ends those that do not answer. Many
   * sockets are closed one after the other over `withinMs`, so that their clients do not all come back at once.
   */
  close(withinMs: number): Promise<void>;
}

/** The largest frame a client may send: far more than any operation needs. */
const maxFrameBytes = 64 * 1024;
/** Pieces that one frame may come in, of its own and of TCP's: each costs some hundred bytes until the frame is whole. */
const maxPieces = 1_024;
/** How long a client may take to answer a close. */
const closeTimeoutMs = 2_000;
/** Sockets, each with up to 100 subscriptions, that are cleaned up after in one turn of the event loop. */
const cleanUpsPerTurn = 10;
/** Sockets that are pinged in one turn of the event loop. */
const pingsPerTurn = 200;
const serverOptions = {
  noServer: true,
  maxPayload: maxFrameBytes,
  maxFragments: maxPieces,
  maxBufferedChunks: maxPieces,
  perMessageDeflate: false,
  handleProtocols: (offered: Set<string>) => handleProtocols(offered),
  closeTimeout: closeTimeoutMs,
};

/**
 * Serves graphql-transport-ws on the HTTP server's own port.
 *
 * another path 404 | a page or a Host that may not 403 | too many sockets 1013 | too many messages 1013 | frame over 64 KiB 1009
 *
 * Against the adapter that comes with graphql-ws: no timers for each socket (one sweep pings them all), no upgrade
 * request kept alive, and a reader that stopped is no longer listened to.
 */
export function serveWebsockets(options: WebsocketOptions): GraphqlSockets {
  const { server, path, protocol, allowsOrigin, messagesPerSecond, log, pingIntervalMs = 12_000 } = options;
  const { allowsHost = () => true } = options;
  const admission = createAdmission(options);
  const sockets = new WebSocketServer(serverOptions);
  const silent = new WeakSet<WebSocket>();
  const suspicious = createMinuteLog(log);
  const backlog = createSocketBacklog({ ...options.backlog, onEnd: warnOfSlowReader });
  const cleanUps = createYieldingQueue(cleanUpsPerTurn);
  const pings = createYieldingQueue(pingsPerTurn);
  const sweep = setInterval(() => {
    for (const socket of sockets.clients) pings.run(() => ping(socket));
  }, pingIntervalMs);

  function warnOfSlowReader(reason: string): void {
    suspicious(reason, { reason }, 'A socket was ended: its client does not read what it asked for.');
  }

  function ping(socket: WebSocket): void {
    if (socket.readyState !== socket.OPEN) return;
    if (silent.has(socket)) {
      socket.terminate();
    } else {
      silent.add(socket);
      socket.ping();
    }
  }

  function welcome(socket: WebSocket, address: string, leave: (() => void) | undefined): void {
    socket.on('error', (error) => log.debug({ err: error }, 'a socket failed'));
    if (!leave) {
      socket.close(tryAgainLater, 'Too many sockets');
      return;
    }
    attachSocket(socket, {
      protocol,
      address,
      messagesPerSecond,
      backlog,
      onAlive: () => silent.delete(socket),
      onClosed: (cleanUp) => {
        leave();
        cleanUps.run(cleanUp);
      },
      log,
    });
  }

  function warnOfOldProtocol({ headers }: IncomingMessage): void {
    if (!offersOnlyOldProtocol(headers['sec-websocket-protocol'])) return;
    suspicious(
      'old subprotocol',
      { userAgent: cutText(headers['user-agent'] ?? '') },
      'A client offers only the old subprotocol graphql-ws, and is closed with 4406: have it use graphql-transport-ws (of the npm package graphql-ws) in place of subscriptions-transport-ws.',
    );
  }

  function upgrade(request: IncomingMessage, stream: Duplex, head: Buffer): void {
    if (pathOf(request) !== path) refuse(stream, '404 Not Found');
    else if (!allowsHost(request) || !allowsOrigin(request)) refuse(stream, '403 Forbidden');
    else sockets.handleUpgrade(request, stream, head, (socket) => enter(socket, request));
  }

  function enter(socket: WebSocket, request: IncomingMessage): void {
    warnOfOldProtocol(request);
    welcome(socket, options.addressOf(request), admission.enter(request));
  }

  server.on('upgrade', upgrade);
  return {
    get open() {
      return sockets.clients.size;
    },
    get waitingBytes() {
      return backlog.bytes;
    },
    async close(withinMs) {
      clearInterval(sweep);
      server.off('upgrade', upgrade);
      await closeInTurn([...sockets.clients], withinMs);
      backlog[Symbol.dispose]();
    },
  };
}

const oldProtocol = 'graphql-ws';
const ourProtocol = 'graphql-transport-ws';

function offersOnlyOldProtocol(offered = ''): boolean {
  const names = offered.split(',').map((name) => name.trim());
  return names.includes(oldProtocol) && !names.includes(ourProtocol);
}

/** Node has taken its listeners off the stream, so an error on it without ours would end the process. */
function refuse(stream: Duplex, status: string): void {
  stream.on('error', () => stream.destroy());
  stream.on('finish', () => stream.destroy());
  stream.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? '').split('?', 1)[0] ?? '';
}
