import { type BenchSocket, openBenchSocket } from './websocket.ts';

/** Many frontends, each on a socket of its own, that watch messages and check every state they are pushed. */
export interface Subscribers extends Disposable {
  /** Watches the messages, spread evenly over the sockets. Resolves once each has shown its first state, revision 1. */
  watch(messageIds: readonly string[]): Promise<void>;
  /** Resolves once `count` more states were pushed. */
  pushed(count: number): Promise<void>;
  /** Resolves once the server has pinged `count` times more. */
  pinged(count: number): Promise<void>;
  /** Resolves once the server has completed `count` more subscriptions. */
  completed(count: number): Promise<void>;
}

const document =
  'subscription Watch($messageId: ID!) { messageStatus(messageId: $messageId) { id revision status } }';
/** A server's queue of new connections is this long, or little longer. */
const connectionsAtOnce = 250;
/** So that what is measured is the time of pushes and the memory of watches, and not how long a queue of subscribes gets. */
const watchesAtOnce = 1_000;

interface Frame {
  readonly type: string;
  readonly id: string;
  readonly payload?: { readonly data?: { readonly messageStatus: State } };
}

interface State {
  readonly id: string;
  readonly revision: number;
  readonly status: string;
}

/** The states of a message in the order of its revisions. */
const statuses = ['ACCEPTED', 'SENT', 'DELIVERED', 'READ'];

/**
 * Connects `count` sockets that speak graphql-transport-ws.
 *
 * A state that is wrong, twice, or out of order, a completion before READ, and a lost socket make the wait under way
 * reject, and every later one. A state that is missing makes it wait for ever, so whoever waits sets a limit.
 */
export async function openSubscribers(
  port: number,
  count: number,
  connectionParams?: object,
): Promise<Subscribers> {
  const sockets: BenchSocket[] = [];
  const revisions = new Map<string, number>();
  const acks = createCounter();
  const pushes = createCounter();
  const pings = createCounter();
  const completions = createCounter();

  function onText(text: string): void {
    const frame: Frame = JSON.parse(text);
    const revision = revisions.get(frame.id);
    if (frame.type === 'connection_ack') {
      acks.add();
    } else if (frame.type === 'next' && isNext(frame, revision)) {
      revisions.set(frame.id, (revision ?? 0) + 1);
      pushes.add();
    } else if (frame.type === 'complete' && revision === statuses.length) {
      revisions.delete(frame.id);
      completions.add();
    } else {
      fail(new Error(`after revision ${revision} came ${text}`));
    }
  }

  function fail(error: Error): void {
    for (const counter of [acks, pushes, pings, completions]) counter.fail(error);
  }

  async function open(): Promise<void> {
    const socket = await openBenchSocket({ port, onText, onPing: pings.add, onLost: fail });
    sockets.push(socket);
    socket.send(JSON.stringify({ type: 'connection_init', payload: connectionParams }));
  }

  for (let opened = 0; opened < count; opened += connectionsAtOnce) {
    const batch = Math.min(connectionsAtOnce, count - opened);
    const acknowledged = acks.more(batch);
    await Promise.all(Array.from({ length: batch }, open));
    await acknowledged;
  }

  return {
    async watch(messageIds) {
      for (let first = 0; first < messageIds.length; first += watchesAtOnce) {
        const some = messageIds.slice(first, first + watchesAtOnce);
        const shown = pushes.more(some.length);
        some.forEach((messageId, index) => {
          revisions.set(messageId, 0);
          const payload = { query: document, variables: { messageId } };
          const frame = JSON.stringify({ id: messageId, type: 'subscribe', payload });
          sockets[(first + index) % count]?.send(frame);
        });
        await shown;
      }
    },
    pushed: (more) => pushes.more(more),
    pinged: (more) => pings.more(more),
    completed: (more) => completions.more(more),
    [Symbol.dispose]: () => {
      for (const socket of sockets) socket.close();
    },
  };
}

/** Whether a frame shows the state after this revision, of the message that it was asked for. */
function isNext({ id, payload }: Frame, revision: number | undefined): boolean {
  const state = payload?.data?.messageStatus;
  if (!state || revision === undefined) return false;
  return state.id === id && state.revision === revision + 1 && state.status === statuses[revision];
}

/** Counts, and lets one at a time wait for so many more. */
function createCounter() {
  let missing = 0;
  let waiting = Promise.withResolvers<void>();
  let failure: Error | undefined;
  return {
    add(): void {
      missing -= 1;
      if (missing === 0) waiting.resolve();
    },
    more(count: number): Promise<void> {
      waiting = Promise.withResolvers();
      missing += count;
      if (failure) waiting.reject(failure);
      else if (missing <= 0) waiting.resolve();
      return waiting.promise;
    },
    fail(error: Error): void {
      failure ??= error;
      waiting.promise.catch(() => undefined);
      waiting.reject(error);
    },
  };
}
