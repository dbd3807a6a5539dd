import { defineConfig } from 'vitest/config';

/** The long test of the pages in a real Chromium: `npm run test:pages`; PAGES=quick looks at a few of the combinations. */
export default defineConfig({
  test: {
    include: ['apps/{web,reader}/test/pages/*.pages.ts'],
    maxWorkers: 2,
    expect: { poll: { timeout: 30_000 } },
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
