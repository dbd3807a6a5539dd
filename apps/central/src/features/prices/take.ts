/**
 * From a text of prices to prices in the store.
 *
 * Decides: which of a text's areas and currencies is meant (never a guess: where several fit it is refused with their names), exact
 * conversion of the unit, what is told of days. Leaves out: the forms themselves (compute), where texts come from.
 */
import { MisuseError } from '@amiable/bytes';
import {
  type LineFault,
  MOST_TEXT,
  type PriceList,
  type PriceReading,
  type PriceSpan,
  perUnit,
  priceDays,
  readEntsoe,
  readPriceCsv,
  readPriceJson,
} from '@amiable/compute';
import type { PriceSeries, Store } from '@amiable/store';
import type { Reading } from './shapes.ts';

export interface Taken {
  readonly form: string;
  readonly read: number;
  readonly fresh: number;
  readonly changed: number;
  readonly from: number | null;
  readonly to: number | null;
  readonly notes: readonly string[];
  readonly faults: readonly LineFault[];
  /** Days that lack prices or are not 24 hours, in sentences. */
  readonly days: readonly string[];
}

const TOLD = 50;

export function readPrices(
  text: string,
  how: Reading,
  zone: string,
  currency: string,
): PriceReading & { faults: readonly LineFault[] } {
  if (text.length > MOST_TEXT) throw new MisuseError('a text of prices has 64 MB at most');
  const wish = {
    zone: how.timeZone ?? zone,
    currency,
    ...(how.area === undefined ? {} : { area: how.area }),
    ...(how.sequence === undefined ? {} : { sequence: how.sequence }),
  };
  const begin = text
    .slice(0, 200)
    .replace(/^\uFEFF/, '')
    .trimStart()[0];
  const form =
    how.form !== 'auto' ? how.form : begin === '<' ? 'entsoe' : begin === '{' || begin === '[' ? 'json' : 'csv';
  if (form === 'csv') {
    const { separator, decimal, time, hour, end, price, area, dayFirst } = how.csv;
    const given = { separator, decimal, time, hour, end, price, area, dayFirst };
    return readPriceCsv(text, wish, Object.fromEntries(Object.entries(given).filter(([, v]) => v !== undefined)));
  }
  return { ...(form === 'entsoe' ? readEntsoe(text, wish) : readPriceJson(text, wish)), faults: [] };
}

/** The one list that is meant. @throws MisuseError with what there is */
export function chooseList(lists: readonly PriceList[], how: Reading, series: PriceSeries): PriceList | undefined {
  if (lists.length === 0) return undefined;
  const is = (a: string | undefined, b: string): boolean => a === undefined || a.toLowerCase() === b.toLowerCase();
  const area = how.area;
  const ofArea = area === undefined ? lists : lists.filter((list) => is(list.area, area));
  const fitting = ofArea.filter((list) => is(list.currency ?? how.currency, series.currency));
  if (fitting.length === 1) return fitting[0];
  const said = lists
    .slice(0, 30)
    .map(
      (list) => `${list.area ?? 'an area without a name'} in ${list.currency ?? how.currency ?? 'no named currency'}`,
    );
  if (fitting.length === 0)
    throw new MisuseError(
      `there are no prices${area === undefined ? '' : ` of area ${area}`} in ${series.currency}; there are those of ${said.join(', ')}`,
    );
  throw new MisuseError(`say which area is meant: there are ${said.join(', ')}`);
}

/** The prices in the unit of the series, and what had to be assumed. */
export function inUnit(list: PriceList, how: Reading, series: PriceSeries): { spans: PriceSpan[]; notes: string[] } {
  const unit = list.unit ?? how.unit;
  if (unit === undefined)
    throw new MisuseError(
      `the text does not say what its prices are for; say it (unit: MWh, kWh …); ${series.name} has prices for one ${series.unit}`,
    );
  const notes =
    list.currency === undefined && how.currency === undefined
      ? [`the text names no currency; taken for ${series.currency}`]
      : [];
  const spans = list.spans.map((span) => ({ from: span.from, to: span.to, ...perUnit(span, unit, series.unit) }));
  return { spans, notes };
}

export interface TakeOptions {
  readonly store: Store;
  readonly series: string;
  readonly text: string;
  readonly reading: Reading;
  /** Zone of local days, and of times without an offset. */
  readonly zone: string;
  readonly source: string;
  readonly at: number;
  /** Only look. */
  readonly dry?: boolean;
  /** Take the lines that are right; else one wrong line refuses the text. */
  readonly takeGood?: boolean;
}

export async function takePrices(options: TakeOptions): Promise<Taken> {
  const { store, text, reading, zone, at } = options;
  const series = await store.prices.get(options.series);
  if (!series) throw new MisuseError(`there is no series of prices ${JSON.stringify(options.series)}; make it first`);
  const found = readPrices(text, reading, zone, series.currency);
  const list = chooseList(found.lists, reading, series);
  const nothing = { form: found.form, read: 0, fresh: 0, changed: 0, from: null, to: null, days: [] };
  if (!list) return { ...nothing, notes: found.notes, faults: found.faults };
  const { spans, notes } = inUnit(list, reading, series);
  const all = [...found.notes, ...notes];
  const from = (spans[0] as PriceSpan).from;
  const to = (spans.at(-1) as PriceSpan).to;
  const refused = found.faults.length > 0 && !options.takeGood;
  const written =
    options.dry || refused
      ? { fresh: 0, changed: 0 }
      : await store.prices.writeSpans(series.name, spans, { source: options.source, at });
  return {
    form: found.form,
    read: spans.length,
    ...written,
    from,
    to,
    notes: all,
    faults: found.faults,
    days: dayWords(spans, zone),
  };
}

/** Of the days that the prices touch; in their shortest step. */
function dayWords(spans: readonly PriceSpan[], zone: string): string[] {
  const step = Math.min(...[...new Set(spans.map((s) => s.to - s.from))]);
  if (step > 3_600_000 || step < 60_000) return [];
  const start = (spans[0] as PriceSpan).from;
  const to = (spans.at(-1) as PriceSpan).to;
  const values = new Float64Array(Math.ceil((to - start) / step)).fill(Number.NaN);
  for (const span of spans)
    values.fill(1, Math.round((span.from - start) / step), Math.round((span.to - start) / step));
  const sentences = priceDays({ start, step, values }, zone, start, to).flatMap((day) => day.sentence ?? []);
  return sentences.length > TOLD
    ? [...sentences.slice(0, TOLD), `and ${sentences.length - TOLD} more days`]
    : sentences;
}
