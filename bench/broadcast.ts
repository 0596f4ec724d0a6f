import type { Report } from './figures.ts';
import { type GatewayUnderTest, startGatewayUnderTest } from './gateway-under-test.ts';
import { loadWithPosts } from './load/http-load.ts';
import { graphqlDialect, sendTexts } from './load/mutations.ts';
import { openBenchSocket } from './load/websocket.ts';
import { withinLimit } from './within-limit.ts';

const messageCount = 100;
/** Each watches every message. */
const watcherCount = 1_000;
/** So that the queue of new connections is long enough, and no watch waits for long. */
const openedAtOnce = 50;
const rounds = 3;
const document = 'subscription ($id: ID!) { messageStatus(messageId: $id) { id revision status } }';

/**
 * The longest stretch of the gateway's event loop while a hundred messages that a thousand clients watch each move at
 * once. Checked: every client sees each state of each message once, in order. Other programs on the same cores count, too.
 */
export async function benchmarkBroadcast(): Promise<Report> {
  const stretches: number[] = [];
  for (let round = 0; round < rounds; round += 1) stretches.push(await runRound());
  return {
    title: `${messageCount} callbacks at once, for messages with ${watcherCount.toLocaleString('en')} watchers each`,
    unit: 'ms',
    target: { atMost: 50 },
    gateway: { name: 'longest stretch of the event loop', values: stretches },
    references: [],
  };
}

async function runRound(): Promise<number> {
  await using gateway = await startGatewayUnderTest();
  const { port } = gateway;
  const ids = await sendTexts({ port, dialect: graphqlDialect, count: messageCount, inFlight: 32 });
  using watchers = new DisposableStack();
  const moved = createTally(watcherCount * messageCount);
  for (let opened = 0; opened < watcherCount; opened += openedAtOnce) {
    const shown = createTally(openedAtOnce * messageCount);
    const opening = Array.from({ length: openedAtOnce }, () => watchAll(port, ids, watchers, [shown, moved]));
    await withinLimit('every watch shows its first state', Promise.all([...opening, shown.done]));
  }

  await readLongestStretch(gateway);
  const bodies = ids.map((message_id) => JSON.stringify({ message_id, status: 'sent' }));
  const posted = loadWithPosts({
    port,
    path: gateway.callbackPath,
    inFlight: messageCount,
    nextBody: () => bodies.pop(),
    onAnswer: () => undefined,
  });
  await withinLimit('every watcher sees every message move', Promise.all([posted, moved.done]));
  return readLongestStretch(gateway);
}

/** Opens a socket that watches every message, and counts the states of each revision. */
async function watchAll(
  port: number,
  ids: readonly string[],
  watchers: DisposableStack,
  tallies: readonly Tally[],
): Promise<void> {
  const revisions = new Map<string, number>();

  function onText(text: string): void {
    const { type, id, payload } = JSON.parse(text);
    if (type === 'connection_ack') {
      subscribe();
      return;
    }
    const revision = (revisions.get(id) ?? 0) + 1;
    const state = payload?.data?.messageStatus;
    const isRight = type === 'next' && state?.id === id && state.revision === revision;
    if (!isRight) tallies[0]?.fail(new Error(`after revision ${revision - 1} came ${text}`));
    revisions.set(id, revision);
    tallies[revision - 1]?.add();
  }

  function subscribe(): void {
    for (const id of ids)
      socket.send(JSON.stringify({ id, type: 'subscribe', payload: { query: document, variables: { id } } }));
  }

  const onLost = (error: Error) => tallies[0]?.fail(error);
  const socket = await openBenchSocket({ port, onText, onPing: () => undefined, onLost });
  watchers.defer(() => socket.close());
  socket.send(JSON.stringify({ type: 'connection_init' }));
}

interface Tally {
  readonly done: Promise<void>;
  add(): void;
  fail(error: Error): void;
}

function createTally(expected: number): Tally {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let count = 0;
  return {
    done: promise,
    add: () => {
      count += 1;
      if (count === expected) resolve();
    },
    fail: reject,
  };
}

/** Milliseconds, since it was read last. */
async function readLongestStretch({ port }: GatewayUnderTest): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const [, seconds] = /^nodejs_eventloop_lag_max_seconds (\S+)$/m.exec(text) ?? [];
  return Number(seconds) * 1000;
}
