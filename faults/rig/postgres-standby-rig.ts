import {
  type PostgresServer,
  startPostgresServer,
  startStandby,
} from '../../test/support/postgres-server.ts';
import { startFakePingup } from '../load/pingup.ts';
import { startNodes } from './nodes.ts';
import { createGatewayDatabase, urlForGateways } from './postgres-database.ts';
import type { Rig } from './rig.ts';

/** Three nodes on a primary and a standby that has each write before it counts. */
export interface PostgresStandbyRig extends Rig {
  readonly primary: PostgresServer;
  readonly standby: PostgresServer;
  /** The standby, which was promoted, is the primary from now on, and a new standby takes the old primary's place. */
  replacePrimary(): Promise<void>;
}

export async function startPostgresStandbyRig(
  env: Readonly<Record<string, string>> = {},
): Promise<PostgresStandbyRig> {
  await using starting = new AsyncDisposableStack();
  let primary = await startPostgresServer();
  starting.defer(() => primary[Symbol.asyncDispose]());
  await createGatewayDatabase(primary);
  let standby = await startStandby(primary, { synchronous: true });
  starting.defer(() => standby[Symbol.asyncDispose]());
  const pingup = starting.use(await startFakePingup());
  const options = { count: 3, storeUrl: urlForGateways(primary, standby), pingupUrl: pingup.url, env };
  const nodes = starting.use(await startNodes(options));
  const all = starting.move();

  async function replacePrimary(): Promise<void> {
    const old = primary;
    primary = standby;
    standby = old;
    await old[Symbol.asyncDispose]();
    standby = await startStandby(primary, { synchronous: true, port: old.port });
  }

  return {
    get primary() {
      return primary;
    },
    get standby() {
      return standby;
    },
    replacePrimary,
    pingup,
    nodes,
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}
