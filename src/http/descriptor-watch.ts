import { open } from 'node:fs/promises';
import { devNull } from 'node:os';
import type { Logger } from 'pino';

/** How often a descriptor is tried for, in ms. */
const usualIntervalMs = 2_000;
/** How long there must have been descriptors before they count as there again, in ms: a lack may come and go. */
const calmMs = 60_000;
const lackMessage =
  'file descriptors have run out: new connections are closed at once, and no file can be opened. Raise the limit on open files (ulimit -n) well above MAX_SOCKETS, or lower MAX_SOCKETS';

/**
 * Logs when file descriptors run out, once, and when there have been some again for a minute. Node tells nobody: what
 * connects meanwhile is closed at once, and no event is emitted. So every 2 s it is tried to open one.
 */
export function watchDescriptors(
  log: Pick<Logger, 'error' | 'info'>,
  intervalMs = usualIntervalMs,
): Disposable {
  let lacking = false;
  let lackedAt = 0;

  async function look(): Promise<void> {
    if (await hasNone()) {
      if (!lacking) log.error(lackMessage);
      lacking = true;
      lackedAt = performance.now();
    } else if (lacking && performance.now() - lackedAt > calmMs) {
      log.info('there are file descriptors again');
      lacking = false;
    }
  }

  const timer = setInterval(() => void look(), intervalMs).unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

async function hasNone(): Promise<boolean> {
  try {
    await (await open(devNull)).close();
    return false;
  } catch (error) {
    return error instanceof Error && 'code' in error && (error.code === 'EMFILE' || error.code === 'ENFILE');
  }
}
