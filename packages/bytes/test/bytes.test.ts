import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  crc16Arc,
  crc16En13757,
  crc16X25,
  crc24,
  DecodeError,
  fromHex,
  Reader,
  toHex,
  Writer,
  X25_RESIDUE,
  X25_START,
  x25Update,
} from '../src/index.ts';

const check = new TextEncoder().encode('123456789');

/** Bit by bit, as the standard writes it: the oracle for the table version. */
function slowX25(bytes: Uint8Array): number {
  let c = 0xffff;
  for (const b of bytes) {
    c ^= b;
    for (let k = 0; k < 8; k++) c = c & 1 ? (c >>> 1) ^ 0x8408 : c >>> 1;
  }
  return c ^ 0xffff;
}

describe('check sums', () => {
  it('give the published check values of "123456789"', () => {
    expect(crc16X25(check)).toBe(0x906e);
    expect(crc16Arc(check)).toBe(0xbb3d);
    // Eight octets a step, whatever is left over: in pieces the polynomial is linear, so leading zeros change nothing.
    for (let n = 0; n < 24; n++) expect(crc16Arc(Uint8Array.from([...new Uint8Array(n), ...check]))).toBe(0xbb3d);
    expect(crc16En13757(check)).toBe(0xc2b7);
  });
  it('X-25 by tables equals X-25 bit by bit, from any start, in any two parts', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(200), (bytes, cut) => {
        const c = crc16X25(bytes);
        expect(c).toBe(slowX25(bytes));
        const at = Math.min(cut, bytes.length);
        expect(x25Update(x25Update(X25_START, bytes, 0, at), bytes, at, bytes.length) ^ 0xffff).toBe(c);
        const sent = new Uint8Array([...bytes, c & 0xff, c >> 8]);
        expect(x25Update(X25_START, sent, 0, sent.length)).toBe(X25_RESIDUE);
      }),
    );
  });
  it('CRC-24 of a message followed by its sum is zero', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const c = crc24(bytes);
        expect(crc24(new Uint8Array([...bytes, c >> 16, (c >> 8) & 0xff, c & 0xff]))).toBe(0);
      }),
    );
  });
});

describe('hex', () => {
  it('goes both ways', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (b) => {
        expect(fromHex(toHex(b, ' '))).toEqual(b);
      }),
    );
  });
  it('says what is wrong and where', () => {
    expect(() => fromHex('7e zz')).toThrow(/"z" is no hex digit \(at byte 3\)/);
    expect(() => fromHex('7e a')).toThrow(DecodeError);
  });
});

describe('Reader and Writer', () => {
  it('are each other’s inverse', () => {
    fc.assert(
      fc.property(
        fc.nat(255),
        fc.nat(0xffff),
        fc.nat(0xffffff),
        fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
        (a, b, c, d) => {
          const r = new Reader(new Writer(1).u8(a).u16(b).u16le(b).u24(c).u32(c).u64(d).bytes([1, 2]).finish());
          expect([r.u8(), r.u16(), r.u16le(), r.u24(), r.u32(), r.u64(), toHex(r.bytes(2)), r.remaining]).toEqual([
            a,
            b,
            b,
            c,
            c,
            d,
            '0102',
            0,
          ]);
        },
      ),
    );
  });
  it('never reads past the end', () => {
    const r = new Reader(new Uint8Array(3));
    expect(() => r.u32('energy')).toThrow(/energy needs 4 bytes, 3 left \(at byte 0\)/);
    expect(() => new Reader(new Uint8Array(7)).u64()).toThrow(DecodeError);
  });
  it('reads signed numbers', () => {
    const r = new Reader(fromHex('ff fffe fffffffd fffffffffffffffc'));
    expect([r.i8(), r.i16(), r.i32(), r.i64()]).toEqual([-1, -2, -3, -4n]);
  });
});
