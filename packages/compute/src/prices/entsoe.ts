/**
 * Day-ahead prices as the ENTSO-E transparency platform publishes them: IEC 62325-451-3 `Publication_MarketDocument`, document
 * type A44.
 *
 * Decides: positions that are left out repeat the one before (curve type A03; with A01 none may be left out, and a hole stays a
 * hole and is told); of several auctions of one area the sequence that is asked for, else the lowest; intraday (A07) is left
 * out. Resolutions of 15, 30 and 60 minutes and what else divides the period. An acknowledgement in its place is told as what it says.
 */
import { DecodeError } from '@amiable/bytes';
import { amountOf } from './amount.ts';
import { grouped, MOST_PRICES, type PriceList, type PriceReading, type PriceSpan, type PriceWish } from './types.ts';
import { child, parseXml, textOf, type XmlElement } from './xml.ts';

const MINUTE = 60_000;
const DAY_AHEAD = 'A01';
/** Of a document: ten years of days. Each is laid over all others. */
const MOST_PERIODS = 4000;
/** Elements of a series: its fields are looked for among them for each period. */
const MOST_CHILDREN = 5000;

interface Series extends PriceList {
  readonly sequence: number;
  readonly step: number;
}

/** @throws DecodeError for what is no such document; its place counts characters of the XML, or is 0 */
export function readEntsoe(text: string, wish: PriceWish): PriceReading {
  const root = parseXml(text);
  if (root.name === 'Acknowledgement_MarketDocument') {
    const reason = child(root, 'Reason');
    const words = textOf(reason, 'text') ?? `code ${textOf(reason, 'code') ?? 'unknown'}`;
    if (textOf(reason, 'code') === '999' && /no matching data/i.test(words))
      return { form: 'entsoe', lists: [], notes: [`the platform has no prices for this: ${words.slice(0, 300)}`] };
    throw new DecodeError('refused', `the platform refused: ${words.slice(0, 300)}`, 0);
  }
  if (root.name !== 'Publication_MarketDocument')
    throw new DecodeError('form', `Publication_MarketDocument is wanted, and this is ${root.name.slice(0, 60)}`, 0);
  const type = textOf(root, 'type');
  if (type !== undefined && type !== 'A44')
    throw new DecodeError('form', `document type ${type.slice(0, 20)} is none of prices; A44 is wanted`, 0);
  const notes: string[] = [];
  const found: Series[] = [];
  let budget = MOST_PRICES;
  for (const series of root.children) {
    if (series.name !== 'TimeSeries') continue;
    const market = textOf(series, 'contract_MarketAgreement.type');
    if (market !== undefined && market !== DAY_AHEAD) {
      notes.push(`a series of market type ${market.slice(0, 20)} was left out: only day-ahead prices (A01) are read`);
      continue;
    }
    if (series.children.length > MOST_CHILDREN)
      throw new DecodeError('size', `more than ${MOST_CHILDREN} elements in a TimeSeries`, 0);
    for (const period of series.children) {
      if (period.name !== 'Period') continue;
      if (found.length >= MOST_PERIODS) throw new DecodeError('size', `more than ${MOST_PERIODS} periods`, 0);
      const made = readPeriod(series, period, notes, budget);
      budget -= made.spans.length;
      found.push(made);
    }
  }
  return { form: 'entsoe', lists: chosen(found, wish, notes), notes };
}

function readPeriod(series: XmlElement, period: XmlElement, notes: string[], budget: number): Series {
  const interval = child(period, 'timeInterval');
  const start = instant(textOf(interval, 'start'), 'start');
  const end = instant(textOf(interval, 'end'), 'end');
  const step = resolution(textOf(period, 'resolution'));
  const count = (end - start) / step;
  if (!Number.isInteger(count) || count < 1)
    throw new DecodeError(
      'period',
      `the period from ${iso(start)} to ${iso(end)} is no whole number of ${step / MINUTE} minutes`,
      0,
    );
  if (count > budget) throw new DecodeError('size', `more than ${MOST_PRICES} prices`, 0);
  const repeats = (textOf(series, 'curveType') ?? 'A03') !== 'A01';
  const prices = new Map<number, { mantissa: number; scaler: number }>();
  for (const point of period.children) {
    if (point.name !== 'Point') continue;
    const position = Number(textOf(point, 'position'));
    const written = textOf(point, 'price.amount') ?? '';
    const price = amountOf(written);
    if (!Number.isInteger(position) || position < 1 || position > count)
      throw new DecodeError(
        'position',
        `position ${textOf(point, 'position')?.slice(0, 20)} is none of the ${count} from ${iso(start)}`,
        0,
      );
    if (price === undefined)
      throw new DecodeError(
        'price',
        `position ${position} from ${iso(start)}: ${JSON.stringify(written.slice(0, 40))} is no price`,
        0,
      );
    if (prices.has(position))
      throw new DecodeError('position', `position ${position} from ${iso(start)} stands twice`, 0);
    prices.set(position, price);
  }
  const spans: PriceSpan[] = [];
  let last: { mantissa: number; scaler: number } | undefined;
  let holes = 0;
  let repeated = 0;
  for (let k = 1; k <= count; k++) {
    const own = prices.get(k);
    if (!own && repeats && last) repeated++;
    last = own ?? (repeats ? last : undefined);
    if (last) spans.push({ from: start + (k - 1) * step, to: start + k * step, ...last });
    else holes++;
  }
  if (repeated > 0) notes.push(`from ${iso(start)}: ${repeated} of ${count} positions repeat the one before`);
  if (holes > 0) notes.push(`from ${iso(start)}: ${holes} of ${count} positions have no price`);
  const sequence = Number(textOf(series, 'classificationSequence_AttributeInstanceComponent.position') ?? 1);
  return {
    area: textOf(series, 'in_Domain.mRID') ?? textOf(series, 'out_Domain.mRID'),
    currency: textOf(series, 'currency_Unit.name'),
    unit: unitOf(textOf(series, 'price_Measure_Unit.name')),
    spans,
    sequence: Number.isInteger(sequence) ? sequence : 1,
    step,
  };
}

/** One list for each area and currency: of the auction that is meant, and where that has two resolutions the finer. */
function chosen(found: readonly Series[], wish: PriceWish, notes: string[]): PriceList[] {
  const groups = grouped(found, (s) => JSON.stringify([s.area, s.currency, s.unit]));
  return [...groups.values()].map((all) => {
    const sequences = [...new Set(all.map((s) => s.sequence))].sort((a, b) => a - b);
    const sequence = wish.sequence ?? (sequences[0] as number);
    if (sequences.length > 1) notes.push(`auctions ${sequences.join(', ')} are there; ${sequence} was taken`);
    const own = all.filter((s) => s.sequence === sequence).sort((a, b) => a.step - b.step);
    const spans: PriceSpan[] = [];
    for (const series of own) {
      const there = [...spans];
      const fresh = series.spans.filter((span) => !overlaps(there, span));
      spans.push(...fresh);
      if (fresh.length < series.spans.length)
        notes.push(
          `${series.spans.length - fresh.length} prices of ${series.step / MINUTE} minutes were left out: others hold then`,
        );
      spans.sort((a, b) => a.from - b.from);
    }
    const { area, currency, unit } = all[0] as Series;
    return { area, currency, unit, spans };
  });
}

/** Whether one of the sorted spans shares time with another. */
function overlaps(sorted: readonly PriceSpan[], span: PriceSpan): boolean {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] as PriceSpan).to <= span.from) low = middle + 1;
    else high = middle;
  }
  return low < sorted.length && (sorted[low] as PriceSpan).from < span.to;
}

const iso = (ms: number): string => new Date(ms).toISOString().replace(':00.000Z', 'Z');

function instant(text: string | undefined, what: string): number {
  const at = text !== undefined && /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?Z$/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(at))
    throw new DecodeError(
      'time',
      `${what} of a period: ${JSON.stringify(text?.slice(0, 40))}; 2026-11-19T23:00Z is wanted`,
      0,
    );
  return at;
}

function resolution(text: string | undefined): number {
  const found = /^PT(\d{1,4})([MH])$/.exec(text ?? '');
  const step = found ? Number(found[1]) * (found[2] === 'H' ? 60 : 1) * MINUTE : text === 'P1D' ? 1440 * MINUTE : 0;
  if (step <= 0)
    throw new DecodeError(
      'resolution',
      `resolution ${JSON.stringify(text?.slice(0, 20))}; PT15M, PT30M or PT60M are wanted`,
      0,
    );
  return step;
}

const unitOf = (text: string | undefined): string | undefined =>
  ({ MWH: 'MWh', KWH: 'kWh' })[text?.toUpperCase() ?? ''] ?? text;
