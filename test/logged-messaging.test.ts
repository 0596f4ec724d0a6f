import { PassThrough } from 'node:stream';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { startTestGateway } from './support/gateway.ts';

/** What a gateway has logged of sends that failed, as [level, code, message]. */
function capture() {
  const stream = new PassThrough();
  const lines: string[] = [];
  stream.setEncoding('utf8').on('data', (line) => lines.push(line));
  const told = () =>
    lines
      .map((line) => JSON.parse(line))
      .filter((entry) => /send|Pingup takes/.test(entry.msg))
      .map((entry) => [entry.level, entry.code, entry.msg]);
  return { log: pino({ level: 'info' }, stream), told };
}

const warn = 40;

test('a refused message and one of unknown outcome are each a warning, and bad input is none', async () => {
  const { log, told } = capture();
  await using gateway = await startTestGateway({ log });
  for (const input of [{ client: 'conversation-closed' }, { client: 'answers-500' }, { textMessage: '' }])
    await expect(gateway.send(input)).rejects.toThrow();
  expect(told()).toEqual([
    [warn, 'PINGUP_REJECTED', expect.stringContaining('a send failed')],
    [warn, 'SEND_OUTCOME_UNKNOWN', expect.stringContaining('a send failed')],
  ]);
});

test('a replay, which asks nothing of Pingup, does not say that Pingup is back', async () => {
  const { log, told } = capture();
  await using gateway = await startTestGateway({ log });
  const idempotencyKey = 'k';
  await gateway.send({ idempotencyKey });
  await expect(gateway.send({ client: 'answers-429' })).rejects.toThrow('PINGUP_RATE_LIMITED');
  await gateway.send({ idempotencyKey });
  expect(told()).toEqual([[warn, 'PINGUP_RATE_LIMITED', expect.stringContaining('sends fail')]]);
});

test('of a row of sends that Pingup does not take, the first and the end are told', async () => {
  const { log, told } = capture();
  const env = { PINGUP_TIMEOUT_MS: '300', PINGUP_API_KEY: 'key', PINGUP_BUSINESS_NAME: 'acme' };
  const nobody = { PINGUP_BASE_URL: 'http://127.0.0.1:9', CALLBACK_TOKEN: 'a-token-of-24-characters' };
  await using gateway = await startTestGateway({ log, env: { ...env, ...nobody } });
  for (let count = 0; count < 3; count += 1)
    await expect(gateway.send()).rejects.toThrow('PINGUP_UNAVAILABLE');
  expect(told()).toEqual([[warn, 'PINGUP_UNAVAILABLE', expect.stringContaining('sends fail')]]);
});
