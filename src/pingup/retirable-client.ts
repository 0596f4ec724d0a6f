import { createPingupClient, type PingupClient, type PingupClientOptions } from './client.ts';

/** A client whose last sends may end when another has taken its place. */
export interface RetirableClient extends PingupClient {
  /** Closes it as soon as none of its sends is under way; resolves then. Nothing is to be sent with it any more. */
  retire(): Promise<void>;
}

export function createRetirableClient(options: PingupClientOptions): RetirableClient {
  const client = createPingupClient(options);
  const idle = Promise.withResolvers<void>();
  let running = 0;
  let retired = false;

  function told(): void {
    if (retired && running === 0) idle.resolve();
  }

  async function sendText(...send: Parameters<PingupClient['sendText']>): Promise<string> {
    running += 1;
    try {
      return await client.sendText(...send);
    } finally {
      running -= 1;
      told();
    }
  }

  async function retire(): Promise<void> {
    retired = true;
    told();
    await idle.promise;
    await client[Symbol.asyncDispose]();
  }

  return { ...client, sendText, retire };
}
