/**
 * Holidays of a rule set as local days of a time, for like days and their kin.
 *
 * Decides: a holiday is the whole local day; one that is observed on another day is that other day alone, as in tariffs.
 */
import { localToUtc, toLocal } from '@amiable/calendar';
import type { Holiday } from '@amiable/model';
import { civilDay, specialDayIn } from '../tariff/days.ts';

const DAY = 86_400_000;

/** Starts of the local days of [from, to] that are holidays, rising; epoch ms. */
export function holidaysBetween(holidays: readonly Holiday[], zone: string, from: number, to: number): number[] {
  const [first, last] = [from, to].map((time) => Math.floor(toLocal(zone, time) / DAY)) as [number, number];
  const found = new Set<number>();
  // One that falls at the end of a year may be observed in the next.
  for (let year = civilDay(first).year - 1; year <= civilDay(last).year + 1; year++)
    for (const holiday of holidays) {
      const day = specialDayIn(holiday, year);
      if (day !== undefined && day >= first && day <= last) found.add(day);
    }
  return [...found].sort((a, b) => a - b).map((day) => localToUtc(zone, day * DAY));
}
