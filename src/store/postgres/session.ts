import { Socket } from 'node:net';
import { Client, type ClientConfig } from 'pg';
import type { PostgresHost, PostgresTarget } from '../../postgres-url.ts';
import { openInMode, readPassword, readTls } from './access.ts';
import { endsSession, withoutRows } from './error.ts';
import { createExchange } from './exchange.ts';
import { type Hello, helloText, parseHello } from './hello.ts';
import type { Result, Statement } from './statement.ts';
import type { Timeouts } from './timeouts.ts';

/** One session, from its greeting until it is lost: it never comes back by itself. */
export interface Session {
  readonly host: PostgresHost;
  readonly hello: Hello;
  /** Behind a pooler a session has no process of its own. */
  readonly isPooled: boolean;
  readonly isOpen: boolean;
  readonly isBusy: boolean;
  /**
   * All or nothing, in one round trip, in the transaction that `opening` begins. One call at a time. A session that does not answer in time is destroyed; what it
   * was asked for may have been done.
   *
   * @throws PostgresError if the server refused it, and another Error where nobody knows whether it did it.
   */
  transact(statements: readonly Statement[], opening: readonly Statement[]): Promise<readonly Result[]>;
  /** One statement, with no transaction around it. */
  ask(statement: Statement): Promise<Result>;
  /** Runs a text of many statements, such as a file, within the transaction that one of them began, if any. */
  script(text: string, withinMs?: number): Promise<void>;
  /** Resolves, with the reason, once it is lost. */
  readonly lost: Promise<Error>;
  destroy(reason?: Error): void;
}

export interface SessionOptions {
  readonly target: PostgresTarget;
  readonly host: PostgresHost;
  readonly passwordFile: string | null;
  readonly applicationName: string;
  /** Behind a pooler; without one they are used anyway. */
  readonly namedStatements: boolean;
  readonly timeouts: Timeouts;
  readonly onNotification?: ((channel: string, payload: string) => void) | undefined;
}

/** How long a connection with its greeting may take, and how long a call. */
const connectMs = 1_000;
const answerMs = 1_800;
/** How long a plan is kept: one that was made while a table was small may read all of it, also when it has grown. */
const planMs = 1_000;

/** @throws Error if it cannot be made within a second. */
export async function openSession(options: SessionOptions): Promise<Session> {
  return openInMode(options.target.tls.mode, (secure) => open(options, secure));
}

async function open(options: SessionOptions, secure: boolean): Promise<Session> {
  const socket = new Socket();
  const session = connect(options, secure, socket);
  return options.timeouts
    .within(session, connectMs, () => socket.destroy())
    .catch((error) => {
      socket.destroy();
      throw withoutRows(error);
    });
}

async function connect(options: SessionOptions, secure: boolean, socket: Socket): Promise<Session> {
  const client = new Client(await configOf(options, secure, socket));
  const session = createSession(client, socket, options);
  await client.connect();
  socket.setKeepAlive(true, keepAliveMs);
  return session();
}

const keepAliveMs = 5_000;

/** How a host is reached, and who connects. */
export async function configOf(
  options: Pick<SessionOptions, 'target' | 'host' | 'passwordFile' | 'applicationName'>,
  secure: boolean,
  socket: Socket,
): Promise<ClientConfig> {
  const { target, host, passwordFile, applicationName } = options;
  return {
    host: host.host,
    port: host.port,
    user: target.user,
    database: target.database,
    password: () => readPassword(target, host, passwordFile),
    ssl: secure ? await readTls(target.tls) : false,
    enableChannelBinding: secure,
    application_name: applicationName,
    stream: () => socket,
  };
}

/** Ends on the server's side too what a network has swallowed. Not behind a pooler, where they would be another's. */
const serverSettings =
  "select set_config('tcp_keepalives_idle', '5', false), set_config('tcp_keepalives_interval', '2', false), set_config('tcp_keepalives_count', '3', false), set_config('tcp_user_timeout', '10000', false)";

/** @returns what greets the server, once the client is connected. */
function createSession(client: Client, socket: Socket, options: SessionOptions): () => Promise<Session> {
  const { host, timeouts, onNotification } = options;
  let parsed: Set<string> | null = null;
  let parsedAt = performance.now();
  const lost = Promise.withResolvers<Error>();
  let isOpen = true;
  let running = 0;
  let warning: string | undefined;

  client.on('error', (error) => destroy(error));
  client.on('end', () => destroy());
  client.on('notice', ({ code, message }) => {
    if (isWarning(code)) warning = message;
  });
  client.on('notification', ({ channel, payload }) => onNotification?.(channel, payload ?? ''));

  function destroy(reason: Error = new Error('The connection was closed.')): void {
    isOpen = false;
    lost.resolve(withoutRows(reason));
    socket.destroy();
  }

  async function bounded<T>(answer: () => Promise<T>, withinMs: number): Promise<T> {
    if (!isOpen) throw new Error('The connection was closed.');
    running += 1;
    try {
      const late = () => destroy(new Error(`It was silent for ${withinMs} ms.`));
      return await timeouts.within(answer(), withinMs, late);
    } catch (error) {
      const reason = withoutRows(error);
      if (endsSession(reason)) destroy(reason);
      throw reason;
    } finally {
      running -= 1;
    }
  }

  function exchange(statements: readonly Statement[]): Promise<readonly Result[]> {
    if (performance.now() - parsedAt > planMs) {
      parsed?.clear();
      parsedAt = performance.now();
    }
    return bounded(() => client.query(createExchange(statements, parsed)).results, answerMs);
  }

  async function transact(
    statements: readonly Statement[],
    opening: readonly Statement[],
  ): Promise<readonly Result[]> {
    warning = undefined;
    try {
      const results = await exchange([...opening, ...statements, commit]);
      // A commit whose wait for its standby was ended is reported as done, with a warning.
      if (warning !== undefined) throw new Error(`The commit is not certain: ${warning}`);
      return results.slice(opening.length, -1);
    } catch (error) {
      if (isOpen) await exchange([{ text: 'rollback' }]).catch(destroy);
      throw error;
    }
  }

  return async () => {
    const [result] = await exchange([{ text: helloText }]);
    const hello = parseHello(result?.rows[0]);
    const isPooled = processIdOf(client) !== hello.pid;
    if (!isPooled) await exchange([{ text: serverSettings }]);
    if (!isPooled || options.namedStatements) parsed = new Set();
    return {
      host,
      hello,
      isPooled,
      get isOpen() {
        return isOpen;
      },
      get isBusy() {
        return running > 0;
      },
      transact,
      script: async (text, withinMs = answerMs) => void (await bounded(() => client.query(text), withinMs)),
      ask: async (statement) => {
        const [first] = await exchange([statement]);
        if (!first) throw new Error('The server did not answer the statement.');
        return first;
      },
      lost: lost.promise,
      destroy,
    };
  };
}

const commit = { text: 'commit', name: 'commit' };

/** Warnings, and that the session is ended; by code, as the severity is in the server's language. */
function isWarning(code: string | undefined): boolean {
  return /^(01|57)/.test(code ?? '');
}

/** What the server, or the pooler, called this session when it began. */
function processIdOf(client: Client): number | null {
  return 'processID' in client && typeof client.processID === 'number' ? client.processID : null;
}
