/** A Redis or Valkey, as `STORE_URL` names it. */
export interface RedisTarget {
  readonly kind: 'single' | 'cluster' | 'sentinel';
  /** `host:port`: the server, some nodes of the cluster, or the sentinels. */
  readonly addresses: readonly string[];
  /** What sentinels call the server; empty without them. */
  readonly masterName: string;
  readonly access: RedisAccess;
}

/** With what a server is spoken to. Sentinels are asked without name, password and database. */
export interface RedisAccess {
  readonly tls: boolean;
  readonly username: string | null;
  readonly password: string | null;
  readonly database: number;
}

/** What `STORE_URL` may be, for an error. */
export const redisUrlForms =
  'redis[s]://[user:password@]host[:port][/database], redis[s]+cluster://[user:password@]host[:port],host[:port],… or redis[s]+sentinel://[user:password@]host[:port],host[:port],…/master-name[/database]';

const form =
  /^redis(?<tls>s?)(?:\+(?<kind>cluster|sentinel))?:\/\/(?:(?<user>[^@/:]*)(?::(?<password>[^@/]*))?@)?(?<hosts>[^@/?#]+)(?<path>(?:\/[^/?#]*)*)$/;
const host = /^(?<name>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::(?<port>[0-9]{1,5}))?$/;
const defaultPorts = { single: 6_379, cluster: 6_379, sentinel: 26_379 };

/** Undefined for what is none of `redisUrlForms`. Parts with special characters are percent-encoded. */
export function parseRedisUrl(url: string): RedisTarget | undefined {
  const parts = form.exec(url)?.groups;
  if (!parts) return undefined;
  const kind = (parts['kind'] ?? 'single') as RedisTarget['kind'];
  const addresses = (parts['hosts'] ?? '').split(',').map((item) => addressOf(item, defaultPorts[kind]));
  const place = placeOf(kind, (parts['path'] ?? '').split('/').slice(1));
  const access = {
    tls: parts['tls'] === 's',
    username: decode(parts['user']),
    password: decode(parts['password']),
  };
  if (!place || !isComplete(addresses) || (kind === 'single' && addresses.length > 1)) return undefined;
  if (access.username === undefined || access.password === undefined) return undefined;
  const { tls, username, password } = access;
  return {
    kind,
    addresses,
    masterName: place.masterName,
    access: { tls, username, password, database: place.database },
  };
}

/** The same without name and password, for a log. */
export function withoutCredentials(url: string): string {
  return url.replace(/\/\/.*@/, '//');
}

function isComplete(addresses: readonly (string | undefined)[]): addresses is readonly string[] {
  return addresses.every((address) => address !== undefined);
}

function addressOf(item: string, defaultPort: number): string | undefined {
  const { name, port = String(defaultPort) } = host.exec(item)?.groups ?? {};
  return name !== undefined && Number(port) > 0 && Number(port) < 65_536
    ? `${name}:${Number(port)}`
    : undefined;
}

function placeOf(kind: RedisTarget['kind'], path: readonly string[]) {
  const segments = path.at(-1) === '' ? path.slice(0, -1) : path;
  if (kind === 'cluster') return segments.length === 0 ? { masterName: '', database: 0 } : undefined;
  const [masterName = '', database = '0', ...rest] = kind === 'single' ? ['', ...segments] : segments;
  const isGood = /^[0-9]{1,4}$/.test(database) && (kind === 'single' || /^[A-Za-z0-9._-]+$/.test(masterName));
  return isGood && rest.length === 0 ? { masterName, database: Number(database) } : undefined;
}

/** Null where there is none, undefined where it cannot be decoded. */
function decode(part: string | undefined): string | null | undefined {
  if (!part) return null;
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}
