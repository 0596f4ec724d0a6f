import { type PostgresServer, startPostgresServer } from '../../test/support/postgres-server.ts';
import { startFakePingup } from '../load/pingup.ts';
import { startNodes } from './nodes.ts';
import { createGatewayDatabase, urlForGateways } from './postgres-database.ts';
import type { Rig } from './rig.ts';

/** Three nodes on one PostgreSQL. */
export interface PostgresRig extends Rig {
  readonly postgres: PostgresServer;
}

/** Enough for three nodes, and few enough to be used up. */
const settings = ['max_connections=40'];

export async function startPostgresRig(env: Readonly<Record<string, string>> = {}): Promise<PostgresRig> {
  await using starting = new AsyncDisposableStack();
  const postgres = starting.use(await startPostgresServer(settings));
  await createGatewayDatabase(postgres);
  const pingup = starting.use(await startFakePingup());
  const options = { count: 3, storeUrl: urlForGateways(postgres), pingupUrl: pingup.url, env };
  const nodes = starting.use(await startNodes(options));
  const all = starting.move();
  return { postgres, pingup, nodes, [Symbol.asyncDispose]: () => all.disposeAsync() };
}
