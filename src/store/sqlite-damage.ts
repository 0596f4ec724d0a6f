import type { StoreLog } from './log.ts';

/** SQLite found that the file is damaged. */
export class DamageError extends Error {
  override readonly name = 'DamageError';
}

/** Whether the database was found to be damaged. It stays so until the gateway is restarted. */
export interface Damage {
  /** Remembers damage, if that is what an error of a call is about. The operator is told once. */
  note(error: unknown): void;
  /** @throws DamageError once damage was found. */
  refuseWrites(): void;
  /** Null: none was found. */
  readonly found: string | null;
}

export function createDamage(path: string, log: StoreLog | undefined): Damage {
  let found: string | null = null;
  return {
    note: (error) => {
      const cause = error instanceof Error ? error.cause : undefined;
      if (!(cause instanceof DamageError) || found !== null) return;
      found = cause.message;
      log?.error(
        { path, damage: found },
        'The database is damaged: writes are refused from now on. Stop the gateway, look at the file with `npm run check-store -- <path>`, and restore a backup.',
      );
    },
    refuseWrites: () => {
      if (found !== null) throw new DamageError(`The database is damaged (${found}).`);
    },
    get found() {
      return found;
    },
  };
}
