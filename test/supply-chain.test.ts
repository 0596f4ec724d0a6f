import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '..');

function readJson(name: string): unknown {
  return JSON.parse(readFileSync(resolve(root, name), 'utf8'));
}

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly allowScripts: Readonly<Record<string, boolean>>;
}

interface Lock {
  readonly packages: Readonly<Record<string, { readonly hasInstallScript?: true; readonly optional?: true }>>;
}

const manifest = readJson('package.json') as Manifest;

test('each package with an install script is allowed or refused by its name', () => {
  const { packages } = readJson('package-lock.json') as Lock;
  const scripted = Object.entries(packages).filter(
    ([, { hasInstallScript, optional }]) => hasInstallScript && !optional,
  );
  const names = scripted.map(([path]) => path.replace(/^.*node_modules\//, ''));
  expect(new Set(names)).toEqual(new Set(Object.keys(manifest.allowScripts)));
});

test('the image is built without running the scripts of any package', () => {
  const dockerfile = readFileSync(resolve(root, 'Dockerfile'), 'utf8');
  const installs = dockerfile.match(/\bnp[mx] (?!run )[^\n&|;]*/g) ?? [];
  expect(installs).toHaveLength(2);
  for (const install of installs) expect(install).toMatch(/^npm ci\b.* --ignore-scripts$/);
});

interface Bom {
  readonly bomFormat: string;
  readonly components: readonly {
    readonly 'bom-ref': string;
    readonly properties: readonly { readonly name: string }[];
  }[];
}

// Not by `--omit dev`: npm 11 then leaves out what a development package needs as well, such as graphql.
test('npm run sbom prints what the gateway runs on in CycloneDX, and marks what only its development needs', async () => {
  const options = { cwd: root, maxBuffer: 64 * 1024 * 1024 };
  const { stdout } = await promisify(execFile)('npm', ['run', '--silent', 'sbom'], options);
  const { bomFormat, components } = JSON.parse(stdout) as Bom;
  const running = components.filter(
    ({ properties }) => !properties.some(({ name }) => name === 'cdx:npm:package:development'),
  );
  const runsOn = (name: string) => running.some((component) => component['bom-ref'].startsWith(`${name}@`));
  expect(bomFormat).toBe('CycloneDX');
  expect(Object.keys(manifest.dependencies).filter((name) => !runsOn(name))).toEqual([]);
  expect(runsOn('vitest')).toBe(false);
});
