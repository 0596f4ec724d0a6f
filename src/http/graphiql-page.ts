import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

export interface GraphiqlPageOptions {
  /** Absolute path of the built pages (`dist/web`). */
  readonly webRoot: string;
  /** The sandbox's clients, name to what happens to a message for it; null when texts go to the real Pingup. */
  readonly sandboxClients: Readonly<Record<string, string>> | null;
}

export interface GraphiqlPage {
  /** A Fastify plugin: `GET /` leads to GraphiQL, and its scripts, styles and fonts are under `/graphiql/assets/`. */
  routes(server: FastifyInstance): Promise<void>;
  /** Answers `GET /graphql` where `wantsHtml`. */
  sendPage(reply: FastifyReply): FastifyReply;
}

/**
 * GraphiQL for a browser, without a request to any other host.
 *
 * @throws Error where the pages have not been built.
 */
export async function graphiqlPage({ webRoot, sandboxClients }: GraphiqlPageOptions): Promise<GraphiqlPage> {
  const page = withSandboxClients(await readPage(webRoot), sandboxClients);

  async function routes(server: FastifyInstance): Promise<void> {
    await server.register(fastifyStatic, {
      root: join(webRoot, 'assets'),
      prefix: '/graphiql/assets/',
      index: false,
      decorateReply: false,
      preCompressed: true,
      // The names hold a hash of the content.
      immutable: true,
      maxAge: '365d',
      // A worker obeys the policy that came with its own script, not the page's.
      setHeaders: (reply) => void reply.headers(securityHeaders),
    });
    server.get('/', (_request, reply) => reply.redirect('/graphql'));
  }

  function sendPage(reply: FastifyReply): FastifyReply {
    return reply
      .headers({ ...securityHeaders, 'cache-control': 'no-store', vary: 'accept' })
      .type('text/html; charset=utf-8')
      .send(page);
  }

  return { routes, sendPage };
}

/**
 * What the page may do: run its own scripts and talk to its own server. Monaco needs inline styles (it writes its
 * theme into a style element, and its lines with style attributes: microsoft/monaco-editor#271), and GraphiQL's style
 * sheet holds its fonts and pictures as data.
 */
export const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "worker-src 'self'",
  "connect-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "font-src 'self' data:",
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const securityHeaders = {
  'content-security-policy': contentSecurityPolicy,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
};

/** Whether the caller would rather have a page than JSON, as a browser that goes to an address does. */
export function wantsHtml(request: FastifyRequest): boolean {
  const accept = request.headers.accept ?? '';
  const json = ['application/graphql-response+json', 'application/json'];
  return quality(accept, 'text/html') > Math.max(...json.map((type) => quality(accept, type)));
}

/** The weight (`q`, 0 to 1) that an Accept header gives to a media type by its name; 0 where it does not name it. */
function quality(accept: string, mediaType: string): number {
  const ranges = accept.split(',').map((range) => range.split(';').map((part) => part.trim().toLowerCase()));
  const range = ranges.find(([name]) => name === mediaType);
  if (!range) return 0;
  const weight = range.find((part) => part.startsWith('q='));
  return weight === undefined ? 1 : Number.parseFloat(weight.slice(2)) || 0;
}

async function readPage(webRoot: string): Promise<string> {
  const file = join(webRoot, 'index.html');
  return readFile(file, 'utf8').catch((cause) => {
    throw new Error(`GraphiQL is not built: cannot read ${file}. Run "npm run build".`, { cause });
  });
}

function withSandboxClients(page: string, clients: Readonly<Record<string, string>> | null): string {
  const attribute = (json: string) => `data-sandbox-clients="${json}"`;
  return page.replace(attribute('null'), () => attribute(escapeHtml(JSON.stringify(clients))));
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
