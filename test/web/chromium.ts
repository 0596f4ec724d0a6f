import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, chromium, type Page } from 'playwright-core';

/** A page of a Chromium of its own, which reaches one server and nothing else. */
export interface Chromium extends AsyncDisposable {
  readonly page: Page;
  /** Addresses outside of the server that the page asked for. All were refused. */
  readonly strayRequests: readonly string[];
  /** What the console called an error, violations of the Content-Security-Policy among them, and uncaught errors. */
  readonly errors: readonly string[];
}

/** @param origin the one server that may be reached, such as `http://127.0.0.1:4000`. */
export async function startChromium(executablePath: string, origin: string): Promise<Chromium> {
  const profile = await mkdtemp(join(tmpdir(), 'chromium-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath,
    headless: true,
    chromiumSandbox: false,
    viewport: { width: 1400, height: 900 },
    args: quietly,
  });
  context.setDefaultTimeout(20_000);
  const strayRequests = await refuseStrayRequests(context, origin);
  const errors: string[] = [];
  const page = await context.newPage();
  page.on('console', (message) => void (message.type() === 'error' && errors.push(message.text())));
  page.on('pageerror', (error) => void errors.push(String(error)));

  async function stop(): Promise<void> {
    await context.close();
    await rm(profile, { recursive: true, force: true });
  }
  return { page, strayRequests, errors, [Symbol.asyncDispose]: stop };
}

/** Chromium's own traffic is off, and no name resolves. */
const quietly = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
];

/** Routes do not see WebSockets; one to a stray host is recorded here and fails to find its name. */
async function refuseStrayRequests(context: BrowserContext, origin: string): Promise<string[]> {
  const stray: string[] = [];
  await context.route(
    (url) => url.origin !== origin,
    (route) => {
      stray.push(route.request().url());
      return route.abort();
    },
  );
  const socketOrigin = origin.replace(/^http/, 'ws');
  context.on('page', (page) =>
    page.on('websocket', (socket) => {
      if (new URL(socket.url()).origin !== socketOrigin) stray.push(socket.url());
    }),
  );
  return stray;
}
