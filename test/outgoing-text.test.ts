import fc from 'fast-check';
import { expect, test } from 'vitest';
import { GatewayError } from '../src/errors.ts';
import { delayInSeconds, fingerprintOf, parseSend, type SendInput } from '../src/outgoing-text.ts';

const valid: SendInput = { client: 'anna', textMessage: 'Hello' };

/** The paths of all faults, or nothing where the input is fine. */
function faultsOf(input: SendInput): string[] {
  try {
    parseSend(input);
    return [];
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    expect(error.code).toBe('BAD_USER_INPUT');
    return (error.faults ?? []).map((fault) => fault.path.join('.'));
  }
}

test('what is absent is null, and what is given is not changed', () => {
  expect(parseSend(valid)).toEqual({
    text: { client: 'anna', clientPhone: null, clientName: null, textMessage: 'Hello', delay: null },
    idempotencyKey: null,
  });
});

test.each([
  ['+39 312 123 4567', '393121234567'],
  ['0039-312-1234567', '393121234567'],
  ['(39) 312.123.4567', '393121234567'],
  ['39\u00a0312\u2011123\u20114567', '393121234567'],
  ['1234567', '1234567'],
  ['123456789012345', '123456789012345'],
])('the phone %j is sent as %s', (clientPhone, expected) => {
  expect(parseSend({ clientPhone, textMessage: 'Hello' }).text.clientPhone).toBe(expected);
});

test.each(['123456', '1234567890123456', '+39 312 abc', '', '+', '٣٩٣١٢١٢٣٤٥', '++393121234567'])(
  'the phone %j is refused',
  (clientPhone) => {
    expect(faultsOf({ clientPhone, textMessage: 'Hello' })).toEqual(['input.clientPhone']);
  },
);

test('without client and clientPhone there is nobody to send to', () => {
  expect(faultsOf({ textMessage: 'Hello' })).toEqual(['input']);
  expect(faultsOf({ client: null, clientPhone: null, textMessage: 'Hello' })).toEqual(['input']);
});

test('a text of 1 and of 4096 characters is fine, an emoji counting as one', () => {
  expect(faultsOf({ ...valid, textMessage: 'a' })).toEqual([]);
  expect(faultsOf({ ...valid, textMessage: '🙂'.repeat(4096) })).toEqual([]);
});

test.each([
  ['an empty text', ''],
  ['a text of 4097 characters', 'a'.repeat(4097)],
  ['half of a surrogate pair', 'a\ud83d'],
])('%s is refused', (_what, textMessage) => {
  expect(faultsOf({ ...valid, textMessage })).toEqual(['input.textMessage']);
});

test.each(['', '   ', 'a'.repeat(257), '\udc00'])(
  'the name %j is refused, for client and clientName alike',
  (name) => {
    expect(faultsOf({ ...valid, client: name, clientName: name })).toEqual([
      'input.client',
      'input.clientName',
    ]);
  },
);

test.each([
  ['2w', 1_209_600],
  ['2d', 172_800],
  ['14h', 50_400],
  ['1m', 60],
  ['60s', 60],
] as const)('a delay of %s is %i seconds', (delay, seconds) => {
  expect(delayInSeconds(delay)).toBe(seconds);
  expect(faultsOf({ ...valid, delay })).toEqual([]);
});

test.each(['0s', '-1m', '1.5h', '1M', '1y', '1', 'd', '', '1 d', '01d', '999999999w', '1d\n'])(
  'a delay of %j is refused',
  (delay) => {
    expect(faultsOf({ ...valid, delay })).toEqual(['input.delay']);
  },
);

test.each(['a', '!~', 'k'.repeat(255)])('the idempotency key %j is taken as it is', (idempotencyKey) => {
  expect(parseSend({ ...valid, idempotencyKey }).idempotencyKey).toBe(idempotencyKey);
});

test.each(['', ' ', 'a b', 'k'.repeat(256), 'é', 'a\n', '\u007f'])(
  'the idempotency key %j is refused',
  (idempotencyKey) => {
    expect(faultsOf({ ...valid, idempotencyKey })).toEqual(['input.idempotencyKey']);
  },
);

test('two sends have the same fingerprint exactly when their checked texts are the same', () => {
  const fingerprint = (input: SendInput) => fingerprintOf(parseSend(input).text);
  const spelled = { client: null, clientPhone: '+39 312 123 4567', textMessage: 'Hello' };
  const plain = { clientPhone: '393121234567', textMessage: 'Hello', idempotencyKey: 'k' };
  expect(fingerprint(spelled)).toBe(fingerprint(plain));
  const text = fc.option(fc.constantFrom('a', 'b', 'null', '","'));
  const anyText = fc.record({
    client: text,
    clientPhone: text,
    clientName: text,
    textMessage: fc.string(),
    delay: text,
  });
  fc.assert(
    fc.property(anyText, anyText, (a, b) => {
      expect(fingerprintOf(a) === fingerprintOf(b)).toBe(JSON.stringify(a) === JSON.stringify(b));
    }),
  );
});

test('every fault is reported, not only the first', () => {
  const input = {
    client: '',
    clientPhone: '12',
    clientName: '',
    textMessage: '',
    delay: '0d',
    idempotencyKey: '',
  };
  expect(faultsOf(input)).toEqual([
    'input.clientPhone',
    'input.client',
    'input.clientName',
    'input.textMessage',
    'input.delay',
    'input.idempotencyKey',
  ]);
});

test('any input is either refused with a path and an expectation, or becomes a text that would pass again', () => {
  const text = fc.option(fc.string({ unit: 'binary' }), { nil: undefined });
  const anyInput = fc.record({
    client: text,
    clientPhone: fc.option(fc.string({ unit: fc.constantFrom(...'0123456789+-() ') })),
    clientName: text,
    textMessage: fc.string({ unit: 'binary' }),
    delay: fc.option(fc.constantFrom('1d', '5m', 'x', '0s')),
  });
  fc.assert(
    fc.property(anyInput, (input) => {
      if (faultsOf(input).length > 0) return;
      const once = parseSend(input).text;
      expect(parseSend(once).text).toEqual(once);
    }),
  );
});
