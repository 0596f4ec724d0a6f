import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { AccountBook } from './account-book.ts';
import { reloadApiKeys } from './auth/reload-api-keys.ts';
import type { Config } from './config.ts';
import { type GatewayDoors, openDoors } from './gateway-doors.ts';
import { type GatewayParts, openParts } from './gateway-parts.ts';
import { listenOn } from './http/server.ts';
import { logMessaging } from './logged-messaging.ts';
import { measureMessaging } from './measured-messaging.ts';
import { createMessaging, type Messaging } from './messaging.ts';
import type { Load } from './metrics-readings.ts';
import { createQuarantineReader } from './pingup/callback.ts';
import { callbackRoot, callbackUrl } from './pingup/callback-address.ts';
import { reloadAccounts } from './pingup/reload-accounts.ts';
import type { Sandbox } from './sandbox/sandbox.ts';
import { createSendLimit } from './send-limit.ts';
import { type StoppableMessaging, stoppableMessaging } from './stoppable-messaging.ts';

/**
 * A gateway that listens. Disposing of it drains it: it takes nothing new, what is in flight gets 6 s to finish, and
 * every socket closes with 1001.
 */
export interface Gateway extends AsyncDisposable {
  /** Where it listens, such as `http://127.0.0.1:4000`. */
  readonly url: string;
  /** Where Pingup is to call back, without the business and the token: `https://…/callbacks/pingup`. */
  readonly callbackBase: string;
  /** Where Prometheus finds its metrics. */
  readonly metricsUrl: string;
  /** The stand-in for Pingup, where there is no account. */
  readonly sandbox: Sandbox | null;
  load(): Load;
  /**
   * Reads the files of accounts and of API keys again: `reloadAccounts`, `reloadApiKeys`. Without any, it logs that. Never
   * rejects, and may be called at any time, also while another reload or the shutdown is under way.
   */
  reload(): Promise<void>;
}

/** How long sends in flight, and then the closing of sockets, may still take once the gateway is told to stop. */
const drainMs = 6_000;
/** How long what waited for Pingup may then take to be written down and answered. */
const answerMs = 1_500;

/** @throws Error with a sentence for the operator where the store, the page or the address cannot be had. */
export async function startGateway(config: Config, accounts: AccountBook, log: Logger): Promise<Gateway> {
  await using starting = new AsyncDisposableStack();
  const parts = starting.use(await openParts(config, accounts, log));
  const flow = stoppableMessaging(openFlow(config, parts));
  const messaging = observed(flow, parts, log);
  const serving = () => !flow.stopped;
  const doors = starting.use(await openDoors({ config, accounts, parts, messaging, serving, log }));
  starting.defer(() => drain(config, flow, parts, doors));

  const { host, port } = config;
  const url = await listenOn(doors.app, { host, port });
  const { single } = config.accounts;
  parts.sandbox?.setCallbackUrl(single && callbackUrl(url, single));

  async function reload(): Promise<void> {
    const apiKeys = config.auth?.apiKeysPath ? parts.authenticator : null;
    if (config.accounts.file !== null) await reloadAccounts(accounts, parts.pingup, log);
    if (apiKeys) await reloadApiKeys(apiKeys, log);
    if (config.accounts.file === null && !apiKeys)
      log.warn('nothing to reload: neither PINGUP_ACCOUNTS_FILE nor AUTH_API_KEYS_FILE is set');
  }

  const all = starting.move();
  return {
    url,
    callbackBase: `${config.publicUrl ?? url}${callbackRoot}`,
    metricsUrl: `${doors.metricsUrl ?? url}/metrics`,
    sandbox: parts.sandbox,
    load: doors.load,
    reload,
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

function openFlow(config: Config, { store, pingup }: GatewayParts): Messaging {
  const { timeoutMs } = config.pingup;
  const { idempotencyHours, keepTexts } = config.store;
  const reread = createQuarantineReader(config.callback.format);
  const sendLimit = createSendLimit(config.edge.sendsPerMinute);
  return createMessaging({ store, pingup, sendLimit, reread, timeoutMs, idempotencyHours, keepTexts });
}

/** The same flow, with what operators see of it. */
function observed(flow: Messaging, { metrics, traces }: GatewayParts, log: Logger): Messaging {
  const measured = measureMessaging(logMessaging(flow, log), metrics);
  return traces ? traces.trace(measured) : measured;
}

async function drain(
  { edge }: Config,
  flow: StoppableMessaging,
  { pingup, tracing }: GatewayParts,
  { app, sockets }: GatewayDoors,
): Promise<void> {
  const until = performance.now() + drainMs;
  flow.stop();
  await Promise.race([flow.idle(), delay(drainMs, undefined, { ref: false })]);
  await pingup[Symbol.asyncDispose]();
  await Promise.race([flow.idle(), delay(answerMs, undefined, { ref: false })]);
  await nextTurn();
  const closed = app.close();
  // By now every answer is made, and with it its span has ended.
  const flushed = tracing?.[Symbol.asyncDispose]();
  await sockets.close(Math.max(Math.min(edge.drainMs, until - performance.now()), 0));
  await flushed;
  app.server.closeAllConnections();
  await closed;
}
