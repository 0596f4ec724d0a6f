import { expect } from 'vitest';
import { parsePostgresUrl } from '../../src/postgres-url.ts';
import {
  type Connections,
  type ConnectionsOptions,
  openConnections,
} from '../../src/store/postgres/connections.ts';
import type { TestDatabase } from '../support/postgres-server.ts';
import { responsiveTime } from '../support/responsive-time.ts';

export function targetOf(url: string) {
  const target = parsePostgresUrl(url);
  if (!target) throw new Error(`${url} is not understood.`);
  return target;
}

/** The servers as one target: those of the URLs, in their order. */
export function urlOf(...servers: readonly { readonly port: number }[]): string {
  return `postgres://postgres@${servers.map(({ port }) => `127.0.0.1:${port}`).join(',')}/postgres?sslmode=disable`;
}

export async function openTestConnections(
  url: string,
  options: Partial<ConnectionsOptions> = {},
): Promise<Connections> {
  return openConnections({ target: targetOf(url), openMs: 2_000, ...options });
}

/** Sessions of the node that the server has, by the name that the node gives them. */
export async function sessionsAt(database: TestDatabase): Promise<number> {
  const rows = await database.query(
    "select count(*)::int as count from pg_stat_activity where application_name = 'pingup-gateway' and datname = current_database()",
  );
  return Number(rows[0]?.['count']);
}

/** It is rejected with STORE_UNAVAILABLE within the 2 s that every call may take. */
export async function expectUnavailable(call: Promise<unknown>): Promise<void> {
  const time = responsiveTime(call);
  await expect(call).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  expect(await time).toBeLessThanOrEqual(2_000);
}

/** Calls until it serves. */
export async function untilServed(call: () => Promise<unknown>): Promise<void> {
  await expect.poll(() => call().then(() => 'served', String)).toBe('served');
}
