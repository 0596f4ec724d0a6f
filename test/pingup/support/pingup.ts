import { GatewayError } from '../../../src/errors.ts';
import type { OutgoingText } from '../../../src/outgoing-text.ts';
import {
  createPingupClient,
  type PingupClient,
  type PingupClientOptions,
} from '../../../src/pingup/client.ts';
import type { SendContext } from '../../../src/pingup/port.ts';
import type { Answer } from './peers.ts';

export const text: OutgoingText = {
  client: 'client-1',
  clientPhone: '393121234567',
  clientName: 'Jon Doe',
  textMessage: 'Hello',
  delay: '2d',
};
export const accepted = acceptedAs('id-1');
export const apiKey = 'a-secret-key';
export const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

export interface TestPingup extends PingupClient {
  sendText(text: OutgoingText, context?: SendContext): Promise<string>;
}

export interface TestPingupOptions extends Partial<Omit<PingupClientOptions, 'log'>> {
  /** What is to be heard of the log. */
  readonly log?: Partial<PingupClientOptions['log']>;
}

/** The client, with the gateway's own defaults. */
export function connect(baseUrl: string, { log, ...options }: TestPingupOptions = {}): TestPingup {
  const deaf = () => undefined;
  const pingup = createPingupClient({
    baseUrl,
    business: 'acme',
    apiKey,
    timeoutMs: 10_000,
    callbackUrl: null,
    concurrency: 64,
    maxWaiting: 256,
    sendsPerSecond: null,
    log: { debug: deaf, info: deaf, warn: deaf, error: deaf, ...log },
    ...options,
  });
  return {
    ...pingup,
    sendText: (text, context = { business: 'acme', traceparent }) => pingup.sendText(text, context),
  };
}

/** What Pingup answers when it takes a message. */
export function acceptedAs(message_id: string): string {
  return JSON.stringify({ success: true, data: { message_id } });
}

/** The error that a send ends with. */
export async function failureOf(send: Promise<string>): Promise<GatewayError> {
  const error = await send.then(
    (id) => `sent as ${id}`,
    (error: unknown) => error,
  );
  if (error instanceof GatewayError) return error;
  throw new Error(`expected a GatewayError, not ${String(error)}`);
}

export function answerWith(status: number, body: string, headers: Record<string, string> = {}): Answer {
  return (_request, response) => response.writeHead(status, headers).end(body);
}
