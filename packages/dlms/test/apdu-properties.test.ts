/** What holds for every APDU of every type: both ways, as text, explained, and whatever is made of its bytes. */
import { DecodeError, type Field } from '@amiable/bytes';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeBySchema, encodeBySchema } from '../src/apdu/codec.ts';
import { type Apdu, type ApduType, apduFromText, apduText, decodeApdu, encodeApdu, explainApdu } from '../src/index.ts';
import { APDUS, apdu } from './arbitraries.ts';

/** Fields follow each other, and together they are all bytes. */
function expectWhole(fields: readonly Field[], length: number): void {
  let at = 0;
  for (const field of fields) {
    expect(field.offset).toBe(at);
    at += field.length;
  }
  expect(at).toBe(length);
}

describe.each(Object.keys(APDUS) as ApduType[])('%s', (type) => {
  it('reads back what it writes, as bytes and as text, and every byte is explained', () => {
    fc.assert(
      fc.property(APDUS[type] as fc.Arbitrary<Apdu>, (value) => {
        const bytes = encodeApdu(value);
        expect(decodeApdu(bytes)).toEqual(value);
        expect(apduFromText(apduText(value))).toEqual(bytes);
        const fields = explainApdu(bytes);
        expectWhole(fields, bytes.length);
        // What stands inside may be anything; the APDU itself has no fault.
        expect(fields.filter((f) => f.path === 'fault' || f.path === 'rest')).toEqual([]);
      }),
      { numRuns: 40 },
    );
  });
});

describe('hot decoders and encoders', () => {
  const hot = fc.oneof(
    APDUS['get-request-normal'],
    APDUS['get-request-next'],
    APDUS['get-response-normal'],
    APDUS['get-response-with-datablock'],
    APDUS.ciphered,
    APDUS['general-glo-ciphering'],
    APDUS['general-ded-ciphering'],
  ) as fc.Arbitrary<Apdu>;
  const outcome = (work: () => unknown): unknown => {
    try {
      return work();
    } catch (error) {
      return String(error);
    }
  };
  it('are equal to the layouts', () => {
    fc.assert(
      fc.property(
        hot,
        fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { maxLength: 2 }),
        fc.nat(500),
        (value, changes, cut) => {
          const whole = encodeApdu(value);
          expect(whole).toEqual(encodeBySchema(value));
          const bytes = cut < 300 ? whole.slice() : whole.slice(0, cut % (whole.length + 1));
          for (const [at, byte] of changes) if (at < bytes.length) bytes[at] = byte;
          expect(outcome(() => decodeApdu(bytes))).toEqual(outcome(() => decodeBySchema(bytes)));
        },
      ),
      { numRuns: 600 },
    );
  });
  it('refuse the same values', () => {
    const values: Apdu[] = [
      { type: 'get-request-next', invoke: 256, blockNumber: 1 },
      { type: 'get-request-next', invoke: 1, blockNumber: 2 ** 32 },
      { type: 'get-response-normal', invoke: 1, result: { data: new Uint8Array(0) } },
      { type: 'get-response-with-datablock', invoke: -1, lastBlock: true, blockNumber: 1, result: { error: 1 } },
      {
        type: 'get-request-normal',
        invoke: 1,
        attribute: { classId: 0x10000, instanceId: new Uint8Array(6), attributeId: 2 },
      },
      {
        type: 'get-request-normal',
        invoke: 1,
        attribute: { classId: 1, instanceId: new Uint8Array(5), attributeId: 2 },
      },
      {
        type: 'get-request-normal',
        invoke: 1,
        attribute: { classId: 1, instanceId: new Uint8Array(6), attributeId: 128 },
      },
    ];
    for (const value of values) {
      expect(() => encodeApdu(value)).toThrow(/fit|expected|tag at least/);
      expect(() => encodeBySchema(value)).toThrow(/fit|expected|tag at least/);
    }
  });
});

describe('damaged and random bytes', () => {
  const check = (bytes: Uint8Array): void => {
    try {
      decodeApdu(bytes);
    } catch (error) {
      expect(error).toBeInstanceOf(DecodeError);
    }
    expectWhole(explainApdu(bytes), bytes.length);
  };
  it('raise DecodeError or nothing; explaining never raises and leaves no byte out', () => {
    fc.assert(
      fc.property(
        apdu,
        fc.nat(700),
        fc.array(fc.tuple(fc.nat(700), fc.oneof(fc.nat(255), fc.constantFrom(0x7f, 0x80, 0x82, 0x84, 0xff))), {
          maxLength: 4,
        }),
        (value, cut, changes) => {
          const whole = encodeApdu(value);
          const bytes = cut % 3 === 0 ? whole.slice() : whole.slice(0, 1 + (cut % whole.length));
          for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
          check(bytes);
        },
      ),
      { numRuns: 800 },
    );
  });
  it('behind every tag', () => {
    fc.assert(
      fc.property(fc.nat(255), fc.uint8Array({ maxLength: 60 }), (tag, rest) => {
        check(Uint8Array.from([tag, ...rest]));
      }),
      { numRuns: 1500 },
    );
  });
  it('a text that is none raises DecodeError', () => {
    fc.assert(
      fc.property(apdu, fc.nat(3000), fc.string({ maxLength: 3 }), (value, at, insert) => {
        const text = apduText(value);
        const place = at % text.length;
        const odd = text.slice(0, place) + insert + text.slice(place + (at % 3));
        try {
          apduFromText(odd);
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
        }
      }),
      { numRuns: 400 },
    );
  });
  it('trailing bytes are refused', () => {
    fc.assert(
      fc.property(apdu, (value) => {
        const bytes = encodeApdu(value);
        // An invocation counter may follow an exception of older editions.
        fc.pre(value.type !== 'exception-response');
        const longer = new Uint8Array(bytes.length + 1);
        longer.set(bytes);
        expect(() => decodeApdu(longer)).toThrow(DecodeError);
      }),
    );
  });
});
