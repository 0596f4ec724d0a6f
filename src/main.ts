import { pino } from 'pino';
import { type Config, ConfigError, parseConfig } from './config.ts';
import { type Gateway, startGateway } from './gateway.ts';

/** How long a shutdown may take before the process ends itself: orchestrators kill after 10 s. */
const shutdownMs = 9_500;

/** The bytes of a broken request, which can hold the callback token. */
const unloggable = ['err.rawPacket'];

async function main(): Promise<void> {
  const config = parseConfig(process.env);
  const log = pino({ level: config.logLevel, redact: { paths: unloggable, remove: true } });
  const gateway = await startGateway(config, log);
  process.stderr.write(welcome(config, gateway));
  log.info({ url: gateway.url, store: config.store.path, sandbox: gateway.sandbox !== null }, 'listening');

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      log.info({ signal }, 'draining');
      setTimeout(() => process.exit(1), shutdownMs).unref();
      gateway[Symbol.asyncDispose]().then(() => log.info('stopped'), fail);
    });
  }
}

function welcome(config: Config, { url, callbackUrl, sandbox }: Gateway): string {
  const lines = sandbox
    ? [
        'No PINGUP_API_KEY is set, so a sandbox stands in for Pingup: nothing reaches a phone.',
        `GraphiQL:  ${url}/graphql`,
        `callbacks: ${callbackUrl}`,
      ]
    : [
        `GraphiQL:  ${url}/graphql`,
        `callbacks: ${callbackUrl.replace(config.callback.token, '<CALLBACK_TOKEN>')}`,
        config.publicUrl ? 'Register that with Pingup.' : 'Set PUBLIC_URL to where Pingup can reach that.',
      ];
  return `\n${lines.map((line) => `  ${line}\n`).join('')}\n`;
}

/** Ends the process with the reason, in a sentence where the operator can mend it. */
function fail(error: unknown): void {
  const reason = error instanceof ConfigError ? error.message : describe(error);
  process.stderr.write(`${reason}\n`);
  process.exitCode = 1;
}

function describe(error: unknown): string {
  return error instanceof Error ? `The gateway cannot run: ${error.message}` : String(error);
}

await main().catch(fail);
