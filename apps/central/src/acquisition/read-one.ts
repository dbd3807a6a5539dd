/**
 * One meter read: its results collected, the outcome of each of its jobs decided, the log told.
 *
 * Decides: when a job is done, to be tried again or lost. What the meter has not or refuses is lost; what the line, the time or
 * another meter in its place prevented is tried again, by the retry rule of its task. A profile of which rows lack and the
 * meter gave none at all is tried again too: it may not have been captured yet.
 */
import type { AcquireResult, AcquireSink, ItemResult } from '@amiable/meter';
import type { Message } from '@amiable/model';
import type {
  JobId,
  JobOutcome,
  LeasedMeter,
  NewEvent,
  ReadoutSet,
  ReadTarget,
  SeriesData,
  StateChange,
} from '@amiable/store';
import { deliversOf, eventsOf, messageOf, seriesOf } from './convert.ts';
import type { MeterPlan, Wants } from './plan.ts';

export interface ReadTask {
  readonly leased: LeasedMeter;
  readonly target: ReadTarget;
  readonly set: ReadoutSet;
  readonly wants: Wants;
  readonly plan: MeterPlan;
}

export interface Collected {
  readonly series: SeriesData[];
  readonly events: NewEvent[];
  readonly messages: Message[];
  readonly delivers: Map<string, string[]>;
  readonly newest: Map<string, number>;
  /** Values and events by item. */
  readonly stored: Map<string, number>;
  /** Times of rows by item. */
  readonly came: Map<string, Float64Array[]>;
}

/** The newest entry counts no further than this into the future: a wrong clock must not hide what comes after. */
const AHEAD = 600_000;

export function collector(
  task: ReadTask,
  reader: string,
  now: () => number,
): Collected & { readonly sink: AcquireSink } {
  const { target, plan } = task;
  const collected: Collected = {
    series: [],
    events: [],
    messages: [],
    delivers: new Map(),
    newest: new Map(),
    stored: new Map(),
    came: new Map(),
  };
  const { series, events, messages, delivers, newest, stored, came } = collected;
  const count = (id: string, n: number): void => void stored.set(id, (stored.get(id) ?? 0) + n);
  return {
    ...collected,
    sink: {
      rows(item, rows) {
        const profile = plan.profiles.get(item.id);
        if (!profile) return;
        for (const one of seriesOf(target.meter, profile, rows)) series.push(one);
        // A reading of some columns says nothing of the others.
        if (!item.registers || item.registers === profile.registers) delivers.set(profile.name, deliversOf(rows));
        count(item.id, rows.times.length * rows.columns.length);
        came.set(item.id, [...(came.get(item.id) ?? []), rows.times]);
      },
      events(item, entries) {
        const log = plan.logs.get(item.id);
        if (!log) return;
        for (const one of eventsOf(target.meter, log, entries)) events.push(one);
        const limit = now() + AHEAD;
        let last = newest.get(log.name) ?? Number.NEGATIVE_INFINITY;
        for (const { time } of entries) if (time > last && time <= limit) last = time;
        if (last > Number.NEGATIVE_INFINITY) newest.set(log.name, last);
        count(item.id, entries.length);
      },
      registers(item, values, time) {
        const { serial, connection } = target;
        const protocol = connection?.protocol ?? 'dlms';
        messages.push(messageOf(serial, reader, connection?.address ?? '', item.name, protocol, values, time));
        count(item.id, values.length);
      },
    },
  };
}

/** Every set of the clock is an event: at the time it showed, and at the time it was given (numbers of DLMS companion specifications). */
export function clockEvents(task: ReadTask, result: AcquireResult): NewEvent[] {
  const { clock } = result;
  if (!clock || (clock.action !== 'adjusted' && clock.action !== 'set')) return [];
  const detail = { by: 'central system', deviation: clock.deviation, crossed: clock.crossed };
  const one = { meter: task.target.meter, source: 'central', catalogue: 'dlms', detail };
  return [
    { ...one, time: clock.at + clock.deviation, code: 4, ordinal: 0 },
    { ...one, time: clock.at, code: 5, ordinal: 0 },
  ];
}

/** Rows are captured within it; what a meter has not by then it will never have. */
const CAPTURED = 86_400_000;

function isRecent({ plan }: ReadTask, id: string, now: number): boolean {
  const item = plan.plan.items.find((one) => one.id === id);
  // What others behind a meter give it comes when they do, mostly at night: with the next reading.
  if (item?.kind !== 'profile' || item.optional) return false;
  return item.ranges.some(({ to }) => to > now - CAPTURED);
}

export interface GivenUp {
  readonly meter: string;
  readonly profile: string;
  readonly from: number;
  readonly to: number;
  readonly reason: string;
}

/** Stretches of which the meter, asked for all of them, has not one row, and which lie too far back to come. */
export function givenUpOf({ plan, target }: ReadTask, result: AcquireResult, { came }: Collected): GivenUp[] {
  const whole = new Set(
    result.items.flatMap(({ id, state, absent }) => (state === 'done' || (state === 'none' && !absent) ? [id] : [])),
  );
  return plan.plan.items.flatMap((item) => {
    if (item.kind !== 'profile' || !whole.has(item.id)) return [];
    const times = came.get(item.id) ?? [];
    const lacks = item.ranges.filter(
      ({ from, to }) => to <= result.ended - CAPTURED && !times.some((some) => some.some((t) => t >= from && t < to)),
    );
    const reason = 'the meter has no rows of it';
    return lacks.map(({ from, to }) => ({ meter: target.meter, profile: item.name, from, to, reason }));
  });
}

/** What becomes of each job. */
export function outcomesOf(task: ReadTask, result: AcquireResult, collected: Collected): JobOutcome[] {
  const { leased, plan, wants } = task;
  const items = new Map(result.items.map((item) => [item.id, item]));
  const own = new Map<JobId, ItemResult[]>();
  for (const [id, jobs] of plan.jobsOf) {
    const item = items.get(id) ?? { id, state: 'skipped', count: 0, again: true };
    for (const job of jobs) own.set(job, [...(own.get(job) ?? []), item]);
  }
  return leased.jobs.map(({ id, kind }): JobOutcome => {
    const empty = wants.empty.get(id);
    if (empty !== undefined) return { job: id, result: 'failed', reason: empty };
    // What a meter need not have and has not decides nothing.
    const mine = (own.get(id) ?? []).filter(({ absent }) => !absent);
    const stored = mine.reduce((sum, item) => sum + (collected.stored.get(item.id) ?? 0), 0);
    const outcome = (result: JobOutcome['result'], reason?: string): JobOutcome => ({
      job: id,
      result,
      ...(reason !== undefined && { reason }),
      stored,
    });
    if (kind === 'clock' && result.clock) {
      if (result.clock.action === 'postponed')
        return outcome('again', 'setting the clock now would have crossed the end of an interval');
      if (result.clock.action === 'refused') return outcome('failed', 'the meter refuses to have its clock set');
    }
    const lacking = mine.find((item) => item.state === 'none' && item.id.startsWith('profile '));
    const bad = mine.filter(({ state }) => state === 'failed' || state === 'skipped' || state === 'partial');
    const retry = bad.find(({ again }) => again);
    if (retry) return outcome('again', retry.reason ?? 'not read');
    if (lacking) {
      const late = mine.some((item) => item.state === 'none' && isRecent(task, item.id, result.ended));
      return outcome(late ? 'again' : 'done', 'the meter has no rows for what lacks');
    }
    const lost = bad.find(({ state }) => state !== 'partial');
    // One log of several that a meter does not have is no reason to lose the job.
    if (lost && mine.every(({ state }) => state === 'failed' || state === 'skipped'))
      return outcome(result.outcome === 'stranger' ? 'again' : 'failed', lost.reason ?? 'not read');
    return outcome('done', bad[0]?.reason);
  });
}

export function stateOf(task: ReadTask, result: AcquireResult, collected: Collected): StateChange {
  const { target, set } = task;
  const configuration = Object.fromEntries(
    (set.configuration ?? []).flatMap((obis) => {
      const said = result.identity[obis];
      return said === undefined ? [] : [[obis, said]];
    }),
  );
  const right = result.outcome !== 'stranger';
  const reason = result.error?.message ?? result.items.find((item) => item.reason !== undefined)?.reason;
  return {
    meter: target.meter,
    tried: Math.round(result.began),
    ...(result.outcome === 'done' || result.outcome === 'partial' ? { read: Math.round(result.ended) } : {}),
    outcome: result.outcome,
    ...(reason !== undefined && { reason }),
    ...(right && result.fingerprint !== undefined && { fingerprint: result.fingerprint }),
    ...(right && Object.keys(configuration).length > 0 && { configuration }),
    ...(collected.delivers.size > 0 && { delivers: Object.fromEntries(collected.delivers) }),
    ...(result.clock && { deviation: result.clock.deviation, deviationAt: Math.round(result.clock.at) }),
    ...(result.outcome === 'stranger' && { stranger: result.error?.message ?? 'another meter' }),
    ...(collected.newest.size > 0 && { logs: collected.newest }),
  };
}

/** One line for people. */
export function summary(task: ReadTask, result: AcquireResult): string {
  const parts = result.items.map(({ id, state, count, reason }) => {
    const what = id.replace(/^(profile|log|registers) /, '');
    return state === 'done' || state === 'none' ? `${what} ${count}` : `${what} ${state}${reason ? `: ${reason}` : ''}`;
  });
  const clock = result.clock ? `clock ${(result.clock.deviation / 1000).toFixed(1)} s ${result.clock.action}` : '';
  const head = result.items.length === 0 ? (result.error?.message ?? 'nothing lacks') : '';
  return `${task.target.serial}: ${[head, ...parts, clock].filter(Boolean).join('; ')}`.slice(0, 480);
}
