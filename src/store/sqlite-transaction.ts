import type { DatabaseSync } from 'node:sqlite';

/** How long a transaction waits for a lock that another program holds on the file. */
const patienceMs = 1_000;
/** The same after a transaction failed, until one succeeds: a lasting lock is to hold up no reads. */
const shortPatienceMs = 20;

/** Runs work in a transaction of its own, all or nothing, durable once it returns. */
export function createTransactions(db: DatabaseSync): (work: () => void) => void {
  const begin = db.prepare('BEGIN IMMEDIATE');
  const commit = db.prepare('COMMIT');
  const setPatience = (ms: number) => db.exec(`PRAGMA busy_timeout = ${ms}`);
  let failing = false;
  setPatience(patienceMs);

  function succeeded(): void {
    if (failing) setPatience(patienceMs);
    failing = false;
  }

  function failed(): void {
    if (!failing) setPatience(shortPatienceMs);
    failing = true;
    // Some errors have rolled it back already.
    if (db.isTransaction) db.exec('ROLLBACK');
  }

  return (work) => {
    try {
      begin.run();
      work();
      commit.run();
      succeeded();
    } catch (error) {
      failed();
      throw error;
    }
  };
}
