import { expect, test } from 'vitest';
import { startTestGateway } from './support/gateway.ts';
import { describeWithOwnPostgres, startPostgresServer } from './support/postgres-server.ts';
import { responsiveTime } from './support/responsive-time.ts';

async function scrape(url: string): Promise<ReadonlyMap<string, number>> {
  const text = await (await fetch(url)).text();
  const samples = [...text.matchAll(/^gateway_postgres_(\w+) (\S+)$/gm)];
  return new Map(samples.map(([, name = '', value]) => [name, Number(value)]));
}

describeWithOwnPostgres('the metrics of a gateway on PostgreSQL', () => {
  test('while it is frozen they are answered in time and say so, and afterwards they are there again', async () => {
    await using server = await startPostgresServer();
    await using gateway = await startTestGateway({ env: { STORE_URL: server.url } });
    const healthy = await scrape(gateway.metricsUrl);
    expect(healthy.get('read_failed')).toBe(0);
    expect(healthy.get('sessions')).toBeGreaterThan(1);
    expect(healthy.get('sessions_limit')).toBe(6);

    server.freeze();
    // The last reading is given again for a second.
    await expect.poll(() => scrape(gateway.metricsUrl).then((found) => found.get('read_failed'))).toBe(1);
    const scraping = scrape(gateway.metricsUrl);
    const time = responsiveTime(scraping);
    const frozen = await scraping;
    expect(frozen.get('oldest_transaction_seconds')).toBeNaN();
    expect(frozen.get('sessions')).toBeGreaterThan(0);
    expect(await time).toBeLessThanOrEqual(2_000);

    server.thaw();
    await expect.poll(() => scrape(gateway.metricsUrl).then((found) => found.get('read_failed'))).toBe(0);
    expect((await scrape(gateway.metricsUrl)).get('sessions')).toBeGreaterThan(1);
  });
});
