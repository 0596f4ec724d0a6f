import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CallbackReading } from '../../src/callback-reading.ts';
import type { CallbackFormat } from '../../src/config.ts';
import { merge } from '../../src/message.ts';
import { type AuthenticText, createCallbackReader } from '../../src/pingup/callback.ts';
import { usualFormat } from './support/callback-peer.ts';

const receivedAt = Date.UTC(2026, 5, 15);
const earlier = Date.UTC(2026, 5, 14);

function read(body: unknown, format: Partial<CallbackFormat> = {}): CallbackReading | undefined {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return createCallbackReader({ ...usualFormat, ...format })(text as AuthenticText, {
    business: 'acme',
    receivedAt,
  });
}

/** What is read of the only event of the only message. */
function eventOf(body: unknown, format: Partial<CallbackFormat> = {}) {
  const reading = read(body, format);
  expect(reading?.faults).toEqual([]);
  expect(reading?.news).toHaveLength(1);
  return { id: reading?.news[0]?.id, ...reading?.news[0]?.history[0] };
}

function faultsOf(body: unknown, format: Partial<CallbackFormat> = {}): number | undefined {
  const reading = read(body, format);
  expect(reading?.news).toEqual([]);
  return reading?.faults.length;
}

describe('a status', () => {
  test.each([
    ['sent', 'SENT'],
    ['received', 'DELIVERED'],
    ['delivered', 'DELIVERED'],
    ['read', 'READ'],
    ['failed', 'FAILED'],
    ['READ', 'READ'],
    [' Received\n', 'DELIVERED'],
  ])('is said by %j: %s, and the word is kept', (word, status) => {
    expect(eventOf({ message_id: 'id-1', status: word })).toMatchObject({
      id: 'id-1',
      status,
      rawStatus: word,
    });
  });

  test.each([
    '',
    'seen',
    'readed',
    'toString',
    '__proto__',
    'read'.padEnd(65),
    null,
    4,
    true,
    ['read'],
    { read: 1 },
  ])('is not said by %j', (word) => {
    expect(faultsOf({ message_id: 'id-1', status: word })).toBe(1);
  });

  test('is said in the words of the configuration', () => {
    const statusMap: CallbackFormat['statusMap'] = new Map([['letto', 'READ']]);
    expect(eventOf({ message_id: 'id-1', status: 'Letto' }, { statusMap })).toMatchObject({ status: 'READ' });
    expect(faultsOf({ message_id: 'id-1', status: 'read' }, { statusMap })).toBe(1);
  });
});

describe('a message id', () => {
  test.each([
    ['id-1', 'id-1'],
    ['0012', '0012'],
    ['é🙂', 'é🙂'],
    ['x'.repeat(256), 'x'.repeat(256)],
    [12, '12'],
    [Number.MAX_SAFE_INTEGER, '9007199254740991'],
  ])('is read from %j', (value, id) => {
    expect(eventOf({ message_id: value, status: 'read' }).id).toBe(id);
  });

  test.each(['', '  ', '\ud800', 'x'.repeat(257), 2 ** 53, 1.5, -1, null, true, {}, ['id-1']])(
    'is not %j',
    (value) => {
      expect(faultsOf({ message_id: value, status: 'read' })).toBe(1);
    },
  );

  test('of more digits than a number can hold is refused rather than changed', () => {
    expect(faultsOf('{"message_id":12345678901234567890,"status":"read"}')).toBe(1);
  });
});

describe('the places', () => {
  test.each([
    [{ message_id: 'id-1', status: 'read' }],
    [{ data: { message_id: 'id-1', status: 'read' } }],
    [{ message_id: 'id-1', data: { status: 'read' } }],
    [{ status: 'ok', data: { message_id: 'id-1', status: 'read' } }],
    [{ status: 200, success: true, data: { message_id: 'id-1', status: 'read' } }],
    [{ message_id: 'id-1', status: 'read', data: { message_id: 'id-1', status: 'READ' } }],
    [{ message_id: 'id-1', status: 'read', data: null }],
  ])('%j says that id-1 was read', (body) => {
    expect(eventOf(body)).toMatchObject({ id: 'id-1', status: 'READ' });
  });

  test('that contradict each other are not understood', () => {
    expect(faultsOf({ message_id: 'id-1', status: 'sent', data: { status: 'read' } })).toBe(1);
    expect(faultsOf({ message_id: 'id-1', status: 'sent', data: { message_id: 'id-2' } })).toBe(1);
  });

  test('are those of the configuration, and no others', () => {
    const format = {
      messageIdPointer: '/event/a~1b/0',
      statusPointer: '/event/~0kind',
      timestampPointer: '/event/at',
      failureCodePointer: '/why/0',
      failureReasonPointer: '/why/1',
    };
    const event = { 'a/b': ['id-1'], '~kind': 'failed', at: earlier };
    expect(eventOf({ event, why: [131, 'closed'] }, format)).toMatchObject({
      id: 'id-1',
      status: 'FAILED',
      at: earlier,
      failure: { code: '131', reason: 'closed' },
    });
    expect(faultsOf({ message_id: 'id-1', status: 'read' }, format)).toBe(2);
  });

  test.each(['/constructor/name', '/__proto__/x', '/toString', '/data/constructor/name', '/status/length'])(
    'are in the callback itself, not in its prototype: %s',
    (pointer) => {
      expect(faultsOf({ data: {}, status: 'read' }, { messageIdPointer: pointer })).toBe(1);
    },
  );

  test('take a key that is called like a prototype for a key', () => {
    const body = '{"__proto__":{"status":"read"},"message_id":"id-1","status":"sent"}';
    expect(eventOf(body)).toMatchObject({ status: 'SENT' });
    expect(faultsOf('{"__proto__":{"message_id":"id-1","status":"read"}}')).toBe(2);
  });
});

describe('the time', () => {
  test.each([
    [{ timestamp: earlier }],
    [{ timestamp: new Date(earlier).toISOString() }],
    [{ timestamp: 'unreadable', data: { timestamp: earlier / 1000 } }],
  ])('is read from %j', (more) => {
    expect(eventOf({ message_id: 'id-1', status: 'read', ...more })).toMatchObject({
      at: earlier,
      receivedAt,
    });
  });

  test.each([undefined, null, 'yesterday', 0, -1, Number.MAX_VALUE, '2099-01-01T00:00:00Z', {}])(
    '%j is none, and when it came counts',
    (timestamp) => {
      expect(eventOf({ message_id: 'id-1', status: 'read', timestamp })).toMatchObject({
        at: receivedAt,
        receivedAt,
      });
    },
  );
});

describe('the reason of a failure', () => {
  test.each([
    [{ error: { code: 131047, message: 'closed' } }, { code: '131047', reason: 'closed' }],
    [{ data: { error: { code: 'X', reason: 'closed' } } }, { code: 'X', reason: 'closed' }],
    [{ error: 'closed' }, { code: null, reason: 'closed' }],
    [{ error_code: '7' }, { code: '7', reason: null }],
    [{ data: { failure_code: '7', failure_reason: 'closed' } }, { code: '7', reason: 'closed' }],
    [{ reason: 'closed' }, { code: null, reason: 'closed' }],
    [{ error: { code: '', message: '  ' } }, null],
    [{ error: [], reason: {} }, null],
    [{}, null],
  ])('in %j is %j', (more, failure) => {
    expect(eventOf({ message_id: 'id-1', status: 'failed', ...more }).failure).toEqual(failure);
  });

  test('is cut to a sane length, and stays well-formed', () => {
    const error = { code: 'c'.repeat(500), message: `${'m'.repeat(1_023)}🙂` };
    const { failure } = eventOf({ message_id: 'id-1', status: 'failed', error });
    expect(failure?.code).toHaveLength(128);
    expect(failure?.reason).toHaveLength(1_024);
    expect(failure?.reason?.isWellFormed()).toBe(true);
  });

  test('belongs to a failure only', () => {
    expect(eventOf({ message_id: 'id-1', status: 'read', error: 'closed' }).failure).toBeNull();
  });
});

describe('an array', () => {
  test('gives one entry for each message, as their merge in any order', () => {
    const element = fc.record({
      message_id: fc.constantFrom('a', 'b', 'c'),
      status: fc.constantFrom('sent', 'received', 'read', 'failed'),
      timestamp: fc.integer({ min: earlier, max: receivedAt }),
    });
    fc.assert(
      fc.property(fc.array(element), (elements) => {
        const reading = read(elements);
        const backwards = read(elements.toReversed());
        expect(reading?.accepted).toBe(elements.length);
        expect(new Set(reading?.news)).toEqual(new Set(backwards?.news));
        const apart = elements.flatMap((one) => read(one)?.news ?? []);
        for (const message of reading?.news ?? [])
          expect(message).toEqual(apart.filter(({ id }) => id === message.id).reduce(merge));
      }),
    );
  });

  test('is read past what is not understood, which is told by its index', () => {
    const good = { message_id: 'id-1', status: 'read' };
    const reading = read([null, good, [good], {}]);
    expect(reading).toMatchObject({ accepted: 1, news: [{ id: 'id-1' }] });
    expect(reading?.faults.map(({ index }) => index)).toEqual([0, 2, 3, 3]);
  });

  test('that is empty is understood', () => {
    expect(read([])).toEqual({ news: [], accepted: 0, faults: [] });
  });
});

test.each([null, true, 7, 'read', '"read"'].map((body) => [JSON.stringify(body)]))(
  '%s is JSON, and not understood',
  (body) => {
    expect(faultsOf(body)).toBe(1);
  },
);

test.each(['', '{', 'read', "{'a':1}", '{"a":1,}', 'NaN'])('%j is not JSON', (body) => {
  expect(read(body)).toBeUndefined();
});
