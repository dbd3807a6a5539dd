/** Learnt layouts against the book: whatever bytes come, a decoder that learns and one that does not say the same. */
import { readFileSync } from 'node:fs';
import { messageToJson } from '@amiable/model';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createP1Decoder, decodeTelegram, encodeTelegram, type Telegram } from '../src/index.ts';
import { join } from './build.ts';
import { loadCases, VECTORS } from './cases.ts';

const cases = loadCases(VECTORS).filter((one) => one.key === undefined && one.kind !== 'stream');
const telegrams = cases.filter((one) => one.crcValid !== false).map((one) => decodeTelegram(one.bytes));

/** What one decoder says of a stream: messages as JSON, drops. */
function said(bytes: Uint8Array, layouts: number | undefined, piece: number) {
  const out: string[] = [];
  const decoder = createP1Decoder(
    { reader: 'r', port: 'p', now: () => 0, bad: true, layouts },
    {
      message: (m) => out.push(messageToJson(m, { raw: true })),
      drop: (d) => out.push(`${d.reason} ${d.offset} ${d.length}`),
    },
  );
  for (let at = 0; at < bytes.length; at += piece) decoder.push(bytes.slice(at, at + piece));
  decoder.end();
  return { out, learnt: decoder.counters.learnt };
}

const digit = fc.integer({ min: 0, max: 9 });
/** A telegram of a real meter with other digits in some values, or other characters. */
const variant = (base: Telegram) =>
  fc
    .array(
      fc.tuple(
        fc.nat(),
        fc.nat(),
        fc.oneof(
          { weight: 9, arbitrary: digit.map(String) },
          { weight: 1, arbitrary: fc.constantFrom('.', '*', '-', '/', '!', 'S', 'W', 'x', ' ') },
        ),
      ),
      { maxLength: 8 },
    )
    .map((changes): Telegram => {
      const objects = base.objects.map((o) => ({ address: o.address, values: [...o.values] }));
      for (const [where, place, char] of changes) {
        const values = objects[where % objects.length]?.values as string[];
        const i = where % values.length;
        const value = values[i] as string;
        if (value === '') continue;
        const at = place % value.length;
        if (/\d/.test(value[at] as string) || !/\d/.test(char))
          values[i] = value.slice(0, at) + char + value.slice(at + 1);
      }
      return { ...base, objects };
    });

describe('learnt and by the book', () => {
  test('the same for variants of real telegrams, whole or in pieces', () => {
    let learnt = 0;
    fc.assert(
      fc.property(
        fc.constantFrom(...telegrams).chain((base) => fc.array(variant(base), { minLength: 2, maxLength: 5 })),
        fc.constantFrom(1 << 20, 64),
        (sent, piece) => {
          const bytes = join(...sent.map(encodeTelegram));
          const a = said(bytes, undefined, piece);
          learnt += a.learnt;
          expect(a.out).toEqual(said(bytes, 0, piece).out);
        },
      ),
      { numRuns: 80 },
    );
    expect(learnt).toBeGreaterThan(20);
  });

  test('the same for damaged streams', () => {
    const stream = join(...telegrams.slice(0, 6).flatMap((one) => [encodeTelegram(one), encodeTelegram(one)]));
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(stream.length - 1), fc.nat(255)), { maxLength: 6 }),
        fc.nat(2000),
        (flips, cut) => {
          const bytes = stream.slice(cut);
          for (const [at, octet] of flips) bytes[at % bytes.length] = octet;
          expect(said(bytes, undefined, 1 << 20).out).toEqual(said(bytes, 0, 1 << 20).out);
        },
      ),
      { numRuns: 40 },
    );
  });

  test('nearly all telegrams of a meter go along its learnt layout', () => {
    const text = readFileSync(`${VECTORS}wassasin_t211.txt`);
    const base = decodeTelegram(new Uint8Array(text));
    const bytes = join(
      ...Array.from({ length: 60 }, (_, i) =>
        encodeTelegram({
          ...base,
          objects: base.objects.map((o) =>
            o.address === '0-0:1.0.0' ? { ...o, values: [`2311242157${String(i).padStart(2, '0')}W`] } : o,
          ),
        }),
      ),
    );
    const { out, learnt } = said(bytes, undefined, 1 << 20);
    expect(out).toHaveLength(60);
    expect(learnt).toBe(59);
    // A serial port's small pieces learn as well.
    expect(said(bytes, undefined, 100).learnt).toBe(59);
  });
});

describe('telegrams as text', () => {
  test('what is written is read again, and real telegrams come back byte for byte', () => {
    for (const one of cases.filter((c) => c.crcValid === true)) {
      const text = Buffer.from(one.bytes)
        .toString('latin1')
        .replace(/(![0-9A-Fa-f]{4})[\r\n]*$/, '$1\r\n');
      const again = Buffer.from(encodeTelegram(decodeTelegram(one.bytes))).toString('latin1');
      // Belgium and some Luxembourg meters leave out the empty line behind the identification.
      if (/^[^\r]*\r\n\r\n/.test(text)) expect(again).toBe(text);
    }
  });
  test('any address and value without brackets and line ends', () => {
    const char = fc.integer({ min: 0x20, max: 0x7e }).map((c) => String.fromCharCode(c));
    const value = fc.string({ unit: char, maxLength: 40 }).map((s) => s.replace(/[()]/g, '-'));
    const address = fc.string({ unit: char, minLength: 1, maxLength: 20 }).map((s) => `1${s.replace(/[()]/g, '.')}`);
    fc.assert(
      fc.property(
        fc.array(fc.record({ address, values: fc.array(value, { minLength: 1, maxLength: 4 }) }), { maxLength: 10 }),
        fc.constantFrom('crc16' as const, 'none' as const),
        (objects, checksum) => {
          const telegram: Telegram = { identification: 'ABC5\\2x', objects, checksum };
          expect(decodeTelegram(encodeTelegram(telegram))).toEqual(telegram);
        },
      ),
      { numRuns: 100 },
    );
  });
});
