/**
 * Billing one customer by one tariff: determinants, lines with their derivation, taxes, rounding, total.
 *
 * Decides: charges first, then minimums and taxes in the order in which they stand on each other; each price version by itself. Rounding
 * is the tariff's own and stated. Leaves out: several tariffs on one point (one call each), contracts, exchanges of meters.
 */
import { MisuseError } from '@amiable/bytes';
import { decimal, type Tariff, tariffDependencies } from '@amiable/model';
import { capacityDrafts } from './capacity.ts';
import { type CompiledTariff, compileTariff, type Span } from './compile.ts';
import { type Draft, metering, type Rating, ratesFor, spanTally } from './draft.ts';
import { energyDrafts, energyOf } from './energy.ts';
import { fixedDrafts } from './fixed.ts';
import {
  type Fraction,
  larger,
  minus,
  negated,
  over,
  parse,
  plus,
  print,
  rounded,
  roundTo,
  times,
  whole,
  ZERO,
} from './fraction.ts';
import { decimalsOf, lineOf, roundingText } from './line.ts';
import { netDrafts } from './net.ts';
import { piecesOf } from './periods.ts';
import { type Amounts, amountsOf, combined, scalerIn, sharesOf } from './quantity.ts';
import type { Determinant, Line, QualityShares, Rated, RatingInput } from './types.ts';

/** A tariff ready for one period; for many customers one after the other. */
export interface Rater {
  readonly compiled: CompiledTariff;
  rate(input: Omit<RatingInput, 'versions' | 'from' | 'to'>): Rated;
  /** Quantities alone, without prices. */
  determinants(input: Omit<RatingInput, 'versions' | 'from' | 'to'>): readonly Determinant[];
}

/** @throws MisuseError for a tariff or period that cannot be billed, with the reason */
export function rater(versions: RatingInput['versions'], from: number, to: number): Rater {
  const compiled = compileTariff(versions, from, to);
  return {
    compiled,
    rate: (input) => rateBy(compiled, { ...input, versions, from, to }),
    determinants: (input) => determinantsBy(compiled, { ...input, versions, from, to }),
  };
}

/** @throws MisuseError for what cannot be billed, with the reason */
export const rate = (input: RatingInput): Rated => rateBy(compileTariff(input.versions, input.from, input.to), input);

function begin(compiled: CompiledTariff, input: RatingInput): Rating {
  if (input.since !== undefined && input.since > input.from)
    throw new MisuseError(
      `supply began at ${new Date(input.since).toISOString()}, after the billing period does; bill from there on`,
    );
  return { compiled, input, marks: [], determinants: [], meterings: new Map(), tallies: new Map() };
}

const drafted = (rating: Rating, span: Span): (readonly Draft[])[] =>
  span.tariff.components.map((component) => {
    switch (component.kind) {
      case 'energy':
        return energyDrafts(rating, span, component);
      case 'fixed':
        return fixedDrafts(rating, span, component);
      case 'capacity':
        return capacityDrafts(rating, span, component);
      case 'net':
        return netDrafts(rating, span, component);
      default:
        return [];
    }
  });

function determinantsBy(compiled: CompiledTariff, input: RatingInput): readonly Determinant[] {
  const rating = begin(compiled, input);
  for (const span of compiled.spans) {
    for (const component of span.tariff.components) {
      if (component.kind === 'capacity') capacityDrafts(rating, span, component);
      if (component.kind === 'net') netDrafts(rating, span, component);
    }
    energyDeterminants(rating, span);
  }
  return rating.determinants;
}

/** Meterings whose intervals a version bills. */
function meteringsOf(tariff: Tariff): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const component of tariff.components) {
    if (component.kind === 'energy' && !component.registers)
      names.set(component.of, names.get(component.of) ?? component.unit);
    if (component.kind === 'net')
      for (const name of [component.import, component.export]) names.set(name, names.get(name) ?? component.unit);
  }
  return names;
}

function energyDeterminants(rating: Rating, span: Span): void {
  const { version, from, to, tariff } = span;
  for (const [name, unit] of meteringsOf(tariff)) {
    const found = spanTally(rating, span, name);
    const { series, unit: own } = metering(rating, span, name);
    const scaler = scalerIn(own, series.scaler, unit, name);
    for (const [i, { name: rateName }] of tariff.rates.entries()) {
      const amounts = amountsOf(found, [i], scaler);
      if (amounts.counts.every((n) => n === 0)) continue;
      rating.determinants.push({
        kind: 'energy',
        name,
        rate: rateName,
        version,
        from,
        to,
        quantity: print(amounts.total),
        unit,
        quality: sharesOf(amounts),
      });
    }
  }
  for (const { name, unit, rate: rateName, amounts } of registersOf(rating, span))
    rating.determinants.push({
      kind: 'energy',
      name,
      rate: rateName,
      version,
      from,
      to,
      quantity: print(amounts.total),
      unit,
      quality: sharesOf(amounts),
    });
  rating.determinants.push({
    kind: 'days',
    name: 'days',
    rate: null,
    version,
    from,
    to,
    quantity: `${span.toDay - span.fromDay}`,
    unit: 'day',
    quality: null,
  });
}

/** What registers that a version bills advanced, each register of a rate once. */
function registersOf(
  rating: Rating,
  span: Span,
): { readonly name: string; readonly unit: string; readonly rate: string; readonly amounts: Amounts }[] {
  const found = new Map<string, { name: string; unit: string; rate: string; amounts: Amounts }>();
  for (const component of span.tariff.components) {
    if (component.kind !== 'energy' || !component.registers) continue;
    for (const i of ratesFor(span, component.only)) {
      const rateName = (span.tariff.rates[i] as { name: string }).name;
      const name = component.registers[rateName] as string;
      if (!found.has(name))
        found.set(name, {
          name,
          unit: component.unit,
          rate: rateName,
          amounts: energyOf(rating, span, component, [i], span.from, span.to),
        });
    }
  }
  return [...found.values()];
}

function rateBy(compiled: CompiledTariff, input: RatingInput): Rated {
  const rating = begin(compiled, input);
  const lines: Line[] = [];
  let total = ZERO;
  let tax = ZERO;
  const last = compiled.spans.at(-1) as Span;
  for (const span of compiled.spans) {
    const { drafts, amounts } = priced(rating, span, drafted(rating, span));
    for (const [c, list] of drafts.entries())
      for (const [i, draft] of list.entries()) {
        const amount = (amounts[c] as Fraction[])[i] as Fraction;
        total = plus(total, amount);
        if (draft.component.kind === 'tax') tax = plus(tax, amount);
        lines.push(lineOf(draft, amount, span.tariff));
      }
    energyDeterminants(rating, span);
  }
  const { rounding, currency } = last.tariff;
  const decimals = decimalsOf(last.tariff);
  return {
    tariff: last.tariff.name,
    currency,
    decimals,
    zone: compiled.zone,
    from: input.from,
    to: input.to,
    versions: compiled.spans.map(({ version, from, to }) => ({ version, from, to })),
    determinants: rating.determinants,
    lines,
    total: decimal(rounded(total, decimals, rounding.mode), -decimals),
    tax: decimal(rounded(tax, decimals, rounding.mode), -decimals),
    quality: qualityOf(rating),
    marks: rating.marks,
    rounding: roundingText(last.tariff),
  };
}

/** Amounts of all drafts of a version with their signs and rounding, minimums and taxes added. */
function priced(
  rating: Rating,
  span: Span,
  charges: (readonly Draft[])[],
): { drafts: (readonly Draft[])[]; amounts: Fraction[][] } {
  const { tariff } = span;
  const drafts = [...charges];
  const decimals = decimalsOf(tariff);
  const final = (amount: Fraction): Fraction =>
    tariff.rounding.of === 'lines' ? roundTo(amount, decimals, tariff.rounding.mode) : amount;
  const amounts: Fraction[][] = drafts.map((list) =>
    list.map(({ amount, component }) => final(component.credit ? negated(amount) : amount)),
  );
  const needs = tariff.components.map((component) => tariffDependencies(tariff, component));
  const done = tariff.components.map(({ kind }) => kind !== 'tax' && kind !== 'minimum');
  const settle = (c: number): void => {
    if (done[c]) return;
    done[c] = true;
    const component = tariff.components[c] as (typeof tariff.components)[number];
    let base = ZERO;
    for (const need of needs[c] as number[]) {
      settle(need);
      for (const amount of amounts[need] as Fraction[]) base = plus(base, amount);
    }
    const common = { component, span, from: span.from, to: span.to, rate: null, step: null, quality: null };
    const names = component.kind === 'tax' || component.kind === 'minimum' ? component.on.join(', ') : '';
    if (component.kind === 'tax') {
      const price = over(parse(component.percent), whole(100));
      const what = `tax on ${names === '*' ? 'all but taxes' : names}`;
      drafts[c] = [
        { ...common, quantity: base, unit: tariff.currency, price, share: null, amount: times(base, price), what },
      ];
    }
    if (component.kind === 'minimum') {
      const { amount: least, text } = leastOf(rating, span, component);
      const lacking = larger(minus(least, base), ZERO);
      const what = `minimum of ${component.amount} a ${component.per}${text ? ` (${text})` : ''}, less ${print(base)} of ${names === '*' ? 'all but taxes' : names}`;
      drafts[c] =
        lacking.n === 0n
          ? []
          : [
              {
                ...common,
                quantity: lacking,
                unit: tariff.currency,
                price: whole(1),
                share: null,
                amount: lacking,
                what,
              },
            ];
    }
    amounts[c] = (drafts[c] as readonly Draft[]).map(({ amount }) => final(amount));
  };
  for (let c = 0; c < done.length; c++) settle(c);
  return { drafts, amounts };
}

function leastOf(
  rating: Rating,
  span: Span,
  component: { readonly amount: string; readonly per: 'day' | 'month' | 'year' | 'year/12' | 'period' },
): { amount: Fraction; text: string | null } {
  const amount = parse(component.amount);
  if (component.per !== 'period') {
    const pieces = piecesOf(component.per, span.fromDay, span.toDay);
    const share = pieces.reduce((sum, piece) => plus(sum, piece.share), ZERO);
    return {
      amount: times(amount, share),
      text: pieces.length === 1 ? (pieces[0]?.text ?? null) : `× ${print(share)}`,
    };
  }
  const { spans } = rating.compiled;
  const days = (spans.at(-1) as Span).toDay - (spans[0] as Span).fromDay;
  const part = span.toDay - span.fromDay;
  return {
    amount: times(amount, { n: BigInt(part), d: BigInt(days) }),
    text: part === days ? null : `${part}/${days}`,
  };
}

function qualityOf(rating: Rating): Rated['quality'] {
  const sums = new Map<string, { amounts: Amounts; unit: string }>();
  for (const span of rating.compiled.spans)
    for (const [name, unit] of meteringsOf(span.tariff)) {
      const { series, unit: own } = metering(rating, span, name);
      const before = sums.get(name);
      const amounts = amountsOf(
        spanTally(rating, span, name),
        span.tariff.rates.map((_, i) => i),
        scalerIn(own, series.scaler, before?.unit ?? unit, name),
      );
      sums.set(name, { amounts: before ? combined(before.amounts, amounts) : amounts, unit: before?.unit ?? unit });
    }
  for (const span of rating.compiled.spans)
    for (const { name, unit, amounts } of registersOf(rating, span)) {
      const before = sums.get(name);
      sums.set(name, before ? { ...before, amounts: combined(before.amounts, amounts) } : { amounts, unit });
    }
  const out: Record<string, QualityShares & { readonly unit: string }> = {};
  for (const [name, { amounts, unit }] of sums) {
    out[name] = { ...sharesOf(amounts), unit };
    const missing = amounts.counts[4] as number;
    if (missing)
      rating.marks.push({
        kind: 'missing-intervals',
        component: null,
        from: rating.input.from,
        to: rating.input.to,
        sentence: `${missing} interval${missing === 1 ? '' : 's'} of ${name} ${missing === 1 ? 'is' : 'are'} missing and not in the bill.`,
      });
  }
  return out;
}
