import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createRateLimiter } from '../src/rate-limiter.ts';

/** A limiter with a clock that is set by hand. */
function limiterAt(perMinute: number, maxKeys = 1_000) {
  const clock = { ms: 0 };
  return { clock, limiter: createRateLimiter({ perMinute, maxKeys, now: () => clock.ms }) };
}

const someKey = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f');
const someSteps = fc.array(fc.tuple(someKey, fc.nat(40_000)), { maxLength: 200 });

test('no key takes more than its limit within any minute, whether or not there is room, and asking tells the truth', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), fc.nat(8), someSteps, (perMinute, maxKeys, steps) => {
      const { clock, limiter } = limiterAt(perMinute, maxKeys);
      const taken = new Map<string, number[]>();
      for (const [key, pauseMs] of steps) {
        clock.ms += pauseMs;
        const before = (taken.get(key) ?? []).filter((at) => at > clock.ms - 60_000);
        const expected = limiter.wait(key);
        expect(limiter.take(key)).toBe(expected);
        if (expected === 0) taken.set(key, [...before, clock.ms]);
        expect(taken.get(key)?.length ?? 0).toBeLessThanOrEqual(perMinute);
      }
    }),
  );
});

test('a key is not limited by what others take, while there is room', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), someSteps, (perMinute, steps) => {
      const together = limiterAt(perMinute);
      const alone = limiterAt(perMinute);
      for (const [key, pauseMs] of steps) {
        together.clock.ms += pauseMs;
        alone.clock.ms = together.clock.ms;
        const answer = together.limiter.take(key);
        if (key === 'a') expect(answer).toBe(alone.limiter.take(key));
      }
    }),
  );
});

test('whoever waits as long as was said takes again; what was refused meanwhile makes the wait no longer', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 5 }),
      fc.array(fc.nat(30_000), { maxLength: 50 }),
      (max, pauses) => {
        const { clock, limiter } = limiterAt(max);
        for (const pauseMs of pauses) {
          clock.ms += pauseMs;
          const seconds = limiter.take('a');
          if (seconds === 0) continue;
          expect(limiter.wait('a')).toBe(seconds);
          expect(seconds).toBeGreaterThanOrEqual(1);
          expect(seconds).toBeLessThanOrEqual(65);
          clock.ms += seconds * 1000;
          expect([limiter.wait('a'), limiter.take('a')]).toEqual([0, 0]);
        }
      },
    ),
  );
});

test('asking takes nothing', () => {
  const { limiter } = limiterAt(1);
  for (let asked = 0; asked < 10; asked += 1) expect(limiter.wait('a')).toBe(0);
  expect(limiter.take('a')).toBe(0);
  expect(limiter.wait('a')).toBeGreaterThan(0);
});

test('100,000 keys leave no more than the bound, reset nobody’s count, and are gone after a minute', () => {
  const { clock, limiter } = limiterAt(2, 1_000);
  limiter.take('victim');
  limiter.take('victim');
  for (let key = 0; key < 100_000; key += 1) limiter.take(`address ${key}`);
  expect(limiter.size).toBeLessThanOrEqual(1_000 + 1_024);
  expect(limiter.take('victim')).toBeGreaterThan(0);
  clock.ms += 65_000;
  expect(limiter.take('victim')).toBe(0);
  expect(limiter.size).toBe(1);
});
