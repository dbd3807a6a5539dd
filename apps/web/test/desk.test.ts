/** What the pages for those who work here compute, without a browser: strength of passwords, the log's tree, the heat map, the API. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loginAddress, safeNext } from '../src/access/address.ts';
import { strengthOf, worth } from '../src/access/strength.ts';
import { addAmounts, money } from '../src/bill/money.ts';
import type { Cell } from '../src/completeness/api.ts';
import { addDays, below, classOf, dayOf, daysBetween, isDay, percent } from '../src/completeness/model.ts';
import { createFormat } from '../src/format.ts';
import { de } from '../src/i18n/desk/de.ts';
import { en } from '../src/i18n/desk/en.ts';
import { nb } from '../src/i18n/desk/nb.ts';
import { nl } from '../src/i18n/desk/nl.ts';
import { en as base } from '../src/i18n/en.ts';
import type { Entry } from '../src/log/api.ts';
import { isLater, LogTree } from '../src/log/tree.ts';
import { durationText, tallyOf } from '../src/log/words.ts';
import { addressOf, curlOf, exampleOf, find, linesOf, readDescription } from '../src/reference/openapi.ts';
import { binsOf } from '../src/values/bins.ts';
import { OPENAPI } from './mock-openapi.ts';

describe('words of the desk', () => {
  it('says everything in every language, with the same blanks to fill, and hides none of the street', () => {
    const blanks = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(String).sort();
    for (const key of Object.keys(en) as (keyof typeof en)[]) {
      expect(key in base).toBe(false);
      for (const dictionary of [nb, de, nl]) {
        expect([key, blanks(dictionary[key])]).toEqual([key, blanks(en[key])]);
        expect(dictionary[key].trim()).not.toBe('');
      }
    }
    for (const dictionary of [nb, de, nl]) expect(Object.keys(dictionary).sort()).toEqual(Object.keys(en).sort());
  });
});

describe('passwords', () => {
  it('counts what is hard to guess', () => {
    expect(
      ['', 'short', 'aaaaaaaaaaaaaaaa', 'abcdefghijklmnop', '123456789012', 'qwertyuiopasdf'].map((p) => strengthOf(p)),
    ).toEqual(['short', 'short', 'weak', 'weak', 'weak', 'weak']);
    expect(strengthOf('annaannaanna', 'anna')).toBe('weak');
    expect(strengthOf('Password Password!')).not.toBe('good');
    expect(strengthOf('a house by the river')).toBe('good');
    expect(strengthOf('kX9#mP2$vL7q')).toBe('good');
  });
  it('is never weaker for having more', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (a, b) => {
        // Words of their own are worth little however they come about.
        fc.pre(!/password|passwort|passord|wachtwoord|amiable|welcome|admin|letmein|sommer|winter/i.test(a + b));
        expect(worth(`${a}${b}`, '')).toBeGreaterThanOrEqual(worth(a, '') - 1);
      }),
    );
  });
});

describe('the way back from the log-in', () => {
  it('leads to pages of our own only', () => {
    expect(
      ['/log?q=a', '//evil.example', '/\\evil.example', 'https://evil.example', null, '/login?next=/', '/first'].map(
        safeNext,
      ),
    ).toEqual(['/log?q=a', '/', '/', '/', '/', '/', '/']);
    expect(loginAddress('/meter/4?view=x')).toBe('/login?next=%2Fmeter%2F4%3Fview%3Dx');
    expect(loginAddress('/')).toBe('/login');
  });
});

describe('the heat map', () => {
  const cell = (present: number, expected: number): Cell => ({
    expected,
    present,
    missing: expected - present,
    estimated: 0,
    givenUp: 0,
    meters: 1,
    complete: 0,
  });
  it('never says complete where something lacks, nor nothing where something is there', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e7 }), fc.nat(1e7), (expected, some) => {
        const present = Math.min(expected, some);
        const one = cell(present, expected);
        const kind = classOf(one);
        expect(kind === 'full').toBe(present === expected);
        expect(kind === 'p0').toBe(present === 0);
        expect(percent(one, 1) === 100).toBe(present === expected);
        expect(percent(one) === 0).toBe(present === 0);
      }),
    );
    expect([null, cell(0, 0)].map(classOf)).toEqual(['unknown', 'none']);
  });
  it('goes down the network', () => {
    expect(
      ['all', 'region', 'substation', 'transformer', 'feeder', 'meter'].map((kind) => below(kind as 'all')),
    ).toEqual(['region', 'substation', 'transformer', 'feeder', 'meter', 'meter']);
  });
  it('counts days over changes of the clock', () => {
    expect(addDays('2026-10-24', 2)).toBe('2026-10-26');
    expect(daysBetween('2026-02-28', '2026-03-30')).toBe(30);
    expect(dayOf(Date.UTC(2026, 9, 24, 22, 30), 'Europe/Oslo')).toBe('2026-10-25');
    expect([isDay('2026-02-30x'), isDay('2026-13-01'), isDay('2026-11-20'), isDay(null)]).toEqual([
      false,
      false,
      true,
      false,
    ]);
  });
});

describe('the log', () => {
  const entry = (id: number, more: Partial<Entry> = {}): Entry => ({
    id: String(id),
    kind: 'task',
    state: 'running',
    text: `entry ${id}`,
    started: '2026-11-20T10:00:00Z',
    ended: null,
    parent: null,
    run: null,
    meter: null,
    detail: null,
    children: 0,
    ...more,
  });
  const keys = (tree: LogTree) => tree.lines().map((line) => line.key);
  const change = (...transactions: Entry[]) => ({ transactions, progress: {} });

  it('compares ids as numbers, however long', () => {
    expect([isLater('10', '9'), isLater('9', '10'), isLater('9007199254740993', '9007199254740992')]).toEqual([
      true,
      false,
      true,
    ]);
  });
  it('shows roots newest first and children in their order, as they come', () => {
    const tree = new LogTree();
    tree.takeRoots({ transactions: [entry(9, { children: 2 }), entry(5)], next: null }, true);
    tree.takeChange(change(entry(12), entry(7)));
    expect(keys(tree)).toEqual(['12', '9', '7', '5']);
    tree.fold('9', true);
    tree.takeChildren('9', { transactions: [entry(10, { parent: '9' })], next: null }, true);
    tree.takeChange(change(entry(11, { parent: '9' }), entry(99, { parent: '5' })));
    expect(keys(tree)).toEqual(['12', '9', '10', '11', '7', '5']);
    expect(tree.opened()).toEqual(['9']);
    tree.fold('9', false);
    expect(tree.opened()).toEqual([]);
  });
  it('takes an end as the last word, whatever comes after', () => {
    const tree = new LogTree();
    tree.takeRoots({ transactions: [entry(1)], next: null }, true);
    tree.takeChange(change(entry(1, { state: 'done', ended: '2026-11-20T10:00:05Z' })));
    tree.takeRoots({ transactions: [entry(1)], next: null }, true);
    expect(tree.get('1')?.state).toBe('done');
  });
  it('leaves later children to their page, and says where more is', () => {
    const tree = new LogTree();
    tree.takeRoots({ transactions: [entry(1, { children: 3 })], next: '1' }, true);
    tree.fold('1', true);
    tree.takeChildren('1', { transactions: [entry(2, { parent: '1' })], next: '2' }, true);
    expect(tree.takeChange(change(entry(9, { parent: '1' })))).toBe(0);
    expect(keys(tree)).toEqual(['1', '2', '1+', '+']);
    tree.takeChildren('1', { transactions: [entry(9, { parent: '1' })], next: null }, false);
    expect(keys(tree)).toEqual(['1', '2', '9', '+']);
  });
  it('lets a filter keep out what does not fit', () => {
    const tree = new LogTree(({ state }) => state === 'failed');
    tree.takeRoots({ transactions: [], next: null }, true);
    tree.takeChange(change(entry(1, { state: 'done' }), entry(2, { state: 'failed' })));
    expect(keys(tree)).toEqual(['2']);
  });
  it('stays in order, without doubles and bounded, whatever comes', () => {
    const step = fc.tuple(
      fc.constantFrom('live', 'first', 'older'),
      fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 20 }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        const tree = new LogTree();
        for (const [kind, ids] of steps) {
          const page = [...new Set(ids)].sort((a, b) => b - a).map((id) => entry(id));
          if (kind === 'live') tree.takeChange(change(...page));
          else tree.takeRoots({ transactions: page, next: null }, kind === 'first');
          const shown = tree.lines().map((line) => Number(line.key));
          expect(shown).toEqual([...new Set(shown)].sort((a, b) => b - a));
        }
      }),
    );
    const tree = new LogTree();
    tree.takeRoots({ transactions: [], next: null }, true);
    for (let i = 0; i < 50; i++)
      tree.takeChange(change(...Array.from({ length: 200 }, (_, n) => entry(1 + i * 200 + n))));
    const lines = tree.lines();
    expect([lines[0]?.key, lines.length]).toEqual(['10000', 3001]);
    expect(tree.next).toBe('7001');
  });
  it('tells how far and how long', () => {
    expect(tallyOf({ done: 3, failed: 1, running: 2 }, { total: 10 })).toMatchObject({ ended: 4, total: 10 });
    expect(tallyOf({ done: 3, running: 2 }, null).total).toBe(5);
    const format = createFormat('en');
    const took = (ms: number) =>
      durationText(format, { started: new Date(0).toISOString(), ended: new Date(ms).toISOString() });
    expect([0, 7, 1400, 62_000, 3_700_000].map(took)).toEqual(['', '7 ms', '1.4 s', '1 min 2 s', '1 h 1 min']);
  });
});

describe('the API described', () => {
  const description = readDescription(OPENAPI);
  const operation = (key: string) => {
    const found = description.chapters.flatMap(({ operations }) => operations).find((one) => one.key === key);
    if (!found) throw new Error(key);
    return found;
  };
  it('reads chapters in their order, with what each route needs', () => {
    expect(description.chapters.map(({ name, operations }) => [name, operations.length])).toEqual([
      ['Meters', 5],
      ['Access', 4],
    ]);
    expect(operation('patch-meters/id').needs).toBe('meter:modify');
    expect(find(description.chapters, 'PATCH meter:modify').flatMap(({ operations }) => operations)).toHaveLength(1);
    expect(() => readDescription({ swagger: '2.0' })).toThrow('no OpenAPI 3');
  });
  it('writes schemas line by line, and a schema within itself once', () => {
    const { lines } = linesOf(description, operation('get-meters/id').answers[0]?.schema);
    expect(lines.map(({ depth, name, type, note }) => [depth, name, type, note])).toEqual([
      [0, 'id', 'string', ''],
      [0, 'serial', 'string', 'length ≥ 1, length ≤ 64'],
      [0, 'name', 'string | null', ''],
      [0, 'state', 'string', 'new · named'],
      [0, 'lastSeen', 'string (date-time)', ''],
      [0, 'behind', 'object', '…'],
    ]);
  });
  it('fills addresses and examples', () => {
    const list = operation('get-meters');
    expect(addressOf(list, { q: 'a b', state: '' })).toBe('/api/v1/meters?q=a+b');
    expect(addressOf(operation('get-meters/id'), { id: 'a/b' })).toBe('/api/v1/meters/a%2Fb');
    const body = exampleOf(description, operation('patch-meters/id').body?.schema);
    expect(body).toEqual({ name: 'name', place: 'place' });
    expect(curlOf(operation('patch-meters/id'), '/x', 'http://h', { name: "it's" })).toContain(`'{"name":"it'\\''s"}'`);
  });
  it('survives any description', () => {
    fc.assert(
      fc.property(fc.object({ maxDepth: 5 }), fc.object({ maxDepth: 4 }), (paths, schema) => {
        const read = readDescription(JSON.parse(JSON.stringify({ openapi: '3.1.0', paths, components: schema })));
        linesOf(read, JSON.parse(JSON.stringify(schema)));
        exampleOf(read, JSON.parse(JSON.stringify(schema)));
      }),
    );
  });
});

describe('amounts', () => {
  it('are shown as the language writes them and never lose a cent', () => {
    const blank = (text: string) => text.replace(/\s/g, ' ');
    expect(money('12345678901234567.89', 'NOK', 'en')).toMatch(/12,345,678,901,234,567\.89/);
    expect(blank(money('-0.05', 'EUR', 'de'))).toBe('-0,05 €');
    expect(money('162.792', null, 'en')).toBe('162.792');
    expect(money('0.8420', null, 'nl')).toBe('0,8420');
    expect(money('much', 'NOK', 'en')).toBe('much');
    expect(money('1.00', 'nonsense', 'en')).toBe('1.00 nonsense');
  });
  it('add up by currency as integers do', () => {
    expect(
      addAmounts([
        ['0.1', 'NOK'],
        ['0.20', 'NOK'],
        ['-1', 'EUR'],
        [null, 'NOK'],
        ['5', null],
      ]),
    ).toEqual([
      ['0.30', 'NOK'],
      ['-1', 'EUR'],
    ]);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -1_000_000, max: 1_000_000 }), { minLength: 1 }), (cents) => {
        const text = (n: number) =>
          `${n < 0 ? '-' : ''}${Math.floor(Math.abs(n) / 100)}.${String(Math.abs(n) % 100).padStart(2, '0')}`;
        const sum = cents.reduce((a, b) => a + b, 0);
        expect(addAmounts(cents.map((n) => [text(n), 'SEK'] as const))).toEqual([[text(sum), 'SEK']]);
      }),
    );
  });
});

describe('validated values in bins', () => {
  const QUARTER = 900_000;
  const zone = 'Europe/Oslo';
  it('puts each interval into its local day, the long one too, by quality', () => {
    const start = Date.UTC(2026, 9, 24, 22);
    const values = Array.from({ length: 196 }, (_, i) => (i === 5 ? null : 1));
    const bins = binsOf(
      {
        start,
        step: QUARTER,
        values,
        quality: [
          ['measured', 5],
          ['missing', 1],
          ['estimated', 90],
          ['measured', 100],
        ],
      },
      'day',
      zone,
      start + 100 * 24 * 3_600_000,
      0,
    );
    expect(bins.map(({ sums, expected, missing }) => [sums.measured, sums.estimated, expected, missing])).toEqual([
      [9, 90, 100, 1],
      [96, 0, 96, 0],
    ]);
  });
  it('calls nothing missing that was before the beginning or is on its way', () => {
    const start = Date.UTC(2026, 10, 20);
    const now = start + 96 * QUARTER;
    const values = Array.from({ length: 96 }, (_, i) => (i < 20 || i >= 90 || i === 50 ? null : 2));
    const given = { start, step: QUARTER, values, quality: [['missing', 96]] as ['missing', number][] };
    const count = (begun: number) => binsOf(given, 'hour', zone, now, begun).reduce((sum, bin) => sum + bin.missing, 0);
    // All 96 are called missing by their quality; expected are those from the first value to the last.
    expect(count(start)).toBe(70);
    expect(count(start - 10 * 96 * QUARTER)).toBe(90);
  });
});
