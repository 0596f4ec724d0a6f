import { parse } from 'graphql';
import { expect, test } from 'vitest';
import { createCostCheck, maxAnswerBytes } from '../../src/graphql/cost-check.ts';
import { buildGatewaySchema } from '../../src/graphql/schema.ts';
import type { Messaging } from '../../src/messaging.ts';
import { type Run, transports } from './both-transports.ts';
import { serveGraphql } from './serve-graphql.ts';
import { times } from './times.ts';
import { worstContext } from './worst-answers.ts';

/** Counts what reaches the flow, and answers it with texts that are as long as they can be. */
async function serveCounted() {
  const calls: string[] = [];
  const worst: Partial<Messaging> = worstContext('\u0001').messaging;
  const messaging = Object.fromEntries(
    Object.entries(worst).map(([name, call]) => [
      name,
      (...args: readonly unknown[]) => {
        calls.push(name);
        return (call as (...given: readonly unknown[]) => unknown)(...args);
      },
    ]),
  ) as Partial<Messaging>;
  return { calls, ...(await serveGraphql({ messaging })) };
}

const aliases = (count: number, field: string) => times(count, (index) => `a${index}: ${field}`);
const pageOfTexts = `edges { node { ...F } } } } fragment F on Message { ${aliases(28, 'textMessage')} }`;
const pages = (count: number) =>
  aliases(count, 'messages(first: $n) { edges { node { textMessage clientName } } }');
/** What each of them could return, or has returned, is over 4 MiB. */
const tooLarge: readonly (readonly [what: string, query: string, variables: object])[] = [
  ['28 aliases of a text on a page of 100', `{ messages(first: 100) { ${pageOfTexts}`, {}],
  ['10 pages of a size that only a variable has', `query ($n: Int) { ${pages(10)} }`, { n: 100 }],
  ['10 pages of a size that a variable has by default', `query ($n: Int = 100) { ${pages(10)} }`, {}],
  [
    'the bodies of 100 quarantined callbacks',
    'query ($n: Int) { quarantinedCallbacks(first: $n) { edges { node { raw } } } }',
    { n: 100 },
  ],
  [
    'the texts of the messages of 100 sends',
    `{ sends(first: 100) { edges { node { message { ${aliases(2, 'textMessage')} } } } } }`,
    {},
  ],
];

const eachOnBoth = tooLarge.flatMap((it) => transports.map(([name, run]) => [...it, name, run] as const));

test.each(eachOnBoth)(
  'an answer that could be over 4 MiB is refused before anything runs: %s',
  async (_what, query, variables, _name, run: Run) => {
    await using gateway = await serveCounted();
    const { data, errors } = await run(gateway, query, { ...variables });
    expect(data ?? null).toBeNull();
    expect(errors).toEqual([
      {
        message: expect.stringMatching(
          /could return \d{7,9} bytes, .* may have 4194304\. Ask for fewer items/,
        ),
        extensions: { code: 'GRAPHQL_VALIDATION_FAILED', retryable: false },
      },
    ]);
    expect(gateway.calls).toEqual([]);
  },
);

test.each(transports)(
  'a document that was answered is refused with variables that make it too large, and answered again without on %s',
  async (_name, run) => {
    await using gateway = await serveCounted();
    const query = `query ($n: Int) { ${pages(3)} }`;
    for (const n of [1, 100, 2]) {
      const { data } = await run(gateway, query, { n });
      expect(Object.keys(data ?? {})).toHaveLength(n === 100 ? 0 : 3);
    }
  },
);

test.each(transports)(
  'the longest page of 100 messages there can be is answered whole on %s',
  async (_name, run) => {
    await using gateway = await serveCounted();
    const { data, errors } = await run(
      gateway,
      '{ messages(first: 100) { edges { node { id client clientName textMessage failure { reason } } } } }',
    );
    expect(errors).toBeUndefined();
    const bytes = Buffer.byteLength(JSON.stringify(data));
    expect(bytes).toBeGreaterThan(0.8 * maxAnswerBytes);
    expect(bytes).toBeLessThan(maxAnswerBytes);
  },
);

test('a refused operation is HTTP 400', async () => {
  await using gateway = await serveCounted();
  const query = `{ messages(first: 100) { ${pageOfTexts}`;
  const get = await fetch(`${gateway.url}/graphql?query=${encodeURIComponent(query)}`, {
    headers: { 'apollo-require-preflight': 'true' },
  });
  expect(get.status).toBe(400);
  expect(await get.text()).toContain('Ask for fewer items');
  expect(gateway.calls).toEqual([]);
});

test('as many sends as an operation may have, each with all there is to say of its message, are answered whole', async () => {
  await using gateway = await serveCounted();
  const send = `sendTextMessage(input: { client: "c", textMessage: "t" }) { replayed message {
    id business client clientPhone clientName textMessage delay scheduledFor status revision acceptedAt updatedAt
    failure { code reason } history { status at receivedAt rawStatus } } }`;
  for (const [, run] of transports) {
    const { data, errors } = await run(gateway, `mutation { ${aliases(10, send)} }`);
    expect(errors).toBeUndefined();
    expect(Object.values(data ?? {}).filter(Boolean)).toHaveLength(10);
  }
});

test('an operation is compiled once, for as long as its document is kept', async () => {
  const schema = await buildGatewaySchema();
  const check = createCostCheck(schema);
  const document = parse('query ($n: Int) { messages(first: $n) { edges { node { textMessage } } } }');
  let read = 0;
  const [definition] = document.definitions;
  if (definition?.kind !== 'OperationDefinition') throw new Error('no operation');
  const { selectionSet } = definition;
  const watched = Object.defineProperty({ ...definition }, 'selectionSet', {
    get() {
      read += 1;
      return selectionSet;
    },
  });
  for (const n of [1, 2, 100]) expect(check(document, watched, { n })).toEqual(expect.any(Number));
  expect(read).toBe(1);
});
