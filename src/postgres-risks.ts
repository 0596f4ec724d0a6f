/** What a server's settings may cost, each by the name with which `STORE_ACCEPT_RISK` accepts it. */
export const postgresRisks = ['fsync-off', 'full-page-writes-off', 'no-synchronous-standby'] as const;

export type PostgresRisk = (typeof postgresRisks)[number];

/** What it may cost, and how to remove it. */
export interface RiskText {
  readonly cost: string;
  readonly remedy: string;
}

export const textOfRisk: Readonly<Record<PostgresRisk, RiskText>> = {
  'fsync-off': {
    cost: 'fsync is off, so a crash of its machine can lose or damage everything',
    remedy: 'set fsync = on',
  },
  'full-page-writes-off': {
    cost: 'full_page_writes is off, so a crash of its machine can damage pages beyond repair',
    remedy: 'set full_page_writes = on',
  },
  'no-synchronous-standby': {
    cost: 'STORE_URL names several hosts and synchronous_standby_names is empty, so a failover loses what the new primary had not received',
    remedy: 'set synchronous_standby_names, such as ANY 1 (a, b)',
  },
};
