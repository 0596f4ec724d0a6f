import { Socket } from 'node:net';
import { Client } from 'pg';
import { textOfRisk } from '../../postgres-risks.ts';
import { nameOfHost, type PostgresHost, parsePostgresUrl } from '../../postgres-url.ts';
import type { PostgresBackend } from '../../postgres-variables.ts';
import { CopyError } from '../copy.ts';
import { openInMode } from './access.ts';
import { withoutRows } from './error.ts';
import { type Hello, helloText, parseHello, risksOf } from './hello.ts';
import { configOf } from './session.ts';
import type { Result, Row, Statement } from './statement.ts';

/** A connection for a long transaction, which no timeout of the gateway's bounds. Its end undoes what was not committed. */
export interface CopyClient extends AsyncDisposable {
  ask(statement: Statement): Promise<Result>;
  /** A text of many statements. */
  script(text: string): Promise<void>;
  /** @throws CopyError if nobody knows whether all synchronous standbys have it. */
  commit(): Promise<void>;
}

const connectMs = 5_000;
const keepAliveMs = 10_000;

/** @throws CopyError if no server takes writes, or the one that does is not safe. */
export async function openCopyClient(backend: PostgresBackend): Promise<CopyClient> {
  const target = parsePostgresUrl(backend.url);
  if (!target) throw new CopyError('The address of the PostgreSQL is not understood.');
  const tries = await Promise.allSettled(target.hosts.map((host) => connect(backend, host)));
  const found = tries.flatMap((each) => (each.status === 'fulfilled' ? each.value : []));
  const [best, ...others] = found
    .filter(({ hello }) => hello.takesWrites)
    .sort((a, b) => (b.hello.timeline ?? 0) - (a.hello.timeline ?? 0));
  const unused = found.filter(({ hello }) => !hello.takesWrites);
  await Promise.all([...others, ...unused].map(({ client }) => client.end()));
  if (!best)
    throw new CopyError(
      `No PostgreSQL takes writes at ${target.hosts.map(nameOfHost).join(', ')}: ${reasonOf(tries)}`,
    );
  const refused = risksOf(best.hello.settings, target.hosts.length).filter(
    (risk) => !backend.acceptedRisks.includes(risk),
  );
  if (refused.length === 0) return createCopyClient(best.client);
  await best.client.end();
  const costs = refused.map((risk) => textOfRisk[risk].cost).join('; ');
  throw new CopyError(
    `The PostgreSQL is not safe: ${costs}. To accept it, set STORE_ACCEPT_RISK=${refused.join(',')}.`,
  );
}

interface Connected {
  readonly client: Client;
  readonly hello: Hello;
}

async function connect(backend: PostgresBackend, host: PostgresHost): Promise<Connected> {
  const target = parsePostgresUrl(backend.url);
  if (!target) throw new CopyError('The address of the PostgreSQL is not understood.');
  const { passwordFile } = backend;
  const options = { target, host, passwordFile, applicationName: 'pingup-copy' };
  return openInMode(target.tls.mode, async (secure) => {
    const config = await configOf(options, secure, new Socket());
    const client = new Client({
      ...config,
      connectionTimeoutMillis: connectMs,
      keepAlive: true,
      keepAliveInitialDelayMillis: keepAliveMs,
    });
    // A query that is under way rejects with it.
    client.on('error', () => undefined);
    await client.connect();
    const { rows } = await client.query<Row>(helloText);
    return { client, hello: parseHello(rows[0]) };
  });
}

function reasonOf(tries: readonly PromiseSettledResult<unknown>[]): string {
  const [failed] = tries.flatMap((each) =>
    each.status === 'rejected' ? withoutRows(each.reason).message : [],
  );
  return failed ?? 'all of them are standbys, or read only.';
}

function createCopyClient(client: Client): CopyClient {
  let warning: string | undefined;
  client.on('notice', ({ code, message }) => {
    if (code?.startsWith('01')) warning = message;
  });

  async function ask({ text, values = [] }: Statement): Promise<Result> {
    try {
      const { rows, rowCount } = await client.query<Row>(text, [...values]);
      return { rows, count: rowCount ?? 0 };
    } catch (error) {
      throw withoutRows(error);
    }
  }

  return {
    ask,
    script: async (text) => {
      await client.query(text).catch((error) => {
        throw withoutRows(error);
      });
    },
    commit: async () => {
      warning = undefined;
      await ask({ text: 'commit' });
      // A commit whose wait for its standby was ended is reported as done, with a warning.
      if (warning !== undefined)
        throw new CopyError(`The commit is not certain: ${warning} Run it again to compare.`);
    },
    [Symbol.asyncDispose]: () => client.end(),
  };
}
