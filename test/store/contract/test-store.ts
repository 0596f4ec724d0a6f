import { expect } from 'vitest';
import type { Message } from '../../../src/message.ts';
import type { StoreLog } from '../../../src/store/log.ts';
import type { MessageQuery, Store } from '../../../src/store/port.ts';
import type { OnStoreEvent } from '../../../src/store-event.ts';
import type { StoreLimits } from '../../../src/store-limits.ts';
import { responsiveTime } from '../../support/responsive-time.ts';
import { business, key } from '../samples.ts';

/** A store under test, with its data in a place of its own. */
export interface TestStore extends AsyncDisposable {
  /** The open store: another one after `reopen`. */
  readonly store: Store;
  /** Closes the store, and opens one on the same data, with other options where they are given. */
  reopen(options?: TestStoreOptions): Promise<void>;
  /** Takes away what the store needs to write, as an accident would. */
  breakDown(): Promise<void>;
  /** Gives it back. */
  repair(): Promise<void>;
}

export type Open = (options?: TestStoreOptions) => Promise<TestStore>;

export interface TestStoreOptions {
  readonly limits?: Partial<StoreLimits>;
  readonly onEvent?: OnStoreEvent;
  readonly log?: StoreLog;
  readonly onBatch?: (milliseconds: number, calls: number) => void;
}

export async function watchKnown(
  store: Store,
  id: string,
): Promise<AsyncIterableIterator<Message, undefined>> {
  const states = await store.watch(key(id));
  if (!states) throw new Error(`${id} is unknown.`);
  return states;
}

export async function collect(states: AsyncIterable<Message> | undefined): Promise<Message[]> {
  const seen: Message[] = [];
  if (states) for await (const state of states) seen.push(state);
  return seen;
}

export function increases(revisions: number[]): boolean {
  return revisions.every((revision, index) => revision > (revisions[index - 1] ?? 0));
}

type OwnQuery = Omit<MessageQuery, 'business'>;

export async function* pages(store: Store, query: OwnQuery) {
  let after: string | undefined;
  do {
    const page = await store.list({ business, ...query, after });
    yield page;
    after = page.hasMore ? page.entries.at(-1)?.cursor : undefined;
  } while (after !== undefined);
}

export async function idsOf(store: Store, query: OwnQuery): Promise<string[]> {
  return (await store.list({ business, ...query })).entries.map(({ message }) => message.id);
}

/** Milliseconds until the call rejects, which it must, with STORE_UNAVAILABLE, on a machine of any speed. */
export async function timeToRefuse(call: Promise<unknown>): Promise<number> {
  const time = await responsiveTime(call);
  await expect(call).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  return time;
}

/** Waits for the store, which may take a moment to find out that it can write again. */
export async function servesAgain(store: Store): Promise<void> {
  await expect.poll(() => store.check().then(() => true)).toBe(true);
}
