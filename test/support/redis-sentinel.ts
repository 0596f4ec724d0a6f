import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './free-port.ts';
import { type RedisServer, runCommand } from './redis-server.ts';

/** A sentinel that watches one Redis under the name `the-master`, and ends with its scope. */
export interface RedisSentinel extends AsyncDisposable {
  readonly port: number;
  command(...args: readonly string[]): Promise<unknown>;
}

/** Alone, it may decide a failover by itself. */
export async function startRedisSentinel(master: RedisServer): Promise<RedisSentinel> {
  const directory = await mkdtemp(join(tmpdir(), 'sentinel-'));
  const file = join(directory, 'sentinel.conf');
  const port = await freePort();
  const lines = [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir ${directory}`,
    `sentinel monitor the-master 127.0.0.1 ${master.port} 1`,
    'sentinel down-after-milliseconds the-master 1000',
    'sentinel failover-timeout the-master 3000',
  ];
  await writeFile(file, `${lines.join('\n')}\n`);
  const sentinel = spawn('redis-server', [file, '--sentinel'], { stdio: 'ignore' });
  const command = (...args: readonly string[]) => runCommand(port, args);
  while ((await command('PING').catch(() => undefined)) !== 'PONG')
    await new Promise((resolve) => setTimeout(resolve, 20));
  return {
    port,
    command,
    [Symbol.asyncDispose]: async () => {
      const exited = once(sentinel, 'exit');
      sentinel.kill('SIGKILL');
      await exited;
      await rm(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
    },
  };
}
