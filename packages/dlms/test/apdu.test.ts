import { DecodeError, fromHex, toHex } from '@amiable/bytes';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Apdu,
  createBlockJoiner,
  decodeApdu,
  encodeApdu,
  encodeDataNotification,
  explainApdu,
  type GeneralBlockTransfer,
  number,
  structure,
} from '../src/index.ts';
import { data, dateTime } from './arbitrary.ts';

const DATE = '07E401190 60D091EFF800000'.replace(' ', '');
const BODY = '0201 0600002611';

describe('Data-Notification', () => {
  const forms = { none: '00', length: `0C${DATE}`, tagged: `090C${DATE}`, bare: DATE };
  for (const [form, hex] of Object.entries(forms))
    it(`date-time ${form}, both ways`, () => {
      const bytes = fromHex(`0F40000000${hex}${BODY}`);
      const apdu = decodeApdu(bytes);
      expect(apdu).toMatchObject({ type: 'data-notification', invokeId: 0x40000000, dateTimeForm: form });
      if (form !== 'none') expect(apdu).toMatchObject({ dateTime: { year: 2020, hour: 13, second: 30 } });
      expect(toHex(encodeApdu(apdu))).toBe(toHex(bytes));
    });
  it('is made as Kaifa makes it', () => {
    const apdu = encodeDataNotification(structure(number('double-long-unsigned', 9745)), {
      invokeId: 0x40000000,
      dateTime: { year: 2020, month: 1, day: 25, weekday: 6, hour: 13, minute: 9, second: 30, status: 0 },
      form: 'tagged',
    });
    expect(toHex(apdu)).toBe(toHex(fromHex(`0F40000000090C${DATE}${BODY}`)));
  });
  it('refuses what follows its end, and other tags', () => {
    expect(() => decodeApdu(fromHex(`0F4000000000${BODY}00`))).toThrow(/follow the end/);
    expect(() => decodeApdu(fromHex('C001'))).toThrow(DecodeError);
    expect(() => decodeApdu(new Uint8Array(0))).toThrow(DecodeError);
    expect(() => decodeApdu(fromHex(`0F40000000 05${BODY}`))).toThrow(/date-time/);
  });
});

const block: fc.Arbitrary<GeneralBlockTransfer> = fc.record({
  type: fc.constant('general-block-transfer' as const),
  lastBlock: fc.boolean(),
  streaming: fc.boolean(),
  window: fc.nat(63),
  blockNumber: fc.nat(0xffff),
  blockNumberAcknowledged: fc.nat(0xffff),
  block: fc.uint8Array({ maxLength: 200 }),
});
const apdu = fc.oneof(
  block,
  fc.record({
    type: fc.constantFrom('general-glo-ciphering' as const, 'general-ded-ciphering' as const),
    systemTitle: fc.oneof(fc.uint8Array({ minLength: 8, maxLength: 8 }), fc.constant(new Uint8Array(0))),
    content: fc.uint8Array({ maxLength: 300 }),
  }),
  fc.record({
    type: fc.constant('data-notification' as const),
    invokeId: fc.nat(0xffffffff),
    dateTimeForm: fc.constant('none' as const),
    body: data,
  }),
  fc.record({
    type: fc.constant('data-notification' as const),
    invokeId: fc.nat(0xffffffff),
    dateTimeForm: fc.constantFrom('length' as const, 'tagged' as const),
    dateTime,
    body: data,
  }),
) as fc.Arbitrary<Apdu>;

describe('APDUs', () => {
  it('read back whatever they write', () => {
    fc.assert(
      fc.property(apdu, (value) => {
        expect(decodeApdu(encodeApdu(value))).toEqual(value);
      }),
    );
  });
  it('cut or damaged they raise DecodeError or nothing; explaining never raises and leaves no byte out', () => {
    fc.assert(
      fc.property(
        apdu,
        fc.nat(700),
        fc.array(fc.tuple(fc.nat(700), fc.nat(255)), { maxLength: 4 }),
        (value, cut, changes) => {
          const whole = encodeApdu(value);
          const bytes = whole.slice(0, 1 + (cut % whole.length));
          for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
          try {
            decodeApdu(bytes);
          } catch (error) {
            expect(error).toBeInstanceOf(DecodeError);
          }
          let at = 0;
          for (const field of explainApdu(bytes)) {
            expect(field.offset).toBe(at);
            at += field.length;
          }
          expect(at).toBe(bytes.length);
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('joining blocks', () => {
  const piece = (blockNumber: number, hex: string, lastBlock = false): GeneralBlockTransfer => ({
    type: 'general-block-transfer',
    lastBlock,
    streaming: true,
    window: 0,
    blockNumber,
    blockNumberAcknowledged: 0,
    block: fromHex(hex),
  });
  it('in order', () => {
    const joiner = createBlockJoiner();
    expect(joiner.push(piece(1, '0A0B'))).toBeUndefined();
    expect(joiner.waiting).toBe(2);
    expect(joiner.push(piece(2, '0C'))).toBeUndefined();
    expect(joiner.push(piece(3, '0D', true))).toEqual(fromHex('0A0B0C0D'));
    expect(joiner.waiting).toBe(0);
  });
  it('a repeated block adds nothing', () => {
    const joiner = createBlockJoiner();
    joiner.push(piece(1, '01'));
    joiner.push(piece(2, '02'));
    joiner.push(piece(2, '02'));
    expect(joiner.push(piece(3, '03', true))).toEqual(fromHex('010203'));
  });
  it('a gap loses the APDU, a new start mends it', () => {
    const joiner = createBlockJoiner();
    joiner.push(piece(1, '01'));
    expect(() => joiner.push(piece(3, '03'))).toThrow(/block 3 came where block 2 was due/);
    expect(() => joiner.push(piece(4, '04', true))).toThrow(DecodeError);
    joiner.push(piece(1, '0A'));
    expect(joiner.push(piece(2, '0B', true))).toEqual(fromHex('0A0B'));
  });
  it('a lost tail gives way to the next start', () => {
    const joiner = createBlockJoiner();
    joiner.push(piece(1, '01'));
    joiner.push(piece(1, '0A'));
    expect(joiner.push(piece(2, '0B', true))).toEqual(fromHex('0A0B'));
  });
  it('is bounded, and keeps no views', () => {
    const joiner = createBlockJoiner(4);
    const bytes = fromHex('010203');
    joiner.push({ ...piece(1, ''), block: bytes });
    bytes.fill(9);
    expect(joiner.push(piece(2, '04', true))).toEqual(fromHex('01020304'));
    joiner.push(piece(1, '010203'));
    expect(() => joiner.push(piece(2, '0405'))).toThrow(/more than 4 bytes/);
    expect(joiner.waiting).toBe(0);
  });
});
