import { GatewayError } from '../errors.ts';
import { parseMessageId } from './message-id.ts';
import { rateLimited } from './rate-limit-pause.ts';
import { parseRetryAfter } from './retry-after.ts';

/**
 * What Pingup's answer to a send says: the id of the message, or why there is none. Its words are not passed on.
 *
 * 2xx with `success` and an id: the id | `success: false`, 3xx, 4xx: PINGUP_REJECTED | 429: PINGUP_RATE_LIMITED |
 * 5xx, and 2xx that says neither: SEND_OUTCOME_UNKNOWN
 *
 * @throws GatewayError
 */
export async function readSendAnswer(response: Response): Promise<string> {
  const { status } = response;
  if (status === 429) throw rateLimited(parseRetryAfter(response.headers.get('retry-after'), Date.now()));
  if (status >= 500) throw outcomeUnknown(`Pingup answered with HTTP ${status}`);
  if (status >= 300) throw rejected(`with HTTP ${status}`);
  const answer = await response.text().then(parseAnswer, unreadable);
  if (answer.success === false) throw rejected('with "success": false');
  const id =
    answer.success === undefined || answer.success === true
      ? parseMessageId(answer.data?.message_id)
      : undefined;
  if (id === undefined)
    throw outcomeUnknown('Pingup answered without saying that it took the message, or as which');
  return id;
}

/** Why a send may or may not have gone out. `what` is the first half of the sentence. */
export function outcomeUnknown(what: string, cause?: unknown): GatewayError {
  const message = `${what}: the message may or may not be on its way.`;
  return new GatewayError('SEND_OUTCOME_UNKNOWN', message, { cause });
}

/** The documented shape, of which nothing is certain. */
interface SendAnswer {
  readonly success?: unknown;
  readonly data?: { readonly message_id?: unknown } | null;
}

function parseAnswer(text: string): SendAnswer {
  try {
    const answer: unknown = JSON.parse(text);
    return typeof answer === 'object' && answer !== null ? answer : {};
  } catch (error) {
    return unreadable(error);
  }
}

function unreadable(cause: unknown): never {
  throw outcomeUnknown('Pingup answered something unreadable', cause);
}

function rejected(how: string): GatewayError {
  return new GatewayError('PINGUP_REJECTED', `Pingup refused the message ${how}.`);
}
