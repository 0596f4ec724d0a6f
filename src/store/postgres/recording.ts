import { CallbackRoomError } from '../../callback-room-error.ts';
import { keyText, type Message } from '../../message.ts';
import type { Losses } from '../losses.ts';
import type { QuarantinedCallback, Store } from '../port.ts';
import type { Kinds } from './kinds.ts';
import type { Merged } from './merge.ts';
import type { Queue } from './queue.ts';
import type { Change } from './watched.ts';

export interface RecorderOptions {
  readonly queue: Queue;
  readonly kinds: Pick<Kinds, 'merge' | 'makeRoom' | 'keep' | 'remove'>;
  /** In the order of the commits, also if nobody waits for the answer any more. */
  readonly changed: (changes: readonly Change[]) => void;
  readonly reportLosses: (losses: Losses) => void;
}

/** What callbacks said, and what of it was not understood. */
export function createRecorder(options: RecorderOptions): Pick<Store, 'record' | 'release'> {
  const { queue, kinds, changed, reportLosses } = options;

  async function record(
    news: readonly Message[],
    quarantined: readonly QuarantinedCallback[] = [],
  ): Promise<void> {
    queue.requireOpen();
    await allDone([mergeAll(news), ...quarantined.map(keep)]);
  }

  async function keep(callback: QuarantinedCallback): Promise<void> {
    await queue.ask(kinds.keep, callback, (evicted) => report({ evicted }));
  }

  /** @throws CallbackRoomError if there was no room for some of it. */
  async function mergeAll(news: readonly Message[]): Promise<void> {
    const results = await allDone(news.map((message) => mergeOne(message, false)));
    const refused = news.filter((_, index) => results[index]?.outcome === 'refused');
    const byBusiness = Map.groupBy(refused, ({ business }) => business);
    await allDone([...byBusiness].map(([business, own]) => mergeWithRoom(business, own)));
  }

  function mergeOne(message: Message, hasPlace: boolean): Promise<Merged> {
    return queue.ask(kinds.merge, { message, hasPlace }, ({ change }) => change && changed([change]));
  }

  /** Each message that is dropped gives its place to a new one. */
  async function mergeWithRoom(business: string, news: readonly Message[]): Promise<void> {
    const dropped = await queue.ask(kinds.makeRoom, { business, messages: news.length }, (changes) => {
      changed(changes);
      report({ dropped: changes.map(keyText) });
    });
    const results = await allDone(news.map((message, index) => mergeOne(message, index < dropped.length)));
    const refused = news.filter((_, index) => results[index]?.outcome === 'refused');
    if (refused.length === 0) return;
    report({ refused: refused.map(keyText) });
    throw new CallbackRoomError(business);
  }

  function report(losses: Partial<Losses>): void {
    reportLosses({ evicted: [], dropped: [], refused: [], ...losses });
  }

  return {
    record,
    release: async (business, id, news) => {
      await mergeAll(news);
      await queue.ask(kinds.remove, { business, ids: [id] });
    },
  };
}

/** Waits for all, so that nothing goes on after a rejection, and throws the first error. */
async function allDone<T>(calls: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(calls);
  return Promise.all(calls);
}
