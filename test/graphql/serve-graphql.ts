import { pino } from 'pino';
import type { Authenticate } from '../../src/caller.ts';
import { type EdgeConfig, parseConfig } from '../../src/config.ts';
import { buildGatewaySchema } from '../../src/graphql/schema.ts';
import { serveFrontends } from '../../src/http/frontends.ts';
import { createHttpServer } from '../../src/http/server.ts';
import type { Messaging } from '../../src/messaging.ts';

export interface GraphqlUnderTest extends AsyncDisposable {
  readonly url: string;
  /** What it has logged so far, as JSON. */
  readonly logged: readonly string[];
}

export interface GraphqlUnderTestOptions {
  /** What is behind the schema. What is left out throws a TypeError, as a fault of our own would. */
  readonly messaging?: Partial<Messaging>;
  readonly edge?: Partial<EdgeConfig>;
  /** Those that there are; left out: acme. */
  readonly businesses?: readonly string[];
  /** Null, or left out: authentication is disabled. */
  readonly authenticate?: Authenticate | null;
}

/** Both transports on any free port, without the rest of the gateway: to put faults behind them. */
export async function serveGraphql(options: GraphqlUnderTestOptions = {}): Promise<GraphqlUnderTest> {
  await using parts = new AsyncDisposableStack();
  const { authenticate = null, businesses = ['acme'] } = options;
  const logged: string[] = [];
  const log = pino({}, { write: (line: string) => void logged.push(line) });
  const edge = { ...parseConfig({}).edge, ...options.edge };
  const context = { messaging: { ...options.messaging } as Messaging, businesses: () => businesses };
  const app = createHttpServer({ log, serving: () => true, trustedProxies: edge.trustedProxies });
  const schema = await buildGatewaySchema();
  const sockets = parts.use(
    await serveFrontends(app, {
      schema,
      context,
      authenticate,
      edge,
      allowsHost: () => true,
      page: null,
      log,
      tracing: null,
    }),
  );
  parts.defer(async () => {
    const closed = app.close();
    await sockets.close(0);
    await closed;
  });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  const all = parts.move();
  return { url, logged, [Symbol.asyncDispose]: () => all.disposeAsync() };
}
