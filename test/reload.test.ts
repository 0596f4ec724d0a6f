import { once } from 'node:events';
import { expect, test } from 'vitest';
import { MessageStatusDocument, SendTextMessageDocument } from './generated/operations.ts';
import { startHttpPeer } from './pingup/support/peers.ts';
import { accepted } from './pingup/support/pingup.ts';
import { temporaryDirectory } from './store/sqlite-test-store.ts';
import { entryOf, startAccountsFile, tokenOf } from './support/accounts-file.ts';
import { startGatewayProcess } from './support/gateway-process.ts';
import { connect, dataOf, execute, payloadOf, subscribe } from './support/graphql-client.ts';

function callBack(url: string, business: string, status: string): Promise<Response> {
  return fetch(`${url}/callbacks/pingup/${business}/${tokenOf(business)}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ message_id: 'id-1', status }),
  });
}

test('SIGHUP reads the accounts file again; the socket, its subscription and the send under way live through it', async () => {
  const slow = Promise.withResolvers<void>();
  await using pingup = await startHttpPeer(async ({ body, headers }, response) => {
    if (body.includes('"client":"slow"')) await slow.promise;
    response.end(
      headers.authorization === 'Bearer key-of-acme' ? accepted : accepted.replace('id-1', 'id-2'),
    );
  });
  await using directory = await temporaryDirectory();
  await using file = await startAccountsFile({ acme: entryOf('acme') });
  const env = {
    PINGUP_ACCOUNTS_FILE: file.path,
    PINGUP_BASE_URL: pingup.url,
    STORE_URL: `sqlite:${directory.file('gateway.db')}`,
    LOG_LEVEL: 'trace',
  };
  await using gateway = await startGatewayProcess(env, directory.path);
  const { url } = gateway;
  const send = (client: string, business?: string) =>
    execute(url, SendTextMessageDocument, { input: { client, business, textMessage: 'Hello' } });

  await using client = connect(url);
  let closed = 0;
  client.on('closed', () => (closed += 1));
  dataOf(await send('anna'));
  const states = subscribe(client, MessageStatusDocument, { messageId: 'id-1', business: 'acme' });
  expect(dataOf((await states.next()).value).messageStatus.status).toBe('ACCEPTED');
  const underWay = send('slow');
  await expect.poll(() => pingup.requests.length).toBe(2);

  await file.write({ acme: entryOf('acme', { apiKey: 'rotated-key' }), beta: entryOf('beta') });
  gateway.process.kill('SIGHUP');
  await expect.poll(gateway.output).toContain('"added":["beta"],"removed":[],"changed":["acme"]');

  expect(payloadOf(await send('anna', 'acme')).message.id).toBe('id-2');
  slow.resolve();
  expect(payloadOf(await underWay).message.id).toBe('id-1');
  expect((await callBack(url, 'beta', 'sent')).status).toBe(200);
  expect((await callBack(url, 'acme', 'sent')).status).toBe(200);
  expect(dataOf((await states.next()).value).messageStatus.status).toBe('SENT');

  await file.write({ acme: { apiKey: 'se cret', callbackTokens: [] } });
  gateway.process.kill('SIGHUP');
  await expect.poll(gateway.output).toContain('nothing has changed');
  expect((await callBack(url, 'acme', 'read')).status).toBe(200);
  expect(dataOf((await states.next()).value).messageStatus.status).toBe('READ');
  expect(closed).toBe(0);
  expect(await gateway.end('SIGTERM')).toEqual([0, null]);
  expect(gateway.output()).toContain(`callbacks: ${url}/callbacks/pingup/<business>/<token>, for acme`);
  expect(gateway.output()).not.toMatch(/se cret|rotated-key|key-of-|a-callback-token/);
});

test('a secret that a reload brings is struck out of the log like those of the start', async () => {
  await using directory = await temporaryDirectory();
  await using file = await startAccountsFile({ acme: entryOf('acme') });
  const env = { PINGUP_ACCOUNTS_FILE: file.path, LOG_LEVEL: 'trace', ...thatLogs(tokenOf('later')) };
  await using gateway = await startGatewayProcess(env, directory.path);
  const told = () => gateway.output().match(/"message":"told [^"]*"/g);
  await file.write({ acme: entryOf('acme'), later: entryOf('later') });
  gateway.process.kill('SIGHUP');
  await expect.poll(gateway.output).toContain('"added":["later"]');
  const exited = once(gateway.process, 'exit');
  gateway.process.kill('SIGUSR2');
  await exited;
  await expect.poll(told).toEqual(['"message":"told [secret]"']);
});

test('without an accounts file SIGHUP ends the process, as when a terminal is closed', async () => {
  await using directory = await temporaryDirectory();
  await using gateway = await startGatewayProcess({}, directory.path);
  expect(await gateway.end('SIGHUP')).toEqual([null, 'SIGHUP']);
});

test('what is wrong with the accounts file is one message with all faults and no secret, and exit 1', async () => {
  await using file = await startAccountsFile({
    acme: { apiKey: 'se cret', callbackTokens: ['hush'] },
    '../beta': entryOf('beta'),
  });
  const start = startGatewayProcess({ PINGUP_ACCOUNTS_FILE: file.path });
  const ended: unknown = await start.catch((error: unknown) => error);
  expect(String(ended)).toMatch(/ended with 1/);
  for (const place of ['acme.apiKey', 'acme.callbackTokens[0]', '"../beta"'])
    expect(String(ended)).toContain(`${place}: expected`);
  expect(String(ended)).not.toMatch(/se cret|hush/);
});

/** Variables of a process that ends by an error with this text in its message, once it gets SIGUSR2. */
function thatLogs(text: string): Record<string, string> {
  const onSignal = `process.on('SIGUSR2', () => { throw new Error('told ${text}'); })`;
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(onSignal)}` };
}
