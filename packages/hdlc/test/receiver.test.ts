import { fromHex, toHex } from '@amiable/bytes';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createHdlcReceiver, createHdlcScanner, encodeFrame, type ScanOptions } from '../src/index.ts';

const LIST1 = fromHex(
  '7EA0270102011 05A87E6E7000F40000000090C07E4020F06011922FF80000002010600001 57EEA5E7E'.replaceAll(' ', ''),
);
const one = { value: 1, length: 1 } as const;
const frame = (n: number, fill: number) =>
  encodeFrame({ destination: one, source: one, control: 0x13, info: new Uint8Array(n).fill(fill) });
const cat = (...parts: Uint8Array[]) => Uint8Array.from(parts.flatMap((p) => [...p]));

/** Everything that comes out, as text, in order. */
function run(bytes: Uint8Array, cuts: readonly number[] = [], options: ScanOptions = {}): string[] {
  const out: string[] = [];
  const r = createHdlcReceiver(
    {
      frame: (f, offset) => out.push(`frame ${offset} ${toHex(f.raw)} ${f.segmented} ${f.control} ${f.info.length}`),
      drop: (d) => out.push(`drop ${d.reason} ${d.offset}+${d.length} ${toHex(d.excerpt)}`),
    },
    options,
  );
  let at = 0;
  for (const cut of [...cuts, bytes.length]) {
    r.push(bytes.slice(at, cut)); // a copy, as a socket gives
    at = cut;
  }
  r.end();
  out.push(JSON.stringify(r.counters));
  return out;
}
const kinds = (out: string[]) => out.slice(0, -1).map((o) => o.split(' ').slice(0, 2).join(' '));

describe('HDLC receiver', () => {
  test('flags shared, doubled and missing; 7E inside data; garbage before', () => {
    const shared = cat(LIST1, LIST1.subarray(1), new Uint8Array(5).fill(0x7e), LIST1, LIST1.subarray(0, 40));
    expect(kinds(run(shared))).toEqual(['frame 1', 'frame 41', 'frame 87', 'frame 128']);
    expect(kinds(run(cat(fromHex('00FF7E137EA000'), LIST1)))).toEqual(['drop length', 'frame 8']);
  });

  test('frames without any flag: at the beginning, and one behind the other', () => {
    const bare = LIST1.subarray(1, -1);
    expect(kinds(run(cat(bare, bare, LIST1, bare)))).toEqual(['frame 0', 'frame 39', 'frame 79', 'frame 119']);
    // Anywhere else a frame needs its flag, or noise would be looked at octet by octet.
    expect(kinds(run(cat(fromHex('00'), bare)))).toEqual(['drop noise']);
  });

  test('a lost tail does not take the next frame with it', () => {
    const out = kinds(run(cat(frame(100, 0x33).subarray(0, 60), LIST1, frame(30, 1), LIST1)));
    expect(out).toEqual(['drop fcs', 'frame 61', 'frame 102', 'frame 143']);
  });

  test('a frame is given with the last octet of its FCS, the flag need not come', () => {
    let got = 0;
    const r = createHdlcScanner({ frame: () => got++, drop: () => {} });
    r.push(LIST1.subarray(0, 39));
    expect(got).toBe(0);
    r.push(LIST1.subarray(39, 40));
    expect(got).toBe(1);
  });

  test('a silent line ends the wait for a tail that will not come', () => {
    const seen: string[] = [];
    const r = createHdlcScanner({ frame: () => seen.push('frame'), drop: (d) => seen.push(d.reason) });
    r.push(frame(200, 9).subarray(0, 150));
    r.idle();
    r.push(LIST1);
    expect(seen).toEqual(['truncated', 'frame']);
  });

  test('a bogus header dies at its HCS, not at its length', () => {
    let got = 0;
    const r = createHdlcScanner({ frame: () => got++, drop: () => {} });
    r.push(cat(fromHex('7EA7FF0301130102030405060708090A'), LIST1));
    expect(got).toBe(1);
  });

  test('cuts change nothing', () => {
    const piece = fc.oneof(
      { weight: 4, arbitrary: fc.record({ n: fc.nat(80), f: fc.nat(255) }).map((p) => frame(p.n, p.f)) },
      { weight: 2, arbitrary: fc.constant(LIST1) },
      fc.constantFrom(fromHex('7E'), fromHex('7EA0'), fromHex('7EA02A4108'), fromHex('7EA7FF03011304')),
      fc.tuple(fc.constant(LIST1), fc.nat(40)).map(([b, n]) => b.subarray(0, n)),
      fc.tuple(fc.constant(LIST1), fc.nat(40), fc.nat(255)).map(([b, n, x]) => b.map((v, i) => (i === n ? v ^ x : v))),
      fc.uint8Array({ maxLength: 30 }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), fc.array(fc.nat(600)), fc.boolean(), (pieces, at, refused) => {
        const bytes = cat(...pieces);
        const whole = run(bytes, [], { refused });
        const cuts = at.filter((c) => c < bytes.length).sort((a, b) => a - b);
        expect(run(bytes, cuts, { refused })).toEqual(whole);
        expect(
          run(
            bytes,
            Array.from(bytes, (_, i) => i),
            { refused },
          ),
        ).toEqual(whole);
      }),
      { numRuns: 300 },
    );
  });

  test('every octet is accounted for: frames, refused frames, noise and flags', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.constant(LIST1), fc.uint8Array({ maxLength: 60 })), { maxLength: 10 }),
        (pieces) => {
          const bytes = cat(...pieces);
          const seen = new Uint8Array(bytes.length);
          const r = createHdlcScanner({
            frame: (_b, start, _i, infoEnd, offset) => seen.fill(1, offset, offset + infoEnd + 2 - start),
            drop: (d) => seen.fill(1, d.offset, d.offset + d.length),
          });
          r.push(bytes);
          r.end();
          expect(bytes.every((b, i) => b === 0x7e || seen[i] === 1)).toBe(true);
        },
      ),
    );
  });
});

/** A repeatable source of numbers below n (mulberry32). */
function dice(seed: number): (n: number) => number {
  let s = seed;
  return (n) => {
    s = (s + 0x6d2b79f5) | 0;
    let t = Math.imul(s ^ (s >>> 15), 1 | s);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4294967296) * n);
  };
}

describe('damage', () => {
  test('no burst of up to 16 bits passes', () => {
    const roll = dice(1);
    const good = frame(120, 0x5a);
    let passed = 0;
    const r = createHdlcScanner({
      frame: (buf, start, _i, infoEnd) => {
        if (toHex(buf.subarray(start, infoEnd + 2)) !== toHex(good.subarray(1, -1))) passed++;
      },
      drop: () => {},
    });
    for (let k = 0; k < 20_000; k++) {
      const bad = good.slice();
      const bits = 1 + roll(16);
      const from = roll(bad.length * 8 - bits);
      const pattern = 1 | (1 << (bits - 1)) | roll(1 << bits);
      for (let b = 0; b < bits; b++)
        if ((pattern >> b) & 1) bad[(from + b) >> 3] = (bad[(from + b) >> 3] as number) ^ (1 << ((from + b) & 7));
      r.push(bad);
      r.idle();
    }
    expect(passed).toBe(0);
  });

  test('of frames damaged at random hardly one passes', () => {
    const roll = dice(5);
    const good = frame(60, 0x5a);
    let passed = 0;
    const r = createHdlcScanner({ frame: () => passed++, drop: () => {} });
    const count = 100_000;
    for (let k = 0; k < count; k++) {
      const bad = good.slice();
      // Behind the header, so that the FCS alone must tell.
      for (let n = 2 + roll(20); n > 0; n--) bad[8 + roll(bad.length - 9)] = roll(256);
      if (bad.every((b, i) => b === good[i])) continue;
      r.push(bad);
      r.idle();
    }
    // One in 65,536 is what 16 bits can do; five is far outside of that.
    expect(passed).toBeLessThanOrEqual(5);
  });

  test.each([1, 2, 3])(
    'with one in twenty of the frames damaged at least 99 in 100 of the others are found, seed %i',
    (seed) => {
      const roll = dice(seed);
      let expected = 0;
      let found = 0;
      const r = createHdlcScanner({ frame: () => found++, drop: () => {} });
      for (let k = 0; k < 20_000; k++) {
        const info = Uint8Array.from({ length: 20 + roll(300) }, () => roll(256));
        let bytes = encodeFrame({ destination: one, source: { value: 0x80, length: 2 }, control: 0x10, info });
        if (roll(100) < 5) {
          const kind = roll(4);
          if (kind === 0)
            bytes = bytes.subarray(0, roll(bytes.length)); // tail lost
          else if (kind === 1)
            bytes = bytes.subarray(roll(bytes.length)); // head lost
          else if (kind === 2) bytes[roll(bytes.length)] = roll(256);
          else for (let n = roll(30); n >= 0; n--) bytes[roll(bytes.length)] = roll(256);
        } else expected++;
        r.push(bytes);
      }
      r.end();
      expect(found).toBeGreaterThanOrEqual(expected * 0.99);
      expect(r.counters.good).toBe(found);
    },
  );
});
