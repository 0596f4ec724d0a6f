import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { openAccountBook } from '../src/account-book.ts';
import { parseConfig } from '../src/config.ts';
import { startGateway } from '../src/gateway.ts';
import { MessageDocument, MessageStatusDocument, SendTextMessageDocument } from './generated/operations.ts';
import { startHttpPeer } from './pingup/support/peers.ts';
import { acceptedAs } from './pingup/support/pingup.ts';
import { temporaryDirectory } from './store/sqlite-test-store.ts';
import { entryOf, startAccountsFile, tokenOf } from './support/accounts-file.ts';
import { apiKeyEntry, writeApiKeys } from './support/api-keys.ts';
import { startGatewayProcess } from './support/gateway-process.ts';
import { connect, dataOf, execute, payloadOf, subscribe } from './support/graphql-client.ts';
import { putPipe, whenRead } from './support/named-pipe.ts';
import { testWith } from './support/programs.ts';

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
    const isSlow = body.includes('"client":"slow"');
    if (isSlow) await slow.promise;
    const isFormer = headers.authorization === 'Bearer key-of-acme';
    response.end(acceptedAs(isSlow ? 'slow' : isFormer ? 'id-1' : 'id-2'));
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
  expect(payloadOf(await underWay).message.id).toBe('slow');
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

test('SIGHUP without a file to reload says so, and the gateway serves on', async () => {
  await using directory = await temporaryDirectory();
  await using gateway = await startGatewayProcess({}, directory.path);
  gateway.process.kill('SIGHUP');
  await expect
    .poll(gateway.output)
    .toMatch(/"level":40,.*"msg":"nothing to reload: neither PINGUP_ACCOUNTS_/);
  expect((await fetch(`${gateway.url}/healthz`)).status).toBe(200);
  expect(await gateway.end('SIGTERM')).toEqual([0, null]);
});

testWith(
  'mkfifo',

  'of two SIGHUPs at once, the second one’s file stands: an API key that it revokes stays revoked',
  {},
  async () => {
    await using directory = await temporaryDirectory();
    const kept = { shop: apiKeyEntry('shop-key') };
    const crm = apiKeyEntry('crm-key', { businesses: '*' });
    await using file = await writeApiKeys({ crm: { ...crm, scopes: ['messages:read'] }, ...kept });
    await using gateway = await startGatewayProcess({ AUTH_API_KEYS_FILE: file.path }, directory.path);
    const codeOf = async () => {
      const { errors } = await execute(gateway.url, MessageDocument, { id: 'm' }, 'Bearer crm-key');
      return errors?.[0]?.extensions?.['code'];
    };
    expect(await codeOf()).toBeUndefined();
    await putPipe(file.path);
    gateway.process.kill('SIGHUP');
    const slow = await whenRead(file.path);
    await rm(file.path);
    await file.write(kept);
    gateway.process.kill('SIGHUP');
    // Requests that it has answered since show that it has heard the second signal.
    for (let asked = 0; asked < 20; asked += 1) await codeOf();
    await slow.writeFile(JSON.stringify({ crm, ...kept }));
    await slow.close();
    await expect.poll(() => gateway.output().match(/the API keys were read again/g)).toHaveLength(2);
    expect(await codeOf()).toBe('UNAUTHENTICATED');
  },
);

testWith(
  'mkfifo',

  'signals during the start are not lost: the file is read again once it has started, then it drains',
  {},
  async () => {
    await using directory = await temporaryDirectory();
    await using file = await startAccountsFile({});
    await putPipe(file.path);
    let send: (signal: NodeJS.Signals) => void = () => undefined;
    const starting = startGatewayProcess({ PINGUP_ACCOUNTS_FILE: file.path }, directory.path, (child) => {
      send = (signal) => child.kill(signal);
    });
    const slow = await whenRead(file.path);
    send('SIGHUP');
    await rm(file.path);
    await file.write({ acme: entryOf('acme'), beta: entryOf('beta') });
    await slow.writeFile(JSON.stringify({ acme: entryOf('acme') }));
    await slow.close();
    await using gateway = await starting;
    await expect.poll(gateway.output).toContain('"added":["beta"]');
    expect(await gateway.end('SIGTERM')).toEqual([0, null]);
  },
);

testWith('mkfifo', 'a SIGTERM during the start drains as soon as it has started', {}, async () => {
  await using directory = await temporaryDirectory();
  await using file = await startAccountsFile({});
  await putPipe(file.path);
  const exited = Promise.withResolvers<unknown[]>();
  let send: (signal: NodeJS.Signals) => void = () => undefined;
  const starting = startGatewayProcess({ PINGUP_ACCOUNTS_FILE: file.path }, directory.path, (child) => {
    send = (signal) => child.kill(signal);
    child.on('exit', (...how) => exited.resolve(how));
  });
  const slow = await whenRead(file.path);
  send('SIGTERM');
  await slow.writeFile(JSON.stringify({ acme: entryOf('acme') }));
  await slow.close();
  await using gateway = await starting;
  expect(await exited.promise).toEqual([0, null]);
  await expect.poll(gateway.output).toContain('"msg":"stopped"');
});

test('SIGHUP during a drain is heard, and cuts nothing off', async () => {
  const answer = Promise.withResolvers<void>();
  await using pingup = await startHttpPeer(async (_request, response) => {
    await answer.promise;
    response.end(acceptedAs('id-1'));
  });
  await using directory = await temporaryDirectory();
  await using file = await startAccountsFile({ acme: entryOf('acme') });
  const env = { PINGUP_ACCOUNTS_FILE: file.path, PINGUP_BASE_URL: pingup.url };
  await using gateway = await startGatewayProcess(env, directory.path);
  const input = { client: 'anna', textMessage: 'Hello' };
  const send = execute(gateway.url, SendTextMessageDocument, { input });
  await expect.poll(() => pingup.requests.length).toBe(1);
  const ended = gateway.end('SIGTERM');
  await expect.poll(async () => (await fetch(`${gateway.url}/readyz`)).status).toBe(503);
  await file.write({ beta: entryOf('beta') });
  gateway.process.kill('SIGHUP');
  await expect.poll(gateway.output).toContain('"added":["beta"],"removed":["acme"]');
  answer.resolve();
  expect(payloadOf(await send).message.id).toBe('id-1');
  expect(await ended).toEqual([0, null]);
});

test('a reload that fails unexpectedly is logged, rejects nothing, and the other file is read all the same', async () => {
  await using directory = await temporaryDirectory();
  await using accountsFile = await startAccountsFile({ acme: entryOf('acme') });
  await using keysFile = await writeApiKeys({ crm: apiKeyEntry('crm-key') });
  const config = parseConfig({
    PORT: '0',
    STORE_URL: `sqlite:${directory.file('gateway.db')}`,
    PINGUP_ACCOUNTS_FILE: accountsFile.path,
    AUTH_API_KEYS_FILE: keysFile.path,
  });
  const lines: string[] = [];
  const log = pino({}, { write: (line: string) => void lines.push(line) });
  const accounts = await openAccountBook(config.accounts);
  const failing = { ...accounts, reload: () => Promise.reject(new TypeError('a fault')) };
  await using gateway = await startGateway(config, failing, log);
  await keysFile.write({});
  await gateway.reload();
  expect(lines.filter((line) => line.includes('a fault') && line.includes('"level":50'))).toHaveLength(1);
  const { errors } = await execute(gateway.url, MessageDocument, { id: 'm' }, 'Bearer crm-key');
  expect(errors?.[0]?.extensions?.['code']).toBe('UNAUTHENTICATED');
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
