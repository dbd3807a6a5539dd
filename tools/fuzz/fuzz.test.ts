import { describe, expect, test } from 'vitest';
import { dice, loadCorpus } from './inputs.ts';
import { fuzz } from './run.ts';
import { TARGETS, target } from './targets.ts';

describe('fuzz, in short', () => {
  const corpus = loadCorpus();
  test.each(TARGETS)('%s refuses what is odd and nothing else happens', (name) => {
    const result = fuzz(target(name, corpus, dice(42)), { count: 400, limit: 2000, maxGrowth: 32 << 20, quick: true });
    expect(result.findings).toEqual([]);
  });
});
