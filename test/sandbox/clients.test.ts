import { expect, test } from 'vitest';
import { sandboxClients } from '../../src/sandbox/clients.ts';
import { type ReceivedCallback, startReceiver } from './receiver.ts';
import { startTestSandbox } from './start.ts';

/** The statuses that come for a message, up to `count` of them, and its answer. */
async function storyOf(body: object, count: number) {
  await using receiver = await startReceiver();
  await using sandbox = await startTestSandbox({ callbackUrl: receiver.url });
  const messageId = await sandbox.accepted(body);
  const callbacks = await receiver.received(count);
  expect(new Set(callbacks.map((callback) => callback.message_id))).toEqual(new Set([messageId]));
  return { callbacks, statuses: statusesOf(callbacks) };
}

function statusesOf(callbacks: readonly ReceivedCallback[]): string[] {
  return callbacks.map((callback) => callback.status);
}

const wholeStory = ['sent', 'delivered', 'read'];

test.each([
  ['reads', wholeStory],
  ['delivers-only', ['sent', 'received']],
  ['fails', ['sent', 'failed']],
  ['shuffles-callbacks', ['read', 'sent', 'delivered']],
  ['any other name', wholeStory],
  ['constructor', wholeStory],
])('a message for %s is told as %j', async (client, expected) => {
  expect((await storyOf({ client }, expected.length)).statuses).toEqual(expected);
});

test('a message for a phone number only is read', async () => {
  const body = { client: undefined, client_phone: '3931212321' };
  expect((await storyOf(body, 3)).statuses).toEqual(wholeStory);
});

test('a failed callback says why, and no other does', async () => {
  const { callbacks } = await storyOf({ client: 'fails' }, 2);
  expect(callbacks.map((callback) => typeof callback.reason)).toEqual(['undefined', 'string']);
});

test('repeats-callbacks gets every callback three times, each the same', async () => {
  const { callbacks } = await storyOf({ client: 'repeats-callbacks' }, 9);
  const copies = Map.groupBy(callbacks, (callback) => JSON.stringify(callback));
  expect([...copies.values()].map((same) => [same[0]?.status, same.length])).toEqual([
    ['sent', 3],
    ['delivered', 3],
    ['read', 3],
  ]);
});

test.each(['reads', 'shuffles-callbacks'])('the timestamps for %s tell life in its order', async (client) => {
  await using receiver = await startReceiver();
  await using sandbox = await startTestSandbox({ callbackUrl: receiver.url, stepMs: 5 });
  const before = Date.now();
  await sandbox.accepted({ client });
  const callbacks = [...(await receiver.received(3))].sort((a, b) => a.timestamp.localeCompare(b.timestamp));
  expect(statusesOf(callbacks)).toEqual(wholeStory);
  expect(Date.parse(callbacks[0]?.timestamp ?? '')).toBeGreaterThanOrEqual(before + 5);
  expect(Date.parse(callbacks[2]?.timestamp ?? '')).toBeLessThanOrEqual(Date.now());
});

test('early-callback is answered after its last callback was', async () => {
  await using receiver = await startReceiver([503]);
  await using sandbox = await startTestSandbox({ callbackUrl: receiver.url, stepMs: 60_000 });
  const messageId = await sandbox.accepted({ client: 'early-callback' });
  expect(statusesOf(receiver.callbacks)).toEqual(['sent', ...wholeStory]);
  expect(receiver.callbacks[0]?.message_id).toBe(messageId);
});

test('early-callback with a delay is answered at once', async () => {
  await using receiver = await startReceiver();
  await using sandbox = await startTestSandbox({ callbackUrl: receiver.url });
  await sandbox.accepted({ client: 'early-callback', delay: '2d' });
  expect(receiver.callbacks).toEqual([]);
});

test.each([
  ['conversation-closed', 200, 'application/json; charset=utf-8', /^\{"success":false\}$/],
  ['answers-500', 500, 'application/json; charset=utf-8', /"success":false/],
  ['answers-429', 429, 'application/json; charset=utf-8', /"success":false/],
  ['answers-html', 200, 'text/html; charset=utf-8', /^<!doctype html>/],
])('%s is answered %i as %s, and not accepted', async (client, status, type, body) => {
  await using sandbox = await startTestSandbox();
  const answer = await sandbox.send({ client });
  expect([answer.status, answer.headers.get('content-type')]).toEqual([status, type]);
  expect(await answer.text()).toMatch(body);
  expect(sandbox.requests.map((request) => request.messageId)).toEqual([null]);
});

test('answers-429 says when to come back', async () => {
  await using sandbox = await startTestSandbox();
  const answer = await sandbox.send({ client: 'answers-429' });
  expect(answer.headers.get('retry-after')).toMatch(/^[1-9][0-9]*$/);
});

test('resets has its connection reset, once the send was read', async () => {
  await using sandbox = await startTestSandbox();
  const error = await sandbox.send({ client: 'resets' }).catch((reason: Error) => reason);
  expect(error).toMatchObject({ cause: { code: 'ECONNRESET' } });
  expect(sandbox.requests).toMatchObject([{ client: 'resets', messageId: null }]);
});

test('hangs is not answered before the sandbox ends', async () => {
  const events: string[] = [];
  const sandbox = await startTestSandbox();
  const send = sandbox.send({ client: 'hangs' }).then(
    () => events.push('answered'),
    () => events.push('cut off'),
  );
  await sandbox.accepted();
  events.push('another accepted');
  await sandbox[Symbol.asyncDispose]();
  await send;
  expect(events).toEqual(['another accepted', 'cut off']);
});

test('never-calls-back is accepted, and nothing more comes', async () => {
  await using receiver = await startReceiver();
  await using sandbox = await startTestSandbox({ callbackUrl: receiver.url });
  const silent = await sandbox.accepted({ client: 'never-calls-back' });
  await sandbox.accepted({ client: 'reads' });
  const callbacks = await receiver.received(3);
  expect(callbacks.map((callback) => callback.message_id)).not.toContain(silent);
});

test('every client is described in one sentence', () => {
  for (const description of Object.values(sandboxClients)) expect(description).toMatch(/^[A-Z].*\.$/);
});
