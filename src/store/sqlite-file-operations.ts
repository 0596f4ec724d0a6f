import type { DatabaseSync } from 'node:sqlite';
import type { Operations } from './sqlite-protocol.ts';

/** What takes erased data out of the files. */
export function createFileOperations(db: DatabaseSync): Pick<Operations, 'truncateWal' | 'vacuum'> {
  return {
    truncateWal: () => truncateWal(db),
    vacuum: () => {
      db.exec('VACUUM');
      truncateWal(db);
      return null;
    },
  };
}

/** It does not wait for a reader in the way, since nothing else would be served meanwhile. */
function truncateWal(db: DatabaseSync): boolean {
  const patience = db.prepare('PRAGMA busy_timeout').get()?.['timeout'];
  db.exec('PRAGMA busy_timeout = 0');
  try {
    return db.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get()?.['busy'] === 0;
  } finally {
    db.exec(`PRAGMA busy_timeout = ${Number(patience)}`);
  }
}
