import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { Signer } from './signer.ts';

/** An issuer's JWKS address. */
export interface KeyServer extends AsyncDisposable {
  readonly url: URL;
  /** How often it was asked. */
  readonly asked: number;
  /** Shows the keys of these from now on. */
  show(...signers: readonly Signer[]): void;
  /** Answers so from now on. */
  answer(how: (response: ServerResponse) => void): void;
}

export async function startKeyServer(...signers: readonly Signer[]): Promise<KeyServer> {
  let asked = 0;
  let answer: (response: ServerResponse) => void = showing(signers);
  const server = createServer((_request, response) => {
    asked += 1;
    answer(response);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    url: new URL(`http://127.0.0.1:${address.port}/jwks`),
    get asked() {
      return asked;
    },
    show: (...others) => {
      answer = showing(others);
    },
    answer: (how) => {
      answer = how;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}

function showing(signers: readonly Signer[]) {
  const keys = JSON.stringify({ keys: signers.map(({ jwk }) => jwk) });
  return (response: ServerResponse) => void response.setHeader('content-type', 'application/json').end(keys);
}

export function fail(response: ServerResponse): void {
  response.writeHead(500).end();
}

export function hang(): void {}
