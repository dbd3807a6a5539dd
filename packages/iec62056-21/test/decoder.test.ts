/** Read-outs that are listened to: the quirks of real meters, each by its name, and what no stream may do to the decoder. */
import { decimal, type Message, messageToJson } from '@amiable/model';
import { messageFromJson } from '@amiable/model/schemas';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  bytesOf,
  createReadoutDecoder,
  encodeReadout,
  evenParity,
  parseDataBlock,
  parseDataLine,
} from '../src/index.ts';

interface Heard {
  readonly messages: Message[];
  readonly drops: string[];
}

function listen(
  chunks: Iterable<Uint8Array>,
  more: { live?: boolean; bad?: boolean; zone?: string } = {},
  end = true,
): Heard {
  const messages: Message[] = [];
  const drops: string[] = [];
  const decoder = createReadoutDecoder(
    { reader: 'test', port: 'd0', now: () => 1_000_000, ...more },
    { message: (m) => void messages.push(m), drop: (d) => void drops.push(d.reason) },
  );
  for (const chunk of chunks) decoder.push(chunk);
  if (end) decoder.end();
  return { messages, drops };
}

const text = (content: string): Uint8Array => bytesOf(content);
const read = (content: string | Uint8Array, more = {}): Heard =>
  listen([typeof content === 'string' ? text(content) : content], more);
const values = (m: Message | undefined): string[] =>
  m?.items.map(({ address, unit, scaler }, i) => {
    const value = m.values[i] as number | bigint | string;
    return `${address}=${typeof value === 'string' ? value : decimal(value, scaler)}${unit ? ` ${unit}` : ''}`;
  }) ?? [];
/** With STX, ETX and a right BCC. */
const checked = (lines: readonly string[], head = '/AMI5VM3000\r\n'): Uint8Array =>
  Uint8Array.from([...text(head), ...encodeReadout(lines)]);

const PLAIN = '/ESY5Q3DA1004 V3.04\r\n\r\n1-0:1.8.0*255(00032549.5061662*kWh)\r\n1-0:1.7.0*255(001688.21*W)\r\n!\r\n';

describe('what no meter sends', () => {
  test.each([
    ['a number of 900 digits', `/EMH4X\r\n0.0.0(${'1'.repeat(900)})\r\n1.8.0(1*kWh)\r\n!\r\n`],
    ['an endless identification', `/EMH4${'\\x'.repeat(900)}X\r\n1.8.0(1*kWh)\r\n!\r\n`],
    ['more values than a message takes', `/EMH4X\r\n${'1.8.0(1*kWh)(2)(3)(4)\r\n'.repeat(700)}!\r\n`],
    ['a value of 5,000 letters', `/EMH4X\r\n1.8.0(${'1'.repeat(5000)}*kWh)\r\n!\r\n`],
    [
      'a profile with a column of no code',
      '/AMI5X\r\nP.01(0261120080000)(00)(15)(1)(1)(0.5)\r\n(0.6)\r\n0.9.1(1023000)0.9.2(251026)!\r\n',
    ],
    ['a code of 300 letters', `/AMI5X\r\n1.8.0(1*kWh)\r\n${'7'.repeat(300)}(1)\r\n!\r\n`],
    ['a profile beyond what a message carries', `/EMH4X\r\n${'1.8.0(1*kWh)\r\n'.repeat(9000)}!\r\n`],
  ])('%s is a message all the same that the store takes', (_, content) => {
    const { messages } = read(content);
    expect(messages).toHaveLength(1);
    const back = messageFromJson(JSON.parse(messageToJson(messages[0] as Message, { raw: true })));
    expect(back.items.length).toBeGreaterThan(0);
  });

  test('more values than a message takes are told', () => {
    const { messages } = read(`/EMH4X\r\n${'1.8.0(1*kWh)(2)(3)(4)\r\n'.repeat(700)}!\r\n`);
    expect(messages[0]?.items).toHaveLength(2000);
    expect(messages[0]?.flags).toContain('truncated');
  });

  test('noise with brackets in it is no read-out, with or without a check that fits', () => {
    const noise = Uint8Array.from([0x02, 0xa4, 0x1e, 0xc7, 0xdd, 0x8a, 0x28, 0xac, 0x39, 0x29, 0x72, 0x7f, 0x54, 0x0a]);
    const ended = Uint8Array.from([...noise, 0x21, 0x0d, 0x0a, 0x03]);
    const block = Uint8Array.from([...ended, ended.subarray(1).reduce((sum, c) => sum ^ c, 0) & 0x7f]);
    expect(read(block).messages).toEqual([]);
    expect(read(Uint8Array.from([0x21, 0x0a, ...noise.subarray(1), 0x21, 0x0a])).messages).toEqual([]);
  });
});

describe('quirks (ports.md 13)', () => {
  test('the request echoed, and 7F padding before it', () => {
    const { messages, drops } = read(
      '\x7f\x7f\x7f/?!\r\n/ACE0\\3k260V01.19\r\n\x02F.F(00)\r\n1.8.0(000285.4*kWh)\r\n!\r\n',
    );
    expect([messages.length, drops]).toEqual([1, []]);
    expect(messages[0]).toMatchObject({ maker: 'Actaris', meterType: 'k260V01.19' });
  });

  test('STX within an identification is an odd escape, not the beginning of a block', () => {
    const { messages, drops } = read('/ISk5\x02MIE5T-200\r\n\r\n1.8.0(1*kWh)\r\n!\r\n');
    expect([messages[0]?.maker, messages[0]?.raw?.[0], drops]).toEqual(['Iskraemeco', 0x2f, []]);
  });

  test('an acknowledgement echoed between identification and data', () => {
    const { messages, drops } = read('/ELS5\\@V9.30 \r\n\x06\r\n\x021.8.0(000285.4*kWh)\r\n!\r\n');
    expect(drops).toEqual([]);
    expect(values(messages[0])).toEqual(['1.8.0=285400 Wh']);
    expect(read('/ELS5\\@V9.30 \r\n\x06050\r\n1.8.0(1*kWh)\r\n!\r\n').drops).toEqual([]);
  });

  test('LF LF line ends, LF alone, CR alone', () => {
    for (const end of ['\n\n', '\n', '\r', '\r\n'])
      expect(values(read(PLAIN.replaceAll('\r\n', end)).messages[0])).toEqual([
        '1-0:1.8.0*255=32549506.1662 Wh',
        '1-0:1.7.0*255=1688.21 W',
      ]);
  });

  test('control bytes before "!": the check is over something else, so there is none', () => {
    const { messages } = read('/ACE0\\3k260V01.19\r\n\x021.8.0(013925.5*)Y\x02\x02\x01\x00!\r\n\x03F\x7f');
    expect(messages[0]?.flags).toEqual(['crcMissing']);
    expect(messages[0]?.error).toBeUndefined();
  });

  test('many sets on a line, the end mark behind the last', () => {
    const { messages } = read('/SIE32WR5\r\n6.8(0029.055*MWh)6.26(01589.28*m3)\r\n9.20(64030874)0.0(00010213)!\r\n');
    expect(values(messages[0])).toEqual(['6.8=29055000 Wh', '6.26=1589.28 m3', '9.20=64030874', '0.0=00010213']);
  });

  test('an empty unit "*)": a number without unit', () => {
    const { messages } = read('/ACE0X\r\n1.8.0(013925.5*)\r\n!\r\n');
    expect(messages[0]?.items[0]).toEqual({
      obis: '1-0:1.8.0',
      address: '1.8.0',
      name: 'activeEnergyImport',
      scaler: -1,
    });
    expect(values(messages[0])).toEqual(['1.8.0=13925.5']);
  });

  test('history suffixes *01 and &01', () => {
    const { messages } = read('/AMI5X\r\n1.8.0*01(1.5*kWh)1.8.0&02(1.4*kWh)1-0:1.8.0*255(1.6*kWh)\r\n!\r\n');
    expect(messages[0]?.items.map(({ obis }) => obis)).toEqual(['1-0:1.8.0*1', '1-0:1.8.0*2', '1-0:1.8.0']);
  });
});

describe('quirks (ports.md 9, 12)', () => {
  const at = (clock: string): string => `/AMI5X\r\n${clock}\r\n1.8.0(1*kWh)\r\n!\r\n`;
  const time = (clock: string, zone = 'Europe/Berlin'): string | undefined => {
    const ms = read(at(clock), { zone }).messages[0]?.time;
    return ms === undefined ? undefined : new Date(ms).toISOString();
  };

  test('the repeated hour in autumn: the season digit decides', () => {
    expect(time('0.9.1(1023000)0.9.2(1251026)')).toBe('2025-10-26T00:30:00.000Z');
    expect(time('0.9.1(0023000)0.9.2(0251026)')).toBe('2025-10-26T01:30:00.000Z');
    expect(time('0-0:1.0.0(251026023000S)')).toBe('2025-10-26T00:30:00.000Z');
    expect(time('0-0:1.0.0(251026023000W)')).toBe('2025-10-26T01:30:00.000Z');
    expect(time('0.9.1(2023000)0.9.2(2251026)')).toBe('2025-10-26T02:30:00.000Z');
  });

  test('the gap in spring, and midnight', () => {
    expect(time('0.9.1(02:30:00)0.9.2(26-03-29)')).toBe('2026-03-29T01:30:00.000Z');
    expect(time('0.9.1(24:00:00)0.9.2(26-01-01)')).toBe('2026-01-01T23:00:00.000Z');
    expect(time('0.9.1(000000)0.9.2(260101)')).toBe('2025-12-31T23:00:00.000Z');
  });

  test('without a zone there is the meter’s time and no UTC; a day that is none is none', () => {
    const m = read(at('0.9.1(172751)0.9.2(100209)')).messages[0];
    expect([m?.meterTime, m?.time]).toEqual(['2010-02-09T17:27:51', undefined]);
    expect(time('0.9.1(00:00:00)0.9.2(00-00-00)')).toBeUndefined();
  });

  test('a buffer that is read late: old telegrams come first, each once, with ids of their own', () => {
    const old = [1, 2, 3].map((n) => PLAIN.replace('32549', `3254${n}`)).join('');
    const { messages } = read(old);
    expect(messages.map((m) => values(m)[0])).toEqual([1, 2, 3].map((n) => `1-0:1.8.0*255=3254${n}506.1662 Wh`));
    expect(new Set(messages.map(({ id }) => id)).size).toBe(3);
    expect(read(old).messages.map(({ id }) => id)).toEqual(messages.map(({ id }) => id));
  });
});

describe('data sets', () => {
  test('17.0.0 is the demand limit, which is no quantity of electricity', () => {
    const { items } = read('/AMI5VM3000\r\n17.0.0(5*kW)\r\n17.7.0(0.5*kW)\r\n!\r\n').messages[0] as Message;
    expect(items.map(({ obis, address, name }) => [obis, address, name])).toEqual([
      ['0-0:17.0.0', '17.0.0', 'powerLimit'],
      ['1-0:17.7.0', '17.7.0', 'activePowerQ1'],
    ]);
  });

  test('a moment behind a value is its time, and before it as well', () => {
    const { messages } = read('/LTT5X\r\n1.6.0(18014*kW)(10-02-01 00:15)\r\n1.6.0*01(1502041015)(00.123*kW)\r\n!\r\n', {
      zone: 'Asia/Kolkata',
    });
    expect(messages[0]?.times?.map((ms) => new Date(ms as number).toISOString())).toEqual([
      '2010-01-31T18:45:00.000Z',
      '2015-02-04T04:45:00.000Z',
    ]);
    expect(values(messages[0])).toEqual(['1.6.0=18014000 W', '1.6.0*01=123 W']);
  });

  test('without a zone the moment stays as it was said', () => {
    expect(values(read('/LTT5X\r\n1.6.0(18014*kW)(10-02-01 00:15)\r\n!\r\n').messages[0])).toEqual([
      '1.6.0=18014000 W',
      '1.6.0=10-02-01 00:15',
    ]);
  });

  test('several values, values in parts, continuation lines', () => {
    const { messages } = read('/SIE32WR5\r\n6.8(1*MWh)9.4(088*C&082*C)\r\n0-1:24.3.0(1)(2)\r\n(00012.345*m3)\r\n!\r\n');
    expect(values(messages[0]).slice(1)).toEqual(
      ['9.4=88 degC', '9.4=82 degC', '0-1:24.3.0=1 m3', '0-1:24.3.0=2 m3', '0-1:24.3.0=12.345 m3'].map((v) =>
        v.replace(/=([12]) m3/, '=$1'),
      ),
    );
  });

  test('letters, and a medium that nobody knows', () => {
    const { messages } = read('/AMI5X\r\nF.F(00)C.1.0(77)L.1(x)7.0.0(12.5*m3)\r\n!\r\n');
    expect(messages[0]?.items.map(({ obis, address }) => obis ?? `(${address})`)).toEqual([
      '1-0:97.97.0',
      '1-0:96.1.0',
      '1-0:98.1.0',
      '(7.0.0)',
    ]);
    expect(messages[0]?.meterId).toBe('77');
  });

  test('numbers beyond 2^53 stay exact', () => {
    expect(values(read('/AMI5X\r\n1.8.0(123456789012345678.9*Wh)\r\n!\r\n').messages[0])).toEqual([
      '1.8.0=123456789012345678.9 Wh',
    ]);
  });

  test('an unknown unit keeps its bytes', () => {
    const m = read('/AMI5X\r\n1.8.0(12*furlong)\r\n!\r\n').messages[0];
    expect([values(m), m?.raws?.[0]]).toEqual([['1.8.0=12'], Buffer.from('12*furlong').toString('hex')]);
  });

  test('a load profile: a reading for each value at its time', () => {
    const m = read('/AMI5X\r\nP.01(0261120080000)(00)(15)(2)(1.5)(kW)(2.5.0)(kW)(0.5)(0.1)\r\n(0.6)(0.2)\r\n!\r\n', {
      zone: 'Europe/Berlin',
    }).messages[0];
    expect(values(m)).toEqual(['1.5=500 W', '2.5.0=100 W', '1.5=600 W', '2.5.0=200 W']);
    expect(m?.times?.map((ms) => new Date(ms as number).toISOString().slice(11, 16))).toEqual([
      '07:00',
      '07:00',
      '07:15',
      '07:15',
    ]);
  });

  test.each([
    ['1.8.0(1', 'not closed'],
    ['1.8.0((1)', 'within a bracket'],
    ['(1)', 'without an address'],
    ['nonsense', 'no data set'],
  ])('%j is refused', (line, words) => {
    expect(() => parseDataLine(line)).toThrow(words);
  });
});

describe('what is believed', () => {
  const good = checked(['1.8.0(000285.4*kWh)', '2.8.0(000120.1*kWh)']);

  test('a right check; a wrong one is refused, and shown when asked for', () => {
    expect(read(good)).toMatchObject({ messages: [{ flags: [] }], drops: [] });
    const wrong = good.slice();
    wrong[25] = (wrong[25] as number) ^ 1;
    expect(read(wrong)).toMatchObject({ messages: [], drops: ['bcc'] });
    expect(read(wrong, { bad: true }).messages).toMatchObject([
      { flags: ['checksumBad'], error: { reason: 'bcc', offset: wrong.length - 1 } },
    ]);
  });

  test('every flipped bit of a checked block dies', () => {
    for (let i = 14; i < good.length; i++)
      for (let bit = 0; bit < 7; bit++) {
        const broken = good.slice();
        broken[i] = (broken[i] as number) ^ (1 << bit);
        for (const m of read(broken).messages) {
          // Where ETX or STX itself was hit no check is left; the message says so.
          if (!m.flags.includes('crcMissing')) expect(values(m)).toEqual(values(read(good).messages[0]));
        }
      }
  });

  test('parity bits are taken off; a broken one is the end of a telegram without a check', () => {
    const parity = evenParity(text(PLAIN));
    expect(read(parity)).toMatchObject({ messages: [{ flags: ['crcMissing'] }], drops: [] });
    for (const at of [5, 30, 45]) {
      const broken = parity.slice();
      broken[at] = (broken[at] as number) ^ 4;
      expect(read(broken)).toMatchObject({ messages: [], drops: ['parity'] });
    }
  });

  test('a telegram that is cut, and then a new one (quirk 10, here without a CRC)', () => {
    const cut = `${PLAIN.slice(0, 80)}${PLAIN}`;
    const { messages } = read(cut);
    expect(messages.map(({ flags }) => flags)).toEqual([['crcMissing', 'truncated'], ['crcMissing']]);
    // With a check to come, what was cut cannot be believed.
    expect(read(Uint8Array.from([...good.slice(0, 40), ...good]))).toMatchObject({
      messages: [{ flags: [] }],
      drops: ['truncated'],
    });
  });

  test('a live line that begins within a telegram: nothing of it, all of the next', () => {
    const { messages, drops } = listen(
      [text(`.0*255(00032549.5*kWh)\r\n1-0:1.7.0*255(001688.21*W)\r\n!\r\n${PLAIN}`)],
      { live: true },
    );
    expect(messages.map((m) => values(m).length)).toEqual([2]);
    expect(drops.every((reason) => reason === 'noise')).toBe(true);
  });

  test('silence ends a telegram that has no end, not the pause behind an identification', () => {
    const heard: Message[] = [];
    let now = 0;
    const decoder = createReadoutDecoder(
      { reader: 'r', port: 'p', now: () => now, live: true },
      { message: (m) => void heard.push(m), drop: () => {} },
    );
    decoder.push(text('/AMI5X\r\n'));
    now += 1500;
    decoder.idle();
    decoder.push(text('1.8.0(1*kWh)\r\n'));
    expect(heard).toHaveLength(0);
    now += 1500;
    decoder.idle();
    expect(heard.map(({ flags }) => flags)).toEqual([['crcMissing', 'truncated']]);
  });

  test('a clock that is hours off is marked on a live port', () => {
    const clocked = text('/AMI5X\r\n0.9.1(120000)0.9.2(260101)1.8.0(1*kWh)\r\n!\r\n');
    expect(listen([clocked], { live: true, zone: 'UTC' }).messages[0]?.flags).toContain('clockWrong');
  });

  test('messages of one layout share their items', () => {
    const { messages } = read(PLAIN + PLAIN);
    expect(messages[0]?.items).toBe(messages[1]?.items);
  });
});

describe('any stream', () => {
  const whole = Uint8Array.from([
    ...text(PLAIN),
    ...checked(['1.8.0(1.5*kWh)']),
    ...text('\x7f\x7f'),
    ...evenParity(checked(['1.8.0(2.5*kWh)'])),
  ]);

  test('byte by byte, and cut anywhere, gives the same', () => {
    const want = read(whole);
    expect(want.messages).toHaveLength(3);
    for (let size = 1; size < 40; size++) {
      const chunks: Uint8Array[] = [];
      for (let at = 0; at < whole.length; at += size) chunks.push(whole.slice(at, at + size));
      expect(listen(chunks)).toEqual(want);
    }
  });

  test('a chunk that is written over afterwards changes nothing', () => {
    const chunk = whole.slice();
    const { messages } = listen([chunk]);
    const before = messages.map((m) => m.raw?.slice());
    chunk.fill(0);
    expect(messages.map((m) => m.raw)).toEqual(before);
  });

  test('random and damaged bytes: never an exception, every octet told or kept, memory bounded', () => {
    const piece = fc.oneof(
      fc.uint8Array({ maxLength: 80 }),
      fc.constantFrom(whole, text('/AMI5X\r\n'), text('1.8.0('), text('!\r\n'), text('\x02'), text('\x03x')),
      fc.tuple(fc.nat(whole.length - 1), fc.nat(255)).map(([at, octet]) => whole.with(at, octet)),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), fc.boolean(), fc.boolean(), (chunks, live, bad) => {
        for (const m of listen(chunks, { live, bad }).messages) expect(m.items).toHaveLength(m.values.length);
      }),
      { numRuns: 100 },
    );
  });

  test('a block round trip', () => {
    const address = fc.constantFrom('1.8.0', '1-0:2.8.0*255', 'C.1.0', '32.7.0', '1.8.0*03');
    const value = fc.record({
      value: fc.stringMatching(/^[0-9A-Za-z .:-]{0,16}$/),
      unit: fc.constantFrom(undefined, 'kWh', 'V'),
    });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(address, fc.array(value, { minLength: 1, maxLength: 3 })), { minLength: 1, maxLength: 8 }),
        (sets) => {
          const block = sets
            .map(([a, vs]) => a + vs.map((v) => `(${v.value}${v.unit ? `*${v.unit}` : ''})`).join(''))
            .join('\r\n');
          expect(parseDataBlock(block).map((set) => [set.address, set.values.map((v) => [v.value, v.unit])])).toEqual(
            sets.map(([a, vs]) => [a, vs.map((v) => [v.value, v.unit])]),
          );
        },
      ),
      { numRuns: 100 },
    );
  });
});
