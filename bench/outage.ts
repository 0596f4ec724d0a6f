import { setTimeout as delay } from 'node:timers/promises';
import type { Child } from './child.ts';
import { startGatewayUnderTest } from './gateway-under-test.ts';
import { graphqlDialect, sendTexts } from './load/mutations.ts';
import { checkSends, type OutageTimes } from './outage/check-sends.ts';
import { describeOutages, type Outage } from './outage/describe-outages.ts';
import { startFailingPingup, type WayToFail, waysToFail } from './outage/failing-pingup.ts';
import { startSteadySends } from './outage/steady-sends.ts';

const perSecond = 500;
/** Of the outage; less by `BENCH_OUTAGE_SECONDS`, for a quick look. */
const outageSeconds = Number(process.env['BENCH_OUTAGE_SECONDS'] ?? 60);
/** Texts that make the gateway warm, and the time of the steady load before the outage. */
const warmUpTexts = 10_000;
const steadyMs = 5_000;
/** From the opening of the breaker to the first look at the memory. */
const settleMs = 5_000;
/** After Pingup's return. */
const recoveryMs = 12_000;
const breakerOpened = 'Pingup is down';
const expectedWarnings = [breakerOpened, 'sends fail', 'a send failed'];
const sampleEveryMs = (outageSeconds * 1000) / 12;

/**
 * Pingup goes down and comes back under a steady load of sends. Checked: see `checkSends`.
 *
 * It has no target of its own process to compare with: the promise is answers under 100 ms, memory that is flat, and
 * service within 5 s of Pingup's return.
 */
export async function benchmarkOutage(): Promise<string> {
  const outages: Outage[] = [];
  for (const way of waysToFail) outages.push(await runOutage(way));
  const title = `Pingup down for ${outageSeconds} s under ${perSecond} sendTextMessage/s over HTTP`;
  return describeOutages(title, outages);
}

async function runOutage(way: WayToFail): Promise<Outage> {
  await using pingup = await startFailingPingup();
  await using gateway = await startGatewayUnderTest({ pingupUrl: pingup.url, expectedWarnings });
  await sendTexts({ port: gateway.port, dialect: graphqlDialect, count: warmUpTexts, inFlight: 32 });
  using load = await startSteadySends({ port: gateway.port, perSecond });
  await delay(steadyMs);

  const opened = gateway.warned(breakerOpened);
  await pingup.fail(way);
  const downAt = performance.now();
  const ended = delay(outageSeconds * 1000);
  using samples = sampleMemory(gateway);
  await opened;
  const openedAt = performance.now();
  await delay(settleMs);
  const early = await measure(gateway);
  await ended;
  const late = await measure(gateway);

  const backAt = performance.now();
  await pingup.recover();
  await delay(recoveryMs);
  await load.stop();
  const times: OutageTimes = { downAt, openedAt, backAt };
  checkSends(load.answered, pingup.arrivals, times);
  return { way, times, sends: load.answered, memory: { early, late, resident: samples.resident } };
}

/** In bytes, after a collection of garbage; `heap`: of the main thread. */
async function measure(gateway: Child) {
  await gateway.collectGarbage();
  const heap = await gateway.collectGarbage();
  return { heap, resident: await gateway.residentBytes() };
}

/** Looks at the resident memory, in bytes, at equal intervals until it is disposed of. */
function sampleMemory(gateway: Child) {
  const resident: number[] = [];
  async function sample(): Promise<void> {
    resident.push(await gateway.residentBytes());
  }
  // Where the gateway is gone, the next look at it says why.
  const timer = setInterval(() => void sample().catch(() => undefined), sampleEveryMs);
  return { resident, [Symbol.dispose]: () => clearInterval(timer) };
}
