import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cutPiece, maxPieceLength } from '../../src/graphql/body-piece.ts';
import type { Messaging } from '../../src/messaging.ts';
import type { QuarantineEntry } from '../../src/store/port.ts';
import { startTestGateway } from '../support/gateway.ts';
import { transports } from './both-transports.ts';
import { serveGraphql } from './serve-graphql.ts';

/** A quarantine with one callback in it, and how often its body was read. */
function quarantineOf(raw: string, times = { read: 0 }): Partial<Messaging> {
  const callback: QuarantineEntry = {
    ...{ id: '1', business: 'acme', rawLength: raw.length, reason: 'no id', receivedAt: 0 },
    ...{ lastReceivedAt: 0, times: 1 },
  };
  return {
    quarantined: async () => ({ entries: [{ cursor: 'c', callback }], hasMore: false }),
    quarantinedBody: async (business, id) => {
      times.read += 1;
      return business === 'acme' && id === '1' ? raw : undefined;
    },
  };
}

const select = (fields: string) => `{ quarantinedCallbacks(first: 1) { edges { node { ${fields} } } } }`;

test.each(transports)('a quarantined body is read in pieces, to its end, on %s', async (_name, run) => {
  await using gateway = await startTestGateway();
  const body = { message_id: 'm', status: 'odd', padding: '😀é'.repeat(10_000) };
  expect((await gateway.callBack(body)).status).toBe(422);
  const query = `query ($offset: Int) ${select('rawLength raw(offset: $offset)')}`;
  let read = '';
  for (let offset = 0, whole = 1; offset < whole; offset += maxPieceLength) {
    const { data } = await run(gateway, query, { offset });
    const { node } = (data as unknown as Answer).quarantinedCallbacks.edges[0] ?? {};
    expect(node?.raw.isWellFormed()).toBe(true);
    expect(node?.raw.length).toBeLessThanOrEqual(maxPieceLength + 1);
    whole = node?.rawLength ?? 0;
    read += node?.raw;
  }
  expect(read).toBe(JSON.stringify(body));
});

interface Answer {
  readonly quarantinedCallbacks: {
    readonly edges: readonly { readonly node: { readonly raw: string; readonly rawLength: number } }[];
  };
}

test('a piece is the first 16,384 code units by default, also for null, and empty past the end', async () => {
  await using gateway = await serveGraphql({ messaging: quarantineOf('x'.repeat(20_000)) });
  const [, run] = transports[0] ?? [];
  const fields =
    'a: raw b: raw(offset: null, length: null) c: raw(offset: 19999, length: 5) d: raw(offset: 20000)';
  expect((await run?.(gateway, select(fields)))?.data).toEqual({
    quarantinedCallbacks: {
      edges: [{ node: { a: 'x'.repeat(16_384), b: 'x'.repeat(16_384), c: 'x', d: '' } }],
    },
  });
});

test('however many pieces of a body one request asks for, it is read once, and not without one', async () => {
  const times = { read: 0 };
  await using gateway = await serveGraphql({ messaging: quarantineOf('{"a":1}', times) });
  const [, run] = transports[0] ?? [];
  await run?.(gateway, select('rawLength reason'));
  expect(times.read).toBe(0);
  await run?.(gateway, select('raw a: raw(offset: 1) b: raw(length: 1)'));
  expect(times.read).toBe(1);
});

test('a body that has left the quarantine since is null, and hides nothing else', async () => {
  const messaging = { ...quarantineOf('{}'), quarantinedBody: async () => undefined };
  await using gateway = await serveGraphql({ messaging });
  const [, run] = transports[0] ?? [];
  expect(await run?.(gateway, select('id raw'))).toEqual({
    data: { quarantinedCallbacks: { edges: [{ node: { id: '1', raw: null } }] } },
  });
});

test.each([
  ['offset: -1', [['offset']]],
  ['length: 0', [['length']]],
  ['length: -1', [['length']]],
  ['length: 16385', [['length']]],
  ['offset: -2147483648, length: 2147483647', [['offset'], ['length']]],
])('a piece at %s is BAD_USER_INPUT', async (args, paths) => {
  await using gateway = await serveGraphql({ messaging: quarantineOf('{}') });
  const [, run] = transports[0] ?? [];
  const result = await run?.(gateway, select(`raw(${args})`));
  expect(result?.errors?.[0]?.extensions).toMatchObject({
    code: 'BAD_USER_INPUT',
    faults: paths.map((path) => ({ path })),
  });
  expect(result?.data).toEqual({ quarantinedCallbacks: { edges: [{ node: { raw: null } }] } });
});

test('pieces of any length that follow each other make up the body, and none is half a character', () => {
  const body = fc.string({ unit: fc.constantFrom('a', '\n', 'é', '😀', '𝄞'), maxLength: 60 });
  fc.assert(
    fc.property(body, fc.integer({ min: 1, max: 7 }), (text, length) => {
      const offsets = Array.from({ length: Math.ceil(text.length / length) }, (_, index) => index * length);
      const pieces = offsets.map((offset) => cutPiece(text, { offset, length }));
      expect(pieces.join('')).toBe(text);
      expect(pieces.every((piece) => piece.isWellFormed() && piece.length <= length + 1)).toBe(true);
    }),
  );
});

test('what a replay does not understand is told in at most 1,024 characters, however many faults there are', async () => {
  await using gateway = await startTestGateway();
  expect((await gateway.callBack(Array.from({ length: 60_000 }, () => ({})))).status).toBe(422);
  const [, run] = transports[0] ?? [];
  const { data } = (await run?.(gateway, 'mutation { replayCallback(id: "1") { understood reason } }')) ?? {};
  const { understood, reason } = (data as unknown as Replayed).replayCallback;
  expect(understood).toBe(false);
  expect(reason).toContain('[0]: expected a message id');
  expect(reason.length).toBeLessThanOrEqual(1_024);
});

interface Replayed {
  readonly replayCallback: { readonly understood: boolean; readonly reason: string };
}

test('of all bodies that are asked for, eight are read at once, and each once for all of its pieces', async () => {
  const held = Promise.withResolvers<void>();
  let begun = 0;
  const callback = { ...{ business: 'acme', rawLength: 1, reason: 'no id' }, ...seen };
  const entries = Array.from({ length: 100 }, (_, id) => ({
    cursor: 'c',
    callback: { ...callback, id: String(id) },
  }));
  const messaging: Partial<Messaging> = {
    quarantined: async () => ({ entries, hasMore: false }),
    quarantinedBody: async () => {
      begun += 1;
      await held.promise;
      return '{}';
    },
  };
  await using gateway = await serveGraphql({ messaging });
  const [[, run]] = transports as [(typeof transports)[number]];
  const answers = [1, 2].map(() => run(gateway, select('a: raw(length: 1) b: raw(offset: 1, length: 1)')));
  await expect.poll(() => begun).toBe(8);
  expect((await run(gateway, select('id'))).errors).toBeUndefined();
  expect(begun).toBe(8);
  held.resolve();
  for (const { errors } of await Promise.all(answers)) expect(errors).toBeUndefined();
  expect(begun).toBe(200);
});

const seen = { receivedAt: 0, lastReceivedAt: 0, times: 1 };
