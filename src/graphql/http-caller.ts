import type {
  FastifyError,
  FastifyInstance,
  FastifyReply,
  FastifyRequest,
  preParsingHookHandler,
} from 'fastify';
import { type Authenticate, anyone, type Caller } from '../caller.ts';
import { GatewayError } from '../errors.ts';
import { headerValues } from '../header-values.ts';

export interface CallerCheck {
  /** Of a route that needs a caller: they run once limits have been asked, and before a body is read. */
  readonly hooks: Hooks;
  /** Of one that needs none for some requests. */
  hooksUnless(isForEverybody: (request: FastifyRequest) => boolean): Hooks;
  /** Who makes a request that has passed them. */
  callerOf(request: FastifyRequest): Caller;
}

interface Hooks {
  readonly preParsing?: preParsingHookHandler;
}

/** @param authenticate null: whoever comes is let in. */
export function checkCallers(app: FastifyInstance, authenticate: Authenticate | null): CallerCheck {
  if (authenticate === null) return { hooks: {}, hooksUnless: () => ({}), callerOf: () => anyone };
  app.decorateRequest('caller');
  const preParsing = createHook(authenticate);
  return {
    hooks: { preParsing },
    hooksUnless: (isForEverybody) => ({
      preParsing(request, reply, payload, done) {
        if (isForEverybody(request)) done(null, payload);
        else preParsing.call(this, request, reply, payload, done);
      },
    }),
    callerOf: (request) => request.getDecorator<Caller>('caller'),
  };
}

function createHook(authenticate: Authenticate): preParsingHookHandler {
  return (request, reply, payload, done) => {
    function admit(caller: Caller): void {
      request.setDecorator('caller', caller);
      done(null, payload);
    }

    function turnAway(error: FastifyError): void {
      challenge(request, reply, error);
      done(error);
    }

    const caller = authenticate(authorizationOf(request));
    if (caller instanceof Promise) caller.then(admit, turnAway);
    else admit(caller);
  };
}

/** A list if there are several: each proxy on the way may have looked at another one, so none of them is believed. */
function authorizationOf({ raw }: FastifyRequest): string | readonly string[] | undefined {
  const values = headerValues(raw.rawHeaders, 'authorization');
  return values.length > 1 ? values : values[0];
}

/** What to show, and what was wrong with what was shown (RFC 6750, 3). */
function challenge({ headers }: FastifyRequest, reply: FastifyReply, error: Error): void {
  if (!(error instanceof GatewayError) || error.code !== 'UNAUTHENTICATED') return;
  const fault = headers.authorization ? `, error="invalid_token", error_description="${error.message}"` : '';
  reply.header('www-authenticate', `Bearer realm="graphql"${fault}`);
}
