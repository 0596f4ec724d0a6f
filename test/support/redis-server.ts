import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ErrorReply, RedisClient } from '@redis/client';
import { freePort } from './free-port.ts';

/** A Redis of a test's own, on a free port, with its files in a directory of its own. It ends with its scope. */
export interface RedisServer extends AsyncDisposable {
  readonly port: number;
  /** `redis://127.0.0.1:<port>` */
  readonly url: string;
  readonly pid: number;
  /** Runs one command, over a connection of its own. */
  command(...args: readonly string[]): Promise<unknown>;
  /** Deletes all data. */
  flush(): Promise<void>;
  /** Stops it as a power cut would, without its memory. */
  kill(): Promise<void>;
  /** Starts it again on the same port and files. */
  restart(): Promise<void>;
  /** It does nothing from now on, and keeps its connections. */
  freeze(): void;
  thaw(): void;
}

const common = [
  ...[
    '--bind',
    '127.0.0.1',
    '--save',
    '',
    '--repl-diskless-sync-delay',
    '0',
    '--repl-ping-replica-period',
    '1',
  ],
  // It keeps all that it acknowledges.
  ...['--appendonly', 'yes', '--appendfsync', 'always', '--maxmemory-policy', 'noeviction'],
];

/** @param settings as on the command line of `redis-server`. Those of a safe store are given already. */
export async function startRedisServer(settings: readonly string[] = []): Promise<RedisServer> {
  const directory = await mkdtemp(join(tmpdir(), 'redis-'));
  const port = await freePort();
  const own = ['--port', String(port), '--dir', directory];
  const args = [...own, ...common, ...settings];
  let server = await launch(args, port);

  async function kill(): Promise<void> {
    if (server.exitCode !== null || server.signalCode !== null) return;
    const exited = once(server, 'exit');
    server.kill('SIGKILL');
    await exited;
  }

  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    get pid() {
      return server.pid ?? 0;
    },
    kill,
    command: (...command) => runCommand(port, command),
    flush: async () => {
      await runCommand(port, ['FLUSHALL']);
    },
    restart: async () => {
      await kill();
      server = await launch(args, port);
    },
    freeze: () => void server.kill('SIGSTOP'),
    thaw: () => void server.kill('SIGCONT'),
    [Symbol.asyncDispose]: async () => {
      await kill();
      // A child of the server may still write there.
      await rm(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
    },
  };
}

const create = RedisClient.factory();

export async function runCommand(port: number, command: readonly string[]): Promise<unknown> {
  const client = create({ socket: { host: '127.0.0.1', port, reconnectStrategy: false } });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await client.sendCommand([...command]);
  } finally {
    client.destroy();
  }
}

async function launch(args: readonly string[], port: number): Promise<ChildProcess> {
  const server = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  // What it says is read, so that it never waits for a reader.
  server.stdout?.resume();
  const failed = once(server, 'exit').then(([code]) => {
    throw new Error(`redis-server ended with ${code}`);
  });
  failed.catch(() => undefined);
  while (!(await Promise.race([answers(port), failed])))
    await new Promise((resolve) => setTimeout(resolve, 20));
  return server;
}

async function answers(port: number): Promise<boolean> {
  // One that asks for a password answers too.
  return runCommand(port, ['PING']).then(
    () => true,
    (error) => error instanceof ErrorReply && !error.message.startsWith('LOADING'),
  );
}
