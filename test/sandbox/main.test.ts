import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { parseConfig } from '../../src/config.ts';
import { parseSandboxConfig } from '../../src/sandbox/sandbox-config.ts';

const mainPath = fileURLToPath(new URL('../../src/sandbox/main.ts', import.meta.url));

function run(environment: Record<string, string>): ChildProcessWithoutNullStreams {
  return spawn(process.execPath, [mainPath], { env: { SANDBOX_PORT: '0', ...environment } });
}

/** What the process prints up to the blank line after the variables, as those variables. */
async function variables(child: ChildProcessWithoutNullStreams): Promise<Record<string, string>> {
  const [printed] = await once(child.stdout.setEncoding('utf8'), 'data');
  return Object.fromEntries(
    [...String(printed).matchAll(/^([A-Z_]+)=(.*)$/gm)].map(([, name, value]) => [name, value]),
  );
}

test.each(['SIGTERM', 'SIGINT'] as const)('alone, it serves what it prints until %s', async (signal) => {
  using child = run({ SANDBOX_BUSINESS: 'shop', SANDBOX_API_KEY: 'a-key' });
  const gateway = await variables(child);
  const me = await fetch(`${gateway['PINGUP_BASE_URL']}/${gateway['PINGUP_BUSINESS_NAME']}/me`, {
    headers: { authorization: `Bearer ${gateway['PINGUP_API_KEY']}` },
  });
  expect(me.status).toBe(200);
  child.kill(signal);
  expect(await once(child, 'exit')).toEqual([0, null]);
});

test.each([{}, { SANDBOX_BUSINESS: 'acme' }])(
  'with %j it prints a configuration that the gateway takes, and calls back to that gateway',
  async (environment) => {
    using child = run(environment);
    const printed = await variables(child);
    const { single } = parseConfig(printed).accounts;
    const { callbackUrl } = parseSandboxConfig(environment);
    expect(callbackUrl).toBe(
      `http://127.0.0.1:4000/callbacks/pingup/${single?.business}/${single?.callback.tokens[0]}`,
    );
  },
);

test('every bad value is named in one message, and it does not start', async () => {
  using child = run({ SANDBOX_PORT: '70000', SANDBOX_STEP_MS: 'soon', SANDBOX_SPEED: '9' });
  const [complaint, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
  expect(code).toBe(1);
  expect(complaint.match(/SANDBOX_\w+ (must be|is not known)/g)).toEqual([
    'SANDBOX_PORT must be',
    'SANDBOX_STEP_MS must be',
    'SANDBOX_SPEED is not known',
  ]);
  expect(complaint).not.toContain('    at ');
});

test('a port that is taken is said in one line', async () => {
  using first = run({});
  const { PINGUP_BASE_URL = '' } = await variables(first);
  using second = run({ SANDBOX_PORT: new URL(PINGUP_BASE_URL).port });
  const [complaint, [code]] = await Promise.all([text(second.stderr), once(second, 'exit')]);
  expect([complaint.trim().split('\n').length, code]).toEqual([1, 1]);
  expect(complaint).toContain('EADDRINUSE');
});
