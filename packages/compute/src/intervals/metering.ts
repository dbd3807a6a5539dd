/**
 * Meterings out of what a meter sent: cumulative registers differenced on the local grid, interval profiles and mean powers that are
 * stamped with the end of their period (IEC 62056-6-2 profile generic: the capture time). A metering's intervals stand at their start.
 *
 * Decides: which reading stands for a boundary (the nearest within a tolerance), rollover against fall, that rates add up where all of
 * them stand, finer periods that add up, watts into watt-hours, the scaler (the finest that is needed), the quality (the worst of what
 * went in). A register is believed before a profile, a profile before powers; the later one fills only what is missing.
 * Leaves out: interpolation between readings (that is estimation, and marked so), media factors, transformer ratios.
 */
import { type Intervals, QUALITY, type Showings } from '../series.ts';
import { type GridStep, gridOf } from './grid.ts';

const HOUR = 3_600_000;
const MOST_NOTES = 1000;

/** Values stamped with the end of the period that they stand for. */
export interface EndStamped extends Showings {
  /** Length of what each value stands for, ms. */
  readonly period: number;
}

export interface Sent {
  /** Cumulative registers; several are rates that add up. */
  readonly registers?: readonly Showings[];
  /** Energy of a period; several: the first that has a value. */
  readonly profiles?: readonly EndStamped[];
  /** Mean power of a period (W, var, VA): becomes energy per hour of it. */
  readonly powers?: readonly EndStamped[];
}

export interface MeteringOptions {
  readonly zone: string;
  /** Length of an interval, ms, or local days. */
  readonly step: GridStep;
  readonly from: number;
  readonly to: number;
  /** Local time at which a day begins, ms; with step `day`. */
  readonly dayStart?: number;
  /** A stamp this close to a boundary means it, ms; default 30 s, never more than a quarter of the step. */
  readonly tolerance?: number;
  /** Registers run over at 10^digits of their mantissas. */
  readonly digits?: number;
  /** What can run through in an hour at most, mantissas: tells a rollover from an exchange where the last reading is long ago. */
  readonly mostPerHour?: number;
}

/**
 * Stamps as validation looks at them (`SourceRows.times`): the start of what each row stands for, those within the tolerance of a boundary
 * moved onto it. What is between boundaries stays there, and shows.
 * @param period ms; 0 for readings of a register
 */
export function sourceStamps(
  times: Float64Array,
  period: number,
  { start, step }: Pick<Intervals, 'start' | 'step'>,
  tolerance = 30_000,
): Float64Array {
  const near = Math.min(tolerance, step / 4);
  const out = new Float64Array(times.length);
  for (let i = 0; i < times.length; i++) {
    const time = times[i] as number;
    const bound = start + Math.round((time - start) / step) * step;
    out[i] = (Math.abs(time - bound) <= near ? bound : time) - period;
  }
  return out;
}

/** Something odd on the way; nothing of it is lost silently. */
export interface MeteringNote {
  readonly kind: 'rollover' | 'fall' | 'duplicate' | 'off-grid' | 'wrong-period';
  readonly time: number;
  /** Before and after a fall; the value elsewhere. */
  readonly values: readonly number[];
}

export interface Metering {
  /** With step `day` the times are those of `bounds`, for days are not of equal length. */
  readonly intervals: Intervals;
  /** One more than intervals. */
  readonly bounds: Float64Array;
  /** The total register where it stood on the grid, rollovers added up; undefined without registers. */
  readonly showings: Showings | undefined;
  /** For each showing, how many falls (exchange, reset) came before; across one nothing is known. */
  readonly runs: Uint32Array;
  /** The first thousand. */
  readonly notes: readonly MeteringNote[];
}

/** @throws MisuseError for a step that fills no hour */
export function meteringOf(sent: Sent, options: MeteringOptions): Metering {
  const { zone, step, from, to, dayStart } = options;
  const bounds = gridOf(zone, step, from, to, dayStart);
  const n = Math.max(0, bounds.length - 1);
  const length = step === 'day' ? 24 * HOUR : step;
  const tolerance = Math.min(options.tolerance ?? 30_000, length / 4);
  const registers = sent.registers ?? [];
  const profiles = sent.profiles ?? [];
  const powers = sent.powers ?? [];
  const scaler = finest(registers, profiles, powers);
  if (registers.length === 1 && profiles.length + powers.length === 0 && step !== 'day') {
    const made = straight(registers[0] as Showings, bounds, step);
    if (made) return made;
  }
  const values = new Float64Array(n).fill(Number.NaN);
  const quality = new Uint8Array(n).fill(QUALITY.missing);
  const notes: MeteringNote[] = [];
  const total = registers.length ? addUp(registers, bounds, tolerance, scaler, options, notes) : undefined;
  if (total) difference(total, values, quality);
  for (const profile of profiles)
    fillFrom(profile, bounds, tolerance, 10 ** (profile.scaler - scaler), values, quality, notes);
  for (const power of powers)
    fillFrom(power, bounds, tolerance, (10 ** (power.scaler - scaler) * power.period) / HOUR, values, quality, notes);
  const shown = total ? showingsOf(total, bounds, scaler) : undefined;
  return {
    intervals: { start: n ? (bounds[0] as number) : from, step: length, scaler, values, quality },
    bounds,
    showings: shown?.showings,
    runs: shown?.runs ?? new Uint32Array(0),
    notes,
  };
}

/**
 * What most meters send: one register that never falls, its readings on the grid to the millisecond, each once. One pass, and the
 * readings themselves are the showings; the result is the same as the long way's.
 * @returns undefined where it is otherwise
 */
function straight(register: Showings, bounds: Float64Array, step: number): Metering | undefined {
  const { times, values: shown, scaler } = register;
  const count = times.length;
  const n = bounds.length - 1;
  if (n < 1 || count === 0 || shown.length !== count) return undefined;
  if (register.quality && !allMeasured(register.quality)) return undefined;
  const start = bounds[0] as number;
  const values = new Float64Array(n);
  const quality = new Uint8Array(n);
  let first = count;
  let end = 0;
  let last = Number.NEGATIVE_INFINITY;
  let before = Number.NEGATIVE_INFINITY;
  // The next interval that nothing is known of.
  let next = 0;
  for (let i = 0; i < count; i++) {
    const value = shown[i] as number;
    const place = ((times[i] as number) - start) / step;
    // Also false where something is no number.
    if (!(place > last && value >= before && value < EXACT) || Math.floor(place) !== place) return undefined;
    if (place >= 0 && place <= n) {
      if (first === count) first = i;
      end = i + 1;
      if (place > 0 && place === last + 1 && last >= 0) {
        values[next++] = Math.round(value - before);
      } else
        while (next < place) {
          values[next] = Number.NaN;
          quality[next++] = QUALITY.missing;
        }
    }
    last = place;
    before = value;
  }
  // A register that counts down from below nothing has its differences looked at one by one.
  if (!((shown[0] as number) > -EXACT)) return undefined;
  for (; next < n; next++) {
    values[next] = Number.NaN;
    quality[next] = QUALITY.missing;
  }
  const [lo, hi] = first < end ? [first, end] : [0, 0];
  return {
    intervals: { start, step, scaler, values, quality },
    bounds,
    showings: {
      times: times.subarray(lo, hi),
      values: shown.subarray(lo, hi),
      quality: new Uint8Array(hi - lo),
      scaler,
    },
    runs: new Uint32Array(hi - lo),
    notes: [],
  };
}

/** The difference of any two below this is a safe integer. */
const EXACT = 2 ** 51;
function allMeasured(quality: Uint8Array): boolean {
  for (let i = 0; i < quality.length; i++) if (quality[i] !== QUALITY.measured) return false;
  return true;
}

/** Watts over a quarter are quarters of watt-hours: two digits more hold them exactly; five minutes need three and are rounded. */
const digitsOfPower = (period: number): number => {
  for (let k = 0; k < 3; k++) if (Number.isInteger((10 ** k * period) / HOUR)) return k;
  return 3;
};

function finest(
  registers: readonly Showings[],
  profiles: readonly EndStamped[],
  powers: readonly EndStamped[],
): number {
  let scaler = Number.POSITIVE_INFINITY;
  for (const r of registers) scaler = Math.min(scaler, r.scaler);
  for (const p of profiles) scaler = Math.min(scaler, p.scaler);
  for (const p of powers) scaler = Math.min(scaler, p.scaler - digitsOfPower(p.period));
  return Number.isFinite(scaler) ? scaler : 0;
}

/** A register at each boundary. */
interface AtBounds {
  /** NaN where none stood. */
  readonly shown: Float64Array;
  readonly runs: Uint32Array;
  readonly quality: Uint8Array;
}

function addUp(
  registers: readonly Showings[],
  bounds: Float64Array,
  tolerance: number,
  scaler: number,
  options: MeteringOptions,
  notes: MeteringNote[],
): AtBounds {
  const n = bounds.length;
  const shown = new Float64Array(n);
  const runs = new Uint32Array(n);
  const quality = new Uint8Array(n);
  for (const register of registers) {
    const one = snap(register, bounds, tolerance, options, notes);
    const factor = 10 ** (register.scaler - scaler);
    for (let b = 0; b < n; b++) {
      // NaN stays NaN: a total stands only where all of its rates do.
      shown[b] = (shown[b] as number) + (one.shown[b] as number) * factor;
      runs[b] = (runs[b] as number) + (one.runs[b] as number);
      if ((one.quality[b] as number) > (quality[b] as number)) quality[b] = one.quality[b] as number;
    }
  }
  return { shown, runs, quality };
}

function snap(
  register: Showings,
  bounds: Float64Array,
  tolerance: number,
  options: MeteringOptions,
  notes: MeteringNote[],
): AtBounds {
  const n = bounds.length;
  const { times, values } = register;
  const shown = new Float64Array(n).fill(Number.NaN);
  const runs = new Uint32Array(n);
  const quality = new Uint8Array(n);
  const span = options.digits === undefined ? undefined : 10 ** options.digits;
  const count = Math.min(times.length, values.length);
  let base = 0;
  let run = 0;
  let bound = 0;
  let last = -1;
  // How near the reading is that stands for `bound`; the tolerance as long as none does.
  let held = tolerance;
  if (n === 0) return { shown, runs, quality };
  for (let i = 0; i < count; i++) {
    const value = values[i] as number;
    const time = times[i] as number;
    const of = register.quality?.[i] ?? QUALITY.measured;
    if (!Number.isFinite(value) || !Number.isFinite(time) || of >= QUALITY.missing) continue;
    if (last >= 0) {
      const before = values[last] as number;
      if (time <= (times[last] as number)) {
        // Two at one instant: the first stands.
        note(notes, { kind: 'duplicate', time, values: [before, value] });
        continue;
      }
      if (value < before) {
        const rolled = span !== undefined && runsOver(before, value, span, time - (times[last] as number), options);
        if (rolled) base += span;
        else {
          run++;
          base = 0;
        }
        note(notes, { kind: rolled ? 'rollover' : 'fall', time, values: [before, value] });
      }
    }
    last = i;
    // The boundary that this reading is nearest to.
    let off = Math.abs((bounds[bound] as number) - time);
    for (; bound + 1 < n; bound++) {
      const next = Math.abs((bounds[bound + 1] as number) - time);
      if (next > off) break;
      off = next;
      held = tolerance;
    }
    // Of several the nearest stands for it, of equals the first.
    if (off > held || (off === held && !Number.isNaN(shown[bound] as number))) continue;
    held = off;
    shown[bound] = value + base;
    runs[bound] = run;
    quality[bound] = of;
  }
  return { shown, runs, quality };
}

/** A register runs over when what would have run through is possible; without a limit, from its last to its first tenth. */
function runsOver(before: number, value: number, span: number, elapsed: number, options: MeteringOptions): boolean {
  if (before >= span) return false;
  const { mostPerHour } = options;
  if (mostPerHour !== undefined) return value + span - before <= mostPerHour * Math.max(1, elapsed / HOUR);
  return before > span * 0.9 && value < span * 0.1;
}

function difference(total: AtBounds, values: Float64Array, quality: Uint8Array): void {
  const { shown, runs } = total;
  for (let i = 0; i < values.length; i++) {
    const energy = (shown[i + 1] as number) - (shown[i] as number);
    if (!Number.isSafeInteger(Math.round(energy)) || runs[i + 1] !== runs[i]) continue;
    values[i] = Math.round(energy);
    quality[i] = Math.max(total.quality[i] as number, total.quality[i + 1] as number);
  }
}

/** Sums what ends in each interval that has no value yet; an interval is known when its parts fill it. */
function fillFrom(
  sent: EndStamped,
  bounds: Float64Array,
  tolerance: number,
  factor: number,
  values: Float64Array,
  quality: Uint8Array,
  notes: MeteringNote[],
): void {
  const { times, values: from, period } = sent;
  const n = values.length;
  const count = Math.min(times.length, from.length);
  let at = 0;
  let sum = 0;
  let covered = 0;
  let worst = 0;
  let end = Number.NEGATIVE_INFINITY;
  for (let i = 0; i <= count; i++) {
    const time = i < count ? (times[i] as number) : Number.POSITIVE_INFINITY;
    // Done with every interval that ends before this value does.
    while (at < n && time > (bounds[at + 1] as number) + tolerance) {
      const length = (bounds[at + 1] as number) - (bounds[at] as number);
      if (
        covered > 0 &&
        Number.isSafeInteger(Math.round(sum)) &&
        Number.isNaN(values[at] as number) &&
        Math.abs(covered - length) < period / 2
      ) {
        values[at] = Math.round(sum);
        quality[at] = worst;
      }
      at++;
      sum = 0;
      covered = 0;
      worst = 0;
    }
    if (i >= count || at >= n) break;
    const value = from[i] as number;
    const of = sent.quality?.[i] ?? QUALITY.measured;
    if (!Number.isFinite(value) || of >= QUALITY.missing || !(time > (bounds[0] as number) + tolerance)) continue;
    if (time - end < period / 2) {
      note(notes, { kind: 'duplicate', time, values: [value] });
      continue;
    }
    if (period > (bounds[at + 1] as number) - (bounds[at] as number) + tolerance) {
      note(notes, { kind: 'wrong-period', time, values: [value] });
      continue;
    }
    const parts = (time - (bounds[at] as number)) / period;
    if (Math.abs(parts - Math.round(parts)) * period > tolerance) {
      note(notes, { kind: 'off-grid', time, values: [value] });
      continue;
    }
    end = time;
    sum += value * factor;
    covered += period;
    if (of > worst) worst = of;
  }
}

function showingsOf(total: AtBounds, bounds: Float64Array, scaler: number): { showings: Showings; runs: Uint32Array } {
  let n = 0;
  for (let b = 0; b < bounds.length; b++) if (!Number.isNaN(total.shown[b] as number)) n++;
  const times = new Float64Array(n);
  const values = new Float64Array(n);
  const quality = new Uint8Array(n);
  const runs = new Uint32Array(n);
  for (let b = 0, k = 0; b < bounds.length; b++) {
    if (Number.isNaN(total.shown[b] as number)) continue;
    times[k] = bounds[b] as number;
    values[k] = total.shown[b] as number;
    quality[k] = total.quality[b] as number;
    runs[k++] = total.runs[b] as number;
  }
  return { showings: { times, values, quality, scaler }, runs };
}

function note(notes: MeteringNote[], one: MeteringNote): void {
  if (notes.length < MOST_NOTES) notes.push(one);
}
