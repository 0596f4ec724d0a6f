import { setTimeout as delay } from 'node:timers/promises';
import ky from 'ky';
import type { Logger } from 'pino';
import { GatewayError } from '../errors.ts';
import type { OutgoingText } from '../outgoing-text.ts';
import { ExchangeError } from './exchange-error.ts';
import { createPooledFetch } from './pooled-fetch.ts';
import type { Pingup } from './port.ts';
import { outcomeUnknown, readSendAnswer } from './send-answer.ts';

export interface PingupClientOptions {
  /** Without the business and without a trailing slash: `https://api.pingup.ai/ext/v2`. */
  readonly baseUrl: string;
  readonly business: string;
  readonly apiKey: string;
  /** For one send in all: waiting, connecting, repeating, and the answer's body. */
  readonly timeoutMs: number;
  /** Sent along as `callback_url`, unless null. */
  readonly callbackUrl: string | null;
  readonly log?: Pick<Logger, 'debug'>;
}

const maxConnections = 256;
const maxAnswerBytes = 64 * 1024;
/** Long enough for a lost packet to be sent again twice. */
const maxConnectMs = 4_000;
const firstPauseMs = 50;
const maxPauseMs = 2_000;

/**
 * The call of Pingup's API: `POST {baseUrl}/{business}/messages`.
 *
 * nothing left: asked again until the deadline, then PINGUP_UNAVAILABLE | left, and no answer: SEND_OUTCOME_UNKNOWN,
 * never asked again | answered: `readSendAnswer`
 */
export function createPingupClient(options: PingupClientOptions): Pingup {
  const { baseUrl, business, apiKey, timeoutMs, callbackUrl, log } = options;
  const url = `${baseUrl}/${encodeURIComponent(business)}/messages`;
  const pool = createPooledFetch({
    origin: new URL(url).origin,
    headers: {
      authorization: `Bearer ${apiKey}`,
      'content-type': 'application/json',
      accept: 'application/json',
    },
    maxConnections,
    // Half of the deadline leaves time for a second try.
    connectTimeoutMs: Math.min(Math.ceil(timeoutMs / 2), maxConnectMs),
    maxAnswerBytes,
  });
  // What ky could add to an exchange would break its rules: a repeat that does not ask whether the request left, a
  // time-out that forgets the body, and errors that carry the address.
  const api = ky.create({ retry: 0, timeout: false, throwHttpErrors: false });

  async function sendText(text: OutgoingText): Promise<string> {
    return readSendAnswer(await post(sendBody(text, callbackUrl), performance.now() + timeoutMs));
  }

  /** Repeats what has not left. */
  async function post(body: string, deadline: number): Promise<Response> {
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, maxPauseMs)) {
      try {
        return await api.post(url, { fetch: (input) => pool.exchange(input, body, deadline) });
      } catch (error) {
        if (!isUnsent(error)) throw outcomeUnknown('No usable answer came from Pingup', error);
        if (isHopeless(error) || performance.now() + pauseMs >= deadline) throw unavailable(error);
        log?.debug({ err: error, pauseMs }, 'Pingup cannot be reached; asking again');
      }
      await delay(pauseMs);
    }
  }

  return { sendText, [Symbol.asyncDispose]: () => pool[Symbol.asyncDispose]() };
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

function isUnsent(error: unknown): error is ExchangeError {
  return error instanceof ExchangeError && !error.mayHaveLeft;
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
