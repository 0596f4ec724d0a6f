import { once } from 'node:events';
import { createServer } from 'node:http';
import { expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { createSocketBacklog, type SocketBacklog, usualBacklog } from '../../src/graphql/socket-backlog.ts';
import { maxTurns } from '../../src/graphql/socket-operations.ts';
import { maxWaitingBytes, SocketOutbox } from '../../src/graphql/socket-outbox.ts';
import type { Message } from '../../src/message.ts';
import type { Messaging } from '../../src/messaging.ts';
import { accepted, news } from '../store/samples.ts';
import { startTestGateway } from '../support/gateway.ts';
import { incoming, openReadySocket, subscribeFrame } from '../support/ready-socket.ts';
import { serveGraphql } from './serve-graphql.ts';

/** More than the kernel takes for a reader that does not read. */
const tooMuchBytes = 24 * 1024 * 1024;

/** An outbox on a real socket, and what its owner was told. */
async function openOutbox(backlog: SocketBacklog) {
  const http = createServer();
  const server = new WebSocketServer({ server: http });
  await once(http.listen(0, '127.0.0.1'), 'listening');
  const connected = once(server, 'connection');
  const { port } = http.address() as { port: number };
  const client = new WebSocket(`ws://127.0.0.1:${port}`, { maxPayload: 0 });
  const [socket] = (await connected) as [WebSocket];
  await once(client, 'open');
  const told: string[] = [];
  const outbox = new SocketOutbox({
    socket,
    backlog,
    onBehind: () => void told.push('behind'),
    onCaughtUp: () => void told.push('caught up'),
    onProgress: () => undefined,
    onDropped: () => undefined,
  });
  socket.on('close', () => outbox.drop());
  async function stop(): Promise<void> {
    client.terminate();
    socket.terminate();
    server.close();
    http.close();
  }
  return { client, socket, outbox, told, [Symbol.asyncDispose]: stop };
}

test('messages of any size arrive whole and in their order', async () => {
  using backlog = createSocketBacklog();
  await using peer = await openOutbox(backlog);
  const sizes = [
    1,
    maxWaitingBytes,
    5,
    3 * maxWaitingBytes + 7,
    9,
    9,
    2 * maxWaitingBytes,
    0,
    100,
    1_000_000,
  ];
  const got: number[] = [];
  const all = new Promise<void>((resolve) => {
    peer.client.on('message', (data) => got.push(String(data).length) === sizes.length && resolve());
  });
  await Promise.all(sizes.map((size) => peer.outbox.send('é'.repeat(size))));
  await all;
  expect(got).toEqual(sizes);
  expect(backlog.bytes).toBe(0);
});

test('while too much waits for a reader it is behind, and the floor is nobody’s; one at a time has it', async () => {
  using backlog = createSocketBacklog();
  await using peer = await openOutbox(backlog);
  peer.client.pause();
  const sent = peer.outbox.send('x'.repeat(tooMuchBytes));
  expect(peer.outbox.isBehind).toBe(true);
  const order: string[] = [];
  const floors = ['first', 'second'].map(async (name) => {
    expect(await peer.outbox.takeFloor()).toBe(true);
    order.push(name);
  });
  for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
  expect(order).toEqual([]);
  peer.client.resume();
  await sent;
  await floors[0];
  expect(order).toEqual(['first']);
  peer.outbox.leaveFloor();
  await floors[1];
  expect(peer.told).toEqual(['behind', 'caught up']);
});

test('pings are answered once while something waits, so that a flood of them fills nothing', async () => {
  using backlog = createSocketBacklog();
  await using peer = await openOutbox(backlog);
  const { frames, next } = incoming(peer.client);
  const sent = peer.outbox.send('{"type":"ack"}');
  for (let count = 0; count < 1_000; count += 1) peer.outbox.pong();
  expect(backlog.bytes).toBeLessThan(100);
  await sent;
  expect([(await next()).type, (await next()).type]).toEqual(['ack', 'pong']);
  await peer.outbox.send('{"type":"end"}');
  expect((await next()).type).toBe('end');
  expect(frames).toEqual([]);
});

test('a socket that is closed keeps nothing, and lets nobody wait', async () => {
  using backlog = createSocketBacklog();
  await using peer = await openOutbox(backlog);
  peer.client.pause();
  const sends = [tooMuchBytes, 10].map((size) => peer.outbox.send('x'.repeat(size)));
  const floor = peer.outbox.takeFloor();
  peer.outbox.end();
  expect(backlog.bytes).toBe(0);
  expect(await floor).toBe(false);
  expect(peer.outbox.takeFloor()).toBe(false);
  await Promise.all([...sends, peer.outbox.send('later')]);
});

test('a reader that takes nothing while something waits is ended; one for whom nothing waits is not', async () => {
  const ended: string[] = [];
  using backlog = createSocketBacklog({ stalledMs: 50, onEnd: (reason) => void ended.push(reason) });
  await using stalled = await openOutbox(backlog);
  await using idle = await openOutbox(backlog);
  await idle.outbox.send('hello');
  stalled.client.pause();
  await stalled.outbox.send('x'.repeat(tooMuchBytes));
  expect(ended).toEqual(['stalled']);
  expect(stalled.socket.readyState).not.toBe(WebSocket.OPEN);
  expect(idle.socket.readyState).toBe(WebSocket.OPEN);
  expect(backlog.bytes).toBe(0);
});

test('a reader may take nothing for 10 s', () => {
  expect(usualBacklog.stalledMs).toBeLessThanOrEqual(10_000);
});

test('when too much waits in all, those that have taken nothing for longest are ended', () => {
  const ended: string[] = [];
  using backlog = createSocketBacklog({ maxBytes: 100 });
  const reader = (name: string, bytes: number) => {
    const self = {
      end: () => {
        ended.push(name);
        backlog.shrink(self, bytes, false);
      },
    };
    return self;
  };
  const [a, b, c] = [reader('a', 40), reader('b', 40), reader('c', 40)];
  backlog.grow(a, 50);
  backlog.grow(b, 40);
  // It takes some, so that `b` has taken nothing for longer.
  backlog.shrink(a, 10, true);
  backlog.grow(c, 40);
  expect(ended).toEqual(['b']);
  expect(backlog.bytes).toBe(80);
});

test('a subscription of a reader that is behind executes no state', async () => {
  let executed = 0;
  /** Counts how often its text is read, which is once for each execution. */
  function state(status: 'SENT' | 'DELIVERED' | 'READ'): Message {
    const message = {
      ...accepted('m', { textMessage: 'x'.repeat(100_000) }),
      history: news('m', status).history,
    };
    const details = message.details;
    return {
      ...message,
      get details() {
        executed += 1;
        return details;
      },
    };
  }
  const pushes: ((message: Message) => void)[] = [];
  const watch: Messaging['watch'] = async () => {
    const queue: Message[] = [state('SENT')];
    let wake = Promise.withResolvers<void>();
    pushes.push((message) => {
      queue.splice(0, 1, message);
      wake.resolve();
    });
    const states: AsyncIterableIterator<Message, undefined> = {
      next: async () => {
        for (;;) {
          const value = queue.shift();
          if (value) return { done: false, value };
          wake = Promise.withResolvers();
          await wake.promise;
        }
      },
      return: async () => ({ done: true, value: undefined }),
      [Symbol.asyncIterator]: () => states,
    };
    return states;
  };
  await using gateway = await serveGraphql({ messaging: { watch }, edge: { messagesPerSecond: 100_000 } });
  const socket = await openReadySocket(gateway);
  socket.pause();
  const aliases = Array.from({ length: 25 }, (_, index) => `a${index}: textMessage`).join(' ');
  for (let id = 0; id < 100; id += 1)
    socket.send(subscribeFrame(`${id}`, `subscription { messageStatus(messageId: "m") { ${aliases} } }`));
  await expect.poll(() => pushes.length).toBeGreaterThan(5);
  const settled = async () => {
    for (let before = -1; before !== executed; ) {
      before = executed;
      for (let turn = 0; turn < 200; turn += 1) await new Promise(setImmediate);
    }
    return executed;
  };
  const before = await settled();
  for (let round = 0; round < 50; round += 1) for (const push of pushes) push(state('DELIVERED'));
  expect((await settled()) - before).toBeLessThanOrEqual(3);
  socket.terminate();
});

test('queries of a reader that does not read: no more than two answers wait for it', async () => {
  await using gateway = await startTestGateway({ env: { MESSAGES_PER_SECOND: '10000' } });
  const textMessage = 'x'.repeat(4096);
  await Promise.all(Array.from({ length: 50 }, () => gateway.send({ textMessage })));
  const aliases = Array.from({ length: 3 }, (_, index) => `a${index}: textMessage`).join(' ');
  const query = `{ messages(first: 50) { edges { node { ${aliases} } } } }`;
  const answer = 50 * 3 * (textMessage.length + 20);
  const sockets = await Promise.all(Array.from({ length: 5 }, () => openReadySocket(gateway)));
  for (const socket of sockets) {
    socket.pause();
    for (let id = 0; id < 100; id += 1) socket.send(subscribeFrame(`${id}`, query));
  }
  await expect.poll(() => gateway.load().waitingBytes).toBeGreaterThan(sockets.length * (answer / 2));
  for (let poll = 0; poll < 20; poll += 1) {
    expect(gateway.load().waitingBytes).toBeLessThan(sockets.length * (maxTurns * answer + maxWaitingBytes));
    await (await fetch(`${gateway.url}/healthz`)).text();
  }
  for (const socket of sockets) socket.terminate();
  await expect.poll(() => gateway.load().waitingBytes).toBe(0);
});
