import { once } from 'node:events';
import process from 'node:process';
import { pino } from 'pino';
import { startSandbox } from './sandbox.ts';
import { parseSandboxConfig, type SandboxConfig } from './sandbox-config.ts';

/** The sandbox as a process of its own (`npm run sandbox`), until SIGTERM or SIGINT. */
async function main(): Promise<void> {
  const config = parseSandboxConfig(process.env);
  const log = pino({ level: 'debug' }, process.stderr);
  await using sandbox = await startSandbox({ ...config, log });
  process.stdout.write(greeting(sandbox.baseUrl, config));
  await Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')]);
}

function greeting(baseUrl: string, { business, apiKey, callbackUrl }: SandboxConfig): string {
  return `The sandbox is ready. Start the gateway with

PINGUP_BASE_URL=${baseUrl}
PINGUP_BUSINESS_NAME=${business}
PINGUP_API_KEY=${apiKey}
CALLBACK_TOKEN=${new URL(callbackUrl).pathname.split('/').at(-1)}

Callbacks go to ${callbackUrl}, unless a message says otherwise.
`;
}

if (import.meta.main)
  main().catch((error: Error) => {
    process.stderr.write(`The sandbox cannot start: ${error.message}\n`);
    process.exitCode = 1;
  });
