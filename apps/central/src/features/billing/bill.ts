/**
 * One bill as it is written: what a contract came to, or why it is held back.
 *
 * Decides: the export gate (mdm.md §3): what is missing, estimated or edited beyond a percentage of the intervals blocks the metering point,
 * until the values are better or a person lets it through; and what a bill keeps so that each line and value can be explained later.
 */
import type { Rated } from '@amiable/compute';
import type { Contract, MeterId, NewBill, Release, WholeBill } from '@amiable/store';
import { type KeptRated, packRated, unpackRated } from './derivation.ts';
import { mantissaOf, type Outcome, type SeenMetering } from './rating.ts';

export function emptyBill(
  contract: Contract,
  { from, to }: { readonly from: number; readonly to: number },
  meter: MeterId,
  now: number,
): NewBill {
  return {
    meter,
    contract: contract.id,
    meteringPoint: contract.meteringPoint,
    kind: 'bill',
    state: 'failed',
    product: contract.product,
    tariffId: contract.tariffId,
    tariffVersion: null,
    from,
    to,
    currency: null,
    scaler: -2,
    amount: null,
    total: null,
    counts: [0, 0, 0, 0, 0],
    valueVersion: 0,
    seenAt: now,
    previousRun: null,
    days: null,
    detail: null,
    reason: null,
  };
}

/** Missing, estimated and edited in a hundred; 0 where nothing was expected. */
export function doubtful(counts: ArrayLike<number>): number {
  let all = 0;
  for (let q = 0; q < 5; q++) all += counts[q] ?? 0;
  return all === 0 ? 0 : (((counts[2] ?? 0) + (counts[3] ?? 0) + (counts[4] ?? 0)) * 100) / all;
}

/** What the gate says of a point's values. @returns why it is held back; undefined: it may pass */
export function gateOf(counts: ArrayLike<number>, percent: number): string | undefined {
  const share = doubtful(counts);
  if (share <= percent) return undefined;
  const [measured = 0, calculated = 0, edited = 0, estimated = 0, missing = 0] = Array.from(counts);
  const all = measured + calculated + edited + estimated + missing;
  return `${share.toFixed(1)} % of ${all} intervals are not measured (${missing} missing, ${estimated} estimated, ${edited} edited), more than ${percent} %; correct them, or release the metering point with a reason`;
}

export interface Released {
  readonly release: string;
  readonly by: string;
  readonly reason: string;
}

export function billOf(outcome: Outcome, percent: number, releases: readonly Release[], now: number): NewBill {
  const { job, rated, parts, counts } = outcome;
  const { contract, span } = job;
  const empty = emptyBill(contract, span, parts.at(-1)?.meter ?? '0', now);
  if (!rated) return { ...empty, counts, reason: outcome.reason };
  const held = gateOf(counts, percent);
  const release =
    held === undefined
      ? undefined
      : releases.find((r) => r.meteringPoint === contract.meteringPoint && r.from <= span.from && r.to >= span.to);
  if (held !== undefined && !release) return { ...empty, state: 'blocked', counts, reason: held };
  const total = mantissaOf(rated.total, rated.decimals);
  return {
    ...empty,
    state: 'billed',
    tariffVersion: Number(rated.versions.at(-1)?.version ?? 0),
    currency: rated.currency,
    scaler: -rated.decimals,
    amount: total,
    total,
    counts,
    valueVersion: outcome.version,
    days: outcome.days,
    detail: detailOf(outcome, release && { release: release.id, by: release.by, reason: release.reason }),
  };
}

/** What a bill keeps beside its amounts: enough to say of each line why, and of each value which. */
export function detailOf({ rated, parts, seen, job }: Outcome, released?: Released, more: object = {}): string {
  return JSON.stringify({
    ...(rated ? { rated: packRated(rated) } : {}),
    parameters: job.contract.parameters,
    since: job.contract.from,
    parts: parts.map(partJson),
    seen,
    ...(released ? { released } : {}),
    ...more,
  });
}

export const partJson = ({ meter, from, to, ratios }: Outcome['parts'][number]) => ({
  meter,
  from,
  to,
  ratios: ratios.map((r) => ({
    from: r.from,
    to: r.to,
    numerator: String(r.multiplier.numerator),
    denominator: String(r.multiplier.denominator),
  })),
});

/** What `detailOf` wrote. */
export interface Kept {
  readonly rated: Rated;
  readonly parameters: Contract['parameters'];
  readonly since: number;
  readonly parts: readonly ReturnType<typeof partJson>[];
  readonly seen: readonly SeenMetering[];
  readonly released?: Released;
  /** Of a difference: its lines that changed. */
  readonly differences?: readonly LineDifference[];
}
/** Undefined for what was not billed. */
export function keptOf(bill: WholeBill): Kept | undefined {
  const detail = (bill.detail ?? undefined) as (Omit<Kept, 'rated'> & { readonly rated?: KeptRated }) | undefined;
  return detail && ({ ...detail, ...(detail.rated ? { rated: unpackRated(detail.rated) } : {}) } as Kept);
}

export interface LineDifference {
  readonly component: string;
  readonly title: string;
  readonly rate: string | null;
  readonly was: string;
  readonly is: string;
  readonly difference: string;
}
