import { createHmac } from 'node:crypto';
import { startCollector } from '../test/support/collector.ts';
import { authEnv, createSigner } from '../test/support/signer.ts';
import { runCallbacks } from './callbacks.ts';
import type { Report } from './figures.ts';
import { type GatewayUnderTest, startGatewayUnderTest } from './gateway-under-test.ts';
import { graphqlDialect, sendTexts } from './load/mutations.ts';
import { openSubscribers, type Subscribers } from './load/subscribers.ts';

const messageCount = 2_000;
const socketCount = 1_000;
const inFlight = 32;
/** Many and short: what the machine does besides then falls on both alike. */
const rounds = 20;
const hmacSecret = 'a-secret-for-the-benchmarks-only';

interface Contender {
  readonly name: string;
  readonly gateway: GatewayUnderTest;
  readonly subscribers: Subscribers;
  readonly mutations: number[];
  readonly callbacks: number[];
}

/**
 * What it costs to have everything on: tokens checked on both transports, callbacks signed with their time and from known
 * networks, requests limited, and one trace in a hundred exported. The gateway beside it has none of that, in the same
 * rounds; both are sent the same bytes. Checked: as in the benchmarks of callbacks and mutations.
 */
export async function benchmarkEverything(): Promise<readonly Report[]> {
  const signer = await createSigner();
  const token = await signer.sign({ businesses: ['bench'], exp: Math.trunc(Date.now() / 1000) + 3_600 });
  await using collector = await startCollector();
  await using everything = await startGatewayUnderTest({
    env: { ...authEnv(signer), ...collector.env, ...settings },
  });
  await using plain = await startGatewayUnderTest();
  const connectionParams = { authorization: `Bearer ${token}` };
  using watchers = await openSubscribers(everything.port, socketCount, connectionParams);
  using plainWatchers = await openSubscribers(plain.port, socketCount, connectionParams);
  const contenders = [
    contender('with everything on', everything, watchers),
    contender('the gateway alone', plain, plainWatchers),
  ] as const;

  // The first round warms up; who begins takes turns.
  for (let round = 0; round <= rounds; round += 1)
    for (const one of round % 2 === 0 ? contenders : contenders.toReversed()) {
      const rates = await runRound(one, token);
      if (round === 0) continue;
      one.mutations.push(rates.mutations);
      one.callbacks.push(rates.callbacks);
    }
  if (collector.exports === 0) throw new Error('no trace was exported');
  return [report('Mutations', contenders, 'mutations'), report('Callbacks', contenders, 'callbacks')];
}

const settings = {
  CALLBACK_HMAC_SECRET: hmacSecret,
  CALLBACK_HMAC_TIMESTAMP_HEADER: 'x-timestamp',
  CALLBACK_NETWORKS: '127.0.0.0/8',
  REQUESTS_PER_MINUTE: '100000000',
  OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
  OTEL_TRACES_SAMPLER_ARG: '0.01',
};

function contender(name: string, gateway: GatewayUnderTest, subscribers: Subscribers): Contender {
  return { name, gateway, subscribers, mutations: [], callbacks: [] };
}

async function runRound({ gateway, subscribers }: Contender, token: string) {
  const { port, callbackPath: path } = gateway;
  const headers = `Authorization: Bearer ${token}\r\n`;
  const start = performance.now();
  const ids = await sendTexts({ port, dialect: graphqlDialect, count: messageCount, inFlight, headers });
  const mutations = messageCount / ((performance.now() - start) / 1000);
  const callbacks = await runCallbacks([{ port, path, headersFor: signature, subscribers }], ids);
  return { mutations, callbacks };
}

function signature(body: string): string {
  const timestamp = Math.trunc(Date.now() / 1000);
  const signed = createHmac('sha256', hmacSecret).update(`${timestamp}.${body}`).digest('hex');
  return `X-Timestamp: ${timestamp}\r\nX-Signature: ${signed}\r\n`;
}

type Contenders = readonly [Contender, Contender];

function report(title: string, [ours, alone]: Contenders, what: 'mutations' | 'callbacks'): Report {
  return {
    title: `${title} with everything on: callers, signatures, limits, traces`,
    unit: '/s',
    target: { ofFirstReference: 0.85 },
    gateway: { name: ours.name, values: ours[what] },
    references: [{ name: alone.name, values: alone[what] }],
  };
}
