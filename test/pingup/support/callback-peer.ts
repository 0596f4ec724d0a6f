import type { AddressInfo } from 'node:net';
import { fastify } from 'fastify';
import { pino } from 'pino';
import type { Account, Accounts } from '../../../src/account.ts';
import type { CallbackFormat, CallbackProof, SignatureFormat } from '../../../src/config.ts';
import { createNetworkCheck } from '../../../src/http/client-address.ts';
import type { Message } from '../../../src/message.ts';
import type { Messaging } from '../../../src/messaging.ts';
import { createCallbackAuthenticator } from '../../../src/pingup/callback-authenticator.ts';
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

export const usualSignature: SignatureFormat = {
  header: 'x-signature',
  prefix: '',
  encoding: 'hex',
  timestampHeader: null,
};

/** An account that no test sends for. */
export function accountOf(business: string, callback: Partial<Account['callback']> = {}): Account {
  return {
    business,
    apiKey: 'an-api-key',
    baseUrl: 'http://127.0.0.1:9',
    limits: { concurrency: 1, maxWaiting: 1, sendsPerSecond: null },
    callback: { tokens: [token], hmacSecret: null, ...callback },
  };
}

export function accountsOf(...accounts: readonly Account[]): Accounts {
  return {
    businesses: () => accounts.map(({ business }) => business),
    find: (business) => accounts.find((account) => account.business === business),
  };
}

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
  /** Without the business and the token. */
  readonly base: string;
  /** The address for callbacks. */
  readonly url: string;
  post(body: string | Uint8Array, headers?: Record<string, string>): Promise<Response>;
}

export interface CallbackPeerOptions {
  readonly format?: Partial<CallbackFormat>;
  /** Default: `acme` with `token`. Callbacks of `post` go to the first one. */
  readonly accounts?: readonly Account[];
  readonly tokenHeader?: string;
  readonly signature?: Partial<SignatureFormat>;
  readonly networks?: readonly string[];
  readonly trustedProxies?: readonly string[];
}

/** A callback door on a port of its own, in a server that logs every request. */
export async function startCallbackPeer(options: CallbackPeerOptions = {}): Promise<CallbackPeer> {
  const { accounts = [accountOf('acme')], tokenHeader = null, networks = [], trustedProxies = [] } = options;
  const proof: CallbackProof = { tokenHeader, signature: { ...usualSignature, ...options.signature } };
  const inbox = createInbox();
  const counts = createCallbackCounts();
  const lines: string[] = [];
  const log = pino({ level: 'trace' }, { write: (line) => lines.push(line) });
  const server = fastify({ loggerInstance: log, trustProxy: [...trustedProxies] });
  const allowsAddress = createNetworkCheck(networks);
  const authenticator = createCallbackAuthenticator({
    accounts: accountsOf(...accounts),
    proof,
    allowsAddress,
  });
  const format = { ...usualFormat, ...options.format };
  await server.register(callbackDoor, { authenticator, format, messaging: inbox, log, counts });
  await server.listen({ port: 0, host: '127.0.0.1' });
  const { port } = server.server.address() as AddressInfo;
  const base = `http://127.0.0.1:${port}/callbacks/pingup`;
  const url = `${base}/${accounts[0]?.business}/${accounts[0]?.callback.tokens[0]}`;
  return {
    inbox,
    counts,
    lines,
    port,
    base,
    url,
    post: (body, headers = { 'content-type': 'application/json' }) =>
      fetch(url, { method: 'POST', body: Buffer.from(body), headers }),
    async [Symbol.asyncDispose]() {
      server.server.closeAllConnections();
      await server.close();
    },
  };
}
