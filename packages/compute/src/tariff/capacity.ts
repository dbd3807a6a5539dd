/**
 * Demand charges: one mechanism whose parameters give Flanders, Norway, Sweden, Denmark and ratchets.
 *
 * Decides: the value of a calendar month = mean of the n highest windows (of different days if so said) of the last `within` months, at least
 * `least`; the mean of such values over `months`; not below the ratchet's share of the highest one before. Months before supply began
 * do not count; where there are fewer windows or months than are asked for, the mean is of those there are. A month that is billed in part has
 * the value of what is known of it by the end of the period, priced by days.
 */
import { MisuseError } from '@amiable/bytes';
import type { CapacityComponent } from '@amiable/model';
import { instantOf, type Span } from './compile.ts';
import { civilDay } from './days.ts';
import { type Draft, metering, type Rating } from './draft.ts';
import {
  compare,
  type Fraction,
  larger,
  over,
  parse,
  plus,
  print,
  roundTo,
  scaled,
  times,
  whole,
  ZERO,
} from './fraction.ts';
import { type Source, type Tops, topsOf } from './peaks.ts';
import { monthPieces, type Piece } from './periods.ts';
import { type Metering, placeOf, scalerIn } from './quantity.ts';
import { type Peak, QUALITY_NAMES, type QualityName, type QualityShares } from './types.ts';
import { type Windows, windowsOf } from './windows.ts';

/** So many windows are listed on a line. */
const MOST_LISTED = 60;

interface MonthValue {
  readonly value: Fraction;
  readonly tops: Tops;
}

/** Power of one month after all means, with what it stands on. */
interface Demand {
  readonly value: Fraction;
  readonly months: readonly MonthValue[];
  readonly note: string;
}

class Mechanism {
  readonly #component: CapacityComponent;
  readonly #windows: Windows;
  readonly #source: Source;
  readonly #unit: Fraction;
  readonly #metering: Metering;
  /** First window of this customer: what lies before supply began is no history of theirs. */
  readonly #begin: number;
  readonly #known = new Map<number, MonthValue | undefined>();

  constructor(rating: Rating, span: Span, component: CapacityComponent) {
    const found = metering(rating, span, component.of);
    const { series, unit, grid, base } = found;
    const scaler = scalerIn(unit, series.scaler, component.unit, component.of);
    const { weights, divisor } = weightsOf(span, component);
    this.#component = component;
    this.#metering = found;
    this.#windows = windowsOf(grid, rating.compiled.zone, component.interval, component.of);
    this.#begin = windowFrom(this.#windows, placeOf(grid, Math.min(rating.input.since ?? grid.origin, span.from)));
    this.#source = { values: series.values, quality: series.quality, base, rates: grid.rates, weights };
    // Energy of a window to mean power.
    const perHour = scaled(60, scaler);
    this.#unit = { n: perHour.n, d: perHour.d * BigInt(component.interval) * divisor };
  }

  power(sum: number): Fraction {
    if (!Number.isSafeInteger(sum))
      throw new MisuseError(
        `a peak of ${this.#metering.name} is no whole mantissa, or has more digits than can be billed exactly`,
      );
    return times(whole(sum), this.#unit);
  }

  /** Mean of the highest windows of the pool that ends with a month. */
  month(month: number): MonthValue | undefined {
    if (this.#known.has(month)) return this.#known.get(month);
    const { highest, differentDays, within, least } = this.#component;
    let from = -1;
    let to = -1;
    for (let m = month - within + 1; m <= month; m++) {
      const range = this.#windows.months.get(m);
      if (!range || range[1] <= this.#begin) continue;
      if (from < 0) from = Math.max(range[0], this.#begin);
      to = range[1];
    }
    const tops = from < 0 ? undefined : topsOf(this.#source, this.#windows, from, to, highest, differentDays);
    let found: MonthValue | undefined;
    if (tops && tops.tops.length > 0) {
      const sum = tops.tops.reduce((total, top) => plus(total, this.power(top.sum)), ZERO);
      const mean = over(sum, whole(tops.tops.length));
      found = { value: least === undefined ? mean : larger(mean, parse(least)), tops };
    }
    this.#known.set(month, found);
    return found;
  }

  mean(month: number): { value: Fraction; months: MonthValue[] } | undefined {
    const months: MonthValue[] = [];
    for (let m = month - this.#component.months + 1; m <= month; m++) {
      const value = this.month(m);
      if (value) months.push(value);
    }
    if (months.length === 0) return undefined;
    const sum = months.reduce((total, { value }) => plus(total, value), ZERO);
    return { value: over(sum, whole(months.length)), months };
  }

  demand(month: number): Demand | undefined {
    const now = this.mean(month);
    const { ratchet, months, unit, round } = this.#component;
    const rounding = (value: Fraction): Fraction => (round ? roundTo(value, round.decimals, round.mode) : value);
    let high: Fraction | undefined;
    let highMonth = 0;
    for (let m = month - (ratchet?.months ?? 0); m < month; m++) {
      const before = this.mean(m);
      if (!before || (high && compare(before.value, high) <= 0)) continue;
      high = before.value;
      highMonth = m;
    }
    if (!now && !high) return undefined;
    let value = now?.value ?? ZERO;
    let note = months > 1 && now ? `mean of ${now.months.length} month${now.months.length === 1 ? '' : 's'}` : '';
    if (ratchet && high) {
      const held = times(parse(ratchet.share), high);
      if (compare(held, value) > 0) {
        const text = `${Math.floor(highMonth / 12)}-${`${(highMonth % 12) + 1}`.padStart(2, '0')}`;
        note = `held at ${ratchet.share} of the ${print(high)} ${unit} of ${text}`;
        value = held;
      }
    }
    return { value: rounding(value), months: now?.months ?? [], note };
  }

  peaks(demand: Demand): Peak[] {
    const { grid } = this.#metering;
    const out: Peak[] = [];
    for (const { tops } of demand.months)
      for (const top of tops.tops) {
        if (out.length >= MOST_LISTED) return out;
        out.push({
          at: grid.origin + (this.#windows.first[top.window] as number) * grid.step,
          value: print(this.power(top.sum)),
          quality: QUALITY_NAMES[top.quality] as QualityName,
        });
      }
    return out;
  }

  /** Of the mean of the windows, before least and ratchet. */
  quality(demand: Demand): QualityShares {
    const counts = [0, 0, 0, 0, 0];
    const by = [ZERO, ZERO, ZERO, ZERO, ZERO];
    for (const { tops } of demand.months) {
      counts[4] = (counts[4] as number) + tops.missing;
      for (const top of tops.tops) {
        counts[top.quality] = (counts[top.quality] as number) + 1;
        const part = over(this.power(top.sum), whole(tops.tops.length * demand.months.length));
        by[top.quality] = plus(by[top.quality] as Fraction, part);
      }
    }
    const intervals = {} as Record<QualityName, number>;
    const quantity = {} as Record<QualityName, string>;
    let worst: QualityName = 'measured';
    for (const [q, name] of QUALITY_NAMES.entries()) {
      intervals[name] = counts[q] as number;
      quantity[name] = print(by[q] as Fraction);
      if (counts[q]) worst = name;
    }
    return { intervals, quantity, worst };
  }
}

/** The first window that begins at an interval of the grid or after it. */
function windowFrom({ first }: Windows, place: number): number {
  let low = 0;
  let high = first.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((first[middle] as number) < place) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Whole weights by rate; undefined where all weigh the same. */
function weightsOf(
  span: Span,
  { only, weights }: CapacityComponent,
): { weights: Float64Array | undefined; divisor: bigint } {
  if (!only && !weights) return { weights: undefined, divisor: 1n };
  const fractions = span.tariff.rates.map(({ name }) => {
    if (only && !only.includes(name)) return ZERO;
    return weights && Object.hasOwn(weights, name) ? parse(weights[name] as string) : whole(1);
  });
  const divisor = fractions.reduce((most, { d }) => (d > most ? d : most), 1n);
  return { weights: Float64Array.from(fractions, ({ n, d }) => Number((n * divisor) / d)), divisor };
}

export function capacityDrafts(rating: Rating, span: Span, component: CapacityComponent): Draft[] {
  const { zone } = rating.compiled;
  const mechanism = new Mechanism(rating, span, component);
  const out: Draft[] = [];
  for (const piece of monthPieces(component.per, span.fromDay, span.toDay)) {
    const { year, month } = civilDay(piece.from);
    const demand = mechanism.demand(year * 12 + month - 1);
    const from = piece.from === span.fromDay ? span.from : instantOf(zone, piece.from);
    const to = piece.to === span.toDay ? span.to : instantOf(zone, piece.to);
    if (!demand) {
      rating.marks.push({
        kind: 'missing-intervals',
        component: component.name,
        from,
        to,
        sentence: `No whole interval of ${component.of} is known for ${year}-${`${month}`.padStart(2, '0')} in ${JSON.stringify(component.name)}; its demand is not in the bill.`,
      });
      continue;
    }
    const peaks = mechanism.peaks(demand);
    const quality = mechanism.quality(demand);
    rating.determinants.push({
      kind: 'power',
      name: component.name,
      rate: null,
      version: span.version,
      from,
      to,
      quantity: print(demand.value),
      unit: component.unit,
      quality,
      peaks,
    });
    out.push(draftOf(span, component, piece, demand, { from, to, peaks, quality }));
  }
  return out;
}

function draftOf(
  span: Span,
  component: CapacityComponent,
  piece: Piece,
  { value, note }: Demand,
  found: { from: number; to: number; peaks: readonly Peak[]; quality: QualityShares },
): Draft {
  const common = { component, span, rate: null, share: piece.text, ...found };
  const told = note === '' ? {} : { note };
  if (component.price !== undefined) {
    const price = parse(component.price);
    return {
      ...common,
      ...told,
      step: null,
      quantity: value,
      unit: component.unit,
      price,
      amount: times(times(value, price), piece.share),
      what: `demand of ${component.of}`,
    };
  }
  const steps = component.steps as NonNullable<CapacityComponent['steps']>;
  const at = steps.findIndex(({ below }) => below === undefined || compare(value, parse(below)) < 0);
  const step = steps[at] as (typeof steps)[number];
  const price = parse(step.price);
  const floor = at === 0 ? '0' : steps[at - 1]?.below;
  const range =
    step.below === undefined
      ? `from ${floor} ${component.unit} on`
      : `from ${floor} to below ${step.below} ${component.unit}`;
  return {
    ...common,
    ...told,
    step: at + 1,
    quantity: whole(1),
    unit: component.per === 'day' ? 'day' : component.per === 'month' ? 'month' : 'year',
    price,
    amount: times(price, piece.share),
    what: `demand of ${component.of}, ${print(value)} ${component.unit} in step ${at + 1} (${range})`,
  };
}
