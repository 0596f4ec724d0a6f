import { setTimeout as delay } from 'node:timers/promises';
import type { Fault } from './fault.ts';
import { checkHistory } from './history/check-history.ts';
import { type Breach, checkPrice } from './history/check-price.ts';
import type { History } from './history/history.ts';
import { longestWait } from './history/longest-wait.ts';
import type { Cost, Outcomes } from './history/outcomes.ts';
import { findAll, listAll } from './load/find-all.ts';
import { type Load, startLoad } from './load/load.ts';
import type { Rig } from './rig/rig.ts';
import type { Scale } from './scale.ts';
import { setScene } from './scene.ts';

export interface FaultReport {
  readonly name: string;
  /** What happened. */
  readonly story: string;
  /** What it may cost. */
  readonly costs: readonly Cost[];
  readonly subscribers: number;
  readonly messages: number;
  /** Callbacks a second, answered or not, while the load was steady. */
  readonly callbacksPerSecond: number;
  readonly outcomes: Outcomes;
  /** The longest time, in ms, until a subscriber saw what was acknowledged, once what that takes was there again. */
  readonly longestWaitMs: number;
  readonly violations: readonly Breach[];
}

const patienceMs = 30_000;

/**
 * Puts a load on the rig, lets the fault strike, and checks all that was promised.
 *
 * @throws Error where the load does not begin, the fault cannot be mended, or the gateways answer no queries after it.
 */
export async function runFault<R extends Rig>(fault: Fault<R>, rig: R, scale: Scale): Promise<FaultReport> {
  await using load = await startLoad(rig, scale);
  await inTime('every subscriber watches its first message', load.begun);
  const rate = measureRate(load.outcomes);
  await delay(scale.undisturbedMs);
  const struckAt = Date.now();
  const scene = setScene(rig, scale, load);
  const story = await fault.strike(scene);
  await scene.allRight();
  await delay(scale.undisturbedMs);
  const callbacksPerSecond = rate();
  await load.comeToRest();

  const history = await historyOf(load, rig);
  const { outcomes } = load;
  const longestWaitMs = longestWait(history.messages, scene.outages, struckAt);
  return {
    name: fault.name,
    story,
    costs: fault.costs,
    subscribers: scale.subscribers,
    messages: history.messages.length,
    callbacksPerSecond,
    outcomes,
    longestWaitMs,
    violations: [...checkHistory(history), ...checkPrice(fault.costs, scale, outcomes, longestWaitMs)],
  };
}

/** Callbacks a second from now until it is asked. */
function measureRate({ callbacks }: Outcomes): () => number {
  const count = () => callbacks.answered + callbacks.refused + callbacks.unanswered;
  const before = count();
  const start = performance.now();
  return () => ((count() - before) * 1000) / (performance.now() - start);
}

async function historyOf({ recorder }: Load, { nodes }: Rig): Promise<History> {
  const recorded = recorder.messages();
  const urls = nodes.urls();
  const found = await findAll(
    urls,
    recorded.map(({ id }) => id),
  );
  const listed = await listAll(urls);
  const messages = recorded.map((message) => ({
    ...message,
    found: found.get(message.id) ?? null,
    listed: listed.has(message.id),
  }));
  return { messages, textsTaken: recorder.textsTaken };
}

/** @throws Error where it is not so in time. */
async function inTime<T>(what: string, work: Promise<T>): Promise<T> {
  const over = new AbortController();
  const limit = delay(patienceMs, undefined, { signal: over.signal }).then((): never => {
    throw new Error(`within ${patienceMs} ms it was not so that ${what}`);
  });
  limit.catch(() => undefined);
  try {
    return await Promise.race([work, limit]);
  } finally {
    over.abort();
  }
}
