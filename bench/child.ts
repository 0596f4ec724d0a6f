import { type ChildProcess, spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { cpuMsOf } from './cpu-time.ts';

/** A server in a process of its own. Disposing of it ends it as an orchestrator would, with SIGTERM. */
export interface Child extends AsyncDisposable {
  readonly port: number;
  /** The memory of the process that is resident, in bytes. */
  residentBytes(): Promise<number>;
  /** CPU time that it has used, in milliseconds. */
  cpuMs(): number;
  /** Has it collect its garbage, and resolves to the bytes in use on the heap of its main thread. */
  collectGarbage(): Promise<number>;
  /** Resolves at the next warning that begins so, which is one of those expected. */
  warned(beginning: string): Promise<void>;
}

export interface ChildOptions {
  /** From the repository's root. */
  readonly script: string;
  readonly flags?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** How warnings begin that are part of what is measured; any other ends the server. */
  readonly expectedWarnings?: readonly string[];
}

const root = new URL('..', import.meta.url);
/** What a child needs for `collectGarbage`. */
const collectable = ['--expose-gc', '--import', new URL('gc-on-signal.ts', import.meta.url).href];
const readyMs = 10_000;

/**
 * Starts a server that says where it listens with a line of JSON on its standard output: `{"url": "http://..."}`.
 *
 * @throws Error where it ends, or says nothing in time.
 */
export async function startChild(options: ChildOptions): Promise<Child> {
  const { script, flags = [], args = [], env = {}, expectedWarnings = [] } = options;
  const child = spawn(
    process.execPath,
    [...collectable, ...flags, fileURLToPath(new URL(script, root)), ...args],
    {
      env: { PATH: process.env['PATH'], NODE_ENV: 'production', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const end = () => child.kill('SIGTERM');
  process.on('exit', end);
  let complaints = '';
  function complain(text: string): void {
    complaints += text;
  }
  child.stderr.setEncoding('utf8').on('data', complain);
  const said = listenTo(child, expectedWarnings, (warning) => {
    complain(warning);
    child.kill('SIGKILL');
  });
  const exited = once(child, 'close');
  const ended: Promise<never> = exited.then(() => {
    throw new Error(`${script} ended: ${complaints}`);
  });
  // An end that nobody waits for is the business of whoever disposes of it.
  ended.catch(() => undefined);
  const [url] = await Promise.race([once(said, 'url', { signal: AbortSignal.timeout(readyMs) }), ended]);

  return {
    port: Number(new URL(url).port),
    residentBytes: () => residentBytes(child.pid),
    cpuMs: () => cpuMsOf(child.pid ?? 0),
    async collectGarbage() {
      const answer = once(said, 'heapUsed');
      child.kill('SIGUSR2');
      const [heapUsed] = await Promise.race([answer, ended]);
      return heapUsed;
    },
    async warned(beginning) {
      await Promise.race([once(said, beginning), ended]);
    },
    async [Symbol.asyncDispose]() {
      process.off('exit', end);
      end();
      const [code, signal] = await exited;
      if (code !== 0 && signal !== 'SIGTERM')
        throw new Error(`${script} ended with ${code ?? signal}: ${complaints}`);
    },
  };
}

/** What it says, line by line, as events named after its fields. What a server warns of would spoil its figures. */
function listenTo(
  { stdout }: ChildProcess,
  expectedWarnings: readonly string[],
  onWarning: (line: string) => void,
): EventEmitter {
  const said = new EventEmitter();
  if (!stdout) return said;
  createInterface({ input: stdout }).on('line', (line) => {
    const { url, heapUsed, level, msg } = JSON.parse(line);
    if (url) said.emit('url', url);
    if (heapUsed) said.emit('heapUsed', heapUsed);
    if (!(level >= warnLevel)) return;
    const expected = expectedWarnings.find((beginning) => msg.startsWith(beginning));
    if (expected === undefined) onWarning(line);
    else said.emit(expected);
  });
  return said;
}

/** pino's number for it. */
const warnLevel = 40;

async function residentBytes(pid: number | undefined): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const [, kibibytes] = /^VmRSS:\s+([0-9]+) kB$/m.exec(status) ?? [];
  return Number(kibibytes) * 1024;
}
