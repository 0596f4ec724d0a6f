import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { answer, readBody } from '../servers/listen.ts';

/** How a Pingup can be down: nobody listens, or it reads each request and never answers, or it answers 503. */
export const waysToFail = ['refuses', 'silent', 'answers 503'] as const;

export type WayToFail = (typeof waysToFail)[number];

/** A Pingup in this process that goes down and comes back, on one port. It takes every text while it is up. */
export interface FailingPingup extends AsyncDisposable {
  readonly url: string;
  /** How often each text has arrived in full, whatever was answered. */
  readonly arrivals: ReadonlyMap<string, number>;
  fail(way: WayToFail): Promise<void>;
  /** What arrived at a silent one stays without an answer. */
  recover(): Promise<void>;
}

export async function startFailingPingup(): Promise<FailingPingup> {
  const arrivals = new Map<string, number>();
  let taken = 0;
  let reply = accept;
  const server = createServer((request, response) => {
    readBody(request, (body) => {
      const { text_message } = JSON.parse(body);
      arrivals.set(text_message, (arrivals.get(text_message) ?? 0) + 1);
      reply(response);
    });
  });

  function accept(response: ServerResponse): void {
    taken += 1;
    answer(response, JSON.stringify({ success: true, data: { message_id: `id-${taken}` } }));
  }

  async function listen(port: number): Promise<void> {
    await once(server.listen({ host: '127.0.0.1', port, backlog: 1024 }), 'listening');
  }

  async function vanish(): Promise<void> {
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  }

  await listen(0);
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    arrivals,
    async fail(way) {
      if (way === 'refuses') await vanish();
      else reply = way === 'silent' ? () => undefined : (response) => void response.writeHead(503).end();
    },
    async recover() {
      reply = accept;
      if (!server.listening) await listen(port);
    },
    [Symbol.asyncDispose]: vanish,
  };
}
