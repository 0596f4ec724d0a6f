import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MessageStatusDocument, SendTextMessageDocument } from './generated/operations.ts';
import { startTestGateway } from './support/gateway.ts';
import { connect, dataOf, execute, payloadOf, subscribe } from './support/graphql-client.ts';
import { describeWithOwnPostgres, startAnyPostgres, startPostgresServer } from './support/postgres-server.ts';
import { responsiveTime } from './support/responsive-time.ts';

describe('three gateways on one PostgreSQL', () => {
  const disposing = new AsyncDisposableStack();
  let storeUrl: string;
  beforeAll(async () => {
    const server = disposing.use(await startAnyPostgres());
    storeUrl = (await server.createDatabase()).url;
  });
  afterAll(() => disposing.disposeAsync());

  const start = () => startTestGateway({ env: { STORE_URL: storeUrl } });

  test('what one sends, another is called back about and a third shows', async () => {
    await using sender = await start();
    await using called = await start();
    await using shower = await start();
    const messageId = await sender.send();
    await using client = connect(shower.url);
    const states = subscribe(client, MessageStatusDocument, { messageId });
    const next = async () => dataOf((await states.next()).value).messageStatus.status;
    expect(await next()).toBe('ACCEPTED');
    for (const [word, status] of [
      ['sent', 'SENT'],
      ['read', 'READ'],
    ] as const) {
      expect((await called.callBack({ message_id: messageId, status: word })).status).toBe(200);
      expect(await next()).toBe(status);
    }
    expect((await states.next()).done).toBe(true);
  });

  test('fifty calls at once with one key make one POST', async () => {
    await using stack = new AsyncDisposableStack();
    const gateways = await Promise.all(Array.from({ length: 3 }, async () => stack.use(await start())));
    const input = { client: 'never-calls-back', textMessage: 'Hello', idempotencyKey: 'k' };
    const calls = Array.from({ length: 50 }, (_, index) =>
      execute(gateways[index % 3]?.url ?? '', SendTextMessageDocument, { input }),
    );
    const sent = (await Promise.all(calls)).map((result) => payloadOf(result));
    expect(new Set(sent.map(({ message }) => message.id)).size).toBe(1);
    expect(sent.filter(({ replayed }) => !replayed)).toHaveLength(1);
    expect(gateways.flatMap(({ sandbox }) => sandbox?.requests ?? [])).toHaveLength(1);
  });
});

describeWithOwnPostgres('a gateway on a PostgreSQL of its own', () => {
  test('readiness shows the risks that were accepted, and is 503 within 2 s while PostgreSQL is frozen', async () => {
    await using server = await startPostgresServer(['fsync=off']);
    const env = { STORE_URL: server.url, STORE_ACCEPT_RISK: 'fsync-off' };
    await using gateway = await startTestGateway({ env });
    const ready = await fetch(`${gateway.url}/readyz`);
    expect(await ready.json()).toMatchObject({
      status: 'ready',
      store: { risks: [expect.stringMatching(/^fsync-off: .*crash of its machine/)] },
    });
    server.freeze();
    const answers = Promise.all([
      fetch(`${gateway.url}/readyz`),
      gateway.callBack({ message_id: 'm', status: 'sent' }),
    ]);
    expect(await responsiveTime(answers)).toBeLessThan(2_000);
    const [notReady, called] = await answers;
    expect([notReady.status, called.status, called.headers.get('retry-after')]).toEqual([503, 503, '5']);
    server.thaw();
    await expect.poll(async () => (await fetch(`${gateway.url}/readyz`)).status).toBe(200);
  });
});
