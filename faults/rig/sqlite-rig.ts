import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startFakePingup } from '../load/pingup.ts';
import { startNodes } from './nodes.ts';
import type { Rig } from './rig.ts';

/** One node, since a SQLite file belongs to one process. */
export async function startSqliteRig(env: Readonly<Record<string, string>> = {}): Promise<Rig> {
  await using starting = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'gateway-faults-'));
  starting.defer(() => rm(directory, { recursive: true }));
  const storeUrl = `sqlite:${join(directory, 'gateway.db')}`;
  const pingup = starting.use(await startFakePingup());
  const nodes = starting.use(await startNodes({ count: 1, storeUrl, pingupUrl: pingup.url, env }));
  const all = starting.move();
  return { pingup, nodes, [Symbol.asyncDispose]: () => all.disposeAsync() };
}
