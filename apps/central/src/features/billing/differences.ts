/**
 * What was billed and has changed since: bills of kind difference (mdm.md §3, §4).
 *
 * Decides: a bill is compared by what it saw of each day, so a change is found whatever made it (a late reading, an edit, another transformer
 * ratio, a corrected stay of a meter); the period is rated anew as a whole, by the contract, tariff and prices that the bill saw unless the present ones
 * are asked for, and the difference to what was billed up to now is to the cent. The days that changed are named, with who changed
 * them. Leaves out: amounts that come out the same: no bill.
 */
import { add } from '@amiable/calendar';
import type { Line } from '@amiable/compute';
import { decimal } from '@amiable/model';
import type { Contract, MeterId, NewBill, PointPart, Store, WholeBill } from '@amiable/store';
import { detailOf, emptyBill, gateOf, type Kept, keptOf, type LineDifference, partJson } from './bill.ts';
import { changedDays } from './days.ts';
import { localDay } from './periods.ts';
import { type Job, mantissaOf, type Outcome, type Rating, versionsOf } from './rating.ts';

import type { RunParameters } from './shapes.ts';

/** Changes that are committed late are told of a little later. */
const LAG = 600_000;
const NAMED_DAYS = 400;
/** Days whose history of values is looked through for who and why. */
const EXPLAINED = 5;

/** Only billed ones come here. */
const kept = (bill: WholeBill): Kept => keptOf(bill) as Kept;

/** The last bill of each product and period. */
function lastOf(bills: readonly WholeBill[]): WholeBill[] {
  const last = new Map<string, WholeBill>();
  // They come with the oldest run first.
  for (const bill of bills) last.set(`${bill.meteringPoint} ${bill.product} ${bill.from} ${bill.to}`, bill);
  return [...last.values()];
}

export async function differencesOf(
  store: Store,
  rating: Rating,
  points: readonly string[],
  span: { readonly from: number; readonly to: number },
  parameters: RunParameters,
  now: number,
): Promise<NewBill[]> {
  const half = 43_200_000;
  const bills = lastOf(await store.billing.bills.billed(points, span.from + half, span.to - half)).filter(
    (bill) => parameters.product === undefined || bill.product === parameters.product,
  );
  if (bills.length === 0) return [];
  const touched = parameters.prices === 'current' ? new Set(bills) : await touchedOf(store, bills);
  const out: NewBill[] = [];
  const groups = new Map<number, { bill: WholeBill; job: Job }[]>();
  const versions = new Map<string, ReturnType<typeof versionsOf>>();
  const contracts = new Map(
    (
      await store.billing.contracts.byIds(
        [...touched].map((bill) => bill.contract),
        'all',
      )
    ).map((c) => [c.id, c]),
  );
  for (const bill of touched) {
    const contract = contracts.get(bill.contract);
    if (!contract) continue;
    const pair = { bill, job: await jobOf(store, rating, bill, contract, parameters, versions) };
    const at = parameters.prices === 'current' ? 0 : bill.seenAt;
    const group = groups.get(at);
    if (group) group.push(pair);
    else groups.set(at, [pair]);
  }
  for (const [at, pairs] of groups) {
    const outcomes = await rating.rate(
      pairs.map(({ job }) => job),
      at === 0 ? undefined : at,
    );
    for (const [i, { bill }] of pairs.entries()) {
      const made = await differenceOf(store, bill, outcomes[i] as Outcome, parameters.gate.percent, now);
      if (made) out.push(made);
    }
  }
  return out;
}

/** Bills whose values, meters or ratios are others than they were; found by the log of changes, not by reading all again. */
async function touchedOf(store: Store, bills: readonly WholeBill[]): Promise<Set<WholeBill>> {
  const from = Math.min(...bills.flatMap((bill) => [bill.from, ...(kept(bill).seen ?? []).map((s) => s.start)]));
  const to = Math.max(...bills.map((bill) => bill.to));
  const since = Math.min(...bills.map((bill) => bill.seenAt));
  const meters = new Set<MeterId>();
  for (const bill of bills) for (const part of kept(bill).parts) meters.add(part.meter);
  const parts = new Map<string, Map<string, readonly PointPart[]>>();
  const partsFor = async (bill: WholeBill): Promise<readonly PointPart[]> => {
    const seen = kept(bill).seen[0]?.start ?? bill.from;
    const key = `${seen} ${bill.to}`;
    let found = parts.get(key);
    if (!found) {
      found = await store.billing.parts(
        bills.filter((b) => b.to === bill.to).map((b) => b.meteringPoint),
        seen,
        bill.to,
      );
      parts.set(key, found);
    }
    return found.get(bill.meteringPoint) ?? [];
  };
  const latest = new Map<MeterId, number>();
  for (const one of await store.intervals.changedSince({ since: since - LAG, from, to, meters: [...meters] }))
    latest.set(one.meter, Math.max(latest.get(one.meter) ?? 0, one.latest));
  const touched = new Set<WholeBill>();
  for (const bill of bills) {
    const before = kept(bill);
    const changed = before.parts.some(
      (part) => (latest.get(part.meter) ?? Number.NEGATIVE_INFINITY) >= bill.seenAt - LAG,
    );
    if (changed || JSON.stringify((await partsFor(bill)).map(partJson)) !== JSON.stringify(before.parts))
      touched.add(bill);
  }
  return touched;
}

async function jobOf(
  store: Store,
  rating: Rating,
  bill: WholeBill,
  contract: Contract,
  parameters: RunParameters,
  versions: Map<string, ReturnType<typeof versionsOf>>,
): Promise<Job> {
  const span = { from: bill.from, to: bill.to };
  if (parameters.prices === 'current') {
    const [holds] = await store.billing.contracts.list({
      meteringPoint: bill.meteringPoint,
      product: bill.product,
      from: bill.from,
      to: bill.to,
      limit: 1,
      scope: 'all',
    });
    const present = holds ?? contract;
    return { contract: { ...present, id: contract.id }, plan: await rating.planOf(present), span };
  }
  const before = kept(bill);
  const numbers = before.rated.versions.map(({ version }) => Number(version));
  const key = `${bill.tariff} ${numbers.join(' ')}`;
  let seen = versions.get(key);
  if (!seen) {
    seen = versionsOf((await store.billing.tariffs.versions(bill.tariff)).filter((v) => numbers.includes(v.version)));
    versions.set(key, seen);
  }
  return rating.job({ ...contract, parameters: before.parameters, from: before.since }, seen, span);
}

async function differenceOf(
  store: Store,
  bill: WholeBill,
  outcome: Outcome,
  percent: number,
  now: number,
): Promise<NewBill | undefined> {
  const { rated, counts, job } = outcome;
  const before = kept(bill);
  const base: NewBill = {
    ...emptyBill(job.contract, { from: bill.from, to: bill.to }, bill.meter, now),
    kind: 'difference',
    product: bill.product,
    previousRun: bill.run,
    counts,
  };
  if (!rated) return { ...base, reason: outcome.reason };
  const total = mantissaOf(rated.total, rated.decimals);
  if (rated.currency !== bill.currency || -rated.decimals !== bill.scaler)
    return {
      ...base,
      reason: `it was billed in ${bill.currency} with ${-bill.scaler} decimals and comes to ${rated.currency} with ${rated.decimals} now; a difference has one currency`,
    };
  const changes = changesOf(bill, outcome);
  const amount = total - (bill.total ?? 0n);
  if (amount === 0n) return undefined;
  const held = gateOf(counts, percent);
  if (held !== undefined && !(await isReleased(store, bill))) return { ...base, state: 'blocked', reason: held };
  const metersChanged = JSON.stringify(outcome.parts.map(partJson)) !== JSON.stringify(before.parts);
  const because = await becauseOf(store, bill, outcome, changes);
  return {
    ...base,
    state: 'billed',
    tariffId: job.contract.tariffId,
    tariffVersion: Number(rated.versions.at(-1)?.version ?? 0),
    currency: rated.currency,
    scaler: -rated.decimals,
    amount,
    total,
    valueVersion: outcome.version,
    days: outcome.days,
    reason: reasonOf(changes, metersChanged),
    detail: detailOf(outcome, undefined, {
      corrects: bill.id,
      billed: decimal(bill.total ?? 0n, bill.scaler),
      changes,
      metersChanged,
      because,
      differences: lineDifferences(before.rated.lines, rated.lines, rated.decimals),
    }),
  };
}

async function isReleased(store: Store, bill: WholeBill): Promise<boolean> {
  const releases = await store.billing.releases.of([bill.meteringPoint], bill.from, bill.to);
  return releases.some((r) => r.from <= bill.from && r.to >= bill.to);
}

export interface Change {
  readonly quantity: string;
  /** Local day. */
  readonly day: string;
  readonly was: string;
  readonly is: string;
  readonly unit: string | null;
}

/** Days of which the bill saw something else. */
function changesOf(bill: WholeBill, { days, seen, job }: Outcome): Change[] {
  const { seen: before } = kept(bill);
  if (!bill.days || !days) return [];
  const { zone } = job.plan;
  const changes: Change[] = [];
  let offset = 0;
  for (const [i, now] of seen.entries()) {
    const was = before[i];
    if (!was || was.quantity !== now.quantity || was.start !== now.start || was.days !== now.days) break;
    for (const { day, was: a, is: b } of changedDays(bill.days, days, offset, now.days, was.scaler - now.scaler)) {
      if (changes.length === NAMED_DAYS) break;
      const at = add('day', zone, now.start, day);
      const { quantity, unit } = now;
      changes.push({
        quantity,
        day: localDay(zone, at),
        was: decimal(a, was.scaler),
        is: decimal(b, now.scaler),
        unit,
      });
    }
    offset += now.days;
  }
  return changes;
}

function reasonOf(changes: readonly Change[], metersChanged: boolean): string {
  const days = [...new Set(changes.map((c) => c.day))].sort();
  const parts = [
    ...(metersChanged ? ['another meter or transformer ratio holds for a part of the time'] : []),
    ...(days.length > 0
      ? [
          `values of ${days.length === 1 ? days[0] : `${days.length} days (${days[0]} to ${days.at(-1)})`} changed: ${[
            ...new Set(changes.map((c) => c.quantity)),
          ].join(', ')}`,
        ]
      : []),
  ];
  return parts.length > 0 ? parts.join('; ') : 'contract, tariff or prices are others now';
}

interface Because {
  readonly source: string;
  readonly user: string | null;
  readonly reason: string | null;
  readonly values: number;
}

/** Who or what changed the values after the bill saw them, of the first days. */
async function becauseOf(
  store: Store,
  bill: WholeBill,
  { parts, job }: Outcome,
  changes: readonly Change[],
): Promise<Because[]> {
  const found = new Map<string, Because>();
  const { zone } = job.plan;
  for (const { quantity, day } of changes.slice(0, EXPLAINED)) {
    const noon = Date.parse(`${day}T12:00:00Z`);
    const from = add('day', zone, noon, 0);
    const to = add('day', zone, noon, 1);
    for (const { meter } of parts.filter((part) => part.from < to && part.to > from))
      for (const state of await store.intervals.states(meter, { quantity, from, to }, 500)) {
        if (state.kept || (state.at ?? 0) <= bill.seenAt) continue;
        const key = JSON.stringify([state.source, state.user, state.reason]);
        const { source, user, reason } = state;
        found.set(key, { source, user, reason, values: (found.get(key)?.values ?? 0) + 1 });
      }
  }
  return [...found.values()];
}

const keyOf = (line: Line): string =>
  JSON.stringify([line.component, line.version, line.rate, line.step, line.from, line.to]);

/** Lines whose amounts are others. */
export function lineDifferences(was: readonly Line[], is: readonly Line[], decimals: number): LineDifference[] {
  const before = new Map(was.map((line) => [keyOf(line), line]));
  const after = new Map(is.map((line) => [keyOf(line), line]));
  const out: LineDifference[] = [];
  for (const key of new Set([...before.keys(), ...after.keys()])) {
    const [a, b] = [before.get(key), after.get(key)];
    const { component, title, rate } = (b ?? a) as Line;
    const digits = Math.max(decimals, digitsOf(a?.amount), digitsOf(b?.amount));
    const [x, y] = [mantissaOf(a?.amount ?? '0', digits), mantissaOf(b?.amount ?? '0', digits)];
    if (x === y) continue;
    out.push({
      component,
      title,
      rate,
      was: decimal(x, -digits),
      is: decimal(y, -digits),
      difference: decimal(y - x, -digits),
    });
  }
  return out;
}

const digitsOf = (text = ''): number => (text.includes('.') ? text.length - text.indexOf('.') - 1 : 0);
