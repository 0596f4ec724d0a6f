import { askUntil } from './ask-until.ts';

/**
 * Makes an attempt until it succeeds, with growing pauses, for as long as `withinMs`; harmless to repeat, then.
 *
 * @throws what the last attempt threw.
 */
export async function persist<T>(attempt: () => Promise<T>, withinMs: number): Promise<T> {
  const once = async () => (await Promise.allSettled([attempt()]))[0];
  const outcome = await askUntil(once, ({ status }) => status === 'fulfilled', withinMs);
  if (outcome.status === 'rejected') throw outcome.reason;
  return outcome.value;
}
