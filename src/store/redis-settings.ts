import type { RedisRisk } from '../redis-risks.ts';
import type { RedisTarget } from '../redis-url.ts';
import type { Client } from './redis-client.ts';
import { isCode } from './redis-reply-error.ts';

/** What a server says of itself, as far as it matters here. */
export interface ServerSettings {
  /** Such as `Redis 7.2.4` or `Valkey 8.0.1`. */
  readonly version: string;
  /** Why it cannot be used at all; null where it can. */
  readonly unfit: string | null;
  readonly risks: readonly RedisRisk[];
  /** Whether it can tell what replicas have on their disks. */
  readonly confirmsDisks: boolean;
}

/** @param replicas how many are waited for. */
export async function readSettings(
  client: Client,
  kind: RedisTarget['kind'],
  replicas: number,
): Promise<ServerSettings> {
  const info = parseInfo(await client.send<string>(['INFO']));
  const settings = await readConfig(client);
  const { name, version, isFit } = versionOf(info);
  const hasAof = settings?.get('appendonly') === 'yes';
  const isCluster = info.get('redis_mode') === 'cluster' || info.get('cluster_enabled') === '1';
  return {
    version: `${name} ${version}`,
    unfit: isFit
      ? clusterFault(kind, isCluster)
      : `${name} ${version} is too old: this takes Redis 7.0 or Valkey 8, or later`,
    risks: risksOf(settings, replicas === 0 && Number(info.get('connected_slaves')) > 0),
    confirmsDisks: hasAof && isAtLeast(info.get('redis_version') ?? '', 7, 2),
  };
}

type Settings = ReadonlyMap<string, string>;

function parseInfo(text: string): Settings {
  const lines = text.split('\r\n').filter((line) => line.includes(':'));
  return new Map(lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]));
}

/** Undefined where it may not be read. */
async function readConfig(client: Client): Promise<Settings | undefined> {
  const command = ['CONFIG', 'GET', 'appendonly', 'appendfsync', 'maxmemory-policy'];
  try {
    return new Map(Object.entries(await client.send<Record<string, string>>(command)));
  } catch (error) {
    // NOPERM by an access list, ERR where a provider has taken the command away.
    if (isCode(error, 'NOPERM') || isCode(error, 'ERR')) return undefined;
    throw error;
  }
}

/** Valkey says which Redis it is compatible with, besides its own version. */
function versionOf(info: Settings) {
  const valkey = info.get('valkey_version');
  const version = valkey ?? info.get('redis_version') ?? 'unknown';
  return { name: valkey ? 'Valkey' : 'Redis', version, isFit: isAtLeast(version, valkey ? 8 : 7, 0) };
}

function isAtLeast(version: string, major: number, minor: number): boolean {
  const [itsMajor = 0, itsMinor = 0] = version.split('.').map(Number);
  return itsMajor > major || (itsMajor === major && itsMinor >= minor);
}

function clusterFault(kind: RedisTarget['kind'], isCluster: boolean): string | null {
  if (isCluster === (kind === 'cluster')) return null;
  return isCluster
    ? 'it is a node of a cluster: write redis+cluster:// in STORE_URL'
    : 'it is no node of a cluster: write redis:// in STORE_URL';
}

function risksOf(settings: Settings | undefined, mayFailOver: boolean): RedisRisk[] {
  const failover: RedisRisk[] = mayFailOver ? ['failover'] : [];
  if (!settings?.has('appendonly')) return ['unknown-settings', ...failover];
  const policy = settings.get('maxmemory-policy');
  return [...fileRisks(settings), ...(policy === 'noeviction' ? [] : (['eviction'] as const)), ...failover];
}

function fileRisks(settings: Settings): RedisRisk[] {
  if (settings.get('appendonly') !== 'yes') return ['no-aof'];
  const fsync = settings.get('appendfsync');
  if (fsync === 'always') return [];
  return [fsync === 'everysec' ? 'appendfsync-everysec' : 'appendfsync-no'];
}
