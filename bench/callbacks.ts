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
    const rate = await runCallbacks({ port: gateway.port, path: gateway.callbackPath }, sent, subscribers);
    const bareRate = await runCallbacks({ port: bare.port, path: '/' }, invented, bareSubscribers);
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

export interface CallbackAddress {
  readonly port: number;
  readonly path: string;
  /** Further headers of the callback with this body, each with the end of its line. */
  readonly headersFor?: (body: string) => string;
}

/** Watches the messages, moves each of them to READ, and returns how many callbacks went through in a second. */
export async function runCallbacks(
  { port, path, headersFor }: CallbackAddress,
  messageIds: readonly string[],
  subscribers: Subscribers,
): Promise<number> {
  await withinLimit('every subscription shows its first state', subscribers.watch(messageIds));
  const completed = subscribers.completed(messageIds.length);
  const start = performance.now();
  // One word at a time: a connection that was slow to open could otherwise say `sent` after another said `delivered`.
  for (const status of words) {
    const bodies = messageIds.map((message_id) => JSON.stringify({ message_id, status }));
    const nextBody = () => bodies.pop();
    const pushed = subscribers.pushed(bodies.length);
    const answered = loadWithPosts({
      port,
      path,
      inFlight,
      nextBody,
      ...(headersFor && { headersFor }),
      onAnswer: () => undefined,
    });
    await withinLimit('every callback is answered, and its state pushed', Promise.all([answered, pushed]));
  }
  const seconds = (performance.now() - start) / 1000;
  await withinLimit('every subscription completes', completed);
  return (words.length * messageIds.length) / seconds;
}
