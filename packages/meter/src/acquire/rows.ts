/**
 * From a profile's buffer to rows and events that mean the same whoever made the meter.
 *
 * Decides: status words by kind (the AMR profile status of European companion specifications, 8 bits; the virtual meter's, whose
 * low byte is the same but for two bits); rows of the wanted ranges only, ascending; of rows with the same time the one captured
 * last stays, marked as repeated; a row without a time is counted and left out. Rows that the meter marks as invalid, or whose
 * time it does not vouch for, are doubtful: kept, but not as measured.
 */
import { localToUtc } from '@amiable/calendar';
import type { ColumnValues, Profile } from '@amiable/cosem';
import { obisGroups } from '@amiable/cosem';
import type { ProfileShape, ShapeColumn } from './shape.ts';
import {
  type AcquiredColumn,
  type AcquiredEvent,
  type AcquiredRows,
  ROW_FLAGS,
  type Span,
  type StatusKind,
} from './types.ts';

const F = ROW_FLAGS;
/** Marks by bit. */
const STATUS: Readonly<Record<StatusKind, readonly number[]>> = {
  amr: [F.criticalError, F.clockInvalid, F.dataInvalid, F.dst, 0, F.clockAdjusted, 0, F.powerFailure],
  amiable: [
    F.criticalError,
    F.clockInvalid,
    F.dataInvalid,
    F.dst,
    0,
    F.clockAdjusted,
    F.powerFailure,
    F.powerFailure,
    F.late,
    F.disconnected,
    F.overDemand,
    F.parametersChanged,
    F.alarm,
  ],
};
/** The summer-time mark says nothing that the time does not: it is not kept. */
const KEPT = 0xffff & ~F.dst;
const DOUBTFUL = F.clockInvalid | F.dataInvalid;

const maps = new Map<StatusKind, Uint16Array>();

/** Marks of every status word. */
export function marksOf(kind: StatusKind): Uint16Array {
  let map = maps.get(kind);
  if (!map) {
    const bits = STATUS[kind];
    map = new Uint16Array(1 << bits.length);
    for (let word = 0; word < map.length; word++) {
      let marks = 0;
      for (let bit = 0; bit < bits.length; bit++) if ((word >> bit) & 1) marks |= bits[bit] as number;
      map[word] = marks & KEPT;
    }
    maps.set(kind, map);
  }
  return map;
}

export interface ConvertedRows {
  readonly rows: AcquiredRows | undefined;
  /** Rows that came, also those outside of the ranges. */
  readonly came: number;
  readonly undated: number;
}

const NOTHING: ConvertedRows = { rows: undefined, came: 0, undated: 0 };

export function rowsOf(
  profile: Profile,
  shape: ProfileShape,
  ranges: readonly Span[],
  registers: readonly string[] | undefined,
  kind: StatusKind,
): ConvertedRows {
  const n = profile.rows;
  const clock = profile.columns[shape.clock];
  if (n === 0 || clock?.kind !== 'moment') return NOTHING;
  const { utc } = clock;
  const marks = marksOf(kind);
  const words = shape.status < 0 ? undefined : profile.columns[shape.status];
  // Positions of the rows that stay, in ascending time.
  const order = new Uint32Array(n);
  let kept = 0;
  let undated = 0;
  let ascending = true;
  let last = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < n; i++) {
    const row = shape.newestFirst ? n - 1 - i : i;
    const time = utc[row] as number;
    if (Number.isNaN(time)) {
      undated++;
      continue;
    }
    if (!isWanted(ranges, time)) continue;
    if (time <= last) ascending = false;
    last = time;
    order[kept++] = row;
  }
  const repeated = new Set<number>();
  let rows: Uint32Array = order.subarray(0, kept);
  // A clock that was set back lives some time twice.
  if (!ascending) rows = sorted(rows, utc, repeated);
  if (rows.length === 0) return { rows: undefined, came: n, undated };
  let all = 0;
  let doubts = false;
  const flags = new Uint16Array(rows.length);
  if (words?.kind === 'number') {
    for (let i = 0; i < rows.length; i++) {
      const word = words.values[rows[i] as number] as number;
      const mark = word > 0 ? (marks[word & (marks.length - 1)] as number) : 0;
      flags[i] = mark;
      all |= mark;
    }
  }
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] as number;
    const status = clock.status[row] as number;
    if (status !== 0xff && (status & 0x01) !== 0) flags[i] = (flags[i] as number) | F.clockInvalid;
    if (repeated.has(row)) flags[i] = (flags[i] as number) | F.repeated;
    all |= flags[i] as number;
  }
  let doubtful: Uint8Array | undefined;
  if ((all & DOUBTFUL) !== 0) {
    doubtful = new Uint8Array(rows.length);
    for (let i = 0; i < rows.length; i++)
      if (((flags[i] as number) & DOUBTFUL) !== 0) {
        doubtful[i] = 1;
        doubts = true;
      }
  }
  const columns: AcquiredColumn[] = [];
  for (const [c, column] of shape.columns.entries()) {
    if (!column.value || (registers && !registers.includes(column.logicalName))) continue;
    const values = picked(profile.columns[c], rows);
    if (values) columns.push(acquired(column, values));
  }
  const times = new Float64Array(rows.length);
  for (let i = 0; i < rows.length; i++) times[i] = utc[rows[i] as number] as number;
  return {
    rows: { times, columns, ...(all !== 0 && { flags }), ...(doubts && doubtful && { doubtful }) },
    came: n,
    undated,
  };
}

function isWanted(ranges: readonly Span[], time: number): boolean {
  for (const { from, to } of ranges) if (time >= from && time < to) return true;
  return false;
}

/** Of equal times the last stays. */
function sorted(rows: Uint32Array, utc: Float64Array, repeated: Set<number>): Uint32Array {
  const byTime = new Map<number, number>();
  for (const row of rows) {
    const time = utc[row] as number;
    if (byTime.has(time)) repeated.add(row);
    byTime.set(time, row);
  }
  return Uint32Array.from(
    [...byTime].sort(([a], [b]) => a - b),
    ([, row]) => row,
  );
}

const acquired = (column: ShapeColumn, values: AcquiredColumn['values']): AcquiredColumn => ({
  obis: column.logicalName,
  name: column.name,
  ...(column.unit !== undefined && { unit: column.unit }),
  scaler: column.scaler,
  values,
});

/** Undefined for what is no number. */
function picked(column: ColumnValues | undefined, rows: Uint32Array): AcquiredColumn['values'] | undefined {
  if (column?.kind === 'number') {
    const values = new Float64Array(rows.length);
    for (let i = 0; i < rows.length; i++) values[i] = column.values[rows[i] as number] as number;
    return values;
  }
  if (column?.kind === 'bigint') return Array.from(rows, (row) => column.values[row]);
  return undefined;
}

// ---------------------------------------------------------------- logs

/** By shape, as it is the same for all meters of a type; -1: none. */
const codeColumns = new WeakMap<ProfileShape, number>();

/** The column of the event code: *:96.11.*, else the first number that is no status. */
function codeColumn(profile: Profile, shape: ProfileShape): number {
  let named = codeColumns.get(shape);
  if (named === undefined) {
    named = shape.columns.findIndex(({ logicalName }) => {
      const obis = obisGroups(logicalName);
      return obis?.c === 96 && obis.d === 11;
    });
    codeColumns.set(shape, named);
  }
  if (named >= 0) return named;
  return profile.columns.findIndex((column, i) => column.kind === 'number' && i !== shape.clock && i !== shape.status);
}

/** Entries in the order of the log, the oldest first; those of no time are counted and left out. */
export function eventsOf(
  profile: Profile,
  shape: ProfileShape,
  since: number,
): { events: AcquiredEvent[]; undated: number } {
  const events: AcquiredEvent[] = [];
  const clock = profile.columns[shape.clock];
  const code = codeColumn(profile, shape);
  const codes = profile.columns[code];
  if (clock?.kind !== 'moment' || codes?.kind !== 'number') return { events, undated: profile.rows };
  const ordinals = new Map<string, number>();
  let undated = 0;
  for (let i = 0; i < profile.rows; i++) {
    const row = shape.newestFirst ? profile.rows - 1 - i : i;
    const time = clock.utc[row] as number;
    const number = codes.values[row] as number;
    if (Number.isNaN(time) || Number.isNaN(number)) {
      undated++;
      continue;
    }
    const key = `${time}/${number}`;
    const ordinal = ordinals.get(key) ?? 0;
    ordinals.set(key, ordinal + 1);
    if (time < since) continue;
    const detail = detailOf(profile, shape, row, code);
    events.push({ time, code: number, ordinal, ...(detail && { detail }) });
  }
  return { events, undated };
}

function detailOf(
  profile: Profile,
  shape: ProfileShape,
  row: number,
  code: number,
): Record<string, string | number> | undefined {
  let detail: Record<string, string | number> | undefined;
  for (const [c, column] of profile.columns.entries()) {
    if (c === shape.clock || c === code) continue;
    const value = column.kind === 'number' || column.kind === 'text' ? column.values[row] : undefined;
    if (value === undefined || (typeof value === 'number' && Number.isNaN(value))) continue;
    detail ??= {};
    detail[shape.columns[c]?.name ?? `column${c}`] = value;
  }
  return detail;
}

/** Wall clock to epoch for clocks without a deviation; of the repeated hour the mark decides. */
export const utcIn =
  (zone: string) =>
  (wall: number, dst: boolean | undefined): number =>
    localToUtc(zone, wall, dst === undefined ? {} : { dst });
