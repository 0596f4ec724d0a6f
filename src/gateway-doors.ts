import { fileURLToPath } from 'node:url';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import type { Accounts } from './account.ts';
import { createRefusalCounts } from './auth/refusal.ts';
import type { Config } from './config.ts';
import type { GatewayParts } from './gateway-parts.ts';
import { buildGatewaySchema } from './graphql/schema.ts';
import type { GraphqlSockets } from './graphql/websocket-server.ts';
import { createHostCheck } from './http/allowed-hosts.ts';
import { createNetworkCheck } from './http/client-address.ts';
import { watchDescriptors } from './http/descriptor-watch.ts';
import { serveFrontends } from './http/frontends.ts';
import { graphiqlPage } from './http/graphiql-page.ts';
import { health } from './http/health.ts';
import { metricsRoute, serveMetrics } from './http/metrics.ts';
import { createHttpServer } from './http/server.ts';
import type { Messaging } from './messaging.ts';
import type { Load, StoreReading } from './metrics-readings.ts';
import { createCallbackAuthenticator } from './pingup/callback-authenticator.ts';
import { callbackDoor } from './pingup/callback-door.ts';
import { createCallbackCounts } from './pingup/callback-outcome.ts';
import { sandboxClients } from './sandbox/clients.ts';
import type { Store } from './store/port.ts';

export interface DoorsOptions {
  readonly config: Config;
  readonly accounts: Accounts;
  readonly parts: GatewayParts;
  readonly messaging: Messaging;
  /** False once the gateway is shutting down. */
  readonly serving: () => boolean;
  readonly log: Logger;
}

/** All by which the world comes in: frontends, Pingup's callbacks, and who watches over the gateway. */
export interface GatewayDoors extends AsyncDisposable {
  /** Nobody listens yet. */
  readonly app: FastifyInstance;
  readonly sockets: GraphqlSockets;
  /** Where the metrics are, if on a port of their own. */
  readonly metricsUrl: string | null;
  load(): Load;
}

const webRoot = fileURLToPath(new URL('../dist/web/', import.meta.url));

/** @throws Error with a sentence for the operator where the page or the port of the metrics cannot be had. */
export async function openDoors(options: DoorsOptions): Promise<GatewayDoors> {
  const { config, accounts, parts, messaging, serving, log } = options;
  const { store, pingup, metrics, authenticator, tracing, sandbox } = parts;
  await using opening = new AsyncDisposableStack();
  const { edge } = config;
  const allowsHost = createHostCheck(edge.hosts, log);
  const app = createHttpServer({ log, serving, trustedProxies: edge.trustedProxies, limits: edge });
  const page = edge.introspection
    ? await graphiqlPage({ webRoot, sandboxClients: sandbox && sandboxClients })
    : null;
  const sockets = opening.use(
    await serveFrontends(app, {
      schema: await buildGatewaySchema(),
      context: { messaging, businesses: accounts.businesses },
      authenticate: authenticator?.authenticate ?? null,
      edge,
      allowsHost,
      page,
      log,
      tracing,
    }),
  );

  opening.use(watchDescriptors(log));
  const counts = createCallbackCounts();
  const { format, proof, networks } = config.callback;
  const allowsAddress = createNetworkCheck(networks);
  const prover = createCallbackAuthenticator({ accounts, proof, allowsAddress });
  await app.register(callbackDoor, { authenticator: prover, format, messaging, log, counts, tracing });
  await app.register(health, { store, pingup, authenticator, serving });

  const load = () => ({
    sockets: sockets.open,
    watches: store.watching,
    waitingBytes: sockets.waitingBytes,
    storeCalls: store.pending,
    store: readingOf(store),
  });
  const refusals = authenticator?.refusals ?? createRefusalCounts();
  metrics.expose({
    load,
    pingup: pingup.health,
    callbacks: counts,
    refusals,
    storeServer: store.server ?? null,
  });
  const { host, metricsPort: port } = config;
  const ofMetrics =
    port === null ? null : opening.use(await serveMetrics({ host, port, metrics, allowsHost, log }));
  if (!ofMetrics) await app.register(metricsRoute, { metrics, allowsHost });

  const all = opening.move();
  return {
    app,
    sockets,
    metricsUrl: ofMetrics?.url ?? null,
    load,
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

function readingOf({ condition }: Store): StoreReading {
  const { walBytes = 0, damage = null, retentionWaitsUntil = null } = condition ?? {};
  return { walBytes, damaged: damage !== null, retentionWaits: retentionWaitsUntil !== null };
}
