import { expect, test } from 'vitest';
import { MessageStatusDocument, SendTextMessageDocument } from '../generated/operations.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { connect, execute, subscribe } from '../support/graphql-client.ts';

/** The samples of a gateway, name and labels to value. */
async function scrape({ metricsUrl }: TestGateway): Promise<ReadonlyMap<string, number>> {
  const text = await (await fetch(metricsUrl)).text();
  const samples = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(samples.map((line) => [line.replace(/ \S+$/, ''), Number(/\S+$/.exec(line)?.[0])]));
}

test('sends are counted by the code that the caller was given, with how long each took', async () => {
  await using gateway = await startTestGateway();
  for (const client of ['never-calls-back', 'never-calls-back', 'conversation-closed', 'answers-500', ''])
    await execute(gateway.url, SendTextMessageDocument, { input: { client, textMessage: 'Hello' } });
  for (const client of ['never-calls-back', 'never-calls-back'])
    await gateway.send({ client, idempotencyKey: 'k' });
  const samples = await scrape(gateway);
  const count = (outcome: string) => samples.get(`gateway_send_duration_seconds_count{outcome="${outcome}"}`);
  expect({
    accepted: count('ACCEPTED'),
    replayed: count('REPLAYED'),
    rejected: count('PINGUP_REJECTED'),
    unknown: count('SEND_OUTCOME_UNKNOWN'),
    bad: count('BAD_USER_INPUT'),
    none: count('STORE_UNAVAILABLE'),
  }).toEqual({ accepted: 3, replayed: 1, rejected: 1, unknown: 1, bad: 1, none: 0 });
  expect(samples.get('gateway_send_duration_seconds_sum{outcome="ACCEPTED"}')).toBeGreaterThan(0);
});

test('callbacks are counted by outcome', async () => {
  await using gateway = await startTestGateway();
  await gateway.callBack({ message_id: 'm', status: 'sent' });
  await gateway.callBack({ message_id: 'm', status: 'read' });
  await gateway.callBack({ message_id: 'm', status: 'teleported' });
  await fetch(`${gateway.url}/callbacks/pingup/sandbox/wrong`, { method: 'POST', body: '{}' });
  const samples = await scrape(gateway);
  const count = (outcome: string) => samples.get(`gateway_callbacks_total{outcome="${outcome}"}`);
  expect([count('understood'), count('notUnderstood'), count('notAuthentic'), count('notJson')]).toEqual([
    2, 1, 1, 0,
  ]);
});

test('the time from callback to push is measured for each state that a callback brought, and not for the first', async () => {
  await using gateway = await startTestGateway();
  await using client = connect(gateway.url);
  const messageId = await gateway.send();
  const states = subscribe(client, MessageStatusDocument, { messageId });
  await states.next();
  const began = performance.now();
  for (const status of ['sent', 'delivered']) {
    await gateway.callBack({ message_id: messageId, status });
    await states.next();
  }
  const seconds = Math.ceil((performance.now() - began) / 1000);
  const samples = await scrape(gateway);
  expect(samples.get('gateway_callback_to_push_seconds_count')).toBe(2);
  expect(samples.get('gateway_callback_to_push_seconds_sum')).toBeLessThanOrEqual(seconds);
});

test('what is open is counted: sockets, watches, and what waits', async () => {
  await using gateway = await startTestGateway();
  await using client = connect(gateway.url);
  const messageId = await gateway.send();
  const states = subscribe(client, MessageStatusDocument, { messageId });
  await states.next();
  const samples = await scrape(gateway);
  expect(samples.get('gateway_sockets_open')).toBe(1);
  expect(samples.get('gateway_watches_open')).toBe(1);
  expect(samples.get('gateway_socket_waiting_bytes')).toBe(0);
  expect(samples.get('gateway_store_pending_calls')).toBe(0);
});

test('commits of the store are timed, and its calls counted', async () => {
  await using gateway = await startTestGateway();
  const before = await scrape(gateway);
  await Promise.all(Array.from({ length: 20 }, () => gateway.send()));
  const after = await scrape(gateway);
  const grown = (name: string) => (after.get(name) ?? 0) - (before.get(name) ?? 0);
  // Each send is begun and accepted.
  expect(grown('gateway_store_calls_total')).toBeGreaterThanOrEqual(40);
  expect(grown('gateway_store_commit_duration_seconds_count')).toBeGreaterThan(0);
  expect(grown('gateway_store_commit_duration_seconds_sum')).toBeGreaterThan(0);
});

test('the process is measured too: event-loop lag, CPU, memory', async () => {
  await using gateway = await startTestGateway();
  const samples = await scrape(gateway);
  for (const name of [
    'nodejs_eventloop_lag_p99_seconds',
    'process_cpu_seconds_total',
    'process_resident_memory_bytes',
  ])
    expect(samples.has(name)).toBe(true);
});

test('with METRICS_PORT, the metrics are on that port alone', async () => {
  await using gateway = await startTestGateway({ env: { METRICS_PORT: '0' } });
  expect(new URL(gateway.metricsUrl).port).not.toBe(new URL(gateway.url).port);
  const [own, main, others] = await Promise.all([
    fetch(gateway.metricsUrl),
    fetch(`${gateway.url}/metrics`),
    fetch(new URL('/graphql', gateway.metricsUrl)),
  ]);
  expect([own.status, main.status, others.status]).toEqual([200, 404, 404]);
  expect(own.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
});

test('two gateways of one process count apart', async () => {
  await using one = await startTestGateway();
  await using other = await startTestGateway();
  await one.callBack({ message_id: 'm', status: 'sent' });
  const understood = async (gateway: TestGateway) =>
    (await scrape(gateway)).get('gateway_callbacks_total{outcome="understood"}');
  expect([await understood(one), await understood(other)]).toEqual([1, 0]);
});
