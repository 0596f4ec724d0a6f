import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import type { Accounts } from './account.ts';
import type { AccountBook } from './account-book.ts';
import { type Authenticator, openAuthenticator } from './auth/authenticator.ts';
import { createRefusalCounts } from './auth/refusal.ts';
import { reloadApiKeys } from './auth/reload-api-keys.ts';
import type { Config } from './config.ts';
import { buildGatewaySchema } from './graphql/schema.ts';
import { createNetworkCheck } from './http/client-address.ts';
import { serveFrontends } from './http/frontends.ts';
import { graphiqlPage } from './http/graphiql-page.ts';
import { health } from './http/health.ts';
import { metricsRoute, serveMetrics } from './http/metrics.ts';
import { createHttpServer } from './http/server.ts';
import { logMessaging } from './logged-messaging.ts';
import { isLoopback } from './loopback.ts';
import { measureMessaging, measurePushes } from './measured-messaging.ts';
import { createMessaging } from './messaging.ts';
import { createMetrics } from './metrics.ts';
import type { Load } from './metrics-readings.ts';
import { type AccountsClient, createAccountsClient } from './pingup/accounts-client.ts';
import { createQuarantineReader } from './pingup/callback.ts';
import { callbackRoot, callbackUrl } from './pingup/callback-address.ts';
import { createCallbackAuthenticator } from './pingup/callback-authenticator.ts';
import { callbackDoor } from './pingup/callback-door.ts';
import { createCallbackCounts } from './pingup/callback-outcome.ts';
import { reloadAccounts } from './pingup/reload-accounts.ts';
import { sandboxClients } from './sandbox/clients.ts';
import { type Sandbox, startSandbox } from './sandbox/sandbox.ts';
import { stoppableMessaging } from './stoppable-messaging.ts';
import { settleLostSends } from './store/lost-sends.ts';
import { keepOnlyRecent } from './store/retention.ts';
import { openSqliteStore } from './store/sqlite.ts';
import { createMessageTraces } from './traced-messaging.ts';
import type { Tracing } from './tracing.ts';
import type { TracingConfig } from './tracing-variables.ts';

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
  /** Reads the files of accounts and of API keys again: `reloadAccounts`, `reloadApiKeys`. */
  reload(): Promise<void>;
}

/** How long sends in flight, and then the closing of sockets, may still take once the gateway is told to stop. */
const drainMs = 6_000;
/** How long what waited for Pingup may then take to be written down and answered. */
const answerMs = 1_500;
const webRoot = fileURLToPath(new URL('../dist/web/', import.meta.url));

/** @throws Error with a sentence for the operator where the store, the page or the address cannot be had. */
export async function startGateway(config: Config, accounts: AccountBook, log: Logger): Promise<Gateway> {
  await using parts = new AsyncDisposableStack();
  const sandbox = parts.use(await openSandbox(config, log));
  const metrics = createMetrics();
  const tracing = config.tracing && parts.use(await openTracing(config.tracing, log));
  const traces = tracing && createMessageTraces(tracing);
  const measurePush = measurePushes(metrics);
  const store = parts.use(
    await openSqliteStore({
      path: config.store.path,
      formerBusiness: onlyBusiness(config, accounts),
      log,
      onBatch: metrics.batchAnswered,
      onPush: traces
        ? (message) => {
            measurePush(message);
            traces.pushed(message);
          }
        : measurePush,
    }),
  );
  const pingup = parts.use(openPingup(config, accounts, sandbox, tracing, log));
  parts.use(keepOnlyRecent(store, config.store.retentionDays, log));
  parts.use(settleLostSends(store, config.pingup.timeoutMs, log));

  const { timeoutMs } = config.pingup;
  const { idempotencyHours, keepTexts } = config.store;
  const reread = createQuarantineReader(config.callback.format);
  const flow = stoppableMessaging(
    createMessaging({ store, pingup, reread, timeoutMs, idempotencyHours, keepTexts }),
  );
  const measured = measureMessaging(logMessaging(flow, log), metrics);
  const messaging = traces ? traces.trace(measured) : measured;
  const serving = () => !flow.stopped;
  const schema = await buildGatewaySchema();
  const context = { messaging, businesses: accounts.businesses };

  const { edge } = config;
  const authenticator = await openAuth(config, log);
  if (authenticator) parts.use(authenticator);
  const authenticate = authenticator?.authenticate ?? null;
  const app = createHttpServer({ log, serving, trustedProxies: edge.trustedProxies });
  const page = edge.introspection
    ? await graphiqlPage({ webRoot, sandboxClients: sandbox && sandboxClients })
    : null;
  const sockets = parts.use(
    await serveFrontends(app, { schema, context, authenticate, edge, page, log, tracing }),
  );
  const callbacks = createCallbackCounts();
  const { format, proof, networks } = config.callback;
  const allowsAddress = createNetworkCheck(networks);
  const prove = createCallbackAuthenticator({ accounts, proof, allowsAddress });
  await app.register(callbackDoor, {
    authenticator: prove,
    format,
    messaging,
    log,
    counts: callbacks,
    tracing,
  });
  await app.register(health, { store, pingup, serving });
  const load = () => ({
    sockets: sockets.open,
    watches: store.watching,
    waitingBytes: sockets.waitingBytes,
    storeCalls: store.pending,
  });
  metrics.expose({
    load,
    pingup: pingup.health,
    callbacks,
    refusals: authenticator?.refusals ?? createRefusalCounts(),
  });
  const { host, port, metricsPort } = config;
  const metricsServer =
    metricsPort === null ? null : parts.use(await serveMetrics({ host, port: metricsPort, metrics, log }));
  if (!metricsServer) await app.register(metricsRoute, { metrics });

  async function drain(): Promise<void> {
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
  parts.defer(drain);

  const url = await app.listen({ host, port });
  const { single } = config.accounts;
  sandbox?.setCallbackUrl(single && callbackUrl(url, single));

  const all = parts.move();
  return {
    url,
    callbackBase: `${config.publicUrl ?? url}${callbackRoot}`,
    metricsUrl: `${metricsServer?.url ?? url}/metrics`,
    sandbox,
    load,
    reload: async () => {
      if (config.accounts.file !== null) await reloadAccounts(accounts, pingup, log);
      if (config.auth?.apiKeysPath && authenticator) await reloadApiKeys(authenticator, log);
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

/** The business of before there could be several. */
function onlyBusiness({ accounts: { single } }: Config, accounts: Accounts): string | null {
  const [first, ...others] = accounts.businesses();
  return single?.business ?? (others.length === 0 ? (first ?? null) : null);
}

/** Null: nobody is asked who they are. Where others reach the gateway, the operator has said so, and is told again. */
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
async function openTracing(config: TracingConfig, log: Logger): Promise<Tracing & AsyncDisposable> {
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
