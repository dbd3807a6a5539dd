/**
 * Energy by rate, in steps, or from the meter's own registers.
 *
 * Decides: a line for each rate that has a price of its own; limits of steps reduced by days where a month or year is billed in part. Leaves
 * out: spot prices (spot.ts).
 */
import { MisuseError } from '@amiable/bytes';
import type { EnergyComponent } from '@amiable/model';
import { instantOf, type Span, wallDayOf } from './compile.ts';
import { type Draft, metering, type Rating, ratesFor, spanTally } from './draft.ts';
import { compare, type Fraction, minus, ONE, parse, plus, roundTo, smaller, times, ZERO } from './fraction.ts';
import { piecesOf } from './periods.ts';
import { type Amounts, amountsOf, combined, placeOf, scalerIn, sharesOf, tallyOf } from './quantity.ts';
import { registerAmounts } from './registers.ts';
import { nextDay } from './slots.ts';
import { spotDrafts } from './spot.ts';

export function energyDrafts(rating: Rating, span: Span, component: EnergyComponent): Draft[] {
  if (component.spot) return spotDrafts(rating, span, component, component.spot);
  const rates = ratesFor(span, component.only);
  if (component.steps) return stepDrafts(rating, span, component, component.steps, rates);
  const list = component.prices || component.registers ? rates.map((rate) => [rate]) : [rates];
  const out: Draft[] = [];
  for (const group of list) {
    const [first] = group as [number];
    const name = component.prices || component.registers ? (span.tariff.rates[first]?.name ?? null) : null;
    const amounts = energyOf(rating, span, component, group, span.from, span.to);
    // A rate of another season has no intervals here, and no line.
    if (amounts.counts.every((n) => n === 0) && list.length > 1) continue;
    const quantity = inTariff(component, amounts.total);
    const price = parse(component.prices?.[name ?? ''] ?? component.price ?? '0');
    out.push({
      component,
      span,
      from: span.from,
      to: span.to,
      rate: name,
      step: null,
      quantity,
      unit: component.unit,
      price,
      share: null,
      amount: times(quantity, price),
      quality: sharesOf(amounts),
      what: name === null ? component.of : `${component.of} at rate ${name}`,
    });
  }
  return out;
}

const inTariff = ({ round }: EnergyComponent, quantity: Fraction): Fraction =>
  round ? roundTo(quantity, round.decimals, round.mode) : quantity;

/** Energy of rates in [from, to), from intervals or registers. */
export function energyOf(
  rating: Rating,
  span: Span,
  component: EnergyComponent,
  rates: readonly number[],
  from: number,
  to: number,
): Amounts {
  if (component.registers) {
    let sum: Amounts | undefined;
    for (const rate of rates) {
      const name = component.registers[span.tariff.rates[rate]?.name ?? ''];
      if (name === undefined)
        throw new MisuseError(`component ${JSON.stringify(component.name)} names no register for a rate`);
      const found = registerAmounts(rating.input, name, component.unit, from, to);
      sum = sum ? combined(sum, found) : found;
    }
    return sum as Amounts;
  }
  const { series, unit, grid, ...rest } = metering(rating, span, component.of);
  const scaler = scalerIn(unit, series.scaler, component.unit, component.of);
  const found =
    from === span.from && to === span.to
      ? spanTally(rating, span, component.of)
      : tallyOf({ series, unit, grid, ...rest }, placeOf(grid, from), placeOf(grid, to), span.tariff.rates.length);
  return amountsOf(found, rates, scaler);
}

interface StepShare {
  quantity: Fraction;
  amount: Fraction;
}

function stepDrafts(
  rating: Rating,
  span: Span,
  component: EnergyComponent,
  rule: NonNullable<EnergyComponent['steps']>,
  rates: readonly number[],
): Draft[] {
  const { zone } = rating.compiled;
  const out: Draft[] = [];
  for (const piece of stepPieces(rating, span, rule)) {
    const from = piece.from === span.fromDay ? span.from : instantOf(zone, piece.from);
    const to = piece.to === span.toDay ? span.to : instantOf(zone, piece.to);
    const shares: StepShare[] = rule.steps.map(() => ({ quantity: ZERO, amount: ZERO }));
    let all: Amounts | undefined;
    // Steps of a day: each day by itself, added up by step.
    for (let at = from; at < to; ) {
      const until = rule.per === 'day' ? Math.min(nextDay(zone, at), to) : to;
      const amounts = energyOf(rating, span, component, rates, at, until);
      all = all ? combined(all, amounts) : amounts;
      spread(inTariff(component, amounts.total), rule, piece.share, shares);
      at = until;
    }
    const quality = sharesOf(all as Amounts);
    for (const [i, { quantity, amount }] of shares.entries()) {
      if (quantity.n === 0n && !(i === 0 && shares.every((s) => s.quantity.n === 0n))) continue;
      out.push({
        component,
        span,
        from,
        to,
        rate: null,
        step: i + 1,
        quantity,
        unit: component.unit,
        price: parse((rule.steps[i] as { price: string }).price),
        share: null,
        amount,
        quality,
        what: `${component.of} in step ${i + 1}`,
        note: piece.text === null ? undefined : `limits for ${piece.text} of the ${rule.per}`,
      });
    }
  }
  return out;
}

/** What limits count for: calendar months or years, or the part of the billing period. */
function stepPieces(
  rating: Rating,
  span: Span,
  rule: NonNullable<EnergyComponent['steps']>,
): { from: number; to: number; share: Fraction; text: string | null }[] {
  if (rule.per === 'month' || rule.per === 'year')
    return piecesOf(rule.per, span.fromDay, span.toDay).map((piece) =>
      rule.prorate ? piece : { ...piece, share: ONE, text: null },
    );
  const one = { from: span.fromDay, to: span.toDay, share: ONE, text: null };
  if (rule.per === 'day' || !rule.prorate) return [one];
  // Of the period: a version that holds in a part of it has its part of the limits.
  const { zone, from, to } = rating.compiled;
  const days = wallDayOf(zone, to) - wallDayOf(zone, from);
  const part = span.toDay - span.fromDay;
  return [part === days ? one : { ...one, share: { n: BigInt(part), d: BigInt(days) }, text: `${part}/${days}` }];
}

function spread(
  quantity: Fraction,
  rule: NonNullable<EnergyComponent['steps']>,
  share: Fraction,
  into: StepShare[],
): void {
  let below = ZERO;
  for (const [i, step] of rule.steps.entries()) {
    const limit = step.upTo === undefined ? undefined : times(parse(step.upTo), share);
    const price = parse(step.price);
    const place = into[i] as StepShare;
    const last = limit === undefined || compare(quantity, limit) <= 0;
    if (rule.count === 'whole') {
      if (!last) continue;
      place.quantity = plus(place.quantity, quantity);
      place.amount = plus(place.amount, times(quantity, price));
      return;
    }
    const part = minus(limit === undefined ? quantity : smaller(quantity, limit), below);
    place.quantity = plus(place.quantity, part);
    place.amount = plus(place.amount, times(part, price));
    if (last) return;
    below = limit;
  }
}
