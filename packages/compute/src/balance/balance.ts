/**
 * The balance of an area of the grid: loss = supplied at the transformer − Σ consumption + Σ production, interval by interval.
 *
 * Decides: an interval counts only when every meter of the area has a value for it; those that have none are named, with when. A
 * meter counts for as long as it belongs to the area, and times the ratio of its measuring transformers. What a supply meter counts the
 * other way (fed back) is taken off. Leaves out: which meters those are (the store), what a loss means (persistent.ts).
 */
import { MisuseError } from '@amiable/bytes';
import { type Intervals, QUALITY } from '../series.ts';

export const ROLES = ['supplied', 'fedBack', 'consumed', 'produced'] as const;
export type BalanceRole = (typeof ROLES)[number];

/** From when to when a meter belongs to the area, and by what its values are multiplied then. */
export interface MemberSpan {
  readonly from: number;
  readonly to: number;
  readonly numerator: number;
  readonly denominator: number;
}
export interface BalanceMember {
  /** Names it in what is told. */
  readonly id: string;
  readonly role: BalanceRole;
  readonly spans: readonly MemberSpan[];
  /** On the grid of the balance or a finer one that it is a multiple of; undefined: it has no values at all. */
  readonly intervals: Intervals | undefined;
}

export interface MissingMeter {
  readonly id: string;
  readonly role: BalanceRole;
  readonly count: number;
  /** Stretches in which it has no value. */
  readonly spans: readonly { readonly from: number; readonly to: number }[];
}

export interface Balance {
  readonly start: number;
  readonly step: number;
  readonly scaler: number;
  /** Sums of those that have values; an interval that is not complete is NaN in `loss` alone. */
  readonly supplied: Float64Array;
  readonly consumed: Float64Array;
  readonly produced: Float64Array;
  readonly loss: Float64Array;
  /** Worst quality of the interval. */
  readonly quality: Uint8Array;
  /** 1 where all have a value. */
  readonly complete: Uint8Array;
  readonly missing: readonly MissingMeter[];
  /** Values that went in, by quality (measured, calculated, edited, estimated, missing). */
  readonly shares: readonly number[];
}

export interface BalanceGrid {
  readonly start: number;
  readonly step: number;
  readonly n: number;
}

/** Digits that a ratio of transformers may need below the finest meter's. */
const RATIO_DIGITS = 3;

/** @throws MisuseError for values that do not fit on the grid or are too large to be summed exactly */
export function balanceOf(members: readonly BalanceMember[], { start, step, n }: BalanceGrid): Balance {
  let scaler = 0;
  let ratios = false;
  for (const { intervals, spans } of members) {
    if (intervals) scaler = Math.min(scaler, intervals.scaler);
    if (spans.some((s) => s.numerator % s.denominator !== 0)) ratios = true;
  }
  if (ratios) scaler -= RATIO_DIGITS;
  const supplied = new Float64Array(n);
  const consumed = new Float64Array(n);
  const produced = new Float64Array(n);
  const quality = new Uint8Array(n);
  const complete = new Uint8Array(n).fill(1);
  const shares = [0, 0, 0, 0, 0];
  const missing: MissingMeter[] = [];
  for (const member of members) {
    const into = member.role === 'consumed' ? consumed : member.role === 'produced' ? produced : supplied;
    const sign = member.role === 'fedBack' ? -1 : 1;
    const lacking: { from: number; to: number }[] = [];
    let count = 0;
    const read = reader(member, { start, step, n }, scaler);
    for (let i = 0; i < n; i++) {
      const at = start + i * step;
      const share = read(i);
      if (share === undefined) continue;
      const { value, q } = share;
      shares[q] = (shares[q] as number) + 1;
      if (q > (quality[i] as number)) quality[i] = q;
      if (Number.isNaN(value)) {
        complete[i] = 0;
        count++;
        const last = lacking.at(-1);
        if (last?.to === at) last.to = at + step;
        else lacking.push({ from: at, to: at + step });
        continue;
      }
      into[i] = (into[i] as number) + sign * value;
    }
    if (count > 0) missing.push({ id: member.id, role: member.role, count, spans: lacking });
  }
  const loss = new Float64Array(n);
  const known = members.some((m) => m.role === 'supplied');
  for (let i = 0; i < n; i++) {
    const sum = (supplied[i] as number) - (consumed[i] as number) + (produced[i] as number);
    if (!Number.isSafeInteger(sum))
      throw new MisuseError('the energies of the area are too large to be summed exactly');
    if (!known) complete[i] = 0;
    loss[i] = complete[i] && known ? sum : Number.NaN;
  }
  missing.sort((a, b) => b.count - a.count || (a.id < b.id ? -1 : 1));
  return { start, step, scaler, supplied, consumed, produced, loss, quality, complete, missing, shares };
}

const NOTHING = { value: Number.NaN, q: QUALITY.missing } as const;

/** Gives a member's share of interval i: undefined where it does not belong to the area then. */
function reader(
  { id, spans, intervals }: BalanceMember,
  grid: BalanceGrid,
  scaler: number,
): (i: number) => { readonly value: number; readonly q: number } | undefined {
  const parts = intervals ? grid.step / intervals.step : 1;
  const shift = intervals ? (grid.start - intervals.start) / intervals.step : 0;
  if (!Number.isInteger(parts) || !Number.isInteger(shift))
    throw new MisuseError(
      `meter ${id} has intervals of ${(intervals as Intervals).step / 60_000} min, which do not make up ${grid.step / 60_000} min; give the area a longer period (in seconds: ${Math.max(grid.step, (intervals as Intervals).step) / 1000})`,
    );
  const scale = intervals ? 10 ** (intervals.scaler - scaler) : 1;
  return (i) => {
    const from = grid.start + i * grid.step;
    const to = from + grid.step;
    let sum = 0;
    let q = 0;
    let belongs = false;
    for (const span of spans) {
      if (span.to <= from || span.from >= to) continue;
      // Of an interval in which it came or went, what it counted is its part of it; nobody expects more.
      const whole = span.from <= from && span.to >= to;
      if (!intervals) {
        if (whole) return NOTHING;
        continue;
      }
      for (let p = 0; p < parts; p++) {
        const at = from + p * intervals.step;
        if (span.to <= at || span.from >= at + intervals.step) continue;
        const k = shift + i * parts + p;
        const value = intervals.values[k];
        if (value === undefined || Number.isNaN(value)) {
          if (span.from <= at && span.to >= at + intervals.step) return NOTHING;
          continue;
        }
        belongs = true;
        sum += Math.round((value * scale * span.numerator) / span.denominator);
        q = Math.max(q, intervals.quality[k] as number, whole ? 0 : QUALITY.estimated);
      }
    }
    return belongs ? { value: sum, q } : undefined;
  };
}

/** Sums over the complete intervals of a stretch. */
export interface BalanceTotals {
  readonly from: number;
  readonly to: number;
  readonly intervals: number;
  readonly complete: number;
  readonly supplied: number;
  readonly consumed: number;
  readonly produced: number;
  readonly loss: number;
  /** Of what came into the area, 0 to 1; undefined where nothing did. */
  readonly share: number | undefined;
}

export function totalsOf(balance: Balance, from: number, to: number): BalanceTotals {
  const a = Math.max(0, Math.ceil((from - balance.start) / balance.step));
  const b = Math.min(balance.loss.length, Math.ceil((to - balance.start) / balance.step));
  let [supplied, consumed, produced, complete] = [0, 0, 0, 0];
  for (let i = a; i < b; i++) {
    if (!balance.complete[i]) continue;
    complete++;
    supplied += balance.supplied[i] as number;
    consumed += balance.consumed[i] as number;
    produced += balance.produced[i] as number;
  }
  const loss = supplied - consumed + produced;
  const inflow = Math.max(supplied, 0) + produced;
  return {
    from,
    to,
    intervals: Math.max(b - a, 0),
    complete,
    supplied,
    consumed,
    produced,
    loss,
    share: inflow > 0 ? loss / inflow : undefined,
  };
}
