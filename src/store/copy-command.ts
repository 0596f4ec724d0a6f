/**
 * `node dist/store/copy-command.js <from> <to>`: copies all of a store to another, `sqlite:<path>` or `postgres://…` each.
 * All gateways of both must be stopped. It takes the variables that the gateway takes for PostgreSQL (STORE_SCHEMA, …),
 * for both if both are one.
 */
import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { type StoreBackend, storeVariables, toBackend } from '../store-variables.ts';
import {
  type CopiedTable,
  CopyError,
  type CopySource,
  type CopyTarget,
  copiedTables,
  copyStore,
} from './copy.ts';

const usage = 'usage: copy-store -- <from> <to>, each sqlite:<path of a file> or postgres://…';

type Disposables = AsyncDisposableStack;

async function main([from, to, ...rest]: readonly string[]): Promise<void> {
  if (from === undefined || to === undefined || rest.length > 0) throw new CopyError(usage);
  if (from === to) throw new CopyError('Both are the same store.');
  await using opened = new AsyncDisposableStack();
  const source = await openSource(backendOf(from), opened);
  const target = await openTarget(backendOf(to), opened);
  const { wasThere, counts } = await copyStore(source, target, tellProgress());
  const found = copiedTables.map((table) => `${counts[table]} ${table}`).join(', ');
  print(`${wasThere ? 'Both are the same already' : 'Copied and compared'}: ${found}.`);
}

/** With the variables of the gateway, so that a wrong one is refused as the gateway refuses it. */
function backendOf(url: string): StoreBackend {
  const env = { ...process.env, STORE_URL: url };
  const parsed = z.object(storeVariables).safeParse(env);
  if (parsed.success) return toBackend(parsed.data);
  const faults = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: expected ${message}`);
  throw new CopyError(faults.join('\n').replaceAll('STORE_URL', 'An address of a store'));
}

async function openSource(backend: StoreBackend, opened: Disposables): Promise<CopySource> {
  if (backend.kind === 'sqlite') {
    // Rows are sorted in a file without a name, which belongs on a disk with room for it.
    process.env['SQLITE_TMPDIR'] ??= dirname(resolve(backend.path));
    const { openSqliteSource } = await import('./sqlite-copy.ts');
    return opened.use(await openSqliteSource(backend.path));
  }
  if (backend.kind !== 'postgres') throw new CopyError(usage);
  const { openPostgresSource } = await import('./postgres/copy.ts');
  return opened.use(await openPostgresSource(backend));
}

async function openTarget(backend: StoreBackend, opened: Disposables): Promise<CopyTarget> {
  if (backend.kind === 'sqlite') {
    const { openSqliteTarget } = await import('./sqlite-copy.ts');
    return opened.use(await openSqliteTarget(backend.path));
  }
  if (backend.kind !== 'postgres') throw new CopyError(usage);
  const { openPostgresTarget } = await import('./postgres/copy.ts');
  return opened.use(await openPostgresTarget(backend));
}

const linesEvery = 100_000;

function tellProgress(): (table: CopiedTable, rows: number) => void {
  let told = '';
  return (table, rows) => {
    const line = `${table} ${Math.floor(rows / linesEvery)}`;
    if (line === told) return;
    told = line;
    print(`${table}: ${rows} written`);
  };
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
