import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { SendTextMessageDocument, type SendTextMessageInput } from '../generated/operations.ts';
import { temporaryDirectory } from '../store/sqlite-test-store.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { connect, execute, payloadOf, type Result, subscribe } from '../support/graphql-client.ts';
import { accept, rateLimit, startScriptedPingup } from '../support/scripted-pingup.ts';

const keyed = { client: 'never-calls-back', textMessage: 'Hello', idempotencyKey: 'order-4711' };
const other = { ...keyed, textMessage: 'Good bye' };

function send({ url }: TestGateway, input: SendTextMessageInput = keyed) {
  return execute(url, SendTextMessageDocument, { input });
}

async function sendOverSocket({ url }: TestGateway, input: SendTextMessageInput = keyed) {
  await using client = connect(url);
  return (await subscribe(client, SendTextMessageDocument, { input }).next()).value;
}

function sentBy(result: Result<{ sendTextMessage: { replayed: boolean; message: { id: string } } | null }>) {
  const { replayed, message } = payloadOf(result);
  return { replayed, id: message.id };
}

function errorOf(result: Result<unknown> | undefined) {
  return result?.errors?.[0]?.extensions;
}

function codeOf(result: Result<unknown> | undefined): unknown {
  return errorOf(result)?.['code'];
}

/** A database file that outlives its gateways. */
async function sharedStore() {
  const directory = await temporaryDirectory();
  const path = directory.file('gateway.db');
  return { ...directory, path, env: { STORE_URL: `sqlite:${path}` } };
}

/** What a clock or an accident would do to the file. */
function meddle(path: string, sql: string): void {
  using db = new DatabaseSync(path, { timeout: 1_000 });
  db.exec(sql);
}

test('the same key and arguments: the first result again, replayed, on HTTP and on the socket, and nothing leaves', async () => {
  await using gateway = await startTestGateway();
  const first = sentBy(await send(gateway));
  expect(first.replayed).toBe(false);
  expect(sentBy(await send(gateway))).toEqual({ id: first.id, replayed: true });
  expect(payloadOf(await sendOverSocket(gateway))).toMatchObject({
    replayed: true,
    message: { id: first.id, textMessage: 'Hello' },
  });
  expect(gateway.sandbox?.requests).toHaveLength(1);
});

test('a replay shows the message as it is by now', async () => {
  await using gateway = await startTestGateway();
  const { id } = sentBy(await send(gateway));
  await gateway.callBack({ message_id: id, status: 'delivered' });
  expect(payloadOf(await send(gateway)).message.status).toBe('DELIVERED');
});

test('a phone number that is written in another way is the same argument', async () => {
  await using gateway = await startTestGateway();
  const first = sentBy(await send(gateway, { ...keyed, clientPhone: '+39 312 123 4567' }));
  const again = sentBy(await send(gateway, { ...keyed, clientPhone: '00393121234567' }));
  expect(again).toEqual({ id: first.id, replayed: true });
});

test('the same key and other arguments is IDEMPOTENCY_KEY_REUSED, and nothing leaves', async () => {
  await using gateway = await startTestGateway();
  await send(gateway);
  expect(errorOf(await send(gateway, other))).toEqual({ code: 'IDEMPOTENCY_KEY_REUSED', retryable: false });
  expect(errorOf(await sendOverSocket(gateway, other))).toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED' });
  expect(gateway.sandbox?.requests).toHaveLength(1);
});

test('without a key, the same arguments are two messages, neither of them replayed', async () => {
  await using gateway = await startTestGateway();
  const text = { client: 'never-calls-back', textMessage: 'Hello' };
  const [first, second] = [sentBy(await send(gateway, text)), sentBy(await send(gateway, text))];
  expect([first.replayed, second.replayed]).toEqual([false, false]);
  expect(first.id).not.toBe(second.id);
});

test('50 calls at once with one key make one POST, and all are answered with the same message', async () => {
  await using gateway = await startTestGateway();
  const input = { ...keyed, client: 'early-callback' };
  const sent = (await Promise.all(Array.from({ length: 50 }, () => send(gateway, input)))).map(sentBy);
  expect(new Set(sent.map(({ id }) => id)).size).toBe(1);
  expect(sent.filter(({ replayed }) => !replayed)).toHaveLength(1);
  expect(gateway.sandbox?.requests).toHaveLength(1);
});

test('50 calls at once, whose first certainly never left, still make one message', async () => {
  await using pingup = await startScriptedPingup(rateLimit, accept);
  await using gateway = await startTestGateway({ env: pingup.env });
  const results = await Promise.all(Array.from({ length: 50 }, () => send(gateway)));
  expect(results.map(codeOf).filter((code) => code !== undefined)).toEqual(['PINGUP_RATE_LIMITED']);
  const sent = results.filter((result) => !result.errors).map(sentBy);
  expect(sent.filter(({ replayed }) => !replayed)).toHaveLength(1);
  expect(pingup.arrived).toBe(2);
});

test('while the first is not settled, the second waits for its own time, and then is SEND_IN_PROGRESS, retryable', async () => {
  await using store = await sharedStore();
  await using gateway = await startTestGateway({ env: { ...store.env, PINGUP_TIMEOUT_MS: '300' } });
  const { id } = sentBy(await send(gateway));
  meddle(store.path, `UPDATE sends SET outcome = 'PENDING', message_id = NULL`);
  const began = performance.now();
  expect(errorOf(await send(gateway))).toEqual({ code: 'SEND_IN_PROGRESS', retryable: true });
  expect(performance.now() - began).toBeGreaterThan(299);
  meddle(store.path, `UPDATE sends SET outcome = 'ACCEPTED', message_id = '${id}'`);
  expect(sentBy(await send(gateway))).toEqual({ id, replayed: true });
  expect(gateway.sandbox?.requests).toHaveLength(1);
});

test('a send that certainly never left gives the key back, also for other arguments', async () => {
  await using pingup = await startScriptedPingup(rateLimit, accept);
  await using gateway = await startTestGateway({ env: pingup.env });
  expect(errorOf(await send(gateway))).toMatchObject({ code: 'PINGUP_RATE_LIMITED', retryable: true });
  expect(sentBy(await send(gateway, other))).toEqual({ id: 'scripted', replayed: false });
  expect(pingup.arrived).toBe(2);
});

test.each([
  ['resets', 'SEND_OUTCOME_UNKNOWN'],
  ['answers-500', 'SEND_OUTCOME_UNKNOWN'],
  ['hangs', 'SEND_OUTCOME_UNKNOWN'],
  ['conversation-closed', 'PINGUP_REJECTED'],
])('a Pingup that %s keeps the key: a repeat answers %s again, and never sends', async (client, code) => {
  await using gateway = await startTestGateway({ env: { PINGUP_TIMEOUT_MS: '300' } });
  const first = errorOf(await send(gateway, { ...keyed, client }));
  expect(first).toEqual({ code, retryable: false });
  for (const _ of 'twice') expect(errorOf(await send(gateway, { ...keyed, client }))).toEqual(first);
  expect(gateway.sandbox?.requests).toHaveLength(1);
});

test('a call that waits for a first whose outcome turns out unknown is answered the same, and sends nothing', async () => {
  await using gateway = await startTestGateway({ env: { PINGUP_TIMEOUT_MS: '300' } });
  const input = { ...keyed, client: 'hangs' };
  const results = await Promise.all([send(gateway, input), send(gateway, input)]);
  const codes = results.map(codeOf);
  expect(codes).toContain('SEND_OUTCOME_UNKNOWN');
  expect(['SEND_OUTCOME_UNKNOWN', 'SEND_IN_PROGRESS']).toEqual(expect.arrayContaining(codes));
  expect(gateway.sandbox?.requests).toHaveLength(1);
});

test('keys survive a restart, and belong to one business', async () => {
  await using store = await sharedStore();
  let first: { id: string };
  {
    await using gateway = await startTestGateway({ env: store.env });
    first = sentBy(await send(gateway));
  }
  {
    await using gateway = await startTestGateway({ env: store.env });
    expect(sentBy(await send(gateway))).toEqual({ id: first.id, replayed: true });
    expect(codeOf(await send(gateway, other))).toBe('IDEMPOTENCY_KEY_REUSED');
    expect(gateway.sandbox?.requests).toEqual([]);
  }
  await using gateway = await startTestGateway({ env: { ...store.env, PINGUP_BUSINESS_NAME: 'another' } });
  const sent = sentBy(await send(gateway));
  expect(sent.replayed).toBe(false);
  expect(sent.id).not.toBe(first.id);
});

test('a key is free again after IDEMPOTENCY_HOURS, and not before', async () => {
  await using store = await sharedStore();
  await using gateway = await startTestGateway({ env: { ...store.env, IDEMPOTENCY_HOURS: '2' } });
  await send(gateway);
  const hourMs = 3_600_000;
  meddle(store.path, `UPDATE sends SET begun_at = ${Date.now() - 2 * hourMs + 60_000}`);
  expect(codeOf(await send(gateway, other))).toBe('IDEMPOTENCY_KEY_REUSED');
  meddle(store.path, `UPDATE sends SET begun_at = ${Date.now() - 2 * hourMs - 1}`);
  expect(sentBy(await send(gateway, other)).replayed).toBe(false);
  expect(gateway.sandbox?.requests).toHaveLength(2);
});

test('a key that breaks its rule is one fault among the others, and nothing leaves', async () => {
  await using gateway = await startTestGateway();
  const result = await send(gateway, { ...keyed, textMessage: '', idempotencyKey: 'a key' });
  expect(errorOf(result)).toMatchObject({
    code: 'BAD_USER_INPUT',
    faults: [
      { path: ['input', 'textMessage'] },
      { path: ['input', 'idempotencyKey'], expected: expect.stringContaining('1 to 255 visible ASCII') },
    ],
  });
  expect(gateway.sandbox?.requests).toEqual([]);
});
