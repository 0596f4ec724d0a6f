import { setInterval as every } from 'node:timers/promises';
import { openPostConnection } from '../load/post-connection.ts';

/** What became of one send. Instants are those of `performance.now()`. */
export interface AnsweredSend {
  /** No other send has it. */
  readonly text: string;
  /** When it was to begin. A load that falls behind counts as time that the answer took. */
  readonly dueAt: number;
  readonly endedAt: number;
  /** An error's code, or `ACCEPTED`. */
  readonly outcome: string;
  readonly retryAfterSeconds: number | undefined;
}

/**
 * sendTextMessage at a steady rate, whatever becomes of it, over kept connections. Where none is free, a send waits for
 * one, and that counts.
 */
export interface SteadySends extends Disposable {
  /** In the order in which they were answered. */
  readonly answered: readonly AnsweredSend[];
  /** Begins no more, and resolves once all are answered. @throws Error where one was not answered as GraphQL is. */
  stop(): Promise<void>;
}

export interface SteadySendsOptions {
  readonly port: number;
  readonly perSecond: number;
}

const tickMs = 5;
/** More than the sends that the gateway holds at once: 64 under way, 256 that wait, and those at the door. */
const connections = 500;
/** All at once would be more than a server's queue of new connections may hold. */
const connectionsAtOnce = 100;
const query =
  'mutation ($input: SendTextMessageInput!) { sendTextMessage(input: $input) { message { id status } } }';

/** A send that is due, or under way. */
type Due = Pick<AnsweredSend, 'text' | 'dueAt'>;

export async function startSteadySends({ port, perSecond }: SteadySendsOptions): Promise<SteadySends> {
  const answered: AnsweredSend[] = [];
  const waiting: Due[] = [];
  const free: ((next: Due) => void)[] = [];
  const stopping = new AbortController();
  const finished = Promise.withResolvers<void>();
  finished.promise.catch(() => undefined);
  let begun = 0;

  function finish(): void {
    if (stopping.signal.aborted && answered.length === begun) finished.resolve();
  }

  function open(): Promise<void> {
    const { promise: opened, resolve: onOpen } = Promise.withResolvers<void>();
    let due: Due | undefined;
    const onLost = finished.reject;
    const connection = openPostConnection({ port, path: '/graphql', onOpen, onAnswer, onLost });

    function take(next: Due): void {
      due = next;
      connection.post(bodyOf(next.text));
    }
    function onAnswer(status: number, body: string): void {
      if (due) answered.push({ ...due, endedAt: performance.now(), ...outcomeOf(status, body) });
      const next = waiting.shift();
      if (next) take(next);
      else free.push(take);
      finish();
    }
    free.push(take);
    return opened;
  }

  async function run(): Promise<void> {
    const start = performance.now();
    for await (const _ of every(tickMs, undefined, { signal: stopping.signal })) {
      for (; begun < ((performance.now() - start) / 1000) * perSecond; begun += 1) {
        const due = { text: `Text ${begun}`, dueAt: start + (begun * 1000) / perSecond };
        const take = free.shift();
        if (take) take(due);
        else waiting.push(due);
      }
    }
  }

  for (let opened = 0; opened < connections; opened += connectionsAtOnce)
    await Promise.all(Array.from({ length: connectionsAtOnce }, open));
  run().catch(() => undefined);
  return {
    answered,
    async stop() {
      stopping.abort();
      finish();
      await finished.promise;
    },
    [Symbol.dispose]: () => stopping.abort(),
  };
}

function bodyOf(textMessage: string): string {
  return JSON.stringify({ query, variables: { input: { client: 'reads', textMessage } } });
}

interface GraphqlAnswer {
  readonly data?: {
    readonly sendTextMessage: { readonly message: { readonly status: string } } | null;
  } | null;
  readonly errors?: readonly {
    readonly extensions: { readonly code: string; readonly retryAfterSeconds?: number };
  }[];
}

function outcomeOf(status: number, body: string) {
  const { data, errors }: GraphqlAnswer = JSON.parse(body);
  const [error] = errors ?? [];
  const outcome = error?.extensions.code ?? data?.sendTextMessage?.message.status;
  if (status !== 200 || outcome === undefined) throw new Error(`an answer with HTTP ${status}: ${body}`);
  return { outcome, retryAfterSeconds: error?.extensions.retryAfterSeconds };
}
