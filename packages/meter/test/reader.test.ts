import { fromHex, toHex } from '@amiable/bytes';
import { dateTimeOf, encipher, encodeApdu, encodeDataNotification, type KeyRing } from '@amiable/dlms';
import { encodeFrame } from '@amiable/hdlc';
import { nodeCrypto } from '@amiable/io';
import { encodeLongFrame, splitTransport } from '@amiable/mbus';
import type { Message } from '@amiable/model';
import { describe, expect, test } from 'vitest';
import { createHanReader, explainHan, type HanReaderOptions, systemTitleOf } from '../src/index.ts';
import { read } from './read.ts';

const text = (value: string) => ({ type: 'octet-string', value: new TextEncoder().encode(value) }) as const;
const u32 = (value: number) => ({ type: 'double-long-unsigned', value }) as const;
const T0 = Date.UTC(2026, 0, 5, 12);
const wall = (utc: number) => utc + 3_600_000;

const list1 = (utc: number, watts: number) =>
  encodeDataNotification(
    { type: 'structure', value: [u32(watts)] },
    { invokeId: 0x40000000, dateTime: dateTimeOf(wall(utc)), form: 'tagged' },
  );
const list2 = (utc: number, watts: number, id = '6970631401753985') =>
  encodeDataNotification(
    {
      type: 'structure',
      value: [
        text('KFM_001'),
        text(id),
        text('MA304H3E'),
        ...[watts, 0, 0, 5, 1000, 2000, 3000, 2300, 0, 2310].map(u32),
      ],
    },
    { invokeId: 0x40000000, dateTime: dateTimeOf(wall(utc)), form: 'tagged' },
  );
const hdlc = (info: Uint8Array, segmented = false) =>
  encodeFrame({
    segmented,
    destination: { value: 0, length: 1 },
    source: { value: 0x80, length: 2 },
    control: 0x10,
    info,
  });
const llc = (apdu: Uint8Array) => new Uint8Array([0xe6, 0xe7, 0x00, ...apdu]);
const cat = (...parts: readonly Uint8Array[]) => new Uint8Array(parts.flatMap((p) => [...p]));
const segments = (apdu: Uint8Array, size: number) => {
  const info = llc(apdu);
  const out: Uint8Array[] = [];
  for (let at = 0; at < info.length; at += size) out.push(hdlc(info.subarray(at, at + size), at + size < info.length));
  return out;
};

const pair = { key: fromHex('000102030405060708090a0b0c0d0e0f'), authKey: fromHex('d0d1d2d3d4d5d6d7d8d9dadbdcdddedf') };
const other = { key: fromHex('ffeeddccbbaa99887766554433221100'), authKey: pair.authKey };
const title = fromHex('4b464d1020300405');
const sealed = (apdu: Uint8Array, counter = 1) =>
  encodeApdu(encipher(apdu, pair, { systemTitle: title, invocationCounter: counter }, nodeCrypto));
const ring = (...keys: readonly { key: Uint8Array; authKey?: Uint8Array }[]): KeyRing => ({ candidates: () => keys });

const outcome = (bytes: Uint8Array, options: Partial<HanReaderOptions> = {}) => {
  const { messages, drops, reader } = read(bytes, {}, { now: () => T0, ...options });
  return { messages, drops, reader, errors: messages.map((m) => m.error?.reason) };
};

describe('who a message belongs to', () => {
  test('list 1 inherits the meter of the list before it, and has none before the first', () => {
    const { messages } = outcome(
      cat(
        hdlc(llc(list1(T0, 1))),
        hdlc(llc(list2(T0, 2))),
        hdlc(llc(list1(T0 + 2000, 3))),
        hdlc(llc(list2(T0, 4, '77'))),
        hdlc(llc(list1(T0, 5))),
      ),
    );
    expect(messages.map((m) => [m.meterId, m.flags])).toEqual([
      [undefined, []],
      ['6970631401753985', []],
      ['6970631401753985', ['meterIdInherited']],
      ['77', []],
      ['77', ['meterIdInherited']],
    ]);
    expect(messages[2]?.time).toBe(T0 + 2000);
  });

  test('a sealed list 1 does not inherit from a meter that spoke in the clear, nor the other way round', () => {
    const bytes = cat(
      hdlc(llc(list2(T0, 2, 'open'))),
      hdlc(llc(sealed(list1(T0 + 2000, 3), 1))),
      hdlc(llc(sealed(list2(T0 + 4000, 4, 'sealed'), 2))),
      hdlc(llc(list1(T0 + 6000, 5))),
      hdlc(llc(sealed(list1(T0 + 8000, 6), 3))),
    );
    const { messages } = outcome(bytes, { keys: ring(pair) });
    expect(messages.map((m) => m.meterId)).toEqual(['open', undefined, 'sealed', undefined, 'sealed']);
  });

  test('the same bytes have the same id, others another', () => {
    const bytes = cat(hdlc(llc(list2(T0, 2))), hdlc(llc(list2(T0, 3))));
    const ids = () => outcome(bytes).messages.map((m) => m.id);
    expect(ids()).toEqual(ids());
    expect(new Set(ids()).size).toBe(2);
  });

  test('a live port marks a clock that is off by more than the limit', () => {
    const bytes = cat(hdlc(llc(list2(T0 - 3_000_000, 1))), hdlc(llc(list2(T0 - 4_000_000, 1))));
    expect(outcome(bytes, { live: true }).messages.map((m) => m.flags)).toEqual([[], ['clockWrong']]);
    expect(
      outcome(bytes, { live: true, maxClockError: 1000 }).messages.every((m) => m.flags.includes('clockWrong')),
    ).toBe(true);
    expect(outcome(bytes).messages.map((m) => m.flags)).toEqual([[], []]);
  });
});

describe('keys', () => {
  test('the right one among others opens, and says so only with the authentication key', () => {
    const bytes = hdlc(llc(sealed(list2(T0, 42))));
    const full = outcome(bytes, { keys: ring(other, pair), crypto: nodeCrypto });
    expect(full.messages.map((m) => [m.meterId, m.flags])).toEqual([['6970631401753985', []]]);
    const half = outcome(bytes, { keys: ring({ key: pair.key }), crypto: nodeCrypto });
    expect(half.messages.map((m) => m.flags)).toEqual([['notAuthenticated']]);
  });

  test('what no key opens is kept with its bytes, its maker and the reason', () => {
    const bytes = hdlc(llc(sealed(list2(T0, 42))));
    for (const [keys, reason] of [
      [ring(), 'noKey'],
      [ring(other), 'wrongKey'],
      [ring({ key: other.key }), 'wrongKey'],
      [ring({ key: pair.key, authKey: other.key }), 'wrongKey'],
    ] as const) {
      const { messages, drops, reader } = outcome(bytes, { keys, crypto: nodeCrypto });
      expect(messages.map((m) => [m.error, m.maker, m.meterId, m.items.length])).toEqual([
        [{ reason }, 'Kaifa', undefined, 0],
      ]);
      expect(toHex(messages[0]?.raw ?? [])).toBe(toHex(bytes));
      expect(drops).toEqual([]);
      expect(reader.counters).toMatchObject({ good: 0, sealed: 1 });
    }
    expect(toHex(systemTitleOf(bytes) ?? [])).toBe(toHex(title));
    expect(systemTitleOf(hdlc(llc(list1(T0, 1))))).toBeUndefined();
  });
});

describe('APDUs in pieces', () => {
  test('HDLC segments, M-Bus segments and bare APDUs give the same message', () => {
    const apdu = list2(T0, 42);
    const values = (m: Message | undefined) => m && [m.meterId, m.time, m.values];
    const want = values(outcome(hdlc(llc(apdu))).messages[0]);
    const mbus = cat(...splitTransport(apdu, 1, 103, 40).map(encodeLongFrame));
    for (const [link, bytes] of [
      ['hdlc', cat(...segments(apdu, 40))],
      ['mbus', mbus],
      ['apdu', apdu],
    ] as const) {
      const { messages, drops, reader } = outcome(bytes);
      expect([link, drops, messages.map(values)]).toEqual([link, [], [want]]);
      expect(reader.link).toBe(link);
      expect(toHex(messages[0]?.raw ?? [])).toBe(toHex(bytes));
    }
    const twice = outcome(cat(apdu, list2(T0, 43)));
    expect(twice.messages.map((m) => m.values[3])).toEqual([42, 43]);
    const many = outcome(cat(...Array.from({ length: 1000 }, (_, i) => list2(T0, i))));
    expect(many.messages.map((m) => m.values[3])).toEqual(Array.from({ length: 1000 }, (_, i) => i));
  });

  test('a lost piece costs its own message only', () => {
    const [a, b, c] = segments(list2(T0, 42), 40) as [Uint8Array, Uint8Array, Uint8Array];
    const next = hdlc(llc(list1(T0, 7)));
    for (const broken of [cat(a, b), cat(b, c), cat(a, c), cat(c)]) {
      const { messages, drops } = outcome(cat(broken, next, ...segments(list2(T0, 8), 40)));
      expect(messages.map((m) => m.values.length)).toEqual([1, 13]);
      expect(drops.length).toBeGreaterThan(0);
    }
    const frames = splitTransport(list2(T0, 42), 1, 103, 40).map(encodeLongFrame);
    const { messages, drops } = outcome(cat(...frames.slice(1), ...frames, frames[0] as Uint8Array, ...frames));
    expect(messages.length).toBe(2);
    expect(drops.length).toBeGreaterThan(0);
  });

  test('segments of two messages are never joined', () => {
    const [a] = segments(list2(T0, 42), 80) as [Uint8Array, Uint8Array];
    const [, b] = segments(list2(T0 + 10_000, 43), 80) as [Uint8Array, Uint8Array];
    expect(outcome(cat(a, b)).messages.length).toBe(1); // nothing tells that two frames are missing between these
    const damaged = b.map((v, i) => (i === 30 ? v ^ 1 : v));
    for (const between of [damaged, a.subarray(20), fromHex('55')]) {
      const { messages, drops } = outcome(cat(a, between, b));
      expect(messages).toEqual([]);
      expect(drops).toContain('segment');
    }
    const seen: Message[] = [];
    const reader = createHanReader(
      { reader: 'r', port: 'p', now: () => T0 },
      { message: (m) => seen.push(m), drop: () => {} },
    );
    reader.push(a);
    reader.idle();
    reader.push(b);
    reader.end();
    expect(seen).toEqual([]);
  });

  test('pieces without end are given up', () => {
    const piece = hdlc(new Uint8Array(1000).fill(0x55), true);
    const { messages, drops } = outcome(
      cat(hdlc(llc(list2(T0, 1)), true), ...Array<Uint8Array>(150).fill(piece), hdlc(llc(list2(T0, 2)))),
    );
    expect(messages.map((m) => m.values[3])).toEqual([2]);
    expect(drops).toContain('limit');
  });
});

describe('what is refused', () => {
  test('is a drop; with `bad` also a message', () => {
    const damaged = hdlc(llc(list2(T0, 42)));
    damaged[damaged.length - 5] = (damaged[damaged.length - 5] as number) ^ 0x10;
    const odd = hdlc(llc(fromHex('0f40000000000201ee')));
    expect(outcome(cat(damaged, odd))).toMatchObject({ messages: [], drops: ['fcs', 'tag'] });
    const { messages } = outcome(cat(damaged, odd), { bad: true });
    expect(messages.map((m) => [m.flags, m.error?.reason, m.values.length])).toEqual([
      [['checksumBad'], 'fcs', 13],
      [[], 'tag', 0],
    ]);
    expect(messages[0]?.error?.offset).toBe(damaged.length - 3);
  });

  test('says where in the bytes on the wire the fault stands, whatever lies around it', () => {
    const good = list2(T0, 42);
    const at = good.length - 5; // tag of the last value
    const odd = good.map((b, i) => (i === at ? 0xee : b));
    const pieces = [
      hdlc(llc(odd)),
      cat(...segments(odd, 40)),
      cat(...splitTransport(odd, 1, 103, 40).map(encodeLongFrame)),
    ];
    for (const raw of pieces) {
      const { messages } = outcome(raw, { bad: true });
      expect(messages.map((m) => m.error?.reason)).toEqual(['tag']);
      expect(messages[0]?.raw?.[messages[0].error?.offset ?? 0]).toBe(0xee);
    }
    const raw = hdlc(llc(sealed(odd)));
    const { messages } = outcome(raw, { bad: true, keys: ring(pair), crypto: nodeCrypto });
    // The tag of twelve octets, FCS and flag follow the last value.
    expect(messages.map((m) => m.error)).toEqual([{ reason: 'tag', offset: raw.length - 3 - 12 - 5 }]);
    const cut = hdlc(llc(good)).subarray(0, 70);
    expect(outcome(cat(hdlc(llc(good)), cut), { bad: true }).messages[1]?.error?.offset).toBeLessThanOrEqual(71);
  });

  test('a long frame with a wrong check sum is read as far as it goes, too', () => {
    const [whole = new Uint8Array(0)] = splitTransport(list2(T0, 42), 1, 103).map(encodeLongFrame);
    const damaged = whole.map((b, i) => (i === whole.length - 3 ? b ^ 1 : b));
    const { messages, drops } = outcome(cat(whole, damaged), { bad: true });
    expect(drops).toEqual(['checksum']);
    expect(messages.map((m) => [m.flags, m.error, m.values.length])).toEqual([
      [[], undefined, 13],
      [['checksumBad'], { reason: 'checksum', offset: whole.length - 2 }, 13],
    ]);
  });

  test('a port that speaks no known link is told as noise', () => {
    const { drops, messages, reader } = outcome(
      new TextEncoder().encode('/KFM5KAIFA-METER\r\n\r\n1-3:0.2.8(42)\r\n!1234\r\n'),
    );
    expect([drops, messages, reader.link]).toEqual([['noise'], [], undefined]);
  });

  test('a silent line ends the wait', () => {
    const seen: number[] = [];
    const reader = createHanReader(
      { reader: 'r', port: 'p', now: () => T0 },
      { message: (m) => seen.push(m.values[0] as number), drop: () => {} },
    );
    reader.push(hdlc(llc(list2(T0, 1))).subarray(0, 70));
    reader.idle();
    reader.push(hdlc(llc(list1(T0, 5))));
    expect(seen).toEqual([5]);
  });
});

describe('explanation', () => {
  const covers = (layer: { bytes: Uint8Array; fields: readonly { offset: number; length: number }[] }) => {
    let at = 0;
    for (const f of layer.fields) {
      expect(f.offset).toBe(at);
      at += f.length;
    }
    expect(at).toBe(layer.bytes.length);
  };

  test('leaves no byte out and names the readings', () => {
    const raw = hdlc(llc(list2(T0, 42)));
    const [wire, ...more] = explainHan(raw);
    expect(more).toEqual([]);
    if (!wire) throw new Error('no layer');
    covers(wire);
    const power = wire.fields.find((f) => f.reading === 3);
    expect(power?.text).toMatch(/activePowerImport 42 W/);
    expect(toHex(wire.bytes.subarray(power?.offset, (power?.offset ?? 0) + (power?.length ?? 0)))).toBe('0000002a');
    expect(wire.fields.filter((f) => f.reading !== undefined).length).toBe(13);
  });

  test('a ciphered message has a second layer for who has the key', () => {
    const raw = hdlc(llc(sealed(list2(T0, 42))));
    expect(explainHan(raw).map((l) => l.name)).toEqual(['on the wire']);
    const layers = explainHan(raw, { keys: ring(pair), crypto: nodeCrypto });
    expect(layers.map((l) => l.name)).toEqual(['on the wire', 'deciphered']);
    for (const layer of layers) covers(layer);
    expect(layers[1]?.fields.filter((f) => f.reading !== undefined).length).toBe(13);
  });

  test('pieces are shown as they came, and joined', () => {
    const raw = cat(...segments(list2(T0, 42), 40));
    const layers = explainHan(raw);
    expect(layers.map((l) => l.name)).toEqual(['on the wire', 'joined']);
    for (const layer of layers) covers(layer);
    const mbus = cat(...splitTransport(list2(T0, 42), 1, 103, 40).map(encodeLongFrame));
    for (const layer of explainHan(mbus)) covers(layer);
  });

  test('damaged bytes are explained as far as they go', () => {
    const raw = hdlc(llc(list2(T0, 42)));
    for (let n = 0; n < raw.length; n++) {
      for (const layer of explainHan(raw.subarray(0, n))) covers(layer);
      for (const layer of explainHan(raw.map((b, i) => (i === n ? b ^ 0xff : b)))) covers(layer);
    }
  });
});
