/** What a server's settings may cost, each by the name with which `REDIS_ACCEPT_RISK` accepts it. */
export const redisRisks = [
  'no-aof',
  'appendfsync-everysec',
  'appendfsync-no',
  'eviction',
  'failover',
  'unknown-settings',
] as const;

export type RedisRisk = (typeof redisRisks)[number];

/** What it may cost, and how to be rid of it. */
export interface RiskWords {
  readonly cost: string;
  readonly remedy: string;
}

export const wordsOfRisks: Readonly<Record<RedisRisk, RiskWords>> = {
  'no-aof': {
    cost: 'there is no append-only file, so a crash or restart of Redis loses all since its last snapshot, or everything',
    remedy: 'set appendonly yes',
  },
  'appendfsync-everysec': {
    cost: 'the append-only file is on the disk once a second, so a crash of its machine loses up to two seconds of what was acknowledged',
    remedy: 'set appendfsync always',
  },
  'appendfsync-no': {
    cost: 'the system decides when the append-only file is on the disk, so a crash of its machine loses half a minute and more of what was acknowledged',
    remedy: 'set appendfsync always',
  },
  eviction: {
    cost: 'Redis deletes what it likes once its memory is full: messages are lost, and a text whose idempotency key is deleted can be sent twice',
    remedy: 'set maxmemory-policy noeviction',
  },
  failover: {
    cost: 'there are replicas, and none is waited for, so a failover loses what the new primary had not got yet, the last moments before it',
    remedy: 'set REDIS_REPLICAS to how many replicas must have a write before it counts',
  },
  'unknown-settings': {
    cost: 'its settings may not be read (CONFIG GET), so nobody has checked whether it keeps what it acknowledges',
    remedy: 'permit the command CONFIG|GET',
  },
};
