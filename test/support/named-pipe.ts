import { execFileSync } from 'node:child_process';
import { type FileHandle, open, rm } from 'node:fs/promises';

/** Puts a pipe in place of a file: by it a test holds up whoever reads that. */
export async function putPipe(path: string): Promise<void> {
  await rm(path, { force: true });
  execFileSync('mkfifo', [path]);
}

/** Resolves once somebody reads the pipe. They get what is written then, once it is closed. */
export function whenRead(path: string): Promise<FileHandle> {
  return open(path, 'w');
}
