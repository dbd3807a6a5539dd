/**
 * Power as the page draws it: one signed number, import above zero and export below. Meters send import and export as
 * two registers, often at different paces (every 2 s and every 10 s), so the slower one is carried forward.
 */
import type { Live, Series } from '@amiable/model';

/** How long a value stands for what was not sent again. */
const CARRY = 15_000;

export interface Curve {
  readonly time: readonly number[];
  readonly values: readonly (number | null)[];
}

/** `1-0:1.7.0` -> `1.7.0` */
export function shortObis(obis: string): string {
  const colon = obis.indexOf(':');
  const code = colon < 0 ? obis : obis.slice(colon + 1);
  const star = code.indexOf('*');
  return star < 0 ? code : code.slice(0, star);
}

export function curveOf(series: Series, obis: string): Series['curves'][number] | undefined {
  return series.curves.find((c) => shortObis(c.obis) === obis);
}

/** Import minus export at each point; null where neither is known. */
export function netPower(series: Series): Curve {
  const imported = curveOf(series, '1.7.0')?.values;
  const exported = curveOf(series, '2.7.0')?.values;
  let heldIn = 0;
  let heldInAt = Number.NEGATIVE_INFINITY;
  let heldOut = 0;
  let heldOutAt = Number.NEGATIVE_INFINITY;
  const carry = Math.max(CARRY, series.period * 1000);
  const values = series.time.map((t, i) => {
    const a = imported?.[i] ?? null;
    const b = exported?.[i] ?? null;
    if (a === null && b === null) return null;
    if (a !== null) {
      heldIn = a;
      heldInAt = t;
    }
    if (b !== null) {
      heldOut = b;
      heldOutAt = t;
    }
    const now = (heldInAt >= t - carry ? heldIn : 0) - (heldOutAt >= t - carry ? heldOut : 0);
    return now;
  });
  return { time: series.time, values };
}

/** The last few minutes of one meter: bounded, in order, one value per instant. */
export class Recent {
  readonly time: number[] = [];
  readonly values: number[] = [];
  readonly span: number;
  readonly most: number;

  constructor(span: number, most: number) {
    this.span = span;
    this.most = most;
  }

  push(at: number, value: number): void {
    const last = this.time.at(-1);
    if (last !== undefined && at <= last) return;
    this.time.push(at);
    this.values.push(value);
    let drop = Math.max(0, this.time.length - this.most);
    while ((this.time[drop] ?? at) < at - this.span) drop++;
    if (drop > 0) {
      this.time.splice(0, drop);
      this.values.splice(0, drop);
    }
  }

  /** Puts stored history before what came live; where both speak, the live values stand. */
  fill(curve: Curve): void {
    const live = this.time.map((t, i) => [t, this.values[i] as number] as const);
    const first = live[0]?.[0] ?? Number.POSITIVE_INFINITY;
    this.time.length = 0;
    this.values.length = 0;
    curve.time.forEach((t, i) => {
      const value = curve.values[i];
      if (t < first && value !== null && value !== undefined) this.push(t, value);
    });
    for (const [t, value] of live) this.push(t, value);
  }

  /** The value that stood at `t`, null when the last one before is older than `hold`. */
  at(t: number, hold: number): number | null {
    let low = 0;
    let high = this.time.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.time[middle] as number) <= t) low = middle + 1;
      else high = middle;
    }
    if (low === 0 || (this.time[low - 1] as number) < t - hold) return null;
    return this.values[low - 1] as number;
  }
}

/** The sum of many meters on one grid; null where nobody spoke. */
export function sumOf(recents: Iterable<Recent>, from: number, to: number, step: number, hold: number): Curve {
  const time: number[] = [];
  for (let t = from; t <= to; t += step) time.push(t);
  const values = new Array<number | null>(time.length).fill(null);
  for (const recent of recents) {
    time.forEach((t, i) => {
      const value = recent.at(t, hold);
      if (value !== null) values[i] = (values[i] ?? 0) + value;
    });
  }
  return { time, values };
}

/** A number of the latest values, or undefined when the meter sends none or sends text. */
export function liveNumber(live: Live | null | undefined, obis: string): number | undefined {
  const value = live?.values[obis]?.value;
  return typeof value === 'number' ? value : undefined;
}
