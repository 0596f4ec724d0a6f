import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { startReceiver } from './receiver.ts';
import { apiKey, business, post, startTestSandbox } from './start.ts';

test('every send that arrives is kept for counting, without the key, refused ones too', async () => {
  await using sandbox = await startTestSandbox();
  const before = Date.now();
  const messageId = await sandbox.accepted({ client_phone: '3931212321' });
  await post(sandbox, 'not JSON', { authorization: 'Bearer guess' });
  expect(sandbox.requests).toMatchObject([
    { client: 'reads', clientPhone: '3931212321', body: { text_message: 'Hi' }, messageId },
    { client: null, clientPhone: null, body: 'not JSON', messageId: null },
  ]);
  expect(sandbox.requests[0]?.at).toBeGreaterThanOrEqual(before);
  expect(sandbox.requests[0]?.headers).toMatchObject({ 'content-type': 'application/json' });
  expect(sandbox.requests.flatMap((request) => Object.keys(request.headers))).not.toContain('authorization');
});

test('the last 1,000 sends are kept', async () => {
  await using sandbox = await startTestSandbox();
  const clients = Array.from({ length: 1_003 }, (_, index) => `client ${index}`);
  for (const client of clients) await (await sandbox.send({ client })).body?.cancel();
  expect(sandbox.requests.map((request) => request.client)).toEqual(clients.slice(3));
});

test('callbacks go where the message says, before where the sandbox sends them', async () => {
  await using usual = await startReceiver();
  await using own = await startReceiver();
  await using sandbox = await startTestSandbox({ callbackUrl: usual.url });
  const messageId = await sandbox.accepted({ callback_url: own.url });
  expect(await own.received(3)).toMatchObject(Array(3).fill({ message_id: messageId }));
  expect(usual.callbacks).toEqual([]);
});

test('the address of the callbacks can be told later', async () => {
  await using receiver = await startReceiver();
  await using sandbox = await startTestSandbox();
  sandbox.setCallbackUrl(receiver.url);
  await sandbox.accepted();
  expect(await receiver.received(3)).toHaveLength(3);
});

test('an address for callbacks that is no http URL is refused', async () => {
  await expect(startTestSandbox({ callbackUrl: 'file:///etc/passwd' })).rejects.toThrow('http or https URL');
});

test('callbacks wait for the delay', async () => {
  await using receiver = await startReceiver();
  await using sandbox = await startTestSandbox({ callbackUrl: receiver.url });
  const before = Date.now();
  await sandbox.accepted({ delay: '1s' });
  const [first] = await receiver.received(1);
  expect(Date.now()).toBeGreaterThanOrEqual(before + 1_000);
  expect(Date.parse(first?.timestamp ?? '')).toBeGreaterThanOrEqual(before + 1_000);
});

test('a delay longer than a timer can hold does not fire early', async () => {
  await using receiver = await startReceiver();
  await using sandbox = await startTestSandbox({ callbackUrl: receiver.url });
  const late = await sandbox.accepted({ delay: '52w' });
  await sandbox.accepted({ delay: '1s' });
  const callbacks = await receiver.received(3);
  expect(callbacks.map((callback) => callback.message_id)).not.toContain(late);
});

test('a disposed sandbox leaves nothing that keeps the process alive', async () => {
  const url = (path: string) => JSON.stringify(new URL(path, import.meta.url).href);
  const script = `
    import { startReceiver } from ${url('./receiver.ts')};
    import { startTestSandbox } from ${url('./start.ts')};
    const receiver = await startReceiver(Array(100).fill(503));
    const sandbox = await startTestSandbox({ callbackUrl: receiver.url, callbackRetryMs: 60_000 });
    const hanging = sandbox.send({ client: 'hangs' }).catch(() => 'cut off');
    const early = sandbox.send({ client: 'early-callback' }).catch(() => 'cut off');
    await sandbox.accepted({ delay: '52w' });
    await sandbox.accepted();
    await receiver.received(2);
    await sandbox[Symbol.asyncDispose]();
    console.log(await hanging, await early);
    await receiver[Symbol.asyncDispose]();
  `;
  const run = promisify(execFile);
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script], { timeout: 20_000 });
  expect(stdout).toBe('cut off cut off\n');
});

test('GET /me answers 200 to its key', async () => {
  await using sandbox = await startTestSandbox();
  const headers = { authorization: `Bearer ${apiKey}` };
  const answer = await fetch(`${sandbox.baseUrl}/${business}/me`, { headers });
  expect([answer.status, await answer.json()]).toEqual([200, { success: true, data: { business } }]);
});
