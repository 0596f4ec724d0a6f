import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startGatewayProcess } from '../support/gateway-process.ts';
import { openRawSocket } from '../support/raw-socket.ts';

const heapMib = 64;
/** Their comments alone are as large as the heap. */
const documents = 4_000;
/** More of them, beside those over HTTP: both transports keep documents in one place. */
const onOneSocket = 500;
const atOnce = 50;

test('a flood of documents that differ in their comments does not fill a small heap', async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'gateway-'));
  await using gateway = await startGatewayProcess({
    STORE_URL: `sqlite:${join(directory.path, 'gateway.db')}`,
    MESSAGES_PER_SECOND: '1000000',
    NODE_OPTIONS: `--max-old-space-size=${heapMib}`,
  });
  using socket = await openRawSocket(gateway.url);
  const onSocket = async (body: string) => (await socket.run(body)).data;
  const onHttp = async (body: string) => {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(`${gateway.url}/graphql`, { method: 'POST', headers, body });
    return ((await response.json()) as { data?: unknown }).data;
  };

  for (let first = 0; first < documents + onOneSocket; first += atOnce) {
    const ask = first < documents ? onHttp : onSocket;
    const some = Array.from({ length: atOnce }, (_, index) => distinct(first + index));
    const answers = await Promise.all(some.map((query) => ask(JSON.stringify({ query }))));
    expect(answers).toEqual(some.map(() => ({ __typename: 'Query' })));
  }
}, 180_000);

function distinct(index: number): string {
  return `{__typename}#${String(index).padEnd(16_000, 'x')}`;
}
