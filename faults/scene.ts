import { setTimeout as delay } from 'node:timers/promises';
import type { Outage } from './history/longest-wait.ts';
import type { Outcomes } from './history/outcomes.ts';
import type { Load } from './load/load.ts';
import type { Rig } from './rig/rig.ts';
import type { Scale } from './scale.ts';

/** What a fault strikes, and what it may wait for. */
export interface Scene<R extends Rig> {
  readonly rig: R;
  readonly scale: Scale;
  /** How what was asked of the gateways has ended so far. */
  readonly outcomes: Outcomes;
  /** While this work runs, something that the gateway needs is away. */
  outage<T>(work: () => Promise<T>): Promise<T>;
  /** Waits until every subscriber is connected and has seen all that was acknowledged before. @throws Error after 30 s. */
  allRight(): Promise<void>;
  /** Does this so many times, each time once all is right again and at another moment of the load. */
  manyTimes(times: number, work: () => Promise<unknown>): Promise<void>;
}

const patienceMs = 30_000;
const pollMs = 25;
/** How long the load runs undisturbed at most between two times. */
const pauseMs = 500;

export function setScene<R extends Rig>(
  rig: R,
  scale: Scale,
  load: Load,
): Scene<R> & { readonly outages: readonly Outage[] } {
  const outages: Outage[] = [];

  async function outage<T>(work: () => Promise<T>): Promise<T> {
    const from = Date.now();
    const result = await work();
    outages.push({ from, to: Date.now() });
    return result;
  }

  async function allRight(): Promise<void> {
    const by = Date.now();
    while (!load.allRight(by)) {
      if (Date.now() - by > patienceMs)
        throw new Error(`after ${patienceMs} ms, ${load.recorder.behind(by)} subscribers are behind`);
      await delay(pollMs);
    }
  }

  async function manyTimes(times: number, work: () => Promise<unknown>): Promise<void> {
    for (let time = 0; time < times; time += 1) {
      await delay(Math.random() * pauseMs);
      await work();
      await allRight();
    }
  }

  return { rig, scale, outcomes: load.outcomes, outages, outage, allRight, manyTimes };
}
