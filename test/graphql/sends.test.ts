import type { ServerResponse } from 'node:http';
import { DatabaseSync } from 'node:sqlite';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { startSandbox } from '../../src/sandbox/sandbox.ts';
import { SendsDocument, SendTextMessageDocument } from '../generated/operations.ts';
import { temporaryDirectory } from '../store/sqlite-test-store.ts';
import { badPages } from '../support/bad-pages.ts';
import { startTestGateway } from '../support/gateway.ts';
import { startGatewayProcess } from '../support/gateway-process.ts';
import { dataOf, execute, payloadOf } from '../support/graphql-client.ts';
import { accept, rateLimit, startScriptedPingup } from '../support/scripted-pingup.ts';

const env = { PINGUP_TIMEOUT_MS: '300' };

async function listSends({ url }: { url: string }, variables: object = {}) {
  const { sends } = dataOf(await execute(url, SendsDocument, variables));
  return { ...sends, nodes: sends.edges.map((edge) => edge.node) };
}

function send({ url }: { url: string }, input: object = {}) {
  const text = { client: 'never-calls-back', textMessage: 'Hello' };
  return execute(url, SendTextMessageDocument, { input: { ...text, ...input } });
}

test('every send is listed, newest first, with when, to whom, outcome, error and message', async () => {
  await using gateway = await startTestGateway({ env });
  const before = Date.now();
  await send(gateway, { client: 'conversation-closed' });
  await send(gateway, { client: 'resets', clientPhone: '+39 312 123 4567', clientName: 'Anna' });
  const id = await gateway.send();
  const { nodes } = await listSends(gateway);
  expect(nodes).toMatchObject([
    {
      client: 'never-calls-back',
      outcome: 'ACCEPTED',
      errorCode: null,
      messageId: id,
      message: { id, status: 'ACCEPTED' },
    },
    {
      client: 'resets',
      clientPhone: '393121234567',
      clientName: 'Anna',
      outcome: 'UNKNOWN',
      errorCode: 'SEND_OUTCOME_UNKNOWN',
      messageId: null,
      message: null,
    },
    { client: 'conversation-closed', outcome: 'REJECTED', errorCode: 'PINGUP_REJECTED', messageId: null },
  ]);
  for (const { at, settledAt } of nodes) {
    expect(Date.parse(at)).toBeGreaterThanOrEqual(before);
    expect(Date.parse(String(settledAt))).toBeGreaterThanOrEqual(Date.parse(at));
  }
});

test('a send is in the books as PENDING before it is answered', async () => {
  await using gateway = await startTestGateway({ env: { PINGUP_TIMEOUT_MS: '1000' } });
  const sent = send(gateway, { client: 'hangs' });
  await expect.poll(() => gateway.sandbox?.requests.length).toBe(1);
  expect((await listSends(gateway, { outcome: ['PENDING'] })).nodes).toMatchObject([
    { client: 'hangs', outcome: 'PENDING', settledAt: null, errorCode: null },
  ]);
  await sent;
  expect((await listSends(gateway, { outcome: ['PENDING'] })).nodes).toEqual([]);
});

test('Pingup gives two sends one id: the second is UNKNOWN with that id, logged and counted, and the message is the first', async () => {
  await using pingup = await startScriptedPingup(accept);
  const lines: { level: number; msg: string; business?: string }[] = [];
  const log = pino({}, { write: (line) => lines.push(JSON.parse(line)) });
  await using gateway = await startTestGateway({ env: pingup.env, log });
  const id = await gateway.send({ client: 'first' });
  const { errors } = await send(gateway, { client: 'second' });
  expect(errors?.[0]?.extensions).toMatchObject({ code: 'SEND_OUTCOME_UNKNOWN', retryable: false });
  expect((await gateway.callBack({ message_id: id, status: 'read' })).status).toBe(200);
  expect((await listSends(gateway)).nodes).toMatchObject([
    { client: 'second', outcome: 'UNKNOWN', errorCode: 'SEND_OUTCOME_UNKNOWN', messageId: id, message: null },
    { client: 'first', outcome: 'ACCEPTED', messageId: id, message: { id, status: 'READ' } },
  ]);
  expect(lines.filter(({ msg }) => msg.includes('another send'))).toMatchObject([
    { level: 40, business: 'acme', msg: expect.stringContaining(JSON.stringify(id)) },
  ]);
  const metrics = await (await fetch(gateway.metricsUrl)).text();
  expect(metrics).toContain('gateway_store_events_total{event="messageIdRepeated"} 1');
});

test('sends can be asked for by outcome, a page at a time', async () => {
  await using gateway = await startTestGateway({ env });
  await send(gateway, { client: 'conversation-closed' });
  for (let count = 0; count < 3; count += 1) await gateway.send();
  const { edges } = await listSends(gateway);

  const page = await listSends(gateway, { outcome: ['ACCEPTED'], first: 2 });
  expect(page.edges).toEqual(edges.slice(0, 2));
  expect(page.pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: false });
  const rest = await listSends(gateway, { outcome: ['ACCEPTED'], after: page.pageInfo.endCursor });
  expect(rest.edges).toEqual(edges.slice(2, 3));
  expect(rest.pageInfo).toMatchObject({ hasNextPage: false, hasPreviousPage: true });
  expect((await listSends(gateway, { outcome: ['REJECTED', 'UNKNOWN'] })).edges).toEqual(edges.slice(3));
});

test.each(badPages)('%s is BAD_USER_INPUT', async (_what, variables, path) => {
  await using gateway = await startTestGateway();
  const result = await execute(gateway.url, SendsDocument, variables);
  expect(result.errors?.[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', faults: [{ path }] });
});

test('kill -9 between the POST and the answer: the send is UNKNOWN after the restart, and a repeat with its key never sends', async () => {
  await using directory = await temporaryDirectory();
  await using sandbox = await startSandbox({ business: 'acme', apiKey: 'key', callbackUrl: null });
  const account = {
    PINGUP_API_KEY: 'key',
    PINGUP_BUSINESS_NAME: 'acme',
    PINGUP_BASE_URL: sandbox.baseUrl,
    CALLBACK_TOKEN: 'a-token-of-24-characters',
    STORE_URL: `sqlite:${directory.file('gateway.db')}`,
  };
  const input = { client: 'hangs', idempotencyKey: 'k' };
  {
    await using gateway = await startGatewayProcess(account);
    const lost = send(gateway, input).catch(() => undefined);
    await expect.poll(() => sandbox.requests.length).toBe(1);
    await gateway.end('SIGKILL');
    await lost;
  }
  await using gateway = await startGatewayProcess(account);
  expect((await listSends(gateway, { outcome: ['UNKNOWN'] })).nodes).toMatchObject([
    { client: 'hangs', outcome: 'UNKNOWN', errorCode: 'SEND_OUTCOME_UNKNOWN', settledAt: expect.any(String) },
  ]);
  expect((await send(gateway, input)).errors?.[0]?.extensions).toMatchObject({
    code: 'SEND_OUTCOME_UNKNOWN',
  });
  expect(sandbox.requests).toHaveLength(1);
});

/** A Pingup that takes the database away from the gateway while it answers, and gives it back when told to. */
async function startThief(path: string, answer: (response: ServerResponse) => void) {
  let lock: DatabaseSync | undefined;
  const pingup = await startScriptedPingup((response) => {
    lock ??= new DatabaseSync(path, { timeout: 1_000 });
    lock.exec('BEGIN IMMEDIATE');
    answer(response);
  });
  return { pingup, giveBack: () => lock?.exec('ROLLBACK') };
}

test('an acceptance that could not be written down is SEND_OUTCOME_UNKNOWN, then UNKNOWN, and a repeat never sends', async () => {
  await using directory = await temporaryDirectory();
  const path = directory.file('gateway.db');
  const { pingup, giveBack } = await startThief(path, accept);
  await using scripted = pingup;
  const account = { ...scripted.env, STORE_URL: `sqlite:${path}` };
  {
    await using gateway = await startTestGateway({ env: { ...account, PINGUP_TIMEOUT_MS: '2000' } });
    const result = await send(gateway, { idempotencyKey: 'k' });
    expect(result.errors?.[0]?.extensions).toEqual({ code: 'SEND_OUTCOME_UNKNOWN', retryable: false });
    giveBack();
    expect((await listSends(gateway)).nodes).toMatchObject([{ outcome: 'PENDING' }]);
  }
  await using gateway = await startTestGateway({ env: account });
  expect((await listSends(gateway)).nodes).toMatchObject([{ outcome: 'UNKNOWN', messageId: null }]);
  const repeated = await send(gateway, { idempotencyKey: 'k' });
  expect(repeated.errors?.[0]?.extensions).toMatchObject({ code: 'SEND_OUTCOME_UNKNOWN' });
  expect(scripted.arrived).toBe(1);
});

test('a moment without a store does not lose an acceptance: it is written down as soon as there is one again', async () => {
  await using directory = await temporaryDirectory();
  const path = directory.file('gateway.db');
  const { pingup, giveBack } = await startThief(path, accept);
  await using scripted = pingup;
  await using gateway = await startTestGateway({ env: { ...scripted.env, STORE_URL: `sqlite:${path}` } });
  const sent = send(gateway);
  await expect.poll(async () => (await fetch(`${gateway.url}/readyz`)).status).toBe(503);
  giveBack();
  expect(payloadOf(await sent).message).toMatchObject({ id: 'scripted', status: 'ACCEPTED' });
  expect((await listSends(gateway)).nodes).toMatchObject([{ outcome: 'ACCEPTED', messageId: 'scripted' }]);
});

test('a moment without a store does not keep the key of a send that certainly never left', async () => {
  await using directory = await temporaryDirectory();
  const path = directory.file('gateway.db');
  const { pingup, giveBack } = await startThief(path, rateLimit);
  await using scripted = pingup;
  await using gateway = await startTestGateway({ env: { ...scripted.env, STORE_URL: `sqlite:${path}` } });
  const result = await send(gateway, { idempotencyKey: 'k' });
  expect(result.errors?.[0]?.extensions).toMatchObject({ code: 'PINGUP_RATE_LIMITED', retryable: true });
  giveBack();
  const outcomes = async () => (await listSends(gateway)).nodes.map(({ outcome }) => outcome);
  await expect.poll(outcomes).toEqual(['NOT_SENT']);
});
