import { randomUUID } from 'node:crypto';
import { type Answer, type ReceivedRequest, startHttpPeer } from './peers.ts';
import { acceptedAs, answerWith } from './pingup.ts';

/** A Pingup that can be gone and come back, on the same port. */
export interface Outage extends AsyncDisposable {
  readonly url: string;
  /** Every request that arrived in full, whatever was answered. */
  requests(): readonly ReceivedRequest[];
  begin(): Promise<void>;
  end(): Promise<void>;
}

/** The ways to be down. */
export const outages: readonly (readonly [name: string, start: () => Promise<Outage>])[] = [
  ['Pingup answers 503', () => startAnswering(answerWith(503, ''))],
  ['Pingup is silent', () => startAnswering(() => undefined)],
  ['nobody listens', startVanishing],
];

const up: Answer = (_request, response) => response.end(acceptedAs(randomUUID()));

async function startAnswering(whileDown: Answer): Promise<Outage> {
  let answer = up;
  const peer = await startHttpPeer((...exchange) => answer(...exchange));
  return {
    url: peer.url,
    requests: () => peer.requests,
    async begin() {
      answer = whileDown;
    },
    async end() {
      answer = up;
    },
    [Symbol.asyncDispose]: () => peer[Symbol.asyncDispose](),
  };
}

async function startVanishing(): Promise<Outage> {
  let peer = await startHttpPeer(up);
  const earlier: ReceivedRequest[] = [];
  const { port, url } = peer;
  return {
    url,
    requests: () => [...earlier, ...peer.requests],
    async begin() {
      await peer[Symbol.asyncDispose]();
    },
    async end() {
      earlier.push(...peer.requests);
      peer = await startHttpPeer(up, port);
    },
    async [Symbol.asyncDispose]() {
      await peer[Symbol.asyncDispose]();
    },
  };
}
