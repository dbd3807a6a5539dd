/** Real telegrams with what others read in them: all in vectors/p1, and the larger set where it stands. */
import { describe, expect, test } from 'vitest';
import { keysOf, listen, loadCases, missing, SHARED, VECTORS } from './cases.ts';

for (const [where, folder] of [
  ['vectors/p1', VECTORS],
  ['the larger set', SHARED],
] as const) {
  const cases = loadCases(folder);
  describe.skipIf(cases.length === 0)(where, () => {
    for (const one of cases.filter((c) => c.kind !== 'stream'))
      test(`${one.name} (${one.kind})`, () => {
        const wrong = one.crcValid === false;
        const { messages, drops } = listen(one.bytes, { ...keysOf(one), bad: wrong });
        expect(messages).toHaveLength(1);
        expect(missing(one.objects, messages)).toEqual([]);
        const [m] = messages as [(typeof messages)[number]];
        expect(m.flags.includes('checksumBad')).toBe(wrong);
        expect(m.flags.includes('crcMissing')).toBe(one.crcValid === null && one.key === undefined);
        if (wrong) {
          expect(m.error?.reason).toBe('crc');
          expect(listen(one.bytes, keysOf(one)).messages).toEqual([]);
        } else expect(drops).toEqual([]);
        const marked = one.timestamp && !Number.isNaN(Date.parse(one.timestamp));
        if (marked) expect(m.time).toBe(Date.parse(one.timestamp as string));
      });
    for (const one of cases.filter((c) => c.kind === 'stream'))
      test(`${one.name} (stream)`, () => {
        const { messages, drops } = listen(one.bytes);
        const want = (one.json.crc_ok ?? one.json.complete) as number;
        expect(messages).toHaveLength(want);
        expect(drops.length).toBeGreaterThan(0);
        // Pieces as a serial port gives them change nothing.
        for (const piece of one.bytes.length > 10_000 ? [115] : [1, 7, 115]) {
          const again = listen(one.bytes, {}, piece);
          expect(again.drops).toEqual(drops);
          expect(again.messages.map((m) => m.id)).toEqual(messages.map((m) => m.id));
        }
      });
  });
}
