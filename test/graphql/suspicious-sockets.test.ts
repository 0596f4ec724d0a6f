import { pino } from 'pino';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { startTestGateway } from '../support/gateway.ts';

/** Asks for a socket so many times, and returns what the gateway logged as a warning meanwhile. */
async function warningsOf(protocols: string[], headers: Record<string, string> = {}): Promise<object[]> {
  const logged: object[] = [];
  const log = pino({ level: 'warn' }, { write: (line: string) => void logged.push(JSON.parse(line)) });
  await using gateway = await startTestGateway({ log });
  for (let count = 0; count < 5; count += 1) {
    const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}/graphql`, protocols, { headers });
    socket.on('error', () => undefined);
    await new Promise((resolve) => socket.on('open', resolve).on('close', resolve));
    socket.terminate();
  }
  return logged;
}

test('a page of another site that asks for sockets is logged once a minute, and the line names ALLOWED_ORIGINS', async () => {
  const origin = `https://evil.example/${'x'.repeat(1_000)}`;
  const [line, ...others] = await warningsOf(['graphql-transport-ws'], { origin });
  expect(line).toMatchObject({
    origin: `${origin.slice(0, 255)}…`,
    msg: expect.stringContaining('ALLOWED_ORIGINS'),
  });
  expect(others).toEqual([]);
});

test('a client that offers only the old subprotocol is logged once a minute, and the line says what to use', async () => {
  const [line, ...others] = await warningsOf(['graphql-ws'], { 'user-agent': 'an old app' });
  expect(line).toMatchObject({
    userAgent: 'an old app',
    msg: expect.stringContaining('graphql-transport-ws'),
  });
  expect(others).toEqual([]);
});

test('a client that offers both is nothing to be logged', async () => {
  expect(await warningsOf(['graphql-ws', 'graphql-transport-ws'])).toEqual([]);
});
