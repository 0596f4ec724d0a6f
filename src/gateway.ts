import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import type { Config } from './config.ts';
import { graphqlHttp } from './graphql/http-plugin.ts';
import { buildGatewaySchema } from './graphql/schema.ts';
import { createWebsocketProtocol } from './graphql/websocket-protocol.ts';
import { serveWebsockets } from './graphql/websocket-server.ts';
import { graphiqlPage, wantsHtml } from './http/graphiql-page.ts';
import { health } from './http/health.ts';
import { createHttpServer } from './http/server.ts';
import { createInFlight, type InFlight } from './in-flight.ts';
import { createMessaging, type Messaging } from './messaging.ts';
import { callbackDoor } from './pingup/callback-door.ts';
import { createPingupClient } from './pingup/client.ts';
import type { Pingup } from './pingup/port.ts';
import { sandboxClients } from './sandbox/clients.ts';
import { type Sandbox, startSandbox } from './sandbox/sandbox.ts';
import { keepOnlyRecent } from './store/retention.ts';
import { openSqliteStore } from './store/sqlite.ts';

/** A gateway that listens. Disposing of it drains it: what is in flight finishes, and every socket closes with 1001. */
export interface Gateway extends AsyncDisposable {
  /** Where it listens, such as `http://127.0.0.1:4000`. */
  readonly url: string;
  /** Where Pingup is to call back, the token included. */
  readonly callbackUrl: string;
  /** The stand-in for Pingup, where there is no account. */
  readonly sandbox: Sandbox | null;
  /** What is open at present, and what waits for readers who do not keep up. */
  load(): { readonly sockets: number; readonly watches: number; readonly waitingBytes: number };
}

/** How long a send in flight may still take once the gateway is told to stop. */
const drainMs = 7_000;
const webRoot = fileURLToPath(new URL('../dist/web/', import.meta.url));

/** @throws Error with a sentence for the operator where the store, the page or the address cannot be had. */
export async function startGateway(config: Config, log: Logger): Promise<Gateway> {
  await using parts = new AsyncDisposableStack();
  const sandbox = config.pingup.apiKey === null ? parts.use(await openSandbox(config, log)) : null;
  const store = parts.use(await openSqliteStore({ path: config.store.path, log }));
  const pingup = parts.use(openPingup(config, sandbox, log));
  parts.use(keepOnlyRecent(store, config.store.retentionDays, log));

  let serving = true;
  const inFlight = createInFlight();
  const messaging = trackWrites(createMessaging({ store, pingup }), inFlight);
  const schema = await buildGatewaySchema();
  const context = { messaging };
  const protocol = createWebsocketProtocol({ schema, context, log });

  const app = createHttpServer({ log, serving: () => serving });
  const page = await graphiqlPage({ webRoot, sandboxClients: sandbox && sandboxClients });
  await app.register(page.routes);
  await app.register(graphqlHttp, { schema, context, log, wantsHtml, sendPage: page.sendPage });
  await app.register(callbackDoor, { ...config.callback, business: config.pingup.business, messaging, log });
  await app.register(health, { store, serving: () => serving });
  const sockets = serveWebsockets({ server: app.server, path: '/graphql', protocol, log });

  async function drain(): Promise<void> {
    serving = false;
    const closed = app.close();
    await Promise.race([inFlight.idle(), delay(drainMs, undefined, { ref: false })]);
    await pingup[Symbol.asyncDispose]();
    await inFlight.idle();
    await nextTurn();
    await sockets.close();
    await closed;
  }
  parts.defer(drain);

  const path = callbackPath(config);
  const url = await app.listen({ host: config.host, port: config.port });
  const callbackUrl = `${config.publicUrl ?? url}${path}`;
  sandbox?.setCallbackUrl(`${url}${path}`);

  const all = parts.move();
  return {
    url,
    callbackUrl,
    sandbox,
    load: () => ({ sockets: sockets.open, watches: store.watching, waitingBytes: sockets.waitingBytes }),
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
    callbackUrl: pingup.sendCallbackUrl && !sandbox ? `${publicUrl}${callbackPath(config)}` : null,
    log,
  });
}

/** What a shutdown waits for: sends and callbacks. Reads can be repeated elsewhere. */
function trackWrites(messaging: Messaging, { track }: InFlight): Messaging {
  return {
    ...messaging,
    send: (input) => track(messaging.send(input)),
    receive: (news, quarantined) => track(messaging.receive(news, quarantined)),
  };
}
