/**
 * From the jobs of one meter to what is asked of it: one plan for all of them.
 *
 * Decides: what each kind of job reads of a read-out set; jobs that want the same profile share one item with the ranges of both; the
 * order (clock first, so that a clock that is set late falsifies nothing that was read, then what is small, then profiles).
 * Leaves out: what is missing (asked for a whole lease at once, see worker.ts).
 */
import { startOf } from '@amiable/calendar';
import type { ClockRule, ReadItem, ReadPlan, Span } from '@amiable/meter';
import type { Job, JobId, ReadoutLog, ReadoutProfile, ReadoutSet, ReadTarget } from '@amiable/store';

const DAY = 86_400_000;
/** Days back that are looked at for gaps, unless the job says. */
const LOOK_BACK = { profile: 8, daily: 8, monthly: 400 } as const;
/** Entries may be stamped before one that is stored already, where a clock was set back. */
const LOG_OVERLAP = 3_600_000;

/** What of a profile should be there by now. */
export interface WantedProfile {
  readonly profile: ReadoutProfile;
  readonly from: number;
  readonly to: number;
  readonly jobs: readonly JobId[];
  /** Also what is there. */
  readonly again: boolean;
  /** Of these columns only. */
  readonly registers?: readonly string[];
}

export interface Wants {
  readonly profiles: readonly WantedProfile[];
  readonly logs: ReadonlyMap<ReadoutLog, WantedLog>;
  readonly registers: ReadonlyMap<string, { readonly codes: readonly string[]; readonly jobs: readonly JobId[] }>;
  readonly clock: { readonly rule?: ClockRule; readonly jobs: readonly JobId[] } | undefined;
  /** Jobs for which the read-out set has nothing. */
  readonly empty: ReadonlyMap<JobId, string>;
}

interface WantedLog {
  readonly jobs: JobId[];
  /** Entries from here on; undefined: those that are not stored yet. */
  since?: number;
}

const num = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isFinite(value) ? value : undefined;
const texts = (value: unknown): readonly string[] | undefined => {
  if (typeof value === 'string') return [value];
  return Array.isArray(value) && value.length > 0 && value.every((v) => typeof v === 'string') ? value : undefined;
};

export function wantsOf(jobs: readonly Job[], set: ReadoutSet, timeZone: string, now: number): Wants {
  const profiles: WantedProfile[] = [];
  const logs = new Map<ReadoutLog, WantedLog>();
  const registers = new Map<string, { codes: readonly string[]; jobs: JobId[] }>();
  const empty = new Map<JobId, string>();
  let clock: { rule?: ClockRule; jobs: JobId[] } | undefined;

  const some = (job: Job, found: boolean, what: string): void => {
    if (!found) empty.set(job.id, `meters of this type have no ${what}`);
  };
  const wantProfiles = (job: Job, kind: ReadoutProfile['kind']): void => {
    const named = texts(job.parameters.profile);
    // A profile that is named is read whatever kind it is.
    const found = set.profiles.filter((p) => (named === undefined ? p.kind === kind : named.includes(p.name)));
    some(job, found.length > 0, kind === 'profile' ? 'load profile' : `${kind} values`);
    const columns = texts(job.parameters.registers);
    const again = job.parameters.again === true;
    for (const profile of found)
      profiles.push({
        profile,
        ...rangeOf(job, profile.kind, timeZone, now),
        jobs: [job.id],
        again,
        ...(columns && { registers: columns }),
      });
  };
  const wantLogs = (job: Job): boolean => {
    const named = texts(job.parameters.log);
    const found = set.logs.filter((log) => named === undefined || named.includes(log.name));
    const days = num(job.parameters.days);
    const since =
      num(job.parameters.from) ?? (days === undefined ? undefined : startOf('day', timeZone, job.due - days * DAY));
    for (const log of found) {
      const all = logs.get(log) ?? { jobs: [], ...(since !== undefined && { since }) };
      all.jobs.push(job.id);
      // Of several the earliest; what is not stored yet comes in any case.
      if (since !== undefined) all.since = Math.min(all.since ?? since, since);
      logs.set(log, all);
    }
    return found.length > 0;
  };
  const wantRegisters = (job: Job, name: string): boolean => {
    const codes = texts(job.parameters.registers) ?? set.registers[name];
    if (!codes || codes.length === 0) return false;
    const key = texts(job.parameters.registers) ? `${name} ${codes.join(',')}` : name;
    const there = registers.get(key);
    if (there) there.jobs.push(job.id);
    else registers.set(key, { codes, jobs: [job.id] });
    return true;
  };

  for (const job of jobs)
    switch (job.kind) {
      case 'profile':
      case 'daily':
      case 'monthly':
        wantProfiles(job, job.kind);
        break;
      case 'events':
        some(job, wantLogs(job), 'event log');
        break;
      case 'outage': {
        const counted = wantRegisters(job, setOf(job, 'outage'));
        some(job, wantLogs(job) || counted, 'outage registers');
        break;
      }
      case 'status':
      case 'quality':
        some(job, wantRegisters(job, setOf(job, job.kind)), `registers of ${job.kind}`);
        break;
      case 'registers': {
        const name = setOf(job, 'billing');
        some(job, wantRegisters(job, name), `set of registers ${name}`);
        break;
      }
      case 'clock': {
        const rule = clockRule(job.parameters, set);
        clock = { ...(rule && { rule }), jobs: [...(clock?.jobs ?? []), job.id] };
        break;
      }
    }
  return { profiles, logs, registers, clock, empty };
}

const setOf = ({ parameters }: Job, otherwise: string): string =>
  typeof parameters.set === 'string' ? parameters.set : otherwise;

/** From the local midnight some days back to the moment the job was due, unless it says. */
function rangeOf(job: Job, kind: ReadoutProfile['kind'], timeZone: string, now: number): Span {
  const days = num(job.parameters.days) ?? LOOK_BACK[kind];
  const to = num(job.parameters.to) ?? Math.max(job.due, Math.min(now, job.due + DAY));
  const from = num(job.parameters.from) ?? startOf('day', timeZone, to - days * DAY);
  // A value that stands at the end belongs to daily and monthly values.
  return { from, to: Math.min(to, now) + (kind === 'profile' ? 0 : 1) };
}

/** Without `set` a clock is compared only. */
function clockRule(parameters: Job['parameters'], set: ReadoutSet): ClockRule | undefined {
  if (parameters.set !== true) return undefined;
  const periods = set.profiles.filter((p) => p.kind === 'profile' && p.period > 0).map((p) => p.period);
  return {
    ignore: num(parameters.ignore) ?? 2,
    adjust: num(parameters.adjust) ?? 60,
    above: parameters.above === 'set' ? 'set' : 'report',
    interval: periods.length > 0 ? Math.min(...periods) : 3600,
  };
}

/** A plan with the jobs behind its items. */
export interface MeterPlan {
  readonly plan: ReadPlan;
  readonly jobsOf: ReadonlyMap<string, readonly JobId[]>;
  readonly profiles: ReadonlyMap<string, ReadoutProfile>;
  readonly logs: ReadonlyMap<string, ReadoutLog>;
  /** Jobs that lack nothing. */
  readonly satisfied: readonly JobId[];
}

/** @param missing ranges that lack, in the order of `wants.profiles` */
export function planOf(
  target: ReadTarget,
  set: ReadoutSet,
  wants: Wants,
  missing: readonly (readonly Span[])[],
): MeterPlan {
  const items: ReadItem[] = [];
  const jobsOf = new Map<string, readonly JobId[]>();
  const profiles = new Map<string, ReadoutProfile>();
  const logs = new Map<string, ReadoutLog>();
  if (wants.clock) {
    items.push({ kind: 'clock', id: 'clock', ...(wants.clock.rule && { rule: wants.clock.rule }) });
    jobsOf.set('clock', wants.clock.jobs);
  }
  for (const [name, { codes, jobs }] of wants.registers) {
    const id = `registers ${name}`;
    items.push({ kind: 'registers', id, name: name.split(' ')[0] as string, registers: codes });
    jobsOf.set(id, jobs);
  }
  // A clock that lags stamps new entries before old ones.
  const lag = Math.max(0, -(target.state?.deviation ?? 0));
  for (const [log, { jobs, since }] of wants.logs) {
    const id = `log ${log.name}`;
    const newest = target.logs.get(log.name);
    const from = newest === undefined ? undefined : Math.min(since ?? newest, newest - LOG_OVERLAP - lag);
    items.push({ kind: 'log', id, name: log.name, obis: log.obis, ...(from !== undefined && { since: from }) });
    jobsOf.set(id, jobs);
    logs.set(id, log);
  }
  const satisfied: JobId[] = [];
  const byProfile = new Map<
    ReadoutProfile,
    { ranges: Span[]; jobs: JobId[]; columns: (readonly string[] | undefined)[] }
  >();
  for (const [i, want] of wants.profiles.entries()) {
    const ranges = missing[i] ?? [];
    if (ranges.length === 0) satisfied.push(...want.jobs);
    else {
      const all = byProfile.get(want.profile) ?? { ranges: [], jobs: [], columns: [] };
      all.ranges.push(...ranges);
      all.columns.push(want.registers ?? want.profile.registers);
      all.jobs.push(...want.jobs);
      byProfile.set(want.profile, all);
    }
  }
  for (const [profile, { ranges, jobs, columns }] of byProfile) {
    const id = `profile ${profile.name}`;
    const { name, obis, period, status, optional } = profile;
    const registers = columns.includes(undefined) ? undefined : [...new Set(columns.flat() as string[])];
    items.push({
      kind: 'profile',
      id,
      name,
      obis,
      period,
      ranges: ranges.sort((a, b) => a.from - b.from),
      ...(registers && { registers }),
      ...(status && { status }),
      ...(optional && { optional }),
    });
    jobsOf.set(id, jobs);
    profiles.set(id, profile);
  }
  const { connection, state } = target;
  const named = connection?.identity;
  const expected =
    named === undefined ? [target.serial, ...(target.utilitySerial ? [target.utilitySerial] : [])] : [named];
  return {
    plan: {
      identity: {
        expected,
        ...(set.identification.length > 0 && { from: set.identification }),
        ...(set.configuration && { configuration: set.configuration }),
      },
      type: connection?.readout ?? '',
      items,
      ...(state?.fingerprint !== undefined && { known: state.fingerprint }),
    },
    jobsOf,
    profiles,
    logs,
    satisfied,
  };
}
