import { EventEmitter, once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';

/** A Pingup that takes every text, and emits `text` with the message id and the text as soon as it has it. */
export interface FakePingup extends EventEmitter<{ text: [id: string, text: string] }>, AsyncDisposable {
  readonly url: string;
}

/** How long it takes at most to answer, in ms: faults are to find sends on their way. */
const thinkingMs = 30;

export async function startFakePingup(): Promise<FakePingup> {
  const events = new EventEmitter<{ text: [id: string, text: string] }>();
  const firstId = Date.now() * 1000;
  let taken = 0;

  async function take(request: IncomingMessage): Promise<string> {
    const { text_message } = (await json(request)) as { text_message: string };
    taken += 1;
    const message_id = String(firstId + taken);
    events.emit('text', message_id, text_message);
    await delay(Math.random() * thinkingMs);
    return JSON.stringify({ success: true, data: { message_id } });
  }

  const server = createServer((request, response) => {
    response.on('error', () => undefined);
    take(request).then(
      (body) => response.setHeader('content-type', 'application/json').end(body),
      () => response.destroy(),
    );
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;

  return Object.assign(events, {
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  });
}
