/** Why a store does not open, as its operator reads it: what is wrong, and what to do. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
}

/** Puts an error of `node:sqlite` or `node:fs` in the operator's words. */
export function refusalOf(path: string, error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new Refusal(sentences[kindOf(error)](path, reason), { cause: error });
}

export function damaged(path: string, reason: string): Refusal {
  return new Refusal(sentences.damaged(path, reason));
}

/** Whether an error of `node:sqlite` says that the file is damaged. */
export function isDamage(error: unknown): boolean {
  return kindOf(error) === 'damaged';
}

type Kind = 'busy' | 'damaged' | 'unwritable' | 'full' | 'other';

const sentences: Readonly<Record<Kind, (path: string, reason: string) => string>> = {
  busy: (path) =>
    `The database ${path} is in use by another process. Stop that one, or give each a STORE_URL of its own.`,
  damaged: (path, reason) =>
    `The file ${path} is damaged, or no SQLite database (${reason}). Restore it from a backup, or move it away, together with its -wal, -shm and -owner files, to begin with an empty one.`,
  unwritable: (path, reason) =>
    `The database ${path} cannot be written (${reason}). Let the gateway's user write the file and its directory, or set STORE_URL to another path.`,
  full: (path, reason) =>
    `The database ${path} cannot be written (${reason}). Make room on its disk, or set STORE_URL to a path on another.`,
  other: (path, reason) => `The database ${path} cannot be opened (${reason}).`,
};

/** By SQLite's primary result code (https://sqlite.org/rescode.html), or by the code of a failed system call. */
const kindByCode: Readonly<Record<string | number, Kind>> = {
  5: 'busy',
  8: 'unwritable',
  11: 'damaged',
  13: 'full',
  14: 'unwritable',
  26: 'damaged',
  EACCES: 'unwritable',
  EEXIST: 'unwritable',
  ENOENT: 'unwritable',
  ENOTDIR: 'unwritable',
  EPERM: 'unwritable',
  EROFS: 'unwritable',
  ENOSPC: 'full',
};

function kindOf(error: unknown): Kind {
  if (!(error instanceof Error)) return 'other';
  if ('errcode' in error) return kindByCode[Number(error.errcode) & 0xff] ?? 'other';
  return ('code' in error && kindByCode[String(error.code)]) || 'other';
}
