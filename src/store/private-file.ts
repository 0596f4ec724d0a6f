import { closeSync, openSync } from 'node:fs';

/** Makes an empty file that only its owner may read, if there is none. One that is there keeps its mode. */
export function createPrivateFile(path: string): void {
  try {
    // Exclusively, so that a file SQLite has open is never opened here: closing it would drop SQLite's locks.
    closeSync(openSync(path, 'wx', 0o600));
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
}
