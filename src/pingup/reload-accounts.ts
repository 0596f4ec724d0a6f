import type { Logger } from 'pino';
import type { AccountBook } from '../account-book.ts';
import { ConfigError } from '../config-error.ts';
import type { AccountsClient } from './accounts-client.ts';

/**
 * Reads the accounts file again, and logs which businesses came, went or changed; or its faults, and then nothing has
 * changed. No socket is closed, and no send is cut off. Never rejects.
 */
export async function reloadAccounts(
  accounts: Pick<AccountBook, 'reload'>,
  pingup: Pick<AccountsClient, 'follow'>,
  log: Pick<Logger, 'info' | 'error'>,
): Promise<void> {
  try {
    const changes = await accounts.reload();
    pingup.follow();
    log.info(changes, 'the accounts file was read again');
  } catch (error) {
    const why = error instanceof ConfigError ? { faults: error.faults } : { err: error };
    log.error(why, 'the accounts file is not usable, and nothing has changed');
  }
}
