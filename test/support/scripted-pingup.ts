import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';

export interface ScriptedPingup extends AsyncDisposable {
  /** How many sends have arrived. */
  readonly arrived: number;
  /** For a gateway with an account here. */
  readonly env: Readonly<Record<string, string>>;
}

/** A Pingup that answers its first send by the first step, and so on; the last step goes for all that follow. */
export async function startScriptedPingup(
  ...script: readonly ((response: ServerResponse) => void)[]
): Promise<ScriptedPingup> {
  let arrived = 0;
  const server = createServer((request, response) => {
    const step = script[Math.min(arrived, script.length - 1)];
    arrived += 1;
    request.resume().on('end', () => step?.(response));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    get arrived() {
      return arrived;
    },
    env: {
      PINGUP_API_KEY: 'key',
      PINGUP_BUSINESS_NAME: 'acme',
      PINGUP_BASE_URL: `http://127.0.0.1:${address.port}`,
      CALLBACK_TOKEN: 'a-token-of-24-characters',
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** Gives every message the same id. */
export function accept(response: ServerResponse): void {
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ success: true, data: { message_id: 'scripted' } }));
}

/** Refuses for now, without a pause. */
export function rateLimit(response: ServerResponse): void {
  response.writeHead(429, { 'retry-after': '0' }).end();
}
