/** Every operation, by every kind of caller, on both transports. */
import { readFile } from 'node:fs/promises';
import type { FormattedExecutionResult } from 'graphql';
import { afterAll, expect, test } from 'vitest';
import { type Scope, scopes } from '../../src/caller.ts';
import { buildGatewaySchema } from '../../src/graphql/schema.ts';
import { news } from '../store/samples.ts';
import { connect } from '../support/graphql-client.ts';
import { type Claims, secondsFromNow } from '../support/signer.ts';
import { serveTwoBusinesses } from './two-businesses.ts';

const gateway = await serveTwoBusinesses();
afterAll(() => gateway[Symbol.asyncDispose]());

/** What acme has, by its ids. */
const own = { message: 'm1', callback: '', client: 'jon' };
const unknown = { message: 'unknown', callback: 'unknown', client: 'unknown' };
type Ids = Readonly<typeof own>;

await gateway.messaging.receive([news(own.message, 'SENT')]);
await gateway.messaging.send(
  { client: own.client, textMessage: 'Hello' },
  { business: 'acme', traceparent: '', caller: '' },
);
await receiveCallback();

async function receiveCallback(): Promise<void> {
  const callback = {
    business: 'acme',
    raw: '{"status":"unheard of"}',
    reason: 'no id',
    receivedAt: Date.now(),
  };
  await gateway.messaging.receive([], [callback]);
  own.callback = (await acmesCallbacks())[0] ?? '';
}

async function acmesCallbacks(): Promise<string[]> {
  const { entries } = await gateway.messaging.quarantined({ business: 'acme', first: 10, after: undefined });
  return entries.map(({ callback }) => callback.id);
}

interface Operation {
  readonly scope: Scope;
  readonly query: string;
  readonly variables: (business: string | undefined, ids: Ids) => Record<string, unknown>;
}

const input = (fields: object) => (business: string | undefined) => ({ input: { business, ...fields } });
const onItsOwn = (business: string | undefined) => ({ business });

/** All that can be asked, by the root field. A new one is to be listed, with the scope that it takes. */
const operations: Readonly<Record<string, Operation>> = {
  sendTextMessage: {
    scope: 'messages:send',
    query:
      'mutation ($input: SendTextMessageInput!) { sendTextMessage(input: $input) { message { business } } }',
    variables: input({ client: 'arya', textMessage: 'Hello' }),
  },
  message: {
    scope: 'messages:read',
    query: 'query ($business: ID, $id: ID!) { message(business: $business, id: $id) { id } }',
    variables: (business, { message }) => ({ business, id: message }),
  },
  messages: {
    scope: 'messages:read',
    query: 'query ($business: ID) { messages(business: $business) { edges { node { id } } } }',
    variables: onItsOwn,
  },
  sends: {
    scope: 'messages:read',
    query: 'query ($business: ID) { sends(business: $business) { edges { node { outcome } } } }',
    variables: onItsOwn,
  },
  messageStatus: {
    scope: 'messages:read',
    query:
      'subscription ($business: ID, $id: ID!) { messageStatus(business: $business, messageId: $id) { id } }',
    variables: (business, { message }) => ({ business, id: message }),
  },
  quarantinedCallbacks: {
    scope: 'operations',
    query: 'query ($business: ID) { quarantinedCallbacks(business: $business) { edges { node { id } } } }',
    variables: onItsOwn,
  },
  replayCallback: {
    scope: 'operations',
    query:
      'mutation ($business: ID, $id: ID!) { replayCallback(business: $business, id: $id) { understood } }',
    variables: (business, { callback }) => ({ business, id: callback }),
  },
  deleteQuarantinedCallbacks: {
    scope: 'operations',
    query:
      'mutation ($business: ID, $id: ID!) { deleteQuarantinedCallbacks(business: $business, ids: [$id]) { deleted } }',
    variables: (business, { callback }) => ({ business, id: callback }),
  },
  forgetClient: {
    scope: 'operations',
    query: 'mutation ($input: ForgetClientInput!) { forgetClient(input: $input) { messages } }',
    variables: (business, { client }) => ({ input: { business, client } }),
  },
};

/** What was answered: a result, a status of HTTP, or the close of the socket. */
interface Answer {
  readonly refused?: unknown;
  readonly result?: FormattedExecutionResult;
}

interface Asked {
  readonly query: string;
  readonly variables: Record<string, unknown>;
  readonly authorization: string | undefined;
}

const transports: Readonly<Record<string, (asked: Asked) => Promise<Answer>>> = {
  HTTP: async ({ query, variables, authorization }) => {
    const response = await fetch(`${gateway.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(authorization && { authorization }) },
      body: JSON.stringify({ query, variables }),
    });
    const result = (await response.json()) as FormattedExecutionResult;
    return response.status === 401 ? { refused: [401, codesOf({ result })] } : { result };
  },
  'the socket': async ({ query, variables, authorization }) => {
    await using client = connect(gateway.url, authorization);
    const states = client.iterate({ query, variables });
    try {
      const { value } = await states.next();
      return { result: value as FormattedExecutionResult };
    } catch (error) {
      if (Array.isArray(error)) return { result: { errors: error } };
      const { code, reason } = error as { code: number; reason: string };
      return { refused: [code, [reason.split(':')[0]]] };
    } finally {
      await states.return?.();
    }
  },
};

function codesOf({ result }: Answer): unknown[] {
  return (result?.errors ?? []).map(({ extensions }) => extensions?.['code']);
}

/** A subscription goes over the socket; HTTP says so to whoever may come in. */
function isElsewhere(transport: string, query: string): boolean {
  return transport === 'HTTP' && query.startsWith('subscription');
}

const cells = Object.keys(transports).flatMap((transport) =>
  Object.entries(operations).map(([name, operation]) => [name, transport, operation] as const),
);

async function ask(
  transport: string,
  operation: Operation,
  business: string | undefined,
  claims: Claims | null,
  ids: Ids = own,
) {
  const authorization = claims === null ? undefined : await gateway.authorize(claims);
  const variables = operation.variables(business, ids);
  const answer = await transports[transport]?.({ query: operation.query, variables, authorization });
  if (!answer) throw new Error('no such transport');
  return answer;
}

test('each operation that there is stands in this test, with the scope that it takes', async () => {
  const schema = await buildGatewaySchema();
  const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()];
  const fields = roots.flatMap((root) => Object.keys(root?.getFields() ?? {}));
  expect(Object.keys(operations).sort()).toEqual(fields.sort());
});

test('the README says which scope each operation takes', async () => {
  const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
  for (const scope of scopes) {
    const row = readme.split('\n').find((line) => line.startsWith(`| \`${scope}\` |`)) ?? '';
    const listed = [...row.slice(`| \`${scope}\` |`.length).matchAll(/`(\w+)`/g)].map(([, name]) => name);
    const taking = Object.keys(operations).filter((name) => operations[name]?.scope === scope);
    expect(listed.sort()).toEqual(taking.sort());
  }
});

test.each<[string, Claims | null]>([
  ['no token', null],
  ['an expired token', { exp: secondsFromNow(-1) }],
  ['a token for another audience', { aud: 'other' }],
])('with %s, no operation is begun on any transport', async (_what, claims) => {
  const answers = await Promise.all(
    cells.map(async ([name, transport, operation]) => {
      const answer = await ask(transport, operation, 'acme', claims);
      return [name, transport, answer.refused];
    }),
  );
  expect(answers).toEqual(
    cells.map(([name, transport]) => [
      name,
      transport,
      [transport === 'HTTP' ? 401 : 4403, ['UNAUTHENTICATED']],
    ]),
  );
});

test.each(cells)('without its scope, %s on %s is FORBIDDEN', async (_name, transport, operation) => {
  const others = scopes.filter((scope) => scope !== operation.scope);
  const answer = await ask(transport, operation, 'acme', { scope: others.join(' ') });
  const expected = isElsewhere(transport, operation.query) ? 'BAD_REQUEST' : 'FORBIDDEN';
  expect(codesOf(answer)).toEqual([expected]);
});

test.each(cells)(
  'for another business, %s on %s is FORBIDDEN, whether or not there is one of that name',
  async (_name, transport, operation) => {
    const claims = { businesses: ['umbrella'] };
    const [others, nobodys] = await Promise.all(
      ['acme', 'nobody'].map((business) => ask(transport, operation, business, claims)),
    );
    const expected = isElsewhere(transport, operation.query) ? 'BAD_REQUEST' : 'FORBIDDEN';
    expect(codesOf(others ?? {})).toEqual([expected]);
    expect(JSON.stringify(others).replaceAll('acme', 'nobody')).toBe(JSON.stringify(nobodys));
  },
);

test.each(cells)(
  'with a token for no business, %s on %s is FORBIDDEN',
  async (_name, transport, operation) => {
    const expected = isElsewhere(transport, operation.query) ? 'BAD_REQUEST' : 'FORBIDDEN';
    for (const business of ['acme', undefined])
      expect(codesOf(await ask(transport, operation, business, { businesses: undefined }))).toEqual([
        expected,
      ]);
  },
);

test.each(cells)(
  'what another business has is to %s on %s as if it were not there',
  async (_name, transport, operation) => {
    const claims = { businesses: ['umbrella'] };
    const theirs = await ask(transport, operation, undefined, claims);
    const nobodys = await ask(transport, operation, undefined, claims, unknown);
    const ids = new Set([own, unknown].flatMap((each) => Object.values(each)));
    const blind = (answer: unknown) =>
      JSON.stringify(answer).replaceAll(/\\"(\w+)\\"/g, (quoted, id) => (ids.has(id) ? 'ID' : quoted));
    expect(blind(theirs)).toBe(blind(nobodys));
    expect(JSON.stringify(theirs)).not.toContain('acme');
  },
);

test('after all this, nothing of acme was sent, shown, replayed or forgotten', async () => {
  expect(gateway.sent.filter((business) => business === 'acme')).toHaveLength(1);
  const { entries } = await gateway.messaging.list({ business: 'acme', first: 10, client: own.client });
  expect(entries).toHaveLength(1);
  expect(await acmesCallbacks()).toEqual([own.callback]);
  expect(await gateway.messaging.find({ business: 'acme', id: own.message })).toBeDefined();
});

test.each(cells)(
  'with its scope, and for its own business, %s on %s runs',
  async (_name, transport, operation) => {
    await receiveCallback();
    const answer = await ask(transport, operation, undefined, { scope: operation.scope });
    if (isElsewhere(transport, operation.query)) expect(codesOf(answer)).toEqual(['BAD_REQUEST']);
    else expect(answer.result?.errors).toBeUndefined();
  },
);

test('an idempotency key of one business is none of another', async () => {
  const keyed = (claims: Claims) =>
    ask(
      'HTTP',
      {
        scope: 'messages:send',
        query:
          'mutation ($input: SendTextMessageInput!) { sendTextMessage(input: $input) { replayed message { id } } }',
        variables: input({ client: 'jon', textMessage: 'Hello', idempotencyKey: 'k' }),
      },
      undefined,
      claims,
    );
  const [acmes, umbrellas, again] = [
    await keyed({ businesses: ['acme'] }),
    await keyed({ businesses: ['umbrella'] }),
    await keyed({ businesses: ['acme'] }),
  ].map(({ result }) => result?.data?.['sendTextMessage'] as { replayed: boolean; message: { id: string } });
  expect([acmes?.replayed, umbrellas?.replayed, again?.replayed]).toEqual([false, false, true]);
  expect(umbrellas?.message.id).not.toBe(acmes?.message.id);
  expect(again?.message.id).toBe(acmes?.message.id);
});

test('a subscription that is denied ends alone: its neighbours on the socket go on', async () => {
  await using client = connect(gateway.url, await gateway.authorize());
  const watch = (business: string, messageId: string) =>
    client.iterate({
      query:
        'subscription ($business: ID, $messageId: ID!) { messageStatus(business: $business, messageId: $messageId) { status } }',
      variables: { business, messageId },
    });
  await gateway.messaging.receive([news('m2', 'SENT')]);
  const neighbour = watch('acme', 'm2');
  expect((await neighbour.next()).value?.data).toEqual({ messageStatus: { status: 'SENT' } });
  const denied = await Promise.all([watch('umbrella', 'm2').next(), watch('acme', 'unknown').next()]);
  expect(denied.map(({ value }) => value?.errors?.[0]?.extensions?.['code'])).toEqual([
    'FORBIDDEN',
    'NOT_FOUND',
  ]);
  await gateway.messaging.receive([news('m2', 'READ')]);
  expect((await neighbour.next()).value?.data).toEqual({ messageStatus: { status: 'READ' } });
  expect((await neighbour.next()).done).toBe(true);
});
