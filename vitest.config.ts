import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['packages/*/test/**/*.test.ts', 'apps/*/test/**/*.test.{ts,tsx}', 'tools/**/*.test.ts'],
    isolate: false,
    // A third of the time is waiting for servers and processes, so two cores take three workers.
    maxWorkers: 3,
    globalSetup: ['packages/store/test/global-setup.ts'],
    // Patience, no measure: a machine that is busy with other things may take long for the same.
    testTimeout: 90_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 30_000 } },
  },
});
