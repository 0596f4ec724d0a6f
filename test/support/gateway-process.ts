import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

/** The built gateway in a process of its own: `node dist/main.js`, as in production. */
export interface GatewayProcess extends AsyncDisposable {
  readonly process: ChildProcess;
  readonly url: string;
  /** Everything it has written so far. */
  output(): string;
  /** Ends it with a signal and resolves to its exit code and signal. */
  end(signal: NodeJS.Signals): Promise<[code: number | null, signal: NodeJS.Signals | null]>;
}

/**
 * @param onSpawn told of the process before it listens.
 * @param maxFiles the limit on its open files.
 * @throws Error with what it wrote, where it ends before it listens.
 */
export async function startGatewayProcess(
  env: Readonly<Record<string, string>>,
  cwd?: string,
  onSpawn: (child: ChildProcess) => void = () => undefined,
  maxFiles: number | 'unlimited' = 'unlimited',
): Promise<GatewayProcess> {
  const limited = ['-c', `ulimit -n ${maxFiles}; exec "$@"`, 'sh', process.execPath, main];
  const [command, args] = maxFiles === 'unlimited' ? [process.execPath, [main]] : ['sh', limited];
  const child = spawn(command, args, {
    cwd,
    env: { PATH: process.env['PATH'], PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onSpawn(child);
  const exited = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  let output = '';
  child.stderr.on('data', (chunk) => (output += chunk));
  const lines = createInterface(child.stdout);
  lines.on('line', (line) => (output += `${line}\n`));

  const url = await Promise.race([
    new Promise<string>((resolve) => {
      lines.on('line', (line) => {
        const entry = JSON.parse(line) as { msg?: string; url?: string };
        if (entry.msg === 'listening' && entry.url) resolve(entry.url);
      });
    }),
    exited.then(([code]): never => {
      throw new Error(`the gateway ended with ${code} before it listened: ${output}`);
    }),
  ]);

  async function end(signal: NodeJS.Signals) {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    return exited;
  }

  return {
    process: child,
    url,
    output: () => output,
    end,
    [Symbol.asyncDispose]: async () => void (await end('SIGKILL')),
  };
}
