import type { ServerResponse } from 'node:http';
import { expect, test } from 'vitest';
import { buildGatewaySchema } from '../../src/graphql/schema.ts';
import { startTestGateway } from '../support/gateway.ts';
import { startScriptedPingup } from '../support/scripted-pingup.ts';
import { transports } from './both-transports.ts';

const send = (client: string, text = 'Hello') =>
  `sendTextMessage(input: { client: "${client}", textMessage: "${text}" }) { message { client } }`;

function acceptAs(message_id: string): (response: ServerResponse) => void {
  return (response) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ success: true, data: { message_id } }));
  };
}

/** Refuses the message itself, for good. */
function reject(response: ServerResponse): void {
  response.writeHead(422).end();
}

test.each(transports)(
  'of several sends in a document, one that is refused hides neither those before nor those after it on %s',
  async (_name, run) => {
    await using pingup = await startScriptedPingup(acceptAs('1'), reject, acceptAs('3'));
    await using gateway = await startTestGateway({ env: { ...pingup.env } });
    const { data, errors } = await run(
      gateway,
      `mutation { first: ${send('anna')} second: ${send('bert')} third: ${send('carl')} }`,
    );
    expect(data).toEqual({
      first: { message: { client: 'anna' } },
      second: null,
      third: { message: { client: 'carl' } },
    });
    expect(errors).toMatchObject([{ path: ['second'], extensions: { code: 'PINGUP_REJECTED' } }]);
    expect(pingup.arrived).toBe(3);
  },
);

test('of several mutations, each that fails has an error of its own', async () => {
  await using gateway = await startTestGateway();
  const [, overHttp] = transports[0] ?? [];
  const result = await overHttp?.(
    gateway,
    `mutation { a: ${send('anna', '')} b: replayCallback(id: "none") { accepted }
       c: forgetClient(input: {}) { messages } d: ${send('never-calls-back')} }`,
  );
  expect(result?.data).toEqual({ a: null, b: null, c: null, d: { message: { client: 'never-calls-back' } } });
  expect(result?.errors?.map(({ path, extensions }) => [path?.[0], extensions?.['code']])).toEqual([
    ['a', 'BAD_USER_INPUT'],
    ['b', 'NOT_FOUND'],
    ['c', 'BAD_USER_INPUT'],
  ]);
});

test('every mutation may fail alone: its field is nullable', async () => {
  const fields = Object.values((await buildGatewaySchema()).getMutationType()?.getFields() ?? {});
  expect(fields.map(({ name }) => name)).toContain('sendTextMessage');
  expect(fields.filter(({ type }) => String(type).endsWith('!')).map(({ name }) => name)).toEqual([]);
});
