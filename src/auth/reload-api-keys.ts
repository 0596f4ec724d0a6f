import type { Logger } from 'pino';
import { ConfigError } from '../config-error.ts';
import type { Authenticator } from './authenticator.ts';

/**
 * Reads the API keys again, and logs that, or their faults: then nothing has changed. Who had one that is gone is turned
 * away from then on, and their sockets close. Never rejects.
 */
export async function reloadApiKeys(
  authenticator: Pick<Authenticator, 'reload'>,
  log: Pick<Logger, 'info' | 'error'>,
): Promise<void> {
  try {
    await authenticator.reload();
    log.info('the API keys were read again');
  } catch (error) {
    const why = error instanceof ConfigError ? { faults: error.faults } : { err: error };
    log.error(why, 'the API keys are not usable, and nothing has changed');
  }
}
