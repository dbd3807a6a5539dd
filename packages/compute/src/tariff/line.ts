/** Lines of a bill as people read them: numbers as text, and the derivation in a sentence. */
import { minorUnit, type Tariff } from '@amiable/model';
import { wallDayOf } from './compile.ts';
import { dayText } from './days.ts';
import type { Draft } from './draft.ts';
import { exactly, type Fraction, negated, over, print } from './fraction.ts';
import type { Line, QualityShares } from './types.ts';

export const decimalsOf = ({ rounding, currency }: Tariff): number => rounding.decimals ?? minorUnit(currency);

const MODES = {
  'half-up': 'halves away from zero',
  'half-even': 'halves to the even digit',
  up: 'away from zero',
  down: 'towards zero',
} as const;

export function roundingText(tariff: Tariff): string {
  const decimals = decimalsOf(tariff);
  const to = `${decimals} decimal${decimals === 1 ? '' : 's'} of ${tariff.currency}, ${MODES[tariff.rounding.mode]}`;
  return tariff.rounding.of === 'lines'
    ? `Each line is rounded to ${to}; taxes are of rounded lines, and the total is their sum.`
    : `Lines are exact; the total is rounded to ${to}.`;
}

export function lineOf(draft: Draft, amount: Fraction, tariff: Tariff): Line {
  const { component, span, price, quantity } = draft;
  const decimals = decimalsOf(tariff);
  const exact = component.credit ? negated(draft.amount) : draft.amount;
  const text =
    tariff.rounding.of === 'lines' ? print(amount, decimals, decimals) : print(amount, Math.max(6, decimals), decimals);
  const meanPrice = price === null && quantity.n !== 0n ? print(over(draft.amount, quantity)) : null;
  return {
    component: component.name,
    title: component.title ?? component.name,
    kind: component.kind,
    group: component.group ?? null,
    version: span.version,
    from: draft.from,
    to: draft.to,
    rate: draft.rate,
    step: draft.step,
    quantity: print(quantity),
    unit: draft.unit,
    price: price && print(price, 15),
    meanPrice,
    share: draft.share,
    exact: exactly(exact),
    amount: text,
    quality: draft.quality,
    ...(draft.peaks ? { peaks: draft.peaks } : {}),
    sentence: sentenceOf(draft, text, tariff, meanPrice),
  };
}

function sentenceOf(draft: Draft, amount: string, { currency, zone }: Tariff, meanPrice: string | null): string {
  const { component, span, price, quantity, unit, what, share, note, quality } = draft;
  const days = `${dayText(wallDayOf(zone, draft.from))} to ${dayText(wallDayOf(zone, draft.to - 1))}`;
  const arithmetic =
    component.kind === 'tax'
      ? `${print(quantity)} ${currency} × ${component.percent} %`
      : component.kind === 'minimum'
        ? ''
        : price
          ? `${print(quantity)} ${unit} × ${print(price, 15)} ${currency}${component.kind === 'fixed' || (component.kind === 'capacity' && component.steps) ? '' : `/${unit}`}${share ? ` × ${share}` : ''}`
          : `${print(quantity)} ${unit}${meanPrice ? `, on average ${meanPrice} ${currency}` : ''}`;
  const unsure = quality && quality.worst !== 'measured' ? `; ${unsureText(quality, unit)}` : '';
  const told = note ? `; ${note}` : '';
  return `${what}, ${days}, prices of version ${span.version}: ${arithmetic}${arithmetic ? ' ' : ''}= ${amount} ${currency}${told}${unsure}.`;
}

function unsureText(quality: QualityShares, unit: string): string {
  const parts: string[] = [];
  for (const name of ['calculated', 'edited', 'estimated'] as const)
    if (quality.intervals[name]) parts.push(`${quality.quantity[name]} ${unit} ${name}`);
  if (quality.intervals.missing)
    parts.push(`${quality.intervals.missing} interval${quality.intervals.missing === 1 ? '' : 's'} missing`);
  return `of it ${parts.join(', ')}`;
}
