import { toHex } from '@amiable/bytes';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parsePaste } from '../src/explain/paste.ts';

const hexes = (text: string) => parsePaste(text).pieces.map((p) => toHex(p.bytes));

describe('pasted bytes', () => {
  it('reads bare hex in every dress', () => {
    for (const text of [
      '7EA00703219 30F017E',
      '7e a0 07 03 21 93 0f 01 7e',
      '7E:A0:07:03:21:93:0F:01:7E',
      '7E-A0-07-03-21-93-0F-01-7E',
      '0x7E, 0xA0, 0x07, 0x03, 0x21, 0x93, 0x0F, 0x01, 0x7E',
      'const uint8_t snrm[] = { 0x7E,0xA0,0x07,0x03,0x21,0x93,0x0F,0x01,0x7E };'.replace('const uint8_t snrm[] = ', ''),
      '"\\x7e\\xa0\\x07\\x03\\x21\\x93\\x0f\\x01\\x7e"',
      '7EA007 # SNRM\n03219 \n30F017E',
      '{"id":"x","raw":"7ea0070321930f017e","n":1}',
    ])
      expect(hexes(text), text).toEqual(['7ea0070321930f017e']);
  });

  it('says that half a byte is left over, and not that a line was', () => {
    expect(parsePaste('7EA00703219')).toMatchObject({ skipped: 0, odd: 1 });
    expect(hexes('7EA00703219')).toEqual(['7ea0070321']);
    expect(parsePaste('TX 7EA\nRX 7EA0')).toMatchObject({ skipped: 0, odd: 1 });
    expect(parsePaste('7EA00703219 30F017E')).toMatchObject({ skipped: 0, odd: 0 });
  });

  it('leaves offsets and text columns of dumps out', () => {
    const bytes = Uint8Array.from({ length: 40 }, (_, i) => (i * 7 + 0x20) & 0xff);
    const rows = (row: (offset: number, part: Uint8Array) => string) =>
      [0, 16, 32].map((at) => row(at, bytes.subarray(at, at + 16))).join('\n');
    const ascii = (part: Uint8Array) =>
      [...part].map((b) => (b > 31 && b < 127 ? String.fromCharCode(b) : '.')).join('');
    const canonical = rows(
      (at, part) =>
        `${at.toString(16).padStart(8, '0')}  ${toHex(part.subarray(0, 8), ' ')}  ${toHex(part.subarray(8), ' ')}  |${ascii(part)}|`,
    );
    const xxd = rows(
      (at, part) =>
        `${at.toString(16).padStart(8, '0')}: ${toHex(part).replace(/(....)(?=.)/g, '$1 ')}  ${ascii(part)}`,
    );
    const wireshark = rows((at, part) => `${at.toString(16).padStart(4, '0')}   ${toHex(part, ' ')}   ${ascii(part)}`);
    for (const text of [canonical, xxd, wireshark, `${wireshark}\n\n`])
      expect(hexes(text), text).toEqual([toHex(bytes)]);
    expect(hexes(`${canonical}\n${canonical}`)).toEqual([toHex(bytes), toHex(bytes)]);
  });

  it('tells the two ends of a log apart', () => {
    const { pieces, skipped } = parsePaste(
      [
        'Connected to 10.0.0.7',
        '[12:00:01.123] TX: 7E A0 07',
        '12:00:01.200 RX: 7E A0 1E',
        '  03 21',
        '--> C0 01 C1 00',
        '<- C4 01',
        '2026-11-20T12:00:00Z sent 01 02 03 04',
      ].join('\n'),
    );
    expect(pieces.map((p) => [p.direction, toHex(p.bytes), p.line])).toEqual([
      ['out', '7ea007', 2],
      ['in', '7ea01e0321', 3],
      ['out', 'c001c100', 5],
      ['in', 'c401', 6],
      ['out', '01020304', 7],
    ]);
    expect(skipped).toBe(1);
  });

  it('takes any text without a fault, and every byte of plain hex', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 400 }), (text) => {
        parsePaste(text);
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 200 }), fc.integer({ min: 1, max: 40 }), (bytes, width) => {
        const digits = toHex(bytes);
        const text = digits.match(new RegExp(`.{1,${width * 2}}`, 'g'))?.join('\n') ?? '';
        expect(hexes(text).join('')).toBe(digits);
      }),
    );
  });
});
