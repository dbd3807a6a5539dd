/**
 * What a P1 meter shows beside the house's load: two tariffs, quarters and their peaks, gas, water and heat on its M-Bus, power
 * failures. All are functions of seed and time; sums over past days are remembered.
 */
import { localToUtc, toLocal } from '@amiable/calendar';
import { type House, ORIGIN } from '../house/house.ts';
import { between, part, unit } from '../house/noise.ts';
import type { Weather } from '../house/weather.ts';
import type { Medium } from './models.ts';

const MINUTE = 60_000;
export const QUARTER = 15 * MINUTE;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const WS_PER_WH = 3600;

export interface Peak {
  /** End of the month (of the quarter, for the current one), and when the peak's quarter ended; UTC. */
  readonly until: number;
  readonly at: number;
  readonly watts: number;
}

export interface Failure {
  /** End of the failure, UTC. */
  readonly end: number;
  readonly seconds: number;
}

export interface Consumption {
  /** 1: low, nights and weekends; 2: normal. */
  tariff(ms: number): 1 | 2;
  /** Wh by tariff: import 1 and 2, export 1 and 2. */
  tariffs(ms: number): readonly [number, number, number, number];
  /** Mean power of the quarter under way so far, W. */
  quarter(ms: number): number;
  /** The month's peak so far; undefined in its first quarter. */
  peak(ms: number): Peak | undefined;
  /** Peaks of the months before, newest first, at most 13. */
  months(ms: number): readonly Peak[];
  /** Litres of gas or water, kJ of heat. */
  medium(kind: Medium, ms: number): number;
  /** Long power failures before `ms`, oldest first. */
  failures(ms: number): readonly Failure[];
  /** The meter is without power. */
  isDown(ms: number): boolean;
}

/** Share of a day's gas or water used before each local hour. */
const COURSE = [0, 1, 2, 3, 4, 6, 10, 18, 25, 30, 34, 38, 43, 48, 52, 56, 61, 68, 76, 84, 90, 95, 98, 99, 100];

export function createConsumption(seed: number, house: House, weather: Weather, zone: string): Consumption {
  /** Import by tariff at the start of each hour since ORIGIN, as far as it was worked out. */
  const sums: { low: number[]; lowExport: number[] } = { low: [], lowExport: [] };
  const dayOf = (ms: number): number => Math.floor(ms / DAY);

  function tariff(ms: number): 1 | 2 {
    const local = toLocal(zone, ms);
    const weekday = (Math.floor(local / DAY) + 4) % 7;
    const hour = Math.floor(local / HOUR) % 24;
    return weekday === 0 || weekday === 6 || hour < 7 || hour >= 23 ? 1 : 2;
  }

  function lowUntil(hour: number): readonly [number, number] {
    const have = sums.low.length;
    if (have <= hour) {
      const [imports, exports] = house.hourly(ORIGIN + Math.max(0, have - 1) * HOUR, hour - Math.max(0, have - 1) + 1);
      if (have === 0) {
        sums.low.push((imports[0] as number) * 0.45);
        sums.lowExport.push((exports[0] as number) * 0.45);
      }
      for (let i = 1; i < imports.length; i++) {
        const low = tariff(ORIGIN + (sums.low.length - 1) * HOUR) === 1;
        const gain = (imports[i] as number) - (imports[i - 1] as number);
        const gainExport = (exports[i] as number) - (exports[i - 1] as number);
        sums.low.push((sums.low.at(-1) as number) + (low ? gain : 0));
        sums.lowExport.push((sums.lowExport.at(-1) as number) + (low ? gainExport : 0));
      }
    }
    return [sums.low[hour] as number, sums.lowExport[hour] as number];
  }

  const mean = (from: number, to: number): number =>
    ((house.registers(to).import - house.registers(from).import) * 1000) / (to - from);

  /** Start of the local month that `ms` lies in, `back` months before. */
  function monthStart(ms: number, back = 0): number {
    const local = new Date(toLocal(zone, ms));
    return localToUtc(zone, Date.UTC(local.getUTCFullYear(), local.getUTCMonth() - back, 1));
  }

  const monthPeaks = new Map<number, { scanned: number; at: number; watts: number }>();
  /** Looks at the whole quarters of a month up to `to`. */
  function peakOf(start: number, to: number): { at: number; watts: number } | undefined {
    let found = monthPeaks.get(start);
    if (!found) {
      found = { scanned: start, at: 0, watts: -1 };
      monthPeaks.set(start, found);
    }
    for (; found.scanned + QUARTER <= to; found.scanned += QUARTER) {
      const watts = Math.floor(mean(found.scanned, found.scanned + QUARTER));
      if (watts > found.watts) {
        found.watts = watts;
        found.at = found.scanned + QUARTER;
      }
    }
    return found.at === 0 ? undefined : found;
  }

  const media: Record<Medium, { readonly number: number; readonly days: number[]; perDay(day: number): number }> = {
    gas: { number: 71, days: [], perDay: (day) => 600 + cold(day) * 550 },
    water: { number: 72, days: [], perDay: (day) => house.profile.persons * (90 + unit(part(seed, 72), day) * 60) },
    heat: { number: 73, days: [], perDay: (day) => 9000 + cold(day) * 20_000 },
  };
  const cold = (day: number): number => Math.max(0, 16.5 - weather.temperature(day * DAY + DAY / 2));

  const failureYears = new Map<number, Failure[]>();
  function failuresOf(year: number): Failure[] {
    let list = failureYears.get(year);
    if (!list) {
      const count = between(part(seed, 74), year, 0, 0, 2);
      list = Array.from({ length: count }, (_, i) => ({
        end: Math.floor((Date.UTC(year, 0, 1) + unit(part(seed, 75), year, i) * 364 * DAY) / 1000) * 1000,
        seconds: between(part(seed, 76), year, i, 200, 5000),
      })).sort((a, b) => a.end - b.end);
      failureYears.set(year, list);
    }
    return list;
  }
  function around(ms: number): Failure[] {
    const out: Failure[] = [];
    for (let year = 2018; year <= new Date(ms).getUTCFullYear() + 1; year++) out.push(...failuresOf(year));
    return out;
  }

  return {
    tariff,
    tariffs(ms) {
      const hour = Math.floor((ms - ORIGIN) / HOUR);
      const [low, lowExport] = lowUntil(hour);
      const start = house.registers(ORIGIN + hour * HOUR);
      const now = house.registers(ms);
      const isLow = tariff(ms) === 1;
      const low1 = Math.floor((low + (isLow ? now.import - start.import : 0)) / WS_PER_WH);
      const low2 = Math.floor((lowExport + (isLow ? now.export - start.export : 0)) / WS_PER_WH);
      // The others are what is left of whole watt-hours, so that both always make the house's register.
      return [low1, Math.floor(now.import / WS_PER_WH) - low1, low2, Math.floor(now.export / WS_PER_WH) - low2];
    },
    quarter(ms) {
      const start = Math.floor(ms / QUARTER) * QUARTER;
      return ms === start ? 0 : Math.floor(mean(start, ms));
    },
    peak(ms) {
      const found = peakOf(monthStart(ms), ms);
      return found && { ...found, until: ms };
    },
    months(ms) {
      const out: Peak[] = [];
      for (let back = 1; back <= 13; back++) {
        const start = monthStart(ms, back);
        if (start < ORIGIN) break;
        const until = monthStart(ms, back - 1);
        const found = peakOf(start, until);
        if (found) out.push({ ...found, until });
      }
      return out;
    },
    medium(kind, ms) {
      const { number, days, perDay } = media[kind];
      const local = toLocal(zone, ms);
      const day = dayOf(local) - dayOf(ORIGIN);
      if (days.length === 0) days.push(Math.floor(unit(part(seed, number), 1) * 2_000_000));
      while (days.length <= day) days.push((days.at(-1) as number) + perDay(dayOf(ORIGIN) + days.length - 1));
      const hour = Math.floor((local % DAY) / HOUR);
      const share =
        (COURSE[hour] as number) + ((COURSE[hour + 1] as number) - (COURSE[hour] as number)) * ((local % HOUR) / HOUR);
      return Math.floor((days[day] as number) + (perDay(dayOf(ORIGIN) + day) * share) / 100);
    },
    failures: (ms) => around(ms).filter((failure) => failure.end <= ms),
    isDown: (ms) => around(ms).some(({ end, seconds }) => ms < end && ms >= end - seconds * 1000),
  };
}
