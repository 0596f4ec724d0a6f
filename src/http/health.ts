import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Pingup } from '../pingup/port.ts';
import type { Store } from '../store/port.ts';

export interface HealthOptions {
  readonly store: Store;
  readonly pingup: Pick<Pingup, 'health'>;
  /** Null: authentication is disabled. */
  readonly authenticator: { readonly ready: boolean } | null;
  /** False once the gateway is shutting down. */
  readonly serving: () => boolean;
}

/**
 * `GET /healthz`: 200 while the process answers at all; restart it when it does not.
 * `GET /readyz`: 200 while sends and callbacks can be served and callers authenticated; otherwise 503, with what is in
 * the way. How Pingup does is shown as a detail: while it is down, callbacks still come, and no other gateway could send
 * either. So is what the store may lose, where its operator has accepted that.
 */
export async function health(app: FastifyInstance, options: HealthOptions): Promise<void> {
  const { store, pingup, authenticator, serving } = options;
  app.get('/healthz', () => ({ status: 'ok' }));
  app.get('/readyz', async (_request, reply) => {
    if (!serving()) return notReady(reply, 'shutting down');
    if (authenticator?.ready === false)
      return notReady(reply, 'the keys to check tokens with were never fetched');
    return store.check().then(
      () => ({ status: 'ready', pingup: pingup.health(), ...risksOf(store) }),
      () => notReady(reply, store.condition?.damage ? 'the database is damaged' : 'the store cannot write'),
    );
  });
}

function risksOf({ risks = [] }: Store) {
  return risks.length > 0 ? { store: { risks } } : {};
}

function notReady(reply: FastifyReply, reason: string): FastifyReply {
  return reply.code(503).header('retry-after', '5').send({ status: 'not ready', reason });
}
