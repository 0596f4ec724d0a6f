import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { freePort } from './free-port.ts';
import { runAs } from './postgres-binaries.ts';
import { findProgram } from './programs.ts';

export interface PgBouncer extends AsyncDisposable {
  readonly port: number;
}

/** A PgBouncer in transaction mode before a PostgreSQL of 127.0.0.1. It ends with its scope. */
export async function startPgBouncer(
  serverPort: number,
  { poolSize }: { readonly poolSize: number },
): Promise<PgBouncer> {
  const directory = await mkdtemp(join(tmpdir(), 'pgbouncer-'));
  await chmod(directory, 0o755);
  const port = await freePort();
  const users = join(directory, 'users.txt');
  await writeFile(users, '"postgres" ""\n');
  const settings = [
    '[databases]',
    `* = host=127.0.0.1 port=${serverPort}`,
    '[pgbouncer]',
    'listen_addr = 127.0.0.1',
    `listen_port = ${port}`,
    'unix_socket_dir =',
    'auth_type = trust',
    `auth_file = ${users}`,
    'pool_mode = transaction',
    // Seconds until a server that refused a connection is asked again.
    'server_login_retry = 1',
    `default_pool_size = ${poolSize}`,
  ];
  await writeFile(join(directory, 'pgbouncer.ini'), `${settings.join('\n')}\n`);
  const child = spawn(findProgram('pgbouncer') ?? 'pgbouncer', [join(directory, 'pgbouncer.ini')], {
    ...runAs,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const exited = once(child, 'exit');
  const ready = Promise.withResolvers<void>();
  let said = '';
  createInterface({ input: child.stderr }).on('line', (line) => {
    said = `${said}\n${line}`.slice(-2_000);
    if (line.includes('process up')) ready.resolve();
  });
  exited.then(() => ready.reject(new Error(`pgbouncer ended: ${said}`)), ready.reject);
  await ready.promise;
  return {
    port,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await exited;
      await rm(directory, { recursive: true, force: true });
    },
  };
}
