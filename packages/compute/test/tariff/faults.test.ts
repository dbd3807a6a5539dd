import { readFileSync } from 'node:fs';
import { tariff as schema, type TariffInput } from '@amiable/model/schemas';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addVersion, rate } from '../../src/index.ts';
import { example, flat, house, local, since, tariffOf } from './house.ts';

const week = (name: string, day: string) => ({
  name,
  monday: day,
  tuesday: day,
  wednesday: day,
  thursday: day,
  friday: day,
  saturday: day,
  sunday: day,
});
const good: TariffInput = {
  name: 'good',
  zone: 'Europe/Oslo',
  currency: 'NOK',
  rates: [{ name: 'day' }, { name: 'night' }],
  calendar: {
    seasons: [
      { name: 'winter', from: '11-01', to: '03-31', week: 'w' },
      { name: 'summer', from: '04-01', to: '10-31', week: 'w' },
    ],
    weeks: [week('w', 'd')],
    days: [
      {
        name: 'd',
        switches: [
          { at: '00:00', rate: 'night' },
          { at: '06:00', rate: 'day' },
        ],
      },
    ],
  },
  components: [{ kind: 'energy', name: 'e', prices: { day: '1', night: '2' } }],
};

/** Path and sentence of each fault of `good` with something changed. */
const faults = (edit: (tariff: TariffInput) => void): string[] => {
  const copy = structuredClone(good);
  edit(copy);
  const found = schema.safeParse(copy);
  return found.success ? [] : found.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
};
const calendar = (edit: (calendar: TariffInput['calendar']) => void) => faults((t) => edit(t.calendar));
const components = (...list: unknown[]) => faults((t) => t.components.push(...(list as TariffInput['components'])));

describe('a tariff is refused', () => {
  it('not when it is whole', () => {
    expect(faults(() => undefined)).toEqual([]);
    for (const name of [
      'day-night',
      'three-rates-seasons',
      'flanders-capacity',
      'norway-grid',
      'spot-with-tax',
      'prosumer-net',
    ])
      expect(example(name).name).toBe(name);
  });
  it('not for what the documentation shows', () => {
    const text = readFileSync(new URL('../../../../docs/tariffs.md', import.meta.url), 'utf8');
    const shown = [...text.matchAll(/```json\n([\s\S]*?)```/g)].map(
      ([, block]) => JSON.parse(block as string) as unknown,
    );
    expect(shown.length).toBeGreaterThan(3);
    expect(components(...shown)).toEqual([]);
  });
  it('for a hole in a day table, switch points out of order, rates that are not there', () => {
    expect(calendar((c) => c.days[0]?.switches.shift())).toEqual([
      'calendar.days.0.switches.0.at: Day table "d" has a hole: no rate holds from 00:00 to 06:00; let it begin with a switch point at 00:00.',
    ]);
    expect(calendar((c) => c.days[0]?.switches.push({ at: '06:00', rate: 'peak' }))).toEqual([
      'calendar.days.0.switches.2.rate: There is no rate named "peak"; there are "day", "night".',
      'calendar.days.0.switches.2.at: Day table "d" switches at 06:00 after 06:00; switch points stand in the order of the day, each time once.',
    ]);
    expect(calendar((c) => c.days.push({ name: 'x', switches: [] }))[0]).toContain('calendar.days.1.switches');
  });
  it('for seasons that overlap or leave days out, and days that no year has', () => {
    expect(calendar((c) => Object.assign(c.seasons[0] as object, { to: '04-02' }))).toEqual([
      'calendar.seasons.1.from: Season "summer" overlaps season "winter" on 04-01; each day of the year belongs to one.',
    ]);
    expect(calendar((c) => Object.assign(c.seasons[0] as object, { to: '02-28' }))).toEqual([
      'calendar.seasons: The days from 02-29 to 03-31 belong to no season; every day of the year needs one.',
    ]);
    expect(calendar((c) => Object.assign(c.seasons[1] as object, { from: '04-02' }))).toEqual([
      'calendar.seasons: 04-01 belongs to no season; every day of the year needs one (also 02-29).',
    ]);
    expect(calendar((c) => Object.assign(c.seasons[1] as object, { to: '09-31' }))).toEqual([
      'calendar.seasons.1.to: No year has a day 09-31.',
    ]);
    expect(calendar((c) => Object.assign(c.weeks[0] as object, { sunday: 'x' }))).toEqual([
      'calendar.weeks.0.sunday: There is no day table named "x"; there is "d".',
    ]);
    expect(calendar((c) => delete (c.weeks[0] as Record<string, unknown>).sunday)[0]).toContain(
      'calendar.weeks.0.sunday',
    );
  });
  it('for special days that do not exist or stand twice', () => {
    expect(
      calendar((c) => {
        c.specialDays = [
          { name: 'a', day: 'd', date: '2026-02-29' },
          { name: 'b', day: 'x', easter: 1 },
          { name: 'c', day: 'd', easter: 1, fromYear: 2027, toYear: 2026 },
          { name: 'e', day: 'd', date: '05-17' },
          { name: 'f', day: 'd', date: '05-17' },
        ];
      }),
    ).toEqual([
      'calendar.specialDays.0.date: There is no day 2026-02-29.',
      'calendar.specialDays.1.day: There is no day table named "x"; there is "d".',
      'calendar.specialDays.2.toYear: Special day "c" ends in 2026, before it begins in 2027.',
      'calendar.specialDays.4: Special day "f" stands twice in the list; leave one of them out.',
    ]);
  });
  it('for rates without a price, prices for no rate, several ways of pricing', () => {
    expect(components({ kind: 'energy', name: 'x', prices: { day: '1', peak: '1' } })).toEqual([
      'components.1.prices.peak: There is no rate named "peak"; there are "day", "night".',
      'components.1.prices: Nothing is said for rate "night"; what is used in it would have no price.',
    ]);
    expect(components({ kind: 'energy', name: 'x' })[0]).toContain(
      'has no price; say exactly one of price, prices, steps and spot',
    );
    expect(components({ kind: 'energy', name: 'x', price: '1', spot: { prices: 'NO1' } })[0]).toContain(
      'has price and spot',
    );
    expect(components({ kind: 'energy', name: 'e', price: '1' })[0]).toBe(
      'components.1.name: There are two components named "e"; give each a name of its own.',
    );
    expect(components({ kind: 'energy', name: 'x', price: 0.1 })).toHaveLength(1);
    expect(components({ kind: 'energy', name: 'x', price: '1e3' })[0]).toContain('a decimal as text');
    expect(components({ kind: 'energy', name: 'x', spot: { prices: 'NO1', missing: 'substitute' } })[0]).toContain(
      'Say which price stands in',
    );
    expect(components({ kind: 'energy', name: 'x', spot: { prices: 'NO1', floor: '1', cap: '0.5' } })[0]).toContain(
      'lies below the floor',
    );
  });
  it('for steps that do not rise, or leave what is above without a price', () => {
    const steps = (...list: unknown[]) =>
      components({ kind: 'energy', name: 'x', steps: { per: 'month', steps: list } });
    expect(steps({ upTo: '10', price: '1' }, { upTo: '9.5', price: '2' }, { price: '3' })).toEqual([
      'components.1.steps.steps.1.upTo: Step 2 ends at 9.5, not above the step before (10).',
    ]);
    expect(steps({ upTo: '10', price: '1' })[0]).toContain('What lies above 10 has no price');
    expect(steps({ price: '1' }, { price: '1' })[0]).toContain('those after it are never reached');
  });
  it('for taxes in a circle or on nothing', () => {
    expect(
      components(
        { kind: 'tax', name: 'a', percent: '1', on: ['b'] },
        { kind: 'tax', name: 'b', percent: '1', on: ['a', 'nothing'] },
      ),
    ).toEqual([
      'components.2.on.1: There is no component or group named "nothing"; there are "e", "a", "b".',
      'components.1.on: "a", "b", "a": each stands on the next, in a circle; one of them must leave the other out.',
    ]);
    expect(components({ kind: 'tax', name: 'a', percent: '1', on: ['a'] })[0]).toContain('in a circle');
  });
  it('for a zone that is none', () => {
    expect(faults((t) => Object.assign(t, { zone: 'Europe/Nowhere' }))).toEqual([
      'zone: There is no time zone "Europe/Nowhere"; give an IANA name such as Europe/Oslo.',
    ]);
  });
  it('with sentences whatever is given, and never breaks', () => {
    const leaf = fc.oneof(
      fc.constantFrom(
        '00:00',
        'd',
        'w',
        'day',
        'night',
        '01-01',
        '12-31',
        '1',
        '*',
        'energy',
        'tax',
        'constructor',
        '__proto__',
      ),
      fc.integer(),
      fc.string({ maxLength: 5 }),
      fc.constant(null),
    );
    const value = fc.letrec((tie) => ({
      it: fc.oneof(
        { depthSize: 'small' },
        leaf,
        fc.array(tie('it'), { maxLength: 3 }),
        fc.dictionary(fc.constantFrom(...Object.keys(good), 'kind', 'name', 'at', 'rate', 'on'), tie('it'), {
          maxKeys: 4,
        }),
      ),
    })).it;
    const paths = [
      ['calendar'],
      ['calendar', 'seasons', 0],
      ['calendar', 'days', 0, 'switches'],
      ['components', 0],
      ['components', 0, 'prices'],
      ['rates'],
    ];
    fc.assert(
      fc.property(fc.constantFrom(...paths), value, (path, put) => {
        const copy = structuredClone(good) as unknown as Record<string, unknown>;
        let at = copy;
        for (const key of path.slice(0, -1)) at = at[key] as Record<string, unknown>;
        at[path.at(-1) as string] = put;
        const found = schema.safeParse(copy);
        if (!found.success) for (const issue of found.error.issues) expect(issue.message.length).toBeGreaterThan(3);
      }),
      { numRuns: 100 },
    );
  });
});

describe('billing is refused', () => {
  const O = 'Europe/Oslo';
  const definition = tariffOf(O, 'NOK', [{ kind: 'energy', name: 'e', price: '1' }]);
  const input = {
    versions: [since('2026-01-01', definition)],
    from: local(O, '2026-01-01'),
    to: local(O, '2026-01-03'),
    series: { energyImport: house(O, '2026-01-01', '2026-01-03', 60) },
  };
  it('for days without a version, and two versions of one day', () => {
    expect(() => rate({ ...input, versions: [since('2026-01-02', definition)] })).toThrow(
      'no price version holds from 2026-01-01 to 2026-01-01; the first one begins on 2026-01-02',
    );
    expect(() => rate({ ...input, versions: [] })).toThrow('no version');
    expect(() =>
      rate({ ...input, versions: [since('2026-01-01', definition), since('2026-01-01', definition, '2')] }),
    ).toThrow('both begin on 2026-01-01');
    expect(() =>
      rate({
        ...input,
        versions: [since('2025-01-01', definition), since('2026-01-01', { ...definition, currency: 'SEK' }, '2')],
      }),
    ).toThrow('one zone and one currency');
  });
  it('for periods that are no local days', () => {
    expect(() => rate({ ...input, from: input.from + 3_600_000 })).toThrow(
      'begins and ends at midnight of Europe/Oslo',
    );
    expect(() => rate({ ...input, to: input.from })).toThrow('a beginning before its end');
    expect(() => rate({ ...input, from: local(O, '1960-01-01') })).toThrow('between the years 1970 and 2200');
    expect(() => rate({ ...input, versions: [since('2026-02-30', definition)] })).toThrow('which is no day');
    expect(() => rate({ ...input, from: Number.NaN })).toThrow('a beginning before its end');
    expect(() => rate({ ...input, since: input.from + 1 })).toThrow('after the billing period');
  });
  it('for meterings that lack or do not fit', () => {
    expect(() => rate({ ...input, series: {} })).toThrow('no such metering');
    const { energyImport } = input.series;
    expect(() => rate({ ...input, series: { energyImport: { ...energyImport, unit: 'm3' } } })).toThrow(
      'is in m3, the tariff wants kWh',
    );
    expect(() =>
      rate({ ...input, series: { energyImport: { ...energyImport, start: energyImport.start + 60_000 } } }),
    ).toThrow('do not begin at');
    expect(() =>
      rate({ ...input, series: { energyImport: { ...energyImport, values: energyImport.values.map(() => 0.3) } } }),
    ).toThrow('whole mantissas');
    const halfHours = {
      ...definition,
      calendar: {
        ...definition.calendar,
        days: [
          {
            name: 'flat',
            switches: [
              { at: '00:00', rate: 'all' },
              { at: '07:30', rate: 'other' },
            ],
          },
        ],
      },
      rates: [{ name: 'all' }, { name: 'other' }],
    };
    expect(() => rate({ ...input, versions: [since('2026-01-01', halfHours)] })).toThrow(
      'within an interval of 60 minutes; its energy cannot be told apart',
    );
    const demand = tariffOf(O, 'NOK', [{ kind: 'capacity', name: 'c', interval: 15, price: '1' }]);
    expect(() => rate({ ...input, versions: [since('2026-01-01', demand)] })).toThrow('means over 15 minutes');
  });
  it('for numbers of the contract that lack', () => {
    const fuse = tariffOf(O, 'NOK', [{ kind: 'fixed', name: 'f', price: '2.5', times: 'mainFuse', per: 'day' }]);
    const versions = [since('2026-01-01', fuse)];
    expect(() => rate({ ...input, versions })).toThrow('multiplies by mainFuse of the contract');
    expect(() => rate({ ...input, versions, parameters: { mainFuse: 'a lot' } })).toThrow('no decimal');
    expect(rate({ ...input, versions, parameters: { mainFuse: '35' } }).total).toBe('175.00');
  });
  it('for a tariff that is broken, be it stored as it is', () => {
    const holed = {
      ...definition,
      calendar: { ...flat, specialDays: [], days: [{ name: 'flat', switches: [{ at: '01:00', rate: 'all' }] }] },
    };
    expect(() => rate({ ...input, versions: [since('2026-01-01', holed)] })).toThrow('has a hole');
  });
});

describe('versions of prices', () => {
  const definition = tariffOf('Europe/Oslo', 'NOK', [{ kind: 'fixed', name: 'f', price: '1' }]);
  const first = since('2026-01-01', definition);
  it('follow each other and never rewrite', () => {
    expect(addVersion([first], since('2026-03-01', definition, '2'), '2026-02-01').map((v) => v.version)).toEqual([
      '1',
      '2',
    ]);
    expect(() => addVersion([first], since('2026-01-15', definition, '2'), '2026-02-01')).toThrow(
      'would change what was billed up to 2026-01-31',
    );
    expect(() => addVersion([first], since('2026-01-01', definition, '2'))).toThrow('never written over');
    expect(() => addVersion([first], since('2026-03-01', definition, '1'))).toThrow('never written over');
  });
});
