import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { createGuardedServer, type GuardedServerOptions } from '../../src/http/guarded-server.ts';

export interface GuardedServer extends AsyncDisposable {
  readonly url: string;
  /** What it has logged so far. */
  readonly lines: readonly { readonly msg: string }[];
}

/** The HTTP server without a gateway behind it, on any free port. */
export async function serve(
  handle: RequestListener,
  options: Partial<GuardedServerOptions> = {},
): Promise<GuardedServer> {
  const lines: { readonly msg: string }[] = [];
  const log = pino({}, { write: (line) => lines.push(JSON.parse(line)) });
  const server = createGuardedServer(handle, { limits: null, log, ...options });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    lines,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
