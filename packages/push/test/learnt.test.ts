/**
 * Learnt layouts against the book: whatever bytes come, a decoder that learns and one that does not say the same, value for
 * value or fault for fault.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { DecodeError, toHex } from '@amiable/bytes';
import { type Data, dateTimeBytes, dateTimeOf, encodeDataNotification } from '@amiable/dlms';
import { messageToJson } from '@amiable/model';
import { messageFromJson } from '@amiable/model/schemas';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planByTheBook } from '../src/decoder.ts';
import { createPushDecoder, type PushDecoder, type PushMessage } from '../src/index.ts';
import { KIND } from '../src/read.ts';
import { apduOf } from './frames.ts';

const folder = fileURLToPath(new URL('../../../vectors/han/', import.meta.url));
const frames = readdirSync(folder)
  .filter((name) => name.endsWith('.json') && !name.startsWith('stream'))
  .map((name) => {
    const capture = JSON.parse(readFileSync(folder + name, 'utf8'));
    return {
      name: name.slice(0, -5),
      apdu: apduOf(readFileSync(folder + name.replace(/json$/, 'hex'), 'utf8'), capture),
    };
  });

type Told = { readonly message: PushMessage } | { readonly fault: string };

function tell(decoder: PushDecoder, apdu: Uint8Array): Told {
  try {
    return { message: decoder.decode(apdu, 1_600_000_000_000) };
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    return { fault: `${error.reason} ${error.message} ${error.offset}` };
  }
}

/** Two decoders that have seen the same; true when the learning one used what it had learnt. */
function pair(options: { zone?: string } = {}) {
  const learning = createPushDecoder(options);
  const book = createPushDecoder({ ...options, layouts: 0 });
  return (apdu: Uint8Array): boolean => {
    const before = learning.counters.learnt;
    const a = tell(learning, apdu);
    const b = tell(book, apdu);
    if ('message' in a && 'message' in b) {
      // Mostly the very same object; the store of rows is bounded.
      if (a.message.items !== b.message.items) expect(a.message.items).toEqual(b.message.items);
      if (!same(a.message, b.message)) expect(a.message).toEqual(b.message);
      if (a.message.meterTime !== b.message.meterTime) expect(a.message.meterTime).toBe(b.message.meterTime);
    } else expect(a).toEqual(b);
    return learning.counters.learnt > before;
  };
}

/** Cheap comparison; a difference is then shown by `expect`. */
function same(a: PushMessage, b: PushMessage): boolean {
  return (
    a.maker === b.maker &&
    a.list === b.list &&
    a.meterId === b.meterId &&
    a.meterType === b.meterType &&
    a.time === b.time &&
    a.deviation === b.deviation &&
    a.stamp === b.stamp &&
    a.flags.join() === b.flags.join() &&
    a.values.length === b.values.length &&
    a.values.every((v, i) => Object.is(v, b.values[i])) &&
    (a.times === undefined) === (b.times === undefined) &&
    (a.times?.every((t, i) => t === b.times?.[i]) ?? true)
  );
}

/** AMIABLE_RUNS says how many times as long random input is tried. */
const RUNS = Number(process.env.AMIABLE_RUNS ?? 1);

/** Bytes that mean something as a tag, a length, a date or a unit. */
const TELLING = [0x00, 0x09, 0xff];

/** One frame of each layout that can be learnt. */
const learnable = frames.filter(
  ({ apdu }, i) => planByTheBook(apdu, true).learnable && frames.findIndex((f) => toHex(f.apdu) === toHex(apdu)) === i,
);

describe('learnt layouts say what the book says', () => {
  for (const { name, apdu } of learnable) {
    it(`${name}: every byte, telling values and single bits`, () => {
      const feed = pair();
      feed(apdu);
      for (let i = 0; i < apdu.length; i++) {
        const was = apdu[i] as number;
        for (const byte of [...TELLING, was ^ 1, was ^ 0x80]) {
          const changed = apdu.slice();
          changed[i] = byte;
          feed(changed);
        }
        // The layout itself must not be lost to what came between.
        if (i % 16 === 0) feed(apdu);
      }
    });
  }

  it('random values in known layouts are read along the layout', () => {
    const feeds = new Map(frames.map(({ name }) => [name, pair()]));
    fc.assert(
      fc.property(fc.constantFrom(...frames), fc.infiniteStream(fc.nat(255)), ({ name, apdu }, noise) => {
        const feed = feeds.get(name) as (apdu: Uint8Array) => boolean;
        const plan = planByTheBook(apdu, true);
        if (!plan.learnable) return;
        feed(apdu);
        const changed = apdu.slice();
        plan.starts.forEach((start, i) => {
          if (plan.kinds[i] === KIND.constant) return;
          for (let at = start; at < (plan.ends[i] as number); at++) changed[at] = noise.next().value as number;
        });
        for (let i = 1; i < 5; i++) changed[i] = noise.next().value as number;
        expect(feed(changed)).toBe(true);
      }),
      { numRuns: 300 * RUNS },
    );
  });

  it('random changes of several bytes, cuts and tails', () => {
    const feeds = new Map(frames.map(({ name }) => [name, pair({ zone: 'Europe/Oslo' })]));
    const change = fc.record({ at: fc.nat(700), byte: fc.oneof(fc.nat(255), fc.constantFrom(...TELLING)) });
    fc.assert(
      fc.property(
        fc.constantFrom(...frames),
        fc.array(change, { minLength: 1, maxLength: 6 }),
        fc.integer({ min: -3, max: 3 }),
        ({ name, apdu }, changes, tail) => {
          const feed = feeds.get(name) as (apdu: Uint8Array) => boolean;
          feed(apdu);
          const changed = new Uint8Array(apdu.length + Math.min(tail, 1));
          changed.set(apdu.subarray(0, changed.length));
          for (const { at, byte } of changes) changed[at % changed.length] = byte;
          feed(changed);
          feed(changed);
        },
      ),
      { numRuns: 600 * RUNS },
    );
  });

  it('lists of any make', () => {
    const bytes = (n: number) => fc.uint8Array({ minLength: n, maxLength: n });
    const value: fc.Arbitrary<Data> = fc.oneof(
      fc.record({ type: fc.constant('double-long-unsigned' as const), value: fc.nat(0xffffffff) }),
      fc.record({ type: fc.constant('long' as const), value: fc.integer({ min: -0x8000, max: 0x7fff }) }),
      fc.record({ type: fc.constant('long64-unsigned' as const), value: fc.bigInt(0n, 2n ** 64n - 1n) }),
      fc.record({ type: fc.constant('long64' as const), value: fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n) }),
      fc.record({ type: fc.constant('float32' as const), value: fc.float() }),
      fc.record({ type: fc.constant('boolean' as const), value: fc.boolean() }),
      fc.record({ type: fc.constant('octet-string' as const), value: fc.uint8Array({ maxLength: 16 }) }),
      fc.record({ type: fc.constant('octet-string' as const), value: bytes(12) }),
      fc.record({ type: fc.constant('octet-string' as const), value: bytes(6) }),
      fc.record({ type: fc.constant('visible-string' as const), value: bytes(8) }),
      fc.record({ type: fc.constant('utf8-string' as const), value: fc.uint8Array({ maxLength: 8 }) }),
      fc.constant({ type: 'null-data' as const }),
      fc.constant({ type: 'octet-string' as const, value: dateTimeBytes(dateTimeOf(1_500_000_000_000)) }),
    );
    const code = fc
      .tuple(
        fc.constantFrom(0, 1, 7),
        fc.nat(3),
        fc.constantFrom(0, 1, 2, 32, 96),
        fc.constantFrom(0, 1, 2, 7, 8),
        fc.constantFrom(0, 1, 7, 129),
      )
      .map((groups): Data => ({ type: 'octet-string', value: Uint8Array.of(...groups, 255) }));
    const unit = fc
      .tuple(fc.oneof(fc.integer({ min: -3, max: 3 }), fc.integer({ min: -128, max: 127 })), fc.nat(255))
      .map(
        ([scaler, u]): Data => ({
          type: 'structure',
          value: [
            { type: 'integer', value: scaler },
            { type: 'enum', value: u },
          ],
        }),
      );
    const entry = fc.oneof(
      fc.tuple(value),
      fc.tuple(code, value),
      fc.tuple(code, value, unit),
      fc.tuple(code, value, unit).map((v): Data[] => [{ type: 'structure', value: v }]),
    );
    const list = fc.array(entry, { maxLength: 12 }).map((rows): Data => ({ type: 'structure', value: rows.flat() }));
    fc.assert(
      fc.property(
        list,
        fc.option(fc.nat(4_000_000_000)),
        fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { maxLength: 30 }),
        (body, date, changes) => {
          const feed = pair({ zone: 'Europe/Oslo' });
          const apdu = encodeDataNotification(
            body,
            date === null ? {} : { dateTime: dateTimeOf(date * 1000), form: 'tagged' },
          );
          feed(apdu);
          feed(apdu);
          // What is said can be sent: whatever the list, the store will take the message.
          const message = createPushDecoder().decode(apdu, 0);
          expect(messageFromJson(JSON.parse(messageToJson(message))).items).toHaveLength(message.items.length);
          for (const [at, byte] of changes) {
            const changed = apdu.slice();
            changed[at % changed.length] = byte;
            feed(changed);
          }
        },
      ),
      { numRuns: 150 * RUNS },
    );
  });
});

describe('the cache of layouts', () => {
  it('forgets the layout that was used longest ago', () => {
    const decoder = createPushDecoder({ layouts: 2 });
    const [a, b, c] = frames.filter((f) => f.name.startsWith('amshan')).map((f) => f.apdu) as [
      Uint8Array,
      Uint8Array,
      Uint8Array,
    ];
    for (const apdu of [a, b, a, c, a]) decoder.decode(apdu, 0);
    expect(decoder.counters).toEqual({ learnt: 2, byTheBook: 3 });
    decoder.decode(b, 0);
    expect(decoder.counters).toEqual({ learnt: 2, byTheBook: 4 });
  });

  it('keeps no layout of a cut list', () => {
    const decoder = createPushDecoder();
    const apdu = (frames.find((f) => f.name === 'athom_described-list') as (typeof frames)[0]).apdu;
    decoder.decode(apdu, 0, apdu, true);
    expect(() => decoder.decode(apdu, 0)).toThrow(DecodeError);
  });
});
