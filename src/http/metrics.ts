import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import type { Metrics } from '../metrics.ts';
import { guardHost, type HostCheck } from './allowed-hosts.ts';
import { createHttpServer, listenOn } from './server.ts';

export interface MetricsRouteOptions {
  readonly metrics: Pick<Metrics, 'text' | 'contentType'>;
  readonly allowsHost: HostCheck;
}

/** `GET /metrics`: counts and durations in Prometheus' text format; a Fastify plugin. */
export async function metricsRoute(
  app: FastifyInstance,
  { metrics, allowsHost }: MetricsRouteOptions,
): Promise<void> {
  guardHost(app, allowsHost);
  app.get('/metrics', async (_request, reply) =>
    reply
      .type(metrics.contentType)
      .header('cache-control', 'no-store')
      .send(await metrics.text()),
  );
}

export interface MetricsServerOptions extends MetricsRouteOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly log: Logger;
}

/** `GET /metrics` on a port of its own, which need not be open to those who call the gateway. */
export async function serveMetrics(
  options: MetricsServerOptions,
): Promise<{ readonly url: string } & AsyncDisposable> {
  const { host, port, log } = options;
  const app = createHttpServer({ log, serving: () => true });
  await app.register(metricsRoute, options);
  const url = await listenOn(app, { host, port });
  return { url, [Symbol.asyncDispose]: async () => void (await app.close()) };
}
