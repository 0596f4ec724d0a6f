import { createRemoteJWKSet, errors, type JWTVerifyGetKey } from 'jose';
import type { Logger } from 'pino';
import { Refusal } from './refusal.ts';

export interface RemoteKeysOptions {
  readonly log: Logger;
  /** How long the issuer is left in peace after it was asked, in ms. */
  readonly cooldownMs?: number;
  /** How often it is asked of our own accord, so that no caller waits for a new key, and a withdrawn one goes. */
  readonly refreshMs?: number;
  /** How long it may take to answer. */
  readonly timeoutMs?: number;
}

/** The keys that an issuer shows (RFC 7517). */
export interface RemoteKeys extends Disposable {
  /**
   * Finds the key of a token by its `kid`. One that is not known is asked for, if the last time is long enough ago.
   *
   * @throws Refusal keysUnavailable where the issuer did not answer when it was last asked.
   * @throws errors.JWKSNoMatchingKey where it did, and shows no such key.
   */
  readonly find: JWTVerifyGetKey;
  /** Whether the issuer has ever shown its keys: until then no token can be checked. */
  readonly known: boolean;
}

/** How long an issuer that has never shown its keys is left in peace at least, in ms. */
const minRetryMs = 100;

/**
 * jose fetches, reads and imports the keys; when it is to fetch is decided here. Of its own it would let the last known
 * keys go when they are old and the issuer is down, and would ask an issuer that is down again for each token.
 */
export function createRemoteKeys(url: URL, options: RemoteKeysOptions): RemoteKeys {
  const { log, cooldownMs = 30_000, refreshMs = 300_000, timeoutMs = 3_000 } = options;
  const forEver = Number.POSITIVE_INFINITY;
  const keys = createRemoteJWKSet(url, {
    timeoutDuration: timeoutMs,
    cooldownDuration: forEver,
    cacheMaxAge: forEver,
  });
  let known = false;
  let answers = true;
  let askedAt = Number.NEGATIVE_INFINITY;
  let disposed = false;
  let timer: NodeJS.Timeout | undefined;

  async function refresh(): Promise<void> {
    askedAt = performance.now();
    try {
      await keys.reload();
      known = true;
      if (!answers) log.info('the keys that tokens are checked with can be had again');
      answers = true;
    } catch (error) {
      if (answers) log.warn({ err: error, known }, 'the keys that tokens are checked with cannot be had');
      answers = false;
    }
  }

  /** Until the keys are known no token can be checked, so the issuer is asked again after each cool-down. */
  async function refreshForEver(): Promise<void> {
    await refresh();
    if (!disposed) timer = setTimeout(refreshForEver, known ? refreshMs : Math.max(cooldownMs, minRetryMs));
  }

  const find: JWTVerifyGetKey = async (header, token) => {
    if (known) {
      const key = await keys(header, token).catch(exceptUnknown);
      if (key) return key;
    }
    if (keys.reloading || restMs() <= 0) await refresh();
    if (!answers) throw new Refusal('keysUnavailable', Math.max(Math.ceil(restMs() / 1000), 1));
    return keys(header, token);
  };

  function restMs(): number {
    return askedAt + cooldownMs - performance.now();
  }

  void refreshForEver();
  return {
    find,
    get known() {
      return known;
    },
    [Symbol.dispose]: () => {
      disposed = true;
      clearTimeout(timer);
    },
  };
}

function exceptUnknown(error: unknown): undefined {
  if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
}
