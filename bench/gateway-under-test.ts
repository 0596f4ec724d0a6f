import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Child, startChild } from './child.ts';

/** The gateway as in production, with a store of its own on the disk, and a fake Pingup in another process. */
export interface GatewayUnderTest extends Child {
  readonly callbackPath: string;
  readonly pingupUrl: string;
  /** How many texts the fake Pingup has taken, whoever sent them. */
  textsTaken(): Promise<number>;
}

const token = 'a-token-for-the-benchmarks-only';

export interface GatewayUnderTestOptions {
  /** A Pingup that is there already. Otherwise the gateway gets one of its own. */
  readonly pingupUrl?: string;
  readonly expectedWarnings?: readonly string[];
  /** Environment variables besides. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Flags for Node come from `BENCH_GATEWAY_FLAGS`, separated by blanks: `--cpu-prof --cpu-prof-dir=DIRECTORY`. */
export async function startGatewayUnderTest(
  options: GatewayUnderTestOptions = {},
): Promise<GatewayUnderTest> {
  await using starting = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'gateway-bench-'));
  starting.defer(() => rm(directory, { recursive: true }));
  const pingupUrl = options.pingupUrl ?? (await startPingup(starting));
  const gateway = starting.use(
    await startChild({
      script: 'dist/main.js',
      expectedWarnings: options.expectedWarnings ?? [],
      flags: process.env['BENCH_GATEWAY_FLAGS']?.split(' ') ?? [],
      env: {
        PORT: '0',
        AUTH: 'none',
        PINGUP_BASE_URL: pingupUrl,
        PINGUP_BUSINESS_NAME: 'bench',
        PINGUP_API_KEY: 'bench-key',
        CALLBACK_TOKEN: token,
        CALLBACK_STATUS_MAP: 'accepted=ACCEPTED',
        // All clients of a benchmark come from one address.
        SOCKETS_PER_ADDRESS: '100000',
        MESSAGES_PER_SECOND: '100000',
        STORE_URL: `sqlite:${join(directory, 'gateway.db')}`,
        ...options.env,
      },
    }),
  );
  const all = starting.move();
  return {
    ...gateway,
    pingupUrl,
    callbackPath: `/callbacks/pingup/bench/${token}`,
    async textsTaken() {
      const answer = await fetch(`${pingupUrl}/taken`);
      const { taken } = (await answer.json()) as { taken: number };
      return taken;
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

async function startPingup(parts: AsyncDisposableStack): Promise<string> {
  const { port } = parts.use(await startChild({ script: 'bench/servers/fake-pingup.ts' }));
  return `http://127.0.0.1:${port}`;
}
