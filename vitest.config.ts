import { defineConfig } from 'vitest/config';

export default defineConfig({
  // vitest would otherwise load graphql twice, once as ESM and once as CommonJS ("another module or realm").
  resolve: { alias: { graphql: 'graphql/index.js' } },
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
});
