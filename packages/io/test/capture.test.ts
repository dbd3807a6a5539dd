import { toHex } from '@amiable/bytes';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { captureStage, formOf } from '../src/index.ts';

const ascii = (text: string) => new TextEncoder().encode(text);

function decode(pieces: Uint8Array[]): { hex: string; form: string | undefined; strange: number } {
  const stage = captureStage();
  let hex = '';
  for (const piece of pieces) hex += toHex(stage.push(piece));
  hex += toHex(stage.end());
  return { hex, form: stage.form, strange: stage.strange };
}

describe('captures', () => {
  it.each([
    ['7EA0', 'hex'],
    ['7e a0\r\n27', 'hex'],
    ['\ufeff7e', 'hex'],
    ['# a log\n7e:a0', 'hex'],
    ['0x7E, 0xA0', 'hex'],
    ['/KFM5KAIFA-METER\r\n', 'bytes'],
    ['\x02C.1.0(1)', 'bytes'],
    ['7e a0 zz', 'bytes'],
    ['   \n', undefined],
    ['', undefined],
    ['7', undefined],
  ])('%j is %s', (text, form) => {
    expect(formOf(ascii(text))).toBe(form);
  });
  it('takes frames for bytes', () => {
    expect(formOf(Uint8Array.of(0x7e, 0xa0, 0x27))).toBe('bytes');
    expect(formOf(Uint8Array.of(0x68, 0x31, 0x31, 0x68))).toBe('bytes');
  });
  it.each([
    ['7E A0 27', '7ea027'],
    ['7\nE\tA 0', '7ea0'],
    ['0x7e,0xA0, 0x0x', '7ea0'],
    ['00 0x00', '0000'],
    ['7e # flag 7e 7e\n a0', '7ea0'],
    ['\ufeff7ea0', '7ea0'],
    ['7e-a0:27;01', '7ea02701'],
  ])('reads %j', (text, hex) => {
    expect(decode([ascii(text)]).hex).toBe(hex);
  });
  it('counts what is no hex after the decision, and a digit without its pair', () => {
    const long = '7e'.repeat(3000);
    expect(decode([ascii(`${long}zz7ea`)])).toMatchObject({ form: 'hex', strange: 3 });
  });
  it('gives the same whole, byte by byte, and cut anywhere', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 2, maxLength: 200 }),
        fc.array(fc.constantFrom('', ' ', '\n', '\r\n', ', '), { minLength: 1, maxLength: 7 }),
        fc.boolean(),
        fc.integer({ min: 1, max: 50 }),
        (bytes, gaps, upper, step) => {
          let text = Array.from(bytes, (b, i) => toHex([b]) + gaps[i % gaps.length]).join('');
          if (upper) text = text.toUpperCase();
          const all = ascii(text);
          const pieces: Uint8Array[] = [];
          for (let at = 0; at < all.length; at += step) pieces.push(all.subarray(at, at + step));
          expect(decode(pieces)).toEqual({ hex: toHex(bytes), form: 'hex', strange: 0 });
        },
      ),
    );
  });
  it('passes bytes through unchanged however they are cut', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.integer({ min: 1, max: 20 }), (rest, step) => {
        const all = Uint8Array.from([0x7e, 0xa0, 0xff, ...rest]);
        const pieces: Uint8Array[] = [];
        for (let at = 0; at < all.length; at += step) pieces.push(all.subarray(at, at + step));
        expect(decode(pieces)).toEqual({ hex: toHex(all), form: 'bytes', strange: 0 });
      }),
    );
  });
  it('does not pile up a file of blanks', () => {
    const stage = captureStage();
    for (let i = 0; i < 200; i++) stage.push(ascii(' '.repeat(4096)));
    expect(toHex(stage.push(ascii(`7e${' '.repeat(5000)}`)))).toBe('7e');
    expect(stage.end()).toHaveLength(0);
  });
});
