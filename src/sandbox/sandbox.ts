import { type CallbackLog, createCourier } from './courier.ts';
import { createNarrator } from './narrator.ts';
import { addPingupRoutes, type SandboxRequest } from './pingup-routes.ts';
import { createSandboxServer } from './sandbox-server.ts';
import { isHttpUrl } from './send-request.ts';

/** A Pingup of our own to try things against: its HTTP contract and its callbacks, and nothing reaches a phone. */
export interface Sandbox {
  /** Without the business and without a trailing slash: `http://127.0.0.1:4010/ext/v2`. */
  readonly baseUrl: string;
  /** The last 1,000 `POST /messages` for it that arrived, refused ones too, newest last. */
  readonly requests: readonly SandboxRequest[];
  /**
   * For when the gateway's address is known only after the sandbox's. Callbacks not yet begun go there.
   *
   * @throws Error where it is no http or https URL.
   */
  setCallbackUrl(url: string | null): void;
  /** Ends timers, callbacks and connections at once, those that wait for an answer too. */
  [Symbol.asyncDispose](): Promise<void>;
}

export interface SandboxOptions {
  /** Default: 127.0.0.1. */
  readonly host?: string;
  /** Default: 0, a free one. */
  readonly port?: number;
  readonly business: string;
  readonly apiKey: string;
  /** Where callbacks go unless a message's own `callback_url` says otherwise; null: nowhere. */
  readonly callbackUrl: string | null;
  /** Between two events in the life of a message, in milliseconds. Default: 2,000, which a person can follow. */
  readonly stepMs?: number;
  /** How long an undelivered callback waits for its second try, in milliseconds. Default: 500. */
  readonly callbackRetryMs?: number;
  /** Default: no log. */
  readonly log?: CallbackLog;
}

/** @throws Error where the address cannot be listened on, or `callbackUrl` is no http or https URL. */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const {
    host = '127.0.0.1',
    port = 0,
    business,
    apiKey,
    stepMs = 2_000,
    callbackRetryMs = 500,
    log,
  } = options;
  const requests: SandboxRequest[] = [];
  let callbackUrl = checkedUrl(options.callbackUrl);

  const courier = createCourier({ retryMs: callbackRetryMs, log });
  const narrator = createNarrator({ courier, callbackUrl: () => callbackUrl });
  const app = createSandboxServer();
  addPingupRoutes(app, { business, apiKey, stepMs, narrator, requests });
  const origin = await app.listen({ host, port });

  return {
    baseUrl: `${origin}/ext/v2`,
    requests,
    setCallbackUrl(url) {
      callbackUrl = checkedUrl(url);
    },
    async [Symbol.asyncDispose]() {
      // The connections go first: a send that waits for its callbacks must not be answered because they ended.
      await app.close();
      await Promise.all([narrator[Symbol.asyncDispose](), courier[Symbol.asyncDispose]()]);
    },
  };
}

function checkedUrl(url: string | null): string | null {
  if (url === null || isHttpUrl(url)) return url;
  throw new Error('The sandbox calls back to an http or https URL.');
}
