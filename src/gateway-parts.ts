import type { Logger } from 'pino';
import type { Accounts } from './account.ts';
import type { AccountBook } from './account-book.ts';
import { type Authenticator, openAuthenticator } from './auth/authenticator.ts';
import type { Config } from './config.ts';
import { isLoopback } from './loopback.ts';
import { measurePushes } from './measured-messaging.ts';
import type { Message } from './message.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { type AccountsClient, createAccountsClient } from './pingup/accounts-client.ts';
import { callbackUrl } from './pingup/callback-address.ts';
import { type Sandbox, startSandbox } from './sandbox/sandbox.ts';
import { settleLostSends } from './store/lost-sends.ts';
import { vacuumNightly } from './store/nightly-vacuum.ts';
import { openStore } from './store/open-store.ts';
import type { Store } from './store/port.ts';
import { keepOnlyRecent } from './store/retention.ts';
import { createMessageTraces, type MessageTraces } from './traced-messaging.ts';
import type { Tracing } from './tracing.ts';
import type { TracingConfig } from './tracing-variables.ts';

/** What the gateway is made of, before it listens. Disposing of it closes all of it. */
export interface GatewayParts extends AsyncDisposable {
  readonly metrics: Metrics;
  readonly store: Store;
  readonly pingup: AccountsClient;
  /** The stand-in for Pingup, where there is no account. */
  readonly sandbox: Sandbox | null;
  /** Null: authentication is disabled. */
  readonly authenticator: Authenticator | null;
  /** Null: there are no traces. */
  readonly tracing: (Tracing & AsyncDisposable) | null;
  readonly traces: MessageTraces | null;
}

/** @throws Error with a sentence for the operator where the store, or a file of the configuration, cannot be had. */
export async function openParts(config: Config, accounts: AccountBook, log: Logger): Promise<GatewayParts> {
  await using parts = new AsyncDisposableStack();
  const sandbox = parts.use(await openSandbox(config, log));
  const metrics = createMetrics();
  const tracing = parts.use(await openTracing(config.tracing, log));
  const traces = tracing && createMessageTraces(tracing);
  const measurePush = measurePushes(metrics);

  function onPush(message: Message): void {
    measurePush(message);
    traces?.pushed(message);
  }

  const { backend, limits, retentionDays, vacuumHour } = config.store;
  const { batchAnswered: onBatch, storeEvent: onEvent } = metrics;
  const store = parts.use(await openStore(backend, { log, limits, onBatch, onPush, onEvent }));
  const pingup = parts.use(openPingup(config, accounts, sandbox, tracing, log));
  parts.use(keepOnlyRecent(store, retentionDays, log));
  if (vacuumHour !== null) parts.use(vacuumNightly(store, { hour: vacuumHour, log }));
  parts.use(settleLostSends(store, config.pingup.timeoutMs, log));
  const authenticator = await openAuth(config, log);
  if (authenticator) parts.use(authenticator);

  const all = parts.move();
  return {
    metrics,
    store,
    pingup,
    sandbox,
    authenticator,
    tracing,
    traces,
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

/** Where others reach the gateway and nobody is asked, the operator has said so, and is told again. */
async function openAuth({ auth, host }: Config, log: Logger): Promise<Authenticator | null> {
  if (auth) return openAuthenticator(auth, { log });
  if (!isLoopback(host)) log.warn('AUTH=none: whoever reaches the gateway can send texts and read messages');
  return null;
}

async function openSandbox({ accounts, sandbox }: Config, log: Logger): Promise<Sandbox | null> {
  if (sandbox === null || accounts.single === null) return null;
  const { business, apiKey } = accounts.single;
  return startSandbox({ business, apiKey, callbackUrl: null, stepMs: sandbox.stepMs, log });
}

/** OpenTelemetry is loaded here, and only where somebody wants traces. */
async function openTracing(
  config: TracingConfig | null,
  log: Logger,
): Promise<(Tracing & AsyncDisposable) | null> {
  if (config === null) return null;
  const { startOtelTracing } = await import('./otel-tracing.ts');
  return startOtelTracing(config, log);
}

function openPingup(
  config: Config,
  accounts: Accounts,
  sandbox: Sandbox | null,
  tracing: Tracing | null,
  log: Logger,
): AccountsClient {
  const { timeoutMs, sendCallbackUrl } = config.pingup;
  const origin = sendCallbackUrl && !sandbox ? config.publicUrl : null;
  return createAccountsClient({
    accounts,
    timeoutMs,
    baseUrl: sandbox?.baseUrl ?? null,
    callbackUrlOf: (account) => origin && callbackUrl(origin, account),
    log,
    tracing: tracing ?? undefined,
  });
}
