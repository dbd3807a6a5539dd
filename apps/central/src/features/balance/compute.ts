/**
 * Computes the balance of an area day by day and says what stays lost (mdm.md §5).
 *
 * Decides: under a node every meter with a metering point consumes (energyImport) and, where it counts that too, produces
 * (energyExport), but those that supply; a meter that only ever measured something else (gas, water) is no part of it. Days that stand are
 * computed again where values changed, lacked, or the definition did. Leaves out: the arithmetic (compute).
 */
import { MisuseError } from '@amiable/bytes';
import { add, localToUtc, startOf, toLocal } from '@amiable/calendar';
import {
  type BalanceMember,
  type BalanceRole,
  balanceOf,
  type Intervals,
  LOSS_LIMITS,
  type LossDay,
  lossFindings,
  totalsOf,
} from '@amiable/compute';
import type { Scope } from '@amiable/model';
import type { BalanceDay, Belonging, MeterId, Store, StoredArea } from '@amiable/store';
import { both, covers } from '../../scheduler/rights.ts';
import { membersOf } from '../formulas/members.ts';

const DAY = 86_400_000;
/** Local days that are read together. */
const CHUNK = 7;
/** A meter counts a direction when it had a value of it so near. */
const NEAR = 3 * DAY;
const BATCH = 1000;
const NAMED = 200;
/** Days that may be computed again by themselves. */
const BACK = 92;
const MOST_DAYS = 4000;
/** Meters without values that are asked what they measure at all. */
const ASKED = 500;

export interface ComputeOptions {
  readonly store: Store;
  readonly now: () => number;
  readonly timeZone: string;
  readonly scope: Scope;
  /** Left out: what is not yet, lacked or changed, of the last `days`. */
  readonly from?: number;
  readonly to?: number;
  readonly days?: number;
  readonly signal?: AbortSignal;
}
export interface ComputeReport {
  readonly area: string;
  readonly days: number;
  readonly intervals: number;
  readonly complete: number;
  readonly opened: number;
  readonly closed: number;
}

interface Party {
  readonly role: BalanceRole;
  readonly quantity: string;
  readonly members: readonly Belonging[];
  /** Whether a meter without such values belongs and lacks them. */
  readonly expected: boolean;
}

export const zoneOfArea = (area: StoredArea, timeZone: string): string => area.definition.timeZone ?? timeZone;
const dayName = (zone: string, at: number): string => new Date(toLocal(zone, at)).toISOString().slice(0, 10);
const dayAt = (zone: string, day: string): number => startOf('day', zone, localToUtc(zone, Date.parse(day)));

export async function computeArea(asking: ComputeOptions, area: StoredArea): Promise<ComputeReport> {
  if (!covers(asking.scope, area.reads))
    throw new MisuseError(`${area.name} reads segments that you do not see; who sees them has it computed`);
  // It reads what who wrote it sees and no more: its sums are for whoever sees the area.
  const options = { ...asking, scope: both(area.reads, asking.scope) };
  const { store, now, timeZone, days = 14 } = options;
  const zone = zoneOfArea(area, timeZone);
  const asked = now();
  const today = startOf('day', zone, asked);
  let wanted: number[];
  if (options.from === undefined) wanted = await stale(options, area, zone, today, days);
  else {
    const from = startOf('day', zone, options.from);
    const to = Math.min(options.to ?? today, today);
    if (to - from > MOST_DAYS * DAY) throw new MisuseError(`at most ${MOST_DAYS} days at once`);
    wanted = [];
    for (let at = from; at < to; at = add('day', zone, at, 1)) wanted.push(at);
  }
  let intervals = 0;
  let complete = 0;
  for (let k = 0; k < wanted.length; ) {
    if (options.signal?.aborted) throw new MisuseError('called off; what was computed so far is kept');
    const first = wanted[k] as number;
    const chunk = [first];
    while (chunk.length < CHUNK && wanted[k + chunk.length] === add('day', zone, chunk.at(-1) as number, 1))
      chunk.push(wanted[k + chunk.length] as number);
    k += chunk.length;
    const made = await computeDays(options, area, zone, chunk, asked);
    for (const day of made) {
      intervals += day.intervals;
      complete += day.complete;
    }
    await store.balance.putDays(area.id, made);
  }
  const { opened, closed } = await alarmsOf(store, area, zone, today, asked);
  return { area: area.name, days: wanted.length, intervals, complete, opened, closed };
}

/** Days that are not there, lacked something or were computed with other values or another definition. */
async function stale(
  { store, scope }: ComputeOptions,
  area: StoredArea,
  zone: string,
  today: number,
  days: number,
): Promise<number[]> {
  const first = add('day', zone, today, -BACK);
  const there = new Map(
    (await store.balance.days(area.id, dayName(zone, first), dayName(zone, today))).map((d) => [d.day, d]),
  );
  const recent = add('day', zone, today, -days);
  const changed = new Map<string, number>();
  if (there.size > 0) {
    const since = Math.min(...[...there.values()].map((d) => d.computedAt));
    const parties = await partiesOf(store, area, first, today, scope);
    const meters = [...new Set(parties.flatMap((p) => p.members.map((m) => m.meter)))];
    const quantities = [...new Set(parties.map((p) => p.quantity))];
    if (meters.length > 0)
      for (const { days: utc, latest } of await store.intervals.changedSince({
        since,
        from: first,
        to: today,
        meters,
        quantities,
      }))
        for (const at of utc)
          for (const edge of [at, at + DAY - 1]) {
            const day = dayName(zone, edge);
            changed.set(day, Math.max(changed.get(day) ?? 0, latest));
          }
  }
  const out: number[] = [];
  for (let at = first; at < today; at = add('day', zone, at, 1)) {
    const name = dayName(zone, at);
    const own = there.get(name);
    const again = own
      ? own.version !== area.version ||
        (changed.get(name) ?? 0) >= own.computedAt ||
        (at >= recent && own.complete < own.intervals)
      : at >= recent;
    if (again) out.push(at);
  }
  return out;
}

async function partiesOf(
  store: Store,
  { definition }: StoredArea,
  from: number,
  to: number,
  scope: Scope,
): Promise<Party[]> {
  const span = { from, to, scope };
  const supply = await store.balance.belonging({ meters: definition.supply }, span);
  const lost = definition.supply.find((id) => !supply.some((m) => m.meter === id));
  if (lost !== undefined) throw new MisuseError(`supply: there is no meter ${lost}, or not for who asks`);
  const own = new Set(definition.supply);
  const under =
    definition.node === undefined
      ? []
      : (await store.balance.belonging({ node: definition.node }, { ...span, slaves: false })).filter(
          (m) => !own.has(m.meter),
        );
  const parties: Party[] = [
    { role: 'supplied', quantity: 'energyImport', members: supply, expected: true },
    { role: 'fedBack', quantity: 'energyExport', members: supply, expected: false },
  ];
  const side = async (
    role: BalanceRole,
    given: typeof definition.consumed,
    quantity: string,
    expected: boolean,
  ): Promise<void> => {
    if (!given) parties.push({ role, quantity, members: under, expected });
    else
      for (const { of, quantity: named } of given)
        parties.push({
          role,
          quantity: named,
          members: (await membersOf(store, of, span)).filter((m) => !own.has(m.meter)),
          expected: true,
        });
  };
  await side('consumed', definition.consumed, 'energyImport', true);
  await side('produced', definition.produced, 'energyExport', false);
  return parties;
}

async function computeDays(
  { store, scope }: ComputeOptions,
  area: StoredArea,
  zone: string,
  starts: readonly number[],
  at: number,
): Promise<BalanceDay[]> {
  const from = starts[0] as number;
  const to = add('day', zone, starts.at(-1) as number, 1);
  const step = area.definition.period * 1000;
  const parties = await partiesOf(store, area, from, to, scope);
  const serials = new Map<MeterId, string>();
  const members: BalanceMember[] = [];
  for (const { role, quantity, members: all, expected } of parties) {
    const read = new Map<MeterId, Intervals>();
    for (let k = 0; k < all.length; k += BATCH)
      await store.intervals.read(
        all.slice(k, k + BATCH).map((m) => m.meter),
        { quantity, from: from - NEAR, to: to + NEAR },
        (found) => {
          if (found.unit !== null && found.unit !== 'Wh')
            throw new MisuseError(`${quantity} of meter ${found.meter} is in ${found.unit}; a balance is one of Wh`);
          read.set(found.meter, found);
        },
      );
    const silent = all.filter((m) => !read.has(m.meter));
    const strangers = expected
      ? await otherMedia(store, silent.slice(0, ASKED), quantity)
      : new Set(silent.map((m) => m.meter));
    for (const member of all) {
      if (strangers.has(member.meter)) continue;
      serials.set(member.meter, member.serial);
      members.push({ id: member.meter, role, spans: member.spans, intervals: read.get(member.meter) });
    }
  }
  return starts.map((start) => {
    const end = add('day', zone, start, 1);
    const n = Math.round((end - start) / step);
    // Who does not belong on the day is no part of it.
    const own = members.filter((m) => m.spans.some((s) => s.from < end && s.to > start));
    const balance = balanceOf(own, { start, step, n });
    const totals = totalsOf(balance, start, end);
    return {
      day: dayName(zone, start),
      from: start,
      to: end,
      version: area.version,
      step: area.definition.period,
      scaler: balance.scaler,
      supplied: totals.supplied,
      consumed: totals.consumed,
      produced: totals.produced,
      loss: totals.loss,
      intervals: n,
      complete: totals.complete,
      meters: new Set(own.map((m) => m.id)).size,
      detail: {
        missing: balance.missing.slice(0, NAMED).map(({ id, role, count, spans }) => ({
          meter: id,
          serial: serials.get(id) ?? id,
          role,
          count,
          spans: spans.slice(0, 20).map((s) => [s.from, s.to] as const),
        })),
        missingMeters: new Set(balance.missing.map((m) => m.id)).size,
        shares: balance.shares,
        loss: Array.from(balance.loss, (x) => (Number.isNaN(x) ? null : x)),
      },
      computedAt: at,
    };
  });
}

/** Of meters without values those that measure something, but never this. */
async function otherMedia(store: Store, meters: readonly Belonging[], quantity: string): Promise<Set<MeterId>> {
  const out = new Set<MeterId>();
  for (const { meter } of meters) {
    const known = await store.intervals.list(meter);
    if (known.length > 0 && !known.some((m) => m.quantity === quantity)) out.add(meter);
  }
  return out;
}

/** Days as what is looked for in them wants them: in Wh. */
export const lossDays = (days: readonly BalanceDay[]): LossDay[] =>
  days.map(({ day, supplied, produced, loss, scaler, intervals, complete }) => ({
    day,
    supplied: supplied * 10 ** scaler,
    produced: produced * 10 ** scaler,
    loss: loss * 10 ** scaler,
    intervals,
    complete,
  }));

export const limitsOf = (area: StoredArea) => ({
  ...LOSS_LIMITS,
  ...Object.fromEntries(Object.entries(area.definition.limits).filter(([, v]) => v !== undefined)),
});

async function alarmsOf(store: Store, area: StoredArea, zone: string, today: number, at: number) {
  const first = dayName(zone, add('day', zone, today, -BACK));
  const days = await store.balance.days(area.id, first, dayName(zone, today));
  return store.balance.setAlarms(area.id, lossFindings(lossDays(days), limitsOf(area)), at);
}

export { dayAt };
