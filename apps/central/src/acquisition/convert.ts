/**
 * What a meter gave, as the store takes it.
 *
 * Decides: the registers of a profile are known by code, name, unit and period, so that completeness and reports find them again;
 * rows on a grid go as such; doubtful values are not called measured; marks of rows are a sparse series of their own.
 */
import type { AcquiredColumn, AcquiredEvent, AcquiredRegister, AcquiredRows } from '@amiable/meter';
import { type Item, type Message, messageId, type Quality } from '@amiable/model';
import {
  type MeterId,
  type NewEvent,
  periodOf,
  type ReadoutLog,
  type ReadoutProfile,
  type RegisterKey,
  type SeriesData,
} from '@amiable/store';

const keys = new Map<string, RegisterKey>();

/** One object for equal registers: the store looks it up by what stands in it. */
function keyOf(column: Pick<AcquiredColumn, 'obis' | 'name' | 'unit'>, period: number): RegisterKey {
  const { obis, name, unit } = column;
  const text = `${obis} ${name} ${unit ?? ''} ${period}`;
  let key = keys.get(text);
  if (!key) {
    key = { obis, name, ...(unit !== undefined && { unit }), period };
    if (keys.size >= 10_000) keys.clear();
    keys.set(text, key);
  }
  return key;
}

const FLAGS = { obis: '0-0:96.10.1', name: 'profileFlags' } as const;

/** Codes, as `delivers` of a meter. */
export const deliversOf = ({ columns }: AcquiredRows): string[] => columns.map(({ obis }) => obis);

/** ms from row to row where all lie on a grid; 0: they do not. */
function stepOf(times: Float64Array, period: number): number {
  const step = period * 1000;
  for (let i = 1; i < times.length; i++) if ((times[i] as number) - (times[i - 1] as number) !== step) return 0;
  return step;
}

export function seriesOf(meter: MeterId, profile: ReadoutProfile, rows: AcquiredRows): SeriesData[] {
  const period = periodOf(profile);
  const { times, flags, doubtful } = rows;
  const step = profile.kind === 'profile' ? stepOf(times, period) : 0;
  const where = step > 0 ? { start: times[0] as number, step } : { times };
  const quality = doubtful && Array.from(doubtful, (d): Quality | undefined => (d ? 'estimated' : undefined));
  const series: SeriesData[] = [];
  for (const column of rows.columns) {
    const register = keyOf(column, period);
    const { scaler, values } = column;
    if (values instanceof Float64Array) {
      if (isFractional(values)) continue;
      series.push({ meter, register, scaler, ...where, values, ...(quality && { quality }) });
    } else {
      const there = values.flatMap((value, i) => (value === undefined || !fits(value) ? [] : [i]));
      if (there.length > 0)
        series.push({
          meter,
          register,
          scaler,
          times: there.map((i) => times[i] as number),
          values: BigInt64Array.from(there, (i) => values[i] as bigint),
          ...(quality && { quality: there.map((i) => quality[i]) }),
        });
    }
  }
  if (flags) {
    const marked = Array.from(flags.keys()).filter((i) => flags[i] !== 0);
    series.push({
      meter,
      register: keyOf(FLAGS, period),
      scaler: 0,
      times: marked.map((i) => times[i] as number),
      values: marked.map((i) => flags[i] as number),
    });
  }
  return series;
}

const LONG = 1n << 63n;
const fits = (value: bigint): boolean => value >= -LONG && value < LONG;

/** Mantissas are whole; what is sent as a float has none. */
function isFractional(values: Float64Array): boolean {
  for (const value of values) if (!Number.isNaN(value) && !Number.isSafeInteger(value)) return true;
  return false;
}

export function eventsOf(meter: MeterId, log: ReadoutLog, events: readonly AcquiredEvent[]): NewEvent[] {
  return events.map(({ time, code, ordinal, detail }) => {
    const status = detail?.status;
    const rest = detail && Object.entries(detail).filter(([name]) => name !== 'status' || typeof status !== 'number');
    return {
      meter,
      time,
      code,
      source: log.name,
      catalogue: log.catalogue,
      ordinal,
      ...(typeof status === 'number' && { status }),
      ...(rest && rest.length > 0 && { detail: Object.fromEntries(rest) }),
    };
  });
}

const items = new Map<string, readonly Item[]>();

/** Registers of now as a message: they show live and go the way of all readings. */
export function messageOf(
  serial: string,
  reader: string,
  port: string,
  set: string,
  protocol: 'dlms' | 'iec62056-21',
  values: readonly AcquiredRegister[],
  time: number,
): Message {
  const key = JSON.stringify(values.map(({ obis, name, unit, scaler }) => [obis, name, unit, scaler]));
  let known = items.get(key);
  if (!known) {
    known = values.map(({ obis, name, unit, scaler }) => ({ obis, name, ...(unit !== undefined && { unit }), scaler }));
    if (items.size >= 1000) items.clear();
    items.set(key, known);
  }
  const at = Math.round(time);
  const raw = new TextEncoder().encode(values.map(({ obis, value }) => `${obis}=${value}`).join('\n'));
  return {
    v: 1,
    id: messageId(`${serial}/${set}`, at, raw),
    reader,
    port,
    protocol,
    list: set,
    meterId: serial,
    time: at,
    receivedAt: at,
    flags: [],
    items: known,
    values: values.map(({ value }) => value),
  };
}
