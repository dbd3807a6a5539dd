import { DecodeError, fromHex, toHex } from '@amiable/bytes';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type AddressLength,
  decodeFrame,
  encodeFrame,
  explainFrame,
  lowerAddress,
  readAddress,
  upperAddress,
} from '../src/index.ts';

// Kaifa list 1, amshan tests/test_hdlc.py (MIT): 7E stands unstuffed in its data.
const KAIFA = fromHex(
  '7EA0270102011 05A87E6E7000F40000000090C07E4020F06011922FF80000002010600001 57EEA5E7E'.replaceAll(' ', ''),
);

const address = fc
  .constantFrom<AddressLength>(1, 2, 4)
  .chain((length) => fc.nat(2 ** (7 * length) - 1).map((value) => ({ value, length })));
export const parts = fc.record({
  segmented: fc.boolean(),
  destination: address,
  source: address,
  control: fc.nat(255),
  info: fc.uint8Array({ maxLength: 300 }),
});

describe('HDLC frame', () => {
  test('reads a real frame with a flag in its data, and writes it again', () => {
    const f = decodeFrame(KAIFA);
    expect(f.destination).toEqual({ value: 0, length: 1 });
    expect(f.source).toEqual({ value: 0x80, length: 2 });
    expect([upperAddress(f.source), lowerAddress(f.source)]).toEqual([1, 0]);
    expect(f.control).toBe(0x10);
    expect(toHex(f.info.subarray(0, 4))).toBe('e6e7000f');
    expect(toHex(encodeFrame(f))).toBe(toHex(KAIFA));
  });

  test('what is encoded decodes to the same, whatever the addresses', () => {
    fc.assert(
      fc.property(parts, (p) => {
        const { raw, ...f } = decodeFrame(encodeFrame(p));
        expect({ ...f, info: [...f.info] }).toEqual({ ...p, info: [...p.info] });
        expect(raw.length).toBe(encodeFrame(p).length - 2);
      }),
    );
  });

  test('an address of 0 keeps its length', () => {
    for (const length of [1, 2, 4] as const) {
      const f = decodeFrame(
        encodeFrame({ destination: { value: 0, length }, source: { value: 1, length: 1 }, control: 0x93 }),
      );
      expect(f.destination).toEqual({ value: 0, length });
      expect(f.info.length).toBe(0);
    }
    expect(readAddress(fromHex('02040681'), 0, 4).value).toBe((1 << 21) | (2 << 14) | (3 << 7) | 0x40);
  });

  test('refuses, with the reason, and never otherwise', () => {
    const reason = (bytes: Uint8Array) => {
      try {
        decodeFrame(bytes);
      } catch (e) {
        if (e instanceof DecodeError) return e.reason;
        throw e;
      }
      return 'good';
    };
    const flip = (at: number) => KAIFA.map((b, i) => (i === at ? b ^ 1 : b));
    expect(reason(flip(6))).toBe('hcs');
    expect(reason(flip(20))).toBe('fcs');
    expect(reason(flip(39))).toBe('fcs');
    expect(reason(KAIFA.subarray(0, 20))).toBe('truncated');
    expect(reason(fromHex('A0060301930000'))).toBe('length');
    expect(reason(fromHex('A008030113000000'))).toBe('length');
    expect(reason(fromHex('5008030193000000'))).toBe('format');
    expect(reason(new Uint8Array([...KAIFA, 0]))).toBe('trailing');
    expect(reason(fromHex('A00902020303930000'))).toBe('address');
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (b) => {
        reason(b);
        explainFrame(b);
      }),
    );
  });

  test('a frame too long for its length field is the caller’s mistake', () => {
    const end = { value: 1, length: 1 } as const;
    expect(() => encodeFrame({ destination: end, source: end, control: 0x13, info: new Uint8Array(2047) })).toThrow(
      /segments/,
    );
  });

  test('explains every octet once', () => {
    const fields = explainFrame(KAIFA);
    let at = 0;
    for (const f of fields) {
      expect(f.offset).toBe(at);
      at += f.length;
    }
    expect(at).toBe(KAIFA.length);
    expect(fields.map((f) => f.path.slice(5))).toEqual([
      'flag',
      'format',
      'destination',
      'source',
      'control',
      'hcs',
      'information',
      'fcs',
      'flag',
    ]);
    expect(fields.find((f) => f.path === 'hdlc/fcs')?.text).toMatch(/right/);
    const bad = explainFrame(KAIFA.map((b, i) => (i === 30 ? b ^ 4 : b)));
    expect(bad.find((f) => f.path === 'hdlc/fcs')?.text).toMatch(/wrong/);
  });
});
