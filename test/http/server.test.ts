import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { contentSecurityPolicy } from '../../src/http/graphiql-page.ts';
import { startTestGateway } from '../support/gateway.ts';

test('what is not there is 404, and says where GraphQL is', async () => {
  await using gateway = await startTestGateway();
  const response = await fetch(`${gateway.url}/nothing`);
  expect(response.status).toBe(404);
  expect(await response.text()).toContain('/graphql');
});

test.each(['/callbacks/pingup/sandbox/%zz-a-token', '/nothing/a-token'])(
  'an answer to %s does not repeat the address, which could hold a token',
  async (path) => {
    await using gateway = await startTestGateway();
    const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1');
    socket.end(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
    const answer = await text(socket);
    expect(answer).toMatch(/^HTTP\/1.1 40[04] /);
    expect(answer).not.toContain('a-token');
  },
);

test('every answer says what a browser may do with it: nothing', async () => {
  await using gateway = await startTestGateway();
  for (const path of ['/healthz', '/graphql', '/nothing']) {
    const response = await fetch(`${gateway.url}${path}`);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'referrer-policy': 'no-referrer',
      'strict-transport-security': 'max-age=31536000',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
    });
  }
});

test("GraphiQL's page keeps a policy of its own, by which it runs", async () => {
  await using gateway = await startTestGateway();
  const response = await fetch(`${gateway.url}/graphql`, { headers: { accept: 'text/html' } });
  expect(response.headers.get('content-security-policy')).toBe(contentSecurityPolicy);
});
