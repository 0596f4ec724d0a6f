import { setInterval as every } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import { GatewayError } from '../../src/errors.ts';
import { type Answer, startHttpPeer } from './support/peers.ts';
import { accepted, answerWith, connect, type TestPingup, text } from './support/pingup.ts';

const perSecond = 500;
/** A twentieth of a minute: nothing in an outage depends on how long it lasts, once the breaker is open. */
const outageMs = 3_000;
const concurrency = 64;
const maxWaiting = 256;
const soon = { timeout: 10_000, interval: 5 };

interface Sent {
  readonly startedAt: number;
  readonly endedAt: number;
  /** An error's code, or `sent`. */
  readonly outcome: string;
  readonly retryAfterSeconds: number | undefined;
}

/** Sends at a steady rate, whatever becomes of it, until it is disposed of. */
function startLoad(pingup: TestPingup) {
  const sends: Sent[] = [];
  const stop = new AbortController();
  let mostHeld = 0;

  async function send(): Promise<void> {
    const startedAt = performance.now();
    const answer = pingup.sendText(text);
    const { queued, running } = pingup.health();
    mostHeld = Math.max(mostHeld, queued + running);
    const error: unknown = await answer.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    const { code = 'sent', retryAfterSeconds } = error instanceof GatewayError ? error : {};
    sends.push({ startedAt, endedAt: performance.now(), outcome: code, retryAfterSeconds });
  }

  async function run(): Promise<void> {
    const begin = performance.now();
    let begun = 0;
    for await (const _ of every(10, undefined, { signal: stop.signal }))
      for (; begun < ((performance.now() - begin) / 1000) * perSecond; begun += 1) void send();
  }

  run().catch(() => undefined);
  return {
    sends,
    /** Sends that were under way or waited, at once. */
    get mostHeld() {
      return mostHeld;
    },
    [Symbol.dispose]: () => stop.abort(),
  };
}

/** A Pingup that can be gone and come back, on the same port. */
interface Outage extends AsyncDisposable {
  readonly url: string;
  begin(): Promise<void>;
  end(): Promise<void>;
}

async function startAnswering(whileDown: Answer): Promise<Outage> {
  let answer = answerWith(200, accepted);
  const peer = await startHttpPeer((...exchange) => answer(...exchange));
  return {
    url: peer.url,
    async begin() {
      answer = whileDown;
    },
    async end() {
      answer = answerWith(200, accepted);
    },
    [Symbol.asyncDispose]: () => peer[Symbol.asyncDispose](),
  };
}

async function startVanishing(): Promise<Outage> {
  const answer = answerWith(200, accepted);
  let peer = await startHttpPeer(answer);
  const { port, url } = peer;
  return {
    url,
    async begin() {
      await peer[Symbol.asyncDispose]();
    },
    async end() {
      peer = await startHttpPeer(answer, port);
    },
    [Symbol.asyncDispose]: () => peer[Symbol.asyncDispose](),
  };
}

function percentile(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length * share)] ?? Number.NaN;
}

describe.concurrent(`under ${perSecond} sends a second, an outage is over within 5 s, and until then answers are immediate:`, () => {
  test.each<[string, () => Promise<Outage>]>([
    ['Pingup answers 503', () => startAnswering(answerWith(503, ''))],
    ['Pingup is silent', () => startAnswering(() => undefined)],
    ['nobody listens', startVanishing],
  ])('%s', async (_case, start) => {
    await using outage = await start();
    await using pingup = connect(outage.url, { concurrency, maxWaiting, timeoutMs: 1_000 });
    using load = startLoad(pingup);
    await vi.waitUntil(() => load.sends.length > 100, soon);
    expect(new Set(load.sends.map(({ outcome }) => outcome))).toEqual(new Set(['sent']));

    await outage.begin();
    await vi.waitUntil(() => pingup.health().breaker === 'open', soon);
    const openedAt = performance.now();
    await vi.waitUntil(() => performance.now() - openedAt > outageMs, soon);

    await outage.end();
    const returnedAt = performance.now();
    await vi.waitUntil(() => load.sends.at(-1)?.outcome === 'sent', soon);
    expect(performance.now() - returnedAt).toBeLessThan(5_000);
    expect(pingup.health().breaker).toBe('closed');

    const during = load.sends.filter(
      ({ startedAt, endedAt }) => startedAt > openedAt && endedAt < returnedAt,
    );
    expect(during.length).toBeGreaterThan((perSecond * outageMs) / 1000 / 2);
    expect(
      percentile(
        during.map(({ startedAt, endedAt }) => endedAt - startedAt),
        0.99,
      ),
    ).toBeLessThan(100);
    const turnedAway = during.filter(({ outcome }) => outcome === 'PINGUP_UNAVAILABLE');
    expect(during.length - turnedAway.length).toBeLessThanOrEqual(2);
    expect(turnedAway.every(({ retryAfterSeconds }) => retryAfterSeconds !== undefined)).toBe(true);
    expect(load.mostHeld).toBeLessThanOrEqual(concurrency + maxWaiting);
  });
});
