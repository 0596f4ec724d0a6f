import { once } from 'node:events';
import { print } from 'graphql';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { maxOperations } from '../../src/graphql/websocket-protocol.ts';
import { MessageStatusDocument } from '../generated/operations.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { connect, dataOf, subscribe } from '../support/graphql-client.ts';
import { openReadySocket } from '../support/ready-socket.ts';

/** A client below graphql-ws, to do what no well-behaved client does. */
async function openSocket({ url }: TestGateway, path = '/graphql'): Promise<WebSocket> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}${path}`, 'graphql-transport-ws');
  await once(socket, 'open');
  return socket;
}

test('a reader that stops costs bounded memory, and its neighbours nothing', async () => {
  await using gateway = await startTestGateway({ env: { MESSAGES_PER_SECOND: '10000' } });
  const texts = 60;
  const textMessage = 'x'.repeat(4096);
  await Promise.all(Array.from({ length: texts }, () => gateway.send({ textMessage })));
  const stopped = await openReadySocket(gateway);
  stopped.pause();
  const query = `{ messages(first: ${texts}) { edges { node { textMessage } } } }`;
  for (let id = 0; id < 2_000; id += 1)
    stopped.send(JSON.stringify({ id: `q${id}`, type: 'subscribe', payload: { query } }));

  await using neighbour = connect(gateway.url);
  const messageId = await gateway.send();
  const states = subscribe(neighbour, MessageStatusDocument, { messageId });
  const seen = [dataOf((await states.next()).value).messageStatus.status];
  for (const status of ['sent', 'received', 'read']) {
    await gateway.callBack({ message_id: messageId, status });
    seen.push(dataOf((await states.next()).value).messageStatus.status);
  }
  expect(seen).toEqual(['ACCEPTED', 'SENT', 'DELIVERED', 'READ']);

  expect(gateway.load().waitingBytes).toBeGreaterThan(0);
  const answer = texts * (textMessage.length + 100);
  expect(gateway.load().waitingBytes).toBeLessThan(maxOperations * answer);
  stopped.terminate();
  await expect.poll(() => gateway.load().waitingBytes).toBe(0);
});

test('a socket may have 100 operations under way; one more is an error of its own', async () => {
  await using gateway = await startTestGateway();
  await using client = connect(gateway.url);
  const messageId = await gateway.send();
  const watches = Array.from({ length: 100 }, () => subscribe(client, MessageStatusDocument, { messageId }));
  await Promise.all(watches.map((watch) => watch.next()));
  const oneMore = subscribe(client, MessageStatusDocument, { messageId }).next();
  await expect(oneMore).rejects.toMatchObject([
    { extensions: { code: 'TOO_MANY_OPERATIONS', retryable: true } },
  ]);
  await watches[0]?.return?.();
  await expect.poll(() => gateway.load().watches).toBe(99);
  await gateway.callBack({ message_id: messageId, status: 'read' });
  expect(dataOf((await watches[1]?.next())?.value).messageStatus.status).toBe('READ');
});

test('a socket on another path is refused', async () => {
  await using gateway = await startTestGateway();
  await expect(openSocket(gateway, '/other')).rejects.toThrow('404');
});

test('a frame over 64 KiB closes its socket with 1009', async () => {
  await using gateway = await startTestGateway();
  const socket = await openReadySocket(gateway);
  socket.send('x'.repeat(64 * 1024 + 1));
  expect((await once(socket, 'close'))[0]).toBe(1009);
});

test('a socket that is not asked for graphql-transport-ws closes with 4406', async () => {
  await using gateway = await startTestGateway();
  const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}/graphql`);
  expect((await once(socket, 'close'))[0]).toBe(4406);
});

test('a message that is none closes its socket with 4400', async () => {
  await using gateway = await startTestGateway();
  const socket = await openReadySocket(gateway);
  socket.send('{"type":"nonsense"}');
  expect((await once(socket, 'close'))[0]).toBe(4400);
});

test('a subscribe before connection_init closes its socket with 4401', async () => {
  await using gateway = await startTestGateway();
  const socket = await openSocket(gateway);
  const payload = { query: print(MessageStatusDocument), variables: { messageId: 'm' } };
  socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload }));
  expect((await once(socket, 'close'))[0]).toBe(4401);
});

test('a gateway that stops closes its sockets with 1001, from which clients come back', async () => {
  const gateway = await startTestGateway();
  const socket = await openReadySocket(gateway);
  const closed = once(socket, 'close');
  await gateway[Symbol.asyncDispose]();
  expect((await closed)[0]).toBe(1001);
});
