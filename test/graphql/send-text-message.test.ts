import { expect, test } from 'vitest';
import { SendTextMessageDocument, type SendTextMessageInput } from '../generated/operations.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { connect, execute, payloadOf, type Result, subscribe } from '../support/graphql-client.ts';

const text: SendTextMessageInput = { client: 'never-calls-back', textMessage: 'Hello' };

function send({ url }: TestGateway, input: object) {
  return execute(url, SendTextMessageDocument, { input: { ...text, ...input } });
}

async function sendOverSocket({ url }: TestGateway, input: object) {
  await using client = connect(url);
  const { value } = await subscribe(client, SendTextMessageDocument, { input: { ...text, ...input } }).next();
  return value;
}

function errorOf(result: Result<unknown> | undefined) {
  const [error, ...others] = result?.errors ?? [];
  expect(others).toEqual([]);
  return error;
}

test('a text that Pingup accepted comes back as a message with all that was sent', async () => {
  await using gateway = await startTestGateway();
  const input = { clientPhone: '+39 312 123 4567', clientName: 'Anna', delay: '2h' };
  const { message } = payloadOf(await send(gateway, input));
  expect(message).toMatchObject({
    id: gateway.sandbox?.requests[0]?.messageId,
    client: 'never-calls-back',
    clientPhone: '393121234567',
    clientName: 'Anna',
    textMessage: 'Hello',
    delay: '2h',
    status: 'ACCEPTED',
    revision: 1,
    failure: null,
    history: [{ status: 'ACCEPTED', rawStatus: null }],
  });
  const delay = Date.parse(String(message.scheduledFor)) - Date.parse(String(message.acceptedAt));
  expect(delay).toBe(2 * 3_600_000);
  expect(message.updatedAt).toBe(message.acceptedAt);
});

test('bad input is BAD_USER_INPUT with one fault for each broken rule, and nothing leaves', async () => {
  await using gateway = await startTestGateway();
  const error = errorOf(await send(gateway, { clientPhone: '12', textMessage: '', delay: '0d' }));
  expect(error?.path).toEqual(['sendTextMessage']);
  expect(error?.extensions).toEqual({
    code: 'BAD_USER_INPUT',
    retryable: false,
    faults: [
      { path: ['input', 'clientPhone'], expected: expect.stringContaining('7 to 15 digits') },
      { path: ['input', 'textMessage'], expected: '1 to 4096 characters, not 0' },
      { path: ['input', 'delay'], expected: expect.stringContaining('a unit of w, d, h, m or s') },
    ],
  });
  expect(gateway.sandbox?.requests).toEqual([]);
});

test.each([
  ['a text that is no string', { textMessage: 5 }, 'textMessage', 'a value of type String'],
  ['null as the text', { textMessage: null }, 'textMessage', 'a value of type String!'],
  ['no text', { textMessage: undefined }, 'textMessage', 'a value of type String!'],
  ['a delay that is no string', { delay: 5 }, 'delay', 'a string such as "2d" or "90s"'],
  ['a list as the delay', { delay: ['1d, not 2d'] }, 'delay', 'a string such as "2d" or "90s"'],
  ['a field that does not exist', { phone: '1' }, 'phone', 'a field of SendTextMessageInput'],
])(
  '%s is BAD_USER_INPUT with its fault, on HTTP and on the socket',
  async (_what, input, field, expected) => {
    await using gateway = await startTestGateway();
    for (const result of [await send(gateway, input), await sendOverSocket(gateway, input)]) {
      const error = errorOf(result);
      expect(error?.message).toContain(field);
      expect(error?.extensions).toEqual({
        code: 'BAD_USER_INPUT',
        retryable: false,
        faults: [{ path: ['input', field], expected }],
      });
    }
    expect(gateway.sandbox?.requests).toEqual([]);
  },
);

test('each fault of a variable is an error of its own, on HTTP and on the socket', async () => {
  await using gateway = await startTestGateway();
  const input = { textMessage: 5, delay: 5 };
  for (const result of [await send(gateway, input), await sendOverSocket(gateway, input)])
    expect(result?.errors).toMatchObject([
      { extensions: { faults: [{ path: ['input', 'textMessage'] }] } },
      { extensions: { faults: [{ path: ['input', 'delay'] }] } },
    ]);
});

test.each([
  ['conversation-closed', { code: 'PINGUP_REJECTED', retryable: false }],
  ['answers-500', { code: 'SEND_OUTCOME_UNKNOWN', retryable: false }],
  ['answers-html', { code: 'SEND_OUTCOME_UNKNOWN', retryable: false }],
  ['resets', { code: 'SEND_OUTCOME_UNKNOWN', retryable: false }],
  ['hangs', { code: 'SEND_OUTCOME_UNKNOWN', retryable: false }],
])('a Pingup that %s is %j on HTTP and on the socket, and is asked once each', async (client, extensions) => {
  await using gateway = await startTestGateway({ env: { PINGUP_TIMEOUT_MS: '300' } });
  expect(errorOf(await send(gateway, { client }))?.extensions).toEqual(extensions);
  expect(errorOf(await sendOverSocket(gateway, { client }))?.extensions).toEqual(extensions);
  expect(gateway.sandbox?.requests).toHaveLength(2);
});

test('a 429 is PINGUP_RATE_LIMITED with the time to wait, and until then Pingup is not asked again', async () => {
  await using gateway = await startTestGateway();
  const first = errorOf(await send(gateway, { client: 'answers-429' }))?.extensions;
  const second = errorOf(await sendOverSocket(gateway, {}))?.extensions;
  for (const extensions of [first, second])
    expect(extensions).toEqual({ code: 'PINGUP_RATE_LIMITED', retryable: true, retryAfterSeconds: 3 });
  expect(gateway.sandbox?.requests).toHaveLength(1);
});

test('50 sends at once are 50 messages', async () => {
  await using gateway = await startTestGateway();
  const ids = await Promise.all(Array.from({ length: 50 }, () => gateway.send()));
  expect(new Set(ids).size).toBe(50);
  expect(gateway.sandbox?.requests).toHaveLength(50);
});
