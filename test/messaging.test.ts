import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type DeliveryStatus, deliveryStatuses } from '../src/message.ts';
import {
  MessageDocument,
  MessageStatusDocument,
  type MessageStatusSubscription,
} from './generated/operations.ts';
import { startTestGateway, type TestGateway } from './support/gateway.ts';
import { connect, dataOf, execute, type Result, subscribe } from './support/graphql-client.ts';

/** A word for each status, and an instant of its own, so that a repeated callback says the same again. */
const callbacks: Record<DeliveryStatus, { status: string; timestamp: string }> = {
  ACCEPTED: { status: 'accepted', timestamp: '2026-01-01T10:00:00Z' },
  SENT: { status: 'sent', timestamp: '2026-01-01T10:00:01Z' },
  FAILED: { status: 'failed', timestamp: '2026-01-01T10:00:02Z' },
  DELIVERED: { status: 'delivered', timestamp: '2026-01-01T10:00:03Z' },
  READ: { status: 'read', timestamp: '2026-01-01T10:00:04Z' },
};
const env = { CALLBACK_STATUS_MAP: 'accepted=ACCEPTED' };

function rank(status: DeliveryStatus): number {
  return deliveryStatuses.indexOf(status);
}

async function stateOf(gateway: TestGateway, id: string) {
  const { message } = dataOf(await execute(gateway.url, MessageDocument, { id }));
  if (!message) throw new Error(`no message ${id}`);
  const { status, revision, failure, history } = message;
  return { status, revision, failure, history: history.map(({ receivedAt, ...event }) => event) };
}

test('every permutation of the five statuses, with repetitions, ends in the same state, and no watcher sees a step back', async () => {
  await using gateway = await startTestGateway({ env });
  await using client = connect(gateway.url);
  let round = 0;

  async function play(order: readonly DeliveryStatus[]): Promise<void> {
    round += 1;
    const message_id = `message-${round}`;
    await gateway.callBack({ message_id, ...callbacks.ACCEPTED });
    const states = subscribe(client, MessageStatusDocument, { messageId: message_id });
    const seen = Array.fromAsync(states, (state) => dataOf(state).messageStatus);
    for (const status of order) await gateway.callBack({ message_id, ...callbacks[status] });

    const watched = await seen;
    expect(watched.map((state) => rank(state.status))).toEqual(
      watched.map((state) => rank(state.status)).sort((a, b) => a - b),
    );
    expect(new Set(watched.map((state) => state.revision)).size).toBe(watched.length);
    expect(watched.at(-1)?.status).toBe('READ');
    expect(await stateOf(gateway, message_id)).toEqual({
      status: 'READ',
      revision: 5,
      failure: null,
      history: deliveryStatuses.map((status) => ({
        status,
        at: callbacks[status].timestamp.replace('Z', '.000Z'),
        rawStatus: callbacks[status].status,
      })),
    });
  }

  for (const order of permutations(deliveryStatuses)) await play(order);
  const repeated = fc
    .array(fc.constantFrom(...deliveryStatuses), { maxLength: 5 })
    .chain((more) => fc.shuffledSubarray([...deliveryStatuses, ...more], { minLength: 5 + more.length }));
  await fc.assert(fc.asyncProperty(repeated, play), { numRuns: 100 });
});

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((item, at) => permutations(items.toSpliced(at, 1)).map((rest) => [item, ...rest]));
}

const lastStatus = { sent: 'SENT', failed: 'FAILED', delivered: 'DELIVERED', read: 'READ' } as const;

/** What a watcher sees until everything has been told: the last status, with every event in the history. */
async function revisionsUntil(
  states: AsyncIterable<Result<MessageStatusSubscription>>,
  last: DeliveryStatus,
  events: number,
): Promise<number[]> {
  const revisions: number[] = [];
  for await (const state of states) {
    const { status, revision } = dataOf(state).messageStatus;
    revisions.push(revision);
    if (status === last && (revision === events || last === 'READ')) break;
  }
  return revisions;
}

test('500 races of a subscribe with callbacks: never a missed last state, never a duplicate', async () => {
  await using gateway = await startTestGateway();
  const clients = Array.from({ length: 10 }, () => connect(gateway.url));

  async function race(number: number): Promise<void> {
    const message_id = await gateway.send();
    const client = clients[number % clients.length] ?? connect(gateway.url);
    const words = (['sent', 'failed', 'delivered', 'read'] as const).slice(number % 3, 2 + (number % 3));
    const last = lastStatus[words.at(-1) ?? 'read'];
    const states = subscribe(client, MessageStatusDocument, { messageId: message_id });
    const [revisions] = await Promise.all([
      revisionsUntil(states, last, words.length + 1),
      ...words.map((status) => gateway.callBack({ message_id, status })),
    ]);
    expect(revisions).toEqual([...new Set(revisions)].sort((a, b) => a - b));
  }

  for (let number = 0; number < 500; number += 25)
    await Promise.all(Array.from({ length: 25 }, (_, offset) => race(number + offset)));
  await Promise.all(clients.map((client) => client.dispose()));
  await expect.poll(() => gateway.load().watches).toBe(0);
});

test('a callback that overtakes its own send is not lost', async () => {
  await using gateway = await startTestGateway();
  const id = await gateway.send({ client: 'early-callback' });
  expect(await stateOf(gateway, id)).toMatchObject({ status: 'READ', revision: 4 });
});

test.each(['reads', 'repeats-callbacks', 'shuffles-callbacks', 'somebody'])(
  'a message for the sandbox client %s is watched to READ',
  async (name) => {
    await using gateway = await startTestGateway({ sandboxStepMs: 5 });
    await using client = connect(gateway.url);
    const messageId = await gateway.send({ client: name });
    const states = await Array.fromAsync(subscribe(client, MessageStatusDocument, { messageId }));
    expect(dataOf(states.at(-1)).messageStatus.status).toBe('READ');
  },
);

test('a failed message shows as FAILED with its reason to whoever watches', async () => {
  await using gateway = await startTestGateway({ sandboxStepMs: 5 });
  await using client = connect(gateway.url);
  const messageId = await gateway.send({ client: 'fails' });
  for await (const state of subscribe(client, MessageStatusDocument, { messageId })) {
    const { status, failure } = dataOf(state).messageStatus;
    if (status !== 'FAILED') continue;
    expect(failure?.reason).toBeTruthy();
    break;
  }
});
