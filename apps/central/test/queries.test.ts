/** Moments as queries and bodies give them. */
import { expect, test } from 'vitest';
import { when } from '../src/http/queries.ts';

test.each([
  ['2026-10-01T00:00+02:00', Date.UTC(2026, 8, 30, 22)],
  ['2026-10-01T00:00Z', Date.UTC(2026, 9, 1)],
  ['2026-10-01T00:00:00.5-01:00', Date.UTC(2026, 9, 1, 1) + 500],
  ['1790805600000', 1_790_805_600_000],
])('%s is a moment', (text, at) => {
  expect(when.parse(text)).toBe(at);
});
test.each([
  '2026-10-01',
  '2026-10-01T00:00',
  '2026-13-01T00:00Z',
  '2026-10-01T25:00Z',
  'today',
  '2026-10-01T00:00+99:00',
])('%s is none', (text) => {
  expect(when.safeParse(text).success).toBe(false);
});
