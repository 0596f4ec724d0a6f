import { expect, test } from 'vitest';
import type { Sandbox } from '../../src/sandbox/sandbox.ts';
import { apiKey, business, post, startTestSandbox } from './start.ts';

/** Asks with the right key, unless `init` has another. */
async function ask(sandbox: Sandbox, path: string, init: RequestInit = {}): Promise<[number, unknown]> {
  const answer = await fetch(sandbox.baseUrl + path, {
    headers: { authorization: `Bearer ${apiKey}` },
    ...init,
  });
  return [answer.status, await answer.json()];
}

const refused = { success: false, error: expect.any(String) };
const messages = `/${business}/messages`;
const me = `/${business}/me`;

test.each([
  ['a wrong key', 401, messages, { method: 'POST', headers: { authorization: 'Bearer guess' } }],
  ['a key without its scheme', 401, messages, { method: 'POST', headers: { authorization: apiKey } }],
  ['no key', 401, messages, { method: 'POST', headers: {} }],
  ['a wrong key on /me', 401, me, { headers: { authorization: 'Bearer guess' } }],
  ['another business', 404, '/other/messages', { method: 'POST' }],
  ['another business on /me', 404, '/other/me', {}],
  ['an unknown path', 404, '/', {}],
  ['GET of the messages', 405, messages, {}],
  ['PUT of a message', 405, messages, { method: 'PUT', body: '{}' }],
  ['POST to /me', 405, me, { method: 'POST', body: '{}' }],
])('%s is refused with %i', async (_, status, path, init) => {
  await using sandbox = await startTestSandbox();
  expect(await ask(sandbox, path, init)).toEqual([status, refused]);
});

test('a wrong method is told the right one', async () => {
  await using sandbox = await startTestSandbox();
  const answer = await fetch(sandbox.baseUrl + messages);
  expect(answer.headers.get('allow')).toBe('POST');
});

test.each([
  ['a text that is not JSON', '{"message_type":'],
  ['an empty body', ''],
  ['an array', '[]'],
  ['null', 'null'],
])('%s is refused with 400', async (_, body) => {
  await using sandbox = await startTestSandbox();
  const answer = await post(sandbox, body);
  expect([answer.status, await answer.json()]).toEqual([400, refused]);
});

test('JSON that does not call itself so is refused with 400', async () => {
  await using sandbox = await startTestSandbox();
  const answer = await post(sandbox, '{}', { 'content-type': 'text/plain' });
  expect(answer.status).toBe(400);
});

test.each([
  ['message_type', { message_type: undefined }],
  ['message_type', { message_type: 'image' }],
  ['client or client_phone', { client: undefined }],
  ['client', { client: '' }],
  ['client', { client: 7 }],
  ['client', { client: null }],
  ['client_phone', { client_phone: '+3931212321' }],
  ['client_phone', { client_phone: 3931212321 }],
  ['client_name', { client_name: null }],
  ['text_message', { text_message: undefined }],
  ['text_message', { text_message: '' }],
  ['text_message', { text_message: 'x'.repeat(4_097) }],
  ['delay', { delay: '1M' }],
  ['delay', { delay: '0s' }],
  ['delay', { delay: '' }],
  ['delay', { delay: 60 }],
  ['callback_url', { callback_url: 'ftp://127.0.0.1/' }],
])('a fault of %s is refused with 400 by its name: %j', async (field, body) => {
  await using sandbox = await startTestSandbox();
  const answer = await sandbox.send(body);
  expect(answer.status).toBe(400);
  expect(await answer.json()).toEqual({ success: false, error: expect.stringContaining(field) });
});

test('a text of 4,096 characters outside the basic plane, with line breaks, is accepted', async () => {
  await using sandbox = await startTestSandbox();
  const answer = await sandbox.send({
    text_message: `${'\u{1F600}'.repeat(4_095)}\n`,
    client_name: 'Jon',
    delay: '2w',
  });
  expect(answer.status).toBe(200);
});
