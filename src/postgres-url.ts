/** A PostgreSQL, or several of which one takes writes, as `STORE_URL` names it. */
export interface PostgresTarget {
  readonly hosts: readonly PostgresHost[];
  readonly user: string;
  /** Null: none, or in `passwordFile`. */
  readonly password: string | null;
  readonly database: string;
  readonly tls: PostgresTls;
  /** In the format of libpq's `.pgpass`. */
  readonly passfile: string | null;
}

export interface PostgresHost {
  /** A name, an address without brackets, or the folder of a Unix socket. */
  readonly host: string;
  readonly port: number;
}

/** As libpq has them. */
export const sslModes = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const;
export type SslMode = (typeof sslModes)[number];

export interface PostgresTls {
  readonly mode: SslMode;
  /** A file of PEM certificates; null: the authorities that Node.js knows. */
  readonly rootCert: string | null;
  readonly cert: string | null;
  readonly key: string | null;
}

/** What `STORE_URL` may be, for an error. */
export const postgresUrlForm =
  'postgres://user[:password@]host[:port],…[/database][?sslmode=…&sslrootcert=…&sslcert=…&sslkey=…&passfile=…]';

const form =
  /^postgres(?:ql)?:\/\/(?<user>[^@/:?#]+)(?::(?<password>[^@/?#]*))?@(?<hosts>[^@/?#]+)(?:\/(?<database>[^/?#]*))?(?:\?(?<query>[^#]*))?$/;
const hostForm = /^(?:\[(?<address>[0-9A-Fa-f:.]+)\]|(?<name>[A-Za-z0-9._%-]+))(?::(?<port>[0-9]{1,5}))?$/;
const defaultPort = 5_432;
/** Enough for any cluster, and a bound for what a look at all of them costs. */
const maxHosts = 9;

const parameters = [
  'sslmode',
  'sslrootcert',
  'sslcert',
  'sslkey',
  'passfile',
  'target_session_attrs',
] as const;
type Parameter = (typeof parameters)[number];
/** Each is what the store does by itself. */
const sessionAttributes = ['any', 'read-write', 'primary'];

/** Undefined for what is not `postgresUrlForm`. Parts with special characters are percent-encoded. */
export function parsePostgresUrl(url: string): PostgresTarget | undefined {
  const parts = form.exec(url)?.groups;
  const query = parts && parseQuery(parts['query'] ?? '');
  const hosts = (parts?.['hosts'] ?? '').split(',').map(parseHost);
  const user = decode(parts?.['user']);
  const password = decode(parts?.['password'] ?? '');
  const database = decode(parts?.['database'] ?? '');
  if (!query || !user || password === undefined || database === undefined) return undefined;
  const tls = parseTls(query);
  if (!tls || hosts.length > maxHosts || !isComplete(hosts)) return undefined;
  return {
    hosts,
    user,
    password: password || null,
    database: database || user,
    tls,
    passfile: query.get('passfile') ?? null,
  };
}

/** The same without user, password and parameters, for a log. */
export function postgresUrlForLog(url: string): string {
  return url.replace(/\/\/.*@/, '//').replace(/\?.*$/, '');
}

function parseQuery(query: string): ReadonlyMap<Parameter, string> | undefined {
  const entries = [...new URLSearchParams(query.replaceAll('+', '%2B'))];
  const known = entries.filter((entry): entry is [Parameter, string] =>
    parameters.some((name) => name === entry[0] && entry[1] !== ''),
  );
  const map = new Map(known);
  const attributes = map.get('target_session_attrs') ?? 'any';
  return map.size === entries.length && sessionAttributes.includes(attributes) ? map : undefined;
}

function parseTls(query: ReadonlyMap<Parameter, string>): PostgresTls | undefined {
  const mode = sslModes.find((name) => name === (query.get('sslmode') ?? 'prefer'));
  const rootCert = query.get('sslrootcert') ?? null;
  const cert = query.get('sslcert') ?? null;
  const key = query.get('sslkey') ?? null;
  if (!mode || (cert === null) !== (key === null)) return undefined;
  return { mode, rootCert: rootCert === 'system' ? null : rootCert, cert, key };
}

function parseHost(item: string): PostgresHost | undefined {
  const { address, name, port = String(defaultPort) } = hostForm.exec(item)?.groups ?? {};
  const host = address ?? decode(name);
  const isGood = host !== undefined && /^(\/[^\0]*|[A-Za-z0-9._:-]+)$/.test(host);
  return isGood && Number(port) > 0 && Number(port) < 65_536 ? { host, port: Number(port) } : undefined;
}

function isComplete(hosts: readonly (PostgresHost | undefined)[]): hosts is readonly PostgresHost[] {
  return hosts.every((host) => host !== undefined);
}

/** Undefined for what cannot be decoded; a NUL would end the name for the server. */
function decode(part: string | undefined): string | undefined {
  try {
    const text = decodeURIComponent(part ?? '');
    return text.includes('\0') ? undefined : text;
  } catch {
    return undefined;
  }
}

/** `host:port`, for a log; an IPv6 address has brackets. */
export function nameOfHost({ host, port }: PostgresHost): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
