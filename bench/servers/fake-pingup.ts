import { createServer } from 'node:http';
import { answer, listen, readBody } from './listen.ts';

/**
 * A Pingup that answers at once. It checks each request, and `GET /taken` says how many it took. A request that Pingup
 * would not take ends the process, and the benchmark with it.
 */
let taken = 0;

const server = createServer((request, response) => {
  readBody(request, (body) => {
    const { method, headers, url } = request;
    answer(response, JSON.stringify(method === 'GET' ? { taken } : take(body, headers.authorization, url)));
  });
});

function take(body: string, authorization: string | undefined, path: string | undefined) {
  const { message_type, client, text_message, ...rest } = JSON.parse(body);
  const right =
    path === '/bench/messages' &&
    authorization === 'Bearer bench-key' &&
    message_type === 'text' &&
    /^client-[0-9]+$/.test(client) &&
    text_message === `Hello, ${client}. Your table is ready.` &&
    Object.keys(rest).length === 0;
  if (!right) throw new Error(`Pingup would not take this: ${path} ${body}`);
  taken += 1;
  return { success: true, data: { message_id: String(1_000_000_000_000 + taken) } };
}

await listen(server);
