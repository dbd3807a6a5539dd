import { defineConfig } from 'vitest/config';

/** Faults of acquisition at length, about a minute: `npm run faults`; AMIABLE_FAULTS says how many workers are killed, AMIABLE_FAULTS_SEED how. */
export default defineConfig({
  test: {
    include: ['apps/central/test/acquisition-faults*.test.ts', 'apps/central/test/secrets.test.ts'],
    env: { AMIABLE_FAULTS: process.env.AMIABLE_FAULTS ?? '12' },
    maxWorkers: 2,
    expect: { poll: { timeout: 30_000 } },
    globalSetup: ['packages/store/test/global-setup.ts'],
    testTimeout: 300_000,
    hookTimeout: 120_000,
  },
});
