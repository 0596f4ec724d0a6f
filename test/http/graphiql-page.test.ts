import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type FastifyRequest, fastify } from 'fastify';
import { expect, test } from 'vitest';
import { contentSecurityPolicy, graphiqlPage, wantsHtml } from '../../src/http/graphiql-page.ts';

test('the page comes with its policy, and no cache keeps it', async () => {
  await using server = await startPageServer(null);
  const response = await fetch(`${server.url}/graphql`);
  expect(response.status).toBe(200);
  expect(Object.fromEntries(response.headers)).toMatchObject({
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': contentSecurityPolicy,
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cache-control': 'no-store',
    vary: 'accept',
  });
});

test('the policy lets no script run that the server did not give', () => {
  expect(contentSecurityPolicy).toContain("default-src 'none'; script-src 'self'; worker-src 'self'");
  expect(contentSecurityPolicy).not.toMatch(/unsafe-eval|script-src[^;]*unsafe-inline|https?:|\*/);
});

test("the sandbox's clients are in an attribute of the page, and cannot end it", async () => {
  await using server = await startPageServer({ '"><script>': "a & b's $& &quot;" });
  const page = await (await fetch(`${server.url}/graphql`)).text();
  expect(page).toContain(
    'data-sandbox-clients="{&quot;\\&quot;>&lt;script>&quot;:&quot;a &amp; b\'s $&amp; &amp;quot;&quot;}"',
  );
});

test('without the sandbox the page names no client', async () => {
  await using server = await startPageServer(null);
  const page = await (await fetch(`${server.url}/graphql`)).text();
  expect(page).toContain('data-sandbox-clients="null"');
});

test('/ leads to /graphql', async () => {
  await using server = await startPageServer(null);
  const response = await fetch(server.url, { redirect: 'manual' });
  expect([response.status, response.headers.get('location')]).toEqual([302, '/graphql']);
});

test('an asset is kept for a year, compressed where that is accepted, and under the same policy', async () => {
  await using server = await startPageServer(null);
  const url = `${server.url}/graphiql/assets/main-abc.js`;
  const plain = await fetch(url, { headers: { 'accept-encoding': 'identity' } });
  const gzipped = await fetch(url, { headers: { 'accept-encoding': 'gzip' } });
  expect(await plain.text()).toBe('plain()');
  expect(await gzipped.text()).toBe('gzipped()');
  expect(gzipped.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
  expect(gzipped.headers.get('content-type')).toMatch(/^(text|application)\/javascript/);
  expect(gzipped.headers.get('content-security-policy')).toBe(contentSecurityPolicy);
});

test('nothing outside of the assets is served', async () => {
  await using server = await startPageServer(null);
  for (const path of ['', '..%2findex.html', '%2e%2e/index.html', 'missing.js']) {
    const response = await fetch(`${server.url}/graphiql/assets/${path}`);
    expect([path, response.status >= 400]).toEqual([path, true]);
  }
});

test('a page that was not built is refused with what to do about it', async () => {
  const webRoot = join(tmpdir(), 'no-such-folder');
  await expect(graphiqlPage({ webRoot, sandboxClients: null })).rejects.toThrow('Run "npm run build"');
});

test.each([
  ['text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8', true],
  ['application/json;q=0.5, Text/HTML', true],
  ['text/html;q=0.5, application/json', false],
  ['application/json, text/html', false],
  ['application/graphql-response+json, text/html;q=0.9', false],
  ['text/html;q=0', false],
  ['application/json', false],
  ['*/*', false],
  [undefined, false],
])('Accept: %s is a wish for the page: %s', (accept, expected) => {
  expect(wantsHtml({ headers: { accept } } as FastifyRequest)).toBe(expected);
});

async function startPageServer(sandboxClients: Readonly<Record<string, string>> | null) {
  const webRoot = await mkdtemp(join(tmpdir(), 'web-'));
  await mkdir(join(webRoot, 'assets'));
  await writeFile(join(webRoot, 'index.html'), '<div data-sandbox-clients="null"></div>');
  await writeFile(join(webRoot, 'assets/main-abc.js'), 'plain()');
  await writeFile(join(webRoot, 'assets/main-abc.js.gz'), gzipSync('gzipped()'));

  const server = fastify();
  const page = await graphiqlPage({ webRoot, sandboxClients });
  await server.register(page.routes);
  server.get('/graphql', (_request, reply) => page.sendPage(reply));
  const url = await server.listen({ host: '127.0.0.1', port: 0 });
  async function stop(): Promise<void> {
    await server.close();
    await rm(webRoot, { recursive: true });
  }
  return { url, [Symbol.asyncDispose]: stop };
}
