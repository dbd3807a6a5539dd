/**
 * One household's load and registers, at any instant, without simulating what went before.
 *
 * Four levels: an hour has a base power (habits, heating by the weather); events are blocks of whole minutes; below the
 * hour comes detail whose sum over its parent is exactly zero: quarters, five minutes, minutes, ten seconds, two
 * seconds. So the mean over any level is known from above, in whole watts, and the energy registers are the integral of
 * the two-second power to the watt-second. The sign of power never changes within a minute, so import and export are
 * known per minute; only hours in which a roof's panels may give need their minutes looked at.
 *
 * Decides: active and reactive power, per phase, and the four registers. Leaves out: voltage and current (grid.ts).
 */
import { zoneOffset } from '@amiable/calendar';
import { eventsOfDay, isAway, isWeekend, type LoadEvent } from './events.ts';
import { hash, part, swing, unit, zeroSum } from './noise.ts';
import type { Profile } from './profile.ts';
import type { Weather } from './weather.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** Meters were hung up on this day; registers count from here. */
export const ORIGIN = Date.UTC(2018, 0, 1);
const ORIGIN_DAY = ORIGIN / DAY;

/** Watt-seconds and var-seconds since ORIGIN plus what the meter began with. */
export interface Registers {
  readonly import: number;
  readonly export: number;
  readonly reactiveImport: number;
  readonly reactiveExport: number;
}

/** Per-minute values of one UTC day, whole watts and vars. */
export interface Minutes {
  /** Import minus export. */
  readonly power: Int32Array;
  readonly phases: readonly [Int32Array, Int32Array, Int32Array];
  readonly reactive: Int32Array;
  /** How much a thermostat makes of the unrest within the minute, W. */
  readonly unrest: Int32Array;
}

export interface Instant {
  readonly power: number;
  readonly phases: readonly [number, number, number];
  readonly reactive: number;
}

export interface House {
  readonly profile: Profile;
  readonly seed: number;
  minutes(utcDay: number): Minutes;
  /** Power during the two-second tick that `ms` falls into. */
  instant(ms: number): Instant;
  /** The same into [power, L1, L2, L3, reactive]; for loops over millions. */
  instantInto(ms: number, out: Float64Array): void;
  registers(ms: number): Registers;
  /** The four registers at the start of each hour in [from, to), Wh as the meter would show them times 3600. */
  hourly(fromMs: number, hours: number): readonly [Float64Array, Float64Array, Float64Array, Float64Array];
}

/** Share of the day's activity by local hour: up at six, out at eight, home at four. */
const WORKDAY = [1, 1, 1, 1, 1, 2, 6, 7, 4, 3, 3, 3, 3, 3, 4, 6, 8, 9, 9, 10, 10, 9, 6, 3];
const FREEDAY = [2, 1, 1, 1, 1, 1, 2, 3, 6, 7, 7, 7, 7, 7, 7, 7, 8, 9, 9, 9, 9, 9, 7, 4];

interface Day {
  readonly day: number;
  /** Base of the hour before the day, its 24, and the hour after. */
  readonly base: Int32Array;
  readonly reactive: Int32Array;
  readonly events: readonly LoadEvent[];
  /** Four registers' gains per hour: import, export, reactive import, reactive export; W·s. */
  readonly gains: Float64Array;
  minutes: Minutes | undefined;
  /** Which hours of `minutes` have been worked out. */
  readonly filled: Uint8Array;
}

/** Antisymmetric about the middle of the hour, so that its 60 values add up to 0 exactly. */
function ramp(slope: number, minute: number): number {
  const x = (slope * (2 * minute - 59)) / 120;
  return x < 0 ? -Math.floor(-x) : Math.floor(x);
}

export function createHouse(seed: number, profile: Profile, zone: string, weather: Weather): House {
  const sHour = part(seed, 1);
  const sQuarter = part(seed, 2);
  const sFive = part(seed, 3);
  const sMinute = part(seed, 4);
  const sTen = part(seed, 5);
  const sTick = part(seed, 6);
  const sReactive = part(seed, 8);
  const sReactiveTen = part(seed, 9);
  const solar = profile.solar;
  const single = profile.network === 'single';
  const [share1, share2] = profile.shares;
  const start: Registers = {
    import: Math.floor(unit(seed, 900) * 3000) * 3600,
    export: 0,
    reactiveImport: Math.floor(unit(seed, 901) * 400) * 3600,
    reactiveExport: Math.floor(unit(seed, 902) * 900) * 3600,
  };

  function heating(ms: number, localHour: number): number {
    const missing = 16.5 - weather.temperature(ms);
    if (missing <= 0) return 0;
    const night = localHour >= 23 || localHour < 5 ? 0.82 : 1;
    return (missing * profile.loss * night) / profile.heatGain;
  }

  /** Whole watts that run through the hour, and the vars that go with them. */
  function hourBase(hour: number): readonly [number, number] {
    const ms = hour * HOUR;
    const local = ms + zoneOffset(zone, ms);
    const localDay = Math.floor(local / DAY);
    const localHour = Math.floor(local / HOUR) - localDay * 24;
    const habit = (isWeekend(localDay) ? FREEDAY : WORKDAY)[localHour] as number;
    const lively = isAway(seed, localDay) ? 0.04 : (habit / 10) * (0.65 + 0.7 * unit(sHour, hour));
    // Evenings are darker in winter: light costs more.
    const dark = 1 - 0.35 * Math.sin(((localDay % 365.2425) / 365.2425) * Math.PI);
    const people = profile.persons * profile.activity * lively * dark;
    const heat = heating(ms, localHour) * (1 + 0.12 * swing(sHour, hour, 1));
    const watts = Math.round(profile.standby + people + heat);
    // Electronics lead, motors lag: a heat pump pulls the sum over to the inductive side in cold weather.
    const motor = profile.heatGain > 1 ? heat * 0.3 : 0;
    const vars = Math.round(motor + profile.standby * 0.15 - 40 - 0.55 * profile.standby - 0.12 * people);
    return [watts, vars];
  }

  const eventCache = new Map<number, LoadEvent[]>();
  function eventsOf(localDay: number): LoadEvent[] {
    let events = eventCache.get(localDay);
    if (!events) {
      if (eventCache.size > 64) eventCache.clear();
      events = eventsOfDay(seed, profile, zone, localDay);
      eventCache.set(localDay, events);
    }
    return events;
  }

  function buildDay(day: number): Day {
    const base = new Int32Array(26);
    const reactive = new Int32Array(24);
    for (let h = -1; h <= 24; h++) {
      const [watts, vars] = hourBase(day * 24 + h);
      base[h + 1] = watts;
      if (h >= 0 && h < 24) reactive[h] = vars;
    }
    const first = day * 1440;
    const events: LoadEvent[] = [];
    for (let d = day - 2; d <= day + 1; d++)
      for (const e of eventsOf(d)) if (e.end > first && e.start < first + 1440) events.push(e);
    const built: Day = {
      day,
      base,
      reactive,
      events,
      gains: new Float64Array(24 * 4),
      minutes: undefined,
      filled: new Uint8Array(24),
    };
    const wattMinutes = new Int32Array(24);
    for (const e of events) {
      const from = Math.max(0, e.start - first);
      const to = Math.min(1440, e.end - first);
      for (let h = Math.floor(from / 60); h * 60 < to; h++)
        wattMinutes[h] = (wattMinutes[h] as number) + e.watts * (Math.min(to, h * 60 + 60) - Math.max(from, h * 60));
    }
    for (let h = 0; h < 24; h++) {
      const ms = day * DAY + h * HOUR;
      const g = h * 4;
      if (solar && ms >= solar.since && weather.mayBeUp(ms)) {
        const { power } = fillHour(built, h);
        let into = 0;
        let out = 0;
        for (let m = h * 60; m < h * 60 + 60; m++) {
          const w = power[m] as number;
          if (w > 0) into += w;
          else out -= w;
        }
        built.gains[g] = into * 60;
        built.gains[g + 1] = out * 60;
      } else built.gains[g] = (60 * (base[h + 1] as number) + (wattMinutes[h] as number)) * 60;
      const vars = (reactive[h] as number) * 3600;
      built.gains[vars > 0 ? g + 2 : g + 3] = Math.abs(vars);
    }
    return built;
  }

  function emptyMinutes(): Minutes {
    const power = new Int32Array(1440);
    const other = (): Int32Array => (single ? power : new Int32Array(1440));
    const phases = [other(), other(), other()] as const;
    return { power, phases, reactive: new Int32Array(1440), unrest: new Int32Array(1440) };
  }

  function fillHour(day: Day, h: number): Minutes {
    day.minutes ??= emptyMinutes();
    const minutes = day.minutes;
    if (day.filled[h]) return minutes;
    day.filled[h] = 1;
    const { power, phases, reactive, unrest } = minutes;
    const [p1, p2, p3] = phases;
    const base = day.base[h + 1] as number;
    // Towards the neighbours, but never more than a third of the base from it.
    const wish = ((day.base[h + 2] as number) - (day.base[h] as number)) / 2;
    const slope = Math.max(-0.6 * base, Math.min(0.6 * base, wish));
    const coarse = Math.floor(base * 0.05);
    const middle = Math.floor(base * 0.04);
    const fine = Math.floor(base * 0.05);
    const vars = day.reactive[h] as number;
    const varSwing = Math.floor(Math.abs(vars) / 6);
    const hour = day.day * 24 + h;
    const begin = h * 60;
    const end = begin + 60;
    for (let m = 0; m < 60; m++) {
      const quarter = (m / 15) | 0;
      const five = (m / 5) | 0;
      const watts =
        base +
        ramp(slope, m) +
        zeroSum(sQuarter, hour, quarter, 4, coarse) +
        zeroSum(sFive, hour * 4 + quarter, five - quarter * 3, 3, middle) +
        zeroSum(sMinute, hour * 12 + five, m - five * 5, 5, fine);
      const at = begin + m;
      if (single) power[at] = watts;
      else {
        const w1 = Math.round(watts * share1);
        const w2 = Math.round(watts * share2);
        p1[at] = w1;
        p2[at] = w2;
        p3[at] = watts - w1 - w2;
      }
      reactive[at] = vars + zeroSum(sReactive, hour, m, 60, varSwing);
    }
    const first = day.day * 1440;
    for (const e of day.events) {
      const from = Math.max(begin, e.start - first);
      const to = Math.min(end, e.end - first);
      if (from >= to) continue;
      if (e.phase === 3) {
        const third = e.watts / 3;
        for (const p of phases) for (let m = from; m < to; m++) p[m] = (p[m] as number) + third;
      } else {
        const p = phases[e.phase] as Int32Array;
        for (let m = from; m < to; m++) p[m] = (p[m] as number) + e.watts;
      }
      if (e.cycling) {
        const rough = Math.floor(e.watts * 0.18);
        for (let m = from; m < to; m++) unrest[m] = (unrest[m] as number) + rough;
      }
    }
    const ms = hour * HOUR;
    if (solar && ms >= solar.since && weather.mayBeUp(ms)) {
      for (let five = 0; five < 12; five++) {
        const now = weather.sun(ms + five * 300_000);
        const next = weather.sun(ms + five * 300_000 + 300_000);
        for (let m = 0; m < 5; m++) {
          const third = Math.round(((now + ((next - now) * m) / 5) * solar.peak) / 3);
          const at = begin + five * 5 + m;
          if (single) power[at] = (power[at] as number) - 3 * third;
          else for (const p of phases) p[at] = (p[at] as number) - third;
        }
      }
    }
    if (!single) for (let m = begin; m < end; m++) power[m] = (p1[m] as number) + (p2[m] as number) + (p3[m] as number);
    return minutes;
  }

  function fillMinutes(day: Day): Minutes {
    for (let h = 0; h < 24; h++) fillHour(day, h);
    return day.minutes as Minutes;
  }

  // A few days are kept: live frames and a history both walk forwards.
  const days: Day[] = [];
  function dayOf(day: number): Day {
    for (let i = days.length - 1; i >= 0; i--) if ((days[i] as Day).day === day) return days[i] as Day;
    const built = buildDay(day);
    if (days.length >= 3) days.shift();
    days.push(built);
    return built;
  }

  /** Registers at the start of each UTC day since ORIGIN, as far as anybody has asked. */
  let prefix = new Float64Array(4 * 512);
  let known = 0;
  prefix.set([start.import, start.export, start.reactiveImport, start.reactiveExport]);
  function atDayStart(day: number): number {
    const index = day - ORIGIN_DAY;
    if (index < 0)
      throw new RangeError(
        `the virtual meters were hung up on ${new Date(ORIGIN).toISOString().slice(0, 10)}; no time before that`,
      );
    while (known < index) {
      if ((known + 2) * 4 > prefix.length) {
        const grown = new Float64Array(prefix.length * 2);
        grown.set(prefix);
        prefix = grown;
      }
      // Days far from the ones in use are built and dropped: only their sums matter.
      const { gains } = known >= index - 2 ? dayOf(ORIGIN_DAY + known) : buildDay(ORIGIN_DAY + known);
      for (let r = 0; r < 4; r++) {
        let sum = prefix[known * 4 + r] as number;
        for (let h = 0; h < 24; h++) sum += gains[h * 4 + r] as number;
        prefix[(known + 1) * 4 + r] = sum;
      }
      known++;
    }
    return index * 4;
  }

  const scratch = new Float64Array(5);
  function instantInto(ms: number, out: Float64Array): void {
    const day = Math.floor(ms / DAY);
    const minutes = fillHour(dayOf(day), Math.floor((ms - day * DAY) / HOUR));
    const tick = Math.floor((ms - day * DAY) / 2000);
    const m = (tick / 30) | 0;
    const ten = ((tick - m * 30) / 5) | 0;
    const minute = day * 1440 + m;
    const mean = minutes.power[m] as number;
    const size = Math.abs(mean);
    const tenSwing = Math.floor(Math.min(size / 5, 5 + size * 0.008 + (minutes.unrest[m] as number)));
    const tickSwing = Math.floor(Math.min(size / 9, 3 + size * 0.003));
    const detail =
      zeroSum(sTen, minute, ten, 6, tenSwing) + zeroSum(sTick, minute * 6 + ten, tick - m * 30 - ten * 5, 5, tickSwing);
    const vars = minutes.reactive[m] as number;
    out[0] = mean + detail;
    out[4] = vars + zeroSum(sReactiveTen, minute, ten, 6, Math.floor(Math.abs(vars) / 10));
    if (single) {
      out[1] = mean + detail;
      out[2] = 0;
      out[3] = 0;
      return;
    }
    const a = minutes.phases[0][m] as number;
    const b = minutes.phases[1][m] as number;
    const c = minutes.phases[2][m] as number;
    // The unrest is where the load is.
    const lead = Math.abs(a) >= Math.abs(b) ? (Math.abs(a) >= Math.abs(c) ? 1 : 3) : Math.abs(b) >= Math.abs(c) ? 2 : 3;
    out[1] = a;
    out[2] = b;
    out[3] = c;
    out[lead] = (out[lead] as number) + detail;
  }

  /** Adds what [from, to) gave to the registers in `sums`; within one minute. */
  function addTicks(from: number, to: number, sums: number[]): void {
    for (let at = from; at < to; ) {
      const next = Math.min(to, (Math.floor(at / 2000) + 1) * 2000);
      instantInto(at, scratch);
      const seconds = (next - at) / 1000;
      const power = scratch[0] as number;
      const vars = scratch[4] as number;
      if (power > 0) sums[0] = (sums[0] as number) + power * seconds;
      else sums[1] = (sums[1] as number) - power * seconds;
      if (vars > 0) sums[2] = (sums[2] as number) + vars * seconds;
      else sums[3] = (sums[3] as number) - vars * seconds;
      at = next;
    }
  }

  function registers(ms: number): Registers {
    const day = Math.floor(ms / DAY);
    const at = atDayStart(day);
    const today = dayOf(day);
    const sums = [prefix[at], prefix[at + 1], prefix[at + 2], prefix[at + 3]] as number[];
    const hour = Math.floor((ms - day * DAY) / HOUR);
    for (let h = 0; h < hour; h++)
      for (let r = 0; r < 4; r++) sums[r] = (sums[r] as number) + (today.gains[h * 4 + r] as number);
    const minute = Math.floor((ms - day * DAY) / 60_000);
    if (ms > day * DAY + hour * HOUR) {
      const { power, reactive } = fillHour(today, hour);
      for (let m = hour * 60; m < minute; m++) {
        const w = power[m] as number;
        const v = reactive[m] as number;
        if (w > 0) sums[0] = (sums[0] as number) + w * 60;
        else sums[1] = (sums[1] as number) - w * 60;
        if (v > 0) sums[2] = (sums[2] as number) + v * 60;
        else sums[3] = (sums[3] as number) - v * 60;
      }
      addTicks(day * DAY + minute * 60_000, ms, sums);
    }
    return {
      import: sums[0] as number,
      export: sums[1] as number,
      reactiveImport: sums[2] as number,
      reactiveExport: sums[3] as number,
    };
  }

  return {
    profile,
    seed,
    registers,
    instantInto,
    instant(ms) {
      instantInto(ms, scratch);
      return {
        power: scratch[0] as number,
        phases: [scratch[1] as number, scratch[2] as number, scratch[3] as number],
        reactive: scratch[4] as number,
      };
    },
    minutes: (utcDay) => fillMinutes(dayOf(utcDay)),
    hourly(fromMs, hours) {
      const out = [0, 1, 2, 3].map(() => new Float64Array(hours)) as [
        Float64Array,
        Float64Array,
        Float64Array,
        Float64Array,
      ];
      const firstHour = Math.ceil(fromMs / HOUR);
      const sums = registers(firstHour * HOUR);
      const now = [sums.import, sums.export, sums.reactiveImport, sums.reactiveExport];
      for (let i = 0; i < hours; i++) {
        for (let r = 0; r < 4; r++) (out[r] as Float64Array)[i] = now[r] as number;
        const hour = firstHour + i;
        const day = Math.floor(hour / 24);
        const g = (hour - day * 24) * 4;
        const { gains } = dayOf(day);
        for (let r = 0; r < 4; r++) now[r] = (now[r] as number) + (gains[g + r] as number);
      }
      return out;
    },
  };
}

/** A house's own number from the street's seed and its place in the row. */
export const houseSeed = (streetSeed: number, index: number): number => hash(part(streetSeed, 40), index);
