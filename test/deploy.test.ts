import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { startTestGateway } from './support/gateway.ts';

const deploy = resolve(import.meta.dirname, '../deploy');

interface Dashboard {
  readonly panels: readonly { readonly targets: readonly { readonly expr: string }[] }[];
}

function dashboardExpressions(): string[] {
  const dashboard: Dashboard = JSON.parse(readFileSync(join(deploy, 'grafana-dashboard.json'), 'utf8'));
  return dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
}

function alertExpressions(): string[] {
  const rules = readFileSync(join(deploy, 'prometheus-alerts.yaml'), 'utf8');
  return [...rules.matchAll(/^ +expr: (.+)$/gm)].flatMap(([, expr]) => expr ?? []);
}

/** What a PromQL expression reads: the name of each metric, or `name{label="value"}` for each value asked of it. */
function samplesIn(expression: string): string[] {
  const bare = expression.replaceAll(/\[[^\]]*\]|\bby \([^)]*\)/g, ' ');
  const selectors = bare.matchAll(/\b([a-z_][a-z0-9_]*)\b(?! *\()(?:\{([a-z]+)=~?"([^"]*)"\})?/g);
  return [...selectors].flatMap(([, name = '', label, values = '']) => {
    if (name === 'and') return [];
    return label === undefined ? [name] : values.split('|').map((value) => `${name}{${label}="${value}"}`);
  });
}

/** All that one scrape shows: whole, with each label alone, and without labels. */
async function shown(): Promise<ReadonlySet<string>> {
  await using gateway = await startTestGateway();
  const text = await (await fetch(gateway.metricsUrl)).text();
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const names = lines.flatMap((line) => {
    const sample = line.replace(/ \S+$/, '');
    const name = sample.replace(/\{.*/, '');
    const labels = [...sample.matchAll(/[a-z]+="[^"]*"/g)].map(([label]) => `${name}{${label}}`);
    return [sample, name, ...labels];
  });
  return new Set(names);
}

test('the dashboard and the alerts name only metrics and outcomes that a gateway shows', async () => {
  const known = await shown();
  const named = [...dashboardExpressions(), ...alertExpressions()].flatMap(samplesIn);
  expect(named.length).toBeGreaterThan(30);
  expect(named.filter((name) => !known.has(name))).toEqual([]);
});

test('each metric of the gateway’s own is on the dashboard or in an alert', async () => {
  const expressions = [...dashboardExpressions(), ...alertExpressions()].join('\n');
  const own = [...(await shown())].filter((name) => /^gateway_[a-z0-9_]+$/.test(name));
  const families = new Set(own.map((name) => name.replace(/_(bucket|sum|count)$/, '')));
  expect([...families].filter((name) => !expressions.includes(name))).toEqual([]);
});
