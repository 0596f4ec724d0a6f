import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { newMessageId } from './message-id.ts';
import type { Narrator } from './narrator.ts';
import { type Answer, type Scenario, scenarioOf } from './scenarios.ts';
import { isSendBody, parseSendRequest, refusal, type SendRequest } from './send-request.ts';

/** One `POST /messages` that arrived. */
export interface SandboxRequest {
  /** In milliseconds since the epoch. */
  readonly at: number;
  readonly client: string | null;
  readonly clientPhone: string | null;
  /** Parsed, or the text as it came where that is not JSON. */
  readonly body: unknown;
  /** Without the API key. */
  readonly headers: IncomingHttpHeaders;
  /** What the message was accepted as; null where it was not. */
  readonly messageId: string | null;
}

export interface PingupRoutesOptions {
  readonly business: string;
  readonly apiKey: string;
  /** Between two events of a message, in milliseconds. */
  readonly stepMs: number;
  readonly narrator: Narrator;
  /** Gets every `POST /messages`, newest last, and keeps 1,000. */
  readonly requests: SandboxRequest[];
}

type Request = FastifyRequest<{ Params: { business: string } }>;
type Arrival = SandboxRequest & { messageId: string | null };
type Declining = Exclude<Answer, 'accept' | 'accept-last'>;

const keptRequests = 1_000;

/**
 * Pingup's two calls. What they refuse, in the order of checking:
 *
 * method 405 | bearer 401 | business 404 | not JSON, or against a rule of the call 400
 */
export function addPingupRoutes(app: FastifyInstance, options: PingupRoutesOptions): void {
  const { business, apiKey, requests } = options;

  function admit(request: Request): void {
    if (request.headers.authorization !== `Bearer ${apiKey}`) throw refusal(401, 'wrong or missing API key');
    if (request.params.business !== business) throw refusal(404, 'no such business');
  }

  function record(request: Request): Arrival {
    const arrival = arrivalOf(request);
    if (requests.push(arrival) > keptRequests) requests.shift();
    return arrival;
  }

  app.all('/ext/v2/:business/me', async (request: Request, reply) => {
    requireMethod('GET', request, reply);
    admit(request);
    return { success: true, data: { business } };
  });

  app.all('/ext/v2/:business/messages', async (request: Request, reply) => {
    requireMethod('POST', request, reply);
    const arrival = record(request);
    admit(request);
    requireJson(request);
    const send = parseSendRequest(arrival.body);
    const { answer, callbacks } = scenarioOf(send.client);
    if (answer !== 'accept' && answer !== 'accept-last') return decline(answer, reply);

    arrival.messageId = newMessageId();
    await begin(arrival.messageId, send, { answer, callbacks }, reply, options);
    return { success: true, data: { message_id: arrival.messageId } };
  });
}

/** Resolves when the send may be answered: at once, unless the scenario wants the callbacks told before. */
async function begin(
  messageId: string,
  { delaySeconds, callbackUrl }: SendRequest,
  { answer, callbacks }: Scenario,
  reply: FastifyReply,
  { narrator, stepMs }: PingupRoutesOptions,
): Promise<void> {
  const startsAt = Date.now() + delaySeconds * 1_000;
  const story = { messageId, callbacks, callbackUrl, startsAt };
  if (answer === 'accept-last' && delaySeconds === 0) await narrator.tell({ ...story, stepMs: 0 });
  else reply.raw.once('close', () => narrator.tell({ ...story, stepMs }));
}

function decline(answer: Declining, reply: FastifyReply): FastifyReply {
  if (typeof answer === 'object')
    return reply
      .code(answer.status)
      .headers(answer.headers ?? {})
      .send(answer.body);
  if (answer === 'reset') reply.raw.socket?.resetAndDestroy();
  return reply.hijack();
}

function requireMethod(method: string, request: Request, reply: FastifyReply): void {
  if (request.method === method) return;
  reply.header('allow', method);
  throw refusal(405, `the method must be ${method}`);
}

function requireJson({ headers }: Request): void {
  if (/^application\/json\s*(;|$)/i.test(headers['content-type'] ?? '')) return;
  throw refusal(400, 'the content type must be application/json');
}

function arrivalOf(request: Request): Arrival {
  const { authorization: _, ...headers } = request.headers;
  const body = jsonOrText(request.body);
  const { client, client_phone: clientPhone } = isSendBody(body) ? body : {};
  return {
    at: Date.now(),
    client: typeof client === 'string' ? client : null,
    clientPhone: typeof clientPhone === 'string' ? clientPhone : null,
    body,
    headers,
    messageId: null,
  };
}

function jsonOrText(body: unknown): unknown {
  try {
    return JSON.parse(String(body));
  } catch {
    return body;
  }
}
