import fc from 'fast-check';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { MessageDocument, MessageStatusDocument, SendTextMessageDocument } from './generated/operations.ts';
import { type HttpPeer, startHttpPeer } from './pingup/support/peers.ts';
import { acceptedAs } from './pingup/support/pingup.ts';
import { entryOf, startAccountsFile, tokenOf } from './support/accounts-file.ts';
import { startTestGateway, type TestGateway } from './support/gateway.ts';
import { connect, dataOf, execute, payloadOf, subscribe } from './support/graphql-client.ts';

/** A Pingup that numbers the messages of each business, so that several have one of each id. */
function startPingup(): Promise<HttpPeer> {
  const taken = new Map<string | undefined, number>();
  return startHttpPeer(({ url }, response) => {
    const number = (taken.get(url) ?? 0) + 1;
    taken.set(url, number);
    response.end(acceptedAs(`id-${number}`));
  });
}

async function send({ url }: TestGateway, business?: string) {
  return execute(url, SendTextMessageDocument, { input: { business, client: 'c', textMessage: 'Hello' } });
}

async function codeOfSend(gateway: TestGateway, business?: string): Promise<unknown> {
  const { errors } = await send(gateway, business);
  return errors?.[0]?.extensions?.['code'] ?? 'sent';
}

function callBack(
  { callbackBase }: TestGateway,
  business: string,
  token = tokenOf(business),
  status = 'read',
) {
  return fetch(`${callbackBase}/${business}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ message_id: 'id-1', status }),
  });
}

async function statusOf({ url }: TestGateway, business: string): Promise<string | undefined> {
  return dataOf(await execute(url, MessageDocument, { id: 'id-1', business })).message?.status;
}

test('one message id in two businesses is two messages, and a callback of one never touches the other’s', async () => {
  await using pingup = await startPingup();
  await using file = await startAccountsFile({ acme: entryOf('acme'), beta: entryOf('beta') });
  const env = { PINGUP_ACCOUNTS_FILE: file.path, PINGUP_BASE_URL: pingup.url };
  await using gateway = await startTestGateway({ env });
  await using client = connect(gateway.url);
  for (const business of ['acme', 'beta'])
    expect(payloadOf(await send(gateway, business)).message).toMatchObject({
      id: 'id-1',
      business,
    });
  const watched = subscribe(client, MessageStatusDocument, { messageId: 'id-1', business: 'beta' });
  expect(dataOf((await watched.next()).value).messageStatus).toMatchObject({ business: 'beta', revision: 1 });

  expect((await callBack(gateway, 'acme')).status).toBe(200);
  expect((await callBack(gateway, 'beta', tokenOf('acme'))).status).toBe(401);
  expect([await statusOf(gateway, 'acme'), await statusOf(gateway, 'beta')]).toEqual(['READ', 'ACCEPTED']);
  expect((await callBack(gateway, 'beta', tokenOf('beta'), 'sent')).status).toBe(200);
  // The next state is beta's own: none came between.
  expect(dataOf((await watched.next()).value).messageStatus).toMatchObject({ status: 'SENT', revision: 2 });
  expect(await statusOf(gateway, 'acme')).toBe('READ');
});

test('who may act for several businesses names one; another name is FORBIDDEN, and nothing leaves', async () => {
  await using pingup = await startPingup();
  await using file = await startAccountsFile({ acme: entryOf('acme'), beta: entryOf('beta') });
  const env = { PINGUP_ACCOUNTS_FILE: file.path, PINGUP_BASE_URL: pingup.url };
  await using gateway = await startTestGateway({ env });
  const { errors } = await send(gateway);
  expect(errors?.[0]?.extensions).toMatchObject({
    code: 'BAD_USER_INPUT',
    faults: [{ path: ['input', 'business'], expected: expect.stringContaining('acme, beta') }],
  });
  for (const business of ['gamma', '../acme', ''])
    expect(await codeOfSend(gateway, business)).toBe('FORBIDDEN');
  expect(pingup.requests).toEqual([]);
  expect(await codeOfSend(gateway, 'beta')).toBe('sent');
  expect(pingup.requests.map(({ url }) => url)).toEqual(['/beta/messages']);
});

test('each send carries the callback address of its own business, where it is to', async () => {
  await using pingup = await startPingup();
  await using file = await startAccountsFile({ beta: entryOf('beta') });
  await using gateway = await startTestGateway({
    env: {
      PINGUP_API_KEY: 'key',
      PINGUP_BUSINESS_NAME: 'acme',
      CALLBACK_TOKEN: tokenOf('acme'),
      PINGUP_ACCOUNTS_FILE: file.path,
      PINGUP_BASE_URL: pingup.url,
      PINGUP_SEND_CALLBACK_URL: 'true',
      PUBLIC_URL: 'https://gateway.example/pingup/',
    },
  });
  for (const business of ['acme', 'beta']) expect(await codeOfSend(gateway, business)).toBe('sent');
  expect(pingup.requests.map(({ body }) => JSON.parse(body).callback_url)).toEqual(
    ['acme', 'beta'].map(
      (business) => `https://gateway.example/pingup/callbacks/pingup/${business}/${tokenOf(business)}`,
    ),
  );
});

test('a new token is taken from the reload on, beside the old one for as long as both are in the file', async () => {
  await using file = await startAccountsFile({ acme: entryOf('acme') });
  await using gateway = await startTestGateway({ env: { PINGUP_ACCOUNTS_FILE: file.path } });
  const next = 'the-token-that-comes-after-it';
  async function answers(): Promise<number[]> {
    const all = [await callBack(gateway, 'acme'), await callBack(gateway, 'acme', next)];
    return all.map(({ status }) => status);
  }
  expect(await answers()).toEqual([200, 401]);
  for (const [callbackTokens, expected] of [
    [
      [next, tokenOf('acme')],
      [200, 200],
    ],
    [[next], [401, 200]],
  ]) {
    await file.write({ acme: entryOf('acme', { callbackTokens }) });
    await gateway.reload();
    expect(await answers()).toEqual(expected);
  }
});

test('a business that a reload takes away is FORBIDDEN, its callbacks 401, its metrics gone; when it is back, so is all', async () => {
  await using pingup = await startPingup();
  const both = { acme: entryOf('acme'), beta: entryOf('beta') };
  await using file = await startAccountsFile(both);
  const env = { PINGUP_ACCOUNTS_FILE: file.path, PINGUP_BASE_URL: pingup.url };
  await using gateway = await startTestGateway({ env });
  await send(gateway, 'beta');
  const shown = async () => {
    const [ready, metrics] = await Promise.all([fetch(`${gateway.url}/readyz`), fetch(gateway.metricsUrl)]);
    const { pingup: health } = (await ready.json()) as { pingup: object };
    return [
      Object.keys(health),
      (await metrics.text()).includes('gateway_pingup_queued_sends{business="beta"} 0'),
    ];
  };
  expect(await shown()).toEqual([['acme', 'beta'], true]);

  await file.write({ acme: both.acme });
  await gateway.reload();
  expect(await codeOfSend(gateway, 'beta')).toBe('FORBIDDEN');
  const { errors } = await execute(gateway.url, MessageDocument, { id: 'id-1', business: 'beta' });
  expect(errors?.[0]?.extensions?.['code']).toBe('FORBIDDEN');
  expect((await callBack(gateway, 'beta')).status).toBe(401);
  expect(await codeOfSend(gateway)).toBe('sent');
  expect(await shown()).toEqual([['acme'], false]);

  await file.write(both);
  await gateway.reload();
  expect(await codeOfSend(gateway, 'beta')).toBe('sent');
  expect((await callBack(gateway, 'beta')).status).toBe(200);
  expect(await statusOf(gateway, 'beta')).toBe('READ');
});

test('what a reload did is logged by the names of businesses, and a faulty file by its faults and to no effect', async () => {
  const lines: string[] = [];
  const log = pino({ level: 'info' }, { write: (line) => lines.push(line) });
  const told = () => lines.map((line) => JSON.parse(line)).filter(({ msg }) => /accounts file/.test(msg));
  await using file = await startAccountsFile({ acme: entryOf('acme'), beta: entryOf('beta') });
  await using gateway = await startTestGateway({ log, env: { PINGUP_ACCOUNTS_FILE: file.path } });
  await file.write({ acme: entryOf('acme', { apiKey: 'se cret' }), gamma: entryOf('gamma') });
  await gateway.reload();
  expect(told()).toMatchObject([
    { level: 50, faults: [expect.stringMatching(/^PINGUP_ACCOUNTS_FILE: acme\.apiKey: expected/)] },
  ]);
  expect([(await callBack(gateway, 'beta')).status, (await callBack(gateway, 'gamma')).status]).toEqual([
    200, 401,
  ]);
  await file.write({ acme: entryOf('acme', { apiKey: 'another-key' }), gamma: entryOf('gamma') });
  await gateway.reload();
  expect(told().at(-1)).toMatchObject({ level: 30, added: ['gamma'], removed: ['beta'], changed: ['acme'] });
  expect((await callBack(gateway, 'gamma')).status).toBe(200);
  expect(lines.join('')).not.toMatch(/se cret|another-key|a-callback-token/);
});

test('whatever comes to the doors of two businesses, what is answered 200 is found, and only in its own', async () => {
  await using file = await startAccountsFile({ acme: entryOf('acme'), beta: entryOf('beta') });
  await using gateway = await startTestGateway({ env: { PINGUP_ACCOUNTS_FILE: file.path } });
  const businesses = ['acme', 'beta'] as const;
  const callback = fc.record({
    address: fc.constantFrom(...businesses),
    token: fc.constantFrom(...businesses, 'nobody'),
    id: fc.constantFrom('1', '2', '3', '4'),
    status: fc.constantFrom('sent', 'delivered', 'read', 'failed', 'lost'),
  });
  const recorded = new Map<string, Set<string>>();
  await fc.assert(
    fc.asyncProperty(callback, async ({ address, token, id, status }) => {
      const response = await fetch(`${gateway.callbackBase}/${address}/${tokenOf(token)}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ message_id: id, status }),
      });
      const expected = status === 'lost' ? 422 : 200;
      expect(response.status).toBe(address === token ? expected : 401);
      if (response.status !== 200) return;
      const key = `${address}/${id}`;
      recorded.set(key, (recorded.get(key) ?? new Set()).add(status));
    }),
    { numRuns: 500 },
  );
  for (const business of businesses) {
    for (const id of ['1', '2', '3', '4']) {
      const { message } = dataOf(await execute(gateway.url, MessageDocument, { id, business }));
      const words = message?.history.map(({ rawStatus }) => rawStatus) ?? [];
      expect(new Set(words)).toEqual(recorded.get(`${business}/${id}`) ?? new Set());
    }
  }
});
