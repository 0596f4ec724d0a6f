import { setTimeout as delay } from 'node:timers/promises';
import ky from 'ky';
import type { Logger } from 'pino';
import { GatewayError } from '../errors.ts';
import type { OutgoingText } from '../outgoing-text.ts';
import {
  errorTypeOf,
  idAttribute,
  inSpan,
  operationAttributes,
  type Span,
  type Tracing,
  untraced,
} from '../tracing.ts';
import { createCredentials } from './credentials.ts';
import { ExchangeError } from './exchange-error.ts';
import { createPacing } from './pacing.ts';
import { createPooledFetch, type Outgoing } from './pooled-fetch.ts';
import type { PingupHealth, SendContext } from './port.ts';
import { outcomeUnknown, readSendAnswer } from './send-answer.ts';

/** Pingup for one account. */
export interface PingupClient {
  /** As `Pingup.sendText`. */
  sendText(text: OutgoingText, context: SendContext): Promise<string>;
  health(): PingupHealth;
  /** Closes the pooled connections: what is under way ends as an error, of the kind that is true of it. */
  [Symbol.asyncDispose](): Promise<void>;
}

export interface PingupClientOptions {
  /** Without the business and without a trailing slash: `https://api.pingup.ai/ext/v2`. */
  readonly baseUrl: string;
  readonly business: string;
  readonly apiKey: string;
  /** For one send in all: waiting, connecting, repeating, and the answer's body. */
  readonly timeoutMs: number;
  /** Sent along as `callback_url`, unless null. */
  readonly callbackUrl: string | null;
  /** Sends under way at once. */
  readonly concurrency: number;
  /** Sends that may wait until others are done. */
  readonly maxWaiting: number;
  /** Sends that begin within any second; null: unlimited. */
  readonly sendsPerSecond: number | null;
  /** How long after its first failure a send of which nothing has left may still begin to leave. */
  readonly repeatMs?: number;
  readonly log: Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>;
  readonly tracing?: Tracing | undefined;
}

const maxAnswerBytes = 64 * 1024;
/** Long enough for a lost packet to be sent again. */
const maxConnectMs = 2_000;
/** Before the first repeat; the next ones wait twice as long each. */
const firstPauseMs = 50;

/**
 * The call of Pingup's API: `POST {baseUrl}/{business}/messages`.
 *
 * nothing left: asked again for at most 2 s, then PINGUP_UNAVAILABLE | left, and no answer: SEND_OUTCOME_UNKNOWN,
 * never asked again | answered: `readSendAnswer` | not asked at all: `Pacing`
 */
export function createPingupClient(options: PingupClientOptions): PingupClient {
  const { baseUrl, business, apiKey, timeoutMs, callbackUrl, concurrency, log } = options;
  const { maxWaiting, sendsPerSecond, repeatMs = 2_000, tracing = untraced } = options;
  // Half of the deadline leaves time for a second try.
  const connectTimeoutMs = Math.min(Math.ceil(timeoutMs / 2), maxConnectMs);
  const url = `${baseUrl}/${encodeURIComponent(business)}/messages`;
  const pool = createPooledFetch({
    origin: new URL(url).origin,
    headers: {
      authorization: `Bearer ${apiKey}`,
      'content-type': 'application/json',
      accept: 'application/json',
    },
    maxConnections: concurrency,
    connectTimeoutMs,
    maxAnswerBytes,
  });
  // What ky could add to an exchange would break its rules: a repeat that does not ask whether the request left, a
  // time-out that forgets the body, and errors that carry the address.
  const api = ky.create({ retry: 0, timeout: false, throwHttpErrors: false });

  const call = describeCall(new URL(url), business);
  const pacing = createPacing({ concurrency, maxWaiting, perSecond: sendsPerSecond, log });
  const credentials = createCredentials(log);
  const closing = new AbortController();

  async function sendText(text: OutgoingText, { traceparent }: SendContext): Promise<string> {
    const deadline = performance.now() + timeoutMs;
    const outgoing = { body: sendBody(text, callbackUrl), traceparent, deadline };
    // What leaves has half of the time or more for its answer: a send that ends unknown is worse than one that waits.
    return pacing.send(() => askUntilLeft(outgoing), timeoutMs / 2);
  }

  /** Repeats what has not left, for `repeatMs` after its first failure, which comes after `connectTimeoutMs` at most. */
  async function askUntilLeft(outgoing: Omit<Outgoing, 'leaveBy'>): Promise<string> {
    let leaveBy = Math.min(outgoing.deadline, performance.now() + connectTimeoutMs + repeatMs);
    for (let pauseMs = firstPauseMs; ; pauseMs *= 2) {
      try {
        return await pacing.attempt(() => ask({ ...outgoing, leaveBy }));
      } catch (error) {
        if (!(error instanceof ExchangeError)) throw error;
        leaveBy = Math.min(leaveBy, performance.now() + repeatMs);
        if (isHopeless(error) || performance.now() + pauseMs >= leaveBy) throw unavailable(error);
        log.debug({ err: error, pauseMs }, 'Pingup cannot be reached; asking again');
      }
      // A pause that is cut short leads to one more try, which then says that the pool is closed.
      await delay(pauseMs, undefined, { signal: closing.signal }).catch(() => undefined);
    }
  }

  /**
   * One try, in a span that Pingup is told of.
   *
   * @throws ExchangeError where nothing left, GatewayError otherwise.
   */
  function ask(outgoing: Outgoing): Promise<string> {
    const span = tracing.start({ ...call, parent: outgoing.traceparent });
    const traced = { ...outgoing, traceparent: span.traceparent };
    return inSpan(span, () => exchange(traced, span), failureOf);
  }

  async function exchange(outgoing: Outgoing, span: Span): Promise<string> {
    const answer = api.post(url, { fetch: (input) => pool.exchange(input, outgoing) });
    const response = await answer.catch(tellWhetherItLeft);
    span.set({ 'http.response.status_code': response.status });
    credentials.observe(response.status);
    const id = await readSendAnswer(response);
    span.set(idAttribute(id));
    return id;
  }

  return {
    sendText,
    health: () => ({ credentials: credentials.state, ...pacing.health() }),
    [Symbol.asyncDispose]() {
      closing.abort();
      pacing.close();
      return pool[Symbol.asyncDispose]();
    },
  };
}

/** Of the address, the host alone: a path can be anybody's secret. */
function describeCall({ protocol, hostname, port }: URL, business: string) {
  const attributes = {
    ...operationAttributes('send', business),
    'http.request.method': 'POST',
    'url.template': '/{business}/messages',
    'server.address': hostname,
    'server.port': Number(port) || (protocol === 'https:' ? 443 : 80),
  };
  return { name: 'POST /{business}/messages', kind: 'client', attributes } as const;
}

function failureOf(error: unknown): string {
  return error instanceof ExchangeError ? 'PINGUP_UNAVAILABLE' : errorTypeOf(error);
}

/** The documented body. JSON leaves out what is undefined. */
function sendBody(text: OutgoingText, callbackUrl: string | null): string {
  return JSON.stringify({
    message_type: 'text',
    client: text.client ?? undefined,
    client_phone: text.clientPhone ?? undefined,
    client_name: text.clientName ?? undefined,
    text_message: text.textMessage,
    delay: text.delay ?? undefined,
    callback_url: callbackUrl ?? undefined,
  });
}

function tellWhetherItLeft(error: unknown): never {
  if (error instanceof ExchangeError && !error.mayHaveLeft) throw error;
  throw outcomeUnknown('No usable answer came from Pingup', error);
}

/** undici's codes for a pool that is closed, and for a request that it will not take. */
const hopelessCodes: ReadonlySet<unknown> = new Set([
  'UND_ERR_DESTROYED',
  'UND_ERR_CLOSED',
  'UND_ERR_INVALID_ARG',
]);

function isHopeless({ cause }: ExchangeError): boolean {
  return cause instanceof Error && 'code' in cause && hopelessCodes.has(cause.code);
}

function unavailable(cause: unknown): GatewayError {
  return new GatewayError('PINGUP_UNAVAILABLE', 'Pingup cannot be reached; nothing was sent.', { cause });
}
