import { pino } from 'pino';
import { expect, test } from 'vitest';
import { createRefusalLog } from '../../src/pingup/refusal-log.ts';

test('of each failed check a line comes at once, and then one a minute with how many there have been', () => {
  const lines: unknown[] = [];
  let now = 0;
  const log = pino({ base: null }, { write: (line) => lines.push(JSON.parse(line)) });
  const report = createRefusalLog(log, () => now);
  for (now = 0; now < 150_000; now += 1_000) {
    report({ failed: 'token', business: null });
    if (now === 10_000) report({ failed: 'signature', business: 'acme' });
  }
  expect(lines).toMatchObject([
    { failed: 'token', business: null, refused: 1 },
    { failed: 'signature', business: 'acme', refused: 1 },
    { failed: 'token', business: null, refused: 60 },
    { failed: 'token', business: null, refused: 60 },
  ]);
});
