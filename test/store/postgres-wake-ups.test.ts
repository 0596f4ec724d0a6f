import fc from 'fast-check';
import { expect, test } from 'vitest';
import { keyText } from '../../src/message.ts';
import { createOutbox, decodeWakeUp } from '../../src/store/postgres/wake-ups.ts';

const anyId = fc.string({ unit: 'binary', minLength: 1, maxLength: 300 });
const anyKey = fc.record({ business: fc.constantFrom('acme', 'globex', 'é'), id: anyId });

/** All that an outbox sends, transaction by transaction. */
function drain(outbox: ReturnType<typeof createOutbox>): string[] {
  const texts: string[] = [];
  for (let some = outbox.take(); some.length > 0; some = outbox.take()) {
    expect(some.length).toBeLessThanOrEqual(32);
    texts.push(...some.map(({ text }) => text));
  }
  return texts;
}

test('whatever has changed is in a payload once, and each payload is ASCII of less than 8,000 bytes', () => {
  fc.assert(
    fc.property(fc.array(anyKey, { maxLength: 200 }), (changed) => {
      const outbox = createOutbox('node');
      outbox.add(changed);
      const texts = drain(outbox);
      for (const text of texts) expect(text).toMatch(/^[\x20-\x7e]{1,7999}$/);
      const wakeUps = texts.map(decodeWakeUp);
      const sent = wakeUps.flatMap(({ keys }) => keys.map(keyText));
      // What takes more than 1,000 bytes is only said to be there.
      const isShort = ({ id }: { id: string }) => JSON.stringify(id).length * 6 <= 1_000;
      expect(new Set(sent).size).toBe(sent.length);
      expect(new Set(changed.map(keyText))).toEqual(new Set([...changed.map(keyText), ...sent]));
      expect(sent).toEqual(expect.arrayContaining(changed.filter(isShort).map(keyText)));
      if (sent.length < new Set(changed.map(keyText)).size)
        expect(wakeUps.some(({ isPartial }) => isPartial)).toBe(true);
      expect(wakeUps.every(({ node }) => node === 'node')).toBe(true);
    }),
  );
});

test('ten thousand short ids take few payloads, and several transactions', () => {
  const outbox = createOutbox('node');
  outbox.add(Array.from({ length: 10_000 }, (_, index) => ({ business: 'acme', id: `wamid.${index}` })));
  const texts = drain(outbox);
  expect(texts.length).toBeLessThan(25);
  expect(texts.flatMap((text) => decodeWakeUp(text).keys)).toHaveLength(10_000);
});

test('while nothing can be sent, what waits is bounded: only the businesses remain', () => {
  const outbox = createOutbox('node');
  for (let index = 0; index < 100_000; index += 1)
    outbox.add([{ business: index % 2 ? 'acme' : 'globex', id: `wamid.${index}` }]);
  const wakeUps = drain(outbox).map(decodeWakeUp);
  expect(wakeUps.flatMap(({ keys }) => keys).length).toBeLessThanOrEqual(20_000);
  expect(wakeUps.filter(({ isPartial }) => isPartial).length).toBeGreaterThanOrEqual(2);
});

test('what a stranger or a later release sends names nothing', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (payload) => {
      for (const { business, id } of decodeWakeUp(payload).keys)
        expect([typeof business, typeof id]).toEqual(['string', 'string']);
    }),
  );
  for (const payload of ['', '{}', 'null', '[', '[1,2]', '["node"]', '["node","acme"]'])
    expect(decodeWakeUp(payload)).toMatchObject({ keys: [], isPartial: false });
});
