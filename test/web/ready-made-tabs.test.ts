import { readFile } from 'node:fs/promises';
import { buildSchema, parse, validate } from 'graphql';
import { expect, test } from 'vitest';
import { sandboxClients } from '../../src/sandbox/clients.ts';
import { readyMadeTabs } from '../../src/web/ready-made-tabs.ts';

const schemaFile = new URL('../../schema/schema.graphql', import.meta.url);

test.each([
  ['with the sandbox', sandboxClients],
  ['with the real Pingup', null],
])('every tab is valid against the schema, %s', async (_where, clients) => {
  const schema = buildSchema(await readFile(schemaFile, 'utf8'));
  for (const { query, variables } of readyMadeTabs(clients)) {
    expect(validate(schema, parse(query))).toEqual([]);
    expect(JSON.parse(variables)).toBeTypeOf('object');
  }
});

test('the send tab says of each client of the sandbox what it does, in lines that half a screen shows', () => {
  const [send] = readyMadeTabs(sandboxClients);
  const comments = send?.query.match(/^#.*$/gm) ?? [];
  const said = comments.map((line) => line.slice(1).trim()).join(' ');
  for (const [name, effect] of Object.entries(sandboxClients)) expect(said).toContain(`- ${name}: ${effect}`);
  expect(Math.max(...comments.map((line) => line.length))).toBeLessThanOrEqual(56);
});

test('with the real Pingup no tab speaks of a sandbox', () => {
  expect(JSON.stringify(readyMadeTabs(null))).not.toMatch(/sandbox/i);
});
