import { DecodeError, type Drop, fromHex, toHex } from '@amiable/bytes';
import { type Message, messageToJson } from '@amiable/model';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  cmac,
  compactOf,
  createFormatMemory,
  createWmbusDecoder,
  decode3of6,
  decodeManchester,
  decodeWirelessFrame,
  encode3of6,
  encodeManchester,
  encodeRecords,
  encodeTelegram,
  encodeWirelessFrame,
  explainWireless,
  formatOf,
  formatSignature,
  framesOfLine,
  lengthOfA,
  openTelegram,
  softwareAes,
  type TelegramToSend,
  type WirelessSecurity,
} from '../src/index.ts';

const hex = (text: string) => fromHex(text);
const KEY = hex('000102030405060708090A0B0C0D0E0F');
const OTHER = hex('FFEEDDCCBBAA99887766554433221100');
const METER = { identification: '12345678', manufacturer: 'AMI', version: 1, medium: 7 };
const RECORDS = encodeRecords([
  { vif: [0x13], data: { type: 'bcd', digits: 8, value: 28_504_027 } },
  { vif: [0x6d], data: { type: 'dateTime', value: '2026-05-31T23:50' } },
  { vif: [0x13], storage: 1, data: { type: 'integer', octets: 4, value: 27_000_000 } },
  { vif: [0xfd, 0x11], data: { type: 'text', value: 'AB-12' } },
]);

interface Seen {
  messages: Message[];
  drops: Drop[];
}

function decoder(keys: readonly Uint8Array[] = [], more: { bad?: boolean; zone?: string } = {}) {
  const seen: Seen = { messages: [], drops: [] };
  const made = createWmbusDecoder(
    { reader: 'r', port: 'p', now: () => 1_790_000_000_000, keys: { candidates: () => keys }, ...more },
    { message: (m) => void seen.messages.push(m), drop: (d) => void seen.drops.push(d) },
  );
  return { made, ...seen };
}

const values = (m: Message | undefined) =>
  Object.fromEntries((m?.items ?? []).map((item, i) => [`${item.name}${item.storage || ''}`, m?.values[i]]));

function telegram(security: WirelessSecurity, more: Partial<TelegramToSend> = {}): Uint8Array {
  return encodeTelegram({ meter: METER, accessNumber: 42, records: RECORDS, security, ...more });
}

const SECURITIES: readonly (readonly [string, WirelessSecurity])[] = [
  ['none', { mode: 'none' }],
  ['mode 5', { mode: 5, key: KEY }],
  ['mode 7', { mode: 7, key: KEY, messageCounter: 0x01020304 }],
  ['extended link layer', { mode: 'ell', key: KEY, session: 0x0123456 }],
];

describe('published examples', () => {
  it('reads the example of EN 13757-4 annex C: format A, one volume', () => {
    const { made, messages } = decoder();
    made.frame(hex('0F44AE0C7856341201074447780B134365871E6D'));
    expect(messages[0]).toMatchObject({ maker: 'CEN', meterId: '12345678', values: [876_543] });
  });

  it('deciphers the gas meter of the OMS specification (volume 2, annex N)', () => {
    const { made, messages } = decoder([hex('0102030405060708090A0B0C0D0E0F11')]);
    made.frame(
      hex('2E449315785634123303 7A2A002025 5923C95AAA26D1B2E7493B013EC4A6F6 D3529B520EDFF0EA6DEFC99D6D69EBF3'),
    );
    expect(messages[0]).toMatchObject({ maker: 'ELS', meterId: '12345678', meterType: 'Gas' });
    expect(values(messages[0])).toMatchObject({ volume: 2_850_427, dateAndTime: '2008-05-31T23:50:00' });
  });

  it('makes the CMACs of RFC 4493', () => {
    const key = hex('2b7e151628aed2a6abf7158809cf4f3c');
    const data = hex(
      '6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710',
    );
    const macs = [0, 16, 40, 64].map((n) => toHex(cmac(softwareAes, key, data.subarray(0, n))));
    expect(macs).toEqual([
      'bb1d6929e95937287fa37d129b756746',
      '070a16b46b4d4144f79bdd9dd04a287c',
      'dfa66747de9ae63030ca32611497c827',
      '51f0bebf7e3b9d92fc49741779363cfe',
    ]);
  });

  it('expands a compact frame of a water meter by its well-known format', () => {
    const expanded = createFormatMemory().expand('', hex('EDA86AB6710008190000081900007F13'));
    expect(expanded).toEqual({ full: hex('02FF207100041308190000441308190000615B7F616713'), proved: true });
  });
});

describe('frame formats', () => {
  it('go both ways for every length', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 240 }), fc.constantFrom('A', 'B'), (payload, form) => {
        const bare = Uint8Array.of(9 + payload.length, 0x44, 1, 2, 3, 4, 5, 6, 7, 8, ...payload);
        const sent = encodeWirelessFrame(bare, form);
        expect(decodeWirelessFrame(sent)).toMatchObject({ form, bytes: bare, length: sent.length });
        const trailed = Uint8Array.of(...sent, 0xaa, 0x55);
        expect(decodeWirelessFrame(trailed).bytes).toEqual(bare);
      }),
      { numRuns: 200 },
    );
  });

  it('a damaged or cut frame of format A or B is refused', () => {
    const bare = telegram({ mode: 'none' });
    const formA = encodeWirelessFrame(bare, 'A');
    for (let i = 0; i < formA.length; i++) {
      const damaged = formA.slice();
      damaged[i] = (damaged[i] as number) ^ 0x10;
      expect(() => decodeWirelessFrame(damaged, 'A')).toThrow(DecodeError);
      expect(() => decodeWirelessFrame(formA.subarray(0, i), 'A')).toThrow(DecodeError);
    }
    const formB = encodeWirelessFrame(bare, 'B');
    const damaged = formB.slice();
    damaged[20] = (damaged[20] as number) ^ 1;
    expect(() => decodeWirelessFrame(damaged, 'B')).toThrow(DecodeError);
    expect(lengthOfA(bare[0] as number)).toBe(formA.length);
  });

  it('line codes go both ways and tell wrong chips', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (data) => {
        expect(decode3of6(encode3of6(data), data.length)).toEqual(data);
        expect(decodeManchester(encodeManchester(data))).toEqual(data);
      }),
      { numRuns: 100 },
    );
    // L and C of the example of EN 13757-4: 0F 44 begins 010110 101001 011100 011100.
    expect(toHex(encode3of6(hex('0F44')))).toBe('5a971c');
    expect(toHex(encodeManchester(hex('0F')))).toBe('aa55');
    expect(() => decode3of6(hex('FFFFFF'))).toThrow(expect.objectContaining({ reason: 'lineCode' }));
    expect(() => decodeManchester(hex('AAAB'))).toThrow(expect.objectContaining({ reason: 'lineCode', offset: 1 }));
  });
});

describe.each(SECURITIES)('security: %s', (_name, security) => {
  const long = { identification: '87654321', manufacturer: 'GAS', version: 3, medium: 3 };
  const cases = security.mode === 'ell' ? [undefined] : [undefined, long];

  it.each(cases)('is opened with its key, behind a radio module: %s', (behind) => {
    const frame = telegram(security, { ...(behind ? { behind } : {}), form: 'A' });
    const { made, messages } = decoder([OTHER, KEY]);
    made.frame(frame);
    expect(messages).toHaveLength(1);
    expect(messages[0]).toMatchObject({
      meterId: behind?.identification ?? '12345678',
      maker: behind?.manufacturer ?? 'AMI',
      flags: [],
    });
    expect(messages[0]?.error).toBeUndefined();
    expect(values(messages[0])).toMatchObject({ volume: 28_504_027, volume1: 27_000_000 });
    expect(toHex(messages[0]?.raw as Uint8Array)).toBe(toHex(frame));
  });

  it('explains every octet once', () => {
    const frame = telegram(security);
    for (const keys of [[], [KEY]]) {
      const { fields, bytes } = explainWireless(frame, { keys: { candidates: () => keys } });
      let at = 0;
      for (const field of fields) {
        expect(field.offset).toBe(at);
        at += field.length;
      }
      expect(at).toBe(bytes.length);
    }
  });
});

describe.each(SECURITIES.slice(1))('sealed: %s', (_name, security) => {
  it('says noKey without one and wrongKey with another, and keeps the bytes', () => {
    const frame = telegram(security);
    for (const [keys, reason] of [
      [[], 'noKey'],
      [[OTHER], 'wrongKey'],
    ] as const) {
      const { made, messages } = decoder(keys);
      made.frame(frame);
      expect(messages[0]).toMatchObject({ meterId: '12345678', error: { reason }, items: [], raw: frame });
      expect(made.counters).toMatchObject({ sealed: 1, good: 0 });
    }
  });

  it('ports.md 14: decrypted telegrams begin 2F 2F, and are taken as they are behind a sealed header', () => {
    const frame = telegram(security);
    const opened = openTelegram(frame, { keys: { candidates: () => [KEY] } });
    const { made, messages } = decoder();
    made.frame(opened.bytes);
    expect(values(messages[0])).toMatchObject({ volume: 28_504_027 });
  });
});

describe('keys that makers set', () => {
  it('a Diehl meter with its maker key is read without one; another says noKey', () => {
    const key = hex('51728910E66D83F851728910E66D83F8');
    for (const [manufacturer, reason] of [
      ['DME', undefined],
      ['AMI', 'noKey'],
    ] as const) {
      const { made, messages } = decoder();
      made.frame(telegram({ mode: 5, key }, { meter: { ...METER, manufacturer } }));
      expect(messages[0]?.error?.reason).toBe(reason);
    }
  });
});

describe('scrambled telegrams of Diehl', () => {
  // Version and device type stand first in the address; the configuration has bit 12; its high octet is the sum of the text.
  const frame = (text: string, sum: number) =>
    hex(
      `1A44 2423 8B07 78563412 7A 01 00 00 ${sum.toString(16)} ${text}`.replace(
        '1A',
        (15 + text.length / 2 - 1).toString(16),
      ),
    );

  it('plain ones prove themselves by their sum', () => {
    const text = '0413D2040000';
    const sum = hex(text).reduce((a, b) => a + b, 0) & 0xef;
    const { made, messages } = decoder();
    made.frame(frame(text, sum | 0x10));
    expect(messages[0]).toMatchObject({ maker: 'HYD', meterId: '12345678', meterType: 'Water', values: [1234] });
  });

  it('one that no key unscrambles is sealed, not taken for records', () => {
    const { made, messages } = decoder();
    made.frame(frame('0413D2040001', 0x11));
    expect(messages[0]).toMatchObject({ meterId: '12345678', error: { reason: 'noKey' }, items: [] });
  });
});

describe('authentication', () => {
  it('a forged message of mode 7 says notAuthenticated', () => {
    const frame = telegram({ mode: 7, key: KEY, messageCounter: 7 });
    // The status octet is covered by the MAC, but not enciphered: link 10, AFL 17, CI, access number.
    const status = 10 + 17 + 2;
    expect(frame[status]).toBe(0);
    frame[status] = 4;
    const { made, messages } = decoder([KEY]);
    made.frame(frame);
    expect(messages[0]?.flags).toEqual(['notAuthenticated']);
    expect(values(messages[0])).toMatchObject({ volume: 28_504_027 });
  });

  it('joins a message in three fragments, and gives up one with a gap', () => {
    const link = hex('FF44A51178563412010707'.slice(0, 20));
    const application = Uint8Array.of(0x78, ...RECORDS);
    const cuts = [application.subarray(0, 10), application.subarray(10, 20), application.subarray(20)];
    const frames = cuts.map((part, i) => {
      const control = (i + 1) | (i < 2 ? 0x4000 : 0);
      const frame = Uint8Array.of(...link, 0x90, 2, control & 0xff, control >> 8, ...part);
      frame[0] = frame.length - 1;
      return frame;
    });
    const whole = decoder();
    for (const frame of frames) whole.made.frame(frame);
    expect(whole.messages).toHaveLength(1);
    expect(values(whole.messages[0])).toMatchObject({ volume: 28_504_027, volume1: 27_000_000 });
    const gap = decoder();
    for (const frame of [frames[0], frames[2]]) gap.made.frame(frame as Uint8Array);
    expect(gap.messages).toHaveLength(0);
    expect(gap.drops.map((d) => d.reason)).toEqual(['fragment']);
  });
});

describe('ports.md 14: compact frames need the remembered format frame', () => {
  const compact = telegram({ mode: 'ell', key: KEY, session: 1 }, { compact: true });
  const full = telegram({ mode: 'ell', key: KEY, session: 2 });

  it('are kept with noFormat until their meter has sent a full frame, then read', () => {
    const { made, messages } = decoder([KEY]);
    made.frame(compact);
    made.frame(full);
    made.frame(compact);
    expect(messages.map((m) => m.error?.reason)).toEqual(['noFormat', undefined, undefined]);
    expect(messages[2]?.values).toEqual(messages[1]?.values);
  });

  it('are what the full frame was, whatever its records', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom(1, 2, 3, 4, 6), fc.nat({ max: 100 }), fc.nat({ max: 40 })), {
          minLength: 1,
          maxLength: 8,
        }),
        (parts) => {
          const bytes = encodeRecords(
            parts.map(([octets, value, storage]) => ({
              vif: [0x13],
              storage,
              data: { type: 'integer' as const, octets, value },
            })),
          );
          const memory = createFormatMemory();
          memory.learn('m', bytes, 0, bytes.length);
          expect(memory.expand('m', compactOf(bytes))).toEqual({ full: bytes, proved: true });
        },
      ),
      { numRuns: 100 },
    );
  });

  it('of one signature from another layout are told by their second CRC', () => {
    const format = formatOf(RECORDS, 0, RECORDS.length);
    const sent = compactOf(RECORDS);
    sent[sent.length - 1] = (sent[sent.length - 1] as number) ^ 1;
    const memory = createFormatMemory();
    memory.learnFormat('m', format);
    expect(memory.expand('m', sent)?.proved).toBe(false);
    expect(formatSignature(format)).toBe((sent[0] as number) | ((sent[1] as number) << 8));
    expect(() => memory.expand('m', sent.subarray(0, 8))).toThrow(DecodeError);
  });
});

describe('compact profiles', () => {
  const profile = (vife: number, control: number, data: readonly number[]) =>
    Uint8Array.of(
      ...[0x82, 0x04, 0x6c, 0x41, 0x36],
      ...[0x84, 0x04, 0x13, 0x64, 0, 0, 0],
      ...[0x8d, 0x04, 0x93, vife, data.length + 2, control, 0xfe, ...data],
    );
  const run = (records: Uint8Array) => {
    const { made, messages } = decoder();
    made.frame(encodeTelegram({ meter: METER, accessNumber: 1, records }));
    return values(messages[0]);
  };

  it('inverse, absolute: months back, with their dates', () => {
    const got = run(profile(0x13, 0x34, [50, 0, 0, 0, 20, 0, 0, 0, 0, 0, 0, 0x80]));
    expect(got).toMatchObject({ volume8: 100, volume9: 50, volume10: 20, date8: '2026-06-01', date9: '2026-05-01' });
    expect(got).not.toHaveProperty('volume11');
  });

  it('inverse, increments: taken off', () => {
    expect(run(profile(0x13, 0x71, [30, 20]))).toMatchObject({ volume9: 70, volume10: 50 });
  });

  it('forward, increments of either sign: added up', () => {
    expect(run(profile(0x1f, 0xf1, [30, 0xf6]))).toMatchObject({ volume9: 130, volume10: 120, date9: '2026-07-01' });
  });
});

describe('lines and sticks', () => {
  const frame = telegram({ mode: 'none' });
  const digits = toHex(frame);

  it('reads what receivers print', () => {
    const formA = toHex(encodeWirelessFrame(frame, 'A'));
    const formB = toHex(encodeWirelessFrame(frame, 'B'));
    const lines = [
      `T1;1;1;2026-11-20 10:00:00.000;97;148;12345678;0x${digits}`,
      `b${formA}80F0`.toUpperCase(),
      `bY${formB}80F0`,
      `telegram=|${digits.slice(0, 22)}|${digits.slice(22)}|+12`,
      `{"time":"2026-11-20","model":"Wireless-MBus","data":"${digits}"}`,
      digits.toUpperCase(),
      digits.replace(/../g, '$& '),
      `${digits.slice(0, 22)}|${digits.slice(22)}`,
      `${digits},${digits}`,
    ];
    const { made, messages, drops } = decoder();
    const text = new TextEncoder().encode(`# a remark\n${lines.join('\r\n')}\n`);
    for (let at = 0; at < text.length; at += 7) made.push(text.subarray(at, at + 7));
    made.end();
    expect(drops).toEqual([]);
    expect(messages).toHaveLength(10);
    for (const m of messages) expect(values(m)).toMatchObject({ volume: 28_504_027 });
    expect(values(messages[1])).toMatchObject({ signalStrength: -820 });
  });

  it('a line that the receiver saw damaged is told, a line that is none is noise', () => {
    expect(framesOfLine('hello')).toBeUndefined();
    const { made, drops } = decoder();
    made.push(new TextEncoder().encode(`T1;0;1;x;97;148;12345678;0x${digits}\nwhat is this line\n`));
    made.end();
    expect(drops.map((d) => d.reason)).toEqual(['crc', 'noise']);
  });

  it('reads IMST, Amber and raw streams, cut anywhere, with noise between', () => {
    const l = frame.length - 1;
    const imst = Uint8Array.of(0xa5, 0x42, 0x03, l, ...frame.subarray(1), 100);
    const amber = Uint8Array.of(0xff, 0x03, ...frame, 0xf0);
    const sum = amber.reduce((a, b) => a ^ b, 0);
    const formA = encodeWirelessFrame(frame, 'A');
    for (const [wrapping, one, noise] of [
      ['imst', imst, [0x00, 0x11]],
      ['amber', Uint8Array.of(...amber, sum), [0x01, 0x02]],
      ['raw', formA, [0x01, 0x02]],
    ] as const) {
      const stream = Uint8Array.of(...one, ...noise, ...one, ...one);
      for (const step of [1, 5, stream.length]) {
        const { made, messages, drops } = decoder();
        for (let at = 0; at < stream.length; at += step) made.push(stream.subarray(at, at + step));
        made.end();
        expect([wrapping, messages.length]).toEqual([wrapping, 3]);
        expect(drops.map((d) => d.reason)).toEqual(['noise']);
        for (const m of messages) expect(values(m)).toMatchObject({ volume: 28_504_027 });
      }
    }
  });

  it('never throws, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), (bytes, framed) => {
        const { made } = decoder([KEY], { bad: true });
        if (framed) {
          const frame = Uint8Array.of(...telegram({ mode: 'none' }).subarray(0, 10), ...bytes.subarray(0, 240));
          frame[0] = Math.max(10, frame.length - 1);
          made.frame(frame);
        } else {
          made.push(bytes);
          made.end();
        }
        explainWireless(bytes);
      }),
      { numRuns: 500 },
    );
  });
});

describe('messages', () => {
  it('the local time becomes UTC with a zone; the id stays the same for the same telegram', () => {
    const frame = telegram({ mode: 'none' });
    const { made, messages } = decoder([], { zone: 'Europe/Oslo' });
    made.frame(frame);
    made.frame(frame);
    expect(messages[0]).toMatchObject({ meterTime: '2026-05-31T23:50:00', time: Date.UTC(2026, 4, 31, 21, 50) });
    expect(messages[1]?.id).toBe(messages[0]?.id);
    expect(JSON.parse(messageToJson(messages[0] as Message))).toMatchObject({
      protocol: 'wmbus',
      readings: [{ name: 'volume', value: 28_504.027, unit: 'm3' }, {}, { storage: 1 }, { value: 'AB-12' }],
    });
  });

  it('records that break off are told by a flag, and what came before is there', () => {
    const cut = encodeTelegram({ meter: METER, accessNumber: 1, records: Uint8Array.of(0x01, 0x13, 5, 0x04, 0x13, 1) });
    const { made, messages } = decoder();
    made.frame(cut);
    expect(messages[0]).toMatchObject({ flags: ['truncated'], values: [5] });
  });

  it('an application error that the meter reports is a message without readings', () => {
    const { made, messages } = decoder();
    made.frame(Uint8Array.of(11, 0x44, 1, 2, 3, 4, 5, 6, 7, 8, 0x70, 0x08));
    expect(messages[0]?.items).toEqual([]);
    expect(messages[0]?.error?.reason).toMatch(/^application error/);
  });
});
