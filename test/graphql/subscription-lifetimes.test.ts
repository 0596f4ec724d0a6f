import { expect, test } from 'vitest';
import { createSubscriptionLifetimes } from '../../src/graphql/subscription-lifetimes.ts';

test('of many subscriptions whose time is over at once, few end in one turn of the event loop', async () => {
  using lifetimes = createSubscriptionLifetimes(20);
  let ended = 0;
  for (let count = 0; count < 2_000; count += 1) {
    const key = {};
    lifetimes.begin(key, {
      return: async () => {
        ended += 1;
        lifetimes.end(key);
      },
    });
  }
  while (ended < 2_000) {
    const before = ended;
    await new Promise(setImmediate);
    expect(ended - before).toBeLessThanOrEqual(200);
  }
});
