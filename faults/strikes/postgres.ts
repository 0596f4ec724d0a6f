import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import type { PostgresServer } from '../../test/support/postgres-server.ts';
import type { Fault } from '../fault.ts';
import { countSessions, cutSessions, gatewayRole } from '../rig/postgres-database.ts';
import type { PostgresRig } from '../rig/postgres-rig.ts';
import { until } from './until.ts';

/** PostgreSQL is gone without a word, and comes back with what is in its WAL. */
export const killPostgres: Fault<PostgresRig> = {
  name: 'kill -9 PostgreSQL',
  promise: 'sockets stay open, and are right again once it is back',
  costs: ['refusals', 'unknown sends'],
  async strike({ rig, scale, outage, manyTimes }) {
    await manyTimes(scale.times, () => outage(() => rig.postgres.restart()));
    return `killed and started again ${scale.times} times`;
  },
};

/** PostgreSQL stands still: connections to it stay open, and nothing answers. */
export const freezePostgres: Fault<PostgresRig> = {
  name: 'freeze PostgreSQL',
  promise: 'every callback is answered, and sockets stay open',
  costs: ['refusals', 'unknown sends'],
  async strike({ rig, scale, outage }) {
    await outage(async () => {
      rig.postgres.freeze();
      await delay(scale.awayMs);
      rig.postgres.thaw();
    });
    return `stood still for ${scale.awayMs / 1000} s`;
  },
};

/** Every session of the nodes is ended, whatever it does. */
export const cutConnections: Fault<PostgresRig> = {
  name: 'cut every connection',
  promise: 'what was under way is done or refused, and sockets stay open',
  costs: ['refusals', 'unknown sends'],
  async strike({ rig, scale, manyTimes }) {
    let cut = 0;
    await manyTimes(scale.times, async () => {
      cut += await cutSessions(rig.postgres);
    });
    return `${cut} connections cut in ${scale.times} strokes`;
  },
};

/** What a session that listens has asked last. */
const listens = "query ilike 'listen %' or query = 'select 1'";

/** The sessions that wake the nodes are ended, and whatever was on its way over them is lost in silence. */
export const cutListeners: Fault<PostgresRig> = {
  name: 'cut every session that listens',
  promise: 'nothing is missed, refused or disconnected',
  costs: [],
  async strike({ rig, scale, manyTimes }) {
    let cut = 0;
    await manyTimes(scale.times, async () => {
      const nodes = rig.nodes.urls().length;
      await until('every node listens', async () => (await countSessions(rig.postgres, listens)) >= nodes);
      cut += await cutSessions(rig.postgres, listens);
    });
    return `${cut} connections cut in ${scale.times} strokes`;
  },
};

/** Others have taken every connection that PostgreSQL has, and the nodes have lost theirs. */
export const exhaustConnections: Fault<PostgresRig> = {
  name: 'use up every connection',
  promise: 'what cannot be kept is refused, and sockets stay open',
  costs: ['refusals', 'unknown sends'],
  async strike({ rig, scale, outage, outcomes }) {
    const { postgres } = rig;
    const before = outcomes.callbacks.refused;
    const taken = await outage(async () => {
      await keepGatewaysOut(postgres);
      await using others = await takeAllConnections(postgres);
      await postgres.query(`alter role ${gatewayRole} connection limit -1`);
      await until('something is refused', async () => outcomes.callbacks.refused > before);
      await delay(scale.awayMs / 2);
      return others.count;
    });
    return `others had all ${taken} for ${scale.awayMs / 2000} s`;
  },
};

/** So that the nodes take none of what others are to have. */
async function keepGatewaysOut(postgres: PostgresServer): Promise<void> {
  await postgres.query(`alter role ${gatewayRole} connection limit 0`);
  await cutSessions(postgres);
  await until('the nodes have no session', async () => (await countSessions(postgres)) === 0);
}

interface Taken extends AsyncDisposable {
  readonly count: number;
}

async function takeAllConnections(postgres: PostgresServer): Promise<Taken> {
  await postgres.query(
    "do $$ begin if to_regrole('others') is null then create role others login; end if; end $$",
  );
  const { port } = postgres;
  const clients: Client[] = [];
  for (;;) {
    const client = new Client({ host: '127.0.0.1', port, user: 'others', database: 'postgres' });
    client.on('error', () => undefined);
    const isRefused = await client.connect().then(
      () => false,
      () => true,
    );
    if (isRefused) break;
    clients.push(client);
  }
  return {
    count: clients.length,
    [Symbol.asyncDispose]: async () => void (await Promise.all(clients.map((client) => client.end()))),
  };
}
