import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { cutText } from '../cut-text.ts';
import { createMinuteLog } from '../log-once-a-minute.ts';
import type { Tracing } from '../tracing.ts';
import { callbackRoot } from './callback-address.ts';
import type { CallbackAuthenticator, Refusal, Sender } from './callback-authenticator.ts';
import {
  type CallbackCounts,
  type CallbackOutcome,
  createCallbackCounts,
  statusByOutcome,
} from './callback-outcome.ts';
import { type CallbackReceiverOptions, createCallbackReceiver, notJson } from './callback-receiver.ts';
import { createRefusalLog } from './refusal-log.ts';
import { type ReceiveRequest, traceCallbacks } from './traced-callbacks.ts';

export interface CallbackDoorOptions extends CallbackReceiverOptions {
  readonly authenticator: CallbackAuthenticator;
  /** Counted up with each callback. */
  readonly counts?: CallbackCounts;
  /** Null: there are no traces. */
  readonly tracing?: Tracing | null;
}

/** The business and perhaps a token, in a wildcard because Fastify matches no parameter of more than 100 characters. */
const path = `${callbackRoot}/*`;
const bodyLimit = 256 * 1024;
const retryAfterSeconds = '5';

interface Route {
  Params: { '*': string };
  /** Undefined where the request has none. */
  Body: Buffer | undefined;
}

const noBody = Buffer.alloc(0);

/**
 * `POST /callbacks/pingup/{business}`, where Pingup says what became of a message; a Fastify plugin. The token is a
 * further segment of the address, or in a header.
 *
 * understood 200, after it is durable | not JSON 400 | not authentic 401, of which the network and the token are
 * checked before the body is read, and the signature after | other method 405 | over 256 KiB 413 | other content type
 * 415 | not wholly understood 422, kept in quarantine | store down 503, so it is repeated
 */
export async function callbackDoor(scope: FastifyInstance, options: CallbackDoorOptions): Promise<void> {
  const { authenticator, log, counts = createCallbackCounts(), tracing } = options;
  const receiver = createCallbackReceiver(options);
  const receive: ReceiveRequest = tracing
    ? traceCallbacks(receiver, tracing)
    : (callback) => receiver(callback);
  const logOnce = createMinuteLog(log);
  const reportRefusal = createRefusalLog(logOnce);
  const senders = new WeakMap<FastifyRequest<Route>, Sender>();

  function answer(reply: FastifyReply, outcome: CallbackOutcome, body: object): FastifyReply {
    counts[outcome] += 1;
    if (outcome === 'otherMethod') reply.header('allow', 'POST');
    if (outcome === 'notRecorded') reply.header('retry-after', retryAfterSeconds);
    return reply.code(statusByOutcome[outcome]).send(body);
  }

  /** Which check failed is for the log alone. */
  function refuseSender(reply: FastifyReply, refusal: Refusal): FastifyReply {
    reportRefusal(refusal);
    return answer(reply, 'notAuthentic', { error: 'This is not an address for callbacks.' });
  }

  function admit(request: FastifyRequest<Route>, reply: FastifyReply, pass: () => void): void {
    const { params, headers, ip, raw } = request;
    const { rawHeaders } = raw;
    const sender = authenticator.admit({ path: params['*'], headers, rawHeaders, address: ip });
    if ('failed' in sender) return void refuseSender(reply, sender);
    senders.set(request, sender);
    pass();
  }

  function refuseMethod(_request: FastifyRequest, reply: FastifyReply): void {
    answer(reply, 'otherMethod', { error: 'Callbacks are POSTed.' });
  }

  /** Pingup shows the right token, and yet nothing that it sends is read. */
  function reportContentType(request: FastifyRequest<Route>): void {
    const business = senders.get(request)?.account.business;
    const contentType = cutText(request.headers['content-type'] ?? '');
    const message = 'callbacks are refused for their content type: have Pingup send application/json';
    if (business !== undefined) logOnce(`contentType ${business}`, { business, contentType }, message);
  }

  /** What Fastify itself refused, and what should never happen. */
  function refuse(error: FastifyError, request: FastifyRequest<Route>, reply: FastifyReply): FastifyReply {
    if (error.statusCode === 413) return answer(reply, 'tooLarge', { error: 'At most 256 KiB are taken.' });
    if (error.statusCode === 415) {
      reportContentType(request);
      return answer(reply, 'otherContentType', { error: 'The content type must be application/json.' });
    }
    if (error.statusCode === 400) return answer(reply, 'notJson', { error: 'The body broke off.' });
    log.error({ err: error }, 'a callback failed unexpectedly');
    return answer(reply, 'notRecorded', { error: 'This failed. Please repeat it.' });
  }

  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser('application/json', { parseAs: 'buffer', bodyLimit }, (_request, body, done) =>
    done(null, body),
  );
  scope.setErrorHandler(refuse);
  scope.post<Route>(path, { onRequest: admit, logSerializers }, async (request, reply) => {
    const sender = senders.get(request);
    if (!sender) throw new Error('a callback came past its first check');
    const callback = authenticator.verify(sender, request.body ?? noBody, Date.now());
    if (callback && 'failed' in callback) return refuseSender(reply, callback);
    const { outcome, body } = callback ? await receive(callback, request.headers['traceparent']) : notJson;
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

/** Keeps the token out of a server's own request log. */
const logSerializers = { req: ({ method }: FastifyRequest) => ({ method, url: path }) };
