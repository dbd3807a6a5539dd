import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decimal, type Item, type Message, messageId, messageToJson, parseDecimal, toNumber } from '../src/index.ts';
import { MessageFormatError, messageFromJson } from '../src/schemas.ts';

const voltage: Item = { obis: '1-0:32.7.0', name: 'voltageL1', unit: 'V', scaler: -1, between: 'L1-L2' };
const energy: Item = { obis: '1-0:1.8.0', name: 'activeEnergyImport', unit: 'Wh', scaler: 0 };
const version: Item = { obis: '1-1:0.2.129', name: 'listVersion', scaler: 0 };
const message: Message = {
  v: 1,
  id: '00112233445566778899aabbccddeeff',
  reader: 'attic',
  port: 'han0',
  protocol: 'han',
  maker: 'Kaifa',
  meterId: '6970631401753985',
  time: Date.UTC(2017, 8, 15, 3, 33, 40),
  meterTime: '2017-09-15T05:33:40',
  receivedAt: Date.UTC(2026, 0, 1, 12),
  flags: ['meterIdInherited'],
  items: [version, voltage, energy],
  values: ['KFM_001', 2380, 9_007_199_254_740_993n],
  times: [undefined, undefined, Date.UTC(2017, 8, 15, 3)],
  raw: new Uint8Array([0x7e, 0xa0]),
};

describe('decimals', () => {
  it('print the scaler as decimals', () => {
    expect(decimal(2300, -1)).toBe('230.0');
    expect(decimal(-5, -3)).toBe('-0.005');
    expect(decimal(12, 3)).toBe('12000');
    expect(decimal(0, 2)).toBe('0');
  });
  it('go both ways without loss', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }), fc.integer({ min: -20, max: 0 }), (m, s) => {
        const back = parseDecimal(decimal(m, s));
        expect(back && [BigInt(back.mantissa), back.scaler]).toEqual([m, s]);
      }),
    );
  });
  it('refuse what is none or too large', () => {
    for (const bad of ['', '1.', '.5', '0x10', '1e999', 'NaN', '9223372036854775808', '1 000'])
      expect(parseDecimal(bad)).toBeUndefined();
    expect(parseDecimal('1.5e3')).toEqual({ mantissa: 1500, scaler: 0 });
    expect(toNumber(2385, -1)).toBe(238.5);
  });
});

describe('canonical JSON', () => {
  it('keeps exact decimals, strings beyond 2^53, and leaves raw out unless asked', () => {
    const line = messageToJson(message);
    expect(line).toContain('"value":238.0,"unit":"V","between":"L1-L2"}');
    expect(line).toContain('"value":"9007199254740993"');
    expect(line).toContain('"time":"2017-09-15T03:33:40Z"');
    expect(line).toContain('"time":"2017-09-15T03:00:00Z"');
    expect(line).not.toContain('raw');
    expect(messageToJson(message, { raw: true })).toContain('"raw":"7ea0"');
  });
  it('comes back as it went, trailing zeros of a decimal excepted', () => {
    const back = messageFromJson(JSON.parse(messageToJson(message, { raw: true })));
    expect(back.values).toEqual(['KFM_001', 238, 9_007_199_254_740_993n]);
    expect(back.times).toEqual(message.times);
    expect(back.raw).toEqual(message.raw);
    expect(back.time).toBe(message.time);
    expect(messageFromJson(JSON.parse(messageToJson(message))).items).toBe(back.items);
  });
  it('keeps the bytes of readings that nobody knows', () => {
    const odd = { ...message, raws: [undefined, '060a', undefined] };
    const line = messageToJson(odd);
    expect(line.match(/"raw":"[0-9a-f]*"/g)).toEqual(['"raw":"060a"']);
    expect(messageFromJson(JSON.parse(line)).raws).toEqual(odd.raws);
  });
  it('refuses everything else and says where', () => {
    const json = JSON.parse(messageToJson(message));
    const say = (change: object) => {
      try {
        messageFromJson({ ...json, ...change });
        return 'accepted';
      } catch (error) {
        expect(error).toBeInstanceOf(MessageFormatError);
        return (error as Error).message;
      }
    };
    expect(say({ v: 2 })).toBe('v: only version 1 is known');
    expect(say({ id: 'x' })).toBe('id: 32 hexadecimal digits');
    expect(say({ extra: 1 })).toMatch(/extra/);
    expect(say({ flags: ['odd'] })).toMatch(/^flags.0/);
    expect(say({ readings: [{ name: 'a', value: null }] })).toMatch(/^readings.0.value/);
    expect(say({ readings: [{ name: 'a', value: 1e300 }] })).toMatch(/64 bits/);
    expect(say({ readings: [{ obis: '1-0:1.7.300', name: 'a', value: 1 }] })).toMatch(/at most 255/);
    expect(say({ time: 'yesterday' })).toMatch(/^time/);
    for (const junk of [null, 1, 'x', [], {}]) expect(() => messageFromJson(junk)).toThrow(MessageFormatError);
  });
});

describe('message id', () => {
  it('is stable, and changes with port, stamp and any byte', () => {
    expect(messageId('han0', '2026', new Uint8Array([1, 2, 3]))).toMatchInlineSnapshot(
      `"b92f36b786ade22045754a427928943d"`,
    );
    expect(messageId('han0', 1.5e12, new Uint8Array([1, 2, 3]))).not.toBe(
      messageId('han0', 1.5e12 + 2 ** 32, new Uint8Array([1, 2, 3])),
    );
    expect(messageId('han0', 1, new Uint8Array([1, 2, 3]))).not.toBe(messageId('han0', 2, new Uint8Array([1, 2, 3])));
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 200 }),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        (raw, at, flip) => {
          const id = messageId('p', 's', raw);
          expect(id).toMatch(/^[0-9a-f]{32}$/);
          const other = raw.slice();
          other[at % raw.length] = (other[at % raw.length] as number) ^ flip;
          expect(
            new Set([
              id,
              messageId('p', 's', other),
              messageId('q', 's', raw),
              messageId('p', 't', raw),
              messageId('p', 's', new Uint8Array([...raw, 0])),
            ]).size,
          ).toBe(5);
        },
      ),
    );
  });
});
