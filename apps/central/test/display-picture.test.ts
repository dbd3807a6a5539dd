/** Pictures for displays: what is decoded from the PNG is looked at, not its bytes; and one is held against a golden file. */
import { readFileSync, writeFileSync } from 'node:fs';
import { inflateSync } from 'node:zlib';
import { add, type PeriodUnit, startOf } from '@amiable/calendar';
import type { Energy, Media, Meter } from '@amiable/model';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Canvas, fitted, INK, LIGHT, textWidth } from '../src/features/display/canvas.ts';
import { type Display, displayOf, plainDisplay } from '../src/features/display/content.ts';
import { createKept } from '../src/features/display/kept.ts';
import { drawDisplay, marksOf } from '../src/features/display/picture.ts';
import { bitsOf, encodePng, packLevels } from '../src/features/display/png.ts';
import { LANGUAGES, type Language, speechOf } from '../src/features/display/words.ts';

const ZONE = 'Europe/Oslo';
const NOW = Date.UTC(2026, 10, 20, 15, 37);
const EVERY = 300_000;

/** Levels of a PNG with unfiltered rows, and what its header says. */
function decodePng(png: Buffer) {
  const chunks = new Map<string, Buffer>();
  for (let at = 8; at < png.length; ) {
    const length = png.readUInt32BE(at);
    chunks.set(png.toString('latin1', at + 4, at + 8), png.subarray(at + 8, at + 8 + length));
    at += 12 + length;
  }
  const header = chunks.get('IHDR') as Buffer;
  const [width, height, bits] = [header.readUInt32BE(0), header.readUInt32BE(4), header[8] as number];
  const rows = inflateSync(chunks.get('IDAT') as Buffer);
  const stride = Math.ceil((width * bits) / 8);
  expect(rows.length).toBe((stride + 1) * height);
  const levels = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    expect(rows[y * (stride + 1)]).toBe(0);
    for (let x = 0; x < width; x++) {
      const byte = rows[y * (stride + 1) + 1 + Math.floor((x * bits) / 8)] as number;
      levels[y * width + x] = (byte >> (8 - bits - ((x * bits) % 8))) & ((1 << bits) - 1);
    }
  }
  return { width, height, bits, type: header[9], palette: chunks.get('PLTE'), levels };
}

const meter = (change: Partial<Meter> = {}): Meter => ({
  id: '7',
  serial: '6970631401753985',
  state: 'named',
  name: 'Bakken',
  place: null,
  utilitySerial: null,
  maker: null,
  type: null,
  list: null,
  phases: 3,
  lineVoltage: false,
  timeZone: ZONE,
  firstSeen: null,
  lastSeen: new Date(NOW).toISOString(),
  reader: null,
  port: null,
  hasKey: false,
  live: { meter: '7', time: new Date(NOW - 4000).toISOString(), power: 1840, values: {} },
  ...change,
});

/** Bucket i takes 1,000 Wh × (i mod 5 + 1), every third gives 800 Wh, bucket 3 is not known, 4 is estimated. */
function energyOf(bucket: Energy['bucket'], from: number, to: number): Energy {
  const buckets: Energy['buckets'] = [];
  for (let start = startOf(bucket, ZONE, from); start < to; start = add(bucket, ZONE, start, 1)) {
    const i = buckets.length;
    const known = start < NOW && i !== 3;
    buckets.push({
      start,
      end: add(bucket, ZONE, start, 1),
      import: known ? 1000 * ((i % 5) + 1) : null,
      export: known ? (i % 3 === 0 ? 800 : 0) : null,
      quality: known ? (i === 4 ? 'estimated' : 'measured') : 'missing',
    });
  }
  const sum = (key: 'import' | 'export') => buckets.reduce((all, b) => all + (b[key] ?? 0), 0);
  return { meter: '7', bucket, timeZone: ZONE, buckets, import: sum('import'), export: sum('export') };
}
const GAS: Media['media'] = [
  {
    name: 'gasVolume',
    unit: 'm3',
    obis: '0-1:24.2.1',
    channel: 1,
    value: 1234.567,
    time: new Date(NOW).toISOString(),
    total: 2.345,
    buckets: [],
  },
];

async function show(
  unit: PeriodUnit,
  offset = 0,
  more: { lang?: Language; meter?: Meter; media?: Media['media'] } = {},
) {
  const speech = speechOf(more.lang ?? 'en');
  const display = await displayOf(
    more.meter ?? meter(),
    { period: { unit, offset }, speech, every: EVERY },
    {
      energy: async (_, bucket, from, to) => energyOf(bucket, from, to),
      media: async (id, bucket) => ({ meter: id, bucket, timeZone: ZONE, media: more.media ?? [] }),
    },
    NOW,
  );
  return { display, speech };
}

function paint(
  { display, speech }: { display: Display; speech: ReturnType<typeof speechOf> },
  width: number,
  height: number,
  greys: number,
) {
  const { canvas, layout } = drawDisplay(display, speech, { width, height, greys });
  return { layout, ...decodePng(encodePng(canvas.levels(), width, height, greys)) };
}

const inkIn = (
  p: { width: number; levels: Uint8Array },
  f: { x: number; y: number; width: number; height: number },
): number => {
  let ink = 0;
  for (let y = f.y; y < f.y + f.height; y++)
    for (let x = f.x; x < f.x + f.width; x++) if (p.levels[y * p.width + x] === 0) ink++;
  return ink;
};

describe('PNG', () => {
  it.each([
    [2, 1, 0],
    [3, 2, 3],
    [4, 2, 0],
    [8, 4, 3],
    [16, 4, 0],
    [100, 8, 3],
    [256, 8, 0],
  ])('of %i greys has %i bits and these greys exactly', (greys, bits, type) => {
    const levels = Uint8Array.from({ length: 37 * 11 }, (_, i) => i % greys);
    const read = decodePng(encodePng(levels, 37, 11, greys));
    expect([read.width, read.height, read.bits, read.type]).toEqual([37, 11, bits, type]);
    expect(read.levels).toEqual(levels);
    if (type === 3) {
      expect(read.palette?.length).toBe(greys * 3);
      expect([read.palette?.[0], read.palette?.at(-1)]).toEqual([0, 255]);
    } else expect(read.palette).toBeUndefined();
  });
  it('plain bits are packed row by row, most significant first', () => {
    expect([...packLevels(Uint8Array.of(0, 1, 2, 3, 3, 0, 3, 2, 1, 0), 5, 2, 2)]).toEqual([
      0b00011011, 0b11000000, 0b00111001, 0,
    ]);
    expect([...packLevels(Uint8Array.of(1, 0, 1), 3, 1, 1)]).toEqual([0b10100000]);
    expect(bitsOf(4)).toBe(2);
  });
});

describe('a picture of 480 × 280 in 4 greys', () => {
  it('has bars as high as their energies, export below the line in grey', async () => {
    const picture = paint(await show('day'), 480, 280, 4);
    const { bars } = picture.layout;
    expect(bars).toHaveLength(24);
    const at = (x: number, y: number) => picture.levels[y * picture.width + x];
    const kilowattHour = (bars[0]?.up ?? 0) / 1;
    expect(kilowattHour).toBeGreaterThan(12);
    for (const [i, bar] of bars.entries()) {
      const known = i !== 3 && i <= 16;
      expect(bar.up).toBeGreaterThanOrEqual(known ? kilowattHour * ((i % 5) + 1) - 3 : 0);
      expect(bar.up).toBeLessThanOrEqual(known ? kilowattHour * ((i % 5) + 1) + 3 : 0);
      if (!known) continue;
      const middle = bar.x + Math.floor(bar.width / 2);
      let black = 0;
      while (at(middle, bar.zero - 1 - black) === 0) black++;
      // An estimated one is a frame around light grey.
      if (i === 4) expect(at(middle, bar.zero - Math.floor(bar.up / 2))).toBe(2);
      else expect(black).toBe(bar.up);
      expect(at(middle, bar.zero - bar.up - 1)).not.toBe(0);
      if (i % 3 === 0) {
        expect(at(middle, bar.zero + Math.ceil(bar.down / 2))).toBe(2);
        expect(at(middle, bar.zero + bar.down)).toBe(0);
      }
    }
  });
  it('has words in the head, figures below, and nothing at the very edge', async () => {
    const picture = paint(await show('week', -2), 480, 280, 4);
    expect(inkIn(picture, { ...picture.layout.head, width: 60 })).toBeGreaterThan(100);
    expect(inkIn(picture, { ...picture.layout.head, x: 360, width: 110 })).toBeGreaterThan(100);
    expect(inkIn(picture, picture.layout.figures)).toBeGreaterThan(1000);
    const edge = [...picture.levels].filter((_, i) => {
      const [x, y] = [i % 480, Math.floor(i / 480)];
      return x < 2 || y < 2 || x > 477 || y > 277;
    });
    expect(new Set(edge)).toEqual(new Set([3]));
  });
  it('uses all four greys and no other', async () => {
    const picture = paint(await show('day', 0, { media: GAS }), 480, 280, 4);
    expect([...new Set(picture.levels)].sort()).toEqual([0, 1, 2, 3]);
  });
  it.each([
    ['en', 'No full hour yet.'],
    ['nb', 'Ingen hel time ennå.'],
    ['de', 'Noch keine volle Stunde.'],
    ['nl', 'Nog geen vol uur.'],
  ] as const)('of a meter that was just heard for the first time says so (%s)', async (lang, words) => {
    const speech = speechOf(lang);
    const ask = (live: Meter['live'], offset: number) =>
      displayOf(
        meter({ live }),
        { period: { unit: 'day', offset }, speech, every: EVERY },
        {
          energy: async (id, bucket) => ({
            meter: id,
            bucket,
            timeZone: ZONE,
            buckets: [],
            import: null,
            export: null,
          }),
          media: async (id, bucket) => ({ meter: id, bucket, timeZone: ZONE, media: [] }),
        },
        NOW,
      );
    const { live } = meter();
    expect(await ask(live, 0)).toMatchObject({ state: 'ok', note: words, power: 1840 });
    // One that tells no power (gas alone), too; but yesterday there was nothing.
    expect((await ask({ ...(live as NonNullable<typeof live>), power: null }, 0)).note).toBe(words);
    expect(await ask(live, -1)).toMatchObject({ state: 'nothing', note: speech.say('nothing') });
    expect(await ask(null, 0)).toMatchObject({ state: 'waiting', note: speech.say('waiting') });
  });
  it('of a meter of gas alone has bars of gas, black as what is measured', async () => {
    const speech = speechOf('de');
    const buckets = (bucket: Energy['bucket'], from: number, to: number) => energyOf(bucket, from, to).buckets;
    const display = await displayOf(
      meter({ live: null }),
      { period: { unit: 'week', offset: 0 }, speech, every: EVERY },
      {
        energy: async (_, bucket, from, to) => ({
          ...energyOf(bucket, from, to),
          buckets: buckets(bucket, from, to).map((b) => ({ ...b, import: null, export: null, quality: 'missing' })),
          import: null,
          export: null,
        }),
        media: async (id, bucket, from, to) => ({
          meter: id,
          bucket,
          timeZone: ZONE,
          media: [
            {
              ...(GAS[0] as Media['media'][number]),
              buckets: buckets(bucket, from, to).map((b, i) => ({ ...b, value: i < 5 ? i + 1 : null })),
            },
          ],
        }),
      },
      NOW,
    );
    expect([display.state, display.import, display.media[0]?.label]).toEqual(['ok', null, 'Gas']);
    const picture = paint({ display, speech }, 480, 280, 4);
    const { bars } = picture.layout;
    expect(bars.map((bar) => bar.up > 0)).toEqual([true, true, true, true, true, false, false]);
    for (const bar of bars.slice(0, 5))
      expect(picture.levels[(bar.zero - Math.ceil(bar.up / 2)) * 480 + bar.x + Math.floor(bar.width / 2)]).toBe(0);
    // Days to come are no gaps.
    const coming = bars[6] as (typeof bars)[number];
    expect(inkIn(picture, { x: coming.x, y: coming.zero - 20, width: coming.width, height: 19 })).toBe(0);
  });
  it('is the golden picture, pixel by pixel', async () => {
    const file = new URL('./golden/display-day-480x280.png', import.meta.url);
    const { display, speech } = await show('day', 0, { media: GAS });
    const png = encodePng(
      drawDisplay(display, speech, { width: 480, height: 280, greys: 4 }).canvas.levels(),
      480,
      280,
      4,
    );
    // UPDATE_GOLDEN=1 writes it anew; look at it before it is committed.
    if (process.env.UPDATE_GOLDEN) writeFileSync(file, png);
    const [golden, now] = [decodePng(readFileSync(file)), decodePng(png)];
    const different = now.levels.reduce((n, level, i) => n + (level === golden.levels[i] ? 0 : 1), 0);
    expect(different).toBe(0);
    expect([now.width, now.height, now.bits]).toEqual([golden.width, golden.height, golden.bits]);
  });
});

describe('pictures of any size', () => {
  it('are drawn for every period, language, size and number of greys without a fault, and never blank', async () => {
    for (const lang of LANGUAGES)
      for (const unit of ['day', 'week', 'month', 'year'] as const) {
        const shown = await show(unit, 0, { lang, media: GAS });
        for (const [w, h, greys] of [
          [480, 280, 4],
          [296, 128, 2],
          [96, 64, 2],
          [200, 200, 3],
        ] as const) {
          const picture = paint(shown, w, h, greys);
          expect(inkIn(picture, { x: 0, y: 0, width: w, height: h })).toBeGreaterThan(w);
          expect(picture.levels.reduce((a, b) => Math.max(a, b))).toBe(greys - 1);
        }
      }
  });
  it('of a label of 296 × 128 have black and white bars of the right height', async () => {
    const picture = paint(await show('week', -1), 296, 128, 2);
    expect(picture.layout.bars).toHaveLength(7);
    const [first, second] = picture.layout.bars;
    expect(Math.abs((second?.up ?? 0) - 2 * (first?.up ?? 0))).toBeLessThanOrEqual(1);
    expect(picture.bits).toBe(1);
  });
  it('cut names that are too long, and keep the date', async () => {
    const long = meter({ name: 'The Nygård family with a name that is far longer than any display is wide' });
    const { display, speech } = await show('day', 0, { meter: long });
    const style = { size: 15, weight: 1.5 };
    const cut = fitted(display.meter?.name as string, style, 200);
    expect(cut).toMatch(/^The Nyg.*…$/);
    expect(textWidth(cut, style)).toBeLessThanOrEqual(200);
    const [short, whole] = [paint(await show('day'), 480, 280, 4), paint({ display, speech }, 480, 280, 4)];
    const date = { x: 400, y: 8, width: 71, height: 20 };
    expect(inkIn(whole, date)).toBeGreaterThan(inkIn(short, date) * 0.5);
  });
  it('say what is wrong instead of showing nothing', async () => {
    const speech = speechOf('en');
    const cases: [Display, RegExp][] = [
      [(await show('day', 1)).display, /future/],
      [(await show('day', 0, { meter: meter({ needsKey: true, live: null }) })).display, /key/],
      [
        plainDisplay(
          { period: { unit: 'day', offset: 0 }, speech, every: EVERY },
          'none',
          speech.say('noMeterYet'),
          ZONE,
          NOW,
        ),
        /No meter/,
      ],
    ];
    for (const [display, note] of cases) {
      expect(display.note).toMatch(note);
      const bare = { ...display, bars: [] };
      const picture = paint({ display: bare, speech }, 480, 280, 4);
      expect(inkIn(picture, { x: 100, y: 100, width: 280, height: 120 })).toBeGreaterThan(100);
    }
  });
  it('of a meter that fell silent tell since when, in white on black, and no power', async () => {
    const live = { meter: '7', time: new Date(NOW - 40 * 60_000).toISOString(), power: 500, values: {} };
    const { display, speech } = await show('day', 0, { meter: meter({ live }) });
    expect([display.state, display.power, display.note]).toEqual(['silent', null, 'Not heard since 15:57']);
    const picture = paint({ display, speech }, 480, 280, 4);
    expect(inkIn(picture, { x: 340, y: 260, width: 130, height: 14 })).toBeGreaterThan(700);
  });
});

describe('what a display says', () => {
  it.each([
    ['en', 'day', 0, 'Friday 20 November 2026'],
    ['nb', 'day', 0, 'fredag 20. november 2026'],
    ['de', 'day', -1, 'Donnerstag, 19. November 2026'],
    ['nl', 'week', -2, 'Week 45 · 2 – 8 nov 2026'],
    ['en', 'week', -7, 'Week 40 · 28 Sep – 4 Oct 2026'],
    ['de', 'month', -8, 'März 2026'],
    ['en', 'year', -1, '2025'],
  ] as const)('%s %s %i: %s', async (lang, unit, offset, title) => {
    expect((await show(unit, offset, { lang })).display.title).toBe(title);
  });
  it('stays good until the next slot, or until its period means another day', async () => {
    expect((await show('day')).display.next).toBe('2026-11-20T15:40:00.000Z');
    expect((await show('day', -1)).display.next).toBe('2026-11-20T16:37:00.000Z');
    const late = Date.UTC(2026, 10, 20, 22, 40);
    const { speech } = await show('day');
    const sources = {
      energy: async (_: string, bucket: Energy['bucket'], from: number, to: number) => energyOf(bucket, from, to),
      media: async (id: string, bucket: Energy['bucket']) => ({ meter: id, bucket, timeZone: ZONE, media: [] }),
    };
    const yesterday = await displayOf(
      meter(),
      { period: { unit: 'day', offset: -1 }, speech, every: EVERY },
      sources,
      late,
    );
    expect(yesterday.next).toBe('2026-11-20T23:00:00.000Z');
    expect([yesterday.power, yesterday.asOf]).toEqual([null, null]);
  });
  it('numbers are written as the language does', () => {
    expect(speechOf('en').power(1840)).toEqual({ value: '1.84', unit: 'kW' });
    expect(speechOf('de').energy(12_345_678)).toEqual({ value: '12.346', unit: 'kWh' });
    expect(speechOf('nb').amount(4.2131, 'm3')).toEqual({ value: '4,21', unit: 'm³' });
    expect(speechOf('nl').amount(7.2e6, 'J')).toEqual({ value: '2,00', unit: 'kWh' });
    expect(speechOf('en').number(-0.001, 2)).toBe('0.00');
  });
  it('a day of 25 hours has 25 bars', async () => {
    const { display } = await show('day', -26);
    expect(display.from).toBe('2026-10-24T22:00:00.000Z');
    expect(display.bars).toHaveLength(25);
  });
});

describe('canvas', () => {
  it('takes any text and any place', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', maxLength: 40 }),
        fc.integer({ min: -50, max: 150 }),
        fc.integer({ min: 4, max: 60 }),
        (text, x, size) => {
          const canvas = new Canvas(100, 40, 4);
          canvas.text(x, 30, text, { size });
          canvas.box(x, x, size, size, LIGHT);
          expect(Math.max(...canvas.levels())).toBeLessThanOrEqual(3);
        },
      ),
      { numRuns: 60 },
    );
  });
  it('shows greys that the screen has not as dots of the right density', () => {
    const canvas = new Canvas(64, 64, 2);
    canvas.box(0, 0, 64, 64, LIGHT);
    const white = canvas.levels().reduce((n, level) => n + level, 0) / 4096;
    expect(white).toBeGreaterThan(0.6);
    expect(white).toBeLessThan(0.75);
    canvas.box(0, 0, 64, 64, INK);
    expect(Math.max(...canvas.levels())).toBe(0);
  });
  it('letters with accents are letters, what is unknown is a box', () => {
    const drawn = (text: string) => {
      const canvas = new Canvas(40, 40, 2);
      canvas.text(10, 30, text, { size: 16 });
      return canvas.levels().join('');
    };
    expect(drawn('ä')).not.toBe(drawn('a'));
    expect(drawn('Ä')).not.toBe(drawn('A'));
    expect(drawn('ж')).toBe(drawn('漢'));
    expect(drawn('’')).toBe(drawn("'"));
  });
  it('marks of an axis are round and hold everything', () => {
    fc.assert(
      fc.property(
        fc.double({ min: -1e4, max: 0, noNaN: true }),
        fc.double({ min: 0.1, max: 1e5, noNaN: true }),
        fc.integer({ min: 1, max: 6 }),
        (low, high, most) => {
          const marks = marksOf(low, high, most);
          // A thousandth of a pixel beyond is nothing.
          const spare = (high - low) * 1e-6;
          expect(marks[0]).toBeLessThanOrEqual(low + spare);
          expect(marks.at(-1)).toBeGreaterThanOrEqual(high - spare);
          expect(marks.length).toBeLessThanOrEqual(most + 3);
        },
      ),
      { numRuns: 100 },
    );
  });
});

describe('pictures that are kept', () => {
  it('are bounded by number and by octets, the oldest go first', () => {
    const kept = createKept<{ body: Buffer }>(3, 100);
    const of = (length: number) => ({ body: Buffer.alloc(length) });
    for (const key of ['a', 'b', 'c', 'd']) kept.put(key, of(10));
    expect(['a', 'b', 'c', 'd'].map((key) => kept.get(key) !== undefined)).toEqual([false, true, true, true]);
    expect(kept.octets).toBe(30);
    kept.put('large', of(85));
    expect([kept.get('c'), kept.octets]).toEqual([undefined, 95]);
    kept.put('large', of(20));
    expect(kept.octets).toBe(30);
    // Larger than everything: given, not kept, and nothing else need go for good.
    expect(kept.put('huge', of(101)).body).toHaveLength(101);
    expect(kept.get('huge')).toBeUndefined();
    expect(kept.octets).toBeLessThanOrEqual(100);
  });
});
