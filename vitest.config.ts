import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['{lib,crds,operator,proxy,cli,hack,test}/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 180_000,
    // Processes that tests start share two cores with the tests themselves.
    maxWorkers: 2,
  },
});
