import { expect, test } from 'vitest';
import type { Messaging } from '../src/messaging.ts';
import { stoppableMessaging } from '../src/stoppable-messaging.ts';

/** A flow whose callbacks are recorded when the test says so. */
function createFlow() {
  const recorded: PromiseWithResolvers<void>[] = [];
  const unused = () => Promise.reject(new Error('not asked here'));
  const flow: Messaging = {
    send: unused,
    watch: unused,
    find: unused,
    list: unused,
    sends: unused,
    quarantined: unused,
    quarantinedBody: unused,
    replayCallback: unused,
    deleteQuarantined: unused,
    forget: unused,
    receive() {
      const one = Promise.withResolvers<void>();
      recorded.push(one);
      return one.promise;
    },
  };
  return { flow, recorded };
}

test('idle waits for all that is under way, what fails included', async () => {
  const { flow, recorded } = createFlow();
  const messaging = stoppableMessaging(flow);
  const finished: string[] = [];
  const failing = messaging.receive([]);
  const second = messaging.receive([]).then(() => finished.push('second'));
  const idle = messaging.idle().then(() => finished.push('idle'));
  recorded[0]?.reject(new Error('refused'));
  await expect(failing).rejects.toThrow('refused');
  recorded[1]?.resolve();
  await Promise.all([second, idle]);
  expect(finished).toEqual(['second', 'idle']);
});

test('what comes after the stop is SHUTTING_DOWN, which is retryable, and begins nothing', async () => {
  const { flow, recorded } = createFlow();
  const messaging = stoppableMessaging(flow);
  const before = messaging.receive([]);
  messaging.stop();
  await expect(messaging.receive([])).rejects.toMatchObject({ code: 'SHUTTING_DOWN', retryable: true });
  expect(recorded).toHaveLength(1);
  recorded[0]?.resolve();
  await before;
});
