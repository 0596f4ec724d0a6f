import { expect, test } from 'vitest';
import { createInFlight } from '../src/in-flight.ts';

test('idle waits for all tracked work, what fails and what began meanwhile included', async () => {
  const inFlight = createInFlight();
  const first = Promise.withResolvers<void>();
  const second = Promise.withResolvers<void>();
  const finished: string[] = [];
  const failing = inFlight.track(first.promise);
  const idle = inFlight.idle().then(() => finished.push('idle'));
  void inFlight.track(second.promise).then(() => finished.push('second'));
  first.reject(new Error('refused'));
  await expect(failing).rejects.toThrow('refused');
  second.resolve();
  await idle;
  expect(finished).toEqual(['second', 'idle']);
});
