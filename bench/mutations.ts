import { type Child, startChild } from './child.ts';
import type { Report } from './figures.ts';
import { type GatewayUnderTest, startGatewayUnderTest } from './gateway-under-test.ts';
import { graphqlDialect, pingupDialect, type SendDialect, sendTexts } from './load/mutations.ts';

const inFlight = 32;
const rounds = 5;

interface Contender {
  readonly name: string;
  readonly server: Child;
  readonly dialect: SendDialect;
  /** Texts in a round: what it sends in about two seconds. */
  readonly count: number;
  readonly values: number[];
}

/**
 * Texts sent a second, each by a mutation over HTTP. Checked: every answer has an id of its own, Pingup took exactly as
 * many texts as were answered, and the gateway finds what it sent.
 */
export async function benchmarkMutations(): Promise<Report> {
  await using gateway = await startGatewayUnderTest();
  const args = [gateway.pingupUrl];
  await using passThrough = await startChild({ script: 'bench/servers/pass-through.ts', args });
  await using usual = await startChild({ script: 'bench/servers/usual-gateway.ts', args });
  const contenders: readonly [Contender, ...Contender[]] = [
    { name: 'the gateway', server: gateway, dialect: graphqlDialect, count: 12_000, values: [] },
    { name: 'bare pass-through', server: passThrough, dialect: pingupDialect, count: 30_000, values: [] },
    {
      name: 'Apollo, type-graphql, ky; no store',
      server: usual,
      dialect: graphqlDialect,
      count: 6_000,
      values: [],
    },
  ];

  // The first round warms up.
  for (let round = 0; round <= rounds; round += 1) {
    for (const contender of contenders) {
      const rate = await runRound(contender, gateway);
      if (round > 0) contender.values.push(rate);
    }
  }

  const [ours, ...references] = contenders;
  return {
    title: `sendTextMessage over HTTP, ${inFlight} in flight, Pingup answering at once`,
    unit: '/s',
    target: { atLeast: 6_000 },
    gateway: ours,
    references,
  };
}

async function runRound(
  { name, server, dialect, count }: Contender,
  gateway: GatewayUnderTest,
): Promise<number> {
  const takenBefore = await gateway.textsTaken();
  const start = performance.now();
  const ids = await sendTexts({ port: server.port, dialect, count, inFlight });
  const rate = count / ((performance.now() - start) / 1000);

  const taken = (await gateway.textsTaken()) - takenBefore;
  if (taken !== count || ids.length !== count)
    throw new Error(`${name} answered ${ids.length} of ${count} texts, and Pingup took ${taken}`);
  if (server === gateway) await checkKept(gateway, ids);
  return rate;
}

const sampleEvery = 500;

/** @throws Error where the gateway does not find a message that it said it sent. */
async function checkKept({ port }: GatewayUnderTest, ids: readonly string[]): Promise<void> {
  const sample = ids.filter((_, index) => index % sampleEvery === 0);
  const statuses = await Promise.all(sample.map((id) => statusOf(port, id)));
  const lost = sample.filter((_, index) => statuses[index] !== 'ACCEPTED');
  if (lost.length > 0) throw new Error(`of ${sample.length} the gateway did not find ${lost}`);
}

async function statusOf(port: number, id: string): Promise<string | undefined> {
  const answer = await fetch(`http://127.0.0.1:${port}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: 'query ($id: ID!) { message(id: $id) { status } }', variables: { id } }),
  });
  const { data } = (await answer.json()) as { data?: { message: { status: string } | null } };
  return data?.message?.status;
}
