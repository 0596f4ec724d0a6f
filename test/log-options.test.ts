import { type Logger, pino } from 'pino';
import { expect, test } from 'vitest';
import { logOptions } from '../src/log-options.ts';

const secret = 'a-callback-token-of-some-length';

function startLog(secrets: readonly string[] | (() => readonly string[]) = [secret]): {
  log: Logger;
  lines: string[];
} {
  const lines: string[] = [];
  const asked = typeof secrets === 'function' ? secrets : () => secrets;
  const log = pino(logOptions({ level: 'trace', secrets: asked }), {
    write: (line) => lines.push(line),
  });
  return { log, lines };
}

function logged({ lines }: { lines: string[] }): Record<string, unknown> {
  return JSON.parse(lines.at(-1) ?? '{}');
}

test('an error is its type, code, message, stack and causes, and nothing else that hangs on it', () => {
  const sink = startLog();
  const cause = Object.assign(new Error('reset'), { code: 'ECONNRESET', rawPacket: 'secret bytes' });
  const error = Object.assign(new Error('no answer', { cause }), { request: { text: 'secret words' } });
  sink.log.error({ err: error }, 'it failed');
  expect(logged(sink)).toMatchObject({
    msg: 'it failed',
    err: {
      type: 'Error',
      message: 'no answer',
      stack: expect.stringMatching(/^at /),
      cause: { code: 'ECONNRESET', message: 'reset' },
    },
  });
  expect(sink.lines.join('')).not.toContain('secret');
});

test('the message of an error that quotes what it could not read is not shown, nor in its stack', () => {
  const sink = startLog();
  try {
    JSON.parse('Hello Anna');
  } catch (error) {
    expect(String(error)).toContain('Hello Anna');
    sink.log.warn({ err: new Error('unreadable', { cause: error }) }, 'it failed');
  }
  expect(logged(sink)).toMatchObject({ err: { message: 'unreadable', cause: { type: 'SyntaxError' } } });
  expect(sink.lines.join('')).not.toMatch(/Hello|Anna/);
});

test('errors that are each other’s cause end, and what is no error is not shown', () => {
  const sink = startLog();
  const error = new Error('round');
  error.cause = error;
  sink.log.error({ err: error }, 'it failed');
  sink.log.error({ err: 'some words' }, 'it failed');
  expect(sink.lines).toHaveLength(2);
  expect(sink.lines.join('')).not.toContain('some words');
});

test.each(['textMessage', 'clientPhone', 'clientName', 'token', 'apiKey', 'authorization', 'raw'])(
  'a field named %s is left out, at the top and one level down',
  (name) => {
    const sink = startLog();
    sink.log.info({ [name]: 'private', input: { [name]: 'private', kept: 1 } }, 'a line');
    expect(logged(sink)).toMatchObject({ msg: 'a line', input: { kept: 1 } });
    expect(sink.lines.join('')).not.toContain('private');
  },
);

test('a secret is struck out wherever it stands, in children of the log too', () => {
  const odd = 'a"key\\with/odd signs';
  const sink = startLog([secret, odd]);
  const child = sink.log.child({ where: `/callbacks/${secret}` });
  child.info({ url: `/x?${encodeURIComponent(odd)}`, list: [odd] }, `got ${secret}`);
  expect(logged(sink)).toMatchObject({
    where: '/callbacks/[secret]',
    url: '/x?[secret]',
    list: ['[secret]'],
    msg: 'got [secret]',
  });
});

test('a secret that begins with another is struck out whole', () => {
  const sink = startLog(['a-token-of-some-length', 'a-token-of-some-length-2']);
  sink.log.info('got a-token-of-some-length-2 and a-token-of-some-length');
  expect(logged(sink)).toMatchObject({ msg: 'got [secret] and [secret]' });
});

test('a secret of later is struck out from then on', () => {
  const secrets: { list: readonly string[] } = { list: [] };
  const sink = startLog(() => secrets.list);
  sink.log.info('a-token-of-later');
  secrets.list = ['a-token-of-later'];
  sink.log.info('a-token-of-later');
  expect(sink.lines.map((line) => JSON.parse(line).msg)).toEqual(['a-token-of-later', '[secret]']);
});

test('a short secret, and none, leave lines whole', () => {
  const sink = startLog(['msg', '']);
  sink.log.info('a line');
  expect(logged(sink)).toMatchObject({ msg: 'a line' });
});
