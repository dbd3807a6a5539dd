/**
 * A tariff's calendar laid over instants: which rate each interval has.
 *
 * Decides: switch points are local wall time, and the rate of an instant is what the wall clock says then. So of an hour that stands
 * twice both times have the rate of that hour (told apart by their offset), and a switch point in an hour that is skipped
 * takes effect at its end. An interval in which the rate changes is refused: its energy cannot be told apart.
 */
import { MisuseError } from '@amiable/bytes';
import { add, startOf, zoneOffset } from '@amiable/calendar';
import type { Tariff } from '@amiable/model';
import { dayTables } from './days.ts';

const MINUTE = 60_000;
const DAY = 86_400_000;

/** Times at which another rate begins to hold, rising, and the place of that rate in the tariff. */
export interface RateChanges {
  readonly at: readonly number[];
  readonly rate: readonly number[];
}

/** Rates of each minute of a day table, by the place of the table; only where days are irregular. */
type Minutes = (table: number) => Uint16Array;

/** Every change of rate in [from, to), the rate at `from` first. */
export function rateChanges(
  tariff: Pick<Tariff, 'calendar' | 'rates' | 'zone'>,
  from: number,
  to: number,
): RateChanges {
  const { zone, calendar } = tariff;
  const places = new Map(tariff.rates.map(({ name }, i) => [name, i]));
  const switches = calendar.days.map((day) =>
    day.switches.map(({ at, rate }) => ({
      minute: Number(at.slice(0, 2)) * 60 + Number(at.slice(3)),
      rate: places.get(rate) as number,
    })),
  );
  const minuteTables: (Uint16Array | undefined)[] = [];
  const minutesOf: Minutes = (table) => {
    let found = minuteTables[table];
    if (!found) {
      found = new Uint16Array(1440);
      for (const { minute, rate } of switches[table] as { minute: number; rate: number }[]) found.fill(rate, minute);
      minuteTables[table] = found;
    }
    return found;
  };
  const tables = dayTables(calendar);
  const at: number[] = [];
  const rate: number[] = [];
  const push = (instant: number, now: number): void => {
    if (rate.at(-1) === now) return;
    // Of changes before the beginning only the last one matters.
    if (instant <= from && at.length) {
      at.length = 0;
      rate.length = 0;
    }
    at.push(Math.max(instant, from));
    rate.push(now);
  };
  for (let day = startOf('day', zone, from); day < to; ) {
    const next = nextDay(zone, day);
    const offset = zoneOffset(zone, day);
    if (next - day === DAY && zoneOffset(zone, next - 1) === offset && (day + offset) % DAY === 0) {
      for (const { minute, rate: now } of switches[tables.tableOf((day + offset) / DAY)] ?? [])
        if (day + minute * MINUTE < to) push(day + minute * MINUTE, now);
    }
    // A day on which clocks change: minute by minute.
    else
      for (let instant = day; instant < Math.min(next, to); instant += MINUTE) {
        const wall = instant + zoneOffset(zone, instant);
        const wallDay = Math.floor(wall / DAY);
        push(instant, minutesOf(tables.tableOf(wallDay))[Math.floor((wall - wallDay * DAY) / MINUTE)] as number);
      }
    day = next;
  }
  return { at, rate };
}

/** The local day after the one that begins at `day`. */
export function nextDay(zone: string, day: number): number {
  const next = add('day', zone, day, 1);
  // A zone that skipped a whole day (Samoa, 2011).
  return next > day ? next : add('day', zone, day, 2);
}

/**
 * Runs of intervals with one rate: triples of first interval, interval after the last, rate. The intervals begin at `origin` and are `step` long.
 *
 * @throws MisuseError where a rate changes within an interval
 */
export function rateRuns(
  changes: RateChanges,
  origin: number,
  step: number,
  count: number,
  of: Pick<Tariff, 'zone' | 'rates'>,
): Int32Array {
  const runs: number[] = [];
  const end = origin + count * step;
  for (let i = 0; i < changes.at.length; i++) {
    const from = Math.max(changes.at[i] as number, origin);
    const to = Math.min(changes.at[i + 1] ?? Number.POSITIVE_INFINITY, end);
    if (to <= from) continue;
    if ((from - origin) % step !== 0) {
      const rate = of.rates[changes.rate[i] as number]?.name;
      throw new MisuseError(
        `rate ${JSON.stringify(rate)} begins at ${new Date(from).toISOString()} (${of.zone}), within an interval of ${step / MINUTE} minutes; ` +
          'its energy cannot be told apart. Give shorter intervals, or a tariff that switches where intervals begin',
      );
    }
    runs.push((from - origin) / step, (to - origin) / step, changes.rate[i] as number);
  }
  return Int32Array.from(runs);
}

/** The rate of each interval. */
export function ratesOf(runs: Int32Array, count: number): Uint16Array {
  const out = new Uint16Array(count);
  for (let r = 0; r < runs.length; r += 3) out.fill(runs[r + 2] as number, runs[r] as number, runs[r + 1] as number);
  return out;
}
