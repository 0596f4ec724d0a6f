import { defineConfig } from 'vitest/config';

export default defineConfig({
  // vitest would otherwise load graphql twice, once as ESM and once as CommonJS ("another module or realm").
  resolve: { alias: { graphql: 'graphql/index.js' } },
  test: {
    include: ['test/**/*.test.ts'],
    // Most tests wait for sockets and processes of their own.
    maxWorkers: 2,
    // Guards against a test that hangs; no promise depends on how fast the machine is.
    testTimeout: 240_000,
    expect: { poll: { timeout: 120_000 } },
    hookTimeout: 240_000,
  },
});
