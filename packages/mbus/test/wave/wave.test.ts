/** Octets to a waveform and back, at every rate, in noise, with faults, and through the CSV of many recorders. */
import { DecodeError, fromHex, toHex } from '@amiable/bytes';
import { seededRandom } from '@amiable/io';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeWave,
  drawWave,
  encodeWave,
  explainLongFrame,
  formatWaveCsv,
  parseWaveCsv,
  timeOf,
  type Waveform,
} from '../../src/index.ts';

const FRAME = fromHex('680303685301B0 04 16'.replace(/ /g, ''));
const faultsOf = (wave: Waveform): string[] => decodeWave(wave).faults.map(({ kind }) => kind);

describe('the model', () => {
  it('has the levels of the standard: 36 V and 24 V, 1.5 mA and 15 mA more', () => {
    const volts = decodeWave(encodeWave(FRAME, { resistance: 0 }));
    expect([volts.mark, volts.space]).toEqual([36, 24]);
    const current = decodeWave(encodeWave(FRAME, { sender: 'slave', resistance: 0 }));
    expect([current.mark, current.space]).toEqual([1.5, 16.5]);
  });

  it('draws a start bit, eight bits from the least significant, even parity and a stop bit', () => {
    // E5 = 1110 0101; five ones, so the parity bit is one.
    const wave = encodeWave(Uint8Array.of(0xe5), {
      baud: 300,
      rate: 300 * 8,
      lead: 1,
      tail: 1,
      resistance: 0,
      transition: 0,
    });
    const middles = Array.from({ length: 13 }, (_, i) => (wave.values[i * 8 + 4] === 36 ? 1 : 0));
    expect(middles.join('')).toBe('1010100111111');
  });

  it('does not depend on the sample rate: the cable is solved, not stepped', () => {
    const slow = encodeWave(FRAME, { rate: 24_000, capacitance: 180, resistance: 300 });
    const fast = encodeWave(FRAME, { rate: 240_000, capacitance: 180, resistance: 300 });
    for (let i = 0; i < slow.values.length; i++) expect(fast.values[i * 10]).toBeCloseTo(slow.values[i] as number, 6);
    // 54 µs of RC: 95 % of the way after three of them, and the ramp.
    const begin = 22 / 2400;
    const after = fast.values[Math.round((begin + 10e-6 + 3 * 54e-6) * 240_000)] as number;
    expect(after).toBeGreaterThan(24.1);
    expect(after).toBeLessThan(24.5);
  });

  it('loses volts in the cable to the idle slaves', () => {
    expect(decodeWave(encodeWave(FRAME, { slaves: 250, resistance: 20 })).mark).toBeCloseTo(28.5, 3);
  });
});

describe('a sampled waveform', () => {
  it('gives its octets at every rate, from both senders, with noise, ripple and the longest cable', () => {
    const rates = fc.constantFrom(300, 600, 1200, 2400, 4800, 9600);
    fc.assert(
      fc.property(
        fc
          .tuple(fc.constantFrom(0x10, 0x68, 0xe5), fc.uint8Array({ maxLength: 12 }))
          .map(([first, rest]) => Uint8Array.of(first, ...rest)),
        rates,
        fc.constantFrom('master' as const, 'slave' as const),
        fc.record({
          noise: fc.constantFrom(0, 0.4, 1),
          ripple: fc.constantFrom(0, 0.6),
          baudError: fc.constantFrom(-1.5, 0, 1.5),
          gap: fc.integer({ min: 0, max: 30 }),
          swapped: fc.boolean(),
          capacitance: fc.constantFrom(10, 180),
        }),
        fc.integer(),
        (bytes, baud, sender, how, seed) => {
          const wave = encodeWave(bytes, { ...how, baud, sender, random: seededRandom(seed), rate: baud * 16 });
          const reading = decodeWave(wave);
          expect([toHex(reading.bytes), reading.baud, reading.parity]).toEqual([toHex(bytes), baud, 'even']);
          expect(reading.inverted).toBe(false);
        },
      ),
      { numRuns: 30 },
    );
  });

  it('tells wrong parity with the sample at which it is', () => {
    const reading = decodeWave(encodeWave(FRAME, { baud: 2400, rate: 24_000, parityErrors: [4], lead: 10 }));
    expect(toHex(reading.bytes)).toBe(toHex(FRAME));
    // 10 idle bits, four characters of 11, start and 8 data bits: the parity bit is the 64th, ten samples each.
    expect(reading.faults).toMatchObject([{ kind: 'parity', character: 4, message: expect.stringContaining('53') }]);
    expect(Math.abs((reading.faults[0]?.sample ?? 0) - 630)).toBeLessThan(4);
    expect(reading.characters[4]).toMatchObject({ value: 0x53, parityGood: false, stopGood: true });
  });

  it('tells a stop bit that is a space, and goes on with the next character', () => {
    const reading = decodeWave(encodeWave(FRAME, { framingErrors: [2, 7] }));
    expect(toHex(reading.bytes)).toBe(toHex(FRAME));
    expect(reading.faults.map(({ kind, character }) => [kind, character])).toEqual([
      ['framing', 2],
      ['framing', 7],
    ]);
  });

  it('tells a break, and a capture that ends within a character', () => {
    const wave = encodeWave(Uint8Array.of(0x68, 0x00, 0x55), { framingErrors: [1], gap: 3, rate: 24_000 });
    expect(faultsOf(wave)).toEqual(['break']);
    const cut = { ...wave, values: wave.values.slice(0, Math.floor(wave.values.length * 0.47)) };
    expect(faultsOf(cut)).toContain('cut');
  });

  it('takes a spike for neither a level nor a start', () => {
    const wave = encodeWave(FRAME, { rate: 76_800 });
    wave.values[100] = 300;
    wave.values[120] = 0;
    wave.values[121] = 0;
    const reading = decodeWave(wave);
    expect(toHex(reading.bytes)).toBe(toHex(FRAME));
    expect(reading.mark).toBeCloseTo(35.9, 1);
  });

  it.each([
    ['overvoltage', { mark: 45, space: 33 }, ['overVoltage']],
    ['undervoltage of the mark', { mark: 20, space: 8 }, ['underVoltage']],
    ['undervoltage of the space', { mark: 22, space: 10 }, ['underVoltage']],
    ['a swing that no slave sees', { mark: 36, space: 29 }, ['weakSwing']],
    ['a bus as it should be', {}, []],
    ['a slave that draws too little', { sender: 'slave' as const, mark: 1.5, space: 9 }, ['currentStep']],
    ['a slave that draws too much', { sender: 'slave' as const, mark: 1.5, space: 30 }, ['currentStep']],
  ])('tells %s', (_, how, faults) => {
    const wave = encodeWave(FRAME, how);
    expect(faultsOf(wave)).toEqual(faults);
    expect(toHex(decodeWave(wave).bytes)).toBe(toHex(FRAME));
  });

  it('is read without parity where characters have none, and behind a logic level either way up', () => {
    const none = decodeWave(encodeWave(FRAME, { parity: 'none' }));
    expect([toHex(none.bytes), none.parity]).toEqual([toHex(FRAME), 'none']);
    const logic = encodeWave(FRAME, { mark: 0, space: 3.3, resistance: 0 });
    expect(decodeWave(logic)).toMatchObject({ bytes: FRAME, inverted: true, faults: [] });
  });

  it('that is no signal is refused', () => {
    const random = seededRandom(5);
    const noise = {
      start: 0,
      interval: 1e-4,
      values: Float64Array.from({ length: 5000 }, () => 36 + random()),
      quantity: 'voltage' as const,
    };
    const flat = { ...noise, values: new Float64Array(100).fill(36) };
    for (const wave of [noise, flat, { ...flat, values: new Float64Array(1) }])
      expect(() => decodeWave(wave)).toThrow(DecodeError);
  });

  it('of any shape gives a reading or a DecodeError', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.constantFrom(0, 24, 36), fc.double({ noNaN: true, min: -100, max: 100 })), {
          maxLength: 300,
        }),
        (values) => {
          const wave: Waveform = {
            start: 0,
            interval: 1 / 9600,
            values: Float64Array.from(values),
            quantity: 'voltage',
          };
          try {
            expect(decodeWave(wave).bytes.length).toBeLessThan(300);
          } catch (error) {
            expect(error).toBeInstanceOf(DecodeError);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('the CSV', () => {
  const wave = encodeWave(FRAME, { baud: 2400, rate: 24_000, noise: 0.2, random: seededRandom(1) });
  const rows = (
    separator: string,
    comma: boolean,
    timeFactor: number,
    unitFactor: number,
    more: (i: number) => string = () => '',
  ): string =>
    Array.from(wave.values, (v, i) => {
      const line = [(timeOf(wave, i) * timeFactor).toFixed(6), (v * unitFactor).toFixed(3)].join(separator) + more(i);
      return comma ? line.replaceAll('.', ',') : line;
    }).join('\r\n');
  const volts = Array.from(wave.values, (v) => v.toFixed(3));
  const step = '4.1666667E-5';

  const DIALECTS: [string, string][] = [
    ['our own', formatWaveCsv(wave)],
    ['a name and a unit a line, times in ms', `Time,Channel A\n(ms),(V)\n\n${rows(',', false, 1e3, 1)}`],
    ['millivolts, units in brackets', `Time [us],CH1 [mV]\n${rows(',', false, 1e6, 1e3)}`],
    ['semicolons and decimal commas', `Zeit (s);Kanal A (V)\n${rows(';', true, 1, 1)}`],
    ['tabs', `second\tVolt\n${rows('\t', false, 1, 1)}`],
    ['quoted cells behind a byte order mark', `\uFEFF"Time (s)","Volts, CH1 (V)"\n${rows(',', false, 1, 1)}`],
    ['no heading at all', rows(',', false, 1, 1)],
    [
      'pairs of names and values above',
      `Model,SDS1104\nRecord Length,Analog:1000\nSample Interval,${step}\nVertical Units,V\nSecond,Value\n${rows(',', false, 1, 1)}`,
    ],
    [
      'facts beside the first samples',
      volts
        .map(
          (v, i) =>
            `${['Record Length,1000', 'Sample Interval,4E-5', 'Trigger Point,5', 'Source,CH1', 'Vertical Units,V'][i] ?? ','},,${timeOf(wave, i).toFixed(7)},${v},`,
        )
        .join('\n'),
    ],
    [
      'sequence numbers, start and increment',
      `X,CH1,Start,Increment,\nSequence,Volt,-0.01,${step},\n${volts.map((v, i) => `${i},${v},,`).join('\n')}`,
    ],
    [
      'volts alone under comments',
      `; CSV, generated by a logic analyser\n; Samplerate: 24 kHz\n; Channels (1/1): A0\n${volts.join('\n')}`,
    ],
    ['two channels and an empty last column', `Time (s),CH2 (V),\n${rows(',', false, 1, 1, () => ',')}`],
    ['overloads written as infinity', `Time (s),A (V)\n${rows(',', false, 1, 1).replace(/^(0\.010000,).*$/m, '$1∞')}`],
  ];
  it.each(DIALECTS)('with %s', (_, text) => {
    const { wave: read } = parseWaveCsv(text);
    expect(read.quantity).toBe('voltage');
    const reading = decodeWave(read);
    expect([toHex(reading.bytes), reading.baud]).toEqual([toHex(FRAME), 2400]);
    expect(reading.mark).toBeCloseTo(35.9, 0);
  });

  it('of a digital recorder that writes changes only', () => {
    const { edges } = decodeWave(wave);
    const changes = [
      'Time [s],Channel 0',
      '0.0,1',
      ...edges.map(({ at, rising }) => `${at.toFixed(9)},${rising ? 1 : 0}`),
      '0.06,1',
    ];
    const { wave: read } = parseWaveCsv(changes.join('\n'));
    expect(read.times).toBeDefined();
    const reading = decodeWave(read);
    expect([toHex(reading.bytes), reading.baud, reading.faults]).toEqual([toHex(FRAME), 2400, []]);
    expect(drawWave(read, reading)).toContain('class="wave" d="M');
  });

  it('with several channels gives the one that is asked for, in its own unit', () => {
    const current = encodeWave(Uint8Array.of(0xe5), { sender: 'slave', rate: 24_000, tail: 200 });
    const lines = Array.from(
      wave.values,
      (v, i) => `${timeOf(wave, i).toFixed(7)},${v.toFixed(2)},${((current.values[i] ?? 1.5) / 1000).toFixed(5)}`,
    );
    const text = `Time (s),Bus (V),Probe (A)\n${lines.join('\n')}`;
    expect(decodeWave(parseWaveCsv(text, { column: 'probe' }).wave)).toMatchObject({
      bytes: Uint8Array.of(0xe5),
      faults: [],
    });
    expect(decodeWave(parseWaveCsv(text, { column: 3 }).wave).mark).toBeCloseTo(1.5, 1);
    expect(toHex(decodeWave(parseWaveCsv(text).wave).bytes)).toBe(toHex(FRAME));
    expect(() => parseWaveCsv(text, { column: 'CH7' })).toThrow(/1 \(Time\), 2 \(Bus\), 3 \(Probe\)/);
    expect(() => parseWaveCsv(volts.join('\n'))).toThrow(/samples a second/);
    expect(toHex(decodeWave(parseWaveCsv(volts.join('\n'), { rate: 24_000 }).wave).bytes)).toBe(toHex(FRAME));
  });

  it('of anything gives a waveform or a DecodeError', () => {
    const piece = fc.oneof(
      fc.string({ maxLength: 8 }),
      fc.double().map(String),
      fc.constantFrom(',', ';', '\n', '\t', '"', ' ', '1', '2\n'),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
        try {
          expect(parseWaveCsv(pieces.join('')).wave.values.length).toBeGreaterThan(2);
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('the picture', () => {
  const wave = encodeWave(FRAME, { parityErrors: [5] });
  const svg = drawWave(wave, decodeWave(wave), { title: 'A & <b>', fields: explainLongFrame(FRAME), perRow: 4 });

  it('has every octet, every field and every fault in it', () => {
    for (const octet of FRAME) expect(svg).toContain(`>${toHex(Uint8Array.of(octet)).toUpperCase()}</text>`);
    for (const text of [
      'start of a long frame',
      'length 3, twice',
      'address 1',
      'mark',
      'space',
      '35 V',
      'parity bit is 0',
    ])
      expect(svg.includes(text), text).toBe(true);
    expect(svg.match(/class="wave"/g)).toHaveLength(3);
    expect(svg).toContain('prefers-color-scheme:dark');
  });

  it('is XML: what comes from outside is quoted, and every element ends', () => {
    expect(svg).toContain('A &amp; &lt;b&gt;');
    const open = [...svg.matchAll(/<(\/?)([a-z]+)[^>]*?(\/?)>/g)];
    const stack: string[] = [];
    for (const [, closing, name, empty] of open) {
      if (closing) expect(stack.pop()).toBe(name);
      else if (!empty) stack.push(name as string);
    }
    expect(stack).toEqual([]);
  });
});
