/**
 * Energy by local hour, day or month: the difference of what the register showed at a bucket's two ends. Where no register
 * tells (the hour that runs, a meter that sends none) it is the integral of the mean power, and says `calculated`. The
 * bucket in which a meter was first heard counts from there and is `missing`, with a value: it is not whole.
 */
import { add, startOf } from '@amiable/calendar';
import { integratePower, registerEnergy } from '@amiable/compute';
import type { Energy, Media, Medium } from '@amiable/model';
import type { Client } from '../pg/database.ts';
import type { Register } from '../registers.ts';
import type { MeterId } from '../types.ts';
import { DAY, join, readValues, type ValueParts, type Values } from './values.ts';

const MAX_BUCKETS = 10_000;
/** A mean of a quarter of an hour holds so long; so does a sample before a gap. */
const HOLD = 900_000;
/** Means of a minute are read for spans so long; of quarters of an hour for longer ones. */
const MINUTES_SPAN = 40 * DAY;
const MINUTE = 60_000;

type Bucket = Energy['buckets'][number];
interface Part {
  readonly value: number | null;
  readonly quality: Bucket['quality'];
}

export async function readEnergy(
  parts: ValueParts,
  client: Client,
  meter: MeterId,
  bucket: Energy['bucket'],
  from: number,
  to: number,
  zone: string,
): Promise<Energy> {
  const bounds = boundsOf(bucket, from, to, zone);
  const taken = await direction(parts, client, meter, '1.8.0', '1.7.0', bounds);
  const given = await direction(parts, client, meter, '2.8.0', '2.7.0', bounds);
  const total = (all: readonly Part[]): number | null =>
    all.reduce<number | null>((sum, p) => (p.value === null ? sum : (sum ?? 0) + p.value), null);
  return {
    meter,
    bucket,
    timeZone: zone,
    buckets: taken.map((t, i) => ({
      start: bounds[i] as number,
      end: bounds[i + 1] as number,
      import: t.value,
      export: given[i]?.value ?? null,
      quality: t.quality,
    })),
    import: total(taken),
    export: total(given),
  };
}

function boundsOf(bucket: Energy['bucket'], from: number, to: number, zone: string): number[] {
  if (!(to > from)) throw new RangeError('`to` lies before `from`');
  const bounds = [startOf(bucket, zone, from)];
  while ((bounds.at(-1) as number) < to) {
    bounds.push(add(bucket, zone, bounds.at(-1) as number, 1));
    if (bounds.length > MAX_BUCKETS + 1)
      throw new RangeError(`more than ${MAX_BUCKETS} buckets; ask for a shorter time or longer buckets`);
  }
  return bounds;
}

/**
 * What was taken of gas, water and heat by local hour, day or month: those of devices on a channel of an electricity meter
 * (0-n:24.2.1) and those of M-Bus meters. A counter that gave nothing in the time is left out.
 */
export async function readMedia(
  parts: ValueParts,
  client: Client,
  meter: MeterId,
  bucket: Energy['bucket'],
  from: number,
  to: number,
  zone: string,
): Promise<Media> {
  const bounds = boundsOf(bucket, from, to, zone);
  const first = bounds[0] as number;
  const last = bounds.at(-1) as number;
  const media: Medium[] = [];
  for (const register of [...parts.registers.all()].filter(isMedium)) {
    const run = await longestOf(parts, client, meter, [register], first - 2 * DAY, last + DAY, [900]);
    if (!run) continue;
    // A counter that is read once an hour says at its last reading how far it goes.
    const until = run.times.at(-1) as number;
    if (until <= first) continue;
    const parted = registerEnergy(
      run.times,
      run.values,
      bounds.map((b) => Math.min(b, until)),
      { first: true },
    );
    const decimals = (value: number): number => Math.round(value * 1e6) / 1e6;
    const buckets = parted.map((b, i) => {
      const start = bounds[i] as number;
      const known = start < until ? b.value : null;
      return {
        start,
        end: bounds[i + 1] as number,
        value: known === null ? null : decimals(known),
        quality: known === null ? ('missing' as const) : b.quality,
      };
    });
    media.push({
      ...(register.obis === undefined ? {} : { obis: register.obis }),
      name: register.name,
      unit: register.unit as string,
      ...(register.channel === undefined ? {} : { channel: register.channel }),
      value: run.values.at(-1) as number,
      time: new Date(until).toISOString(),
      buckets,
      total: buckets.reduce<number | null>((sum, b) => (b.value === null ? sum : decimals((sum ?? 0) + b.value)), null),
    });
  }
  media.sort((a, b) => (a.channel ?? 0) - (b.channel ?? 0) || a.name.localeCompare(b.name));
  return { meter, bucket, timeZone: zone, media };
}

/** Volume or heat that only grows, the value of now and of all rates together. */
function isMedium(r: Register): boolean {
  if (r.period !== 0 || (r.unit !== 'm3' && r.unit !== 'J')) return false;
  if ((r.storage ?? 0) !== 0 || (r.tariff ?? 0) !== 0 || (r.subunit ?? 0) !== 0) return false;
  if (r.function !== undefined && r.function !== 'instantaneous') return false;
  if (r.obis === undefined) return /^(volume|energy|heat)$|(Volume|Energy)$/.test(r.name);
  return /^0-\d+:24\.2\.\d+/.test(r.obis) || /^[5-9]-\d+:[13]\.0\.0/.test(r.obis);
}

async function direction(
  parts: ValueParts,
  client: Client,
  meter: MeterId,
  register: string,
  power: string,
  bounds: readonly number[],
): Promise<Part[]> {
  const first = bounds[0] as number;
  const last = bounds.at(-1) as number;
  // One reading before and after is enough to know what the register showed at the ends.
  const shown =
    (await longest(parts, client, meter, register, first - 2 * DAY, last + DAY)) ??
    (await ofRates(parts, client, meter, register, first - 2 * DAY, last + DAY));
  const lastShown = shown?.times.at(-1) ?? Number.NEGATIVE_INFINITY;
  const needsPower =
    !shown || lastShown < last || registerEnergy(shown.times, shown.values, bounds).some((b) => b.value === null);
  const fine = last - first <= MINUTES_SPAN ? [900, 60] : [900];
  const watts = needsPower ? await longest(parts, client, meter, power, first, last + HOLD, fine) : undefined;
  const lastPower = watts?.until ?? Number.NEGATIVE_INFINITY;
  const out: Part[] = [];
  const times = shown ? Array.from(shown.times) : [];
  const values = shown ? Array.from(shown.values) : [];
  const firstShown = times[0] ?? Number.POSITIVE_INFINITY;
  const firstPower = watts ? beginOf(watts) : Number.POSITIVE_INFINITY;
  // A mean is stamped with the begin of its time, and the meter was heard some time within it.
  const powerBefore = firstShown - firstPower > (fine.length > 1 ? MINUTE : HOLD);
  // What the register would have shown before its first reading (one that is sent each hour), by the power until then.
  if (shown && watts && powerBefore) {
    const ends = [firstPower, ...bounds.filter((b) => b > firstPower && b < firstShown), firstShown];
    const steps = integratePower(watts.times, watts.values, ends, HOLD, 0.5);
    const before: { time: number; value: number }[] = [];
    let value = values[0] as number;
    for (let i = steps.length - 1; i >= 0 && steps[i] !== null; i--) {
      value -= steps[i] as number;
      before.unshift({ time: ends[i] as number, value });
    }
    times.unshift(...before.map((b) => b.time));
    values.unshift(...before.map((b) => b.value));
  }
  // What the register would show after its last reading, by the power since.
  if (shown && watts && lastPower > lastShown) {
    const ends = [lastShown, ...bounds.filter((b) => b > lastShown && b < lastPower), lastPower];
    const steps = integratePower(watts.times, watts.values, ends, HOLD, 0.5);
    for (let i = 0; i < steps.length && steps[i] !== null; i++) {
      times.push(ends[i + 1] as number);
      values.push((values.at(-1) as number) + (steps[i] as number));
    }
  }
  const known = times.at(-1) ?? Number.NEGATIVE_INFINITY;
  const clipped = bounds.map((b) => Math.min(b, Math.max(known, first)));
  const byRegister = registerEnergy(times, values, clipped, { first: true });
  const until = bounds.map((b) => Math.min(b, Math.max(lastPower, first)));
  const byPower = watts ? integratePower(watts.times, watts.values, until, HOLD) : [];
  for (let i = 0; i + 1 < bounds.length; i++) {
    const start = bounds[i] as number;
    const r = byRegister[i];
    const end = bounds[i + 1] as number;
    const p = start < lastPower ? (byPower[i] ?? null) : null;
    const part = r !== undefined && r.quality === 'missing';
    // Power that was there for (nearly) all of it tells more than a register that came later.
    if (start < known && r && r.value !== null && !(part && powerBefore && p !== null)) {
      const byPowerToo = start < firstShown || (clipped[i + 1] as number) > lastShown;
      out.push({ value: Math.round(r.value), quality: part || !byPowerToo ? r.quality : 'calculated' });
    } else if (p !== null) out.push({ value: Math.round(p), quality: 'calculated' });
    else {
      const heard = watts && start < firstPower && firstPower < end ? [firstPower, until[i + 1] as number] : [];
      const some = watts && heard.length > 0 ? integratePower(watts.times, watts.values, heard, HOLD)[0] : null;
      out.push({ value: some == null ? null : Math.round(some), quality: 'missing' });
    }
  }
  return out;
}

/** When a meter's power was first heard: the mean of a quarter begins before that of the first minute in it. */
function beginOf({ times }: Run): number {
  const first = times[0] as number;
  const second = times[1];
  return first % HOLD === 0 && second !== undefined && second - first < HOLD ? second : first;
}

/** Values, and the time up to which they tell something. */
interface Run extends Values {
  readonly until: number;
}

/** Meters that count by rate alone (1.8.1, 1.8.2, as Dutch and Belgian ones do): the sum where all of them tell. */
async function ofRates(
  parts: ValueParts,
  client: Client,
  meter: MeterId,
  register: string,
  from: number,
  to: number,
): Promise<Run | undefined> {
  const runs: Run[] = [];
  for (const rate of [1, 2, 3, 4]) {
    const run = await longest(parts, client, meter, register.replace(/0$/, String(rate)), from, to);
    if (run) runs.push(run);
  }
  const [first, ...others] = runs;
  if (!first || others.length === 0) return first;
  const sums = new Map(Array.from(first.times, (t, i) => [t, first.values[i] as number]));
  const counted = new Map(Array.from(first.times, (t) => [t, 1]));
  for (const other of others)
    other.times.forEach((t, i) => {
      if (!sums.has(t)) return;
      sums.set(t, (sums.get(t) as number) + (other.values[i] as number));
      counted.set(t, (counted.get(t) as number) + 1);
    });
  const whole = [...sums].filter(([t]) => counted.get(t) === runs.length);
  if (whole.length === 0) return undefined;
  return {
    times: Float64Array.from(whole, ([t]) => t),
    values: Float64Array.from(whole, ([, value]) => value),
    worst: Math.max(...runs.map((run) => run.worst)),
    until: Math.min(...runs.map((run) => run.until)),
  };
}

/** Of the registers of a short code, the one with most values: as sent where that is coarse, else of stored periods. */
async function longest(
  parts: ValueParts,
  client: Client,
  meter: MeterId,
  short: string,
  from: number,
  to: number,
  periods: readonly number[] = [900],
): Promise<Run | undefined> {
  const sources = [...parts.registers.all()].filter((r) => r.short === short && r.period === 0);
  return longestOf(parts, client, meter, sources, from, to, periods);
}

async function longestOf(
  parts: ValueParts,
  client: Client,
  meter: MeterId,
  sources: readonly Register[],
  from: number,
  to: number,
  periods: readonly number[],
): Promise<Run | undefined> {
  const { registers } = parts;
  const families = sources.map((source) => ({
    source,
    derived: periods.flatMap((period) => {
      const found = registers.derived(source.id, period, 'value') ?? registers.derived(source.id, period, 'mean');
      return found ? [found] : [];
    }),
  }));
  // What only grows counts from its first value as sent, not from the quarter after it.
  const growing = new Set(families.filter((f) => f.derived.some((d) => d.stat === 'value')).map((f) => f.source.id));
  const ids = families.flatMap((f) => [f.source.id, ...f.derived.map((d) => d.id)]);
  const found = await readValues(parts, client, meter, ids, from, to, true, growing);
  let best: Run | undefined;
  for (const { source, derived } of families) {
    let joined: Values | undefined;
    let until = Number.NEGATIVE_INFINITY;
    for (const register of [...derived, source]) {
      const values = found.get(register.id);
      if (!values) continue;
      joined = join(joined, values);
      const holds = register.stat === 'mean' ? register.period * 1000 : 0;
      // The finest of the last values tells best how far it goes.
      const end = (values.times.at(-1) as number) + holds;
      until = holds === 900_000 || end > until - 900_000 ? end : until;
    }
    if (joined && joined.times.length > (best?.times.length ?? 0)) best = { ...joined, until };
  }
  return best;
}
