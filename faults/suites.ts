import type { Fault } from './fault.ts';
import { type PostgresDiskRig, startPostgresDiskRig } from './rig/postgres-disk-rig.ts';
import { type PostgresRig, startPostgresRig } from './rig/postgres-rig.ts';
import { type PostgresStandbyRig, startPostgresStandbyRig } from './rig/postgres-standby-rig.ts';
import type { Rig } from './rig/rig.ts';
import { startSqliteRig } from './rig/sqlite-rig.ts';
import type { Scale } from './scale.ts';
import { killNode, killOnlyNode, restartOnlyNode, rollingRestart } from './strikes/nodes.ts';
import {
  cutConnections,
  cutListeners,
  exhaustConnections,
  freezePostgres,
  killPostgres,
} from './strikes/postgres.ts';
import { fillDataDisk, fillWalDisk } from './strikes/postgres-disks.ts';
import { failOverPostgres, loseStandby, promoteStandby } from './strikes/postgres-standby.ts';

/** Faults that strike one rig, one after the other: each must leave it whole. */
export interface Suite<R extends Rig> {
  readonly name: string;
  readonly start: (env: Scale['env']) => Promise<R>;
  readonly faults: readonly Fault<R>[];
}

export const postgresSuite: Suite<PostgresRig> = {
  name: 'three nodes on one PostgreSQL',
  start: startPostgresRig,
  faults: [
    killNode,
    rollingRestart,
    killPostgres,
    freezePostgres,
    cutConnections,
    cutListeners,
    exhaustConnections,
  ],
};

export const postgresDiskSuite: Suite<PostgresDiskRig> = {
  name: 'three nodes on one PostgreSQL with small disks',
  start: startPostgresDiskRig,
  faults: [fillDataDisk, fillWalDisk],
};

export const postgresStandbySuite: Suite<PostgresStandbyRig> = {
  name: 'three nodes on a primary with a synchronous standby',
  start: startPostgresStandbyRig,
  faults: [loseStandby, failOverPostgres, promoteStandby],
};

export const sqliteSuite: Suite<Rig> = {
  name: 'one node on SQLite',
  start: startSqliteRig,
  faults: [killOnlyNode, restartOnlyNode],
};
