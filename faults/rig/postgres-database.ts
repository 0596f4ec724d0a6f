import type { PostgresServer } from '../../test/support/postgres-server.ts';

/** The gateways' role, which may do nothing but use its own database, and that database. */
export const gatewayRole = 'gateway';

export async function createGatewayDatabase(server: PostgresServer): Promise<void> {
  await server.query(`create role ${gatewayRole} login`);
  await server.query(`create database ${gatewayRole} owner ${gatewayRole}`);
}

/** The `STORE_URL` that names these servers. */
export function urlForGateways(...servers: readonly Pick<PostgresServer, 'port'>[]): string {
  const hosts = servers.map(({ port }) => `127.0.0.1:${port}`).join(',');
  return `postgres://${gatewayRole}@${hosts}/${gatewayRole}?sslmode=disable`;
}

/** Ends the gateways' sessions, and returns how many there were. */
export async function cutSessions(server: PostgresServer, condition = 'true'): Promise<number> {
  const [row] = await server.query(
    `select count(pg_terminate_backend(pid))::int as cut from pg_stat_activity where usename = '${gatewayRole}' and (${condition})`,
  );
  return Number(row?.['cut']);
}

/** How many sessions of the gateways the server shows. */
export async function countSessions(server: PostgresServer, condition = 'true'): Promise<number> {
  const [row] = await server.query(
    `select count(*)::int as count from pg_stat_activity where usename = '${gatewayRole}' and (${condition})`,
  );
  return Number(row?.['count']);
}
