import { once } from 'node:events';
import { expect, test } from 'vitest';
import { GatewayError } from '../../src/errors.ts';
import { temporaryDirectory } from '../store/sqlite-test-store.ts';
import { startTestGateway } from '../support/gateway.ts';
import { startGatewayProcess } from '../support/gateway-process.ts';
import { incoming, openReadySocket, subscribeFrame } from '../support/ready-socket.ts';
import { serveGraphql } from './serve-graphql.ts';

const watch = 'subscription ($id: ID!) { messageStatus(messageId: $id) { id } }';
const junk = 'x'.repeat(60_000);

const name = 'n'.repeat(64);
const named = watch.replace('subscription', `subscription ${name}`);

test('what else was sent with a subscription is not kept: 1,500 with 60 KB each run in a heap of 96 MiB', async () => {
  await using directory = await temporaryDirectory();
  await using gateway = await startGatewayProcess({
    NODE_OPTIONS: '--max-old-space-size=96',
    STORE_URL: `sqlite:${directory.file('gateway.db')}`,
    MESSAGES_PER_SECOND: '1000000',
  });
  const sender = await openReadySocket(gateway);
  const answers = incoming(sender);
  sender.send(
    subscribeFrame(
      'send',
      'mutation { sendTextMessage(input: { client: "never-calls-back", textMessage: "Hello" }) { message { id } } }',
    ),
  );
  const id = /"id":"([^"]+)"}/.exec(JSON.stringify(await answers.next()))?.[1];
  for (let count = 0; count < 15; count += 1) {
    const socket = await openReadySocket(gateway);
    const { next } = incoming(socket);
    for (let index = 0; index < 100; index += 1) {
      // In turn: everywhere that a frame has room for it.
      const more = [
        subscribeFrame(`${index}`, watch, { id, junk }),
        subscribeFrame(`${index}`, watch, { id }, { extensions: { junk } }),
        subscribeFrame(`${index}`, watch, { id }, { junk }),
        JSON.stringify({ ...JSON.parse(subscribeFrame(`${index}`, watch, { id })), junk }),
        subscribeFrame(`${index}`, named, { id }, { operationName: name, junk }),
      ];
      socket.send(more[index % more.length] ?? '');
    }
    for (let index = 0; index < 100; index += 1) expect(codeOf(await next())).toBe('next');
  }
  expect(await (await fetch(`${gateway.url}/metrics`)).text()).toMatch(/^gateway_watches_open 1500$/m);
});

test('the variables of a subscription may have 512 characters, and one that has more is refused alone', async () => {
  await using gateway = await startTestGateway();
  const socket = await openReadySocket(gateway);
  const { next } = incoming(socket);
  const id = await gateway.send();
  socket.send(subscribeFrame('1', watch, { id: 'm'.repeat(512) }));
  expect(await next()).toMatchObject({
    id: '1',
    type: 'error',
    payload: [{ extensions: { code: 'BAD_USER_INPUT' } }],
  });
  socket.send(subscribeFrame('2', watch, { id, unused: junk }));
  expect(await next()).toMatchObject({ id: '2', type: 'next' });
});

test('documents in use are bounded over all sockets, one that is in use costs nothing more, and room comes back', async () => {
  await using gateway = await startTestGateway({ env: { MESSAGES_PER_SECOND: '100000' } });
  const messageId = await gateway.send();
  const fields = 'id '.repeat(800);
  const large = (name: string) =>
    `subscription ${name} { messageStatus(messageId: "${messageId}") { ${fields} } }`;
  const outcomes: string[] = [];
  const sockets = [];
  // Each counts as a quarter of a MiB of the 64.
  for (let count = 0; count < 3; count += 1) {
    const socket = await openReadySocket(gateway);
    const { next } = incoming(socket);
    sockets.push(socket);
    for (let index = 0; index < 100; index += 1)
      socket.send(subscribeFrame(`${index}`, large(`s${count}_${index}`)));
    for (let index = 0; index < 100; index += 1) outcomes.push(codeOf(await next()));
  }
  expect(new Set(outcomes)).toEqual(new Set(['next', 'TOO_MANY_OPERATIONS']));
  const refused = outcomes.filter((code) => code === 'TOO_MANY_OPERATIONS').length;
  expect(refused).toBeGreaterThan(5);
  expect(outcomes.filter((code) => code === 'next')).toHaveLength(300 - refused);

  const neighbour = await openReadySocket(gateway);
  const { next } = incoming(neighbour);
  neighbour.send(subscribeFrame('known', large('s2_50')));
  expect(codeOf(await next())).toBe('next');
  neighbour.send(subscribeFrame('new', large('another')));
  expect(codeOf(await next())).toBe('TOO_MANY_OPERATIONS');
  sockets[0]?.close();
  await expect.poll(() => gateway.load().watches).toBe(300 - refused - 100 + 1);
  neighbour.send(subscribeFrame('new', large('another')));
  expect(codeOf(await next())).toBe('next');
});

test('the variables of what is under way are bounded over all sockets, until it ends though its socket is closed', async () => {
  const pingup = Promise.withResolvers<never>();
  await using gateway = await serveGraphql({
    messaging: { send: () => pingup.promise, find: async () => undefined },
  });
  const mutation = `mutation ($junk: ID!) { sendTextMessage(input: { client: $junk, textMessage: "x" }) { message { id } } }`;
  const refused: number[] = [];
  for (let count = 0; count < 7; count += 1) {
    const socket = await openReadySocket(gateway);
    const { next } = incoming(socket);
    for (let index = 0; index < 100; index += 1) socket.send(subscribeFrame(`${index}`, mutation, { junk }));
    socket.send(subscribeFrame('last', 'no document'));
    let errors = 0;
    for (let frame = await next(); frame.id !== 'last'; frame = await next()) errors += 1;
    refused.push(errors);
    socket.terminate();
    await once(socket, 'close');
  }
  // 32 Mi characters have room for 559 of them.
  expect(refused.slice(0, 5)).toEqual([0, 0, 0, 0, 0]);
  // The error of the very last one may come after that of what is no document.
  expect(refused[5]).toBeGreaterThanOrEqual(40);
  expect(refused[6]).toBeGreaterThanOrEqual(99);

  const after = await openReadySocket(gateway);
  const answers = incoming(after);
  const query = subscribeFrame('q', 'query ($junk: ID!) { message(id: $junk) { id } }', { junk });
  after.send(query);
  expect(codeOf(await answers.next())).toBe('TOO_MANY_OPERATIONS');
  pingup.reject(new GatewayError('PINGUP_UNAVAILABLE', 'gone'));
  after.send(query);
  expect(codeOf(await answers.next())).toBe('next');
});

function codeOf({ type, payload }: { readonly type: string; readonly payload?: unknown }): string {
  if (type !== 'error') return type;
  return (payload as { extensions: { code: string } }[])[0]?.extensions.code ?? '';
}
