import { once } from 'node:events';
import type { Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Listens on any free port, and says where: a line of JSON on the standard output, as the gateway's log has it. */
export async function listen(server: Server): Promise<void> {
  server.listen({ host: '127.0.0.1', port: 0, backlog: 1024 });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${port}` })}\n`);
}

/** Calls back with the body of each POST, as text. */
export function readBody(
  request: AsyncIterable<unknown> & NodeJS.ReadableStream,
  done: (body: string) => void,
): void {
  let body = '';
  request.setEncoding('utf8');
  request.on('data', (chunk: string) => {
    body += chunk;
  });
  request.on('end', () => done(body));
}

/** Answers with JSON, its length told, since the load reads nothing else. */
export function answer(response: ServerResponse, body: string): void {
  response.writeHead(200, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
  });
  response.end(body);
}
