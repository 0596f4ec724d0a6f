import { expect, test } from 'vitest';
import { MessageDocument, MessagesDocument } from '../generated/operations.ts';
import { badPages } from '../support/bad-pages.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { dataOf, execute } from '../support/graphql-client.ts';

async function list(gateway: TestGateway, variables: object = {}) {
  const { messages } = dataOf(await execute(gateway.url, MessagesDocument, variables));
  return { ...messages, ids: messages.edges.map((edge) => edge.node.id) };
}

test('a message known from callbacks only has a status and no send details', async () => {
  await using gateway = await startTestGateway();
  await gateway.callBack({ message_id: 'stranger', status: 'delivered' });
  const { message } = dataOf(await execute(gateway.url, MessageDocument, { id: 'stranger' }));
  expect(message).toMatchObject({ id: 'stranger', status: 'DELIVERED', textMessage: null, acceptedAt: null });
});

test('an unknown id is null', async () => {
  await using gateway = await startTestGateway();
  expect(dataOf(await execute(gateway.url, MessageDocument, { id: 'unknown' })).message).toBeNull();
});

test('a failed message shows why, in the words of the provider', async () => {
  await using gateway = await startTestGateway();
  const message_id = await gateway.send();
  const error = { code: 131026, message: 'Message undeliverable' };
  await gateway.callBack({ message_id, status: 'failed', error });
  const { message } = dataOf(await execute(gateway.url, MessageDocument, { id: message_id }));
  expect(message).toMatchObject({
    status: 'FAILED',
    failure: { code: '131026', reason: 'Message undeliverable' },
  });
});

test('messages come newest first, a page at a time', async () => {
  await using gateway = await startTestGateway();
  const ids: string[] = [];
  for (let count = 0; count < 5; count += 1) ids.unshift(await gateway.send());

  const first = await list(gateway, { first: 2 });
  expect(first.ids).toEqual(ids.slice(0, 2));
  expect(first.pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: false });

  const second = await list(gateway, { first: 3, after: first.pageInfo.endCursor });
  expect(second.ids).toEqual(ids.slice(2));
  expect(second.pageInfo).toMatchObject({ hasNextPage: false, hasPreviousPage: true });
});

test('messages can be asked for by client and by status', async () => {
  await using gateway = await startTestGateway();
  const other = await gateway.send({ client: 'anna' });
  const message_id = await gateway.send();
  await gateway.callBack({ message_id, status: 'failed' });

  expect((await list(gateway, { status: ['FAILED'] })).ids).toEqual([message_id]);
  expect((await list(gateway, { client: 'anna' })).ids).toEqual([other]);
  expect((await list(gateway, { client: 'anna', status: ['FAILED'] })).ids).toEqual([]);
  expect((await list(gateway, { status: [] })).ids).toEqual([]);
});

test.each(badPages)('%s is BAD_USER_INPUT', async (_what, variables, path) => {
  await using gateway = await startTestGateway();
  const result = await execute(gateway.url, MessagesDocument, variables);
  expect(result.errors?.[0]?.extensions).toMatchObject({
    code: 'BAD_USER_INPUT',
    faults: [{ path, expected: expect.any(String) }],
  });
});
