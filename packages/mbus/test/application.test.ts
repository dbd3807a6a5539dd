import { readdirSync, readFileSync } from 'node:fs';
import { DecodeError, fromHex, toHex } from '@amiable/bytes';
import { decimal, type Message, messageToJson } from '@amiable/model';
import { messageFromJson } from '@amiable/model/schemas';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  createMbusDecoder,
  createTelegramReader,
  decodeRecords,
  encodeLongFrame,
  encodeRecords,
  explainLongFrame,
  type MbusDecoderOptions,
  type RecordData,
  type RecordToSend,
  recordsAlong,
} from '../src/index.ts';
import { softwareAes } from '../src/wireless/aes.ts';

const folder = new URL('../../../vectors/mbus/', import.meta.url);
const cases = readdirSync(folder)
  .filter((name) => name.endsWith('.hex'))
  .map((name) => ({
    name: name.slice(0, -4),
    bytes: fromHex(readFileSync(new URL(name, folder), 'utf8')),
    expected: JSON.parse(readFileSync(new URL(name.replace('.hex', '.json'), folder), 'utf8')) as {
      kind: string;
      message?: Record<string, unknown>;
      independent?: [string, number][];
      dropped?: string[];
    },
  }));

function decode(pieces: readonly Uint8Array[], options: Partial<MbusDecoderOptions> = {}) {
  const messages: Message[] = [];
  const drops: string[] = [];
  const decoder = createMbusDecoder(
    { reader: 'test', port: 'mbus0', now: () => 0, zone: 'Europe/Berlin', ...options },
    { message: (m) => messages.push(m), drop: (d) => drops.push(d.reason) },
  );
  for (const piece of pieces) decoder.push(piece);
  decoder.end();
  return { messages, drops, decoder };
}

const plain = (m: Message) => {
  const { id, v, reader, port, receivedAt, raw, ...rest } = JSON.parse(messageToJson(m));
  return rest;
};

/** One record in a frame of a slave with a long header. */
function frameOf(records: Uint8Array, head = '78563412 2423 01 07 05 00 0000', controlInformation = 0x72): Uint8Array {
  return encodeLongFrame({
    control: 0x08,
    address: 1,
    controlInformation,
    data: Uint8Array.of(...fromHex(head), ...records),
  });
}

const one = (hex: string) => {
  const [record] = decodeRecords(fromHex(hex)).records;
  if (!record) throw new Error('no record');
  const { name, unit, scaler, value, missing } = record;
  return [name, typeof value === 'string' ? value : decimal(value, scaler), unit, ...(missing ? ['missing'] : [])];
};

describe('vectors/mbus', () => {
  test.each(cases)('$name', ({ bytes, expected }) => {
    const { messages, drops } = decode([bytes]);
    expect(messages.map(plain)).toEqual(expected.message ? [expected.message] : []);
    expect(drops).toEqual(expected.dropped ?? []);
    const values = messages.flatMap((m) =>
      m.values.map((v, i) => Number(typeof v === 'string' ? v : decimal(v, m.items[i]!.scaler))),
    );
    for (const [quantity, value] of expected.independent ?? [])
      expect(
        values.some((v) => Math.abs(v - value) <= 1e-6 * Math.max(1, Math.abs(value))),
        `${quantity} ${value}`,
      ).toBe(true);
    for (const m of messages) expect(plain(messageFromJson(JSON.parse(messageToJson(m))))).toEqual(plain(m));
  });

  test('all in one stream, with noise, cut octet by octet, give the same', () => {
    const good = cases.filter((c) => c.expected.message);
    const stream = good.flatMap((c) => [0xff, 0x68, 0x03, ...c.bytes]);
    const whole = decode([Uint8Array.from(stream)]);
    const cut = decode(stream.map((octet) => Uint8Array.of(octet)));
    expect(whole.messages.map(plain)).toEqual(good.map((c) => c.expected.message));
    expect(cut.messages.map((m) => m.id)).toEqual(whole.messages.map((m) => m.id));
  });

  test('every single wrong octet dies at the check sum or is another frame', () => {
    const { bytes } = cases.find((c) => c.name === 'GWF-MTKcoder')!;
    for (let i = 0; i < bytes.length; i++) {
      const damaged = bytes.slice();
      damaged[i] = (damaged[i] as number) ^ 0x10;
      expect(decode([damaged]).messages).toEqual([]);
      const shown = decode([damaged], { bad: true }).messages;
      for (const m of shown) expect(m.error).toBeDefined();
    }
  });
});

describe('records', () => {
  test.each([
    ['0413d2040000', ['volume', '1.234', 'm3']],
    ['0403ffffffff', ['energy', '-1', 'Wh']],
    ['040300000080', ['energy', '80000000', undefined, 'missing']],
    ['0a5a2301', ['flowTemperature', '12.3', 'degC']],
    ['0a5a23f1', ['flowTemperature', '-12.3', 'degC']],
    ['0a5affff', ['flowTemperature', 'FFFF', undefined, 'missing']],
    ['055b0000ac41', ['flowTemperature', '21.5', 'degC']],
    ['055b0000c07f', ['flowTemperature', 'NaN', undefined, 'missing']],
    ['0227370d', ['operatingTime', '292291200', 's']],
    ['0422a1b10000', ['onTime', '163702800', 's']],
    ['0cfb0812000000', ['energy', '1200000000', 'J']],
    ['0cfb0d01000000', ['energy', '4186800', 'J']],
    ['02fd480a09', ['voltage', '231.4', 'V']],
    ['02fdc8fc01fb08', ['voltageL1', '229.9', 'V']],
    ['02fb1a2602', ['relativeHumidity', '55.0', '%']],
    ['02fd1700f0', ['errorFlags', '61440', undefined]],
    ['0444ffff0000', ['volumeFlow', '3932.100', 'm3/h']],
    ['048e30e8030000', ['energyPerKWh', '1000000000', undefined]],
    ['0493220a000000', ['volumePerHour', '0.010', 'm3/h']],
    ['0493720a000000', ['volume', '0.0000010', 'm3']],
    ['04937d0a000000', ['volume', '10', 'm3']],
    ['0493150a000000', ['volume', '10', undefined, 'missing']],
    ['0493000a000000', ['volume', '0.010', 'm3']],
    ['04be5005000000', ['volumeFlowDurationOfFirstLowerLimitExceed', '5', 's']],
    ['02fd0a2d2c', ['manufacturer', 'KAM', undefined]],
    ['0c7878563412', ['fabricationNumber', '12345678', undefined]],
    ['0d7806383736353433', ['fabricationNumber', '345678', undefined]],
    ['0d78c404030201', ['fabricationNumber', '01020304', undefined]],
    ['0d03c401020304', ['energy', '4030201', 'Wh']],
    ['0d03d401020304', ['energy', '-4030201', 'Wh']],
    ['0d03e3ffffff', ['energy', '-1', 'Wh']],
    ['07030000000000000040', ['energy', '4611686018427387904', 'Wh']],
    ['0013', ['volume', '', undefined, 'missing']],
    ['04ff2001000000', ['manufacturerSpecificVIFE20', '1', undefined]],
  ] as [string, unknown[]][])('%s', (hex, expected) => {
    expect(one(hex)).toEqual(expected);
  });

  test('dates: CP16, CP24, CP32, CP48, and what makes them invalid', () => {
    expect(one('026cdf1c')).toEqual(['date', '2014-12-31', undefined]);
    expect(one('026cffff')).toEqual(['date', '*-*-31', undefined, 'missing']);
    expect(one('026ce0ff')).toEqual(['date', '*-*-*', undefined]);
    expect(one('026c0000')).toEqual(['date', '2000-00-00', undefined, 'missing']);
    expect(one('036d3b3b17')).toEqual(['dateAndTime', '23:59:59', undefined]);
    expect(one('046d1a2f6511')).toEqual(['dateAndTime', '2011-01-05T15:26:00', undefined]);
    expect(one('046d9a2f6511')).toEqual(['dateAndTime', '2011-01-05T15:26:00', undefined, 'missing']);
    expect(one('046d1a4f6511')).toEqual(['dateAndTime', '2111-01-05T15:26:00', undefined]);
    expect(one('066d1e1a0f651100')).toEqual(['dateAndTime', '2011-01-05T15:26:30', undefined]);
    expect(one('42ec7edf1c')).toEqual(['dateFuture', '2014-12-31', undefined]);
  });

  test('function, storage number, tariff and subunit over the DIFEs', () => {
    const records: RecordToSend[] = [
      {
        function: 'maximum',
        storage: 33,
        tariff: 6,
        subunit: 2,
        vif: [0x13],
        data: { type: 'integer', octets: 2, value: 7 },
      },
    ];
    const [record] = decodeRecords(encodeRecords(records)).records;
    expect(record).toMatchObject({ function: 'maximum', storage: 33, tariff: 6, subunit: 2, value: 7 });
  });

  test('manufacturer data, more follows, idle fillers', () => {
    expect(decodeRecords(fromHex('2f2f0113002f0f0102'))).toMatchObject({
      records: [{ value: 0, offset: 2, length: 3 }],
      manufacturerData: { offset: 7, length: 2, hex: '0102' },
      moreFollows: false,
    });
    expect(decodeRecords(fromHex('0113001f')).moreFollows).toBe(true);
  });

  test.each([
    ['04', 'truncated'],
    ['84', 'truncated'],
    ['0413d204', 'truncated'],
    ['848080808080808080808001', 'difes'],
    ['0493808080808080808080808001', 'vifes'],
    ['047c05414243', 'truncated'],
    ['0d7cff', 'truncated'],
    ['0d13bf00', 'truncated'],
    ['0d13ca00', 'lvar'],
    ['3f00', 'dif'],
    ['7f', 'dif'],
  ])('refuses %s: %s', (hex, reason) => {
    try {
      decodeRecords(fromHex(hex));
      expect.unreachable();
    } catch (e) {
      expect(e).toBeInstanceOf(DecodeError);
      expect((e as DecodeError).reason).toBe(reason);
    }
  });

  const data: fc.Arbitrary<RecordData> = fc.oneof(
    fc
      .constantFrom(1, 2, 3, 4, 6, 8)
      .chain((octets) =>
        fc
          .bigInt({ min: -(2n ** BigInt(8 * octets - 1)) + 1n, max: 2n ** BigInt(8 * octets - 1) - 1n })
          .map((value): RecordData => ({ type: 'integer', octets, value })),
      ),
    fc
      .constantFrom(2, 4, 6, 8, 12)
      .chain((digits) =>
        fc
          .bigInt({ min: -(10n ** BigInt(digits - 1)) + 1n, max: 10n ** BigInt(digits) - 1n })
          .map((value): RecordData => ({ type: 'bcd', digits, value })),
      ),
    fc
      .float({ noNaN: true, min: Math.fround(-1e15), max: Math.fround(1e15) })
      .map((value): RecordData => ({ type: 'real', value })),
  );
  const header = fc.record({
    function: fc.constantFrom('instantaneous' as const, 'maximum' as const, 'minimum' as const, 'error' as const),
    storage: fc.nat(1_000_000),
    tariff: fc.nat(1000),
    subunit: fc.nat(100),
    vif: fc.constantFrom([0x03], [0x5b], [0xfd, 0x48], [0x93, 0x3c]),
    data,
  });

  test('what is encoded is what is decoded', () => {
    fc.assert(
      fc.property(fc.array(header, { maxLength: 8 }), (records) => {
        const { records: back } = decodeRecords(encodeRecords(records));
        expect(back.map(({ function: f, storage, tariff, subunit }) => ({ f, storage, tariff, subunit }))).toEqual(
          records.map(({ function: f, storage, tariff, subunit }) => ({ f, storage, tariff, subunit })),
        );
        back.forEach((record, i) => {
          const sent = records[i]!.data;
          if (sent.type === 'integer' || sent.type === 'bcd') expect(BigInt(record.value)).toBe(sent.value);
          if (sent.type === 'real' && (sent.value === 0 || Math.abs(sent.value) > 1e-6)) {
            const power = { 3: -0, 91: 0, 253: -1, 147: -3 }[record.vif] ?? 0;
            expect(Math.fround(Number(decimal(record.value as number, record.scaler - power)))).toBe(sent.value + 0);
          }
        });
      }),
      { numRuns: 200 },
    );
  });

  test('a learnt layout reads what the standard reads', () => {
    const reader = createTelegramReader();
    const telegrams = cases.filter((c) => c.bytes[6] === 0x72).map((c) => c.bytes.slice(19, -2));
    fc.assert(
      fc.property(
        fc.nat(telegrams.length - 1),
        fc.array(fc.tuple(fc.nat(240), fc.nat(255)), { maxLength: 4 }),
        (at, changes) => {
          const bytes = telegrams[at]!.slice();
          for (const [i, octet] of changes) if (i < bytes.length) bytes[i] = octet;
          const tell = (read: () => unknown): unknown => {
            try {
              return read();
            } catch (e) {
              if (e instanceof DecodeError) return `${e.reason} ${e.offset}`;
              throw e;
            }
          };
          const learnt = tell(() => recordsAlong(reader.read(bytes, 0, bytes.length), 0));
          expect(learnt).toEqual(tell(() => decodeRecords(bytes)));
          expect(tell(() => recordsAlong(reader.read(bytes, 0, bytes.length), 0))).toEqual(learnt);
        },
      ),
      { numRuns: 400 },
    );
  });

  test('random octets give records or DecodeError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 250 }), fc.boolean(), (bytes, msbFirst) => {
        try {
          decodeRecords(bytes, 0, bytes.length, { msbFirst });
        } catch (e) {
          expect(e).toBeInstanceOf(DecodeError);
        }
      }),
      { numRuns: 400 },
    );
  });

  test('a name stays as short as a message allows, whatever extensions follow, and two chains stay two names', () => {
    const chain = (last: number) => [0x01, 0x93, ...Array.from({ length: 8 }, () => 0xc2), last, 0x05];
    const [a, b] = [0x21, 0x22].map((last) => {
      const { records } = decodeRecords(Uint8Array.from(chain(last)), 0);
      return records[0]?.name ?? '';
    });
    expect(a?.length).toBeGreaterThan(160);
    expect(a?.length).toBeLessThanOrEqual(200);
    expect(b).not.toBe(a);
    expect(b?.slice(0, 160)).toBe(a?.slice(0, 160));
  });
});

describe('telegrams', () => {
  const volume = fromHex('0413d2040000');

  test('messages of one layout share their items', () => {
    const other = encodeRecords([{ vif: [0x13], data: { type: 'integer', octets: 4, value: 99 } }]);
    const { messages } = decode([frameOf(volume), frameOf(other)]);
    expect(messages[0]!.items).toBe(messages[1]!.items);
    expect(messages.map((m) => m.values)).toEqual([[1234], [99]]);
    expect(messages[0]!.id).not.toBe(messages[1]!.id);
  });

  test('most significant octet first (CI 76)', () => {
    const { messages } = decode([frameOf(fromHex('0413000004d2'), '12345678 2c2d 01 07 05 00 0000', 0x76)]);
    expect(plain(messages[0]!)).toMatchObject({ meterId: '12345678', maker: 'KAM', readings: [{ value: 1.234 }] });
  });

  test('short header and none (CI 7A, 78)', () => {
    expect(decode([frameOf(volume, '05000000', 0x7a)]).messages[0]!.values).toEqual([1234]);
    expect(decode([frameOf(volume, '', 0x78)]).messages[0]!.values).toEqual([1234]);
  });

  test('fixed structure (CI 73): two counters, binary or BCD, now or stored', () => {
    // The example of EN 1434-3: a water meter, 1 l now and 135 l when it was stored.
    const data = fromHex('78563412 0a 00 e9 7e 01000000 35010000');
    const { messages } = decode([encodeLongFrame({ control: 8, address: 5, controlInformation: 0x73, data })]);
    expect(plain(messages[0]!)).toMatchObject({
      meterId: '12345678',
      meterType: 'Water',
      readings: [
        { name: 'volume', value: 0.001, unit: 'm3', storage: 0 },
        { name: 'volume', value: 0.135, unit: 'm3', storage: 1 },
      ],
    });
    const cut = encodeLongFrame({ control: 8, address: 5, controlInformation: 0x73, data: data.subarray(1) });
    expect(decode([cut]).drops).toEqual(['truncated']);
  });

  test('fixed structure (CI 73): binary counters have a sign (EN 1434-3), BCD beyond 9 is no value', () => {
    const read = (hex: string) =>
      plain(
        decode([encodeLongFrame({ control: 8, address: 5, controlInformation: 0x73, data: fromHex(hex) })])
          .messages[0]!,
      ).readings;
    expect(read('78563412 0a 01 e9 7e ffffffff 87d61200')).toMatchObject([
      { name: 'volume', value: -0.001, unit: 'm3' },
      { name: 'volume', value: 1234.567, unit: 'm3', storage: 1 },
    ]);
    expect(read('78563412 0a 00 e9 7e 0a000000 35010000')[0]).toMatchObject({ quality: 'missing' });
  });

  test('quirk 14: CI 70 reports an error, CI 71 an alarm', () => {
    const say = (controlInformation: number, hex: string) =>
      plain(decode([encodeLongFrame({ control: 8, address: 5, controlInformation, data: fromHex(hex) })]).messages[0]!);
    expect(say(0x70, '08')).toEqual({
      protocol: 'mbus',
      flags: [],
      readings: [],
      error: { reason: 'application error: application too busy', offset: 6 },
    });
    expect(say(0x71, '40').readings).toMatchObject([{ name: 'alarmStatus', value: 64 }]);
  });

  test('quirk 14: opaque tails are one reading', () => {
    const { messages } = decode([frameOf(fromHex('0413d20400000f010203'))]);
    expect(plain(messages[0]!).readings[1]).toMatchObject({ name: 'manufacturerData', value: '010203' });
  });

  test('quirk 9: the repeated hour by the summer-time mark; stored values have the time of their date', () => {
    const at = (summer: boolean) =>
      encodeRecords([
        { vif: [0x6d], data: { type: 'dateTime', value: '2025-10-26T02:30', summer } },
        { storage: 1, vif: [0x6c], data: { type: 'date', value: '2024-12-31' } },
        { storage: 1, vif: [0x13], data: { type: 'integer', octets: 4, value: 5 } },
      ]);
    const { messages } = decode([frameOf(at(true)), frameOf(at(false))]);
    expect(messages.map((m) => new Date(m.time!).toISOString())).toEqual([
      '2025-10-26T00:30:00.000Z',
      '2025-10-26T01:30:00.000Z',
    ]);
    expect(messages[0]!.times).toEqual([undefined, undefined, Date.UTC(2024, 11, 31, 23)]);
  });

  test('quirk 8: a clock far from the receiver is flagged', () => {
    const records = encodeRecords([{ vif: [0x6d], data: { type: 'dateTime', value: '2000-01-01T00:00' } }]);
    const [m] = decode([frameOf(records)], { live: true, now: () => Date.UTC(2026, 0, 1) }).messages;
    expect(m!.flags).toEqual(['clockWrong']);
  });

  test('quirk 14: enciphered telegrams (mode 5) begin 2F 2F; without the key or with a wrong one this is said', () => {
    const key = fromHex('000102030405060708090a0b0c0d0e0f');
    const text = Uint8Array.of(0x2f, 0x2f, ...volume, ...new Array(8).fill(0x2f));
    const iv = fromHex('24237856341201070505050505050505');
    const records = Uint8Array.of(...softwareAes.cbcEncrypt(key, iv, text), 0x02, 0xfd, 0x17, 0, 0);
    const frame = frameOf(records, '78563412 2423 01 07 05 00 1005');
    const asked: string[] = [];
    const keys = (k: Uint8Array[]) => ({
      candidates: (identification: string, manufacturer: string) => {
        asked.push(`${manufacturer} ${identification}`);
        return k;
      },
    });
    expect(decode([frame], { keys: keys([new Uint8Array(16), key]) }).messages[0]!.values).toEqual([1234, 0]);
    expect(asked).toEqual(['HYD 12345678']);
    const sealed = decode([frame], { keys: keys([new Uint8Array(16)]) });
    expect(plain(sealed.messages[0]!)).toMatchObject({ meterId: '12345678', error: { reason: 'wrongKey' } });
    expect(sealed.decoder.counters.sealed).toBe(1);
    expect(decode([frame]).messages[0]!.error).toEqual({ reason: 'noKey' });
  });

  test('refused frames are shown to who asks: cut records, wrong check sums, frames of the master', () => {
    const cut = frameOf(fromHex('0413d20400000413'));
    const damaged = frameOf(volume);
    damaged[21] = 0xff;
    const master = encodeLongFrame({ control: 0x53, address: 1, controlInformation: 0x51, data: volume });
    const { messages, drops } = decode([cut, damaged, master], { bad: true });
    expect(drops).toEqual(['truncated', 'checksum', 'direction']);
    expect(messages.map((m) => [m.error, m.flags, m.values])).toEqual([
      [{ reason: 'truncated', offset: 27 }, ['truncated'], [1234]],
      [{ reason: 'checksum', offset: 25 }, ['checksumBad'], [1279]],
      [{ reason: 'direction', offset: 4 }, [], []],
    ]);
    expect(decode([cut, damaged, master]).messages).toEqual([]);
  });

  test('whatever bytes come, no exception and nothing lost: every octet is in a frame, a drop or noise', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            fc.uint8Array({ maxLength: 40 }),
            fc
              .tuple(fc.constantFrom(0x70, 0x71, 0x72, 0x73, 0x76, 0x78, 0x7a), fc.uint8Array({ maxLength: 60 }))
              .map(([controlInformation, data]) =>
                encodeLongFrame({ control: 8, address: 1, controlInformation, data }),
              ),
          ),
          { maxLength: 6 },
        ),
        (pieces) => {
          const { messages, decoder } = decode(pieces, { bad: true });
          for (const m of messages) messageFromJson(JSON.parse(messageToJson(m)));
          expect(decoder.counters.bytes).toBe(pieces.reduce((n, piece) => n + piece.length, 0));
        },
      ),
      { numRuns: 150 },
    );
  });

  test('the id is that of the raw bytes', () => {
    const { messages } = decode([frameOf(volume)]);
    expect(toHex(messages[0]!.raw!)).toBe(toHex(frameOf(volume)));
    expect(messages[0]!.id).toMatch(/^[0-9a-f]{32}$/);
  });
});

describe('explanation', () => {
  test('says of every octet what it is, once and in order', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...cases.map((c) => c.bytes)),
        fc.array(fc.tuple(fc.integer({ min: 4, max: 240 }), fc.nat(255)), { maxLength: 3 }),
        (frame, changes) => {
          const bytes = frame.slice();
          for (const [i, octet] of changes) if (i < bytes.length) bytes[i] = octet;
          let at = 0;
          for (const field of explainLongFrame(bytes)) {
            expect(field.offset).toBe(at);
            at += field.length;
          }
          expect(at).toBe(bytes.length);
        },
      ),
      { numRuns: 300 },
    );
  });

  test('names and values stand beside their octets', () => {
    const { bytes } = cases.find((c) => c.name === 'REL-Relay-Padpuls2')!;
    const texts = explainLongFrame(bytes).map((field) => `${field.offset} ${field.path}: ${field.text}`);
    expect(texts).toContain('4 mbus/control: control 08: RSP_UD, data of the slave');
    expect(texts).toContain('6 mbus/ci: CI 72: variable data, long header');
    expect(texts).toContain('7 mbus/header/identification: identification 11216301');
    expect(texts).toContain('19 mbus/record1/dif: DIF 0C: BCD of 8 digits');
    expect(texts).toContain('20 mbus/record1/vif: VIF 14: Volume, in 10^-2 m3');
    expect(texts).toContain('21 mbus/record1/data: volume = 28760.81 m3');
    expect(texts.some((text) => text.includes('storage 1'))).toBe(true);
  });
});
