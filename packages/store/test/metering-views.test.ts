/** Meterings as other programs read them: the views, and every statement of docs/sql.md. */
import { readFileSync } from 'node:fs';
import { intervalRegister, type Quantity, quantityOf } from '@amiable/model';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStore, type Store } from '../src/index.ts';
import { createTestDatabase, type TestDatabase } from './harness.ts';

const Q = 900_000;
const QUARTERS = intervalRegister(quantityOf('energyImport') as Quantity, 900);
const PAGE = readFileSync(new URL('../../../docs/sql.md', import.meta.url), 'utf8');
/** Local midnights of Oslo. */
const OCTOBER = Date.UTC(2026, 8, 30, 22);
const NOVEMBER = Date.UTC(2026, 9, 31, 23);
const END = Date.UTC(2026, 10, 18, 23);
const CHANGED = Date.UTC(2026, 10, 19);

let db: TestDatabase;
let store: Store;
let client: pg.Client;

beforeAll(async () => {
  db = await createTestDatabase();
  store = await openStore({ url: db.url });
  const made = await store.ensureMeters([
    { serial: 'one', timeZone: 'Europe/Oslo' },
    { serial: 'two', timeZone: 'Europe/Oslo' },
  ]);
  expect(made.get('one')).toBe('1');
  const n = (END - OCTOBER) / Q;
  const values = Float64Array.from({ length: n }, (_, i) => 1000 + (i % 96));
  // Six quarters of the night of the change are estimated, two of the next day lack.
  const quality = new Uint8Array(n);
  const night = (Date.UTC(2026, 9, 25) - OCTOBER) / Q;
  quality.fill(3, night, night + 6);
  values.fill(Number.NaN, night + 120, night + 122);
  const series = (meter: string) => ({
    meter,
    register: QUARTERS,
    scaler: -1,
    start: OCTOBER,
    step: Q,
    values,
    quality,
  });
  await store.intervals.write([series('1'), series('2')], { source: 'validation', at: END });
  // The same in hours, which must not be added to it.
  await store.intervals.write(
    [
      {
        meter: '1',
        register: intervalRegister(quantityOf('energyImport') as Quantity, 3600),
        scaler: 0,
        start: NOVEMBER,
        step: 4 * Q,
        values: new Float64Array(24).fill(400),
      },
    ],
    { source: 'validation', at: END },
  );
  await store.intervals.edit(
    [
      {
        meter: '1',
        quantity: 'energyImport',
        from: NOVEMBER,
        to: NOVEMBER + 2 * Q,
        values: [5, null],
        scaler: 0,
        reason: 'r',
      },
    ],
    'anna',
    CHANGED,
    false,
  );
  await store.compact(Date.UTC(2026, 10, 20));
  client = new pg.Client(db.url);
  await client.connect();
  await client.query("set timezone = 'Asia/Kolkata'");
});
afterAll(async () => {
  await client.end();
  await store.close();
  await db.drop();
});
const rows = async (text: string): Promise<Record<string, unknown>[]> => (await client.query(text)).rows;

describe('views of meterings', () => {
  it('have days of 96 and 100 quarters, with what lacks and what is estimated', async () => {
    const days =
      await rows(`select local_day::text as day, value::text, quality, version, n, expected, measured, estimated, edited, peak::text
      from amiable.metering_day where meter_id = 1 and period = 900 and local_day between '2026-10-24' and '2026-11-01' order by local_day`);
    expect(days.map((d) => [d.day, d.n, d.expected, d.quality, d.estimated, d.version])).toEqual([
      ['2026-10-24', 96, 96, 'measured', 0, 1],
      ['2026-10-25', 100, 100, 'estimated', 6, 1],
      ['2026-10-26', 94, 96, 'measured', 0, 1],
      ...[27, 28, 29, 30].map((d) => [`2026-10-${d}`, 96, 96, 'measured', 0, 1]),
      // The UTC day of its last hour is that of the edit.
      ['2026-10-31', 96, 96, 'measured', 0, 2],
      ['2026-11-01', 95, 96, 'edited', 0, 2],
    ]);
    expect(days[0]).toMatchObject({ value: '10056.0', peak: '109.5', measured: 96 });
    const [hour] =
      await rows(`select time at time zone 'UTC' as at, value::text, n, expected, quality, local_day::text as day from amiable.metering_hour
      where meter_id = 1 and period = 900 and day = '2026-10-25' order by time limit 1`);
    expect(hour).toMatchObject({ n: 4, expected: 4, quality: 'estimated', day: '2026-10-25' });
  });

  it('have months, and keep periods apart', async () => {
    const months = await rows(`select month::text, value::text, quality, n, expected, period from amiable.metering_month
      where meter_id = 1 order by month, period`);
    expect(months.map((m) => [m.month, m.period, m.n, m.expected, m.quality])).toEqual([
      ['2026-10-01', 900, 31 * 96 + 4 - 2, 31 * 96 + 4, 'estimated'],
      ['2026-11-01', 900, 18 * 96 - 1, 30 * 96, 'edited'],
      ['2026-11-01', 3600, 24, 720, 'measured'],
    ]);
    const { values } = (await store.intervals.one('1', {
      quantity: 'energyImport',
      from: OCTOBER,
      to: NOVEMBER,
      period: 900,
    })) as { values: Float64Array };
    const sum = values.reduce((a, v) => (Number.isNaN(v) ? a : a + v), 0);
    expect(months[0]?.value).toBe((sum / 10).toFixed(1));
  });

  it('say what was changed and who did it, and leave what meters sent alone', async () => {
    expect(
      await rows(
        `select time, was::text, was_quality, became::text, became_quality, source, who, edit from amiable.metering_change order by id`,
      ),
    ).toMatchObject([
      { time: new Date(NOVEMBER), was_quality: 'measured', became: '5.0', became_quality: 'edited', who: 'anna' },
      { time: new Date(NOVEMBER + Q), became: null, became_quality: 'missing', source: 'edit', edit: '1' },
    ]);
    expect(await rows('select id, state, made_by, reason from amiable.metering_edit')).toEqual([
      { id: '1', state: 'applied', made_by: 'anna', reason: 'r' },
    ]);
    for (const view of ['reading', 'reading_hour', 'reading_day'])
      expect(await rows(`select 1 from amiable.${view} where meter_id = 1`)).toEqual([]);
  });
});

describe('the page on SQL', () => {
  const fences = [...PAGE.matchAll(/```(\w+)( grafana)?\n([\s\S]*?)```/g)].map(([, language, more, text]) => ({
    language: `${language}${more ?? ''}`,
    text: text as string,
  }));
  const of = (language: string): string[] => fences.filter((f) => f.language === language).map((f) => f.text);
  const [grants, psql] = of('sql') as [string, string];
  const inside = (language: string, between: RegExp): string => between.exec(of(language)[0] as string)?.[1] as string;
  const given = (text: string, words: Readonly<Record<string, string>>): string =>
    Object.entries(words).reduce((out, [word, value]) => out.replaceAll(word, value), text);
  const DAYS = { first: "'2026-11-01'", last: "'2026-11-30'" };
  const statements: [string, string][] = [
    ...psql
      .split(';')
      .filter((s) => s.trim() !== '')
      .map((s): [string, string] => [`psql: ${/-- (.*)/.exec(s)?.[1]}`, s]),
    [
      'Grafana',
      given(of('sql grafana')[0] as string, {
        $meter: '1',
        '$__timeFrom()::date': "'2026-11-01'::date",
        '$__timeTo()::date': "'2026-11-03'::date",
        '$__timeFilter(time)': "time between '2026-11-01T00:00:00Z' and '2026-11-03T00:00:00Z'",
      }),
    ],
    [
      'Python',
      given(inside('python', /text\("""([\s\S]*?)"""/), { ':meter': '1', ':first': DAYS.first, ':last': DAYS.last }),
    ],
    ['R', given(inside('r', /dbGetQuery\(base, "([\s\S]*?)"/), { $1: '1', $2: DAYS.first, $3: DAYS.last })],
    ['Excel', inside('powerquery', /Query = "([\s\S]*?)"\]/)],
  ];

  it.each(statements)('%s', async (_, text) => {
    expect((await client.query(text)).rows.length).toBeGreaterThan(0);
  });

  it('grants what there is', async () => {
    // Users are made by who runs the server; here the rights go to who has them already.
    const given = grants.split(';').filter((s) => /^\s*grant/.test(s));
    expect(given).toHaveLength(2);
    for (const text of given) await client.query(text.replace('meter_reader', 'current_user'));
  });

  it('has a statement for each program', () => {
    expect(statements.map(([name]) => name.split(':')[0])).toEqual([
      ...new Array(5).fill('psql'),
      'Grafana',
      'Python',
      'R',
      'Excel',
    ]);
  });
});
