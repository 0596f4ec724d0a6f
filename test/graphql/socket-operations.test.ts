import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { print } from 'graphql';
import { expect, test } from 'vitest';
import { MessageStatusDocument } from '../generated/operations.ts';
import { startTestGateway } from '../support/gateway.ts';
import { openReadySocket } from '../support/ready-socket.ts';

function subscription(id: string, messageId: string): string {
  const payload = { query: print(MessageStatusDocument), variables: { messageId } };
  return JSON.stringify({ id, type: 'subscribe', payload });
}

test('a client that uses an id again before its end leaves nothing behind', async () => {
  await using gateway = await startTestGateway({ env: { MESSAGES_PER_SECOND: '100000' } });
  const messageId = await gateway.send();
  const socket = await openReadySocket(gateway);
  for (let round = 0; round < 500; round += 1) {
    socket.send(subscription('same', messageId));
    socket.send(JSON.stringify({ id: 'same', type: 'complete' }));
    socket.send(subscription('same', messageId));
    socket.send(JSON.stringify({ id: 'same', type: 'complete' }));
  }
  socket.ping();
  await once(socket, 'pong');
  socket.close();
  await expect.poll(() => gateway.load()).toMatchObject({ sockets: 0, watches: 0 });
});

test('a client that completes its sends at once still has no more than 100 under way', async () => {
  await using gateway = await startTestGateway({
    env: { MESSAGES_PER_SECOND: '100000', PINGUP_TIMEOUT_MS: '1000' },
  });
  const socket = await openReadySocket(gateway);
  const input = { client: 'hangs', textMessage: 'Hello' };
  const query =
    'mutation ($input: SendTextMessageInput!) { sendTextMessage(input: $input) { message { id } } }';
  for (let id = 0; id < 500; id += 1) {
    socket.send(JSON.stringify({ id: `${id}`, type: 'subscribe', payload: { query, variables: { input } } }));
    socket.send(JSON.stringify({ id: `${id}`, type: 'complete' }));
  }
  socket.ping();
  await once(socket, 'pong');
  await expect.poll(() => gateway.sandbox?.requests.length).toBeGreaterThan(0);
  expect(gateway.sandbox?.requests.length).toBeLessThanOrEqual(100);
  socket.terminate();
});

test('an upgrade that is refused and then reset does not end the gateway', async () => {
  await using gateway = await startTestGateway();
  const { port } = new URL(gateway.url);
  for (let count = 0; count < 20; count += 1) {
    const socket = connectTcp(Number(port), '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write('GET /nope HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    await once(socket, 'connect');
    socket.resetAndDestroy();
    await once(socket, 'close');
  }
  expect((await fetch(`${gateway.url}/healthz`)).status).toBe(200);
});

test('an ordinary request that offers another protocol is answered as one', async () => {
  await using gateway = await startTestGateway();
  const { host, port, pathname } = new URL(gateway.callbackUrl);
  const body = JSON.stringify({ message_id: 'h2c', status: 'sent' });
  const socket = connectTcp(Number(port), '127.0.0.1');
  socket.write(
    `POST ${pathname} HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n` +
      `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
  const [answer] = await once(socket.setEncoding('utf8'), 'data');
  expect(answer).toMatch(/^HTTP\/1\.1 200 /);
  socket.destroy();
});
