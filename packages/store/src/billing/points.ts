/**
 * What a metering point took, whichever meters stood there (mdm.md §4; features M6, W5): stays of meters, transformer ratios by their
 * validity, and values of several meters joined on one grid.
 *
 * Decides:
 * - The interval in which meters were exchanged is the sum of what both counted in it; where one of them says nothing of it, the other's
 *   part stands as estimated, for nobody measured the whole.
 * - A ratio holds from the first interval that begins in its time. Mantissas stay whole numbers: the scaler gets finer as far as the
 *   ratio needs it, to six digits; what is finer than that is rounded.
 * - Of meters with different periods the finer grid holds; a longer interval is divided evenly and is calculated from then on.
 * - Where no meter stood, the value is missing.
 */
import type { Scope } from '@amiable/model';
import { Arrays } from '../intervals/arrays.ts';
import type { IntervalQuery, IntervalStore, MeterIntervals } from '../intervals/types.ts';
import type { Client, Database } from '../pg/database.ts';
import { iso, type Row, segments } from '../registry/parts.ts';
import { type Multiplier, type Rational, type Ratios, rational } from '../registry/ratios.ts';
import { isId } from '../registry/selection.ts';
import type { NodeId } from '../registry/types.ts';
import { billingSql } from '../sql/billing.ts';
import type { MeterId } from '../types.ts';
import { timeOf } from './rows.ts';
import type { PointIntervals, PointPart, PointsQuery } from './types.ts';

const CALCULATED = 1;
const ESTIMATED = 3;
const MISSING = 4;
const FINEST = 6;
const ONE: Rational = { numerator: 1n, denominator: 1n };
/** Points that are read together: their intervals of a month are in memory at once, and those of the next ones. */
const BATCH = 500;

export interface Stayed {
  readonly meter: MeterId;
  readonly from: number;
  readonly to: number;
}

/** A stay cut where the product of its ratios changes. */
export function partOf(stay: Stayed, multipliers: readonly Multiplier[]): PointPart {
  const own = multipliers.filter((m) => m.from < stay.to && (m.to === null || m.to > stay.from));
  if (own.length === 0) return { ...stay, ratios: [{ from: stay.from, to: stay.to, multiplier: ONE }] };
  const cuts = new Set([stay.from, stay.to]);
  for (const m of own) for (const at of [m.from, m.to]) if (at !== null && at > stay.from && at < stay.to) cuts.add(at);
  const times = [...cuts].sort((a, b) => a - b);
  const ratios = times.slice(1).map((to, k) => {
    const from = times[k] as number;
    let multiplier = ONE;
    for (const m of own)
      if (m.from <= from && (m.to === null || m.to > from))
        multiplier = rational(
          multiplier.numerator * m.multiplier.numerator,
          multiplier.denominator * m.multiplier.denominator,
        );
    return { from, to, multiplier };
  });
  return { ...stay, ratios };
}

/** Digits that a fraction needs to be exact, up to six. */
function digitsOf({ denominator }: Rational): number {
  for (let digits = 0, power = 1n; digits < FINEST; digits++, power *= 10n)
    if (power % denominator === 0n) return digits;
  return FINEST;
}

/** Joins what meters counted at one point into one series over [from, to). Intervals of meters out of their stays do not count. */
export function joinParts(
  point: NodeId,
  parts: readonly { readonly part: PointPart; readonly intervals: MeterIntervals | undefined }[],
  from: number,
  to: number,
): PointIntervals | undefined {
  const known = parts.filter((p) => p.intervals !== undefined) as {
    readonly part: PointPart;
    readonly intervals: MeterIntervals;
  }[];
  const first = known[0]?.intervals;
  if (!first) return undefined;
  let step = first.step;
  for (const { intervals } of known) step = Math.min(step, intervals.step);
  let start = from;
  // The grid of the values, not of who asks.
  if ((first.start - from) % step !== 0) start = first.start - Math.ceil((first.start - from) / step) * step;
  const n = Math.max(0, Math.ceil((to - start) / step));
  const only = known[0] as (typeof known)[number];
  if (
    parts.length === 1 &&
    only.part.from <= from &&
    only.part.to >= to &&
    first.start === start &&
    first.values.length === n &&
    only.part.ratios.length === 1 &&
    only.part.ratios[0]?.multiplier.numerator === 1n &&
    only.part.ratios[0].multiplier.denominator === 1n
  ) {
    const { scaler, values, quality, version, unit } = first;
    return { point, start, step, scaler, unit, values, quality, version, parts: [only.part] };
  }
  let scaler = Number.POSITIVE_INFINITY;
  for (const { part, intervals } of known) {
    let finer = intervals.step > step ? 2 : 0;
    for (const { multiplier } of part.ratios)
      finer = Math.max(finer, digitsOf(multiplier) + (intervals.step > step ? 2 : 0));
    scaler = Math.min(scaler, intervals.scaler - finer);
  }
  const values = new Float64Array(n).fill(Number.NaN);
  const quality = new Uint8Array(n).fill(MISSING);
  /** Quality of the part of a shared interval that came first. */
  const partial = new Map<number, number>();
  let version = 0;
  for (const { part, intervals } of known) {
    version = Math.max(version, intervals.version);
    const pieces = intervals.step / step;
    const base = 10 ** (intervals.scaler - scaler) / pieces;
    for (const ratio of part.ratios) {
      const factor = (base * Number(ratio.multiplier.numerator)) / Number(ratio.multiplier.denominator);
      for (let i = Math.max(0, Math.floor((ratio.from - start) / step)); i < n; i++) {
        const at = start + i * step;
        if (at >= ratio.to) break;
        // An interval belongs to the ratio that holds at its start; the first of a stay may begin before it.
        if (at < ratio.from && !(ratio.from === part.from && at + step > part.from)) continue;
        const k = Math.floor((at - intervals.start) / intervals.step);
        const value = intervals.values[k];
        const whole = at >= part.from && at + step <= part.to;
        if (value === undefined || Number.isNaN(value)) {
          // Of a shared interval one part is known at most: the sum is not the whole.
          if (!whole && !Number.isNaN(values[i] as number)) quality[i] = Math.max(quality[i] as number, ESTIMATED);
          continue;
        }
        let q = intervals.quality[k] as number;
        if (pieces > 1) q = Math.max(q, CALCULATED);
        const scaled = Math.round(value * factor);
        if (Number.isNaN(values[i] as number)) {
          values[i] = scaled;
          // Alone in an interval that it did not stand through, unless the other's part comes yet.
          quality[i] = whole ? q : Math.max(q, ESTIMATED);
          if (!whole) partial.set(i, q);
        } else {
          values[i] = (values[i] as number) + scaled;
          const other = partial.get(i);
          quality[i] = other === undefined ? Math.max(quality[i] as number, q) : Math.max(other, q);
          partial.delete(i);
        }
      }
    }
  }
  return {
    point,
    start,
    step,
    scaler,
    unit: first.unit,
    values,
    quality,
    version,
    parts: parts.map(({ part }) => part),
  };
}

export interface Points {
  readPoint(point: NodeId, query: IntervalQuery, scope?: Scope): Promise<PointIntervals | undefined>;
  readPoints(
    points: readonly NodeId[],
    query: PointsQuery,
    take: (intervals: PointIntervals) => void | Promise<void>,
  ): Promise<void>;
  parts(points: readonly NodeId[], from: number, to: number, asOf?: number): Promise<Map<NodeId, PointPart[]>>;
}

export function createPoints(
  db: Database,
  ratios: Pick<Ratios, 'multipliersOfMeters'>,
  intervals: Pick<IntervalStore, 'read'>,
): Points {
  async function parts(
    points: readonly NodeId[],
    from: number,
    to: number,
    asOf?: number,
  ): Promise<Map<NodeId, PointPart[]>> {
    const stays = (
      await db.read((client: Client) =>
        client.query(billingSql.staysOfPoints, [points, iso(from), iso(to), asOf === undefined ? null : iso(asOf)]),
      )
    ).rows as Row[];
    const meters = [...new Set(stays.map((row) => row.meter as string))];
    const multipliers = new Map<MeterId, Multiplier[]>();
    if (meters.length > 0)
      for (const m of await ratios.multipliersOfMeters(meters, from, to)) {
        const list = multipliers.get(m.meter);
        if (list) list.push(m);
        else multipliers.set(m.meter, [m]);
      }
    const found = new Map<NodeId, PointPart[]>();
    for (const row of stays) {
      const point = row.point as string;
      const meter = row.meter as string;
      const stay = {
        meter,
        from: Math.max(from, timeOf(row.from_time)),
        to: row.to_time === null ? to : Math.min(to, timeOf(row.to_time)),
      };
      const part = partOf(stay, multipliers.get(meter) ?? []);
      const list = found.get(point);
      if (list) list.push(part);
      else found.set(point, [part]);
    }
    return found;
  }

  /** What stood at some points, and what it counted. */
  async function load(batch: readonly NodeId[], query: IntervalQuery) {
    const stood = await parts(batch, query.from, query.to, query.asOf);
    const meters = new Set<MeterId>();
    for (const list of stood.values()) for (const part of list) meters.add(part.meter);
    const read = new Map<MeterId, MeterIntervals>();
    if (meters.size > 0)
      await intervals.read([...meters], query, (one) => {
        read.set(one.meter, one);
      });
    return { batch, stood, read };
  }

  async function readPoints(
    points: readonly NodeId[],
    query: PointsQuery,
    take: (intervals: PointIntervals) => void | Promise<void>,
  ): Promise<void> {
    const sorted = [...points].sort((a, b) => a.length - b.length || (a < b ? -1 : a > b ? 1 : 0));
    const arrays = query.reuse ? new Arrays() : undefined;
    const asked = arrays ? { ...query, arrays } : query;
    let next = sorted.length > 0 ? load(sorted.slice(0, BATCH), asked) : undefined;
    for (let at = 0; next; at += BATCH) {
      const { batch, stood, read } = await next;
      // While these are taken the next ones are on their way.
      next = at + BATCH < sorted.length ? load(sorted.slice(at + BATCH, at + 2 * BATCH), asked) : undefined;
      next?.catch(() => {});
      for (const point of batch) {
        const own = stood.get(point);
        const joined =
          own &&
          joinParts(
            point,
            own.map((part) => ({ part, intervals: read.get(part.meter) })),
            query.from,
            query.to,
          );
        if (!joined) continue;
        const taken = take(joined);
        if (taken) await taken;
      }
      if (arrays) for (const { values, quality } of read.values()) arrays.give(values, quality);
    }
  }

  return {
    parts,
    readPoints,
    async readPoint(point, query, scope = 'all') {
      if (!isId(point)) return undefined;
      const there = await db.read((client) => client.query(billingSql.pointInScope, [point, segments(scope)]));
      if (there.rows.length === 0) return undefined;
      let found: PointIntervals | undefined;
      await readPoints([point], query, (one) => {
        found = one;
      });
      return found;
    },
  };
}
