import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

const childFile = new URL('./sqlite-child.ts', import.meta.url).pathname;

export interface Confinement {
  /** Runs as a user who may do little, where the tests run as one who may do all. */
  readonly unprivileged?: boolean;
  /** No file may become longer. */
  readonly fileKilobytes?: number;
}

export function startChild(path: string, command: string, { unprivileged, fileKilobytes }: Confinement = {}) {
  const nobody = 65_534;
  const child = spawn(
    'bash',
    [
      '-c',
      `ulimit -S -f ${fileKilobytes ?? 'unlimited'}; exec "$@"`,
      '',
      process.execPath,
      childFile,
      path,
      command,
    ],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
      ...(unprivileged && process.getuid?.() === 0 ? { uid: nobody, gid: nobody } : {}),
    },
  );
  const exited = once(child, 'exit');
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const kill = async () => {
    child.kill('SIGKILL');
    await exited;
  };
  return {
    pid: child.pid,
    lines: { [Symbol.asyncIterator]: () => lines },
    line: async () => (await lines.next()).value as string | undefined,
    kill,
    [Symbol.asyncDispose]: kill,
  };
}
