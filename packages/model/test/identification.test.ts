import { DecodeError, MisuseError } from '@amiable/bytes';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type AssetView,
  assetDigits,
  type CheckRule,
  checkCharacter,
  checkCharacter43,
  checkDigit10,
  checkDigit11,
  eicCheck,
  flagToNumber,
  formatAssetNumber,
  formatDeviceNumber,
  formatGsrn,
  formatManufacturerSerial,
  makeAssetNumber,
  makeGsrn,
  parseAssetNumber,
  parseDeviceNumber,
  parseEic,
  parseGsrn,
  parseManufacturerSerial,
  passesCheck,
  verifyCheck,
} from '../src/index.ts';

const ISBN = { weights: [2, 3, 4, 5, 6, 7, 8, 9, 10], ten: 'X' } as const;
const digits = (least: number, most: number) =>
  fc.array(fc.integer({ min: 0, max: 9 }), { minLength: least, maxLength: most }).map((list) => list.join(''));

describe('check characters', () => {
  // Public numbers: EAN-13 of the Wikipedia article on the check digit, an SSCC and a GSRN of the EPC tag data standard, a Danish metering point worked out on malo-generator.de.
  test.each(['4006381333931', '106141411234567897', '061414112345678902', '571313001234567891'])(
    'modulo 10 of %s',
    (number) => {
      expect(checkDigit10(number.slice(0, -1))).toBe(number.at(-1));
    },
  );

  test('modulo 43 of the example of the HIBC standard', () => {
    expect(checkCharacter43('+A123BJC5D6E71')).toBe('G');
    expect(passesCheck('+A123BJC5D6E71G', 'modulo-43')).toBe(true);
  });

  // The register of Brønnøysund (weights 2 to 7), and two book numbers (weights 2 to 10), one with X.
  test('modulo 11 by two conventions', () => {
    expect(checkDigit11('97476067')).toBe('3');
    expect(checkDigit11('030640615', ISBN)).toBe('2');
    expect(checkDigit11('080442957', ISBN)).toBe('X');
    expect(checkDigit11('080442957', { ...ISBN, ten: '0' })).toBe('0');
    expect(() => checkDigit11('080442957', { ...ISBN, ten: 'not-issued' })).toThrow(DecodeError);
    expect(() => checkDigit11('1', { weights: [11], ten: 'X' })).toThrow(MisuseError);
    expect(() => checkDigit11('1', { weights: [], ten: 'X' })).toThrow(MisuseError);
  });

  const finds = (rule: CheckRule) =>
    fc.assert(
      fc.property(digits(1, 20), fc.nat(), fc.integer({ min: 1, max: 9 }), (payload, where, add) => {
        let number: string;
        try {
          number = payload + checkCharacter(payload, rule);
        } catch {
          return;
        }
        expect(passesCheck(number, rule)).toBe(true);
        const at = where % payload.length;
        const wrong = number.slice(0, at) + ((Number(number[at]) + add) % 10) + number.slice(at + 1);
        expect(passesCheck(wrong, rule)).toBe(false);
        const last = number.at(-1) === '5' ? '6' : '5';
        expect(passesCheck(payload + last, rule)).toBe(false);
      }),
    );
  test.each(['modulo-10', 'modulo-43', 'modulo-11', 'modulo-11-none'] as const)('%s finds every wrong digit', finds);

  test('0 for ten lets the digits pass whose remainder is 0 or 10, and no others', () => {
    fc.assert(
      fc.property(digits(1, 12), fc.nat(), fc.integer({ min: 1, max: 9 }), (payload, where, add) => {
        const number = payload + checkCharacter(payload, 'modulo-11-0');
        const at = where % payload.length;
        const other = payload.slice(0, at) + ((Number(payload[at]) + add) % 10) + payload.slice(at + 1);
        const pair = [checkDigit11(payload), checkDigit11(other)].sort().join('');
        expect(passesCheck(other + number.at(-1), 'modulo-11-0')).toBe(pair === '0X');
      }),
    );
  });

  const swapped = (rule: CheckRule, found: (a: number, b: number) => boolean) =>
    fc.assert(
      fc.property(digits(2, 20), fc.nat(), (payload, where) => {
        const at = where % (payload.length - 1);
        const [a, b] = [payload[at], payload[at + 1]] as [string, string];
        const other = payload.slice(0, at) + b + a + payload.slice(at + 2);
        expect(passesCheck(other + checkCharacter(payload, rule), rule)).toBe(!found(Number(a), Number(b)));
      }),
    );
  test('neighbours that changed places: modulo 10 finds them unless they differ by 5', () =>
    swapped('modulo-10', (a, b) => a !== b && Math.abs(a - b) !== 5));
  test('… modulo 11 all of them', () => swapped('modulo-11', (a, b) => a !== b));
  test('… modulo 43 none', () => swapped('modulo-43', () => false));

  test('what cannot have a check character is refused, with its place', () => {
    expect(() => checkDigit10('12x4')).toThrow(/"x".*byte 2/);
    expect(() => checkDigit10('')).toThrow(DecodeError);
    expect(() => checkCharacter43('aB')).toThrow(/byte 0/);
    expect(() => verifyCheck('7', 'modulo-10')).toThrow(/too short/);
    expect(() => verifyCheck('4006381333930', 'modulo-10')).toThrow(/should be 1.*byte 12/);
    expect(passesCheck('anything', 'none')).toBe(true);
  });
});

describe('asset numbers (8004), system description §5.7.3', () => {
  const views: [AssetView, string][] = [
    ['bar-code', '80047350028740014881'],
    ['clear', '(8004)7350028740014881'],
    ['read-out', '7350028740014881'],
  ];
  test.each(views)('%s both ways', (view, text) => {
    const asset = parseAssetNumber(text);
    expect(asset).toEqual({ country: '73', company: '5002874', reference: '001488', check: '1', rule: 'modulo-10' });
    expect(parseAssetNumber(text, {}, view)).toEqual(asset);
    expect(formatAssetNumber(asset, view)).toBe(text);
    expect(makeAssetNumber({ country: '73', company: '5002874', reference: '001488' })).toEqual(asset);
    for (const [other] of views)
      if (other !== view && other !== 'read-out') expect(() => parseAssetNumber(text, {}, other)).toThrow(DecodeError);
  });

  test('the read-out of the description has two digits too many, which its check digit cannot find', () => {
    expect(passesCheck('735002874840014881', 'modulo-10')).toBe(true);
    expect(() => parseAssetNumber('735002874840014881')).toThrow(/too many.*ends after 16/);
  });

  test('a read-out of country 80 is told from a bar code by its check', () => {
    const asset = makeAssetNumber({ country: '80', company: '0412345', reference: '678901' });
    expect(parseAssetNumber(assetDigits(asset))).toEqual(asset);
    expect(parseAssetNumber(assetDigits(asset), {}, 'read-out')).toEqual(asset);
  });

  test('all parts, rules and views both ways', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 10, max: 79 }).map(String),
        digits(1, 7),
        digits(1, 6),
        fc.constantFrom<CheckRule>('none', 'modulo-10', 'modulo-43', 'modulo-11', 'modulo-11-0'),
        fc.constantFrom<AssetView>('bar-code', 'clear', 'read-out'),
        (country, company, reference, rule, view) => {
          const asset = makeAssetNumber({ country, company, reference }, rule);
          const text = formatAssetNumber(asset, view);
          expect(parseAssetNumber(text, { rule, companyDigits: company.length }, view)).toEqual(asset);
        },
      ),
    );
  });

  test('wrong forms', () => {
    expect(() => parseAssetNumber('7350028740014882')).toThrow(/should be 1/);
    expect(() => parseAssetNumber('73500287400X4881')).toThrow(/"X".*byte 11/);
    expect(() => parseAssetNumber('7350028741')).toThrow(/too few/);
    expect(() => parseAssetNumber('')).toThrow(DecodeError);
    expect(() => parseAssetNumber('(8004)7350028740014881', {}, 'read-out')).toThrow(DecodeError);
    expect(() => parseAssetNumber('7350028740014881', { companyDigits: 8 })).toThrow(MisuseError);
    expect(() => makeAssetNumber({ country: '7', company: '5002874', reference: '1' })).toThrow(/country code/);
    expect(() => makeAssetNumber({ country: '73', company: '50028741', reference: '1' })).toThrow(/company prefix/);
    expect(() => makeAssetNumber({ country: '73', company: '5002874', reference: '' })).toThrow(/empty/);
  });
});

describe('metering points, parties and areas', () => {
  test('GSRN in three views', () => {
    for (const text of ['571313001234567891', '(8018)571313001234567891', '8018571313001234567891'])
      expect(parseGsrn(text)).toEqual({ number: '571313001234567891', check: '1' });
    const gsrn = makeGsrn('73599910000000001');
    for (const view of ['read-out', 'clear', 'bar-code'] as const)
      expect(parseGsrn(formatGsrn(gsrn, view))).toEqual(gsrn);
    expect(() => parseGsrn('571313001234567895')).toThrow(/should be 1/);
    expect(() => parseGsrn('57131300123456789')).toThrow(/18 digits, not 17/);
    expect(() => parseGsrn('57131300123456789x')).toThrow(/byte 17/);
    expect(() => makeGsrn('1')).toThrow(/17 digits/);
  });

  // Bidding zones and control areas out of ENTSO-E's public list.
  test.each([
    '10YNO-1--------2',
    '10YNO-2--------T',
    '10YSE-1--------K',
    '10YFI-1--------U',
    '10Y1001A1001A46L',
    '10YDK-1--------W',
    '10YGB----------A',
    '10YFR-RTE------C',
    '10YNL----------L',
  ])('EIC %s', (code) => {
    expect(parseEic(code)).toEqual({ code, office: '10', type: 'Y', check: code[15] });
    expect(eicCheck(code.slice(0, 15))).toBe(code[15]);
  });

  test('an EIC with any one character wrong, or two neighbours exchanged, is refused', () => {
    const code = '10Y1001A1001A46L';
    for (let at = 0; at < 16; at++) {
      for (const c of '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-')
        if (c !== code[at]) expect(() => parseEic(code.slice(0, at) + c + code.slice(at + 1))).toThrow(DecodeError);
      if (at < 15 && code[at] !== code[at + 1])
        expect(() => parseEic(code.slice(0, at) + code[at + 1] + code[at] + code.slice(at + 2))).toThrow(DecodeError);
    }
    expect(() => parseEic('10Y')).toThrow(/16 characters/);
    expect(() => parseEic('10Q1001A1001A46L')).toThrow(/third character/);
    expect(() => eicCheck('10y1001a1001a46')).toThrow(/"y"/);
  });
});

describe("makers' numbers", () => {
  test('device number of DIN 43863-5, plain and as on the plate', () => {
    const id = parseDeviceNumber('1EMH0012345678');
    expect(id).toEqual({ medium: '1', flag: 'EMH', block: '00', number: '12345678' });
    expect(formatDeviceNumber(id)).toBe('1EMH0012345678');
    expect(formatDeviceNumber(id, 'plate')).toBe('1 EMH00 1234 5678');
    expect(parseDeviceNumber('1 EMH00 1234 5678')).toEqual(id);
    for (const wrong of [
      '2EMH0012345678',
      '1EmH0012345678',
      '1EMH0G12345678',
      '1EMH001234567A',
      '1EMH00123456789',
      '',
      ' '.repeat(50),
    ])
      expect(() => parseDeviceNumber(wrong)).toThrow(DecodeError);
  });

  test('FLAG letters and number', () => {
    expect(parseManufacturerSerial('LGZ1030662')).toEqual({ flag: 'LGZ', serial: '1030662' });
    expect(formatManufacturerSerial({ flag: 'LGZ', serial: '1030662' })).toBe('LGZ1030662');
    // EN 13757: Kamstrup is 2D 2C on the wire, low octet first.
    expect(flagToNumber('KAM')).toBe(0x2c2d);
    for (const wrong of ['', 'LG', 'LGZ', 'lgz1', 'LGZ12345678901234', 'LGZ12 4'])
      expect(() => parseManufacturerSerial(wrong)).toThrow(DecodeError);
    expect(() => flagToNumber('KA')).toThrow(DecodeError);
    expect(() => flagToNumber('K1M')).toThrow(DecodeError);
  });

  test('whatever the text, parsers give a number or a DecodeError', () => {
    const parsers = [
      parseAssetNumber,
      parseGsrn,
      parseEic,
      parseDeviceNumber,
      parseManufacturerSerial,
      flagToNumber,
    ] as ((text: string) => unknown)[];
    fc.assert(
      fc.property(fc.oneof(fc.string(), digits(0, 30)), fc.constantFrom(...parsers), (text, parse) => {
        try {
          parse(text);
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
        }
      }),
    );
  });
});
