import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['packages/*/test/**/*.test.ts', 'apps/*/test/**/*.test.{ts,tsx}', 'tools/**/*.test.ts'],
    isolate: false,
    // Much of the time is waiting for servers and processes, so both cores get a worker.
    maxWorkers: 2,
    globalSetup: ['packages/store/test/global-setup.ts'],
    testTimeout: 20_000,
    hookTimeout: 30_000,
  },
});
