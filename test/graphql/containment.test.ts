import { fastify } from 'fastify';
import { GraphQLError } from 'graphql';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { createErrorDescriber } from '../../src/graphql/describe-error.ts';
import { graphqlHttp } from '../../src/graphql/http-plugin.ts';
import { createOperationRunner } from '../../src/graphql/operation-runner.ts';
import { buildGatewaySchema } from '../../src/graphql/schema.ts';
import type { Message } from '../../src/message.ts';
import type { Messaging } from '../../src/messaging.ts';
import { connect } from '../support/graphql-client.ts';
import { transports } from './both-transports.ts';
import { serveGraphql } from './serve-graphql.ts';

const sent: Message = {
  business: 'acme',
  id: 'm',
  details: null,
  history: [{ status: 'SENT', at: 1, receivedAt: 1, rawStatus: 'sent', failure: null }],
};

/** The state now, and then nothing until it is left. */
async function watchForEver(): ReturnType<Messaging['watch']> {
  const left = Promise.withResolvers<IteratorReturnResult<undefined>>();
  let isFirst = true;
  const states: AsyncIterableIterator<Message, undefined> = {
    next: () => {
      if (!isFirst) return left.promise;
      isFirst = false;
      return Promise.resolve({ done: false, value: sent });
    },
    return: () => {
      left.resolve({ done: true, value: undefined });
      return left.promise;
    },
    [Symbol.asyncIterator]: () => states,
  };
  return states;
}

async function breakDown(): Promise<never> {
  throw new Error('a secret of the store');
}

test.each(transports)(
  'a fault of ours on %s is an id to find it by, and no word of it',
  async (_name, run) => {
    await using gateway = await serveGraphql({ messaging: { find: breakDown } });
    const { errors = [] } = await run(gateway, '{ message(id: "m") { id } }');
    expect(errors).toEqual([
      {
        message: 'The gateway failed to answer this.',
        locations: [{ line: 1, column: 3 }],
        path: ['message'],
        extensions: { code: 'INTERNAL_SERVER_ERROR', retryable: false, correlationId: expect.any(String) },
      },
    ]);
    const id = String(errors[0]?.extensions?.['correlationId']);
    const [line = ''] = gateway.logged.filter((logged) => logged.includes(id));
    expect(JSON.parse(line)).toMatchObject({ correlationId: id, err: { message: 'a secret of the store' } });
  },
);

test.each<[string, Messaging['watch']]>([
  ['rejects', breakDown],
  ['is no stream', (async () => sent) as unknown as Messaging['watch']],
  [
    'breaks off',
    async () => {
      const states = await watchForEver();
      return { ...states, next: breakDown, [Symbol.asyncIterator]: () => ({ ...states, next: breakDown }) };
    },
  ],
])('a subscription that %s ends alone, and its neighbour on the socket goes on', async (_what, broken) => {
  const watch: Messaging['watch'] = (key) => (key.id === 'broken' ? broken(key) : watchForEver());
  await using gateway = await serveGraphql({ messaging: { watch, find: async () => sent } });
  await using client = connect(gateway.url);
  const neighbour = client.iterate({ query: 'subscription { messageStatus(messageId: "m") { id } }' });
  await neighbour.next();

  const failing = client.iterate({ query: 'subscription { messageStatus(messageId: "broken") { id } }' });
  const outcome = await failing.next().then(
    ({ value }) => value?.errors,
    (errors) => errors,
  );
  expect(outcome).toMatchObject([{ extensions: { code: 'INTERNAL_SERVER_ERROR' } }]);
  const after = await client.iterate({ query: '{ message(id: "m") { id } }' }).next();
  expect(after.value).toEqual({ data: { message: { id: 'm' } } });
  await neighbour.return?.();
});

test('a subscription that has run for its time completes, and only that one', async () => {
  await using gateway = await serveGraphql({
    messaging: { watch: watchForEver, find: async () => sent },
    edge: { subscriptionMs: 100 },
  });
  await using client = connect(gateway.url);
  const query = 'subscription { messageStatus(messageId: "m") { status } }';
  const states = await Array.fromAsync(client.iterate({ query }));
  expect(states).toEqual([{ data: { messageStatus: { status: 'SENT' } } }]);
  expect((await client.iterate({ query }).next()).done).toBe(false);
});

test('what breaks down before execution is an id to find it by on HTTP, and no word of it', async () => {
  const logged: string[] = [];
  const log = pino({}, { write: (line: string) => void logged.push(line) });
  await using app = fastify();
  await app.register(graphqlHttp, {
    runner: await brokenRunner(),
    context: { messaging: {} as Messaging, businesses: () => ['acme'] },
    describeError: createErrorDescriber(log),
    authenticate: null,
    addressOf: () => '',
    log,
    tracing: null,
    page: null,
  });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });

  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: '{ message(id: "m") { id } }' }),
  });
  expect(response.status).toBe(500);
  const correlationId = expect.any(String);
  expect(await response.json()).toEqual({
    errors: [
      {
        message: 'The gateway failed to answer this.',
        extensions: { code: 'INTERNAL_SERVER_ERROR', retryable: false, correlationId },
      },
    ],
  });
  const [line = '{}'] = logged.filter((entry) => entry.includes('correlationId'));
  expect(JSON.parse(line)).toMatchObject({
    correlationId,
    err: { stack: expect.stringContaining('a secret') },
  });
});

test('a rule that breaks down is a fault of ours on the socket', async () => {
  const logged: string[] = [];
  const log = pino({}, { write: (line: string) => void logged.push(line) });
  const { errors = [] } = (await brokenRunner()).check('{ message(id: "m") { id } }');
  expect(createErrorDescriber(log)(errors[0])).toMatchObject({
    message: 'The gateway failed to answer this.',
    extensions: { code: 'INTERNAL_SERVER_ERROR' },
  });
  expect(logged.join()).toContain('a secret of a rule');
});

async function brokenRunner() {
  const schema = await buildGatewaySchema();
  return createOperationRunner({ schema, rules: [brokenRule], suggestions: true, maxDocumentBytes: 16_384 });
}

function brokenRule(): never {
  throw new GraphQLError('a secret of a rule');
}
