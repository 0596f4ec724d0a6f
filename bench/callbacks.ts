import { startChild } from './child.ts';
import type { Report } from './figures.ts';
import { startGatewayUnderTest } from './gateway-under-test.ts';
import { loadWithPosts } from './load/http-load.ts';
import { graphqlDialect, sendTexts } from './load/mutations.ts';
import { openSubscribers, type Subscribers } from './load/subscribers.ts';
import { withinLimit } from './within-limit.ts';

const messageCount = 10_000;
const socketCount = 1_000;
const inFlight = 128;
const rounds = 5;
/** What the callbacks of a message say, in turn. */
const words = ['sent', 'delivered', 'read'];

/**
 * Callbacks a second, each of them durable, and pushed to the one subscription that watches its message. Checked:
 * every callback is answered 200, and every subscription shows every state once, in order, and then completes.
 */
export async function benchmarkCallbacks(): Promise<Report> {
  await using gateway = await startGatewayUnderTest();
  await using bare = await startChild({ script: 'bench/servers/bare-subscriptions.ts' });
  using subscribers = await openSubscribers(gateway.port, socketCount);
  using bareSubscribers = await openSubscribers(bare.port, socketCount);
  const gatewayValues: number[] = [];
  const bareValues: number[] = [];

  // The first round warms up.
  for (let round = 0; round <= rounds; round += 1) {
    const sent = await sendTexts({
      port: gateway.port,
      dialect: graphqlDialect,
      count: messageCount,
      inFlight: 32,
    });
    const invented = Array.from({ length: messageCount }, (_, index) => `${round}-${index}`);
    const rate = await runCallbacks([{ port: gateway.port, path: gateway.callbackPath, subscribers }], sent);
    const bareRate = await runCallbacks(
      [{ port: bare.port, path: '/', subscribers: bareSubscribers }],
      invented,
    );
    if (round === 0) continue;
    gatewayValues.push(rate);
    bareValues.push(bareRate);
  }

  return {
    title: `Durable callbacks, with ${messageCount.toLocaleString('en')} subscriptions on ${socketCount.toLocaleString('en')} sockets, ${inFlight} in flight`,
    unit: '/s',
    target: { atLeast: 15_000 },
    gateway: { name: 'the gateway', values: gatewayValues },
    references: [{ name: 'bare ws, no GraphQL, no disk', values: bareValues }],
  };
}

/** A server that takes callbacks, and those who watch messages on it. */
export interface CallbackTarget {
  readonly port: number;
  readonly path: string;
  /** Further headers of the callback with this body, each with the end of its line. */
  readonly headersFor?: (body: string) => string;
  readonly subscribers: Subscribers;
}

/**
 * Watches the messages, spread over the targets, moves each of them to READ, by callbacks to whichever target is free, and
 * returns how many went through in a second.
 */
export async function runCallbacks(
  targets: readonly CallbackTarget[],
  messageIds: readonly string[],
): Promise<number> {
  const watched = targets.map(({ subscribers }, at) => ({
    subscribers,
    ids: messageIds.filter((_, index) => index % targets.length === at),
  }));
  const all = (what: (subscribers: Subscribers, ids: readonly string[]) => Promise<void>) =>
    Promise.all(watched.map(({ subscribers, ids }) => what(subscribers, ids)));
  const showing = all((subscribers, ids) => subscribers.watch(ids));
  await withinLimit('every subscription shows its first state', showing);
  const completed = all((subscribers, ids) => subscribers.completed(ids.length));
  const start = performance.now();
  // One word at a time: a connection that was slow to open could otherwise say `sent` after another said `delivered`.
  for (const status of words) {
    const bodies = messageIds.map((message_id) => JSON.stringify({ message_id, status }));
    const pushed = all((subscribers, ids) => subscribers.pushed(ids.length));
    const answered = Promise.all(targets.map((target) => post(target, bodies, inFlight / targets.length)));
    await withinLimit('every callback is answered, and its state pushed', Promise.all([answered, pushed]));
  }
  const seconds = (performance.now() - start) / 1000;
  await withinLimit('every subscription completes', completed);
  return (words.length * messageIds.length) / seconds;
}

/** Posts the bodies that are still there, whoever takes them. */
function post(
  { port, path, headersFor }: CallbackTarget,
  bodies: string[],
  connections: number,
): Promise<void> {
  const headers = headersFor && { headersFor };
  const nextBody = () => bodies.pop();
  const load = { port, path, inFlight: Math.ceil(connections), nextBody, onAnswer: () => undefined };
  return loadWithPosts({ ...load, ...headers });
}
