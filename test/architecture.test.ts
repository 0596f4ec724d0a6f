import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '../src');

/** From the outside in: a file may import from a layer below its own, or from its own folder and those in it. */
const layers: readonly (readonly RegExp[])[] = [
  [/^main\.ts$/],
  [/^run-gateway\.ts$/],
  [/^gateway\.ts$/],
  [/^gateway-doors\.ts$/],
  [/^gateway-parts\.ts$/],
  [/^http\//],
  [/^auth\//, /^graphql\//, /^pingup\/(?!port)/, /^store\/(?!port)/, /^sandbox\//],
  [/^(logged|measured|stoppable|traced)-messaging\.ts$/],
  [/^messaging\.ts$/],
  [/^replay-callback\.ts$/],
  [/^(pingup|store)\/port\.ts$/],
  [/^[a-z-]+\.ts$/],
];

/** Libraries that one part alone may use. */
const owners: Readonly<Record<string, RegExp>> = {
  jose: /^auth\//,
  ky: /^pingup\//,
  cockatiel: /^pingup\//,
  'p-queue': /^pingup\//,
  ws: /^graphql\//,
  'graphql-ws': /^graphql\//,
  graphql: /^graphql\//,
  'type-graphql': /^graphql\//,
  '@apollo/server': /^graphql\//,
  'node:sqlite': /^store\/sqlite/,
  pg: /^store\/postgres\//,
  'prom-client': /^(process-)?metrics/,
  '@opentelemetry/api': /^otel-tracing/,
  '@opentelemetry/exporter-trace-otlp-http': /^otel-tracing/,
  '@opentelemetry/resources': /^otel-tracing/,
  '@opentelemetry/sdk-trace': /^otel-tracing/,
};

const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(
  (file) => /\.ts$/.test(file) && !file.startsWith('web/'),
);

function importsOf(file: string): string[] {
  const source = readFileSync(join(root, file), 'utf8');
  return [...source.matchAll(/(?:from|import) '([^']+)'/g)].flatMap(([, name]) => name ?? []);
}

function layerOf(file: string): number {
  return layers.findIndex((patterns) => patterns.some((pattern) => pattern.test(file)));
}

test('imports run one way: main > gateway > http > auth, graphql, pingup, store, sandbox > messaging > ports > domain', () => {
  const wrong = files.flatMap((file) =>
    importsOf(file)
      .filter((name) => name.startsWith('.'))
      .map((name) => relative(root, resolve(root, dirname(file), name)))
      .filter((target) => !mayImport(file, target))
      .map((target) => `${file} imports ${target}`),
  );
  expect(wrong).toEqual([]);
});

function mayImport(file: string, target: string): boolean {
  const [folder] = dirname(file).split('/');
  const sameFolder = folder !== '.' && folder === dirname(target).split('/')[0];
  const domain = layers.length - 1;
  return (
    sameFolder || layerOf(file) < layerOf(target) || (layerOf(file) === domain && layerOf(target) === domain)
  );
}

test('each library has one owner', () => {
  const wrong = files.flatMap((file) =>
    importsOf(file)
      .filter((name) => owners[name] && !owners[name].test(file))
      .map((name) => `${file} imports ${name}`),
  );
  expect(wrong).toEqual([]);
});

test('only the programs touch the process: what starts the gateway, the sandbox, and the commands of the store', () => {
  const wrong = files.filter((file) => /\bprocess\.[a-z]/.test(readFileSync(join(root, file), 'utf8')));
  expect(wrong.sort()).toEqual([
    'main.ts',
    'run-gateway.ts',
    'sandbox/main.ts',
    'store/copy-command.ts',
    'store/sqlite-command.ts',
  ]);
});

test('the process listens to signals before anything else is loaded', () => {
  const [, imported] = /^import (?!type\b)(.*)/m.exec(readFileSync(join(root, 'main.ts'), 'utf8')) ?? [];
  expect(imported).toBeUndefined();
});
