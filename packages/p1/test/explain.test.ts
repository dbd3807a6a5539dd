/** Every octet of a telegram is explained once, in order. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addParity, explainTelegram } from '../src/index.ts';
import { bytesOf, telegram, V5 } from './build.ts';
import { loadCases, VECTORS } from './cases.ts';

function covered(bytes: Uint8Array): void {
  let at = 0;
  for (const field of explainTelegram(bytes)) {
    expect(field.offset).toBe(at);
    expect(field.length).toBeGreaterThan(0);
    at += field.length;
  }
  expect(at).toBe(bytes.length);
}

describe('explainTelegram', () => {
  test('what it says', () => {
    const bytes = telegram([
      ...V5,
      '1-0:1.7.0(00.498*kW)',
      '0-0:96.13.0(486F69)',
      '0-1:24.1.0(003)',
      '0-1:96.1.0(4730303339303031363533303035323139)',
      '0-1:24.2.1(220528150000S)',
      '(05359.919*m3)',
      '0-2:24.2.3(632525252525W)(00000.000)',
      '***NO CARRIER***',
    ]);
    const texts = explainTelegram(bytes).map((f) => f.text);
    expect(texts[0]).toBe('identification ISK5\\2M550T-1012: Iskraemeco, type M550T-1012');
    expect(texts).toContain('220528151729S: 2022-05-28T13:17:29Z');
    expect(texts).toContain('1-0:1.7.0: activePowerImport');
    expect(texts).toContain('00.498*kW: 498 W');
    expect(texts).toContain('486F69: "Hoi"');
    expect(texts).toContain('0-1:24.2.1: gasVolume, device G0039001653005219');
    expect(texts).toContain('05359.919*m3: 5359.919 m3');
    expect(texts).toContain('632525252525W: no possible time, so nothing was measured');
    expect(texts).toContain('no data: ***NO CARRIER***');
    expect(texts.some((t) => /^check sum [0-9A-F]{4}, right$/.test(t))).toBe(true);
    expect(
      explainTelegram(telegram(V5, { crc: '0000' })).some((f) =>
        /^check sum 0000, wrong, the octets give/.test(f.text),
      ),
    ).toBe(true);
    expect(explainTelegram(addParity(bytes))[0]?.text).toMatch(/seven data bits and even parity, right$/);
    expect(explainTelegram(bytesOf('1.8.0(1)'))).toMatchObject([{ path: 'p1/error', offset: 0, length: 8 }]);
  });
  test('all octets of real telegrams, whole, cut, damaged', () => {
    // A ciphered telegram is explained by package dlms, and tested there.
    const cases = loadCases(VECTORS)
      .filter((one) => one.key === undefined)
      .map((one) => one.bytes);
    for (const one of cases) covered(one);
    fc.assert(
      fc.property(
        fc.constantFrom(...cases),
        fc.nat(),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 5 }),
        (one, cut, flips) => {
          const bytes = one.slice(0, cut % (one.length + 1));
          for (const [at, octet] of flips) if (bytes.length > 0) bytes[at % bytes.length] = octet;
          covered(bytes);
        },
      ),
      { numRuns: 60 },
    );
  });
});
