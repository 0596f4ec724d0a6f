import { type Dispatcher, Pool } from 'undici';
import { CompleteResponse } from './complete-response.ts';
import { ExchangeError } from './exchange-error.ts';

/** A `fetch` for one origin, over a pool of kept connections, that knows whether a request has left. */
export interface PooledFetch extends AsyncDisposable {
  /**
   * One request and its answer. It is written to a connection at most once, and no redirect is followed.
   *
   * Only the method and the URL are taken from `input`; the headers are the pool's, and what is this request's own
   * stands beside it, because to read it back out of a Request costs as much as to send it. The answer carries no
   * header but `retry-after`; outside 2xx its status is all there is, and comes without waiting for the body.
   *
   * @throws ExchangeError, the connection's own error as its cause.
   */
  exchange(input: string | URL | Request, outgoing: Outgoing): Promise<Response>;

  /** Closes all connections at once: what is under way ends with an ExchangeError. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** What one request has of its own. */
export interface Outgoing {
  readonly body: string;
  readonly traceparent: string;
  /** For the first byte to leave, in milliseconds of `performance.now()`; not after `deadline`. */
  readonly leaveBy: number;
  /** For the answer's last byte, in milliseconds of `performance.now()`. */
  readonly deadline: number;
}

export interface PooledFetchOptions {
  readonly origin: string;
  readonly headers: Readonly<Record<string, string>>;
  /** More exchanges at once wait for a free connection, within their deadlines. */
  readonly maxConnections: number;
  readonly connectTimeoutMs: number;
  readonly maxAnswerBytes: number;
}

/**
 * Shorter than the 5 s after which common servers hang up on an idle connection: a request that crosses with that
 * cannot be repeated. A server that announces another time is believed.
 */
const keepAliveMs = 4_000;

/**
 * undici keeps what was given up while it waited until a connection is free, which is long where connecting hangs. So
 * no more than this many wait; the next ones fail at once.
 */
const maxWaiting = 4_096;

export function createPooledFetch(options: PooledFetchOptions): PooledFetch {
  const headers = Object.entries(options.headers).flat();
  const queue: Queue = { waiting: 0 };
  const pool = new Pool(options.origin, {
    connections: options.maxConnections,
    pipelining: 1,
    allowH2: false,
    connectTimeout: options.connectTimeoutMs,
    keepAliveTimeout: keepAliveMs,
    maxResponseSize: options.maxAnswerBytes,
    // The one deadline of an exchange stands for both.
    headersTimeout: 0,
    bodyTimeout: 0,
  });

  async function exchange(input: string | URL | Request, outgoing: Outgoing): Promise<Response> {
    if (queue.waiting >= maxWaiting) throw new ExchangeError(false, new Error('Too many wait.'));
    const { method, url } = input instanceof Request ? input : new Request(input);
    const request = {
      method: method as Dispatcher.HttpMethod,
      path: url.slice(options.origin.length),
      headers: [...headers, 'traceparent', outgoing.traceparent],
      body: outgoing.body,
    };
    return new Promise((resolve, reject) => {
      const handler = createExchange(queue, outgoing, resolve, reject);
      pool.dispatch(request, handler);
    });
  }

  return { exchange, [Symbol.asyncDispose]: () => pool.destroy() };
}

/** How many exchanges undici holds that have not started, given up or not. */
interface Queue {
  waiting: number;
}

/**
 * What undici tells of one request, in the order of its calls. `onRequestStart` comes right before the first byte is
 * written: without it nothing has left, and once the exchange is given up it throws, so that nothing will.
 */
function createExchange(
  queue: Queue,
  { leaveBy, deadline }: Outgoing,
  resolve: (response: Response) => void,
  reject: (error: ExchangeError) => void,
): Dispatcher.DispatchHandler {
  let controller: Dispatcher.DispatchController | undefined;
  let givenUp: Error | undefined;
  let init: { status: number; headers: Record<string, string> } = { status: 0, headers: {} };
  const chunks: Buffer[] = [];
  let timer = setTimeout(giveUp, leaveBy - performance.now());
  queue.waiting += 1;

  function giveUp(): void {
    givenUp = new Error('The deadline passed.');
    if (controller) controller.abort(givenUp);
    else reject(new ExchangeError(false, givenUp));
  }

  return {
    onRequestStart(started) {
      if (givenUp) throw givenUp;
      if (controller) throw new Error('This request has left before.');
      controller = started;
      queue.waiting -= 1;
      clearTimeout(timer);
      timer = setTimeout(giveUp, deadline - performance.now());
    },
    onResponseStart(_controller, status, { 'retry-after': retryAfter }) {
      init = { status, headers: isPlain(retryAfter) ? { 'retry-after': retryAfter } : {} };
      if (status >= 300) resolve(new Response(null, init));
    },
    onResponseData(_controller, chunk) {
      chunks.push(chunk);
    },
    onResponseEnd() {
      clearTimeout(timer);
      if (init.status < 300) resolve(new CompleteResponse(joined(chunks), init));
    },
    onResponseError(_controller, error) {
      clearTimeout(timer);
      if (!controller) queue.waiting -= 1;
      reject(new ExchangeError(controller !== undefined, error));
    },
  };
}

/** Most answers come in one piece. */
function joined(chunks: readonly Buffer[]): Buffer {
  const [first, ...more] = chunks;
  return first && more.length === 0 ? first : Buffer.concat(chunks);
}

/** Whether Headers will take the value. */
function isPlain(value: unknown): value is string {
  return typeof value === 'string' && /^[\x20-\x7e]*$/.test(value);
}
