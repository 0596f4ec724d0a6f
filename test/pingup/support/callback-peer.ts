import type { AddressInfo } from 'node:net';
import { fastify } from 'fastify';
import { pino } from 'pino';
import type { CallbackFormat } from '../../../src/config.ts';
import type { Message } from '../../../src/message.ts';
import type { Messaging } from '../../../src/messaging.ts';
import { callbackDoor } from '../../../src/pingup/callback-door.ts';
import { type CallbackCounts, createCallbackCounts } from '../../../src/pingup/callback-outcome.ts';
import type { QuarantinedCallback } from '../../../src/store/port.ts';

export const token = 'a-callback-token-of-some-length';

export const usualFormat: CallbackFormat = {
  statusMap: new Map([
    ['sent', 'SENT'],
    ['received', 'DELIVERED'],
    ['delivered', 'DELIVERED'],
    ['read', 'READ'],
    ['failed', 'FAILED'],
  ]),
  messageIdPointer: null,
  statusPointer: null,
  timestampPointer: null,
  failureCodePointer: null,
  failureReasonPointer: null,
};

/** Takes callbacks in memory. */
export interface Inbox extends Pick<Messaging, 'receive'> {
  readonly received: {
    readonly news: readonly Message[];
    readonly quarantined: readonly QuarantinedCallback[];
  }[];
  /** Runs before anything is received, and may throw. */
  before: () => Promise<void>;
}

function createInbox(): Inbox {
  const inbox: Inbox = {
    received: [],
    before: async () => undefined,
    async receive(news, quarantined = []) {
      await inbox.before();
      inbox.received.push({ news, quarantined });
    },
  };
  return inbox;
}

export interface CallbackPeer extends AsyncDisposable {
  readonly inbox: Inbox;
  readonly counts: CallbackCounts;
  /** Every line that was logged, by the door and by the server, at the lowest level. */
  readonly lines: readonly string[];
  readonly port: number;
  /** The address for callbacks. */
  readonly url: string;
  post(body: string | Uint8Array, headers?: Record<string, string>): Promise<Response>;
}

/** A callback door on a port of its own, in a server that logs every request. */
export async function startCallbackPeer(
  options: Partial<CallbackFormat & { token: string }> = {},
): Promise<CallbackPeer> {
  const { token: secret = token, ...format } = options;
  const inbox = createInbox();
  const counts = createCallbackCounts();
  const lines: string[] = [];
  const log = pino({ level: 'trace' }, { write: (line) => lines.push(line) });
  const server = fastify({ loggerInstance: log });
  const door = { business: 'acme', token: secret, format: { ...usualFormat, ...format } };
  await server.register(callbackDoor, { ...door, messaging: inbox, log, counts });
  await server.listen({ port: 0, host: '127.0.0.1' });
  const { port } = server.server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}/callbacks/pingup/acme/${secret}`;
  return {
    inbox,
    counts,
    lines,
    port,
    url,
    post: (body, headers = { 'content-type': 'application/json' }) =>
      fetch(url, { method: 'POST', body: Buffer.from(body), headers }),
    async [Symbol.asyncDispose]() {
      server.server.closeAllConnections();
      await server.close();
    },
  };
}
