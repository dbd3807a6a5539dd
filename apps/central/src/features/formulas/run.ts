/**
 * Calculates a formula over local days and keeps the result as a metering (AMI system description §5.4.1).
 *
 * Decides: what is calculated: days that were not yet, days of which inputs changed since or lacked then, all when the formula has
 * another version; that many meters are read a batch at a time. Leaves out: arithmetic (compute), who may (routes, task).
 */
import { MisuseError } from '@amiable/bytes';
import { add, localToUtc, startOf, toLocal } from '@amiable/calendar';
import {
  type CheckedFormula,
  calculate,
  checkFormula,
  createCombiner,
  factorSeries,
  type Intervals,
  type NamedFormula,
  QUALITY,
  type SeriesInput,
} from '@amiable/compute';
import { type FormulaInput, INTERVAL_ADDRESS, quantityOf, type Scope, type Unit } from '@amiable/model';
import type {
  Belonging,
  FormulaState,
  MeterId,
  MeterIntervals,
  RegisterKey,
  SeriesData,
  Store,
  StoredFormula,
} from '@amiable/store';
import { both, covers } from '../../scheduler/rights.ts';
import { membersOf } from './members.ts';

const DAY = 86_400_000;
/** Local days that are calculated together. */
const CHUNK = 31;
const BATCH = 500;
const TOLD = 50;
/** Days of results that a formula looks after. */
const MOST_DAYS = 4000;
const MOST_OPEN = 400;

export interface RunOptions {
  readonly store: Store;
  readonly now: () => number;
  readonly timeZone: string;
  readonly scope: Scope;
  readonly by: string;
  /** Left out: what stands already and what is new up to today. */
  readonly from?: number;
  readonly to?: number;
  /** Days before today that a formula without results begins with. */
  readonly days?: number;
  /** All of it, changed or not. */
  readonly force?: boolean;
  /** Nothing is written; `take` sees the values. */
  readonly dry?: boolean;
  readonly take?: (meter: MeterId | undefined, intervals: Intervals) => void;
  readonly signal?: AbortSignal;
}

export interface RunReport {
  readonly formula: string;
  readonly version: number;
  readonly from: number;
  readonly to: number;
  readonly days: number;
  /** Days that stood already and were left as they are. */
  readonly left: number;
  readonly meters: number;
  readonly written: number;
  /** Result values by quality. */
  readonly shares: Readonly<Record<string, number>>;
  /** Meters that lacked values, the worst first. */
  readonly lacking: readonly {
    readonly input: string;
    readonly meter: string;
    readonly serial: string;
    readonly count: number;
  }[];
  readonly lackingMeters: number;
  readonly fitted: readonly string[];
}

export const namedOf = async (store: Store, all: readonly StoredFormula[]): Promise<NamedFormula[]> =>
  Promise.all(
    all.map(async ({ name, definition }) => ({
      name,
      formula: definition,
      meter:
        definition.result.meter === undefined
          ? undefined
          : ((await store.registry.meterBySerial(definition.result.meter, 'all')) ?? `?${definition.result.meter}`),
    })),
  );

/** Checks a formula against what quantities, other formulas and prices there are. */
export async function checked(
  store: Store,
  definition: StoredFormula['definition'],
  others: readonly StoredFormula[],
): Promise<CheckedFormula> {
  const made = new Map(others.map((f) => [f.definition.result.name, f.definition.unit]));
  const prices = new Map((await store.prices.list()).map((s) => [s.name, `${s.currency}/${s.unit}`]));
  return checkFormula(
    definition,
    (quantity) => quantityOf(quantity)?.unit ?? made.get(quantity),
    (series) => prices.get(series),
  );
}

interface Stretch {
  readonly from: number;
  readonly to: number;
}

/** Overlapping and touching stretches as one. */
export function merged(all: readonly Stretch[]): Stretch[] {
  const out: { from: number; to: number }[] = [];
  for (const s of [...all].sort((a, b) => a.from - b.from)) {
    const last = out.at(-1);
    if (last && s.from <= last.to) last.to = Math.max(last.to, s.to);
    else if (s.to > s.from) out.push({ ...s });
  }
  return out;
}

const quantitiesOf = (inputs: readonly FormulaInput[]): string[] => [
  ...new Set(inputs.flatMap((i) => (i.kind === 'price' || i.kind === 'factor' ? [] : [i.quantity]))),
];

/** The local days of [from, to) that must be calculated. */
async function dirty(
  { store, force, scope }: RunOptions,
  { definition, version }: StoredFormula,
  check: CheckedFormula,
  state: FormulaState | undefined,
  zone: string,
  from: number,
  to: number,
): Promise<Stretch[]> {
  if (!state || state.version !== version || force) return [{ from, to }];
  const inputs = Object.values(definition.inputs);
  const changed: Stretch[] = [
    { from, to: Math.min(to, state.from) },
    { from: Math.max(from, state.to), to },
    ...state.incomplete.map((day) => {
      const at = dayOf(zone, day);
      return { from: at, to: add('day', zone, at, 1) };
    }),
  ];
  const { lookBack, wholePeriods } = check.expression;
  const ids = new Set<MeterId>();
  for (const input of inputs) {
    if (input.kind === 'meter') ids.add(input.meter);
    const of = input.kind === 'meters' ? input.of : input.kind === 'self' ? definition.result.each : undefined;
    if (of) for (const m of await membersOf(store, of, { from, to, scope, ratios: false })) ids.add(m.meter);
  }
  const quantities = quantitiesOf(inputs);
  if (ids.size > 0)
    for (const { days } of await store.intervals.changedSince({
      since: state.seenAt,
      from: from - lookBack,
      to,
      meters: [...ids],
      quantities,
    }))
      for (const day of days) changed.push({ from: day, to: day + DAY + lookBack });
  const series = inputs.flatMap((i) => (i.kind === 'price' ? [i.series] : []));
  const repriced = await store.formulas.repricedSince(series, state.seenAt);
  if (repriced) changed.push({ from: repriced.from, to: repriced.to + lookBack });
  const moved = await store.formulas.movedSince(state.seenAt);
  if (moved !== undefined) changed.push({ from: moved, to: Number.MAX_SAFE_INTEGER });
  const days = changed.flatMap((s) => {
    let [a, b] = [Math.max(s.from, from), Math.min(s.to, to)];
    if (a >= b) return [];
    for (const unit of ['day', ...wholePeriods] as const) {
      a = startOf(unit, zone, a);
      b = startOf(unit, zone, b) === b ? b : add(unit, zone, b, 1);
    }
    return [{ from: Math.max(a, from), to: Math.min(b, to) }];
  });
  return merged(days);
}

const dayOf = (zone: string, day: string): number => startOf('day', zone, localToUtc(zone, Date.parse(day)));
const nameOf = (zone: string, at: number): string => new Date(toLocal(zone, at)).toISOString().slice(0, 10);

export async function runFormula(
  asking: RunOptions,
  stored: StoredFormula,
  others: readonly StoredFormula[],
): Promise<RunReport> {
  if (!covers(asking.scope, stored.reads))
    throw new MisuseError(`${stored.name} reads segments that you do not see; who sees them has it calculated`);
  // It reads what who wrote it sees and no more: its result is for whoever sees the formula.
  const options = { ...asking, scope: both(stored.reads, asking.scope) };
  const { store, scope, by, dry = false } = options;
  const { definition, version } = stored;
  const asked = options.now();
  const zone = definition.timeZone ?? options.timeZone;
  const check = await checked(store, definition, others);
  const state = await store.formulas.state(stored.id);
  const today = add('day', zone, asked, 1);
  const begin =
    options.from ??
    (state?.version === version || options.force ? state?.from : undefined) ??
    state?.from ??
    add('day', zone, asked, -(options.days ?? 35));
  const from = startOf('day', zone, begin);
  const end = options.to ?? Math.max(today, state?.to ?? 0);
  const to = startOf('day', zone, end) === end ? end : add('day', zone, end, 1);
  if (!(to > from)) throw new MisuseError('to must come after from');
  if (to - from > MOST_DAYS * DAY) throw new MisuseError(`at most ${MOST_DAYS} days at once`);
  const stretches = dry ? [{ from, to }] : await dirty(options, stored, check, state, zone, from, to);
  const tally = createTally();
  let target: MeterId | undefined;
  if (definition.result.meter !== undefined) {
    target = await store.registry.meterBySerial(definition.result.meter, scope);
    if (target === undefined && !dry)
      throw new MisuseError(`there is no meter ${definition.result.meter}, or not for ${by}`);
  }
  for (const stretch of stretches)
    for (let at = stretch.from; at < stretch.to; ) {
      if (options.signal?.aborted) throw new MisuseError('called off; what was calculated so far is kept');
      const next = Math.min(add('day', zone, at, CHUNK), stretch.to);
      await calculateChunk(options, stored, check, { from: at, to: next, zone, target, tally });
      tally.days += Math.round((next - at) / DAY);
      at = next;
    }
  const whole = Math.round((to - from) / DAY);
  const report: RunReport = {
    formula: stored.name,
    version,
    from,
    to,
    days: tally.days,
    left: whole - tally.days,
    meters: tally.meters.size,
    written: tally.written,
    shares: Object.fromEntries(Object.entries(QUALITY).map(([word, code]) => [word, tally.shares[code] as number])),
    lacking: tally.lacking(),
    lackingMeters: tally.lack.size,
    fitted: [...tally.fitted],
  };
  if (!dry) {
    await keepState(store, stored, state, { from, to, asked, zone, recalculated: stretches, open: tally.open });
    const { formula: _, version: __, from: ___, to: ____, days, meters, written, ...rest } = report;
    await store.formulas.addRun(stored.id, {
      version,
      from,
      to,
      by,
      at: asked,
      meters,
      days,
      written,
      report: { ...rest },
    });
  }
  return report;
}

/** Seen is what was asked for over all that stands; a part alone leaves the rest as unseen as it was. */
async function keepState(
  store: Store,
  { id, version }: StoredFormula,
  before: FormulaState | undefined,
  now: {
    from: number;
    to: number;
    asked: number;
    zone: string;
    recalculated: readonly Stretch[];
    open: ReadonlySet<string>;
  },
): Promise<void> {
  const same = before?.version === version ? before : undefined;
  const touches = same !== undefined && now.from <= same.to && now.to >= same.from;
  const covers = same === undefined || !touches || (now.from <= same.from && now.to >= same.to);
  const again = (day: string): boolean => {
    const at = dayOf(now.zone, day);
    return now.recalculated.some((s) => at >= s.from && at < s.to);
  };
  const kept = touches ? same.incomplete.filter((day) => !again(day)) : [];
  await store.formulas.putState(id, {
    version,
    seenAt: covers ? now.asked : (same as FormulaState).seenAt,
    from: touches ? Math.min(same.from, now.from) : now.from,
    to: touches ? Math.max(same.to, now.to) : now.to,
    incomplete: [...new Set([...kept, ...now.open])].sort().slice(-MOST_OPEN),
  });
}

interface Tally {
  days: number;
  written: number;
  readonly meters: Set<MeterId>;
  readonly shares: number[];
  readonly lack: Map<string, { input: string; meter: string; serial: string; count: number }>;
  readonly fitted: Set<string>;
  readonly open: Set<string>;
  lacks(input: string, meter: string, serial: string, count: number): void;
  lacking(): RunReport['lacking'];
}
function createTally(): Tally {
  const lack: Tally['lack'] = new Map();
  return {
    days: 0,
    written: 0,
    meters: new Set(),
    shares: [0, 0, 0, 0, 0],
    lack,
    fitted: new Set(),
    open: new Set(),
    lacks(input, meter, serial, count) {
      const key = `${input} ${meter}`;
      const own = lack.get(key) ?? { input, meter, serial, count: 0 };
      own.count += count;
      lack.set(key, own);
    },
    lacking: () => [...lack.values()].sort((a, b) => b.count - a.count).slice(0, TOLD),
  };
}

interface Chunk {
  readonly from: number;
  readonly to: number;
  readonly zone: string;
  readonly target: MeterId | undefined;
  readonly tally: Tally;
}

async function calculateChunk(
  options: RunOptions,
  { definition, name, version }: StoredFormula,
  check: CheckedFormula,
  chunk: Chunk,
): Promise<void> {
  const { store, scope, dry = false } = options;
  const { from, to, zone, tally } = chunk;
  const step = definition.period * 1000;
  // What windows look back on, and whole periods around.
  let [first, last] = [from - Math.ceil(check.expression.lookBack / step) * step, to];
  for (const unit of check.expression.wholePeriods) {
    first = Math.min(first, startOf(unit, zone, from));
    last = Math.max(last, add(unit, zone, to - 1, 1));
  }
  const grid = { start: first, step, n: Math.round((last - first) / step) };
  const shared = new Map<string, SeriesInput>();
  for (const [key, input] of Object.entries(definition.inputs)) {
    const intervals = await inputOf(options, key, input, check, grid, tally);
    if (intervals) shared.set(key, { intervals, unit: check.units[key] as string });
  }
  const write = async (
    results: readonly (readonly [MeterId | undefined, ReadonlyMap<string, SeriesInput>])[],
  ): Promise<void> => {
    const rows: SeriesData[] = [];
    for (const [meter, series] of results) {
      const found = calculate(check, { start: grid.start, n: grid.n, zone }, (input) => series.get(input));
      const [a, b] = [(from - first) / step, (to - first) / step];
      const { scaler } = found.intervals;
      const values = found.intervals.values.slice(a, b);
      const quality = found.intervals.quality.slice(a, b);
      for (let i = 0; i < quality.length; i++) {
        const q = quality[i] as number;
        tally.shares[q] = (tally.shares[q] as number) + 1;
        if (q === QUALITY.missing) tally.open.add(nameOf(zone, from + i * step));
        else tally.written++;
      }
      if (meter !== undefined) tally.meters.add(meter);
      options.take?.(meter, { start: from, step, scaler, values, quality });
      if (meter !== undefined)
        rows.push({
          meter,
          register: registerOf(definition, check.unit),
          scaler,
          start: from,
          step,
          values,
          quality: quality as never,
        });
    }
    if (!dry && rows.length > 0)
      await store.intervals.write(rows, {
        source: 'calculation',
        reason: `${name}, version ${version}`,
        at: options.now(),
        replace: true,
      });
  };
  const { each } = definition.result;
  if (each === undefined) return write([[chunk.target, shared]]);
  const members = await membersOf(store, each, { from, to, scope });
  for (let at = 0; at < members.length; at += BATCH) {
    const batch = members.slice(at, at + BATCH);
    const own = new Map<MeterId, Map<string, SeriesInput>>(batch.map((m) => [m.meter, new Map(shared)]));
    for (const [key, input] of Object.entries(definition.inputs)) {
      if (input.kind !== 'self') continue;
      const unit = check.units[key] as string;
      const seen = new Set<MeterId>();
      await store.intervals.read(
        batch.map((m) => m.meter),
        { quantity: input.quantity, from: grid.start, to: grid.start + grid.n * step },
        (found) => {
          checkUnit(key, found, unit);
          seen.add(found.meter);
          const member = batch.find((m) => m.meter === found.meter) as Belonging;
          own.get(found.meter)?.set(key, { intervals: input.ratios ? multiplied(found, member) : found, unit });
        },
      );
      for (const m of batch)
        if (!seen.has(m.meter)) {
          tally.lacks(key, m.meter, m.serial, grid.n);
          own.get(m.meter)?.set(key, { intervals: nothing(grid), unit });
        }
    }
    await write([...own]);
  }
}

/** Calculated profiles have no code of their own; standard ones have theirs. */
function registerOf(definition: StoredFormula['definition'], unit: string): RegisterKey {
  const standard = quantityOf(definition.result.name);
  return {
    ...(standard ? { obis: standard.obis } : {}),
    address: INTERVAL_ADDRESS,
    name: definition.result.name,
    ...(unit === '' ? {} : { unit: unit as Unit }),
    period: definition.period,
  };
}

const nothing = ({ start, step, n }: { start: number; step: number; n: number }): Intervals => ({
  start,
  step,
  scaler: 0,
  values: new Float64Array(n).fill(Number.NaN),
  quality: new Uint8Array(n).fill(QUALITY.missing),
});

function checkUnit(input: string, { unit, meter }: MeterIntervals, wanted: string): void {
  if (unit !== null && unit !== wanted)
    throw new MisuseError(`input ${input}: meter ${meter} has ${unit}, the formula was checked with ${wanted}`);
}

/** Times the ratios of measuring transformers as they held; what was outside of all spans is as it was. */
function multiplied(found: MeterIntervals, { spans }: Belonging): Intervals {
  if (spans.every((s) => s.numerator === s.denominator)) return found;
  const digits = spans.every((s) => s.numerator % s.denominator === 0) ? 0 : 3;
  const values = new Float64Array(found.values.length);
  for (let i = 0; i < values.length; i++) {
    const at = found.start + i * found.step;
    const span = spans.find((s) => at >= s.from && at < s.to);
    values[i] = Math.round(
      ((found.values[i] as number) * 10 ** digits * (span?.numerator ?? 1)) / (span?.denominator ?? 1),
    );
  }
  return { start: found.start, step: found.step, scaler: found.scaler - digits, values, quality: found.quality };
}

/** One input over the grid; undefined for `self`, which every meter has for itself. */
async function inputOf(
  { store, scope }: RunOptions,
  key: string,
  input: FormulaInput,
  check: CheckedFormula,
  grid: { readonly start: number; readonly step: number; readonly n: number },
  tally: Tally,
): Promise<Intervals | undefined> {
  const { start, step, n } = grid;
  const to = start + n * step;
  const unit = check.units[key] as string;
  if (input.kind === 'self') return undefined;
  if (input.kind === 'factor')
    return factorSeries(
      input.values.map((v) => ({ from: Date.parse(v.from), value: Number(v.value) })),
      grid,
    );
  if (input.kind === 'price') {
    const found = await store.prices.read(input.series, { from: start, to, step });
    if (!found) throw new MisuseError(`input ${key}: there is no series of prices ${input.series}`);
    const lacks = found.values.reduce((count, v) => count + (Number.isNaN(v) ? 1 : 0), 0);
    if (lacks > 0) tally.lacks(key, input.series, input.series, lacks);
    return {
      start,
      step,
      scaler: found.scaler,
      values: found.values,
      quality: Uint8Array.from(found.values, (v) => (Number.isNaN(v) ? QUALITY.missing : 0)),
    };
  }
  const members =
    input.kind === 'meter'
      ? await store.balance.belonging({ meters: [input.meter] }, { from: start, to, scope, ratios: input.ratios })
      : await membersOf(store, input.of, { from: start, to, scope, ratios: input.ratios });
  if (input.kind === 'meter') {
    const [member] = members;
    if (!member) throw new MisuseError(`input ${key}: there is no meter ${input.meter}, or not for who asks`);
    const found = await store.intervals.one(input.meter, { quantity: input.quantity, from: start, to });
    if (!found) {
      tally.lacks(key, member.meter, member.serial, n);
      return nothing(grid);
    }
    checkUnit(key, found, unit);
    return multiplied(found, member);
  }
  const source = input.combine === 'count' ? (quantityOf(input.quantity)?.unit ?? input.unit ?? '') : unit;
  const combiner = createCombiner({
    name: key,
    unit: source,
    ...grid,
    combine: input.combine,
    missing: input.missing,
    spread: input.spread,
  });
  const byId = new Map(members.map((m) => [m.meter, m]));
  const seen = new Set<MeterId>();
  for (let at = 0; at < members.length; at += BATCH)
    await store.intervals.read(
      members.slice(at, at + BATCH).map((m) => m.meter),
      { quantity: input.quantity, from: start, to },
      (found) => {
        if (input.combine !== 'count') checkUnit(key, found, unit);
        seen.add(found.meter);
        combiner.add(found.meter, (byId.get(found.meter) as Belonging).spans, found);
      },
    );
  for (const m of members) if (!seen.has(m.meter)) combiner.add(m.meter, m.spans, undefined);
  const combined = combiner.result();
  for (const { id, count } of combined.lacking) tally.lacks(key, id, byId.get(id)?.serial ?? id, count);
  for (const words of combined.fitted) tally.fitted.add(words);
  return combined.intervals;
}
