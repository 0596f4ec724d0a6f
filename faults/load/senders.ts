import { setTimeout as delay } from 'node:timers/promises';
import PQueue from 'p-queue';
import type { Outcomes } from '../history/outcomes.ts';
import type { Recorder } from '../history/recorder.ts';
import type { Scale } from '../scale.ts';
import { sendText } from './send-text.ts';
import type { Subscribers } from './subscribers.ts';

/** Each of them sends a text, watches it until its provider has told all, and turns to the next. */
export interface Senders extends Disposable {
  /** Resolves once every one of them watches its first message. */
  readonly begun: Promise<unknown>;
  /** Nothing new is sent. Resolves once all that was sent is told and seen. */
  stop(): Promise<unknown>;
}

export interface SendersOptions {
  readonly scale: Pick<Scale, 'subscribers' | 'lingerMs'>;
  /** Any node, dead or alive: the next one with each call. */
  readonly nextUrl: () => string;
  readonly subscribers: Subscribers;
  readonly recorder: Recorder;
  readonly outcomes: Outcomes;
}

/** So many sends are under way at most. */
const sendsAtOnce = 48;

export function startSenders(options: SendersOptions): Senders {
  const { scale, nextUrl, subscribers, recorder, outcomes } = options;
  const stopping = new AbortController();
  const { signal } = stopping;
  const queue = new PQueue({ concurrency: sendsAtOnce });

  async function sendAndWatch(onWatched: () => void): Promise<void> {
    const id = await queue.add(() => sendText({ nextUrl, outcomes, signal }));
    if (id === undefined) return;
    recorder.acknowledged(id, 'ACCEPTED');
    recorder.wanted(id);
    subscribers.watch(id);
    onWatched();
    await recorder.settled(id);
    await delay(Math.random() * scale.lingerMs);
    subscribers.leave(id);
  }

  async function send(onWatched: () => void): Promise<void> {
    while (!signal.aborted) await sendAndWatch(onWatched);
  }

  const first = Array.from({ length: scale.subscribers }, () => Promise.withResolvers<void>());
  const ended = Promise.all(first.map(({ resolve }) => send(resolve)));
  return {
    begun: Promise.all(first.map(({ promise }) => promise)),
    stop() {
      stopping.abort();
      return ended;
    },
    [Symbol.dispose]: () => stopping.abort(),
  };
}
