/**
 * The tariff studio's model: what a tariff says, as it is written, stored and billed by (AMI system description §5.4.1).
 *
 * Decides: the shape. One document is one version of a tariff: calendar, rates and priced components; versions follow each other by
 * validity (compute's `TariffVersion`) and none is ever rewritten. Times are local wall time of `zone`; prices are decimals in the
 * currency's major unit. What must hold between the parts (no hole, no overlap, nothing unknown) is in tariff-faults.ts and
 * is checked by the schema. Leaves out: contracts, and the meter's own calendar with its limits (compute).
 */
import { z } from 'zod';
import { tariffFaults } from './tariff-faults.ts';

const name = z
  .string()
  .regex(/^[\p{L}\p{N}](?:[\p{L}\p{N} ._/-]{0,58}[\p{L}\p{N}])?$/u, 'up to 60 letters, digits, spaces and . _ / -');
const title = z
  .string()
  .trim()
  .min(1)
  .max(200)
  .regex(/^[^\p{C}]+$/u, 'letters that can be seen');
/** Exact, as text: a JSON number would pass through a binary fraction. */
const decimalText = z
  .string()
  .regex(
    /^-?\d{1,12}(\.\d{1,10})?$/,
    'a decimal as text, such as "0.2534" (up to 12 digits before and 10 after the point)',
  );
const positiveText = z.string().regex(/^\d{1,12}(\.\d{1,10})?$/, 'a decimal of zero or more as text, such as "2.5"');
/** A local day of one year. */
export const localDay = z.string().regex(/^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/, 'a day such as 2026-05-17');
/** A day of every year. */
const yearDay = z.string().regex(/^(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/, 'a day of the year such as 05-17');
const clock = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'a time of day such as 07:00');

export const ROUNDING_MODES = ['half-up', 'half-even', 'up', 'down'] as const;
/** `half-up`: halves go away from zero; `up`: away from zero; `down`: towards zero. */
const roundingMode = z.enum(ROUNDING_MODES);
const quantityRounding = z
  .object({ decimals: z.number().int().min(0).max(9), mode: roundingMode.default('half-up') })
  .strict();

const daySwitch = z.object({ at: clock, rate: name }).strict();
/** Which rate holds from when on; the first switch point is 00:00, so that no time is without a rate. */
const dayTable = z.object({ name, switches: z.array(daySwitch).min(1).max(1440) }).strict();
const weekTable = z
  .object({
    name,
    monday: name,
    tuesday: name,
    wednesday: name,
    thursday: name,
    friday: name,
    saturday: name,
    sunday: name,
  })
  .strict();
/** Both days included; may run over the end of the year. */
const season = z.object({ name, from: yearDay, to: yearDay, week: name }).strict();

const years = {
  fromYear: z.number().int().min(1900).max(2200).optional(),
  toYear: z.number().int().min(1900).max(2200).optional(),
};
/** Where it falls on a Saturday or Sunday: the Monday after, or the nearest weekday (Friday before a Saturday). */
const observed = z.enum(['monday', 'nearest']).optional();
const special = { name: title, day: name, observed };
const weekday = z.number().int().min(1).max(7);
/** Days that have a day table of their own. Of several that fall on one day the first in the list holds. */
const specialDay = z.union([
  /** Once: `2026-05-17`; or each year: `05-17`. */
  z.object({ ...special, ...years, date: z.union([localDay, yearDay]) }).strict(),
  /** So many days after Easter Sunday of the western churches: -2 is Good Friday, 39 Ascension Day. */
  z.object({ ...special, ...years, easter: z.number().int().min(-70).max(70) }).strict(),
  /** The same of the eastern churches. */
  z.object({ ...special, ...years, orthodoxEaster: z.number().int().min(-70).max(70) }).strict(),
  /** The nth of a weekday (1 Monday to 7 Sunday) in a month; -1 is the last. */
  z
    .object({
      ...special,
      ...years,
      nth: z.union([z.literal(-1), z.number().int().min(1).max(5)]),
      weekday,
      month: z.number().int().min(1).max(12),
    })
    .strict(),
  /** The first such weekday on or after a day: Midsummer's Day of Sweden is the Saturday on or after 06-20. */
  z.object({ ...special, ...years, weekday, onOrAfter: yearDay }).strict(),
]);

const free = { name: title.optional(), observed };
/** Holidays, in the ways in which special days are said; they have no day table. */
export const holiday = z.union([
  z.object({ ...free, ...years, date: z.union([localDay, yearDay]) }).strict(),
  z.object({ ...free, ...years, easter: z.number().int().min(-70).max(70) }).strict(),
  z.object({ ...free, ...years, orthodoxEaster: z.number().int().min(-70).max(70) }).strict(),
  z
    .object({
      ...free,
      ...years,
      nth: z.union([z.literal(-1), z.number().int().min(1).max(5)]),
      weekday,
      month: z.number().int().min(1).max(12),
    })
    .strict(),
  z.object({ ...free, ...years, weekday, onOrAfter: yearDay }).strict(),
]);
export type Holiday = z.infer<typeof holiday>;

export const tariffCalendar = z
  .object({
    seasons: z.array(season).min(1).max(366),
    weeks: z.array(weekTable).min(1).max(1000),
    days: z.array(dayTable).min(1).max(1000),
    specialDays: z.array(specialDay).max(5000).default([]),
  })
  .strict();

/** Name of a metering: `energyImport`, `gasVolume`, or a calculated one. */
const metering = z.string().regex(/^[A-Za-z][A-Za-z0-9_.-]{0,99}$/, 'the name of a metering such as energyImport');
export const TARIFF_UNITS = ['Wh', 'kWh', 'MWh', 'varh', 'kvarh', 'VAh', 'kVAh', 'm3'] as const;
const unit = z.enum(TARIFF_UNITS);
const perRate = z.record(name, decimalText);
/** Per what a price stands: `year` by days of the year (365 or 366), `year/12` a twelfth for each month, by days of the month. */
const per = z.enum(['day', 'month', 'year', 'year/12']);

const common = {
  name,
  title: title.optional(),
  /** Several components under one word, such as `grid`, for taxes and minimums to name. */
  group: name.optional(),
  /** Pays the customer: amounts are negative. */
  credit: z.boolean().default(false),
};

const priceStep = z.object({ upTo: positiveText.optional(), price: decimalText }).strict();
const steps = z
  .object({
    /** What a limit counts for: each local day, calendar month or year, or the billing period. */
    per: z.enum(['day', 'month', 'year', 'period']),
    /** `each`: what lies within a step has its price; `whole`: all has the price of the step that was reached. */
    count: z.enum(['each', 'whole']).default('each'),
    /** Limits of a month or year that is billed in part are reduced by days. */
    prorate: z.boolean().default(true),
    steps: z.array(priceStep).min(1).max(100),
  })
  .strict();

const spot = z
  .object({
    /** Name of a series of prices, such as `NO1`. */
    prices: z.string().regex(/^[\p{L}\p{N}][\p{L}\p{N} ._/-]{0,99}$/u, 'the name of a price series'),
    /** Price of an interval = price of the series × factor + mark-up, then not below `floor`, not above `cap`. */
    factor: decimalText.default('1'),
    markup: decimalText.default('0'),
    floor: decimalText.optional(),
    cap: decimalText.optional(),
    /** An interval without a price: refuse to bill, leave it out and mark the line, or take `substitute`. */
    missing: z.enum(['refuse', 'mark', 'substitute']).default('refuse'),
    /** Price in place of the whole formula. */
    substitute: decimalText.optional(),
  })
  .strict();

const energy = z
  .object({
    kind: z.literal('energy'),
    ...common,
    of: metering.default('energyImport'),
    unit: unit.default('kWh'),
    /** Of these rates only; left out, of all. */
    only: z.array(name).min(1).max(1000).optional(),
    /** Exactly one of the four says what a unit costs. */
    price: decimalText.optional(),
    prices: perRate.optional(),
    steps: steps.optional(),
    spot: spot.optional(),
    /** Quantity is what the meter's own registers advanced, by rate, in place of intervals: { "day": "1.8.1", "night": "1.8.2" }. */
    registers: z.record(name, z.string().min(1).max(100)).optional(),
    round: quantityRounding.optional(),
  })
  .strict();

const fixed = z
  .object({
    kind: z.literal('fixed'),
    ...common,
    price: decimalText,
    per: per.default('month'),
    /** Times a number of the contract, such as `contractedPower` or `mainFuse`. */
    times: z
      .string()
      .regex(/^[A-Za-z][A-Za-z0-9_]{0,59}$/)
      .optional(),
  })
  .strict();

const capacityStep = z.object({ below: positiveText.optional(), price: decimalText }).strict();
const capacity = z
  .object({
    kind: z.literal('capacity'),
    ...common,
    of: metering.default('energyImport'),
    unit: z.enum(['kW', 'W', 'MW', 'kvar', 'kVA']).default('kW'),
    /** Power is the mean over so many minutes of the local clock. */
    interval: z.union([z.literal(5), z.literal(10), z.literal(15), z.literal(30), z.literal(60)]).default(15),
    /** Only intervals that begin in these rates. */
    only: z.array(name).min(1).max(1000).optional(),
    /** Weight of intervals that begin in a rate; 1 where nothing is said. */
    weights: z.record(name, positiveText).optional(),
    /** Mean of so many highest intervals … */
    highest: z.number().int().min(1).max(1000).default(1),
    /** … each of another day … */
    differentDays: z.boolean().default(false),
    /** … out of the last so many calendar months, this one included … */
    within: z.number().int().min(1).max(36).default(1),
    /** … at least this. */
    least: positiveText.optional(),
    /** Mean of such values of the last so many months, this one included. */
    months: z.number().int().min(1).max(36).default(1),
    /** Not below this share of the highest such value of the months before. */
    ratchet: z
      .object({ share: positiveText, months: z.number().int().min(1).max(36) })
      .strict()
      .optional(),
    /** Per unit of power; or `steps`: one price for the step that the power falls in. */
    price: decimalText.optional(),
    steps: z.array(capacityStep).min(1).max(200).optional(),
    per: per.default('month'),
    round: quantityRounding.optional(),
  })
  .strict();

const net = z
  .object({
    kind: z.literal('net'),
    ...common,
    import: metering.default('energyImport'),
    export: metering.default('energyExport'),
    unit: unit.default('kWh'),
    /** Over what import and export are set against each other. */
    over: z.enum(['year', 'month', 'period']).default('year'),
    /** First day of the year of settlement. */
    from: yearDay.default('01-01'),
    /** `running`: a bill has what the year owes at its end less what it owed at its beginning; `end`: only when the year ends. */
    settle: z.enum(['running', 'end']).default('running'),
    /** For what is left of import. By rate: each rate is set against itself. */
    price: decimalText.optional(),
    prices: perRate.optional(),
    /** Paid to the customer for what is left of export; nothing where left out. */
    surplus: positiveText.optional(),
  })
  .strict();

/** Names of components or groups; `*` is every one that is no tax. */
const on = z
  .array(z.union([name, z.literal('*')]))
  .min(1)
  .max(500);
const tax = z.object({ kind: z.literal('tax'), ...common, percent: decimalText, on }).strict();
const minimum = z
  .object({
    kind: z.literal('minimum'),
    ...common,
    amount: positiveText,
    per: z.enum(['day', 'month', 'year', 'year/12', 'period']),
    on,
  })
  .strict();

export const tariffComponent = z.discriminatedUnion('kind', [energy, fixed, capacity, net, tax, minimum]);

export const tariffShape = z
  .object({
    name,
    title: title.optional(),
    /** IANA zone of all local times. */
    zone: z.string().min(1).max(64),
    /** ISO 4217. */
    currency: z.string().regex(/^[A-Z]{3}$/, 'a currency such as EUR'),
    /** Rounding of money, stated on every bill. */
    rounding: z
      .object({
        /** `lines`: each line, and taxes are of rounded lines; `total`: the sum alone. */
        of: z.enum(['lines', 'total']).default('lines'),
        mode: roundingMode.default('half-up'),
        /** Left out: the currency's minor unit. */
        decimals: z.number().int().min(0).max(6).optional(),
      })
      .strict()
      .default({ of: 'lines', mode: 'half-up' }),
    rates: z
      .array(z.object({ name, title: title.optional() }).strict())
      .min(1)
      .max(1000),
    calendar: tariffCalendar,
    components: z.array(tariffComponent).min(1).max(500),
  })
  .strict();

/** A whole tariff, checked in itself: every fault is an issue with its path and a sentence. */
export const tariff = tariffShape.superRefine((value, context) => {
  for (const fault of tariffFaults(value))
    context.addIssue({ code: 'custom', path: [...fault.path], message: fault.sentence });
});

export type Tariff = z.infer<typeof tariffShape>;
/** As people write it, defaults left out. */
export type TariffInput = z.input<typeof tariffShape>;
export type TariffCalendar = Tariff['calendar'];
export type TariffSpecialDay = TariffCalendar['specialDays'][number];
export type TariffDayTable = TariffCalendar['days'][number];
export type TariffComponent = Tariff['components'][number];
export type EnergyComponent = Extract<TariffComponent, { kind: 'energy' }>;
export type FixedComponent = Extract<TariffComponent, { kind: 'fixed' }>;
export type CapacityComponent = Extract<TariffComponent, { kind: 'capacity' }>;
export type NetComponent = Extract<TariffComponent, { kind: 'net' }>;
export type TaxComponent = Extract<TariffComponent, { kind: 'tax' }>;
export type MinimumComponent = Extract<TariffComponent, { kind: 'minimum' }>;
export type RoundingMode = (typeof ROUNDING_MODES)[number];
