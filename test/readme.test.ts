import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { sandboxClients } from '../src/sandbox/clients.ts';
import { testWith } from './support/programs.ts';

const run = promisify(execFile);
const root = resolve(import.meta.dirname, '..');

interface Block {
  readonly language: string;
  readonly code: string;
}

async function readBlocks(): Promise<Block[]> {
  const readme = await readFile(join(root, 'README.md'), 'utf8');
  return [...readme.matchAll(/^```(\w*)\n([\s\S]*?)\n```$/gm)].map(([, language = '', code = '']) => ({
    language,
    code,
  }));
}

/** What a fresh clone would hold, with the packages that `npm ci` would put there. */
async function clone(): Promise<{ path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), 'clone-'));
  const { stdout } = await run('git', ['ls-files', '-co', '--exclude-standard', '-z'], { cwd: root });
  const files = stdout.split('\0').filter(Boolean);
  await Promise.all(files.map((file) => cp(join(root, file), join(path, file))));
  await symlink(join(root, 'node_modules'), join(path, 'node_modules'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

/** `npm start`, as the README says it; resolves once it has printed its address. */
async function npmStart(cwd: string): Promise<{ url: string } & AsyncDisposable> {
  const env = { PATH: process.env['PATH'], HOME: cwd, PORT: '0', SANDBOX_STEP_MS: '1000' };
  const child = spawn('npm', ['start'], { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.on('data', (chunk) => (output += chunk));
  child.stderr.on('data', (chunk) => (output += chunk));
  const exited = once(child, 'exit');
  const printed = () => /GraphiQL: {2}(http:\/\/[^/]+)\/graphql/.exec(output)?.[1];
  await expect.poll(() => printed() ?? (child.exitCode === null ? undefined : output)).toMatch(/^http/);
  return {
    url: String(printed()),
    async [Symbol.asyncDispose]() {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGTERM');
      await exited;
    },
  };
}

/** Ids and other long numbers differ each time. */
function withoutIds(json: string): unknown {
  return JSON.parse(json.replaceAll(/"[0-9]{9,}"/g, '"ID"'));
}

testWith(
  'curl',
  'in a clone, `npm start`, and then the curl steps and the script of the README do what it shows',
  {
    timeout: 120_000,
  },
  async () => {
    await using directory = await clone();
    await using gateway = await npmStart(directory.path);
    const here = (code: string) => code.replaceAll('127.0.0.1:4000', new URL(gateway.url).host);
    const blocks = await readBlocks();
    const following = (block: Block) => blocks[blocks.indexOf(block) + 1]?.code ?? '';

    const curls = blocks.filter(({ language, code }) => language === 'sh' && code.startsWith('curl'));
    expect(curls).toHaveLength(2);
    for (const curl of curls) {
      const answer = async () => withoutIds((await run('bash', ['-c', here(curl.code)])).stdout);
      await (curl === curls[0]
        ? expect(await answer()).toEqual(withoutIds(following(curl)))
        : expect.poll(answer).toEqual(withoutIds(following(curl))));
    }

    const [script] = blocks.filter(({ language }) => language === 'js');
    if (!script) throw new Error('no script in the README');
    await writeFile(join(directory.path, 'watch.mjs'), here(script.code));
    const { stdout } = await run(process.execPath, ['watch.mjs'], { cwd: directory.path });
    expect(stdout.trim()).toBe(following(script));
  },
);

test('the README names each client of the sandbox, and what it does', async () => {
  const readme = await readFile(join(root, 'README.md'), 'utf8');
  for (const [name, what] of Object.entries(sandboxClients))
    expect(readme).toContain(`| \`${name}\` | ${what} |`);
});
