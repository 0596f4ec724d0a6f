import { setTimeout as delay } from 'node:timers/promises';
import type { DeliveryStatus } from '../../src/message.ts';
import type { Outcomes } from '../history/outcomes.ts';
import type { Recorder } from '../history/recorder.ts';
import { anyScript, wordFor } from './scripts.ts';

/** Calls back for every text that it took, at a steady rate, until each callback was answered 200. */
export interface Provider extends Disposable {
  /** Begins to call back for a message. */
  begin(id: string): void;
  /** From now on it calls back at this rate. */
  setRate(perSecond: number): void;
  /** Resolves once nothing is left to tell. */
  idle(): Promise<void>;
}

export interface ProviderOptions {
  /** The address for callbacks of any node, dead or alive: the next one with each call. */
  readonly nextAddress: () => string;
  readonly perSecond: number;
  readonly recorder: Recorder;
  readonly outcomes: Outcomes;
}

interface Script {
  readonly id: string;
  readonly left: DeliveryStatus[];
  underWay: number;
}

const tickMs = 20;
/** After which what was not answered 200 is due again. */
const repeatMs = 500;
/** When a provider gives up waiting. */
const patienceMs = 8_000;
/** How many it has under way at most. */
const maxUnderWay = 4_000;
/** The share of callbacks that come again although they were answered 200, and of those that overtake others. */
const repeated = 0.15;
const overtaking = 0.2;

export function startProvider(options: ProviderOptions): Provider {
  const { nextAddress, recorder, outcomes } = options;
  /** Those of which something is left to tell. */
  const ready: Script[] = [];
  /** How many are not told to the end. */
  let unfinished = 0;
  let { perSecond } = options;
  let underWay = 0;
  let due = 0;
  let lastTick = performance.now();
  const clock = setInterval(tick, tickMs);

  function tick(): void {
    const now = performance.now();
    due = Math.min(due + (perSecond * (now - lastTick)) / 1000, perSecond);
    lastTick = now;
    for (; due >= 1 && ready.length > 0 && underWay < maxUnderWay; due -= 1) tellAny();
  }

  function tellAny(): void {
    const index = Math.floor(Math.random() * ready.length);
    const script = ready[index];
    const ahead = Math.random() < overtaking ? Math.floor(Math.random() * (script?.left.length ?? 0)) : 0;
    const [status] = script?.left.splice(ahead, 1) ?? [];
    if (script && status) void tell(script, status);
    if (script?.left.length === 0) ready.splice(index, 1);
  }

  async function tell(script: Script, status: DeliveryStatus): Promise<void> {
    script.underWay += 1;
    underWay += 1;
    recorder.told(script.id, status);
    const acknowledged = await callBack(nextAddress(), script.id, status, outcomes);
    underWay -= 1;
    if (acknowledged) {
      recorder.acknowledged(script.id, status);
      script.underWay -= 1;
      if (Math.random() < repeated) putBack(script, status);
      if (script.left.length + script.underWay === 0) finish(script);
    } else {
      setTimeout(() => {
        script.underWay -= 1;
        putBack(script, status);
      }, repeatMs);
    }
  }

  function finish({ id }: Script): void {
    unfinished -= 1;
    recorder.finished(id);
  }

  function putBack(script: Script, status: DeliveryStatus): void {
    script.left.push(status);
    if (script.left.length === 1) ready.push(script);
  }

  return {
    begin(id) {
      unfinished += 1;
      ready.push({ id, left: anyScript(), underWay: 0 });
    },
    setRate(rate) {
      perSecond = rate;
    },
    async idle() {
      while (unfinished > 0) await delay(tickMs);
    },
    [Symbol.dispose]: () => clearInterval(clock),
  };
}

/** Whether it was answered 200. */
async function callBack(
  address: string,
  message_id: string,
  status: DeliveryStatus,
  { callbacks, surprises }: Outcomes,
): Promise<boolean> {
  const begun = performance.now();
  try {
    const response = await fetch(address, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ message_id, status: wordFor(status) }),
      signal: AbortSignal.timeout(patienceMs),
    });
    const answer = await response.text();
    callbacks.longestMs = Math.max(callbacks.longestMs, performance.now() - begun);
    if (response.status === 200) callbacks.answered += 1;
    else if (response.status === 503 && response.headers.has('retry-after')) callbacks.refused += 1;
    else surprises.push(`a callback was answered ${response.status} ${answer}`);
    return response.status === 200;
  } catch {
    callbacks.unanswered += 1;
    return false;
  }
}
