import { hash, timingSafeEqual } from 'node:crypto';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { AuthenticText } from './callback.ts';
import {
  type CallbackCounts,
  type CallbackOutcome,
  createCallbackCounts,
  statusByOutcome,
} from './callback-outcome.ts';
import { type CallbackReceiverOptions, createCallbackReceiver } from './callback-receiver.ts';

export interface CallbackDoorOptions extends CallbackReceiverOptions {
  readonly business: string;
  /** Who knows it is Pingup. It appears in no log line and in no answer. */
  readonly token: string;
  /** Counted up with each callback. */
  readonly counts?: CallbackCounts;
}

/** The business and the token, in a wildcard because Fastify matches no parameter of more than 100 characters. */
const path = '/callbacks/pingup/*';
const bodyLimit = 256 * 1024;
const retryAfterSeconds = '5';

interface Route {
  Params: { '*': string };
  /** Undefined where the request has none. */
  Body: Buffer | undefined;
}

/**
 * `POST /callbacks/pingup/{business}/{token}`, where Pingup says what became of a message; a Fastify plugin.
 *
 * understood 200, after it is durable | not JSON 400 | not authentic 401, before the body is read | other method 405 |
 * over 256 KiB 413 | other content type 415 | not wholly understood 422, kept in quarantine | store down 503, so it is
 * repeated
 */
export async function callbackDoor(scope: FastifyInstance, options: CallbackDoorOptions): Promise<void> {
  const { business, token, log, counts = createCallbackCounts() } = options;
  const receive = createCallbackReceiver(options);
  const address = digestOf(`${business}/${token}`);

  function answer(reply: FastifyReply, outcome: CallbackOutcome, body: object): FastifyReply {
    counts[outcome] += 1;
    if (outcome === 'otherMethod') reply.header('allow', 'POST');
    if (outcome === 'notRecorded') reply.header('retry-after', retryAfterSeconds);
    return reply.code(statusByOutcome[outcome]).send(body);
  }

  function authenticate({ params }: FastifyRequest<Route>, reply: FastifyReply, pass: () => void): void {
    if (timingSafeEqual(digestOf(params['*']), address)) pass();
    else answer(reply, 'notAuthentic', { error: 'This is not an address for callbacks.' });
  }

  function refuseMethod(_request: FastifyRequest, reply: FastifyReply): void {
    answer(reply, 'otherMethod', { error: 'Callbacks are POSTed.' });
  }

  /** What Fastify itself refused, and what should never happen. */
  function refuse(error: FastifyError, _request: FastifyRequest, reply: FastifyReply): FastifyReply {
    if (error.statusCode === 413) return answer(reply, 'tooLarge', { error: 'At most 256 KiB are taken.' });
    if (error.statusCode === 415)
      return answer(reply, 'otherContentType', { error: 'The content type must be application/json.' });
    if (error.statusCode === 400) return answer(reply, 'notJson', { error: 'The body broke off.' });
    log.error({ err: error }, 'a callback failed unexpectedly');
    return answer(reply, 'notRecorded', { error: 'This failed. Please repeat it.' });
  }

  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser('application/json', { parseAs: 'buffer', bodyLimit }, (_request, body, done) =>
    done(null, body),
  );
  scope.setErrorHandler(refuse);
  scope.post<Route>(path, { onRequest: authenticate, logSerializers }, async (request, reply) => {
    const { outcome, body } = await receive(business, textOf(request.body));
    return answer(reply, outcome, body);
  });
  const otherMethods = scope.supportedMethods.filter((method) => method !== 'POST');
  scope.route({
    method: otherMethods,
    url: path,
    onRequest: refuseMethod,
    handler: refuseMethod,
    logSerializers,
  });
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** The one place where bytes become authentic text: by now the sender has shown the token. */
function textOf(body: Buffer | undefined): AuthenticText | undefined {
  try {
    return utf8.decode(body) as AuthenticText;
  } catch {
    return undefined;
  }
}

/** Of one length whatever is hashed, so that comparing takes the same time. */
function digestOf(text: string): Buffer {
  return hash('sha256', text, 'buffer');
}

/** Keeps the token out of a server's own request log. */
const logSerializers = { req: ({ method }: FastifyRequest) => ({ method, url: path }) };
