import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Logger, pino } from 'pino';
import { openAccountBook } from '../../src/account-book.ts';
import { parseConfig } from '../../src/config.ts';
import { type Gateway, startGateway } from '../../src/gateway.ts';
import type { SendTextMessageInput } from '../generated/operations.ts';
import { SendTextMessageDocument } from '../generated/operations.ts';
import { execute, payloadOf } from './graphql-client.ts';

export interface TestGateway extends Gateway {
  /** Sends a text and resolves to its message id. */
  send(input?: Partial<SendTextMessageInput>): Promise<string>;
  /** Where Pingup is to call back for the only business, or the first one, with its token. */
  readonly callbackUrl: string;
  /** Posts a callback there, as Pingup would. */
  callBack(body: unknown): Promise<Response>;
}

export interface TestGatewayOptions {
  /** Between two callbacks of the sandbox, in ms. */
  readonly sandboxStepMs?: number;
  /** Environment variables besides. */
  readonly env?: Readonly<Record<string, string>>;
  readonly log?: Logger;
}

/** A gateway in this process with a sandbox Pingup, a store of its own, and any free port. */
export async function startTestGateway(options: TestGatewayOptions = {}): Promise<TestGateway> {
  const { sandboxStepMs = 0, env = {}, log = pino({ level: 'silent' }) } = options;
  const directory = await mkdtemp(join(tmpdir(), 'gateway-'));
  const config = parseConfig({
    PORT: '0',
    STORE_URL: `sqlite:${join(directory, 'gateway.db')}`,
    SANDBOX_STEP_MS: String(sandboxStepMs),
    ...env,
  });
  const accounts = await openAccountBook(config.accounts);
  const gateway = await startGateway(config, accounts, log);
  const [business = ''] = accounts.businesses();
  const callbackUrl = `${gateway.callbackBase}/${business}/${accounts.find(business)?.callback.tokens[0]}`;
  return {
    ...gateway,
    callbackUrl,
    async send(input) {
      const text = { client: 'never-calls-back', textMessage: 'Hello', ...input };
      const result = await execute(gateway.url, SendTextMessageDocument, { input: text });
      return payloadOf(result).message.id;
    },
    callBack: (body) =>
      fetch(callbackUrl, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]();
      await rm(directory, { recursive: true });
    },
  };
}
