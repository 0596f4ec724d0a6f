import { expect, test } from 'vitest';
import { MessageStatusDocument } from '../generated/operations.ts';
import { startTestGateway } from '../support/gateway.ts';
import { connect, dataOf, subscribe } from '../support/graphql-client.ts';

test('a watcher gets the state now, then each later one in order and once, and completion at READ', async () => {
  await using gateway = await startTestGateway();
  await using client = connect(gateway.url);
  const message_id = await gateway.send();
  const states = subscribe(client, MessageStatusDocument, { messageId: message_id });

  const seen = [dataOf((await states.next()).value).messageStatus];
  for (const status of ['sent', 'sent', 'received', 'read']) {
    expect((await gateway.callBack({ message_id, status })).status).toBe(200);
    if (seen.at(-1)?.history.at(-1)?.rawStatus === status) continue;
    seen.push(dataOf((await states.next()).value).messageStatus);
  }
  expect(seen.map((state) => [state.status, state.revision])).toEqual([
    ['ACCEPTED', 1],
    ['SENT', 2],
    ['DELIVERED', 3],
    ['READ', 4],
  ]);
  expect(await states.next()).toEqual({ done: true, value: undefined });
});

test('a message that is READ already gives that state and completes', async () => {
  await using gateway = await startTestGateway();
  await using client = connect(gateway.url);
  await gateway.callBack({ message_id: 'early', status: 'read' });
  const states = await Array.fromAsync(subscribe(client, MessageStatusDocument, { messageId: 'early' }));
  expect(states.map((state) => dataOf(state).messageStatus.status)).toEqual(['READ']);
});

test('an unknown id is NOT_FOUND on its own subscription, and its neighbour on the socket goes on', async () => {
  await using gateway = await startTestGateway();
  await using client = connect(gateway.url);
  const message_id = await gateway.send();
  const neighbour = subscribe(client, MessageStatusDocument, { messageId: message_id });
  await neighbour.next();

  const [unknown, ...others] = await Array.fromAsync(
    subscribe(client, MessageStatusDocument, { messageId: 'unknown' }),
  );
  expect(others).toEqual([]);
  expect(unknown?.errors).toEqual([
    expect.objectContaining({
      message: 'No message has the id "unknown".',
      extensions: { code: 'NOT_FOUND', retryable: false },
    }),
  ]);

  await gateway.callBack({ message_id, status: 'read' });
  expect(dataOf((await neighbour.next()).value).messageStatus.status).toBe('READ');
});

test('everyone who watches a message gets its states', async () => {
  await using gateway = await startTestGateway();
  await using one = connect(gateway.url);
  await using two = connect(gateway.url);
  const message_id = await gateway.send();
  const watches = [one, one, two].map((client) =>
    subscribe(client, MessageStatusDocument, { messageId: message_id }),
  );
  await Promise.all(watches.map((watch) => watch.next()));
  await gateway.callBack({ message_id, status: 'read' });
  const rest = await Promise.all(watches.map((watch) => Array.fromAsync(watch)));
  expect(rest.flat().map((state) => dataOf(state).messageStatus.status)).toEqual(['READ', 'READ', 'READ']);
});

test('10,000 clients that subscribe and leave at any moment leave nothing behind', async () => {
  await using gateway = await startTestGateway();
  const messageId = await gateway.send();
  const clients = Array.from({ length: 20 }, () => connect(gateway.url));

  async function visit(client: ReturnType<typeof connect>, stay: number): Promise<void> {
    const watch = subscribe(client, MessageStatusDocument, { messageId });
    const first = watch.next();
    if (stay === 1) await Promise.resolve();
    if (stay === 2) await first;
    await watch.return?.();
    await first;
  }

  await Promise.all(
    clients.map(async (client, seed) => {
      for (let cycle = 0; cycle < 500; cycle += 1) await visit(client, (cycle + seed) % 3);
    }),
  );
  await expect.poll(() => gateway.load().watches).toBe(0);
  await Promise.all(clients.map((client) => client.dispose()));
  await expect.poll(() => gateway.load().sockets).toBe(0);
});

test('clients whose sockets break in the middle of anything leave nothing behind', async () => {
  await using gateway = await startTestGateway();
  const messageId = await gateway.send();
  for (let round = 0; round < 50; round += 1) {
    const client = connect(gateway.url);
    const watches = Array.from({ length: 5 }, () => subscribe(client, MessageStatusDocument, { messageId }));
    const firsts = watches.map((watch) => watch.next().catch(() => undefined));
    if (round % 2 === 0) await firsts[0];
    client.terminate();
    await Promise.all(firsts);
  }
  await expect.poll(() => gateway.load()).toMatchObject({ sockets: 0, watches: 0 });
});
