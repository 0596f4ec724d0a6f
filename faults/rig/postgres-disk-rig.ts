import { startPostgresServer } from '../../test/support/postgres-server.ts';
import { mountSmallDisk, type SmallDisk } from '../../test/support/small-disk.ts';
import { startFakePingup } from '../load/pingup.ts';
import { startNodes } from './nodes.ts';
import { createGatewayDatabase, urlForGateways } from './postgres-database.ts';
import type { PostgresRig } from './postgres-rig.ts';

/** Three nodes on one PostgreSQL whose data and whose WAL have a small disk each. */
export interface PostgresDiskRig extends PostgresRig {
  readonly data: SmallDisk;
  readonly wal: SmallDisk;
}

const dataMegabytes = 192;
const walMegabytes = 24;
/** Within what the WAL's disk holds. */
const settings = ['wal_keep_size=0', 'min_wal_size=4MB', 'max_wal_size=8MB'];

export async function startPostgresDiskRig(
  env: Readonly<Record<string, string>> = {},
): Promise<PostgresDiskRig> {
  await using starting = new AsyncDisposableStack();
  const data = starting.use(await mountSmallDisk(dataMegabytes));
  const wal = starting.use(await mountSmallDisk(walMegabytes));
  const folders = { data: data.path, wal: wal.path };
  const postgres = starting.use(await startPostgresServer(settings, folders));
  await createGatewayDatabase(postgres);
  const pingup = starting.use(await startFakePingup());
  const options = { count: 3, storeUrl: urlForGateways(postgres), pingupUrl: pingup.url, env };
  const nodes = starting.use(await startNodes(options));
  const all = starting.move();
  return { data, wal, postgres, pingup, nodes, [Symbol.asyncDispose]: () => all.disposeAsync() };
}
