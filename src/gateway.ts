import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import type { Config } from './config.ts';
import { buildGatewaySchema } from './graphql/schema.ts';
import { serveFrontends } from './http/frontends.ts';
import { graphiqlPage } from './http/graphiql-page.ts';
import { health } from './http/health.ts';
import { metricsRoute, serveMetrics } from './http/metrics.ts';
import { createHttpServer } from './http/server.ts';
import { logMessaging } from './logged-messaging.ts';
import { measureMessaging, measurePushes } from './measured-messaging.ts';
import { createMessaging } from './messaging.ts';
import { createMetrics } from './metrics.ts';
import type { Load } from './metrics-readings.ts';
import { createQuarantineReader } from './pingup/callback.ts';
import { callbackDoor } from './pingup/callback-door.ts';
import { createCallbackCounts } from './pingup/callback-outcome.ts';
import { createPingupClient } from './pingup/client.ts';
import type { Pingup } from './pingup/port.ts';
import { sandboxClients } from './sandbox/clients.ts';
import { type Sandbox, startSandbox } from './sandbox/sandbox.ts';
import { stoppableMessaging } from './stoppable-messaging.ts';
import { settleLostSends } from './store/lost-sends.ts';
import { keepOnlyRecent } from './store/retention.ts';
import { openSqliteStore } from './store/sqlite.ts';

/**
 * A gateway that listens. Disposing of it drains it: it takes nothing new, what is in flight gets 6 s to finish, and
 * every socket closes with 1001.
 */
export interface Gateway extends AsyncDisposable {
  /** Where it listens, such as `http://127.0.0.1:4000`. */
  readonly url: string;
  /** Where Pingup is to call back, the token included. */
  readonly callbackUrl: string;
  /** Where Prometheus finds its metrics. */
  readonly metricsUrl: string;
  /** The stand-in for Pingup, where there is no account. */
  readonly sandbox: Sandbox | null;
  load(): Load;
}

/** How long sends in flight, and then the closing of sockets, may still take once the gateway is told to stop. */
const drainMs = 6_000;
/** How long what waited for Pingup may then take to be written down and answered. */
const answerMs = 1_500;
const webRoot = fileURLToPath(new URL('../dist/web/', import.meta.url));

/** @throws Error with a sentence for the operator where the store, the page or the address cannot be had. */
export async function startGateway(config: Config, log: Logger): Promise<Gateway> {
  await using parts = new AsyncDisposableStack();
  const sandbox = config.pingup.apiKey === null ? parts.use(await openSandbox(config, log)) : null;
  const metrics = createMetrics();
  const store = parts.use(
    await openSqliteStore({
      path: config.store.path,
      formerBusiness: config.pingup.business,
      log,
      onBatch: metrics.batchAnswered,
      onPush: measurePushes(metrics),
    }),
  );
  const pingup = parts.use(openPingup(config, sandbox, log));
  parts.use(keepOnlyRecent(store, config.store.retentionDays, log));
  parts.use(settleLostSends(store, config.pingup.timeoutMs, log));

  const { business, timeoutMs } = config.pingup;
  const { idempotencyHours, keepTexts } = config.store;
  const reread = createQuarantineReader(config.callback.format);
  const flow = stoppableMessaging(
    createMessaging({ store, pingup, reread, timeoutMs, idempotencyHours, keepTexts }),
  );
  const messaging = measureMessaging(logMessaging(flow, log), metrics);
  const serving = () => !flow.stopped;
  const schema = await buildGatewaySchema();
  const context = { messaging, businesses: () => [business] };

  const { edge } = config;
  const app = createHttpServer({ log, serving, trustedProxies: edge.trustedProxies });
  const page = edge.introspection
    ? await graphiqlPage({ webRoot, sandboxClients: sandbox && sandboxClients })
    : null;
  const sockets = parts.use(await serveFrontends(app, { schema, context, edge, page, log }));
  const callbacks = createCallbackCounts();
  await app.register(callbackDoor, { ...config.callback, business, messaging, log, counts: callbacks });
  await app.register(health, { store, pingup, serving });
  const load = () => ({
    sockets: sockets.open,
    watches: store.watching,
    waitingBytes: sockets.waitingBytes,
    storeCalls: store.pending,
  });
  metrics.expose({ load, pingup: pingup.health, callbacks });
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
    await sockets.close(Math.max(Math.min(edge.drainMs, until - performance.now()), 0));
    app.server.closeAllConnections();
    await closed;
  }
  parts.defer(drain);

  const path = callbackPath(config);
  const url = await app.listen({ host, port });
  const callbackUrl = `${config.publicUrl ?? url}${path}`;
  sandbox?.setCallbackUrl(`${url}${path}`);

  const all = parts.move();
  return {
    url,
    callbackUrl,
    metricsUrl: `${metricsServer?.url ?? url}/metrics`,
    sandbox,
    load,
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

/** The key of the sandbox's only account. It opens nothing else, and the sandbox listens on loopback only. */
const sandboxKey = 'sandbox-key';

function callbackPath({ pingup, callback }: Config): string {
  return `/callbacks/pingup/${pingup.business}/${callback.token}`;
}

function openSandbox({ pingup }: Config, log: Logger): Promise<Sandbox> {
  const { business, sandboxStepMs } = pingup;
  return startSandbox({ business, apiKey: sandboxKey, callbackUrl: null, stepMs: sandboxStepMs, log });
}

function openPingup(config: Config, sandbox: Sandbox | null, log: Logger): Pingup {
  const { pingup, publicUrl } = config;
  return createPingupClient({
    baseUrl: sandbox?.baseUrl ?? pingup.baseUrl,
    business: pingup.business,
    apiKey: pingup.apiKey ?? sandboxKey,
    timeoutMs: pingup.timeoutMs,
    concurrency: pingup.concurrency,
    maxWaiting: pingup.maxWaiting,
    sendsPerSecond: pingup.sendsPerSecond,
    callbackUrl: pingup.sendCallbackUrl && !sandbox ? `${publicUrl}${callbackPath(config)}` : null,
    log,
  });
}
