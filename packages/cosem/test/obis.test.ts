import { DecodeError, MisuseError } from '@amiable/bytes';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { obisFromBytes, obisGroups, obisToBytes, parseObis, printObis } from '../src/index.ts';

describe('reading codes', () => {
  const cases: [text: string, canonical: string | undefined][] = [
    ['1-0:1.8.0', '1-0:1.8.0'],
    ['1-0:1.8.0*255', '1-0:1.8.0'],
    ['1-0:1.8.0*03', '1-0:1.8.0*3'],
    ['1-0:1.8.0&3', '1-0:1.8.0*3'],
    ['1.8.0', '1-0:1.8.0'],
    ['1.8.0*15', '1-0:1.8.0*15'],
    ['1.0.1.8.0.255', '1-0:1.8.0'],
    ['0.1.24.2.1.255', '0-1:24.2.1'],
    ['C.1.0', '1-0:96.1.0'],
    ['c.7.1', '1-0:96.7.1'],
    ['F.F', '1-0:97.97.0'],
    ['F.F.0', '1-0:97.97.0'],
    ['L.1.0', '1-0:98.1.0'],
    ['P.1', '1-0:99.1.0'],
    ['0-0:C.1.0', '0-0:96.1.0'],
    ['1-1.8.0', '1-0:1.8.0'],
    ['', undefined],
    ['1', undefined],
    ['1.8.256', undefined],
    ['1-0:1.8.0.5', undefined],
    ['power', undefined],
    ['1-0:1.8.0*', undefined],
  ];
  for (const [text, canonical] of cases)
    it(`${JSON.stringify(text)} is ${canonical}`, () => {
      // `1-1.8.0` has a medium but no channel.
      expect(parseObis(text)).toBe(canonical);
    });
});

describe('codes', () => {
  const byte = fc.nat(255);
  it('go through text, bytes and groups and back', () => {
    fc.assert(
      fc.property(fc.record({ a: byte, b: byte, c: byte, d: byte, e: byte, f: byte }), (obis) => {
        const text = printObis(obis);
        expect(obisGroups(text)).toEqual(obis);
        expect(parseObis(text)).toBe(text);
        expect(obisFromBytes(obisToBytes(text))).toBe(text);
        expect(parseObis(Object.values(obis).join('.'))).toBe(text);
      }),
    );
  });
  it('any text gives a canonical code or nothing', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const code = parseObis(text);
        if (code !== undefined) expect(parseObis(code)).toBe(code);
      }),
    );
  });
  it('wrong ones tell what to write', () => {
    expect(() => obisToBytes('x')).toThrow(MisuseError);
    expect(() => obisToBytes('x')).toThrow(/1-0:1.8.0/);
    expect(() => obisFromBytes(new Uint8Array(5))).toThrow(DecodeError);
  });
});
