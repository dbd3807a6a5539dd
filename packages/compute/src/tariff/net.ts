/**
 * Net metering of prosumers: import and export set against each other over a year, month or billing period.
 *
 * Decides: what is owed for is max(0, import - export) since the settlement began. `running`: a bill has what that is at its end less what it
 * was at its beginning, so that the bills of a year add up to the year's net; in months with more export than import this is
 * a credit. `end`: the year's net stands on the bill in which the year, or the supply, ends. With prices by rate each rate is
 * set against itself.
 */
import type { NetComponent } from '@amiable/model';
import { instantOf, monthStart, type Span, settlementStart, wallDayOf } from './compile.ts';
import { civilDay, dayNumber } from './days.ts';
import { type Draft, metering, type Rating } from './draft.ts';
import { type Fraction, larger, minus, negated, parse, print, times, ZERO } from './fraction.ts';
import { type Amounts, amountsOf, combined, placeOf, scalerIn, sharesOf, tallyOf } from './quantity.ts';

export function netDrafts(rating: Rating, span: Span, component: NetComponent): Draft[] {
  const { zone, from: periodFrom, to: periodTo } = rating.compiled;
  const periodDay = wallDayOf(zone, periodFrom);
  const since = rating.input.since ?? Number.NEGATIVE_INFINITY;
  const until = rating.input.until ?? Number.POSITIVE_INFINITY;
  const out: Draft[] = [];
  for (let day = span.fromDay; day < span.toDay; ) {
    const beginDay = settlementStart(component, day, periodDay);
    const endDay =
      component.over === 'period'
        ? wallDayOf(zone, periodTo)
        : component.over === 'month'
          ? monthStart(day, 1)
          : yearLater(beginDay);
    const begin = Math.max(instantOf(zone, beginDay), Math.min(since, span.from));
    const a = day === span.fromDay ? span.from : instantOf(zone, day);
    const b = endDay >= span.toDay ? span.to : instantOf(zone, endDay);
    const ends = endDay <= span.toDay || b === until;
    const groups = component.prices ? span.tariff.rates.map((_, i) => [i]) : [span.tariff.rates.map((_, i) => i)];
    for (const rates of groups) {
      const name = component.prices ? (span.tariff.rates[rates[0] as number]?.name ?? null) : null;
      const price = parse(component.prices?.[name ?? ''] ?? component.price ?? '0');
      const now = balance(rating, span, component, rates, begin, b);
      const before = component.settle === 'end' ? ZERO : balance(rating, span, component, rates, begin, a).net;
      if (now.amounts.counts.every((n) => n === 0)) continue;
      const settled = component.settle === 'running' || ends;
      const owed = settled ? minus(larger(now.net, ZERO), larger(before, ZERO)) : ZERO;
      const left = settled ? minus(larger(negated(now.net), ZERO), larger(negated(before), ZERO)) : ZERO;
      const common = {
        component,
        span,
        from: a,
        to: b,
        rate: name,
        unit: component.unit,
        share: null,
        quality: sharesOf(now.amounts),
      };
      const at = name === null ? '' : ` at rate ${name}`;
      rating.determinants.push({
        kind: 'net',
        name: component.name,
        rate: name,
        version: span.version,
        from: a,
        to: b,
        quantity: print(now.net),
        unit: component.unit,
        quality: common.quality,
      });
      if (!settled) continue;
      out.push({
        ...common,
        step: null,
        quantity: owed,
        price,
        amount: times(owed, price),
        what: `${component.import} less ${component.export}${at}`,
        note: `net since ${new Date(begin + 43_200_000).toISOString().slice(0, 10)}: ${print(now.net)} ${component.unit}${component.settle === 'running' ? `, before this span ${print(before)}` : ''}`,
      });
      if (component.surplus !== undefined && left.n !== 0n) {
        const paid = parse(component.surplus);
        out.push({
          ...common,
          step: null,
          quantity: left,
          price: negated(paid),
          amount: negated(times(left, paid)),
          what: `export left over${at}`,
        });
      }
    }
    day = Math.min(endDay, span.toDay);
  }
  return out;
}

const yearLater = (day: number): number => {
  const { year, month, day: of } = civilDay(day);
  return dayNumber(year + 1, month, of);
};

function balance(
  rating: Rating,
  span: Span,
  component: NetComponent,
  rates: readonly number[],
  from: number,
  to: number,
): { net: Fraction; amounts: Amounts } {
  const sum = (name: string): Amounts => {
    const found = metering(rating, span, name);
    const scaler = scalerIn(found.unit, found.series.scaler, component.unit, name);
    return amountsOf(
      tallyOf(found, placeOf(found.grid, from), placeOf(found.grid, to), span.tariff.rates.length),
      rates,
      scaler,
    );
  };
  const imported = sum(component.import);
  const exported = sum(component.export);
  return { net: minus(imported.total, exported.total), amounts: combined(imported, exported) };
}
