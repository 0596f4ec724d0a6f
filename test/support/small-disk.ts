import { execFileSync } from 'node:child_process';
import { type FileHandle, mkdtemp, open, rm, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from './postgres-binaries.ts';

/** A file system of its own in memory, which can be full. It is unmounted with its scope. */
export interface SmallDisk extends AsyncDisposable {
  readonly path: string;
  /** Takes all that is free by now. */
  fill(): Promise<void>;
  /** Gives back what `fill` took. */
  free(): Promise<void>;
}

/** What is mounted by this process. */
const mounted = new Set<string>();
process.once('exit', () => {
  for (const path of mounted) execFileSync('umount', ['--lazy', path]);
});

/** @throws Error where this process may not mount. */
export async function mountSmallDisk(megabytes: number): Promise<SmallDisk> {
  const path = await mkdtemp(join(tmpdir(), 'small-disk-'));
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=1777`, 'small-disk', path]);
  } catch (error) {
    await rmdir(path);
    throw error;
  }
  mounted.add(path);
  const ballast = join(path, 'ballast');

  return {
    path,
    fill: async () => {
      await using file = await open(ballast, 'a');
      for (let size = largestPiece; size >= smallestPiece; size /= 16) await writeAll(file, size);
    },
    free: () => rm(ballast, { force: true }),
    [Symbol.asyncDispose]: async () => {
      await run('umount', ['--lazy', path]);
      mounted.delete(path);
      await rmdir(path);
    },
  };
}

/** Only root may, and not in every container. */
export async function canMountDisks(): Promise<boolean> {
  if (process.platform !== 'linux') return false;
  try {
    await using _disk = await mountSmallDisk(1);
    return true;
  } catch {
    return false;
  }
}

const largestPiece = 1024 * 1024;
const smallestPiece = 4096;

/** Writes pieces of this size for as long as there is room for one. */
async function writeAll(file: FileHandle, size: number): Promise<void> {
  const piece = Buffer.alloc(size);
  try {
    for (;;) await file.write(piece);
  } catch (error) {
    if (!isFull(error)) throw error;
  }
}

function isFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOSPC';
}
