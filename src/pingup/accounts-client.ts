import { isDeepStrictEqual } from 'node:util';
import type { Logger } from 'pino';
import type { Account, Accounts } from '../account.ts';
import { GatewayError } from '../errors.ts';
import type { OutgoingText } from '../outgoing-text.ts';
import type { Tracing } from '../tracing.ts';
import type { PingupClientOptions } from './client.ts';
import type { Pingup, SendContext } from './port.ts';
import { createRetirableClient, type RetirableClient } from './retirable-client.ts';

/** Pingup for every account: each has limits, a breaker, a pause and connections of its own. */
export interface AccountsClient extends Pingup {
  /**
   * To be called when the accounts have changed: what is sent from then on goes by the new ones. A send that was begun
   * ends as it began. An account that has not changed in what its sends need keeps its line and its breaker.
   */
  follow(): void;
}

export interface AccountsClientOptions {
  readonly accounts: Accounts;
  /** For one send in all. */
  readonly timeoutMs: number;
  /** In place of each account's own: the sandbox's. Null: each its own. */
  readonly baseUrl: string | null;
  /** What a send carries as `callback_url`; null: nothing. */
  readonly callbackUrlOf: (account: Account) => string | null;
  readonly log: Logger;
  readonly tracing?: Tracing | undefined;
}

export function createAccountsClient(options: AccountsClientOptions): AccountsClient {
  const { accounts, log, tracing } = options;
  const current = new Map<string, OpenClient>();
  const retired = new Set<RetirableClient>();

  function follow(): void {
    const wanted = new Map(accounts.businesses().map((business) => [business, settingsFor(business)]));
    for (const [business, { client, settings }] of current) {
      if (isDeepStrictEqual(settings, wanted.get(business))) continue;
      current.delete(business);
      retire(client);
    }
    for (const [business, settings] of wanted)
      if (settings && !current.has(business)) current.set(business, open(settings));
  }

  function settingsFor(business: string): ClientSettings | undefined {
    const account = accounts.find(business);
    return account && settingsOf(account, options);
  }

  function open(settings: ClientSettings): OpenClient {
    const { business } = settings;
    const client = createRetirableClient({ ...settings, log: log.child({ business }), tracing });
    return { settings, client };
  }

  function retire(client: RetirableClient): void {
    retired.add(client);
    client.retire().then(
      () => retired.delete(client),
      (error: unknown) => log.error({ err: error }, 'the connections of a former account did not close'),
    );
  }

  async function sendText(text: OutgoingText, context: SendContext): Promise<string> {
    const open = current.get(context.business);
    if (open) return open.client.sendText(text, context);
    throw new GatewayError(
      'PINGUP_UNAVAILABLE',
      'This business has just lost its account; nothing was sent.',
    );
  }

  follow();
  return {
    follow,
    sendText,
    health: () => Object.fromEntries(current.entries().map(([name, { client }]) => [name, client.health()])),
    async [Symbol.asyncDispose]() {
      const all = [...retired, ...current.values().map(({ client }) => client)];
      await Promise.all(all.map((client) => client[Symbol.asyncDispose]()));
    },
  };
}

type ClientSettings = Omit<PingupClientOptions, 'log' | 'tracing'>;

interface OpenClient {
  readonly client: RetirableClient;
  /** By which it was made. */
  readonly settings: ClientSettings;
}

function settingsOf(account: Account, options: AccountsClientOptions): ClientSettings {
  return {
    business: account.business,
    apiKey: account.apiKey,
    baseUrl: options.baseUrl ?? account.baseUrl,
    ...account.limits,
    timeoutMs: options.timeoutMs,
    callbackUrl: options.callbackUrlOf(account),
  };
}
