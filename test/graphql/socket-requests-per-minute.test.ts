import { expect, test } from 'vitest';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { type Frame, incoming, openReadySocket, subscribeFrame } from '../support/ready-socket.ts';

const query = '{ __typename }';
const mutation =
  'mutation { sendTextMessage(input: { client: "never-calls-back", textMessage: "Hello" }) { replayed } }';
const watch = 'subscription ($id: ID!) { messageStatus(messageId: $id) { id } }';

async function post(gateway: TestGateway): Promise<number> {
  const response = await fetch(`${gateway.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query }),
  });
  return response.status;
}

test('HTTP requests, and queries and mutations on sockets, share what an address may ask for in a minute', async () => {
  await using gateway = await startTestGateway({ env: { REQUESTS_PER_MINUTE: '4' } });
  const socket = await openReadySocket(gateway);
  const { next } = incoming(socket);
  async function run(document: string): Promise<Frame> {
    socket.send(subscribeFrame('1', document));
    const frame = await next();
    if (frame.type === 'next') await next();
    return frame;
  }
  expect((await run(query)).type).toBe('next');
  expect((await run(mutation)).type).toBe('next');
  expect((await run('what is no document counts too')).type).toBe('error');
  expect(await post(gateway)).toBe(200);

  const refused = await run(query);
  const extensions = { code: 'TOO_MANY_REQUESTS', retryable: true, retryAfterSeconds: expect.any(Number) };
  expect(refused).toMatchObject({ type: 'error', payload: [{ extensions }] });
  expect(await post(gateway)).toBe(429);
});

test('subscriptions are not counted, and go on while an address has no requests left', async () => {
  await using gateway = await startTestGateway({ env: { REQUESTS_PER_MINUTE: '1' } });
  const id = await gateway.send();
  const socket = await openReadySocket(gateway);
  const { next } = incoming(socket);
  for (const name of ['1', '2', '3']) {
    socket.send(subscribeFrame(name, watch, { id }));
    expect(await next()).toMatchObject({ type: 'next', id: name });
  }
  await gateway.callBack({ message_id: id, status: 'sent' });
  expect((await next()).type).toBe('next');
});
