import { expect, test } from 'vitest';
import { SendTextMessageDocument } from '../generated/operations.ts';
import { apiKeyEntry, writeApiKeys } from '../support/api-keys.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { connect, execute, type Result } from '../support/graphql-client.ts';
import { authEnv, createSigner } from '../support/signer.ts';

const input = { client: 'never-calls-back', textMessage: 'Hello' };
const one = 'mutation ($input: SendTextMessageInput!) { sendTextMessage(input: $input) { replayed } }';
const three = `mutation ($input: SendTextMessageInput!) {
  a: sendTextMessage(input: $input) { replayed }
  b: sendTextMessage(input: $input) { replayed }
  ...more
}
fragment more on Mutation { c: sendTextMessage(input: $input) { replayed } }`;

/** `sent`, or the code of the error. */
function told({ errors }: Result<unknown>): unknown {
  return errors?.[0]?.extensions?.['code'] ?? 'sent';
}

async function byHttp(
  { url }: TestGateway,
  { query = one, authorization, from }: { query?: string; authorization?: string; from?: string } = {},
): Promise<unknown> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(authorization && { authorization }),
      ...(from && { 'x-forwarded-for': from }),
    },
    body: JSON.stringify({ query, variables: { input } }),
  });
  return told((await response.json()) as Result<unknown>);
}

async function bySocket({ url }: TestGateway, authorization?: string): Promise<unknown> {
  await using client = connect(url, authorization);
  const { value } = await client.iterate({ query: one, variables: { input } }).next();
  return told(value as Result<unknown>);
}

test('SENDS_PER_MINUTE counts each text of a caller on both transports, aliases and fragments too', async () => {
  await using gateway = await startTestGateway({ env: { SENDS_PER_MINUTE: '5' } });
  expect(await byHttp(gateway, { query: three })).toBe('sent');
  expect([await bySocket(gateway), await byHttp(gateway)]).toEqual(['sent', 'sent']);
  expect([await byHttp(gateway), await bySocket(gateway)]).toEqual(Array(2).fill('TOO_MANY_REQUESTS'));
  expect(gateway.sandbox?.requests).toHaveLength(5);
  const { errors } = await execute(gateway.url, SendTextMessageDocument, { input });
  expect(errors?.[0]?.extensions).toEqual({
    code: 'TOO_MANY_REQUESTS',
    retryable: true,
    retryAfterSeconds: expect.toSatisfy((seconds) => seconds >= 1 && seconds <= 65),
  });
});

test('without it, the texts of a caller are unlimited', async () => {
  await using gateway = await startTestGateway();
  const sends = await Promise.all(Array.from({ length: 200 }, () => byHttp(gateway)));
  expect(new Set(sends)).toEqual(new Set(['sent']));
});

test('a caller is an API key by its name, also after a reload with another key, or the subject of a token', async () => {
  const signer = await createSigner();
  const everybody = { businesses: '*' };
  await using file = await writeApiKeys({
    crm: apiKeyEntry('crm-key', everybody),
    shop: apiKeyEntry('shop-key', everybody),
  });
  const env = { ...authEnv(signer), AUTH_API_KEYS_FILE: file.path, SENDS_PER_MINUTE: '1' };
  await using gateway = await startTestGateway({ env });
  const sendAs = (token: string) => byHttp(gateway, { authorization: `Bearer ${token}` });
  const tokenOf = (sub?: unknown, jti = '') => signer.sign({ ...everybody, sub, jti });

  expect([await sendAs('crm-key'), await sendAs('crm-key')]).toEqual(['sent', 'TOO_MANY_REQUESTS']);
  expect(await bySocket(gateway, 'Bearer crm-key')).toBe('TOO_MANY_REQUESTS');
  expect(await sendAs('shop-key')).toBe('sent');
  expect([await sendAs(await tokenOf('anna')), await sendAs(await tokenOf('anna', 'another'))]).toEqual([
    'sent',
    'TOO_MANY_REQUESTS',
  ]);
  expect(await sendAs(await tokenOf('crm'))).toBe('sent');
  expect(await sendAs(await tokenOf('key crm'))).toBe('sent');
  // Without a subject, and with one that is none, it is the address.
  expect([await sendAs(await tokenOf()), await sendAs(await tokenOf(''))]).toEqual([
    'sent',
    'TOO_MANY_REQUESTS',
  ]);

  await file.write({
    crm: apiKeyEntry('rotated-key', everybody),
    renamed: apiKeyEntry('shop-key', everybody),
  });
  await gateway.reload();
  expect(await sendAs('rotated-key')).toBe('TOO_MANY_REQUESTS');
  expect([await sendAs('shop-key'), await sendAs('shop-key')]).toEqual(['sent', 'TOO_MANY_REQUESTS']);
});

test('where nobody is asked a caller is an address, past the proxies that are trusted', async () => {
  await using gateway = await startTestGateway({ env: { SENDS_PER_MINUTE: '1', TRUST_PROXY: '127.0.0.1' } });
  const sendFrom = (from: string) => byHttp(gateway, { from });
  expect(await Promise.all(['192.0.2.1', '192.0.2.2', '2001:db8::1'].map(sendFrom))).toEqual(
    Array(3).fill('sent'),
  );
  // One network of 64 bits is one address.
  for (const from of ['192.0.2.1', '198.51.100.7, 192.0.2.2', '2001:db8::ffff'])
    expect(await sendFrom(from)).toBe('TOO_MANY_REQUESTS');
  expect(await sendFrom('2001:db8:0:1::1')).toBe('sent');
});
