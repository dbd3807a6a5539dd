import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { refusalOf } from '../src/http/refusals.ts';

const shape = z
  .object({
    kind: z.enum(['meter', 'region']),
    limit: z.number().int().min(1).max(1000),
    meters: z.array(z.string().regex(/^[0-9]{1,19}$/)).max(2),
    name: z.string().min(1).max(5),
    way: z.string().regex(/^a+$/, 'only the letter a'),
    either: z.union([z.string(), z.object({ step: z.string(), which: z.enum(['done', 'all']) })]).optional(),
  })
  .strict();
const good = { kind: 'meter', limit: 5, meters: ['1'], name: 'n', way: 'aa' };
const told = (change: object): string => {
  const { error } = shape.safeParse({ ...good, ...change });
  return error ? refusalOf(error) : 'nothing';
};

describe('what a schema refuses', () => {
  it.each([
    [{}, 'nothing'],
    [{ kind: 'metre' }, 'kind: one of meter, region is wanted'],
    [{ kind: undefined }, 'kind: one of meter, region is wanted'],
    [{ name: undefined }, 'name: is missing'],
    [{ limit: 'x' }, 'limit: a number is wanted'],
    [{ limit: 1.5 }, 'limit: a whole number is wanted'],
    [{ limit: 1001 }, 'limit: at most 1000'],
    [{ limit: 0 }, 'limit: at least 1'],
    [{ meters: ['1', 'foo'] }, 'meters.1: a number is wanted'],
    [{ meters: ['1', '2', '3'] }, 'meters: at most 2 entries'],
    [{ name: 'too long' }, 'name: at most 5 characters'],
    [{ naam: 1 }, 'request: there is no "naam" here'],
    [{ way: 'b' }, 'way: only the letter a'],
    [{ either: { step: 'x', which: 'none' } }, 'either.which: one of done, all is wanted'],
  ])('%j is told in words', (change, words) => {
    expect(told(change)).toBe(words);
  });

  it('does not repeat what was sent', () => {
    const { error } = z.object({ password: z.string().max(3) }).safeParse({ password: 'secret word' });
    expect(refusalOf(error as z.ZodError)).toBe('password: at most 3 characters');
  });
});
