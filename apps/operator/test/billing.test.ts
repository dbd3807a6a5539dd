/** `amiable bill`: days of bills are local days. */
import { expect, test } from 'vitest';
import { dayOf } from '../src/billing/read.ts';

test.each([
  ['2026-09-30T22:00:00Z', '2026-10-01'],
  ['2026-10-31T23:00:00Z', '2026-11-01'],
  ['2026-10-01T00:00:00Z', '2026-10-01'],
  ['2026-10-01T10:00:00Z', '2026-10-01'],
  ['2026-09-30T11:00:00Z', '2026-10-01'],
])('midnight of some zone at %s begins %s', (time, day) => {
  expect(dayOf(time)).toBe(day);
});
