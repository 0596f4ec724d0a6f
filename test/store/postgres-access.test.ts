import { chmod, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { findPassword } from '../../src/store/postgres/access.ts';
import { untrusted } from '../pingup/support/untrusted-certificate.ts';
import { giveAway } from '../support/postgres-binaries.ts';
import { describeWithOwnPostgres, startPostgresServer } from '../support/postgres-server.ts';
import { openTestConnections, targetOf } from './postgres-test-connections.ts';
import { temporaryDirectory } from './sqlite-test-store.ts';

const password = 'pass word/ö';

/** A server that has TLS, and asks for a password, for a certificate of user `localhost`, and of `postgres` nothing. */
async function startGuarded() {
  await using stack = new AsyncDisposableStack();
  const directory = stack.use(await temporaryDirectory());
  const write = async (name: string, text: string, mode: number) => {
    await writeFile(directory.file(name), text);
    await chmod(directory.file(name), mode);
    await giveAway(directory.file(name));
    return directory.file(name);
  };
  const [cert, key] = [
    await write('cert.pem', untrusted.cert, 0o644),
    await write('key.pem', untrusted.key, 0o600),
  ];
  const hba = await write(
    'hba.conf',
    'host all postgres all trust\nhostssl all localhost all cert\nhost all all all scram-sha-256\n',
    0o644,
  );
  await chmod(directory.file('.'), 0o755);
  const settings = [
    'ssl=on',
    ...[`ssl_cert_file=${cert}`, `ssl_key_file=${key}`, `ssl_ca_file=${cert}`, `hba_file=${hba}`],
  ];
  const server = stack.use(await startPostgresServer(settings));
  await server.query(`create role me login password '${password}'; create role localhost login`);
  const owned = stack.move();
  return { server, cert, key, write, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

const asks = 'select current_user as name, ssl from pg_stat_ssl where pid = pg_backend_pid()';

describeWithOwnPostgres('the way to a PostgreSQL', () => {
  test('each sslmode does what libpq does', async () => {
    await using guarded = await startGuarded();
    const { port } = guarded.server;
    const open = async (host: string, query: string) => {
      await using node = await openTestConnections(`postgres://postgres@${host}:${port}/postgres?${query}`);
      return (await node.read(asks))[0]?.['ssl'];
    };
    const root = `&sslrootcert=${guarded.cert}`;
    expect(await open('127.0.0.1', 'sslmode=disable')).toBe(false);
    expect(await open('127.0.0.1', 'sslmode=allow')).toBe(false);
    expect(await open('127.0.0.1', '')).toBe(true);
    expect(await open('127.0.0.1', 'sslmode=require')).toBe(true);
    expect(await open('127.0.0.1', `sslmode=verify-ca${root}`)).toBe(true);
    expect(await open('localhost', `sslmode=verify-full${root}`)).toBe(true);
    await Promise.all([
      expect(open('localhost', 'sslmode=verify-full')).rejects.toThrow(/certificate/),
      expect(open('127.0.0.1', `sslmode=verify-full${root}`)).rejects.toThrow(/does not match|altnames/),
    ]);
  });

  test('a server without TLS is used with prefer, and refused with require', async () => {
    await using server = await startPostgresServer();
    const url = server.url;
    await using node = await openTestConnections(url);
    expect(await node.read(asks)).toEqual([{ name: 'postgres', ssl: false }]);
    await expect(openTestConnections(`${url}?sslmode=require`)).rejects.toThrow('does not support SSL');
  });

  test('a password is taken from the address, a file, or a .pgpass, is read for each connection, and is in no error', async () => {
    await using guarded = await startGuarded();
    const { server, write } = guarded;
    const url = `postgres://me@127.0.0.1:${server.port}/postgres`;
    const mine = [{ name: 'me', ssl: true }];
    const [file, passfile] = [
      await write('password', `${password}\n`, 0o600),
      await write('pgpass', `other:*:*:*:no\n*:${server.port}:*:me:${password}\n`, 0o600),
    ];
    const encoded = url.replace('me@', `me:${encodeURIComponent(password)}@`);
    await using one = await openTestConnections(encoded);
    await using two = await openTestConnections(url, { passwordFile: file });
    await using three = await openTestConnections(`${url}?passfile=${encodeURIComponent(passfile)}`);
    for (const node of [one, two, three]) expect(await node.read(asks)).toEqual(mine);
    await server.query("alter role me password 'other'");
    await writeFile(file, 'other');
    await server.query("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'me'");
    await expect.poll(() => two.read(asks).catch(() => null)).toEqual(mine);
    const error = await openTestConnections(encoded).catch((reason: unknown) => reason);
    expect(String(error)).toContain('password authentication failed for user "me"');
    const found = JSON.stringify([String(error), error, (error as Error).cause, (error as Error).stack]);
    for (const secret of [password, encodeURIComponent(password)]) expect(found).not.toContain(secret);
  });

  test('a client certificate is shown', async () => {
    await using guarded = await startGuarded();
    const { server, cert, key } = guarded;
    const url = `postgres://localhost@127.0.0.1:${server.port}/postgres?sslmode=require`;
    await using node = await openTestConnections(`${url}&sslcert=${cert}&sslkey=${key}`);
    expect(await node.read(asks)).toEqual([{ name: 'localhost', ssl: true }]);
    await expect(openTestConnections(url)).rejects.toThrow(/certificate/);
  });
});

test('a .pgpass is read as libpq reads it', () => {
  const target = targetOf('postgres://me@a/db');
  const find = (passfile: string, host = 'a') => findPassword(passfile, target, { host, port: 5432 });
  expect(find('# a comment\n\na:5432:db:me:one\n*:*:*:*:two')).toBe('one');
  expect(find('b:5432:db:me:one\n*:*:*:*:two')).toBe('two');
  expect(find('a:5432:db:me:with\\:colon and \\\\')).toBe('with:colon and \\');
  expect(find('\\:\\:1:5432:db:me:six', '::1')).toBe('six');
  expect(find('a:5432:db:other:one')).toBeUndefined();
  expect(find('a:5432')).toBeUndefined();
});
