import type { Logger } from 'pino';
import type { PingupHealth } from './port.ts';

/** Whether Pingup takes the API key, as its answers tell. */
export interface Credentials {
  readonly state: PingupHealth['credentials'];
  /** Takes note of the HTTP status of an answer. Each change is logged, and once: a refusal is an operator's alarm. */
  observe(status: number): void;
}

export function createCredentials(log: Pick<Logger, 'error' | 'info'>): Credentials {
  let refused = false;

  function observe(status: number): void {
    if (status === 401 || status === 403) {
      if (!refused)
        log.error({ status }, 'Pingup refuses the API key: no send can succeed until it is right');
      refused = true;
    } else if (refused && status < 300) {
      log.info('Pingup takes the API key again');
      refused = false;
    }
  }

  return {
    get state() {
      return refused ? 'refused' : 'ok';
    },
    observe,
  };
}
