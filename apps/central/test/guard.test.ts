import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createPacketGuard } from '../src/ingest/mqtt-guard.ts';

/** A PUBLISH of `n` bytes after the fixed header. */
function packet(n: number): number[] {
  const out = [0x32];
  let rest = n;
  do {
    out.push((rest % 128) | (rest >= 128 ? 0x80 : 0));
    rest = Math.floor(rest / 128);
  } while (rest > 0);
  return [...out, ...new Array<number>(n).fill(0xff)];
}

describe('the guard of the MQTT port', () => {
  it('passes packets up to the limit, however they are cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(300), { minLength: 1, maxLength: 6 }),
        fc.array(fc.integer({ min: 1, max: 50 })),
        (sizes, cuts) => {
          const guard = createPacketGuard(300);
          const bytes = new Uint8Array(sizes.flatMap(packet));
          let at = 0;
          for (const cut of [...cuts, bytes.length]) {
            expect(guard.check(bytes.subarray(at, at + cut))).toBe(true);
            at += cut;
          }
        },
      ),
    );
  });
  it('objects at the header of a packet that is too long, before its bytes come', () => {
    expect(createPacketGuard(300).check(new Uint8Array(packet(301).slice(0, 3)))).toBe(false);
    expect(createPacketGuard(1e9).check(new Uint8Array([0x32, 0xff, 0xff, 0xff, 0xff, 0x01]))).toBe(false);
  });
});
