/**
 * One meter's blocks laid on a grid: the arrays that kernels take.
 *
 * Decides: the grid is that of the values themselves (an hour may begin at half past in UTC); a day of 23 or 25 hours takes one place.
 */
import { DAY, type DayValues, unpackDay, unpackPlaces } from '../codec/block.ts';
import { MISSING } from '../codec/quality.ts';
import type { Arrays } from './arrays.ts';
import type { MeterIntervals } from './types.ts';

/** A packed block as the statements give it. */
export interface Packed {
  readonly register: number;
  readonly day: number;
  readonly start: number;
  readonly step: number;
  readonly scaler: number;
  readonly version: number;
  readonly v: Buffer;
  readonly s: Buffer;
  readonly n: number;
}

let scratch = new Float64Array(2048);

export class Grid {
  readonly register: number;
  readonly step: number;
  readonly start: number;
  scaler: number;
  version = 1;
  /** Something was laid here, if only that it is missing. */
  filled = false;
  readonly values: Float64Array;
  readonly quality: Uint8Array;

  /** @param time of some value, epoch ms: the grid goes through it */
  constructor(
    register: number,
    step: number,
    time: number,
    from: number,
    to: number,
    scaler: number,
    arrays: Arrays | undefined,
  ) {
    this.register = register;
    this.step = step;
    this.scaler = scaler;
    const offset = ((time % step) + step) % step;
    // A local day begins an hour earlier or later after a change of the clock: the grid of days takes what is near.
    const slack = step >= DAY ? 7_200_000 : 0;
    this.start = Math.ceil((from - offset - slack) / step) * step + offset;
    const count = Math.max(0, Math.ceil((to - slack - this.start) / step));
    // What stays `missing` is made NaN at the end: most values are there.
    const own = arrays?.take(count);
    this.values = own?.values ?? new Float64Array(count);
    this.quality = (own?.quality ?? new Uint8Array(count)).fill(MISSING);
  }

  /** The packed bytes of a regular block: `data[at, end)` with `n` places, and its qualities as runs in `data[runs, runsEnd)`. */
  places(
    time: number,
    scaler: number,
    n: number,
    data: Buffer,
    at: number,
    end: number,
    qualities: Buffer,
    runs: number,
    runsEnd: number,
  ): void {
    const { values, quality } = this;
    const first = Math.round((time - this.start) / this.step);
    if (first >= 0 && first + n <= values.length && scaler === this.scaler) {
      unpackPlaces(data, at, end, values.subarray(first, first + n));
      if (runs === runsEnd) quality.fill(0, first, first + n);
      else layQualities(qualities, runs, runsEnd, quality, first, n);
      this.filled = true;
      return;
    }
    if (scratch.length < n) scratch = new Float64Array(n);
    unpackPlaces(data, at, end, scratch);
    const codes = new Uint8Array(n);
    if (runs !== runsEnd) layQualities(qualities, runs, runsEnd, codes, 0, n);
    const factor = this.factorOf(scaler);
    const to = Math.min(n, values.length - first);
    for (let i = Math.max(0, -first); i < to; i++) {
      const code = codes[i] as number;
      if (code === MISSING) continue;
      values[first + i] = factor === 1 ? (scratch[i] as number) : (scratch[i] as number) * factor;
      quality[first + i] = code;
      this.filled = true;
    }
  }

  lay(day: number, given: DayValues): void {
    const factor = this.factorOf(given.scaler);
    for (let i = 0; i < given.values.length; i++) {
      const time = day * DAY + (given.times[i] as number);
      const at = Math.round((time - this.start) / this.step);
      if (at < 0 || at >= this.values.length) continue;
      this.values[at] = (given.values[i] as number) * factor;
      this.quality[at] = given.quality?.[i] ?? 0;
      this.filled = true;
    }
  }

  /** What mantissas of this scaler are multiplied with; the finer scaler of the two becomes the grid's. */
  private factorOf(scaler: number): number {
    if (scaler === this.scaler) return 1;
    if (scaler > this.scaler) return 10 ** (scaler - this.scaler);
    const factor = 10 ** (this.scaler - scaler);
    for (let i = 0; i < this.values.length; i++) this.values[i] = (this.values[i] as number) * factor;
    this.scaler = scaler;
    return 1;
  }

  block(b: Packed): void {
    if (b.version > this.version) this.version = b.version;
    if (b.step === this.step) this.places(b.day * DAY + b.start, b.scaler, b.n, b.v, 0, b.v.length, b.s, 0, b.s.length);
    else this.lay(b.day, unpackDay(b));
  }

  /** @returns undefined when nothing is there */
  done(meter: string, unit: string | null): MeterIntervals | undefined {
    const { start, step, scaler, values, quality, version } = this;
    if (!this.filled) return undefined;
    let at = quality.indexOf(MISSING);
    if (at >= 0) {
      let there = at > 0;
      for (; at < quality.length; at++)
        if (quality[at] === MISSING) values[at] = Number.NaN;
        else there = true;
      if (!there) return undefined;
    }
    return { meter, start, step, scaler, values, quality, version, unit };
  }
}

/** Runs of qualities (codec/quality.ts) laid into `out[first, first + n)`. */
function layQualities(data: Buffer, from: number, to: number, out: Uint8Array, first: number, n: number): void {
  let at = first;
  const end = first + n;
  for (let k = from; k < to && at < end; ) {
    let b = data[k++] as number;
    let run = b & 127;
    for (let scale = 128; b > 127 && k < to; scale *= 128) {
      b = data[k++] as number;
      run += (b & 127) * scale;
    }
    const next = Math.min(end, at + Math.floor(run / 8));
    out.fill(run % 8, at, next);
    at = next;
  }
}
