import fc from 'fast-check';
import { print } from 'graphql';
import { expect, test } from 'vitest';
import { traceparentOf } from '../src/traceparent.ts';
import { SendTextMessageDocument } from './generated/operations.ts';
import { type HttpPeer, startHttpPeer } from './pingup/support/peers.ts';
import { startTestGateway } from './support/gateway.ts';
import { connect, payloadOf, subscribe } from './support/graphql-client.ts';

const ids = '0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331';
const unsampled = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-00$/;

test.each([
  [`00-${ids}-01`, `00-${ids}-01`],
  [`00-${ids}-00`, `00-${ids}-00`],
  [`cc-${ids}-01`, `00-${ids}-01`],
  [`cc-${ids}-01-what-the-future-will-bring`, `00-${ids}-01`],
])('%s is handed on as %s', (header, traceparent) => {
  expect(traceparentOf(header)).toBe(traceparent);
});

test.each([
  ['none', undefined],
  ['several', [`00-${ids}-01`, `00-${ids}-01`]],
  ['an empty one', ''],
  ['upper case', `00-${ids.toUpperCase()}-01`],
  ['a blank', `00-${ids}-01 `],
  ['version ff', `ff-${ids}-01`],
  ['more than version 00 has', `00-${ids}-01-x`],
  ['a longer end', `cc-${ids}-01x`],
  ['no flags', `00-${ids}`],
  ['no trace', `00-${'0'.repeat(32)}-b7ad6b7169203331-01`],
  ['no parent', `00-0af7651916cd43dd8448eb211c80319c-${'0'.repeat(16)}-01`],
])('%s: a trace is made up, which nobody has sampled', (_case, header) => {
  expect(traceparentOf(header)).toMatch(unsampled);
});

test('whatever the header, the result is valid, and no two made up are the same', () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9a-f]{2}-[0-9a-f]{4,40}-0*-0.$/)), (header) => {
      const traceparent = traceparentOf(header);
      expect(traceparent).toMatch(unsampled);
      expect(seen).not.toContain(traceparent);
      seen.add(traceparent);
    }),
  );
});

/** A Pingup that takes everything, each as another message. */
function startPingup(): Promise<HttpPeer> {
  let taken = 0;
  return startHttpPeer((_request, response) => {
    taken += 1;
    response.end(JSON.stringify({ success: true, data: { message_id: `id-${taken}` } }));
  });
}

function accountAt({ url }: HttpPeer): Record<string, string> {
  return {
    PINGUP_BASE_URL: url,
    PINGUP_API_KEY: 'key',
    PINGUP_BUSINESS_NAME: 'acme',
    CALLBACK_TOKEN: 'a-callback-token-for-this-test',
  };
}

const query = print(SendTextMessageDocument);
const variables = { input: { client: 'c', textMessage: 'Hello' } };

test('the trace of an HTTP request goes to Pingup, and one is made up where there is none', async () => {
  await using pingup = await startPingup();
  await using gateway = await startTestGateway({ env: accountAt(pingup) });
  for (const traced of [{ traceparent: `00-${ids}-01` }, { traceparent: 'nonsense' }, {}])
    await fetch(`${gateway.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...traced },
      body: JSON.stringify({ query, variables }),
    });
  expect(pingup.requests.map(({ headers }) => headers['traceparent'])).toEqual([
    `00-${ids}-01`,
    expect.stringMatching(unsampled),
    expect.stringMatching(unsampled),
  ]);
});

test('on a socket, each operation has a trace of its own', async () => {
  await using pingup = await startPingup();
  await using gateway = await startTestGateway({ env: accountAt(pingup) });
  await using client = connect(gateway.url);
  for (let sent = 0; sent < 2; sent += 1) {
    const { value } = await subscribe(client, SendTextMessageDocument, variables).next();
    expect(payloadOf(value).message.status).toBe('ACCEPTED');
  }
  const traces = pingup.requests.map(({ headers }) => headers['traceparent']);
  expect(traces).toEqual([expect.stringMatching(unsampled), expect.stringMatching(unsampled)]);
  expect(new Set(traces).size).toBe(2);
});
