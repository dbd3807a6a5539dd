/**
 * Curves for the page: as many points as it can draw, from the coarsest stored period that is fine enough. A point that
 * stands for several values is their mean and carries their extremes. Where the fine values have been thinned away the
 * next coarser ones stand in.
 */
import { resample } from '@amiable/compute';
import type { Series } from '@amiable/model';
import type { Client } from '../pg/database.ts';
import type { Register } from '../registers.ts';
import type { MeterId } from '../types.ts';
import { join, readValues, type ValueParts, type Values } from './values.ts';

/** Distances of points in seconds that people can read off a scale. */
const NICE = [
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800,
];
/** Stored periods in seconds, finest first; 0 is as the meter sent. */
const LEVELS = [0, 60, 900] as const;
const MAX_POINTS = 20_000;

interface Curve {
  readonly obis: string;
  register: Register | undefined;
  values: Float64Array;
  min: Float64Array;
  max: Float64Array;
  /** Some point has more than one value in it. */
  reduced: boolean;
  /** There are values of the wanted period, not only of coarser ones. */
  own: boolean;
}

export async function readSeries(
  parts: ValueParts,
  client: Client,
  meter: MeterId,
  obis: readonly string[],
  from: number,
  to: number,
  points: number,
): Promise<Series> {
  if (!(to > from)) throw new RangeError('`to` lies before `from`');
  const wanted = Math.min(Math.max(Math.trunc(points), 1), MAX_POINTS);
  const shorts = [...new Set(obis)].slice(0, 50);
  let bucket = nice((to - from) / wanted / 1000);
  const first = LEVELS.findLastIndex((level) => level <= bucket);
  if (LEVELS[first] === 0) {
    const sent = await asSent(parts, client, meter, shorts, from, to, wanted);
    if (sent) return sent;
  }
  for (let level = first; ; level++) {
    const stored = LEVELS[level] as number;
    bucket = Math.max(bucket, stored);
    const span = bucket * 1000;
    const start = Math.floor(from / span) * span;
    const count = Math.min(Math.ceil((to - start) / span), MAX_POINTS + 1);
    const curves: Curve[] = [];
    for (const short of shorts) curves.push(await curveOf(parts, client, meter, short, level, start, span, count));
    // Nothing of this period is there (any more): draw at the next coarser one.
    if (!curves.some((c) => c.own) && level + 1 < LEVELS.length) continue;
    return {
      meter,
      from,
      to,
      period: bucket,
      time: Array.from({ length: count }, (_, i) => start + i * span),
      curves: curves.map((c) => ({
        obis: c.obis,
        name: c.register?.name ?? c.obis,
        unit: c.register?.unit ?? '',
        values: nulls(c.values),
        ...(c.reduced ? { min: nulls(c.min), max: nulls(c.max) } : {}),
      })),
    };
  }
}

const nice = (seconds: number): number =>
  NICE.find((n) => n >= seconds * 0.999) ?? Math.ceil(seconds / 604_800) * 604_800;

const nulls = (values: Float64Array): (number | null)[] => Array.from(values, (v) => (Number.isNaN(v) ? null : v));

/** The meter's own registers of a short code. */
const sourcesOf = (parts: ValueParts, short: string): Register[] =>
  [...parts.registers.all()].filter((r) => r.short === short && r.period === 0);

/** Energies and volumes that only grow: of several values in a point the first counts. */
const isCumulative = (r: Register | undefined): boolean => r?.short?.split('.')[1] === '8';

/** Points where the meter sent them, when they are few enough; undefined when there are too many, or none. */
async function asSent(
  parts: ValueParts,
  client: Client,
  meter: MeterId,
  shorts: readonly string[],
  from: number,
  to: number,
  wanted: number,
): Promise<Series | undefined> {
  const wide = (to - from) / 1000 / wanted;
  if (wide > 10) return undefined;
  const sources = new Map(shorts.map((short) => [short, sourcesOf(parts, short)]));
  const found = await readValues(
    parts,
    client,
    meter,
    [...sources.values()].flat().map((r) => r.id),
    from,
    to,
  );
  const time = new Set<number>();
  for (const { times } of found.values()) {
    if (times.length > wanted) return undefined;
    for (const t of times) time.add(t);
  }
  if (time.size === 0) return undefined;
  const all = [...time].sort((a, b) => a - b);
  const place = new Map(all.map((t, i) => [t, i]));
  return {
    meter,
    from,
    to,
    period: 0,
    time: all,
    curves: shorts.map((short) => {
      const register = best(sources.get(short) as Register[], found);
      const values: (number | null)[] = new Array(all.length).fill(null);
      const have = register && found.get(register.id);
      have?.times.forEach((t, i) => {
        values[place.get(t) as number] = have.values[i] as number;
      });
      return { obis: short, name: register?.name ?? short, unit: register?.unit ?? '', values };
    }),
  };
}

/** Of registers of one short code, the one with most values. */
function best(registers: readonly Register[], found: ReadonlyMap<number, Values>): Register | undefined {
  const size = (r: Register): number => found.get(r.id)?.times.length ?? 0;
  return registers.reduce<Register | undefined>((a, b) => (a && size(a) >= size(b) ? a : b), undefined);
}

async function curveOf(
  parts: ValueParts,
  client: Client,
  meter: MeterId,
  short: string,
  firstLevel: number,
  start: number,
  span: number,
  count: number,
): Promise<Curve> {
  const empty = (): Float64Array => new Float64Array(count).fill(Number.NaN);
  const curve: Curve = {
    obis: short,
    register: undefined,
    values: empty(),
    min: empty(),
    max: empty(),
    reduced: false,
    own: false,
  };
  const sources = sourcesOf(parts, short);
  const end = start + span * count;
  // From the wanted period to coarser ones, each for what is still empty before the first value of the finer.
  let until = end;
  for (let level = firstLevel; level < LEVELS.length && until > start; level++) {
    const period = LEVELS[level] as number;
    const families = sources.map((source) => ({ source, ...family(parts, source, period) }));
    const ids = families
      .flatMap((f) => [f.source.id, f.mean?.id, f.min?.id, f.max?.id])
      .filter((id) => id !== undefined);
    // Coarse sources (hourly registers) answer at every level; fine ones only at their own, and from hot messages.
    const found = await readValues(parts, client, meter, [...new Set(ids)], start, until, period > 0);
    const pick = families
      .map((f) => ({
        ...f,
        n: (found.get(f.source.id)?.times.length ?? 0) + (f.mean ? (found.get(f.mean.id)?.times.length ?? 0) : 0),
      }))
      .reduce<((typeof families)[number] & { n: number }) | undefined>((a, b) => (a && a.n >= b.n ? a : b), undefined);
    if (!pick) break;
    if (pick.n > 0 || !curve.register) curve.register = pick.source;
    const sent = found.get(pick.source.id);
    const means = pick.mean && found.get(pick.mean.id);
    // What is not compacted yet is brought to the same period first, so that it weighs the same.
    const fresh = sent && period > 0 && !isCumulative(curve.register) ? reduce(sent, period * 1000) : sent;
    const all = join(means, fresh);
    let firstTime = until;
    if (all && level === firstLevel) curve.own = true;
    if (all) firstTime = fill(curve, all, period * 1000, start, span, until);
    if (sent && fresh !== sent) extremes(curve, sent, sent, start, span);
    const low = pick.min && found.get(pick.min.id);
    const high = pick.max && found.get(pick.max.id);
    if (low && high) extremes(curve, low, high, start, span);
    until = Math.min(until, Math.floor((firstTime - start) / span) * span + start);
  }
  return curve;
}

/** Means of periods, where there is something. */
function reduce(values: Values, period: number): Values {
  const start = Math.floor((values.times[0] as number) / period) * period;
  const count = Math.floor(((values.times.at(-1) as number) - start) / period) + 1;
  const r = resample(values.times, values.values, start, period, count);
  const full = Array.from({ length: count }, (_, i) => i).filter((i) => r.count[i]);
  return {
    times: Float64Array.from(full, (i) => start + i * period),
    values: Float64Array.from(full, (i) => r.mean[i] as number),
    worst: values.worst,
  };
}

function extremes(curve: Curve, low: Values, high: Values, start: number, span: number): void {
  if (isCumulative(curve.register)) return;
  const widen = (into: Float64Array, from: Values, keep: (a: number, b: number) => number): void => {
    from.times.forEach((t, i) => {
      const at = Math.floor((t - start) / span);
      if (at < 0 || at >= into.length) return;
      const value = from.values[i] as number;
      const before = into[at] as number;
      into[at] = Number.isNaN(before) ? value : keep(before, value);
    });
  };
  widen(curve.min, low, Math.min);
  widen(curve.max, high, Math.max);
  curve.reduced = true;
}

const family = (parts: ValueParts, source: Register, period: number) => ({
  mean:
    period === 0
      ? undefined
      : (parts.registers.derived(source.id, period, 'mean') ?? parts.registers.derived(source.id, period, 'value')),
  min: parts.registers.derived(source.id, period, 'min'),
  max: parts.registers.derived(source.id, period, 'max'),
});

/** Puts values into the points that have none yet. @returns time of the first value */
function fill(curve: Curve, values: Values, period: number, start: number, span: number, until: number): number {
  const { times } = values;
  const count = curve.values.length;
  if (isCumulative(curve.register)) {
    for (let i = times.length - 1; i >= 0; i--) {
      const at = Math.floor(((times[i] as number) - start) / span);
      if (at >= 0 && at < count) curve.values[at] = values.values[i] as number;
    }
  } else {
    const r = resample(times, values.values, start, span, count);
    for (let i = 0; i < count; i++) {
      if (!r.count[i] || !Number.isNaN(curve.values[i] as number)) continue;
      curve.values[i] = r.mean[i] as number;
      curve.min[i] = r.min[i] as number;
      curve.max[i] = r.max[i] as number;
      if ((r.count[i] as number) > 1) curve.reduced = true;
    }
    // A coarser period than the points: each value holds for all of its points.
    if (period > span)
      times.forEach((t, k) => {
        const last = Math.min(Math.ceil((Math.min(t + period, until) - start) / span), count);
        for (let i = Math.max(0, Math.floor((t - start) / span)); i < last; i++)
          if (Number.isNaN(curve.values[i] as number)) {
            curve.values[i] = values.values[k] as number;
            curve.min[i] = values.values[k] as number;
            curve.max[i] = values.values[k] as number;
          }
      });
  }
  return times[0] ?? Number.POSITIVE_INFINITY;
}
