import { once } from 'node:events';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { incoming, openReadySocket, subscribeFrame } from '../support/ready-socket.ts';

const watch = 'subscription ($id: ID!) { messageStatus(messageId: $id) { id } }';
const message = '{ message(id: "m") { id } }';
const deep = `${'['.repeat(30_000)}${']'.repeat(30_000)}`;
const id128 = 'i'.repeat(128);

/** What the gateway logs as a warning or worse. */
const logged: string[] = [];
let gateway: TestGateway;

beforeAll(async () => {
  const log = pino({ level: 'warn' }, { write: (line: string) => void logged.push(line) });
  gateway = await startTestGateway({ log });
});
afterAll(() => gateway[Symbol.asyncDispose]());
beforeEach(() => {
  logged.length = 0;
});

test.each<[string, string | Buffer, number]>([
  ['of the server’s type next', '{"type":"next","id":"1","payload":{}}', 4400],
  ['of the server’s type error', '{"type":"error","id":"1","payload":[{"message":"no"}]}', 4400],
  ['of the server’s type connection_ack', '{"type":"connection_ack"}', 4400],
  ['of an unknown type', '{"type":"start","id":"1","payload":{}}', 4400],
  ['of a type that every object has', '{"type":"toString"}', 4400],
  ['without a type', '{"id":"1"}', 4400],
  ['that is null', 'null', 4400],
  ['that is a number', '1', 4400],
  ['that is empty', '', 4400],
  ['that is no JSON', '{"type":', 4400],
  ['that is nested 30,000 deep', deep, 4400],
  ['of bytes', Buffer.from('{"type":"ping"}'), 4400],
  ['that subscribes without an id', '{"type":"subscribe","payload":{"query":"{__typename}"}}', 4400],
  ['that subscribes without a query', '{"type":"subscribe","id":"1","payload":{}}', 4400],
  ['that subscribes with variables nested deep in an array', subscribeFrame('1', message, [deep]), 4400],
  ['with an id of 129 characters', subscribeFrame(`${id128}i`, message), 4400],
  ['that completes an id of 129 characters', JSON.stringify({ type: 'complete', id: `${id128}i` }), 4400],
  ['that initialises the connection again', '{"type":"connection_init"}', 4429],
])('a frame %s closes its socket, and is no error of the gateway', async (_what, frame, code) => {
  const socket = await openReadySocket(gateway);
  socket.send(frame);
  expect((await once(socket, 'close'))[0]).toBe(code);
  expect(logged).toEqual([]);
});

test('the id of a running operation, used again, closes the socket with 4409, however long or strange it is', async () => {
  const messageId = await gateway.send();
  for (const id of [id128, '\u{1F600}'.repeat(64), '__proto__']) {
    const socket = await openReadySocket(gateway);
    const { next } = incoming(socket);
    socket.send(subscribeFrame(id, watch, { id: messageId }));
    expect(await next()).toMatchObject({ type: 'next', id });
    socket.send(subscribeFrame(id, watch, { id: messageId }));
    expect((await once(socket, 'close'))[0]).toBe(4409);
  }
  await expect.poll(() => gateway.load()).toMatchObject({ sockets: 0, watches: 0 });
  expect(logged).toEqual([]);
});

test('variables of any depth are an error of their operation alone, and a ping with any payload is answered', async () => {
  const socket = await openReadySocket(gateway);
  const { next } = incoming(socket);
  const query = '($id: ID!) { message(id: $id) { id } }';
  for (const operation of [`query ${query}`, watch]) {
    socket.send(
      `{"id":"1","type":"subscribe","payload":{"query":"${operation}","variables":{"id":${deep}}}}`,
    );
    const answer = JSON.stringify(await next());
    expect(answer).toContain('BAD_USER_INPUT');
    if (operation !== watch) await next();
  }
  socket.send(`{"type":"ping","payload":{"deep":${deep}}}`);
  expect(await next()).toEqual({ type: 'pong' });
  expect(logged).toEqual([]);
});
