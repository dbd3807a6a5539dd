/**
 * A meter's past as values, as a database would hold it after its retention policy: hourly registers and means of a
 * quarter of an hour over the whole span, means of a minute for the last 90 days, and every value that the meter sent for
 * the last 7. Continuous with the live frames: the register at the end is the one that the first live list 3 goes on from,
 * and a value that lies at or after `to` is left to the live meter.
 *
 * Means of a span that lies within the days of sent values are means of just these; before, of the minute means that the
 * house is made of, which for power are the true means of its two-second values.
 */
import { zoneOffset } from '@amiable/calendar';
import type { Item, Unit } from '@amiable/model';
import type { Field, Layout, What } from './han/lists.ts';
import { type HanMeter, mantissa } from './han/meter.ts';
import { itemsOf } from './han/truth.ts';

/** One series of the store's `writeBlocks`, without the meter's id, which only the store knows. */
export interface HistorySeries {
  readonly register: {
    readonly obis: string;
    readonly name: string;
    readonly unit?: Unit;
    readonly between?: string;
    /** Seconds a value stands for; 0: as the meter sent it. */
    readonly period: number;
    readonly stat?: 'mean';
  };
  readonly scaler: number;
  /** First value and distance, epoch ms; or `times`. */
  readonly start?: number;
  readonly step?: number;
  readonly times?: Float64Array;
  readonly values: Float64Array;
}

export interface HistoryOptions {
  /** Days before the end for which means of a minute are kept. */
  readonly minuteDays?: number;
  /** Days before the end for which the sent values are kept. */
  readonly sourceDays?: number;
}

const MINUTE = 60_000;
const QUARTER = 15 * MINUTE;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Places of the quantities in a row of readings. */
const PLACE: Partial<Record<What, number>> = {
  'p+': 0,
  'p-': 1,
  'q+': 2,
  'q-': 3,
  u1: 4,
  u2: 5,
  u3: 6,
  i1: 7,
  i2: 8,
  i3: 9,
};
const PLACES = 10;

interface Column {
  readonly what: What;
  readonly place: number;
  readonly item: Item;
  readonly scaler: number;
  readonly zero: boolean;
}

function columnsOf(meter: HanMeter): Column[] {
  const layout = (meter.model.lists[2] ?? meter.model.lists[3]) as Layout;
  const items = itemsOf(layout, meter.model.network === 'it');
  return layout.fields.flatMap((field: Field, i) => {
    const place = PLACE[field.what];
    const item = items[i];
    if (place === undefined || !item) return [];
    return [{ what: field.what, place, item, scaler: field.scaler, zero: meter.model.zero.includes(field.what) }];
  });
}

function registerOf(item: Item, period: number): HistorySeries['register'] {
  return {
    obis: item.obis as string,
    name: item.name,
    ...(item.unit ? { unit: item.unit } : {}),
    ...(item.between ? { between: item.between } : {}),
    period,
    ...(period > 0 ? { stat: 'mean' as const } : {}),
  };
}

/** Everything of [from, to). `from` before the meters were hung up is cut. */
export function* history(
  meter: HanMeter,
  from: number,
  to: number,
  options: HistoryOptions = {},
): Generator<HistorySeries> {
  const { minuteDays = 90, sourceDays = 7 } = options;
  yield* energies(meter, from, to);
  const columns = columnsOf(meter);
  const first = Math.ceil(from / QUARTER) * QUARTER;
  const last = Math.floor(to / QUARTER) * QUARTER;
  const sourceFrom = Math.max(first, Math.ceil((to - sourceDays * DAY) / QUARTER) * QUARTER);
  const minuteFrom = Math.max(first, Math.ceil((to - minuteDays * DAY) / QUARTER) * QUARTER);
  const minuteTo = Math.floor(to / MINUTE) * MINUTE;
  const quarters = columns.map(() => new Float64Array(Math.max(0, (last - first) / QUARTER)));
  const minutes = columns.map(() => new Float64Array(Math.max(0, (minuteTo - minuteFrom) / MINUTE)));

  modelled(meter, columns, first, Math.min(sourceFrom, last), minuteFrom, quarters, minutes);
  const sent = new SentValues(meter, columns, sourceFrom, to);
  sent.means(MINUTE, sourceFrom, (sourceFrom - minuteFrom) / MINUTE, minutes);
  sent.means(QUARTER, sourceFrom, (sourceFrom - first) / QUARTER, quarters);
  for (let c = 0; c < columns.length; c++) {
    const { item, scaler } = columns[c] as Column;
    const [q, m] = [quarters[c] as Float64Array, minutes[c] as Float64Array];
    if (q.length > 0) yield { register: registerOf(item, 900), scaler, start: first, step: QUARTER, values: q };
    if (m.length > 0) yield { register: registerOf(item, 60), scaler, start: minuteFrom, step: MINUTE, values: m };
    yield* sent.series(c);
  }
}

/** Hourly registers, at the clock that list 3 gives them. */
function* energies(meter: HanMeter, from: number, to: number): Generator<HistorySeries> {
  const { model, house, zone } = meter;
  const layout = model.lists[3];
  if (!layout) return;
  const items = itemsOf(layout, false);
  // Hours are the wall clock's; zones are not all whole hours from UTC.
  const shift = zoneOffset(zone, to) % HOUR;
  const behind = model.maker === 'Kamstrup' ? 5000 : 0;
  const start = Math.ceil((from + shift - behind) / HOUR) * HOUR - shift + behind;
  const count = Math.max(0, Math.ceil((to - model.schedule.lag - start) / HOUR));
  const sums = [0, 1, 2, 3].map(() => new Float64Array(count)) as Float64Array[];
  if (start % HOUR === 0) {
    for (const [r, values] of house.hourly(start, count).entries()) sums[r]?.set(values);
  } else
    for (let i = 0; i < count; i++) {
      const now = house.registers(start + i * HOUR);
      [now.import, now.export, now.reactiveImport, now.reactiveExport].forEach((value, r) => {
        (sums[r] as Float64Array)[i] = value;
      });
    }
  for (const [r, what] of (['a+', 'a-', 'r+', 'r-'] as const).entries()) {
    const at = layout.fields.findIndex((field) => field.what === what);
    const item = items[at];
    const field = layout.fields[at];
    if (!item || !field) continue;
    const values = (sums[r] as Float64Array).map((ws) => mantissa(Math.floor(ws / 3600), field.scaler));
    yield { register: registerOf(item, 0), scaler: field.scaler, start, step: HOUR, values };
  }
}

/** Fills a row of readings from phase powers and the grid. */
function toRow(power: Float64Array, net: Float64Array, row: Float64Array): void {
  const watts = power[0] as number;
  const vars = power[4] as number;
  row[0] = watts > 0 ? watts : 0;
  row[1] = watts < 0 ? -watts : 0;
  row[2] = vars > 0 ? vars : 0;
  row[3] = vars < 0 ? -vars : 0;
  for (let i = 0; i < 6; i++) row[4 + i] = net[i] as number;
}

function modelled(
  meter: HanMeter,
  columns: readonly Column[],
  from: number,
  to: number,
  minuteFrom: number,
  quarters: readonly Float64Array[],
  minutes: readonly Float64Array[],
): void {
  const power = new Float64Array(5);
  const net = new Float64Array(6);
  const row = new Float64Array(PLACES);
  const sums = new Float64Array(PLACES);
  const factors = columns.map(({ scaler }) => 10 ** -scaler);
  for (let at = from; at < to; ) {
    const day = Math.floor(at / DAY);
    const { power: watts, phases, reactive } = meter.house.minutes(day);
    const dayEnd = Math.min(to, (day + 1) * DAY);
    for (; at < dayEnd; at += MINUTE) {
      const m = (at - day * DAY) / MINUTE;
      power[0] = watts[m] as number;
      power[1] = phases[0][m] as number;
      if (phases[1] !== phases[0]) {
        power[2] = phases[1][m] as number;
        power[3] = phases[2][m] as number;
      }
      power[4] = reactive[m] as number;
      meter.grid.into(at, power, net);
      toRow(power, net, row);
      const slot = (at - minuteFrom) / MINUTE;
      if (slot >= 0)
        for (let c = 0; c < columns.length; c++) {
          const column = columns[c] as Column;
          if (!column.zero)
            (minutes[c] as Float64Array)[slot] = Math.round((row[column.place] as number) * (factors[c] as number));
        }
      for (let i = 0; i < PLACES; i++) sums[i] = (sums[i] as number) + (row[i] as number);
      if ((at + MINUTE) % QUARTER === 0) {
        const quarter = (at + MINUTE - QUARTER - from) / QUARTER;
        for (let c = 0; c < columns.length; c++) {
          const column = columns[c] as Column;
          if (!column.zero)
            (quarters[c] as Float64Array)[quarter] = Math.round(
              ((sums[column.place] as number) / 15) * (factors[c] as number),
            );
        }
        sums.fill(0);
      }
    }
  }
}

/** What the meter has sent in [from, to), column by column: power at every list, the rest where the list has it. */
class SentValues {
  readonly #columns: readonly Column[];
  readonly #times: Float64Array;
  readonly #fullTimes: Float64Array;
  readonly #values: Float64Array[];
  #count = 0;
  #full = 0;
  readonly #step: number;
  readonly #to: number;

  constructor(meter: HanMeter, columns: readonly Column[], from: number, to: number) {
    this.#columns = columns;
    this.#to = to;
    const { schedule, lists } = meter.model;
    this.#step = lists[1] ? schedule.step : 10_000;
    const room = Math.max(0, Math.ceil((to - from) / schedule.step) + 1);
    const fullRoom = Math.max(0, Math.ceil(((to - from) / 10_000) * 1.01) + 2);
    this.#times = new Float64Array(room);
    this.#fullTimes = new Float64Array(fullRoom);
    this.#values = columns.map((column) => new Float64Array(column.what === 'p+' ? room : fullRoom));
    const power = new Float64Array(5);
    const net = new Float64Array(6);
    const row = new Float64Array(PLACES);
    for (let at = Math.ceil(from / schedule.step) * schedule.step; at < to; at += schedule.step) {
      const list = schedule.at(at + zoneOffset(meter.zone, at));
      // A snapshot of an earlier instant repeats what was sent then.
      if (list === 0 || (list === 3 && schedule.snapshot)) continue;
      meter.house.instantInto(at, power);
      this.#times[this.#count] = at;
      if (list === 1) {
        const watts = power[0] as number;
        (this.#values[0] as Float64Array)[this.#count++] = watts > 0 ? watts : 0;
        continue;
      }
      meter.grid.into(at, power, net);
      toRow(power, net, row);
      this.#fullTimes[this.#full] = at;
      for (let c = 0; c < columns.length; c++) {
        const column = columns[c] as Column;
        if (!column.zero)
          (this.#values[c] as Float64Array)[c === 0 ? this.#count : this.#full] = mantissa(
            row[column.place] as number,
            column.scaler,
          );
      }
      this.#count++;
      this.#full++;
    }
  }

  /** Means over whole periods from `from` on, into `out` from place `offset` on. */
  means(period: number, from: number, offset: number, out: readonly Float64Array[]): void {
    for (let c = 0; c < this.#columns.length; c++) {
      const values = this.#values[c] as Float64Array;
      const times = c === 0 ? this.#times : this.#fullTimes;
      const n = c === 0 ? this.#count : this.#full;
      const target = out[c] as Float64Array;
      let i = 0;
      for (
        let start = from, slot = offset;
        start + period <= this.#to && slot < target.length;
        start += period, slot++
      ) {
        let sum = 0;
        let taken = 0;
        for (; i < n && (times[i] as number) < start + period; i++, taken++) sum += values[i] as number;
        target[slot] = taken > 0 ? Math.round(sum / taken) : Number.NaN;
      }
    }
  }

  *series(c: number): Generator<HistorySeries> {
    const { item, scaler } = this.#columns[c] as Column;
    const n = c === 0 ? this.#count : this.#full;
    if (n === 0) return;
    const times = (c === 0 ? this.#times : this.#fullTimes).subarray(0, n);
    const values = (this.#values[c] as Float64Array).subarray(0, n);
    const step = c === 0 ? this.#step : 10_000;
    const start = times[0] as number;
    const regular = (times[n - 1] as number) - start === (n - 1) * step;
    yield { register: registerOf(item, 0), scaler, values, ...(regular ? { start, step } : { times }) };
  }
}
