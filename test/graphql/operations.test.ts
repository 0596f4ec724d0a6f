import { expect, test } from 'vitest';
import {
  DeleteQuarantinedCallbacksDocument,
  ForgetClientDocument,
  type ForgetClientInput,
  MessageDocument,
  MessageStatusDocument,
  QuarantinedCallbacksDocument,
  ReplayCallbackDocument,
  SendsDocument,
} from '../generated/operations.ts';
import { temporaryDirectory } from '../store/sqlite-test-store.ts';
import { badPages } from '../support/bad-pages.ts';
import { startTestGateway } from '../support/gateway.ts';
import { connect, dataOf, execute, subscribe } from '../support/graphql-client.ts';

type Address = { readonly url: string };

async function quarantinedAt({ url }: Address) {
  const { quarantinedCallbacks } = dataOf(await execute(url, QuarantinedCallbacksDocument, {}));
  return quarantinedCallbacks.edges.map((edge) => edge.node);
}

async function replay({ url }: Address, id: string) {
  return dataOf(await execute(url, ReplayCallbackDocument, { id })).replayCallback;
}

function forget({ url }: Address, input: ForgetClientInput) {
  return execute(url, ForgetClientDocument, { input });
}

test('what was not understood is listed with its body, the reason, and how often it came', async () => {
  await using gateway = await startTestGateway();
  const body = { message_id: 'm', status: 'undelivered' };
  for (const _ of [1, 2]) expect((await gateway.callBack(body)).status).toBe(422);
  const [callback, ...others] = await quarantinedAt(gateway);
  expect(others).toEqual([]);
  expect(callback).toMatchObject({ business: 'sandbox', raw: JSON.stringify(body), times: 2 });
  expect(callback?.reason).toContain('a status at /status');
});

test.each(badPages)('%s of quarantined callbacks is BAD_USER_INPUT', async (_what, args, path) => {
  await using gateway = await startTestGateway();
  const result = await execute(gateway.url, QuarantinedCallbacksDocument, args);
  expect(result.errors?.[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', faults: [{ path }] });
});

test('once the map of statuses is corrected, a replay records it as of when it came, pushes it, and empties the quarantine', async () => {
  await using directory = await temporaryDirectory();
  const STORE_URL = `sqlite:${directory.file('gateway.db')}`;
  let came: string;
  {
    await using gateway = await startTestGateway({ env: { STORE_URL } });
    await gateway.callBack([
      { message_id: 'm', status: 'sent' },
      { message_id: 'm', status: 'undelivered' },
    ]);
    came = String((await quarantinedAt(gateway))[0]?.receivedAt);
  }
  const env = { STORE_URL, CALLBACK_STATUS_MAP: 'undelivered=FAILED' };
  await using gateway = await startTestGateway({ env });
  await using client = connect(gateway.url);
  const states = subscribe(client, MessageStatusDocument, { messageId: 'm' });
  expect(dataOf((await states.next()).value).messageStatus.status).toBe('SENT');

  const id = String((await quarantinedAt(gateway))[0]?.id);
  expect(await replay(gateway, id)).toEqual({ understood: true, accepted: 1, reason: null });
  const { status, history } = dataOf((await states.next()).value).messageStatus;
  expect(status).toBe('FAILED');
  expect(history.at(-1)).toMatchObject({ status: 'FAILED', rawStatus: 'undelivered', receivedAt: came });
  expect(await quarantinedAt(gateway)).toEqual([]);
  const again = await execute(gateway.url, ReplayCallbackDocument, { id });
  expect(again.errors?.[0]?.extensions).toEqual({ code: 'NOT_FOUND', retryable: false });
});

test('what a replay still does not understand stays in quarantine, without what was recorded when it came', async () => {
  await using gateway = await startTestGateway();
  await gateway.callBack([{ message_id: 'm', status: 'read' }, { status: 'read' }]);
  const [callback] = await quarantinedAt(gateway);
  expect(await replay(gateway, String(callback?.id))).toEqual({
    understood: false,
    accepted: 0,
    reason: expect.stringContaining('[0]: expected a message id'),
  });
  expect(await quarantinedAt(gateway)).toEqual([callback]);
});

test('of a body with several events only what was not understood is kept, once, however often it comes', async () => {
  await using gateway = await startTestGateway();
  const odd = { message_id: 'm', status: 'undelivered' };
  for (const status of ['sent', 'delivered', 'read']) {
    const known = { message_id: 'm', status };
    expect((await gateway.callBack([known, odd])).status).toBe(422);
  }
  const [callback, ...others] = await quarantinedAt(gateway);
  expect(others).toEqual([]);
  expect(callback).toMatchObject({ raw: JSON.stringify([odd]), times: 3 });
  expect(callback?.rawLength).toBe(callback?.raw?.length);
  expect(callback?.reason).toContain('[0]: expected a status');
});

test('quarantined callbacks that nobody needs are deleted by their ids, and counted', async () => {
  await using gateway = await startTestGateway();
  for (const status of ['a', 'b', 'c']) await gateway.callBack({ message_id: 'm', status });
  const ids = (await quarantinedAt(gateway)).map(({ id }) => id);
  const result = await execute(gateway.url, DeleteQuarantinedCallbacksDocument, {
    ids: [...ids.slice(1), 'x'],
  });
  expect(dataOf(result).deleteQuarantinedCallbacks).toEqual({ deleted: 2 });
  expect((await quarantinedAt(gateway)).map(({ id }) => id)).toEqual(ids.slice(0, 1));
});

test.each([
  ['no ids', []],
  ['101 ids', Array.from({ length: 101 }, (_, index) => `${index}`)],
  ['an id of 129 characters', ['9'.repeat(129)]],
])('to delete %s from the quarantine is BAD_USER_INPUT', async (_what, ids) => {
  await using gateway = await startTestGateway();
  const { data, errors } = await execute(gateway.url, DeleteQuarantinedCallbacksDocument, { ids });
  expect(data?.deleteQuarantinedCallbacks).toBeNull();
  expect(errors?.[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', faults: [{ path: ['ids'] }] });
});

test('a business with all the messages of callbacks alone that it may have gets 503 for new ones, and 200 for the rest', async () => {
  await using gateway = await startTestGateway({ env: { STORE_CALLBACK_ONLY_MESSAGES: '2' } });
  for (const id of ['a', 'b'])
    expect((await gateway.callBack({ message_id: id, status: 'sent' })).status).toBe(200);
  const refused = await gateway.callBack([
    { message_id: 'c', status: 'sent' },
    { message_id: 'a', status: 'read' },
  ]);
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '5']);
  const { message } = dataOf(await execute(gateway.url, MessageDocument, { id: 'a' }));
  expect(message?.status).toBe('READ');
  expect(dataOf(await execute(gateway.url, MessageDocument, { id: 'c' })).message).toBeNull();
  const sent = await gateway.send();
  expect((await gateway.callBack({ message_id: sent, status: 'read' })).status).toBe(200);
  const metrics = await (await fetch(gateway.metricsUrl)).text();
  expect(metrics).toContain('gateway_store_events_total{event="callbackOnlyRefused"} 1');
});

test('a client that is forgotten is nowhere: not in messages, nor in sends, nor in the file', async () => {
  await using directory = await temporaryDirectory();
  const path = directory.file('gateway.db');
  {
    await using gateway = await startTestGateway({ env: { STORE_URL: `sqlite:${path}` } });
    const input = { client: 'never-calls-back', clientName: 'zq-name', clientPhone: '+39 331 775 5331' };
    const id = await gateway.send({ ...input, textMessage: 'zq-text' });
    const other = await gateway.send({ client: 'other', textMessage: 'theirs' });
    const result = await forget(gateway, { clientPhone: '0039 331 775 5331' });
    expect(dataOf(result).forgetClient).toEqual({ messages: 1, sends: 1 });
    expect(dataOf(await execute(gateway.url, MessageDocument, { id })).message).toBeNull();
    expect(dataOf(await execute(gateway.url, MessageDocument, { id: other })).message).not.toBeNull();
    const { edges } = dataOf(await execute(gateway.url, SendsDocument, {})).sends;
    expect(edges[1]?.node).toMatchObject({
      client: null,
      clientPhone: null,
      clientName: null,
      outcome: 'ACCEPTED',
    });
  }
  const left = await directory.text('gateway.db');
  expect(left).toContain('theirs');
  for (const word of ['zq-name', 'zq-text', '393317755331']) expect(left).not.toContain(word);
});

test.each<[string, ForgetClientInput, readonly string[]]>([
  ['without client and phone', {}, ['input']],
  ['of a blank client', { client: ' ' }, ['input', 'client']],
  ['of a phone that is none', { clientPhone: '12' }, ['input', 'clientPhone']],
])('forgetClient %s is BAD_USER_INPUT', async (_what, input, path) => {
  await using gateway = await startTestGateway();
  const { errors } = await forget(gateway, input);
  expect(errors?.[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', faults: [{ path }] });
});

test('with STORE_MESSAGE_TEXT=false a text reaches Pingup and is kept nowhere', async () => {
  await using directory = await temporaryDirectory();
  const STORE_URL = `sqlite:${directory.file('gateway.db')}`;
  await using gateway = await startTestGateway({ env: { STORE_URL, STORE_MESSAGE_TEXT: 'false' } });
  const id = await gateway.send({ textMessage: 'zq-text', idempotencyKey: 'k' });
  expect(await gateway.send({ textMessage: 'zq-text', idempotencyKey: 'k' })).toBe(id);
  expect(gateway.sandbox?.requests.map(({ body }) => body)).toMatchObject([{ text_message: 'zq-text' }]);
  const { message } = dataOf(await execute(gateway.url, MessageDocument, { id }));
  expect(message).toMatchObject({ client: 'never-calls-back', textMessage: null });
  for (const file of ['gateway.db', 'gateway.db-wal'])
    expect(await directory.text(file)).not.toContain('zq-text');
});
