import { pino } from 'pino';
import { type Config, ConfigError, parseConfig } from './config.ts';
import { type Gateway, startGateway } from './gateway.ts';
import { logOptions } from './log-options.ts';

/** How long a shutdown may take before the process ends itself: orchestrators kill after 10 s. */
const shutdownMs = 9_500;

async function main(): Promise<void> {
  const config = parseConfig(process.env);
  const log = pino(logOptions({ level: config.logLevel, secrets: () => secretsOf(config) }));
  // Node would print the error with all that hangs on it.
  process.once('uncaughtException', (error) => {
    log.fatal({ err: error }, 'the gateway ends by a fault of its own');
    process.exit(1);
  });
  const stopSignal = nextStopSignal();
  const gateway = await startGateway(config, log);
  process.stderr.write(welcome(config, gateway));
  log.info({ url: gateway.url, store: config.store.path, sandbox: gateway.sandbox !== null }, 'listening');

  log.info({ signal: await stopSignal }, 'draining');
  setTimeout(() => process.exit(1), shutdownMs).unref();
  await gateway[Symbol.asyncDispose]();
  log.info('stopped');
}

/**
 * To be called before the start: a process without a listener would, as PID 1, miss the signal. A second one changes
 * nothing.
 */
function nextStopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, resolve);
  });
}

function secretsOf({ pingup, callback }: Config): string[] {
  return pingup.apiKey === null ? [callback.token] : [callback.token, pingup.apiKey];
}

function welcome(config: Config, { url, callbackUrl, sandbox }: Gateway): string {
  const page = `${config.edge.introspection ? 'GraphiQL: ' : 'GraphQL:  '} ${url}/graphql`;
  const lines = sandbox
    ? [
        'No PINGUP_API_KEY is set, so a sandbox stands in for Pingup: nothing reaches a phone.',
        page,
        `callbacks: ${callbackUrl}`,
      ]
    : [
        page,
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
