import { Counter, Histogram, Registry } from 'prom-client';
import { type GatewayErrorCode, retryableByCode } from './errors.ts';
import { addReadings, type Readings } from './metrics-readings.ts';
import { processMetrics } from './process-metrics.ts';
import { type OnStoreEvent, storeEvents } from './store-event.ts';

/**
 * What the gateway measures of itself, for Prometheus. No label holds anything of a person, nor anything that a caller
 * can choose: every label has a closed set of values, of which only the operator's own businesses are not in the code.
 */
export interface Metrics {
  /** A send was answered, so many seconds after it came. */
  sendEnded(outcome: SendOutcome, seconds: number): void;
  /** A state that a callback brought was handed to a subscription, so many seconds after the callback came. */
  statePushed(seconds: number): void;
  /** The store answered a batch of so many calls, which took so many milliseconds. */
  batchAnswered(milliseconds: number, calls: number): void;
  /** The store has reached a limit, or Pingup has repeated an id, so many times. */
  readonly storeEvent: OnStoreEvent;
  /** From now on, each scrape shows these too. */
  expose(readings: Readings): void;
  /** All of it in Prometheus' text format. */
  text(): Promise<string>;
  readonly contentType: string;
}

/**
 * ACCEPTED: by Pingup. REPLAYED: an earlier send with the same idempotency key was. INTERNAL_SERVER_ERROR is what a
 * caller is told of an error without a code of its own.
 */
export type SendOutcome = 'ACCEPTED' | 'REPLAYED' | GatewayErrorCode | 'INTERNAL_SERVER_ERROR';

const sendBuckets = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const pushBuckets = [0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];
const batchBuckets = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

export function createMetrics(): Metrics {
  const ofProcess = processMetrics();
  const registry = new Registry();
  const { sends, pushes, batches, calls, events } = createInstruments(registry);
  // A rate sees the first of a kind only where there was a zero before it.
  for (const outcome of sendOutcomes) sends.zero({ outcome });
  for (const event of storeEvents) events.inc({ event }, 0);

  return {
    sendEnded: (outcome, seconds) => sends.observe({ outcome }, seconds),
    statePushed: (seconds) => pushes.observe(seconds),
    batchAnswered: (milliseconds, count) => {
      batches.observe(milliseconds / 1000);
      calls.inc(count);
    },
    storeEvent: (event, count) => events.inc({ event }, count),
    expose: (readings) => addReadings(registry, readings),
    text: async () => `${await registry.metrics()}\n${await ofProcess.metrics()}`,
    contentType: registry.contentType,
  };
}

function createInstruments(registry: Registry) {
  const registers = [registry];
  const sends = new Histogram({
    name: 'gateway_send_duration_seconds',
    help: 'From a send until its answer, by its error code; ACCEPTED by Pingup, or REPLAYED from an earlier send.',
    labelNames: ['outcome'],
    buckets: sendBuckets,
    registers,
  });
  const pushes = new Histogram({
    name: 'gateway_callback_to_push_seconds',
    help: 'From the receipt of a callback until a subscription takes the state it brought, in whole milliseconds.',
    buckets: pushBuckets,
    registers,
  });
  const batches = new Histogram({
    name: 'gateway_store_commit_duration_seconds',
    help: 'What one batch of calls of the store takes; its writes are one commit, durable when it is answered.',
    buckets: batchBuckets,
    registers,
  });
  const calls = new Counter({
    name: 'gateway_store_calls_total',
    help: 'Calls of the store that were answered; many share one commit.',
    registers,
  });
  const events = new Counter({
    name: 'gateway_store_events_total',
    help: 'Callbacks and messages that a limit of the store took or refused, and message ids that Pingup repeated.',
    labelNames: ['event'],
    registers,
  });
  return { sends, pushes, batches, calls, events };
}

const sendOutcomes: readonly SendOutcome[] = [
  'ACCEPTED',
  'REPLAYED',
  ...(Object.keys(retryableByCode) as GatewayErrorCode[]),
  'INTERNAL_SERVER_ERROR',
];
