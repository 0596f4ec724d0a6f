import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseConfig } from '../src/config.ts';
import { ConfigError } from '../src/config-error.ts';
import { variables } from '../src/config-variables.ts';

const account = {
  PINGUP_API_KEY: 'key',
  PINGUP_BUSINESS_NAME: 'acme',
  CALLBACK_TOKEN: 'a-token-of-24-characters',
};

function faultsOf(env: Record<string, string>): string {
  try {
    parseConfig(env);
    return '';
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
}

test('an empty environment is the sandbox on the defaults', () => {
  const config = parseConfig({});
  expect(config).toMatchObject({
    host: '127.0.0.1',
    port: 4000,
    publicUrl: null,
    accounts: {
      single: { business: 'sandbox', limits: { concurrency: 64, maxWaiting: 256, sendsPerSecond: null } },
      file: null,
    },
    sandbox: { stepMs: 2_000 },
    pingup: { timeoutMs: 10_000 },
    store: { backend: { kind: 'sqlite', path: 'data/gateway.db' }, retentionDays: 30 },
    logLevel: 'info',
  });
});

test('the sandbox makes up a callback token of its own each time', () => {
  const tokens = [parseConfig({}), parseConfig({})].flatMap(
    ({ accounts }) => accounts.single?.callback.tokens ?? [],
  );
  expect(new Set(tokens).size).toBe(2);
  expect(tokens.every((token) => token.length >= 24)).toBe(true);
});

test('three variables are enough for a Pingup account', () => {
  const { accounts, sandbox } = parseConfig(account);
  expect(sandbox).toBeNull();
  expect(accounts.single).toMatchObject({
    baseUrl: 'https://api.pingup.ai/ext/v2',
    business: 'acme',
    apiKey: 'key',
    callback: { tokens: [account.CALLBACK_TOKEN], hmacSecret: null },
  });
});

test('a second token and a secret to sign with belong to the account', () => {
  const env = {
    ...account,
    CALLBACK_TOKEN_PREVIOUS: 'another-token-of-24-chars',
    CALLBACK_HMAC_SECRET: 'a-secret-to-sign-with',
  };
  expect(parseConfig(env).accounts.single?.callback).toEqual({
    tokens: [env.CALLBACK_TOKEN, env.CALLBACK_TOKEN_PREVIOUS],
    hmacSecret: env.CALLBACK_HMAC_SECRET,
  });
  expect(faultsOf({ ...account, CALLBACK_TOKEN_PREVIOUS: account.CALLBACK_TOKEN })).toContain(
    'CALLBACK_TOKEN_PREVIOUS: expected another token than CALLBACK_TOKEN',
  );
});

test('what belongs to an account is refused without one, since it would not be used', () => {
  const ofAccount = {
    CALLBACK_TOKEN_PREVIOUS: 'another-token-of-24-chars',
    CALLBACK_HMAC_SECRET: 'a-secret-to-sign-with',
  };
  for (const [name, value] of Object.entries(ofAccount))
    expect(faultsOf({ [name]: value })).toContain(`PINGUP_API_KEY: required with ${name}`);
  const { PINGUP_API_KEY: _, ...rest } = account;
  expect(faultsOf(rest)).toBe('');
  for (const name of Object.keys(rest))
    expect(faultsOf({ ...rest, PINGUP_ACCOUNTS_FILE: 'accounts.json' })).toContain(
      `PINGUP_API_KEY: required with ${name}`,
    );
});

test('with an accounts file, no other variable of an account is needed, in production too', () => {
  const env = { PINGUP_ACCOUNTS_FILE: 'accounts.json', NODE_ENV: 'production', AUTH: 'none' };
  expect(parseConfig(env)).toMatchObject({
    accounts: { single: null, file: 'accounts.json' },
    sandbox: null,
  });
  expect(parseConfig({ ...env, PINGUP_BASE_URL: 'https://x.example/' }).accounts.defaults.baseUrl).toBe(
    'https://x.example',
  );
  expect(faultsOf({ ...env, PINGUP_SEND_CALLBACK_URL: 'true' })).toContain('PUBLIC_URL: required');
});

test('where a callback shows what it is can be set, headers in either case', () => {
  expect(parseConfig({}).callback).toMatchObject({
    networks: [],
    proof: {
      tokenHeader: null,
      signature: { header: 'x-signature', prefix: '', encoding: 'hex', timestampHeader: null },
    },
  });
  const env = {
    CALLBACK_TOKEN_HEADER: 'X-Token',
    CALLBACK_HMAC_HEADER: 'X-Hub-Signature-256',
    CALLBACK_HMAC_PREFIX: 'sha256=',
    CALLBACK_HMAC_ENCODING: 'base64',
    CALLBACK_HMAC_TIMESTAMP_HEADER: 'X-Time',
    CALLBACK_NETWORKS: '192.0.2.0/24, 2001:db8::/32',
  };
  expect(parseConfig(env).callback).toMatchObject({
    networks: ['192.0.2.0/24', '2001:db8::/32'],
    proof: {
      tokenHeader: 'x-token',
      signature: {
        header: 'x-hub-signature-256',
        prefix: 'sha256=',
        encoding: 'base64',
        timestampHeader: 'x-time',
      },
    },
  });
});

test.each([
  ['CALLBACK_TOKEN_HEADER', 'X Token', 'the name of an HTTP header'],
  ['CALLBACK_HMAC_HEADER', 'x:y', 'the name of an HTTP header'],
  ['CALLBACK_HMAC_PREFIX', 'sha 256', '1 to 32 visible'],
  ['CALLBACK_HMAC_ENCODING', 'base32', 'hex or base64'],
  ['CALLBACK_NETWORKS', '10.0.0.0/33', 'addresses and networks'],
])('%s=%s is refused', (name, value, expected) => {
  expect(faultsOf({ [name]: value })).toContain(`${name}: expected ${expected}`);
});

test.each([
  'https://x.example/v2?',
  'https://x.example/#',
  'https://x.example/a b',
  'https://x.example\n',
  'ftp://x',
  'https://u:p@x',
])('the address %j is refused', (PINGUP_BASE_URL) => {
  expect(faultsOf({ ...account, PINGUP_BASE_URL })).toContain(
    'PINGUP_BASE_URL: expected an http or https address',
  );
});

test('Pingup is reached by https, except on loopback or where http is allowed', () => {
  const clear = { ...account, PINGUP_BASE_URL: 'http://pingup.example/v2' };
  expect(faultsOf(clear)).toMatch(/PINGUP_BASE_URL: expected https, .* PINGUP_ALLOW_HTTP=true/);
  expect(faultsOf({ ...clear, PINGUP_ALLOW_HTTP: 'false' })).toContain('PINGUP_BASE_URL: expected https');
  expect(faultsOf({ PINGUP_ACCOUNTS_FILE: 'a.json', PINGUP_BASE_URL: 'HTTP://10.0.0.1' })).toContain(
    'PINGUP_BASE_URL: expected https',
  );
  const allowed = parseConfig({ ...clear, PINGUP_ALLOW_HTTP: 'true' }).accounts;
  expect(allowed).toMatchObject({ allowHttp: true, single: { baseUrl: 'http://pingup.example/v2' } });
  for (const host of ['127.0.0.1:9', 'localhost', '[::1]:9'])
    expect(faultsOf({ ...account, PINGUP_BASE_URL: `http://${host}` })).toBe('');
});

test('one port cannot be taken twice', () => {
  expect(faultsOf({ METRICS_PORT: '4000' })).toContain('METRICS_PORT: expected another port than PORT');
  expect(faultsOf({ PORT: '0', METRICS_PORT: '0' })).toBe('');
});

test('an empty variable counts as unset', () => {
  expect(parseConfig({ PORT: '', PINGUP_API_KEY: '' }).port).toBe(4000);
});

test('all faults come in one message, each with its variable and what was expected', () => {
  const faults = faultsOf({
    PORT: 'http',
    PINGUP_TIMEOUT_MS: '5',
    LOG_LEVEL: 'loud',
    STORE_URL: 'mysql://x',
  });
  expect(faults).toContain('PORT: expected a whole number from 0 to 65535, not "http"');
  expect(faults).toContain('PINGUP_TIMEOUT_MS: expected a whole number from 100 to 120000, not "5"');
  expect(faults).toContain(
    'LOG_LEVEL: expected fatal, error, warn, info, debug, trace or silent, not "loud"',
  );
  expect(faults).toMatch(/STORE_URL: expected sqlite:<path of a file> or postgres:.*, not "mysql:\/\/x"/);
});

test('no fault shows a secret, nor one that stands in an address', () => {
  const faults = faultsOf({
    PINGUP_BUSINESS_NAME: 'acme',
    PINGUP_API_KEY: 'se cret',
    CALLBACK_TOKEN: 'hush',
    CALLBACK_TOKEN_PREVIOUS: 'mute',
    CALLBACK_HMAC_SECRET: 'still',
    PINGUP_BASE_URL: 'https://anna:quiet@example.com',
    PUBLIC_URL: 'https://example.com/?key=silent',
  });
  for (const name of [
    'PINGUP_API_KEY',
    'CALLBACK_TOKEN',
    'CALLBACK_TOKEN_PREVIOUS',
    'CALLBACK_HMAC_SECRET',
    'PINGUP_BASE_URL',
    'PUBLIC_URL',
  ])
    expect(faults).toContain(`${name}: expected`);
  expect(faults).not.toMatch(/se cret|hush|mute|still|quiet|silent/);
});

test('a real account needs a business and a token of at least 24 characters', () => {
  const faults = faultsOf({ PINGUP_API_KEY: 'key' });
  expect(faults).toContain('PINGUP_BUSINESS_NAME: required');
  expect(faults).toContain('CALLBACK_TOKEN: required');
  expect(faultsOf({ ...account, CALLBACK_TOKEN: 'a'.repeat(23) })).toContain('CALLBACK_TOKEN: expected 24');
});

test('the sandbox is refused in production, with the reason', () => {
  expect(faultsOf({ NODE_ENV: 'production' })).toContain(
    'PINGUP_API_KEY: required under NODE_ENV=production',
  );
  expect(faultsOf({ NODE_ENV: 'production', AUTH: 'none', ...account })).toBe('');
});

test('a base address without a key is refused, since it would not be used', () => {
  expect(faultsOf({ PINGUP_BASE_URL: 'https://api.example.com' })).toContain('PINGUP_API_KEY: required');
});

test('a variable that looks like ours and is not is refused, except for what Kubernetes sets', () => {
  expect(faultsOf({ PINGUP_TIMEOUT: '5' })).toContain('PINGUP_TIMEOUT: no such variable');
  expect(faultsOf({ PINGUP_SERVICE_HOST: '10.0.0.1', STORE_PORT_80_TCP: 'x' })).toBe('');
});

test('sending the callback address needs a public one', () => {
  expect(faultsOf({ ...account, PINGUP_SEND_CALLBACK_URL: 'true' })).toContain('PUBLIC_URL: required');
});

test('words are added to the documented ones, or move them', () => {
  const { statusMap } = parseConfig({ CALLBACK_STATUS_MAP: 'Undelivered=FAILED, seen = READ,sent=ACCEPTED' })
    .callback.format;
  expect(Object.fromEntries(statusMap)).toEqual({
    sent: 'ACCEPTED',
    received: 'DELIVERED',
    delivered: 'DELIVERED',
    read: 'READ',
    failed: 'FAILED',
    undelivered: 'FAILED',
    seen: 'READ',
  });
});

test.each(['seen', 'seen=', '=READ', 'seen=GONE', 'a=READ=b', 'seen=READ,'])(
  'the status map %j is refused',
  (CALLBACK_STATUS_MAP) => {
    expect(faultsOf({ CALLBACK_STATUS_MAP })).toContain('CALLBACK_STATUS_MAP: expected word=STATUS');
  },
);

test.each(['message_id', '/a~2b', '#/data'])('the pointer %j is refused', (pointer) => {
  expect(faultsOf({ CALLBACK_MESSAGE_ID_POINTER: pointer })).toContain('JSON Pointer');
});

test.each(['..', '.', 'a/b', 'a b', ''.padStart(65, 'a')])(
  'the business %j is refused: it must stay in its path segment',
  (PINGUP_BUSINESS_NAME) => {
    expect(faultsOf({ ...account, PINGUP_BUSINESS_NAME })).toContain('PINGUP_BUSINESS_NAME: expected');
  },
);

test('an idempotency key cannot be remembered for longer than sends are kept', () => {
  expect(faultsOf({ RETENTION_DAYS: '2', IDEMPOTENCY_HOURS: '49' })).toContain(
    'IDEMPOTENCY_HOURS: expected at most RETENTION_DAYS (2), not 49 hours',
  );
  expect(parseConfig({ RETENTION_DAYS: '1' }).store.idempotencyHours).toBe(24);
  expect(parseConfig({ RETENTION_DAYS: '30', IDEMPOTENCY_HOURS: '720' }).store.idempotencyHours).toBe(720);
});

test('introspection is off in production unless it is asked for', () => {
  const production = { NODE_ENV: 'production', AUTH: 'none', ...account };
  expect(parseConfig({}).edge.introspection).toBe(true);
  expect(parseConfig(production).edge.introspection).toBe(false);
  expect(parseConfig({ ...production, INTROSPECTION: 'true' }).edge.introspection).toBe(true);
});

test.each(['app.example.com', 'https://app.example.com/', 'https://app.example.com/a', 'null'])(
  '%j is refused as an origin',
  (ALLOWED_ORIGINS) => {
    expect(faultsOf({ ALLOWED_ORIGINS })).toContain('ALLOWED_ORIGINS: expected origins');
  },
);

test('proxies are addresses and networks', () => {
  const { trustedProxies } = parseConfig({ TRUST_PROXY: '10.0.0.0/8, ::1,loopback' }).edge;
  expect(trustedProxies).toEqual(['10.0.0.0/8', '::1', 'loopback']);
  expect(faultsOf({ TRUST_PROXY: 'true' })).toContain('TRUST_PROXY: expected addresses and networks');
});

test('there are no traces without an endpoint, and either of the two turns them on', () => {
  expect(parseConfig({ OTEL_SERVICE_NAME: 'x', OTEL_TRACES_SAMPLER: 'always_on' }).tracing).toBeNull();
  const base = parseConfig({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318/' }).tracing;
  expect(base).toMatchObject({ url: 'http://collector:4318/v1/traces', sampler: 'parentbased_always_on' });
  const exact = parseConfig({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://x.example/a/' }).tracing;
  expect(exact).toMatchObject({ url: 'https://x.example/a/', headers: {} });
});

test.each([
  ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector:4318', 'an http or https address'],
  ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'grpc://collector:4317', 'an http or https address'],
  ['OTEL_EXPORTER_OTLP_HEADERS', 'authorization', 'key=value pairs'],
  ['OTEL_EXPORTER_OTLP_TRACES_HEADERS', 'a=%zz', 'key=value pairs'],
  ['OTEL_RESOURCE_ATTRIBUTES', '=x', 'key=value pairs'],
  ['OTEL_TRACES_SAMPLER', 'jaeger_remote', 'one of always_on, always_off'],
  ['OTEL_TRACES_SAMPLER_ARG', '1.5', 'a number from 0 to 1'],
  ['OTEL_TRACES_SAMPLER_ARG', '10%', 'a number from 0 to 1'],
])('%s=%s is refused', (name, value, expected) => {
  expect(faultsOf({ [name]: value })).toContain(`${name}: expected ${expected}`);
});

test('no fault shows the headers for a collector', () => {
  const faults = faultsOf({ OTEL_EXPORTER_OTLP_HEADERS: 'hush', OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'quiet' });
  expect(faults).not.toMatch(/hush|quiet/);
});

test('.env.example lists every variable', () => {
  const example = readFileSync(new URL('../.env.example', import.meta.url), 'utf8');
  const listed = [...example.matchAll(/^#? ?([A-Z][A-Z_]+)=/gm)].map(([, name]) => name);
  expect(listed.sort()).toEqual(Object.keys(variables.shape).sort());
});

test('the limits of the store are 64 MiB, 100,000 and 1,000,000, or what the variables say', () => {
  expect(parseConfig({}).store.limits).toEqual({
    quarantineBytes: 67_108_864,
    quarantineEntries: 100_000,
    callbackOnlyMessages: 1_000_000,
  });
  const env = {
    STORE_QUARANTINE_BYTES: '1048576',
    STORE_QUARANTINE_ENTRIES: '1',
    STORE_CALLBACK_ONLY_MESSAGES: '2',
  };
  expect(parseConfig(env).store.limits).toEqual({
    quarantineBytes: 1_048_576,
    quarantineEntries: 1,
    callbackOnlyMessages: 2,
  });
  expect(faultsOf({ STORE_QUARANTINE_BYTES: '1048575' })).toContain('a whole number from 1048576');
});

test.each([
  'redis://:secret@a/0',
  'rediss://me:secret@a',
  'redis+cluster://:secret@a,b:7001',
  'rediss+sentinel://:secret@a/name',
  'valkey://:secret@a',
])('%s tells that PostgreSQL has taken the place of Redis', (url) => {
  const faults = faultsOf({ STORE_URL: url });
  expect(faults).toContain('STORE_URL: expected sqlite:<path of a file> or postgres://');
  expect(faults).toContain('PostgreSQL has taken the place of Redis: docs/many-nodes.md');
  expect(faults).not.toContain('secret');
  expect(faultsOf({ STORE_URL: 'mysql://a' })).not.toContain('Redis');
});

test('a database is vacuumed in an hour of the day, or never, and only that of SQLite', () => {
  expect(faultsOf({ STORE_URL: 'postgres://me@a', STORE_VACUUM_HOUR: '3' })).toContain(
    'STORE_VACUUM_HOUR: only for a SQLite',
  );
  expect(faultsOf({ STORE_VACUUM_HOUR: '24' })).toContain(
    'STORE_VACUUM_HOUR: expected a whole number from 0 to 23',
  );
  expect(parseConfig({ STORE_VACUUM_HOUR: '0' }).store.vacuumHour).toBe(0);
  expect(parseConfig({}).store.vacuumHour).toBeNull();
});

test('a PostgreSQL is named with its settings, which mean nothing without', () => {
  const url = 'postgres://me@a,b/gateway?sslmode=verify-full';
  expect(parseConfig({ STORE_URL: url }).store.backend).toEqual({
    kind: 'postgres',
    url,
    listenUrl: null,
    passwordFile: null,
    maxSessions: 6,
    schema: 'pingup_gateway',
    migrates: true,
    namedStatements: false,
    acceptedRisks: [],
  });
  const settings = {
    STORE_LISTEN_URL: 'postgresql://me@a/gateway',
    STORE_PASSWORD_FILE: '/run/secrets/postgres',
    STORE_CONNECTIONS: '8',
    STORE_SCHEMA: 'own',
    STORE_MIGRATE: 'false',
    STORE_NAMED_STATEMENTS: 'true',
    STORE_ACCEPT_RISK: 'fsync-off, no-synchronous-standby',
  };
  expect(parseConfig({ STORE_URL: url, ...settings }).store.backend).toMatchObject({
    maxSessions: 8,
    schema: 'own',
    migrates: false,
    namedStatements: true,
    acceptedRisks: ['fsync-off', 'no-synchronous-standby'],
  });
  for (const name of Object.keys(settings))
    expect(faultsOf(settings)).toContain(`${name}: only for a PostgreSQL, and STORE_URL names none`);
});

test.each([
  ['STORE_CONNECTIONS', '4', 'a whole number from 5 to 100'],
  ['STORE_SCHEMA', 'A', '1 to 63 lower-case letters, digits and _'],
  ['STORE_SCHEMA', 'pg_x', 'a name that does not begin with pg_'],
  ['STORE_ACCEPT_RISK', 'all', 'each one of fsync-off, full-page-writes-off, no-synchronous-standby'],
  ['STORE_LISTEN_URL', 'sqlite:a', 'postgres://user'],
  ['STORE_URL', 'postgres://:secret@a', 'postgres://user'],
])('%s of a PostgreSQL cannot be %s', (name, value, expected) => {
  const faults = faultsOf({ STORE_URL: 'postgres://me@a', [name]: value });
  expect(faults).toContain(`${name}: expected `);
  expect(faults).toContain(expected);
  expect(faults).not.toContain('secret');
});

test('a PostgreSQL has one password', () => {
  const env = { STORE_URL: 'postgres://me:secret@a', STORE_PASSWORD_FILE: '/f' };
  expect(faultsOf(env)).toContain('STORE_PASSWORD_FILE: STORE_URL holds a password already');
});
