/**
 * Day-ahead prices as open services give them in JSON.
 *
 * Decides: which form it is, by the keys that only this form has. Known: Nord Pool's data portal (`multiAreaEntries`), its API
 * (`prices` of a delivery area) and its older pages (`data.Rows`); `NOK_per_kWh` lists (Norway, Sweden, Denmark); the Danish
 * energy data service (`records`); `unix_seconds` with `price`; lists with `start_timestamp` and `marketprice`; areas with
 * `timestamp` and `price`; and any list of objects with a start and a price. Leaves out: fetching.
 */
import { DecodeError } from '@amiable/bytes';
import { type Amount, amountOfJson, priceUnitOf } from './amount.ts';
import { instantOf, readStamp } from './stamp.ts';
import {
  grouped,
  MOST_PRICES,
  MOST_TEXT,
  type PriceList,
  type PriceReading,
  type PriceSpan,
  type PriceWish,
} from './types.ts';

type Json = Readonly<Record<string, unknown>>;
interface Price extends Amount {
  readonly from: number;
  readonly to: number | undefined;
}
interface Found {
  readonly form: string;
  readonly lists: readonly (Omit<PriceList, 'spans'> & { readonly prices: readonly Price[] })[];
  readonly notes?: readonly string[];
}

const isObject = (value: unknown): value is Json =>
  value !== null && typeof value === 'object' && !Array.isArray(value);
const isList = (value: unknown): value is readonly Json[] =>
  Array.isArray(value) && value.length > 0 && value.every(isObject);
const textAt = (of: Json, key: string): string | undefined =>
  typeof of[key] === 'string' ? (of[key] as string) : undefined;

/** @throws DecodeError for what is no JSON or none of the known forms */
export function readPriceJson(text: string, wish: PriceWish): PriceReading {
  if (text.length > MOST_TEXT) throw new DecodeError('size', `more than ${MOST_TEXT} characters`, 0);
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch (error) {
    throw new DecodeError('json', `no JSON: ${(error as Error).message.slice(0, 200)}`, 0);
  }
  for (const form of FORMS) {
    const found = form(given, wish);
    if (!found) continue;
    const notes = [...(found.notes ?? [])];
    const lists = found.lists
      .map(({ prices, ...list }) => ({ ...list, spans: spansOf(prices, notes) }))
      .filter((list) => list.spans.length > 0);
    if (lists.length === 0) notes.push('it has no prices');
    return { form: found.form, lists, notes };
  }
  if (Array.isArray(given) && given.length === 0) return { form: 'list', lists: [], notes: ['it has no prices'] };
  const keys = isObject(given) ? Object.keys(given) : isList(given) ? Object.keys(given[0] as Json) : [];
  throw new DecodeError(
    'form',
    `none of the known forms of prices in JSON${keys.length > 0 ? ` (it has ${keys.slice(0, 8).join(', ').slice(0, 200)})` : ''}; as CSV, any columns can be named`,
    0,
  );
}

/** Sorted, with ends: what has none lasts until the next, the last as long as the one before. */
function spansOf(prices: readonly Price[], notes: string[]): PriceSpan[] {
  if (prices.length > MOST_PRICES) throw new DecodeError('size', `more than ${MOST_PRICES} prices`, 0);
  const sorted = [...prices].sort((a, b) => a.from - b.from);
  const usual = usualStep(sorted.map((p) => p.from));
  const out: PriceSpan[] = [];
  let twice = 0;
  sorted.forEach(({ from, to: end, mantissa, scaler }, k) => {
    const next = sorted[k + 1]?.from;
    const to = end ?? (next !== undefined && next > from && next - from < usual ? next : from + usual);
    const before = out.at(-1);
    if (before && from < before.to) {
      if (from === before.from && before.mantissa === mantissa && before.scaler === scaler) twice++;
      else
        throw new DecodeError(
          'time',
          `two prices for ${new Date(from).toISOString()}: one begins there, one from ${new Date(before.from).toISOString()} still holds`,
          0,
        );
      return;
    }
    if (to <= from)
      throw new DecodeError('time', `the price from ${new Date(from).toISOString()} ends before it begins`, 0);
    out.push({ from, to, mantissa, scaler });
  });
  if (twice > 0) notes.push(`${twice} prices stood twice`);
  return out;
}

/** The distance that most neighbours have; an hour for a single price. */
export function usualStep(times: readonly number[]): number {
  const counts = new Map<number, number>();
  for (let i = 1; i < times.length; i++) {
    const step = (times[i] as number) - (times[i - 1] as number);
    if (step > 0) counts.set(step, (counts.get(step) ?? 0) + 1);
  }
  let best = 3_600_000;
  let most = 0;
  for (const [step, n] of counts) if (n > most || (n === most && step < best)) [best, most] = [step, n];
  return best;
}

function timeOf(value: unknown, zone: string, after?: number): number {
  if (typeof value === 'number' && Number.isFinite(value) && value > 0 && value < 1e13)
    return Math.round(value < 1e11 ? value * 1000 : value);
  const stamp = typeof value === 'string' ? readStamp(value, true) : undefined;
  if (!stamp) throw new DecodeError('time', `${JSON.stringify(value)?.slice(0, 60)} is no time`, 0);
  return instantOf(stamp, zone, after);
}

/** A price, or undefined where the service gives null or a dash. @throws DecodeError for anything else */
function priceOf(value: unknown, decimal: '.' | ',' = '.'): Amount | undefined {
  if (value === null || value === undefined || value === '' || value === '-') return undefined;
  const price = amountOfJson(value, decimal);
  if (!price) throw new DecodeError('price', `${JSON.stringify(value)?.slice(0, 60)} is no price`, 0);
  return price;
}

const moved = (price: Amount | undefined, shift: number): Amount | undefined =>
  price && shift !== 0 ? { mantissa: price.mantissa, scaler: price.scaler + shift } : price;

interface Keys {
  readonly from: string;
  readonly to?: string | undefined;
  readonly price: string;
  readonly zone: string;
  readonly shift?: number;
}
function pricesOf(rows: readonly Json[], { from, to, price, zone, shift = 0 }: Keys): Price[] {
  const out: Price[] = [];
  let before: number | undefined;
  for (const row of rows) {
    const amount = moved(priceOf(row[price]), shift);
    const at = timeOf(row[from], zone, before);
    before = at;
    const end = to === undefined || row[to] === undefined || row[to] === null ? undefined : timeOf(row[to], zone, at);
    if (amount) out.push({ from: at, to: end, ...amount });
  }
  return out;
}

/** Nord Pool's data portal: an entry for each delivery period, in it a price for each area. */
function dataPortal(given: unknown): Found | undefined {
  if (!isObject(given) || !Array.isArray(given.multiAreaEntries)) return undefined;
  const byArea = new Map<string, Price[]>();
  for (const entry of given.multiAreaEntries as readonly unknown[]) {
    if (!isObject(entry) || !isObject(entry.entryPerArea)) continue;
    const from = timeOf(entry.deliveryStart, 'UTC');
    const to = entry.deliveryEnd === undefined ? undefined : timeOf(entry.deliveryEnd, 'UTC');
    for (const [area, value] of Object.entries(entry.entryPerArea)) {
      const price = priceOf(value);
      if (!price) continue;
      const list = byArea.get(area) ?? [];
      byArea.set(area, list);
      list.push({ from, to, ...price });
    }
  }
  const currency = textAt(given, 'currency');
  return {
    form: 'nordpool',
    lists: [...byArea].map(([area, prices]) => ({ area, currency, unit: 'MWh', prices })),
    ...(preliminary(given) ? { notes: ['the prices are preliminary'] } : {}),
  };
}
const preliminary = (given: Json): boolean =>
  Array.isArray(given.areaStates) &&
  (given.areaStates as readonly unknown[]).some((s) => isObject(s) && /prelim/i.test(String(s.state)));

/** Nord Pool's API: an object or a list of objects, one for each delivery area. */
function deliveryAreas(given: unknown): Found | undefined {
  const all = isList(given) ? given : isObject(given) ? [given] : [];
  if (all.length === 0 || !all.every((x) => typeof x.deliveryArea === 'string' && Array.isArray(x.prices)))
    return undefined;
  return {
    form: 'nordpool-api',
    lists: all.map((x) => ({
      area: textAt(x, 'deliveryArea'),
      currency: textAt(x, 'currency') ?? priceUnitOf(textAt(x, 'unit') ?? '').currency,
      unit: priceUnitOf(textAt(x, 'unit') ?? '').unit ?? 'MWh',
      prices: pricesOf(x.prices as readonly Json[], {
        from: 'deliveryStart',
        to: 'deliveryEnd',
        price: 'price',
        zone: 'UTC',
      }),
    })),
  };
}

/** Nord Pool's older pages: a table, an area in each column, Central European wall time, decimal commas. */
function pageTable(given: unknown): Found | undefined {
  const data = isObject(given) && isObject(given.data) ? given.data : undefined;
  if (!data || !isList(data.Rows)) return undefined;
  const unit = priceUnitOf(Array.isArray(data.Units) ? String(data.Units[0]) : '');
  const byArea = new Map<string, Price[]>();
  let before: number | undefined;
  for (const row of data.Rows) {
    if (row.IsExtraRow === true || !isList(row.Columns)) continue;
    const from = timeOf(row.StartTime, 'Europe/Oslo', before);
    const to = timeOf(row.EndTime, 'Europe/Oslo', from);
    before = from;
    for (const column of row.Columns) {
      const area = textAt(column, 'Name') ?? '';
      const price = moved(priceOf(column.Value, ','), unit.shift);
      if (!price) continue;
      const list = byArea.get(area) ?? [];
      byArea.set(area, list);
      list.push({ from, to, ...price });
    }
  }
  const currency = unit.currency ?? (isObject(given) ? textAt(given, 'currency') : undefined);
  return {
    form: 'nordpool-page',
    lists: [...byArea].map(([area, prices]) => ({ area, currency, unit: unit.unit ?? 'MWh', prices })),
  };
}

/** `[{"NOK_per_kWh": …, "EUR_per_kWh": …, "time_start": …}]`: a list for each currency. */
function perKwh(given: unknown, { zone }: PriceWish): Found | undefined {
  if (!isList(given) || !('time_start' in (given[0] as Json))) return undefined;
  const keys = Object.keys(given[0] as Json).filter((key) => /^[A-Z]{3}_per_[km]wh$/i.test(key));
  if (keys.length === 0) return undefined;
  return {
    form: 'per-kwh',
    lists: keys.map((key) => {
      const { currency, unit } = priceUnitOf(key);
      return {
        area: undefined,
        currency,
        unit,
        prices: pricesOf(given, { from: 'time_start', to: 'time_end', price: key, zone }),
      };
    }),
  };
}

/** The Danish energy data service: Elspotprices (hours) and DayAheadPrices (quarters), in UTC. */
function records(given: unknown): Found | undefined {
  if (!isObject(given) || !isList(given.records)) return undefined;
  const first = given.records[0] as Json;
  const from = ['TimeUTC', 'HourUTC'].find((key) => key in first);
  const keys = Object.keys(first).filter((key) => /Price(EUR|DKK)$/.test(key));
  if (from === undefined || keys.length === 0) return undefined;
  const areas = grouped(given.records, (row) => textAt(row, 'PriceArea'));
  return {
    form: 'energidataservice',
    lists: [...areas].flatMap(([area, rows]) =>
      keys.map((key) => ({
        area,
        currency: key.slice(-3),
        unit: 'MWh',
        prices: pricesOf(rows, { from, price: key, zone: 'UTC' }),
      })),
    ),
  };
}

/** Two lists of equal length: seconds of the epoch and prices. */
function columns(given: unknown): Found | undefined {
  if (!isObject(given) || !Array.isArray(given.unix_seconds) || !Array.isArray(given.price)) return undefined;
  const { unix_seconds: times, price: values } = given as { unix_seconds: unknown[]; price: unknown[] };
  if (times.length !== values.length)
    throw new DecodeError('form', `${times.length} times and ${values.length} prices`, 0);
  const { currency, unit, shift } = priceUnitOf(textAt(given, 'unit') ?? '');
  const prices = times.flatMap((time, i) => {
    const price = moved(priceOf(values[i]), shift);
    return price ? [{ from: timeOf(time, 'UTC'), to: undefined, ...price }] : [];
  });
  return { form: 'unix-seconds', lists: [{ area: undefined, currency, unit, prices }] };
}

/** `{"data": [{"start_timestamp": ms, "end_timestamp": ms, "marketprice": 42.09, "unit": "Eur/MWh"}]}`. */
function marketPrices(given: unknown): Found | undefined {
  const rows = isObject(given) && isList(given.data) ? given.data : undefined;
  if (!rows || !('marketprice' in (rows[0] as Json))) return undefined;
  const { currency, unit, shift } = priceUnitOf(textAt(rows[0] as Json, 'unit') ?? '');
  const keys = { from: 'start_timestamp', to: 'end_timestamp', price: 'marketprice', zone: 'UTC', shift };
  return { form: 'marketprice', lists: [{ area: undefined, currency, unit, prices: pricesOf(rows, keys) }] };
}

/** `{"data": {"ee": [{"timestamp": s, "price": 82.54}]}}`. */
function areaLists(given: unknown): Found | undefined {
  const data = isObject(given) && isObject(given.data) ? Object.entries(given.data) : [];
  const areas = data.filter((entry): entry is [string, readonly Json[]] => isList(entry[1]));
  if (
    areas.length === 0 ||
    !areas.every(([, rows]) => 'timestamp' in (rows[0] as Json) && 'price' in (rows[0] as Json))
  )
    return undefined;
  return {
    form: 'timestamp',
    lists: areas.map(([area, rows]) => ({
      area: area.toUpperCase(),
      currency: undefined,
      unit: undefined,
      prices: pricesOf(rows, { from: 'timestamp', price: 'price', zone: 'UTC' }),
    })),
  };
}

const STARTS = [
  'time_start',
  'start',
  'startsAt',
  'startDate',
  'from',
  'timestamp',
  'time',
  'DateTime',
  'datetime',
  'date',
  'hour',
];
const ENDS = ['time_end', 'end', 'endsAt', 'endDate', 'to'];
const PRICES = ['price', 'value', 'energy', 'PriceNoTax', 'spotPrice', 'amount', 'total'];

/** Any list of objects, at the top or below one key, with a start and a price under a usual name. */
function anyList(given: unknown, { zone }: PriceWish): Found | undefined {
  const inside = isObject(given) ? Object.values(given).find(isList) : undefined;
  const rows = isList(given) ? given : inside;
  if (!rows) return undefined;
  const first = rows[0] as Json;
  const key = (names: readonly string[]): string | undefined =>
    names.find((name) => name in first) ??
    Object.keys(first).find((k) => names.some((n) => n.toLowerCase() === k.toLowerCase()));
  const from = key(STARTS);
  const price = key(PRICES);
  if (from === undefined || price === undefined) return undefined;
  const said = [
    textAt(first, 'unit'),
    textAt(first, 'currency'),
    isObject(given) ? textAt(given, 'unit') : undefined,
    isObject(given) ? textAt(given, 'currency') : undefined,
  ];
  const { currency, unit, shift } = priceUnitOf(said.filter((s) => s !== undefined).join('/'));
  return {
    form: 'list',
    lists: [
      {
        area: textAt(first, 'area'),
        currency,
        unit,
        prices: pricesOf(rows, { from, to: key(ENDS), price, zone, shift }),
      },
    ],
  };
}

const FORMS = [dataPortal, deliveryAreas, pageTable, perKwh, records, columns, marketPrices, areaLists, anyList];
