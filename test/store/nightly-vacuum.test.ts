import { EventEmitter, once } from 'node:events';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { vacuumNightly } from '../../src/store/nightly-vacuum.ts';

test('the store is vacuumed once each day, as the hour begins, and not when it is started within it', async () => {
  const from = Date.UTC(2026, 0, 1, 3, 30);
  let now = from;
  const vacuums: string[] = [];
  const looks = new EventEmitter();
  const store = { vacuum: async () => void vacuums.push(new Date(now).toISOString()) };
  const log = pino({ level: 'silent' });
  const clock = () => {
    now += 10 * 60_000;
    if (now > from + 3 * 86_400_000) looks.emit('end');
    return new Date(now);
  };
  const ended = once(looks, 'end');
  using _nightly = vacuumNightly(store, { hour: 3, log, now: clock, everyMs: 1 });
  await ended;
  const days = vacuums.map((instant) => instant.slice(0, 13));
  expect(days).toEqual(['2026-01-02T03', '2026-01-03T03', '2026-01-04T03']);
});

test('one that fails is told, and the next day is another', async () => {
  let now = Date.UTC(2026, 0, 1, 0);
  const told: string[] = [];
  const lines = new EventEmitter();
  const log = pino(
    { level: 'warn' },
    { write: (line) => void lines.emit('line', told.push(JSON.parse(line).msg)) },
  );
  const store = { vacuum: () => Promise.reject(new Error('the disk is full')) };
  const clock = () => {
    now += 30 * 60_000;
    return new Date(now);
  };
  using _nightly = vacuumNightly(store, { hour: 3, log, now: clock, everyMs: 1 });
  while (told.length < 2) await once(lines, 'line');
  expect(new Set(told)).toEqual(
    new Set(['the database could not be vacuumed; it will be tried again the next day']),
  );
});
