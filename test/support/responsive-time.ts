const tickMs = 50;

/**
 * Milliseconds that this thread was free to do something while a promise was pending, in ticks of 50 ms. What a busy
 * machine takes from the thread does not count, so a bound on it holds on any machine.
 */
export async function responsiveTime(pending: Promise<unknown>): Promise<number> {
  let ticks = 0;
  const timer = setInterval(() => {
    ticks += 1;
  }, tickMs);
  await pending.finally(() => clearInterval(timer)).catch(() => undefined);
  return ticks * tickMs;
}
