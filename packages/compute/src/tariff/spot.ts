/**
 * Energy at a price of its own for each interval: price of the series × factor + mark-up, kept between floor and cap.
 *
 * Decides: an hour's price holds for its quarters; over an hour of intervals shorter prices count with their mean. A price that is missing
 * is refused, marked or stood in for, as the tariff says.
 */
import { MisuseError } from '@amiable/bytes';
import type { EnergyComponent } from '@amiable/model';
import type { Span } from './compile.ts';
import { type Draft, metering, type Rating, ratesFor } from './draft.ts';
import { type Fraction, parse, rounded, scaled } from './fraction.ts';
import { costOf, tally } from './kernels.ts';
import { amountsOf, scalerIn, sharesOf } from './quantity.ts';
import type { RatingPrices } from './types.ts';

type Spot = NonNullable<EnergyComponent['spot']>;

/** Of each interval of the grid within the span, as a whole number; NaN where none is known. */
interface SpotPrices {
  readonly values: Float64Array;
  /** price = value / divisor × 10^scaler */
  readonly scaler: number;
  readonly divisor: number;
  readonly substituted: number;
}

export function spotDrafts(rating: Rating, span: Span, component: EnergyComponent, spot: Spot): Draft[] {
  const { series, unit, grid, base } = metering(rating, span, component.of);
  const given =
    rating.input.prices && Object.hasOwn(rating.input.prices, spot.prices)
      ? rating.input.prices[spot.prices]
      : undefined;
  if (!given) throw new MisuseError(`the tariff bills by prices ${spot.prices}, but none of that name were given`);
  if (given.currency !== rating.compiled.currency)
    throw new MisuseError(
      `prices ${spot.prices} are in ${given.currency}, the tariff in ${rating.compiled.currency}; give them in the tariff's currency`,
    );
  // Runs of the rates that are meant, cut to the span.
  const wanted = new Set(ratesFor(span, component.only));
  const runs: number[] = [];
  for (let r = 0; r < grid.spanRuns.length; r += 3)
    if (wanted.has(grid.spanRuns[r + 2] as number))
      runs.push(grid.spanRuns[r] as number, grid.spanRuns[r + 1] as number, 0);
  const prices = cachedPrices(given, spot, component, Int32Array.from(runs), grid, rating, span);
  // Where a price lacks, the interval is left out.
  const billed: number[] = [];
  let left = 0;
  let firstLeft = 0;
  for (let r = 0; r < runs.length; r += 3) {
    for (let i = runs[r] as number; i < (runs[r + 1] as number); ) {
      const known = !Number.isNaN(prices.values[i] as number);
      let end = i + 1;
      while (end < (runs[r + 1] as number) && !Number.isNaN(prices.values[end] as number) === known) end++;
      if (known) billed.push(i, end, 0);
      else {
        if (left === 0) firstLeft = grid.origin + i * grid.step;
        left += end - i;
      }
      i = end;
    }
  }
  if (left > 0) {
    const where = `prices ${spot.prices} lack for ${left} interval${left === 1 ? '' : 's'} from ${new Date(firstLeft).toISOString()} on`;
    if (spot.missing === 'refuse')
      throw new MisuseError(`${where}; import them, or let the tariff mark what has no price or say a substitute`);
    rating.marks.push({
      kind: 'missing-price',
      component: component.name,
      from: span.from,
      to: span.to,
      sentence: `${where}; their energy is not in the bill.`,
    });
  }
  if (prices.substituted > 0)
    rating.marks.push({
      kind: 'substitute-price',
      component: component.name,
      from: span.from,
      to: span.to,
      sentence: `Prices ${spot.prices} lack for ${prices.substituted} interval${prices.substituted === 1 ? '' : 's'}; ${spot.substitute} ${given.currency}/${component.unit} stands in for them.`,
    });
  const valueScaler = scalerIn(unit, series.scaler, component.unit, component.of);
  let cost = 0n;
  for (let r = 0; r < billed.length; r += 3)
    cost += costOf(series.values, series.quality, prices.values, base, billed[r] as number, billed[r + 1] as number);
  const amounts = amountsOf(tally(series.values, series.quality, base, Int32Array.from(billed), 1), [0], valueScaler);
  const exact = scaled(cost, valueScaler + prices.scaler);
  return [
    {
      component,
      span,
      from: span.from,
      to: span.to,
      rate: null,
      step: null,
      quantity: amounts.total,
      unit: component.unit,
      price: null,
      share: null,
      amount: { n: exact.n, d: exact.d * BigInt(prices.divisor) },
      quality: sharesOf(amounts),
      what: `${component.of} at ${formula(spot)}`,
      note: left > 0 ? `without ${left} intervals that have no price` : undefined,
    },
  ];
}

function formula(spot: Spot): string {
  let text = `the price ${spot.prices} of each interval`;
  if (spot.factor !== '1') text += ` × ${spot.factor}`;
  if (spot.markup.startsWith('-')) text += ` - ${spot.markup.slice(1)}`;
  else if (!/^0(\.0*)?$/.test(spot.markup)) text += ` + ${spot.markup}`;
  if (spot.floor !== undefined) text += `, at least ${spot.floor}`;
  if (spot.cap !== undefined) text += `, at most ${spot.cap}`;
  return text;
}

/** Prices on the grid are the same for every customer of a tariff: kept with the compiled tariff, by the array they come from. */
const kept = new WeakMap<Float64Array, Map<string, SpotPrices>>();

function cachedPrices(
  given: RatingPrices,
  spot: Spot,
  component: EnergyComponent,
  runs: Int32Array,
  grid: { origin: number; step: number; count: number },
  rating: Rating,
  span: Span,
): SpotPrices {
  const key = JSON.stringify([
    spot,
    component.unit,
    component.only,
    grid.origin,
    grid.step,
    grid.count,
    span.from,
    span.to,
    given.start,
    given.step,
    given.scaler,
    given.unit,
    span.version,
    rating.compiled.from,
  ]);
  let of = kept.get(given.values);
  if (!of) {
    of = new Map();
    kept.set(given.values, of);
  }
  let found = of.get(key);
  if (!found) {
    if (of.size > 32) of.clear();
    found = spotPrices(given, spot, component, runs, grid);
    of.set(key, found);
  }
  return found;
}

function spotPrices(
  given: RatingPrices,
  spot: Spot,
  component: EnergyComponent,
  runs: Int32Array,
  grid: { origin: number; step: number; count: number },
): SpotPrices {
  const { start, step } = given;
  const { origin, count } = grid;
  // 45 per MWh are 0.045 per kWh: the exponent turns the other way round.
  const seriesScaler = given.scaler - scalerIn(given.unit, 0, component.unit, `the price series ${spot.prices}`);
  const factor = parse(spot.factor);
  const places = (f: Fraction): number => f.d.toString().length - 1;
  const texts = [spot.markup, spot.floor, spot.cap, spot.substitute].filter((t) => t !== undefined);
  const scaler = Math.min(seriesScaler - places(factor), ...texts.map((t) => -places(parse(t))), 0);
  const divisor = step < grid.step ? grid.step / step : 1;
  if (!Number.isInteger(divisor))
    throw new MisuseError(
      `prices ${spot.prices} stand for ${step / 60_000} minutes, intervals for ${grid.step / 60_000}; they do not fit`,
    );
  const mantissa = (text: string): number => checked(rounded(parse(text), -scaler, 'half-up') * BigInt(divisor), spot);
  const multiply = checked(factor.n * 10n ** BigInt(seriesScaler - places(factor) - scaler), spot);
  const markup = mantissa(spot.markup);
  const floor = spot.floor === undefined ? Number.NEGATIVE_INFINITY : mantissa(spot.floor);
  const cap = spot.cap === undefined ? Number.POSITIVE_INFINITY : mantissa(spot.cap);
  const substitute = spot.missing === 'substitute' ? mantissa(spot.substitute as string) : Number.NaN;
  const values = new Float64Array(count).fill(Number.NaN);
  let substituted = 0;
  for (let r = 0; r < runs.length; r += 3)
    for (let i = runs[r] as number; i < (runs[r + 1] as number); i++) {
      const at = origin + i * grid.step;
      const first = Math.floor((at - start) / step);
      if (divisor === 1 && step !== grid.step && at + grid.step > start + (first + 1) * step)
        throw new MisuseError(`a price of ${spot.prices} ends within the interval at ${new Date(at).toISOString()}`);
      if ((divisor > 1 || step === grid.step) && (at - start) % step !== 0)
        throw new MisuseError(
          `prices ${spot.prices} do not begin where the interval at ${new Date(at).toISOString()} does`,
        );
      let sum = 0;
      for (let p = first; p < first + divisor; p++)
        sum += p < 0 || p >= given.values.length ? Number.NaN : (given.values[p] as number);
      // With a divisor of 1 the sum is the price itself.
      if (Number.isNaN(sum)) {
        values[i] = substitute;
        if (!Number.isNaN(substitute)) substituted++;
        continue;
      }
      const price = sum * multiply + markup;
      if (!Number.isSafeInteger(price) || !Number.isSafeInteger(sum))
        throw new MisuseError(
          `a price of ${spot.prices} has more digits than can be billed exactly, or is no whole mantissa`,
        );
      values[i] = Math.min(Math.max(price, floor), cap);
    }
  return { values, scaler, divisor, substituted };
}

function checked(value: bigint, spot: Spot): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number))
    throw new MisuseError(`the formula of prices ${spot.prices} has more digits than can be billed exactly`);
  return number;
}
