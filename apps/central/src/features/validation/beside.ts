/**
 * What is handed to the kernels beside a meter's own values: its time by events and marks, last year, rates, ratios, holidays, a check
 * meter, a reference profile.
 *
 * Decides: only what some rule of the batch asks for is read; a mark of a profile's row is one of the interval that ends at its stamp, and
 * says that a power failure lay in it, not how long; check meters and references of other segments are as if they were not there.
 */
import { holidaysBetween, type Intervals, type MeterTimes, outagesOf } from '@amiable/compute';
import { ROW_FLAGS } from '@amiable/meter';
import { quantityOf, type Scope } from '@amiable/model';
import { CATALOGUE } from '@amiable/model/events';
import type { Beside, MeterId, Store, ValidatedMeter, ValidationTask } from '@amiable/store';
import type { Batch, JudgeRules, JudgeTask, Ratio } from './judge.ts';
import { rulesKey } from './judge.ts';
import { ratioAt, ratiosIn, timesRatio } from './ratios.ts';
import type { RulesInUse } from './rule-sets.ts';

const DAY = 86_400_000;
/** So long before a span an interruption may have begun that reaches into it. */
const BACK = 31 * DAY;
const TOLERANCE = 30_000;

interface Asks {
  /** Days that a rule compares with those of last year, at most. */
  readonly days: number | undefined;
  readonly rates: boolean;
  /** Words of the event catalogue that rules name. */
  readonly events: readonly string[];
}

const known = new WeakMap<JudgeRules, Asks>();
function asksOf(rules: JudgeRules): Asks {
  let asks = known.get(rules);
  if (!asks) {
    const all = rules.compiled.map(({ rule }) => rule).filter((rule) => rule.enabled);
    const days = all.flatMap((rule) => (rule.check === 'high-low' ? [rule.days] : []));
    asks = {
      days: days.length > 0 ? Math.max(...days) : undefined,
      rates: all.some((rule) => rule.check === 'rates-sum'),
      events: [...new Set(all.flatMap((rule) => (rule.check === 'event' ? rule.events : [])))],
    };
    known.set(rules, asks);
  }
  return asks;
}

export async function batchOf(
  store: Store,
  meters: readonly ValidatedMeter[],
  tasks: readonly ValidationTask[],
  rules: RulesInUse,
  scope: Scope,
): Promise<Batch> {
  const ready: Record<string, JudgeRules> = {};
  const own = tasks.map((task) => {
    const unit = quantityOf(task.quantity)?.unit ?? 'Wh';
    const key = rulesKey(task.rules, unit);
    ready[key] ??= rules.ready(task.rules, unit);
    return ready[key];
  });
  const of = new Map(tasks.map((task, i) => [task, own[i] as JudgeRules]));
  const asks = (task: ValidationTask): Asks => asksOf(of.get(task) as JudgeRules);
  const span = {
    from: tasks.reduce((t, task) => Math.min(t, task.context), Number.POSITIVE_INFINITY),
    to: tasks.reduce((t, task) => Math.max(t, task.end), 0),
  };
  const ids = [...new Set(tasks.map((task) => task.meter))];
  const events = [...new Set(own.flatMap((one) => asksOf(one).events))];
  const [beside, times, ratios] = await Promise.all([
    store.validation.beside(tasks, {
      lastYearOf: (task) => asks(task).days,
      ratesOf: (task) => asks(task).rates,
    }),
    timesOf(store, meters, ids, span, events),
    multipliersOf(store, ids, span),
  ]);
  const others = await othersOf(store, meters, tasks, (task) => of.get(task) as JudgeRules, span, scope);
  const holidays = new Map<string, number[]>();
  const judged = tasks.map((task, i): JudgeTask => {
    const { lastYear, rates, marks } = beside[i] as Beside;
    const given = ratios.get(task.meter) ?? [];
    const pieces = ratiosIn(given, task.context, task.end);
    const free = (of.get(task) as JudgeRules).holidays;
    const name = `${task.rules.ruleSet} ${task.rules.version} ${task.zone} ${task.context} ${task.end}`;
    if (free.length > 0 && !holidays.has(name))
      holidays.set(name, holidaysBetween(free, task.zone, task.context, task.end));
    const meter = times.get(task.meter) ?? {};
    return {
      ...task,
      times: marks ? withMarks(meter, marks, task) : meter,
      ...(lastYear ? { lastYear: given.length > 0 ? timesThen(lastYear, given) : lastYear } : {}),
      ...(rates ? { rates } : {}),
      ...(pieces ? { ratios: pieces } : {}),
      ...(free.length > 0 ? { holidays: holidays.get(name) } : {}),
      ...others(task, pieces),
    };
  });
  return { tasks: judged, rules: ready };
}

const CONNECTED = /^connected/;
const DISCONNECTED = /^disconnected/;

interface Told {
  readonly time: number;
  readonly event: string;
}

/** What events and the registry say of each meter's time. `named`: events that rules ask for. */
async function timesOf(
  store: Store,
  meters: readonly ValidatedMeter[],
  ids: readonly MeterId[],
  { from, to }: { readonly from: number; readonly to: number },
  named: readonly string[],
): Promise<Map<MeterId, MeterTimes>> {
  const categories = new Set(['power', 'disconnecter', 'clock']);
  for (const event of named) categories.add(CATALOGUE.get(event)?.category ?? 'other');
  const events = await store.events.ofMeters(ids, [...categories], from - BACK, to + DAY);
  const wanted = new Set(named);
  const byMeter = new Map<MeterId, Told[]>();
  for (const { meter, time, event } of events) {
    const list = byMeter.get(meter);
    if (list) list.push({ time, event });
    else byMeter.set(meter, [{ time, event }]);
  }
  const found = new Map<MeterId, MeterTimes>();
  for (const { id, installed } of meters) {
    const own = byMeter.get(id);
    const stays = installed?.map((stay) => ({ from: stay.from, to: stay.to ?? to + DAY }));
    const told = wanted.size > 0 ? own?.filter(({ event }) => wanted.has(event)) : undefined;
    found.set(id, {
      ...(stays ? { installed: stays } : {}),
      ...(own
        ? {
            outages: outagesOf(own)
              .filter((outage) => outage.phase === 'all')
              .map((outage) => ({ from: outage.from, to: outage.to ?? to + DAY })),
            disconnected: spansOf(own, DISCONNECTED, CONNECTED, to + DAY),
            clock: spansOf(own, /^clock-invalid$/, /^clock-(synchronised|adjusted)$/, to + DAY),
          }
        : {}),
      ...(told && told.length > 0 ? { events: told.map(({ time, event }) => ({ from: time, to: time, event })) } : {}),
    });
  }
  return found;
}

/** From a beginning to the next end. */
export function spansOf(
  events: readonly Told[],
  begins: RegExp,
  ends: RegExp,
  last: number,
): { from: number; to: number }[] {
  const spans: { from: number; to: number }[] = [];
  let from: number | undefined;
  for (const { time, event } of events) {
    if (begins.test(event)) from ??= time;
    else if (from !== undefined && ends.test(event)) {
      if (time > from) spans.push({ from, to: time });
      from = undefined;
    }
  }
  if (from !== undefined && last > from) spans.push({ from, to: last });
  return spans;
}

/** Marks as rules of the check `event` name them. */
const WORDS: readonly (readonly [mark: number, word: string])[] = [
  [ROW_FLAGS.criticalError, 'critical-error'],
  [ROW_FLAGS.dataInvalid, 'value-disturbed'],
  [ROW_FLAGS.clockAdjusted, 'clock-adjusted'],
  [ROW_FLAGS.powerFailure, 'power-failure'],
  [ROW_FLAGS.late, 'captured-late'],
  [ROW_FLAGS.disconnected, 'disconnected'],
  [ROW_FLAGS.overDemand, 'over-demand'],
  [ROW_FLAGS.parametersChanged, 'parameters-changed'],
  [ROW_FLAGS.alarm, 'alarm'],
  [ROW_FLAGS.repeated, 'captured-twice'],
];
const inTime = (a: { readonly from: number }, b: { readonly from: number }): number => a.from - b.from;

/** A meter's time with the marks of the rows of its profile. */
export function withMarks(
  times: MeterTimes,
  { times: stamps, values }: NonNullable<Beside['marks']>,
  { context, period }: Pick<ValidationTask, 'context' | 'period'>,
): MeterTimes {
  const step = period * 1000;
  const outages = [...(times.outages ?? [])];
  const clock = [...(times.clock ?? [])];
  const events = [...(times.events ?? [])];
  for (let i = 0; i < stamps.length; i++) {
    const marks = values[i] as number;
    const stamp = stamps[i] as number;
    const bound = context + Math.round((stamp - context) / step) * step;
    const to = Math.abs(stamp - bound) <= TOLERANCE ? bound : stamp;
    const from = to - step;
    // Somewhere in it: an interval that a failure covers has no row.
    if (marks & ROW_FLAGS.powerFailure) outages.push({ from: from + 1, to });
    if (marks & ROW_FLAGS.clockInvalid) clock.push({ from, to });
    for (const [mark, event] of WORDS) if (marks & mark) events.push({ from, to, event });
  }
  return { ...times, outages: outages.sort(inTime), clock: clock.sort(inTime), events: events.sort(inTime) };
}

interface Multiplier {
  readonly from: number;
  readonly to: number | null;
  readonly multiplier: number;
}

/** From a year before the span on, for what is compared with last year. */
async function multipliersOf(
  store: Store,
  ids: readonly MeterId[],
  { from, to }: { readonly from: number; readonly to: number },
): Promise<Map<MeterId, Multiplier[]>> {
  const found = new Map<MeterId, Multiplier[]>();
  for (const one of await store.registry.multipliersOfMeters(ids, from - 800 * DAY, to)) {
    const { numerator, denominator } = one.multiplier;
    const kept = { from: one.from, to: one.to, multiplier: Number(numerator) / Number(denominator) };
    const list = found.get(one.meter);
    if (list) list.push(kept);
    else found.set(one.meter, [kept]);
  }
  return found;
}

function timesThen(
  lastYear: NonNullable<Beside['lastYear']>,
  given: readonly Multiplier[],
): NonNullable<Beside['lastYear']> {
  const then = lastYear.first - lastYear.shift;
  return { ...lastYear, daily: lastYear.daily.map((use, d) => use * ratioAt(given, then + d * DAY)) };
}

type Others = Pick<JudgeTask, 'checkMeter' | 'reference'>;

/** Check meters and references, each read once. */
async function othersOf(
  store: Store,
  meters: readonly ValidatedMeter[],
  tasks: readonly ValidationTask[],
  rulesOf: (task: ValidationTask) => JudgeRules,
  span: { readonly from: number; readonly to: number },
  scope: Scope,
): Promise<(task: ValidationTask, own: readonly Ratio[] | undefined) => Others> {
  const serials = new Map(meters.flatMap(({ id, checkMeter }) => (checkMeter === null ? [] : [[id, checkMeter]])));
  const named = new Set(tasks.flatMap((task) => rulesOf(task).reference?.meter ?? []));
  if (serials.size === 0 && named.size === 0) return () => ({});
  const [bySerial, seen] = await Promise.all([
    serials.size > 0 ? store.validation.rules.idsOf([...new Set(serials.values())], scope) : new Map<string, MeterId>(),
    named.size > 0
      ? store.registry.select({ meters: [...named] }, scope, { limit: named.size }).then((found) => new Set(found))
      : new Set<MeterId>(),
  ]);
  const checkOf = (task: ValidationTask): MeterId | undefined => {
    const id = bySerial.get(serials.get(task.meter) ?? '');
    return id === task.meter ? undefined : id;
  };
  const referenceOf = (task: ValidationTask): { meter: MeterId; quantity: string } | undefined => {
    const reference = rulesOf(task).reference;
    return reference && seen.has(reference.meter) ? reference : undefined;
  };
  /** By quantity and period: who is read. */
  const wanted = new Map<string, { quantity: string; period: number; meters: Set<MeterId> }>();
  const want = (meter: MeterId, quantity: string, period: number): void => {
    const name = `${quantity} ${period}`;
    const one = wanted.get(name) ?? { quantity, period, meters: new Set() };
    one.meters.add(meter);
    wanted.set(name, one);
  };
  for (const task of tasks) {
    const check = checkOf(task);
    if (check !== undefined) want(check, task.quantity, task.period);
    const reference = referenceOf(task);
    if (reference) want(reference.meter, reference.quantity, task.period);
  }
  const read = new Map<string, Intervals>();
  for (const { quantity, period, meters: which } of wanted.values())
    await store.intervals.read([...which], { quantity, period, ...span }, (one) => {
      read.set(`${one.meter} ${quantity} ${period}`, one);
    });
  const checks = [...new Set(tasks.flatMap((task) => checkOf(task) ?? []))];
  const ratios = checks.length > 0 ? await multipliersOf(store, checks, span) : new Map<MeterId, Multiplier[]>();
  return (task, own) => {
    const check = checkOf(task);
    const reference = referenceOf(task);
    const shape = reference && read.get(`${reference.meter} ${reference.quantity} ${task.period}`);
    let measured = check === undefined ? undefined : read.get(`${check} ${task.quantity} ${task.period}`);
    if (measured) {
      // What it counts, as this meter would have counted it.
      const its = ratiosIn(ratios.get(check as MeterId) ?? [], task.context, task.end);
      if (its) measured = timesRatio(measured, its);
      if (own)
        measured = timesRatio(
          measured,
          own.map((one) => ({ ...one, multiplier: 1 / one.multiplier })),
        );
    }
    return { ...(measured ? { checkMeter: plain(measured) } : {}), ...(shape ? { reference: plain(shape) } : {}) };
  };
}

const plain = ({ start, step, scaler, values, quality }: Intervals): Intervals => ({
  start,
  step,
  scaler,
  values,
  quality,
});
