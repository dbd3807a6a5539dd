/**
 * What is to be validated, and out of what: days whose blocks or rules are others than those that the state of the day was made
 * with, with the values that the kernels need.
 *
 * Decides: a UTC day counts as changed when version or count of its block, the source, or the rules differ; then the local days that it
 * touches are validated, and the last interval before it (a register differs up to its next showing), and estimates that were made of
 * them. A day that is not over is settled as such, so that it is looked at again when it is. Only headers are read to find that out.
 * Leaves out: which rules hold (asked), what the values mean (compute).
 */
import { zoneOffset } from '@amiable/calendar';
import { dependents, type Estimate, type Intervals, type Span } from '@amiable/compute';
import { intervalRegister, type Quantity } from '@amiable/model';
import { unpackDay } from '../codec/block.ts';
import { MISSING } from '../codec/quality.ts';
import { copyOut } from '../pg/copy.ts';
import type { Client, Database } from '../pg/database.ts';
import type { Registers } from '../registers.ts';
import { validationSql } from '../sql/validation.ts';
import type { MeterId, RegisterKey } from '../types.ts';
import { midnightAfter, midnightBefore } from './midnights.ts';
import {
  type ByRegister,
  type Filling,
  factorOf,
  fillingOf,
  put,
  type Row,
  readInto,
  seriesOf,
  within,
} from './reading.ts';
import { type Candidate, candidatesOf, chooseSource, type Headers, type Source } from './sources.ts';
import type { PlanQuery, RulesHeld, ValidatedMeter, ValidationTask } from './types.ts';

const DAY = 86_400_000;
const CONTEXT = 28;
/** So far behind what is validated again an estimate may depend on it. */
const AFTER = 7 * DAY;
const dayOf = (time: number): number => Math.floor(time / DAY);

interface State {
  readonly source: number;
  readonly version: number;
  readonly count: number;
  /** How much of the day was looked at, ms. */
  readonly until: number;
  readonly ruleSet: number;
  readonly rulesVersion: number;
  /** Intervals that were neither there nor estimated. */
  readonly missing: number;
}

/** A task without its values. */
interface Draft {
  readonly meter: ValidatedMeter;
  readonly quantity: Quantity;
  readonly rules: RulesHeld;
  readonly source: Source;
  readonly showings: Source | undefined;
  readonly register: number;
  readonly from: number;
  readonly to: number;
  readonly context: number;
  readonly end: number;
  /** UTC day from which on the source is read. */
  readonly first: number;
  /** Whether there is a metering to compare with. */
  readonly validated: boolean;
  readonly days: Int32Array;
}

/** One object for equal registers: the store looks it up by what stands in it. */
const keys = new Map<string, RegisterKey>();
export function meteringKey(quantity: Quantity, period: number): RegisterKey {
  const name = `${quantity.name} ${period}`;
  const key = keys.get(name) ?? intervalRegister(quantity, period);
  keys.set(name, key);
  return key;
}

export interface PlanParts {
  readonly db: Database;
  readonly registers: Registers;
}

export async function planValidation(parts: PlanParts, query: PlanQuery): Promise<ValidationTask[]> {
  const { db, registers } = parts;
  const { meters, quantities, from, to } = query;
  if (meters.length === 0 || !(from < to)) return [];
  await registers.load();
  const ids = meters.map((meter) => meter.id);
  const candidates = new Map(quantities.map((quantity) => [quantity, candidatesOf(registers, quantity)]));
  const all = [...new Set([...candidates.values()].flat().map((c) => c.register))];
  if (all.length === 0) return [];
  const back = query.context ?? CONTEXT;
  const [first, last] = [dayOf(from) - back, dayOf(Math.max(to, query.open ?? to) - 1)];
  // Headers and states answer what changed; a value is read only where something did.
  const headers = await db.read((client) => readHeaders(client, ids, all, first, last + 1));
  const chosen = new Map<string, { readonly source: Source; readonly showings: Source | undefined }>();
  const meterings: RegisterKey[] = [];
  for (const { id } of meters)
    for (const [quantity, list] of candidates) {
      const own = headers.get(id);
      const found = own && chooseSource(list as readonly Candidate[], own);
      if (!found) continue;
      chosen.set(`${id} ${quantity.name}`, found);
      meterings.push(meteringKey(quantity, found.source.period));
    }
  const wanted = [...new Set(meterings)];
  if (wanted.length === 0) return [];
  const made = await registers.ensure(wanted);
  const registerOf = new Map(wanted.map((key, i) => [key, made[i] as number]));
  const states = await db.read((client) => readStates(client, ids, made, first, last));

  const meteringsOf: Metering[] = [];
  for (const meter of meters)
    for (const quantity of quantities) {
      const found = chosen.get(`${meter.id} ${quantity.name}`);
      const rules = found && query.rulesOf(meter, quantity);
      if (!found || !rules) continue;
      const register = registerOf.get(meteringKey(quantity, found.source.period)) as number;
      const own = states.get(meter.id)?.get(register) ?? new Map<number, State>();
      const metering = meteringOf({ meter, quantity, rules, register, ...found }, own, query);
      if (metering && metering.spans.length > 0) meteringsOf.push(metering);
    }
  await widen(db, meteringsOf, back);
  const drafts = meteringsOf.flatMap((metering) => draftsOf(metering, back));
  if (drafts.length === 0) return [];
  return db.read((client) => fill(client, drafts));
}

export async function readHeaders(
  client: Client,
  meters: readonly MeterId[],
  registers: readonly number[],
  first: number,
  last: number,
): Promise<ByRegister<Headers>> {
  const found: ByRegister<Headers> = new Map();
  const make = (): Headers => ({ days: [], starts: [], steps: [], places: [], counts: [], versions: [] });
  // Rows come in order: one series after the other.
  let [meter, register] = [-1, -1];
  let own = make();
  await copyOut(client, validationSql.copyHeaders(meters, registers, first, last), (row) => {
    const id = row.long();
    const of = row.int();
    if (id !== meter || of !== register) own = within(found, String(id), of, make);
    meter = id;
    register = of;
    own.days.push(row.date());
    own.starts.push(row.int());
    own.steps.push(row.int());
    own.places.push(row.int());
    own.counts.push(row.int());
    own.versions.push(row.short());
  });
  return found;
}

async function readStates(
  client: Client,
  meters: readonly MeterId[],
  registers: readonly number[],
  first: number,
  last: number,
): Promise<ByRegister<Map<number, State>>> {
  const found: ByRegister<Map<number, State>> = new Map();
  const make = (): Map<number, State> => new Map();
  let [meter, register] = [-1, -1];
  let own = make();
  await copyOut(client, validationSql.copyStates(meters, registers, first, last), (row) => {
    const id = row.long();
    const of = row.int();
    if (id !== meter || of !== register) own = within(found, String(id), of, make);
    meter = id;
    register = of;
    own.set(row.date(), {
      source: row.int(),
      version: row.short(),
      count: row.int(),
      until: row.int(),
      ruleSet: row.int(),
      rulesVersion: row.int(),
      missing: row.int(),
    });
  });
  return found;
}

/** Estimates that were made of days which are others now are made again, and gaps of which none could be made are tried again. */
async function widen(db: Database, meterings: readonly Metering[], back: number): Promise<void> {
  const touched = meterings.filter((metering) => metering.late.length > 0);
  if (touched.length === 0) return;
  const from = touched.reduce((t, metering) => Math.min(t, metering.begin), Number.POSITIVE_INFINITY);
  const to = touched.reduce((t, metering) => Math.max(t, metering.end), 0);
  const { rows } = await db.read((client) =>
    client.query(validationSql.estimatesOf, [
      [...new Set(touched.map((metering) => metering.meter.id))],
      [...new Set(touched.map((metering) => metering.register))],
      new Date(from).toISOString(),
      new Date(to).toISOString(),
    ]),
  );
  const made: ByRegister<Estimate[]> = new Map();
  for (const row of rows as {
    meter: string;
    register: number;
    from_ms: number;
    to_ms: number;
    method: Estimate['method'];
    scaled: boolean;
    inputs: Estimate['inputs'];
  }[])
    within<Estimate[]>(made, row.meter, row.register, () => []).push({
      from: row.from_ms,
      to: row.to_ms,
      method: row.method,
      scaled: row.scaled,
      sentence: '',
      inputs: row.inputs,
    });
  for (const metering of touched) {
    const own = made.get(metering.meter.id)?.get(metering.register) ?? [];
    const { begin, end, late, states, meter } = metering;
    const open: Span[] = [];
    for (const [day, { missing }] of states) {
      const span = { from: Math.max(begin, day * DAY), to: Math.min(end, (day + 1) * DAY) };
      if (missing > 0 && span.from < span.to) open.push(span);
    }
    metering.spans = [...metering.spans, ...dependents(own, late, meter.zone, back * DAY, open)];
  }
}

interface Chosen {
  readonly meter: ValidatedMeter;
  readonly quantity: Quantity;
  readonly rules: RulesHeld;
  readonly register: number;
  readonly source: Source;
  readonly showings: Source | undefined;
}

/** One metering: when it lives, what of it changed. */
interface Metering extends Chosen {
  readonly states: ReadonlyMap<number, State>;
  readonly begin: number;
  readonly end: number;
  readonly since: number;
  /** Version and count of the block of a day; zeros where there is none. */
  readonly madeOf: (day: number) => readonly [version: number, count: number];
  readonly changed: (day: number) => boolean;
  /** Whole days that were validated and are others now: what depends on them is made anew. */
  readonly late: readonly Span[];
  spans: readonly Span[];
}

function meteringOf(chosen: Chosen, states: ReadonlyMap<number, State>, query: PlanQuery): Metering | undefined {
  const { meter, rules, source } = chosen;
  const { headers } = source;
  const { since, until, last } = lifeOf(meter, source, states);
  const begin = Math.max(query.from, since);
  // Of a day that is not over only what is there already.
  const open = query.open === undefined || last <= query.to ? query.to : Math.min(query.open, last);
  const end = Math.min(Math.max(query.to, open), until);
  if (!(begin < end)) return undefined;
  const madeOf = (day: number): readonly [number, number] => {
    const i = placeOf(headers.days, day);
    return i < 0 ? NONE : [headers.versions[i] as number, headers.counts[i] as number];
  };
  const changed = (day: number): boolean => {
    const state = states.get(day);
    if (state === undefined) return true;
    const [version, count] = madeOf(day);
    return (
      state.source !== source.register ||
      state.version !== version ||
      state.until !== Math.min(DAY, end - day * DAY) ||
      state.count !== count ||
      state.ruleSet !== rules.ruleSet ||
      state.rulesVersion !== rules.version
    );
  };
  const step = source.period * 1000;
  const spans: Span[] = [];
  const late: Span[] = [];
  // A day of which the asked time has only the end is settled by who asks for all of it; one whose life begins in it is whole.
  const firstDay = begin > query.from ? dayOf(begin) : Math.ceil(begin / DAY);
  for (let day = firstDay; day <= dayOf(end - 1); day++) {
    if (!(query.again || changed(day))) continue;
    const from = Math.max(begin, midnightBefore(meter.zone, day * DAY - step));
    const to = Math.min(end, midnightAfter(meter.zone, (day + 1) * DAY - 1));
    if (!(from < to)) continue;
    spans.push({ from, to });
    const state = states.get(day);
    if (state?.until === DAY && changed(day)) late.push({ from, to });
  }
  // Within one UTC day there is none that could be settled: it is looked at each time.
  if (firstDay > dayOf(end - 1)) spans.push({ from: begin, to: end });
  return { ...chosen, states, begin, end, since, madeOf, changed, late, spans };
}

const NONE = [0, 0] as const;

/** Index of a day among rising ones; -1: it is not there. Mostly none lacks, and the place is known. */
function placeOf(days: readonly number[], day: number): number {
  const at = day - (days[0] as number);
  if (at >= 0 && days[at] === day) return at;
  let low = 0;
  let high = days.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((days[middle] as number) < day) low = middle + 1;
    else high = middle;
  }
  return days[low] === day ? low : -1;
}

/** Joins spans that lie a day apart or closer, and keeps them within life. */
function merged(spans: readonly Span[], begin: number, end: number): Span[] {
  const out: { from: number; to: number }[] = [];
  for (const span of [...spans].sort((a, b) => a.from - b.from)) {
    const [from, to] = [Math.max(begin, span.from), Math.min(end, span.to)];
    if (!(from < to)) continue;
    const before = out.at(-1);
    if (before && from <= before.to + DAY) before.to = Math.max(before.to, to);
    else out.push({ from, to });
  }
  return out;
}

function draftsOf(metering: Metering, back: number): Draft[] {
  const { meter, begin, end, since, states, madeOf } = metering;
  return merged(metering.spans, begin, end).map(({ from, to }) => {
    const settled: number[] = [];
    for (let day = dayOf(from); day <= dayOf(to - 1); day++) {
      const isFirst = day * DAY < from;
      const isLast = (day + 1) * DAY > to;
      if ((isFirst && (from > begin || begin > since)) || (isLast && to < end)) continue;
      const [version, count] = madeOf(day);
      settled.push(day, version, count, Math.min(DAY, end - day * DAY));
    }
    const contextDay = dayOf(from) - back;
    let validated = false;
    for (let day = contextDay; day <= dayOf(to + AFTER) && !validated; day++) validated = states.has(day);
    let compared = false;
    for (let day = contextDay; day < dayOf(from) && !compared; day++) compared = states.has(day);
    return {
      ...metering,
      from,
      to,
      // Before its life there is nothing to lack.
      context: Math.min(from, Math.max(since, midnightBefore(meter.zone, from - back * DAY))),
      end: validated ? Math.min(end, to + AFTER) : to,
      first: compared ? dayOf(from) - 1 : contextDay,
      validated,
      days: Int32Array.from(settled),
    };
  });
}

/**
 * From when to when a meter should have values, on the grid: from its first value or its first stay on, whichever is later; where it was
 * validated before, from then on.
 * @returns `last`: up to when there are values
 */
function lifeOf(
  { installed, zone }: ValidatedMeter,
  { headers, kind, period }: Source,
  states: ReadonlyMap<number, State>,
): { readonly since: number; readonly until: number; readonly last: number } {
  const step = period * 1000;
  const { days, starts, steps, places } = headers;
  const first = days[0] as number;
  // Zones of half and quarter hours have grids of their own.
  const shift = zoneOffset(zone, first * DAY) % step;
  const up = (time: number): number => Math.ceil((time + shift) / step) * step - shift;
  const down = (time: number): number => Math.floor((time + shift) / step) * step - shift;
  let known = first;
  for (const day of states.keys()) known = Math.min(known, day);
  // A register counts from its first showing on; an interval stands before its stamp.
  const value = up(first * DAY + (starts[0] as number)) - (kind === 'register' ? 0 : step);
  const heard = known < first ? known * DAY : value;
  const stay = installed?.[0]?.from;
  const end = installed?.at(-1)?.to ?? null;
  const i = days.length - 1;
  const last = (days[i] as number) * DAY + (starts[i] as number) + ((places[i] as number) - 1) * (steps[i] as number);
  return {
    since: stay === undefined ? heard : Math.max(heard, up(stay)),
    until: end === null ? Number.POSITIVE_INFINITY : down(end),
    last: down(last),
  };
}

interface Storing {
  readonly first: number;
  readonly last: number;
  readonly start: number;
  readonly step: number;
  values: Float64Array;
  quality: Uint8Array;
  scaler: number | undefined;
}

/** Reads the values of drafts in one go. */
async function fill(client: Client, drafts: readonly Draft[]): Promise<ValidationTask[]> {
  const sent: ByRegister<Filling[]> = new Map();
  const kept: ByRegister<Storing[]> = new Map();
  const made = drafts.map((draft) => {
    const last = dayOf(draft.end) + 1;
    const own = fillingOf(draft.source.headers, draft.first, last);
    within<Filling[]>(sent, draft.meter.id, draft.source.register, () => []).push(own);
    const shown = draft.showings && fillingOf(draft.showings.headers, draft.first, last);
    if (shown && draft.showings) within<Filling[]>(sent, draft.meter.id, draft.showings.register, () => []).push(shown);
    let stored: Storing | undefined;
    if (draft.validated) {
      const step = draft.source.period * 1000;
      const n = Math.max(0, Math.ceil((draft.end - draft.context) / step));
      stored = {
        first: dayOf(draft.context),
        last: dayOf(draft.end - 1),
        start: draft.context,
        step,
        values: new Float64Array(n).fill(Number.NaN),
        quality: new Uint8Array(n).fill(MISSING),
        scaler: undefined,
      };
      within<Storing[]>(kept, draft.meter.id, draft.register, () => []).push(stored);
    }
    return { draft, own, shown, stored };
  });
  await readInto(client, sent, (filling, row) => {
    for (const one of filling) if (row.day >= one.first && row.day <= one.last) put(one, row);
  });
  await readInto(client, kept, (storing, row) => {
    for (const one of storing) if (row.day >= one.first && row.day <= one.last) lay(one, row);
  });
  const accepted = await readAccepted(client, drafts);
  return made.map(({ draft, own, shown, stored }) => ({
    meter: draft.meter.id,
    quantity: draft.quantity.name,
    zone: draft.meter.zone,
    period: draft.source.period,
    kind: draft.source.kind,
    source: draft.source.register,
    register: draft.register,
    rules: draft.rules,
    from: draft.from,
    to: draft.to,
    context: draft.context,
    end: draft.end,
    sent: seriesOf(own),
    ...(shown ? { showings: seriesOf(shown) } : {}),
    stored: stored && intervalsOf(stored),
    accepted: (accepted.get(draft.meter.id)?.get(draft.register) ?? []).filter(
      (span) => span.to > draft.from && span.from < draft.to,
    ),
    days: draft.days,
  }));
}

function lay(into: Storing, row: Row): void {
  into.scaler ??= row.scaler;
  const factor = factorOf(into, row.scaler);
  const day = unpackDay({ ...row, v: row.data.subarray(row.from, row.to) });
  for (let i = 0; i < day.values.length; i++) {
    const place = (row.day * DAY + (day.times[i] as number) - into.start) / into.step;
    if (place < 0 || place >= into.values.length || !Number.isInteger(place)) continue;
    into.values[place] = (day.values[i] as number) * factor;
    into.quality[place] = day.quality?.[i] ?? 0;
  }
}

const intervalsOf = ({ start, step, values, quality, scaler }: Storing): Intervals => ({
  start,
  step,
  scaler: scaler ?? 0,
  values,
  quality,
});

async function readAccepted(
  client: Client,
  drafts: readonly Draft[],
): Promise<ByRegister<{ rule: string; from: number; to: number }[]>> {
  const found: ByRegister<{ rule: string; from: number; to: number }[]> = new Map();
  const meters = [...new Set(drafts.filter((draft) => draft.validated).map((draft) => draft.meter.id))];
  if (meters.length === 0) return found;
  const from = drafts.reduce((t, draft) => Math.min(t, draft.from), Number.POSITIVE_INFINITY);
  const to = drafts.reduce((t, draft) => Math.max(t, draft.to), 0);
  const { rows } = await client.query(validationSql.accepted, [
    meters,
    [...new Set(drafts.map((draft) => draft.register))],
    new Date(from).toISOString(),
    new Date(to).toISOString(),
  ]);
  for (const row of rows as { meter: MeterId; register: number; rule: string; from_ms: number; to_ms: number }[])
    within<{ rule: string; from: number; to: number }[]>(found, row.meter, row.register, () => []).push({
      rule: row.rule,
      from: row.from_ms,
      to: row.to_ms,
    });
  return found;
}
