import { setInterval as every } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import { SendTextMessageDocument } from './generated/operations.ts';
import { outages } from './pingup/support/outage.ts';
import { startTestGateway, type TestGateway } from './support/gateway.ts';
import { execute } from './support/graphql-client.ts';

const outageMs = 5_000;
/** Forty sends a second. `npm run bench -- outage` is the same with five hundred, for a minute, and times each. */
const betweenSendsMs = 25;
const soon = { timeout: 120_000, interval: 20 };

/** A send and its answer. */
interface Sent {
  readonly text: string;
  /** An error's code, or `ACCEPTED`. */
  readonly outcome: string;
  readonly retryAfterSeconds: number | undefined;
}

/** Sends texts, each another, one every so often whatever becomes of those before. */
function startLoad({ url }: TestGateway) {
  const begun: Promise<Sent>[] = [];
  const answered: Sent[] = [];
  const stopping = new AbortController();

  async function send(text: string): Promise<Sent> {
    const input = { client: 'reads', textMessage: text };
    const { data, errors } = await execute(url, SendTextMessageDocument, { input });
    const { code, retryAfterSeconds } = errors?.[0]?.extensions ?? {};
    const outcome = String(code ?? data?.sendTextMessage?.message.status);
    const sent = { text, outcome, retryAfterSeconds } as Sent;
    answered.push(sent);
    return sent;
  }

  async function run(): Promise<void> {
    for await (const _ of every(betweenSendsMs, undefined, { signal: stopping.signal }))
      begun.push(send(`Text ${begun.length}`));
  }

  const running = run().catch(() => undefined);
  return {
    begun,
    answered,
    /** Every send there was. */
    async stop(): Promise<readonly Sent[]> {
      stopping.abort();
      await running;
      return Promise.all(begun);
    },
    [Symbol.dispose]: () => stopping.abort(),
  };
}

async function breakerOf({ url }: TestGateway): Promise<unknown> {
  const readiness = (await (await fetch(`${url}/readyz`)).json()) as {
    pingup: Record<string, { breaker: string }>;
  };
  return Object.values(readiness.pingup)[0]?.breaker;
}

/** How often each text may have arrived at Pingup, by what its sender was told. */
const arrivals: Readonly<Record<string, readonly number[]>> = {
  ACCEPTED: [1],
  SEND_OUTCOME_UNKNOWN: [0, 1],
  PINGUP_UNAVAILABLE: [0],
};

describe.concurrent('while Pingup is down, sends are turned away and few try; no text arrives twice; service is back by itself:', () => {
  test.each(outages)('%s', async (_case, start) => {
    await using pingup = await start();
    const account = { PINGUP_BUSINESS_NAME: 'acme', PINGUP_API_KEY: 'key', CALLBACK_TOKEN: 'c'.repeat(24) };
    const env = { ...account, PINGUP_BASE_URL: pingup.url, PINGUP_TIMEOUT_MS: '1000' };
    await using gateway = await startTestGateway({ env });
    using load = startLoad(gateway);
    await vi.waitUntil(() => load.answered.length >= 20, soon);
    expect(load.answered.every(({ outcome }) => outcome === 'ACCEPTED')).toBe(true);

    await pingup.begin();
    await vi.waitUntil(async () => (await breakerOf(gateway)) === 'open', soon);
    const openedAt = performance.now();
    const firstWhileOpen = load.begun.length;
    await vi.waitUntil(() => performance.now() - openedAt > outageMs, soon);
    const whileOpen = await Promise.all(load.begun.slice(firstWhileOpen));
    const turnedAway = whileOpen.filter(({ outcome }) => outcome === 'PINGUP_UNAVAILABLE');
    const tries = whileOpen.filter(({ outcome }) => outcome === 'SEND_OUTCOME_UNKNOWN');
    expect(turnedAway.length + tries.length).toBe(whileOpen.length);
    expect(tries.length).toBeLessThanOrEqual(3);
    expect(turnedAway.filter(({ retryAfterSeconds }) => !retryAfterSeconds)).toEqual([]);

    await pingup.end();
    await vi.waitUntil(() => load.answered.at(-1)?.outcome === 'ACCEPTED', soon);

    const sends = await load.stop();
    const received = pingup.requests().map(({ body }) => JSON.parse(body).text_message);
    const times = Map.groupBy(received, (text) => text);
    const wrong = sends.filter(
      ({ text, outcome }) => !arrivals[outcome]?.includes(times.get(text)?.length ?? 0),
    );
    expect(wrong).toEqual([]);
  });
});
