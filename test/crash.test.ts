import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { MessageDocument, SendTextMessageDocument } from './generated/operations.ts';
import { startGatewayProcess } from './support/gateway-process.ts';
import { dataOf, execute, payloadOf } from './support/graphql-client.ts';

const token = 'a-token-of-24-characters';

/** What the gateway has promised so far: ids that a mutation returned, and ids whose callback was answered 200. */
interface Promises {
  readonly sent: string[];
  readonly called: string[];
}

async function keepSending(url: string, promised: Promises): Promise<void> {
  const input = { client: 'never-calls-back', textMessage: 'Hello' };
  for (;;) {
    const result = await execute(url, SendTextMessageDocument, { input });
    promised.sent.push(payloadOf(result).message.id);
  }
}

async function keepCalling(url: string, prefix: string, promised: Promises): Promise<void> {
  for (let count = 0; ; count += 1) {
    const message_id = `${prefix}-${count}`;
    const response = await fetch(`${url}/callbacks/pingup/sandbox/${token}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ message_id, status: 'sent' }),
    });
    if (response.status === 200) promised.called.push(message_id);
  }
}

test('kill -9 at 20 random moments under load: every id returned and every callback answered 200 is there afterwards', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'gateway-'));
  const env = {
    STORE_URL: `sqlite:${join(directory, 'gateway.db')}`,
    CALLBACK_TOKEN: token,
    LOG_LEVEL: 'info',
  };
  const promised: Promises = { sent: [], called: [] };

  for (let round = 0; round < 20; round += 1) {
    await using gateway = await startGatewayProcess(env);
    const enough = promised.sent.length + promised.called.length + 1 + Math.floor(Math.random() * 300);
    const load = Array.from({ length: 8 }, (_, lane) =>
      lane % 2 === 0
        ? keepSending(gateway.url, promised)
        : keepCalling(gateway.url, `callback-${round}-${lane}`, promised),
    );
    const stopped = Promise.allSettled(load);
    await expect
      .poll(() => promised.sent.length + promised.called.length, { interval: 1 })
      .toBeGreaterThanOrEqual(enough);
    expect(await gateway.end('SIGKILL')).toEqual([null, 'SIGKILL']);
    await stopped;
  }

  await using gateway = await startGatewayProcess(env);
  for (const [ids, status] of [
    [promised.sent, 'ACCEPTED'],
    [promised.called, 'SENT'],
  ] as const) {
    expect(ids.length).toBeGreaterThan(20);
    for (const id of ids) {
      const { message } = dataOf(await execute(gateway.url, MessageDocument, { id }));
      expect(message?.status).toBe(status);
    }
  }
  await gateway.end('SIGTERM');
  await rm(directory, { recursive: true });
});
