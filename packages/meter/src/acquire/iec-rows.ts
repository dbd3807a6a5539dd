/**
 * Rows and events out of data sets: load profiles (VDEW "Lastgangzähler", P.01), billing history (`1.8.0*01(…)(stamp)`), logs (P.98).
 *
 * Decides: rows of the wanted ranges only, ascending; of rows with the same time the one that came last stays, marked as repeated; what counts
 * as a daily and a monthly value among billing values. A row whose time nobody can tell is left out and counted.
 */
import { startOf, toLocal } from '@amiable/calendar';
import { type DataSet, loadProfiles, type Moment, parseMoment, utcOf } from '@amiable/iec62056-21';
import { eventsOfStatusWord } from '@amiable/model/events';
import { commonScaler, historyOf, type IecValue, iecValue, meaningOfCode, plainCode } from './iec-codes.ts';
import { marksOf } from './rows.ts';
import {
  type AcquiredColumn,
  type AcquiredEvent,
  type AcquiredRows,
  ROW_FLAGS,
  type Span,
  type StatusKind,
} from './types.ts';

const DOUBTFUL = ROW_FLAGS.clockInvalid | ROW_FLAGS.dataInvalid;
const DAY = 86_400_000;
/** A billing value that was captured this long after midnight is the day's. */
const LATE = 15 * 60_000;

export interface IecRows {
  /** One table for each layout of columns. */
  readonly tables: readonly AcquiredRows[];
  /** Rows that came, also those outside of the ranges. */
  readonly came: number;
  readonly undated: number;
  /** The newest row, epoch ms. */
  readonly last: number;
}

export const isWanted = (ranges: readonly Span[], time: number): boolean =>
  ranges.some(({ from, to }) => time >= from && time < to);

interface Row {
  readonly time: number;
  readonly values: readonly (IecValue | undefined)[];
  flags: number;
}

interface Table {
  readonly codes: readonly { readonly address: string; readonly unit: string | undefined }[];
  readonly rows: Map<number, Row>;
}

function acquired({ codes, rows }: Table, registers: readonly string[] | undefined): AcquiredRows | undefined {
  const wanted = registers && new Set(registers.map(plainCode));
  const list = [...rows.values()].sort((a, b) => a.time - b.time);
  if (list.length === 0) return undefined;
  const columns: AcquiredColumn[] = [];
  for (const [c, { address }] of codes.entries()) {
    if (wanted && !wanted.has(plainCode(address))) continue;
    const values = list.map((row) => row.values[c]);
    const unit = values.find((value) => value?.unit !== undefined)?.unit;
    const { obis, name } = meaningOfCode(address, unit);
    columns.push({ obis, name, ...(unit !== undefined && { unit }), ...commonScaler(values) });
  }
  const flags = Uint16Array.from(list, (row) => row.flags);
  const doubtful = Uint8Array.from(list, (row) => ((row.flags & DOUBTFUL) === 0 ? 0 : 1));
  return {
    times: Float64Array.from(list, (row) => row.time),
    columns,
    ...(flags.some((mark) => mark !== 0) && { flags }),
    ...(doubtful.some((mark) => mark !== 0) && { doubtful }),
  };
}

function put(table: Table, time: number, values: Row['values'], flags: number): void {
  const repeated = table.rows.has(time) ? ROW_FLAGS.repeated : 0;
  table.rows.set(time, { time, values, flags: flags | repeated });
}

/** Rows of a load profile. @param zone of the meter's clock */
export function profileRows(
  sets: readonly DataSet[],
  zone: string,
  ranges: readonly Span[],
  registers: readonly string[] | undefined,
  kind: StatusKind,
): IecRows {
  const tables: AcquiredRows[] = [];
  const marks = marksOf(kind);
  let came = 0;
  let undated = 0;
  let last = Number.NEGATIVE_INFINITY;
  for (const { columns, period, rows } of loadProfiles(sets)) {
    const table: Table = { codes: columns.map(({ code, unit }) => ({ address: code, unit })), rows: new Map() };
    let before: Moment | undefined;
    let at: number | undefined;
    for (const { moment, status, values } of rows) {
      came++;
      // Rows below one head go on by their period, whatever summer time does to the wall clock meanwhile.
      const goesOn = before && moment.wall === before.wall + period * 60_000 && moment.dst === before.dst;
      const time: number | undefined = goesOn && at !== undefined ? at + period * 60_000 : utcOf(moment, zone);
      before = moment;
      at = time;
      if (time === undefined) {
        undated++;
        continue;
      }
      last = Math.max(last, time);
      if (!isWanted(ranges, time)) continue;
      const word = /^[0-9A-F]{1,8}$/i.test(status) ? Number.parseInt(status, 16) : 0;
      put(
        table,
        time,
        values.map((value, c) => iecValue(value, columns[c]?.unit)),
        marks[word % marks.length] as number,
      );
    }
    const found = acquired(table, registers);
    if (found) tables.push(found);
  }
  return { tables, came, undated, last };
}

/** Days and months out of billing values: `period` 86,400 or 0 as the item says it. */
export function historyRows(
  sets: readonly DataSet[],
  zone: string,
  period: number,
  ranges: readonly Span[],
  registers: readonly string[] | undefined,
): IecRows {
  const codes: { address: string; unit: string | undefined }[] = [];
  const places = new Map<string, number>();
  const found = new Map<number, Map<number, IecValue>>();
  /** `0.1.2*01(26-11-01 00:00)`: when the numbered reset was, for meters that do not say it beside each value. */
  const resets = new Map<number, number>();
  for (const { address, values } of sets) {
    const history = historyOf(address);
    const moment = history && plainCode(history.code) === '0.1.2' ? parseMoment(values[0]?.value ?? '') : undefined;
    const time = moment && utcOf(moment, zone);
    if (history && time !== undefined) resets.set(history.number, time);
  }
  let came = 0;
  let undated = 0;
  for (const { address, values } of sets) {
    const history = historyOf(address);
    const value = history && values[0] && iecValue(values[0].value, values[0].unit);
    // Maxima (1.6.0*01) have the moment of the maximum beside them, not that of the reset.
    if (!history || !value || values[0]?.unit === undefined || /^\d+\.[26]\./.test(plainCode(history.code))) continue;
    came++;
    const moment = values
      .slice(1)
      .map((v) => parseMoment(v.value))
      .find((m) => m !== undefined);
    const time = (moment && utcOf(moment, zone)) ?? resets.get(history.number);
    if (time === undefined) {
      undated++;
      continue;
    }
    const key = plainCode(history.code);
    let place = places.get(key);
    if (place === undefined) {
      place = codes.length;
      places.set(key, place);
      codes.push({ address: history.code, unit: values[0].unit });
    }
    const row = found.get(time) ?? new Map<number, IecValue>();
    row.set(place, value);
    found.set(time, row);
  }
  const table: Table = { codes, rows: new Map() };
  const times = [...found.keys()].sort((a, b) => a - b);
  let last = Number.NEGATIVE_INFINITY;
  for (const [i, captured] of times.entries()) {
    const day = startOf('day', zone, captured);
    const atMidnight = captured - day <= LATE;
    if (period > 0 ? !atMidnight : !isMonthly(zone, times, i)) continue;
    const time = period > 0 || atMidnight ? day : captured;
    last = Math.max(last, time);
    if (!isWanted(ranges, time)) continue;
    const row = found.get(captured) as Map<number, IecValue>;
    put(
      table,
      time,
      codes.map((_, c) => row.get(c)),
      time < captured ? ROW_FLAGS.late : 0,
    );
  }
  const rows = acquired(table, registers);
  return { tables: rows ? [rows] : [], came, undated, last };
}

/** A reset of a billing period, not one value of a daily history. */
function isMonthly(zone: string, times: readonly number[], i: number): boolean {
  const at = times[i] as number;
  if (new Date(toLocal(zone, startOf('day', zone, at))).getUTCDate() === 1) return true;
  const before = times[i - 1] ?? Number.NEGATIVE_INFINITY;
  const after = times[i + 1] ?? Number.POSITIVE_INFINITY;
  return at - before >= 20 * DAY && after - at >= 20 * DAY;
}

/** Entries of a log, the oldest first: `P.98(stamp)(status)(code)…`; without a code each bit of the status word is an event. */
export function logEvents(
  sets: readonly DataSet[],
  zone: string,
  since: number,
): { readonly events: AcquiredEvent[]; readonly undated: number } {
  const entries: { time: number; code: number; detail: Record<string, string | number> }[] = [];
  let undated = 0;
  for (const { address, values } of sets) {
    if (!/^(?:\d-\d+:)?P\.\d+$/i.test(address)) continue;
    const texts = values.map(({ value }) => value.trim());
    if (texts.every((text) => text === '')) continue;
    const moment = parseMoment(texts[0] ?? '');
    const time = moment && utcOf(moment, zone);
    const status = texts[1] ?? '';
    const word = /^[0-9A-F]{1,8}$/i.test(status) ? Number.parseInt(status, 16) : undefined;
    const codes = /^\d{1,9}$/.test(texts[2] ?? '')
      ? [Number(texts[2])]
      : word === undefined
        ? []
        : eventsOfStatusWord(word);
    if (time === undefined || codes.length === 0) {
      undated++;
      continue;
    }
    const rest = texts.slice(3, 11).filter((text) => text !== '');
    const detail = {
      ...(word !== undefined && { status: word }),
      ...(rest.length > 0 && { more: rest.join(' ').slice(0, 200) }),
    };
    for (const code of codes) entries.push({ time, code, detail });
  }
  // Some give the newest first.
  if (entries.length > 1 && (entries[0]?.time as number) > (entries.at(-1)?.time as number)) entries.reverse();
  const ordinals = new Map<string, number>();
  const events: AcquiredEvent[] = [];
  for (const { time, code, detail } of entries) {
    const key = `${time}/${code}`;
    const ordinal = ordinals.get(key) ?? 0;
    ordinals.set(key, ordinal + 1);
    if (time >= since) events.push({ time, code, ordinal, detail });
  }
  return { events, undated };
}
