/**
 * The packed form of one day of one series: what stands in `block.v` and `block.s`, with the header columns beside them.
 *
 * `v` is a format byte and a payload. Low four bits, the values: 1 = differences in bytes, 3 = differences in half bytes
 * (differences.ts), 2 = 64-bit big-endian integers, for mantissas beyond 51 bits. High four bits, the times: 0 = regular,
 * `step` in the header; 1, 2 = irregular: after the values, for each its distance to the one before less the distance
 * before that, as zigzag varints of milliseconds (1) or seconds (2). An empty place of a regular series repeats the
 * value before it and has quality `missing`.
 */
import { Bytes, DamagedBlock, Varints } from './bytes.ts';
import {
  BYTES,
  HALVES,
  measure,
  type Read,
  read,
  roomFor,
  type Survey,
  survey,
  widthOf,
  write,
} from './differences.ts';
import { MISSING, packQuality, unpackQuality } from './quality.ts';

export const DAY = 86_400_000;
const RAW = 2;
const REGULAR = 0;
const IRREGULAR_MS = 1;
const IRREGULAR_S = 2;
/** Beyond it differences would leave the exact range of a double. */
const EXACT_LIMIT = 2 ** 51;
/** Places per row at most: a value every 100 ms for a day. */
export const MAX_PLACES = 864_000;

export interface BlockHeader {
  /** Milliseconds after the start of the UTC day. */
  readonly start: number;
  /** Milliseconds; 0 for irregular. */
  readonly step: number;
  readonly n: number;
  readonly missing: number;
  readonly scaler: number;
  readonly sum: number | bigint | null;
  readonly max: number | bigint | null;
}

export interface PackedBlock extends BlockHeader {
  readonly v: Uint8Array;
  readonly s: Uint8Array;
}

/** One day unpacked: only what is there, in order of time. */
export interface DayValues {
  /** Milliseconds after the start of the UTC day, rising. */
  readonly times: Float64Array;
  readonly values: Float64Array;
  /** Exact mantissas where some need more than 51 bits; then it counts and `values` is near. */
  readonly big?: BigInt64Array;
  readonly quality?: Uint8Array;
  readonly scaler: number;
}

/** A regular stretch as it came: `values[from, to)`, NaN missing. Packs without unpacked copies: the bulk path. */
export interface Run {
  readonly values: ArrayLike<number>;
  readonly quality?: ArrayLike<number> | undefined;
  readonly from: number;
  readonly to: number;
  readonly start: number;
  readonly step: number;
  readonly scaler: number;
}

/** Statistics of a block whose bytes were appended to `v`/`s` sinks; one object, reused. */
export interface RunHeader {
  start: number;
  n: number;
  missing: number;
  sum: number;
  max: number;
  /** Some value is missing or not measured. */
  mixed: boolean;
  /** False when the run has no value, or one that needs the exact path. */
  ok: boolean;
}

const seen: Survey = survey();

/**
 * Appends the payload of a regular run to `out`. Missing values at both ends are left off. Qualities come from
 * `packRunQuality` with the header that this returns.
 */
export function packRun(out: Bytes, run: Run, header: RunHeader): void {
  const { values } = run;
  let { from, to } = run;
  while (from < to && Number.isNaN(values[from] as number)) from++;
  while (to > from && Number.isNaN(values[to - 1] as number)) to--;
  const n = to - from;
  header.start = run.start + (from - run.from) * run.step;
  header.n = n;
  header.ok = n > 0;
  if (n === 0) return;
  measure(values, from, to, seen);
  header.missing = seen.missing;
  header.sum = seen.sum;
  header.max = seen.max;
  header.mixed = seen.missing > 0 || hasQuality(run.quality, from, to);
  header.ok = seen.max < EXACT_LIMIT && seen.min > -EXACT_LIMIT && Number.isSafeInteger(seen.sum);
  if (!header.ok) return;
  const width = widthOf(seen);
  out.reserve(1 + roomFor(seen));
  out.buffer[out.length] = width | (REGULAR << 4);
  out.length = write(out.buffer, out.length + 1, values, from, to, width);
}

function hasQuality(quality: ArrayLike<number> | undefined, from: number, to: number): boolean {
  if (quality) for (let i = from; i < to; i++) if (quality[i]) return true;
  return false;
}

/** Appends the quality runs of a run that `packRun` packed. */
export function packRunQuality(out: Bytes, run: Run, header: RunHeader): void {
  if (!header.mixed) return;
  const from = run.from + Math.round((header.start - run.start) / run.step);
  const codes = new Uint8Array(header.n);
  for (let i = 0; i < header.n; i++)
    codes[i] = Number.isNaN(run.values[from + i] as number) ? MISSING : (run.quality?.[from + i] ?? 0);
  packQuality(out, codes, 0, header.n);
}

/** The distance of a series that is regular but for holes; 0 when it is not, or has a single value. */
function regularStep(times: Float64Array, hint: number): number {
  const n = times.length;
  if (n < 2) return n === 1 && hint > 0 && (times[0] as number) % hint === 0 ? hint : 0;
  let step = Number.POSITIVE_INFINITY;
  for (let i = 1; i < n; i++) step = Math.min(step, (times[i] as number) - (times[i - 1] as number));
  if (hint > 0 && hint < step) step = hint;
  const span = (times[n - 1] as number) - (times[0] as number);
  if (span / step + 1 > n * 1.25 + 8)
    return hint > 0 && step === hint && span / step < 2000 ? gridStep(times, step) : 0;
  return gridStep(times, step);
}

function gridStep(times: Float64Array, step: number): number {
  const first = times[0] as number;
  for (let i = 1; i < times.length; i++) if (((times[i] as number) - first) % step !== 0) return 0;
  return step;
}

/** Packs a day. @param hint the series' own period in ms, where it has one */
export function packDay(day: DayValues, hint = 0): PackedBlock {
  const count = day.values.length;
  if (count === 0) throw new RangeError('a block has at least one value');
  const step = regularStep(day.times, hint);
  const start = day.times[0] as number;
  const exact = day.big ?? (needsExact(day.values) ? exactOf(day.values) : undefined);
  const n = step === 0 ? count : Math.round(((day.times[count - 1] as number) - start) / step) + 1;
  if (n > MAX_PLACES) throw new RangeError(`a day of a series has at most ${MAX_PLACES} values`);
  const codes = new Uint8Array(n);
  /** By place; NaN repeats the one before. */
  const placed = step === 0 ? day.values : new Float64Array(n).fill(Number.NaN);
  if (step > 0) codes.fill(MISSING);
  for (let i = 0; i < count; i++) {
    const place = step === 0 ? i : Math.round(((day.times[i] as number) - start) / step);
    placed[place] = day.values[i] as number;
    codes[place] = day.quality?.[i] ?? 0;
  }
  let seconds = step === 0;
  for (let i = 1; seconds && i < count; i++) seconds = ((day.times[i] as number) - start) % 1000 === 0;
  const timing = step > 0 ? REGULAR : seconds ? IRREGULAR_S : IRREGULAR_MS;
  const out = new Bytes(64);
  if (exact) {
    out.byte(RAW | (timing << 4));
    for (let place = 0, i = -1; place < n; place++) {
      if (codes[place] !== MISSING || step === 0) i++;
      out.bigInt64(exact[i] as bigint);
    }
  } else {
    measure(placed, 0, n, seen);
    const width = widthOf(seen);
    out.reserve(1 + roomFor(seen));
    out.buffer[0] = width | (timing << 4);
    out.length = write(out.buffer, 1, placed, 0, n, width);
  }
  if (step === 0) packTimes(out, day.times, seconds ? 1000 : 1);
  const s = new Bytes(16);
  packQuality(s, codes, 0, n);
  return {
    start,
    step,
    n,
    missing: n - count,
    scaler: day.scaler,
    ...(exact ? exactStatistics(exact) : statistics(day.values)),
    v: out.copy(),
    s: s.copy(),
  };
}

function packTimes(out: Bytes, times: Float64Array, unit: number): void {
  let before = times[0] as number;
  let distance = 0;
  for (const time of times) {
    const next = (time - before) / unit;
    out.signed(next - distance);
    distance = next;
    before = time;
  }
}

function exactOf(values: Float64Array): BigInt64Array {
  return BigInt64Array.from(values, (value) => {
    if (!Number.isInteger(value) || value >= 2 ** 63 || value < -(2 ** 63))
      throw new RangeError(`${value} is no mantissa of 64 bits`);
    return BigInt(value);
  });
}

function needsExact(values: Float64Array): boolean {
  for (const value of values) if (value >= EXACT_LIMIT || value <= -EXACT_LIMIT) return true;
  return false;
}

function statistics(values: Float64Array): Pick<BlockHeader, 'sum' | 'max'> {
  let sum = 0;
  let max = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    sum += value;
    if (value > max) max = value;
  }
  return Number.isSafeInteger(sum) ? { sum, max } : { ...exactStatistics(exactOf(values)), max };
}

function exactStatistics(values: BigInt64Array): Pick<BlockHeader, 'sum' | 'max'> {
  let sum = 0n;
  let max = values[0] as bigint;
  for (const value of values) {
    sum += value;
    if (value > max) max = value;
  }
  return { sum: BigInt.asIntN(64, sum) === sum ? sum : null, max };
}

const ended: Read = { count: 0, at: 0 };

type Packed = Pick<PackedBlock, 'start' | 'step' | 'n' | 'scaler' | 'v' | 's'>;

/** @throws DamagedBlock */
export function unpackDay(block: Packed): DayValues {
  const { start, step, n, v, scaler } = block;
  if (n < 1 || n > MAX_PLACES) throw new DamagedBlock(`a block of ${n} values`);
  const values = new Float64Array(n);
  const reader = new Varints(v, 1);
  let big: BigInt64Array | undefined;
  const form = (v[0] ?? 0) & 15;
  if (form === BYTES || form === HALVES) {
    read(form, v, 1, v.length, n, values, ended);
    if (ended.count < n) throw new DamagedBlock('values are missing');
    reader.at = ended.at;
  } else if (form === RAW) {
    if (v.length < 1 + n * 8) throw new DamagedBlock('values are missing');
    big = new BigInt64Array(n);
    const view = new DataView(v.buffer, v.byteOffset, v.byteLength);
    for (let i = 0; i < n; i++) {
      big[i] = view.getBigInt64(1 + i * 8);
      values[i] = Number(big[i]);
    }
    reader.at = 1 + n * 8;
  } else throw new DamagedBlock(`format ${v[0]} is not known; was it written by a newer program?`);
  const times = new Float64Array(n);
  if (step > 0) for (let i = 0; i < n; i++) times[i] = start + i * step;
  else {
    const unit = (v[0] as number) >> 4 === IRREGULAR_S ? 1000 : 1;
    let at = start;
    let distance = 0;
    for (let i = 0; i < n; i++) {
      distance += reader.signed();
      at += distance * unit;
      times[i] = at;
    }
  }
  const quality = unpackQuality(block.s, n);
  if (!quality) return { times, values, scaler, ...(big ? { big } : {}) };
  let kept = 0;
  for (let i = 0; i < n; i++) {
    if (quality[i] === MISSING) continue;
    times[kept] = times[i] as number;
    values[kept] = values[i] as number;
    quality[kept] = quality[i] as number;
    if (big) big[kept] = big[i] as bigint;
    kept++;
  }
  return {
    times: times.subarray(0, kept),
    values: values.subarray(0, kept),
    quality: quality.subarray(0, kept),
    scaler,
    ...(big ? { big: big.subarray(0, kept) } : {}),
  };
}

/**
 * Every place's value of a regular block, holes repeated from the place before: the kernels' path. Reads to the end of the
 * bytes. @returns how many were written
 */
export function unpackPlaces(v: Uint8Array, from: number, to: number, out: Float64Array): number {
  const format = v[from];
  if (format === RAW) {
    const view = new DataView(v.buffer, v.byteOffset, v.byteLength);
    const n = Math.floor((to - from - 1) / 8);
    for (let i = 0; i < n; i++) out[i] = Number(view.getBigInt64(from + 1 + i * 8));
    return n;
  }
  if (format !== BYTES && format !== HALVES) throw new DamagedBlock(`format ${format} is no regular one`);
  read(format, v, from + 1, to, out.length, out, ended);
  return ended.count;
}
