import { setTimeout as delay } from 'node:timers/promises';
import { noOutcomes, type Outcomes } from '../history/outcomes.ts';
import { createRecorder, type Recorder } from '../history/recorder.ts';
import { callbackPath } from '../rig/nodes.ts';
import type { Rig } from '../rig/rig.ts';
import type { Scale } from '../scale.ts';
import { startProvider } from './provider.ts';
import { startSenders } from './senders.ts';
import { startSubscribers } from './subscribers.ts';

/** A steady load: so many subscribers at any time, each with a message of its own, and callbacks at a steady rate. */
export interface Load extends AsyncDisposable {
  readonly recorder: Recorder;
  readonly outcomes: Outcomes;
  /** Resolves once every subscriber watches its first message. */
  readonly begun: Promise<unknown>;
  /** Whether every subscriber is connected, and was shown what was acknowledged by then (epoch ms). */
  allRight(by: number): boolean;
  /** Sends nothing new, and resolves once all that was begun is told and seen, or will not be within 20 s. */
  comeToRest(): Promise<void>;
}

const restMs = 20_000;
/** Callbacks a second once nothing is measured any more. */
const restPerSecond = 1_500;

export async function startLoad({ nodes, pingup }: Rig, scale: Scale): Promise<Load> {
  const recorder = createRecorder();
  const outcomes = noOutcomes();
  const nextUrl = roundRobin(nodes.urls);
  const nextAddress = () => `${nextUrl()}${callbackPath}`;
  const { sockets, callbacksPerSecond: perSecond } = scale;
  await using parts = new AsyncDisposableStack();
  const subscribers = parts.use(await startSubscribers({ sockets, urls: nodes.urls(), recorder, outcomes }));
  nodes.onMove = subscribers.goTo;
  const provider = parts.use(startProvider({ nextAddress, perSecond, recorder, outcomes }));

  function take(id: string, text: string): void {
    recorder.took(id, text);
    provider.begin(id);
  }
  pingup.on('text', take);
  parts.defer(() => void pingup.off('text', take));
  const senders = parts.use(startSenders({ scale, nextUrl, subscribers, recorder, outcomes }));

  const all = parts.move();
  return {
    recorder,
    outcomes,
    begun: senders.begun,
    allRight: (by) => subscribers.allConnected && recorder.behind(by) === 0,
    async comeToRest() {
      provider.setRate(restPerSecond);
      const atRest = senders.stop().then(() => provider.idle());
      await Promise.race([atRest, delay(restMs, undefined, { ref: false })]);
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

/** Any of the addresses, one after the other, as a load balancer that does not look has it. */
function roundRobin(urls: () => readonly string[]): () => string {
  let calls = 0;
  return () => {
    const now = urls();
    calls += 1;
    return now[calls % now.length] ?? '';
  };
}
