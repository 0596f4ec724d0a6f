import { readFile } from 'node:fs/promises';
import type { ConnectionOptions } from 'node:tls';
import type { PostgresHost, PostgresTarget, PostgresTls, SslMode } from '../../postgres-url.ts';

/**
 * The password, read anew for each connection, so that it can be changed while the gateway runs. Empty if there is none.
 *
 * @param passwordFile holds nothing else; it wins over what the URL says.
 */
export async function readPassword(
  target: PostgresTarget,
  host: PostgresHost,
  passwordFile: string | null,
): Promise<string> {
  if (passwordFile !== null) return (await readFile(passwordFile, 'utf8')).replace(/\r?\n$/, '');
  if (target.password !== null) return target.password;
  if (target.passfile === null) return '';
  return findPassword(await readFile(target.passfile, 'utf8'), target, host) ?? '';
}

/** The first line of a `.pgpass` that fits: `host:port:database:user:password`, `*` being any. */
export function findPassword(
  passfile: string,
  { user, database }: PostgresTarget,
  { host, port }: PostgresHost,
): string | undefined {
  const wanted = [host, String(port), database, user];
  const lines = passfile.split(/\r?\n/).filter((line) => line !== '' && !line.startsWith('#'));
  const entries = lines.map((line) =>
    [...line.matchAll(/((?:\\.|[^\\:])*)(?::|$)/g)].map(([, field = '']) => field),
  );
  const found = entries.find((fields) =>
    wanted.every((value, index) => fields[index] === '*' || unescapeField(fields[index] ?? '') === value),
  );
  const password = found?.[wanted.length];
  return password === undefined ? undefined : unescapeField(password);
}

function unescapeField(field: string): string {
  return field.replace(/\\(.)/g, '$1');
}

/** As libpq has it: `require` with a root certificate verifies it, and only `verify-full` compares the name. */
export async function readTls(tls: PostgresTls): Promise<ConnectionOptions> {
  const [ca, cert, key] = await Promise.all([read(tls.rootCert), read(tls.cert), read(tls.key)]);
  const verifies = tls.mode.startsWith('verify') || tls.rootCert !== null;
  return {
    rejectUnauthorized: verifies,
    ...(ca && { ca }),
    ...(cert && { cert }),
    ...(key && { key }),
    ...(tls.mode === 'verify-full' ? {} : { checkServerIdentity: () => undefined }),
  };
}

/** Opens a connection as libpq's `sslmode` says: which of both is tried first, and whether the other may follow. */
export async function openInMode<T>(mode: SslMode, open: (secure: boolean) => Promise<T>): Promise<T> {
  if (mode === 'disable') return open(false);
  if (mode === 'allow') return open(false).catch(() => open(true));
  if (mode !== 'prefer') return open(true);
  return open(true).catch((error) => {
    if (error instanceof Error && error.message.includes('does not support SSL')) return open(false);
    throw error;
  });
}

async function read(path: string | null): Promise<Buffer | null> {
  return path === null ? null : readFile(path);
}
