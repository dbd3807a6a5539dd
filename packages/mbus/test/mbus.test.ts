import { DecodeError, fromHex, toHex } from '@amiable/bytes';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  createMbusReceiver,
  decodeLongFrame,
  encodeLongFrame,
  encodeShortFrame,
  explainLongFrame,
  splitTransport,
  transportSegment,
} from '../src/index.ts';

const octet = fc.nat(255);
const long = fc.record({
  control: octet,
  address: octet,
  controlInformation: octet,
  data: fc.uint8Array({ maxLength: 252 }),
});
// Second frame of dlms_parser's Netz NOe capture (Apache-2.0).
const LAST = fromHex('6814146853FF110167419A3CFDA44BE438C96F0E38BF83D98316');

function run(bytes: Uint8Array, cuts: readonly number[], bus: boolean): string[] {
  const out: string[] = [];
  const r = createMbusReceiver({
    frame: (f, o) => out.push(`frame ${o} ${toHex(f.raw)} ${f.controlInformation} ${toHex(f.data)}`),
    drop: (d) => out.push(`drop ${d.reason} ${d.offset}+${d.length} ${toHex(d.excerpt)}`),
    ...(bus && {
      short: (c: number, a: number, o: number) => out.push(`short ${c} ${a} ${o}`),
      acknowledge: (o: number) => out.push(`ack ${o}`),
    }),
  });
  let at = 0;
  for (const cut of [...cuts, bytes.length]) {
    r.push(bytes.slice(at, cut));
    at = cut;
  }
  r.end();
  out.push(JSON.stringify(r.counters));
  return out;
}

describe('M-Bus frames', () => {
  test('long frames both ways', () => {
    fc.assert(
      fc.property(long, (f) => {
        const bytes = encodeLongFrame(f);
        const { raw, ...back } = decodeLongFrame(bytes);
        expect({ ...back, data: [...back.data] }).toEqual({ ...f, data: [...f.data] });
        expect(raw).toEqual(bytes);
      }),
    );
  });

  test('refuses with DecodeError and never otherwise; explanation never throws', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.uint8Array({ maxLength: 30 }), long.map(encodeLongFrame)),
        fc.nat(40),
        octet,
        (b, at, x) => {
          const bytes = b.map((v, i) => (i === at ? v ^ x : v));
          try {
            decodeLongFrame(bytes);
          } catch (e) {
            expect(e).toBeInstanceOf(DecodeError);
          }
          let next = 0;
          for (const f of explainLongFrame(bytes)) {
            expect(f.offset).toBe(next);
            next += f.length;
          }
        },
      ),
    );
  });

  test('DLMS segments', () => {
    expect(transportSegment(decodeLongFrame(LAST))).toMatchObject({
      sequence: 1,
      final: true,
      source: 1,
      destination: 0x67,
    });
    const apdu = Uint8Array.from({ length: 600 }, (_, i) => i);
    const parts = splitTransport(apdu, 1, 103).map((f) => transportSegment(decodeLongFrame(encodeLongFrame(f))));
    expect(parts.map((p) => [p?.sequence, p?.final])).toEqual([
      [0, false],
      [1, false],
      [2, true],
    ]);
    expect(Uint8Array.from(parts.flatMap((p) => [...(p?.data ?? [])]))).toEqual(apdu);
  });
});

describe('M-Bus receiver', () => {
  test('a refused frame does not take the next one with it', () => {
    const bytes = new Uint8Array([0x68, ...LAST.subarray(0, 12), ...LAST, 0xff, ...LAST]);
    const out = run(bytes, [], false);
    expect(out.map((o) => o.split(' ').slice(0, 2).join(' ')).slice(0, -1)).toEqual([
      'drop noise',
      'drop checksum',
      'frame 13',
      'drop noise',
      'frame 40',
    ]);
  });

  test('cuts change nothing', () => {
    const piece = fc.oneof(
      long.map(encodeLongFrame),
      fc.constantFrom(
        LAST,
        LAST.subarray(0, 9),
        fromHex('68'),
        fromHex('682020'),
        fromHex('E5'),
        encodeShortFrame(0x5b, 1),
      ),
      fc.uint8Array({ maxLength: 12 }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), fc.array(fc.nat(500)), fc.boolean(), (pieces, at, bus) => {
        const bytes = Uint8Array.from(pieces.flatMap((p) => [...p]));
        const whole = run(bytes, [], bus);
        expect(
          run(
            bytes,
            at.filter((c) => c < bytes.length).sort((a, b) => a - b),
            bus,
          ),
        ).toEqual(whole);
        expect(
          run(
            bytes,
            Array.from(bytes, (_, i) => i),
            bus,
          ),
        ).toEqual(whole);
      }),
    );
  });

  test('short frames and single characters only for who asks', () => {
    const bytes = new Uint8Array([0xe5, ...encodeShortFrame(0x5b, 3)]);
    expect(run(bytes, [], true).slice(0, 2)).toEqual(['ack 0', 'short 91 3 1']);
    expect(run(bytes, [], false)[0]).toMatch(/^drop noise 0\+6/);
  });
});
