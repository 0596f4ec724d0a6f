import { dirname, resolve } from 'node:path';
import { pino } from 'pino';
import type { Accounts } from './account.ts';
import { openAccountBook } from './account-book.ts';
import { authSecrets } from './auth-config.ts';
import { type Config, parseConfig } from './config.ts';
import { ConfigError } from './config-error.ts';
import { type Gateway, startGateway } from './gateway.ts';
import { logOptions } from './log-options.ts';
import { nameOfBackend, storeSecrets } from './store-variables.ts';

/** How long a shutdown may take before the process ends itself: orchestrators kill after 10 s. */
const shutdownMs = 9_500;

/** What signals have told the process since its first moment. */
export interface ProcessSignals {
  /** The first SIGTERM or SIGINT. Further ones change nothing. */
  readonly stop: Promise<NodeJS.Signals>;
  /** Calls `listener` at each SIGHUP, and once now if there was any before. */
  onHangup(listener: () => void): void;
}

/** Runs the gateway in this process until it is told to stop, or cannot start: then it says why, and exits with 1. */
export function runGateway(signals: ProcessSignals): Promise<void> {
  return run(signals).catch(fail);
}

async function run(signals: ProcessSignals): Promise<void> {
  // A start that hangs is ended so, too.
  void signals.stop.then(() => setTimeout(() => process.exit(1), shutdownMs).unref());
  const config = parseConfig(process.env);
  const accounts = await openAccountBook(config.accounts);
  const headers = Object.values(config.tracing?.headers ?? {});
  const others = [...authSecrets(config.auth), ...storeSecrets(config.store.backend), ...headers];
  const secrets = withOthers(accounts.secrets, others);
  const log = pino(logOptions({ level: config.logLevel, secrets }));
  // Node would print the error with all that hangs on it.
  process.once('uncaughtException', (error) => {
    log.fatal({ err: error }, 'the gateway ends by a fault of its own');
    process.exit(1);
  });
  const { backend } = config.store;
  // A VACUUM copies all that is kept to a file without a name, which belongs on the same disk.
  if (backend.kind === 'sqlite') process.env['SQLITE_TMPDIR'] ??= dirname(resolve(backend.path));
  const gateway = await startGateway(config, accounts, log);
  process.stderr.write(welcome(config, accounts, gateway));
  log.info(
    { url: gateway.url, store: nameOfBackend(backend), sandbox: gateway.sandbox !== null },
    'listening',
  );
  signals.onHangup(() => void gateway.reload());

  log.info({ signal: await signals.stop }, 'draining');
  await gateway[Symbol.asyncDispose]();
  log.info('stopped');
  // What is not exported by now is given up; its next try would keep the process.
  process.exit(0);
}

/** Some more secrets. It is the same list each time while the first is, since the log prepares each list once. */
function withOthers(secrets: () => readonly string[], others: readonly string[]): () => readonly string[] {
  let known: readonly string[] | undefined;
  let all: readonly string[] = [];
  return () => {
    if (secrets() !== known) {
      known = secrets();
      all = [...known, ...others];
    }
    return all;
  };
}

function welcome(config: Config, accounts: Accounts, { url, callbackBase, sandbox }: Gateway): string {
  const page = `${config.edge.introspection ? 'GraphiQL: ' : 'GraphQL:  '} ${url}/graphql`;
  const { single } = config.accounts;
  const lines = sandbox
    ? [
        'No PINGUP_API_KEY is set, so a sandbox stands in for Pingup: nothing reaches a phone.',
        page,
        `callbacks: ${callbackBase}/${single?.business}/${single?.callback.tokens[0]}`,
      ]
    : [
        page,
        `callbacks: ${callbackBase}/<business>/<token>, for ${listed(accounts.businesses())}`,
        config.publicUrl ? 'Register that with Pingup.' : 'Set PUBLIC_URL to where Pingup can reach that.',
      ];
  return `\n${lines.map((line) => `  ${line}\n`).join('')}\n`;
}

const maxListed = 10;

function listed(businesses: readonly string[]): string {
  const more = businesses.length - maxListed;
  return [...businesses.slice(0, maxListed), ...(more > 0 ? [`${more} more`] : [])].join(', ');
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
