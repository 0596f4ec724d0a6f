import { Counter, Gauge, type Registry } from 'prom-client';
import { addStoreServer } from './metrics-store-server.ts';
import type { StoreServer } from './store-server.ts';

/** What others know already, and is read at each scrape. */
export interface Readings {
  load(): Load;
  /** For each business there is. */
  pingup(): Readonly<Record<string, PingupReading>>;
  /** Callbacks by outcome, since the start. */
  readonly callbacks: Readonly<Record<string, number>>;
  /** Callers who were turned away, by reason, since the start. */
  readonly refusals: Readonly<Record<string, number>>;
  /** Null: the store has none, and all of its metrics are 0. */
  readonly storeServer: StoreServer | null;
}

/** What is open at present, and what waits. */
export interface Load {
  readonly sockets: number;
  readonly watches: number;
  /** Bytes that wait for readers who do not keep up. */
  readonly waitingBytes: number;
  /** Calls that wait for the store. */
  readonly storeCalls: number;
  readonly store: StoreReading;
}

/** Zeros, if the store has nothing of the kind. */
export interface StoreReading {
  readonly walBytes: number;
  readonly damaged: boolean;
  /** Retention and the expiry of idempotency keys wait, since the clock leapt. */
  readonly retentionWaits: boolean;
}

export interface PingupReading {
  readonly credentials: 'ok' | 'refused';
  readonly breaker: BreakerState;
  /** Sends that wait for their turn. */
  readonly queued: number;
  /** Sends that are under way. */
  readonly running: number;
}

type BreakerState = 'closed' | 'half-open' | 'open';

/** Shows them in a registry. Nothing is counted or stored here, so they cost nothing between two scrapes. */
export function addReadings(registry: Registry, readings: Readings): void {
  const { load, pingup, callbacks, refusals, storeServer } = readings;
  const registers = [registry];

  function gauge(name: string, help: string, read: () => number): void {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  }

  gauge('gateway_sockets_open', 'WebSockets that are open.', () => load().sockets);
  gauge('gateway_watches_open', 'Subscriptions that watch a message.', () => load().watches);
  gauge('gateway_socket_waiting_bytes', 'What waits for slow readers.', () => load().waitingBytes);
  gauge('gateway_store_pending_calls', 'Calls that wait for the store.', () => load().storeCalls);
  gauge('gateway_store_wal_bytes', "The size of the database's WAL.", () => load().store.walBytes);
  gauge('gateway_store_damaged', '1 once the database was found damaged, otherwise 0.', () =>
    Number(load().store.damaged),
  );
  gauge('gateway_store_retention_waits', '1 while nothing expires, since the clock leapt, otherwise 0.', () =>
    Number(load().store.retentionWaits),
  );
  addPingupReadings(registry, pingup);
  addStoreServer(registry, storeServer);

  function counter(
    name: string,
    help: string,
    label: string,
    counts: Readonly<Record<string, number>>,
  ): void {
    new Counter({
      name,
      help,
      labelNames: [label],
      registers,
      collect() {
        this.reset();
        for (const [value, count] of Object.entries(counts)) this.inc({ [label]: value }, count);
      },
    });
  }

  counter('gateway_callbacks_total', 'Callbacks by what became of them.', 'outcome', callbacks);
  counter('gateway_refused_callers_total', 'Callers who were turned away, by why.', 'reason', refusals);
}

/** A business that has no account any more is not shown any more. */
function addPingupReadings(registry: Registry, pingup: Readings['pingup']): void {
  const registers = [registry];

  function gauge(name: string, help: string, read: (reading: PingupReading) => number): void {
    new Gauge({
      name,
      help,
      labelNames: ['business'],
      registers,
      collect() {
        this.reset();
        for (const [business, reading] of Object.entries(pingup())) this.set({ business }, read(reading));
      },
    });
  }

  gauge('gateway_pingup_queued_sends', 'Sends that wait for their turn.', ({ queued }) => queued);
  gauge('gateway_pingup_running_sends', 'Sends that Pingup has not answered yet.', ({ running }) => running);
  gauge(
    'gateway_pingup_credentials_refused',
    '1 while Pingup answers 401 or 403, otherwise 0.',
    ({ credentials }) => (credentials === 'refused' ? 1 : 0),
  );

  new Gauge({
    name: 'gateway_pingup_breaker',
    help: '1 for the state of the circuit breaker: open turns sends away, half-open tries whether Pingup is back.',
    labelNames: ['business', 'state'],
    registers,
    collect() {
      this.reset();
      for (const [business, { breaker }] of Object.entries(pingup()))
        for (const state of breakerStates) this.set({ business, state }, breaker === state ? 1 : 0);
    },
  });
}

const breakerStates: readonly BreakerState[] = ['closed', 'half-open', 'open'];
