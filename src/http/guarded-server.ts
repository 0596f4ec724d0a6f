import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Logger } from 'pino';
import { createMinuteLog } from '../log-once-a-minute.ts';
import { type ConnectionLimits, createConnectionCheck } from './connection-limits.ts';
import { createIdleConnections } from './idle-connections.ts';
import { PackedRequest } from './packed-request.ts';
import { createTurns } from './turns.ts';
import { createUnreadAnswers } from './unread-answers.ts';

/** What one connection may cost in time, in ms, and all of them in memory. */
export interface ServerBounds {
  /**
   * For the headers of a request to arrive, and for the whole of it, from its first byte; of a new connection from its
   * start. What is late is noticed up to `sweepMs` after.
   */
  readonly requestMs: number;
  /** How long a connection may be without a request. Longer than load balancers keep one, which is usually 60 s. */
  readonly idleMs: number;
  /** How long one must have been without a request to be closed for a new one; with less it may be about to send one. */
  readonly leastIdleMs: number;
  /** How long a connection may take nothing while an answer waits for it. */
  readonly stallMs: number;
  /** How often all of that is looked at. */
  readonly sweepMs: number;
  /** Bytes of answers that may wait for slow readers, in all. */
  readonly maxUnreadBytes: number;
}

export const usualBounds: ServerBounds = {
  requestMs: 9_000,
  idleMs: 72_000,
  leastIdleMs: 5_000,
  stallMs: 10_000,
  sweepMs: 1_000,
  maxUnreadBytes: 64 * 1024 * 1024,
};

export interface GuardedServerOptions {
  /** Null: any number of connections. */
  readonly limits: ConnectionLimits | null;
  readonly bounds?: Partial<ServerBounds>;
  readonly log: Logger;
}

/**
 * Node's HTTP server, with all that a connection can cost bounded: how many there are, how long each takes over a
 * request, how long it is idle, how much waits for it and for how long, and that its requests are answered one by one.
 * What has become a WebSocket is only counted.
 */
export function createGuardedServer(handle: RequestListener, options: GuardedServerOptions): Server {
  const { limits, log } = options;
  const bounds = { ...usualBounds, ...options.bounds };
  const { requestMs, idleMs, leastIdleMs, stallMs, sweepMs, maxUnreadBytes: maxBytes } = bounds;
  const logOnce = createMinuteLog(log);
  const unread = createUnreadAnswers({
    maxIdleSweeps: Math.ceil(stallMs / sweepMs),
    maxBytes,
    onClose: (reason) => logOnce(reason, { stallMs, maxBytes }, unreadMessages[reason]),
  });
  const idle = createIdleConnections(idleMs + requestMs, leastIdleMs);
  const { attach, inTurn, isBusy } = createTurns({
    onBusy(socket) {
      idle.delete(socket);
      unread.watch(socket);
    },
    onIdle(socket) {
      unread.unwatch(socket);
      if (socket.writable) idle.add(socket);
    },
    onAnswer: unread.count,
  });
  const mayStay = limits ? createConnectionCheck(limits, idle.closeOldest, log) : () => true;

  function admit(socket: Socket): void {
    if (!mayStay(socket)) return void socket.destroy();
    attach(socket);
    idle.add(socket);
    socket.once('close', () => idle.delete(socket));
  }

  /** A connection becomes a WebSocket between two requests only, or its frames would come between the answers. */
  function upgrades(request: IncomingMessage): boolean {
    if (!offersWebsocket(request) || isBusy(request.socket)) return false;
    idle.delete(request.socket);
    return true;
  }

  function sweep(): void {
    unread.sweep();
    idle.closeExpired();
  }

  const server = createServer({
    IncomingMessage: PackedRequest,
    headersTimeout: requestMs,
    requestTimeout: requestMs,
    connectionsCheckingInterval: sweepMs,
    keepAliveTimeout: idleMs,
    // Node's own answers come out of turn, so that requests without a Host, and Expect, are answered here.
    requireHostHeader: false,
    shouldUpgradeCallback: upgrades,
  });
  const answer = refuseWithoutHost(handle);
  server.on('connection', admit);
  server.on('request', inTurn(answer));
  server.on('checkContinue', inTurn(continueWith(answer)));
  server.on('checkExpectation', inTurn(refuseExpectation));
  server.once('listening', () => {
    const timer = setInterval(sweep, sweepMs);
    server.once('close', () => clearInterval(timer));
  });
  return server;
}

const unreadMessages = {
  stalled: 'a connection was closed: it took nothing of its answer for too long',
  full: 'connections were closed that read their answers slowly: too much waited for all of them',
};

/**
 * Some clients offer another protocol (h2c) with an ordinary request, which is to be answered as one; and a handshake
 * has no body.
 */
function offersWebsocket({ method, headers }: IncomingMessage): boolean {
  const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) !== 0;
  return method === 'GET' && headers.upgrade?.toLowerCase() === 'websocket' && !hasBody;
}

/** RFC 9112, 3.2. */
function refuseWithoutHost(handle: RequestListener): RequestListener {
  return (request, response) => {
    if (request.headers.host !== undefined || request.httpVersion !== '1.1') handle(request, response);
    else response.writeHead(400, { connection: 'close' }).end();
  };
}

function continueWith(handle: RequestListener): RequestListener {
  return (request, response) => {
    response.writeContinue();
    handle(request, response);
  };
}

const refuseExpectation: RequestListener = (_request, response) => void response.writeHead(417).end();
