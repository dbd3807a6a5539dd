/**
 * What is switched on during a local day: water heater, meals, washing, car. Each is a block of whole minutes and whole
 * watts, so that the energy of an hour is known without adding up its seconds.
 *
 * Times are wall-clock habits: on the day clocks change, breakfast moves with the clock as people do.
 */
import { localToUtc } from '@amiable/calendar';
import { between, hash, part, unit } from './noise.ts';
import type { Profile } from './profile.ts';

export interface LoadEvent {
  /** First minute, counted from 1970 UTC. */
  readonly start: number;
  /** First minute after it. */
  readonly end: number;
  readonly watts: number;
  /** 0, 1, 2; 3 is spread evenly over all. */
  readonly phase: number;
  /** A thermostat or heat zone makes it come and go within the minute. */
  readonly cycling: boolean;
}

/** No event lasts longer, so a UTC day needs to ask only its neighbours. */
export const LONGEST_MINUTES = 11 * 60;
const DAY = 86_400_000;

/** Nobody is home: one week in twenty, and two in five of July's. */
export function isAway(seed: number, localDay: number): boolean {
  const week = Math.floor((localDay + 3) / 7);
  const dayOfYear = localDay % 365.2425;
  const july = dayOfYear > 181 && dayOfYear < 212;
  return unit(part(seed, 11), week) < (july ? 0.4 : 0.05);
}

export const isWeekend = (localDay: number): boolean => {
  const weekday = (localDay + 4) % 7;
  return weekday === 0 || weekday === 6;
};

/** The events that begin on local day `localDay` (days since 1970-01-01 on the wall calendar). */
export function eventsOfDay(seed: number, profile: Profile, zone: string, localDay: number): LoadEvent[] {
  const s = hash(part(seed, 12), localDay);
  const events: LoadEvent[] = [];
  const add = (hour: number, minutes: number, watts: number, phase: number, cycling = false): void => {
    const wall = localDay * DAY + Math.round(hour * 60) * 60_000;
    const start = Math.floor(localToUtc(zone, wall) / 60_000);
    events.push({ start, end: start + Math.min(minutes, LONGEST_MINUTES), watts, phase, cycling });
  };
  const phases = profile.network === 'single' ? 1 : 3;
  const at = (n: number, low: number, high: number): number => low + (high - low) * unit(s, n);
  const chance = (n: number, p: number): boolean => unit(s, n) < p;
  const phaseOf = (n: number): number => (phases === 1 ? 0 : n % 3);
  const away = isAway(seed, localDay);
  const free = isWeekend(localDay);

  const heater = phaseOf(1);
  if (away) {
    add(at(1, 3, 6), 12, profile.waterHeater, heater);
    return events;
  }
  // Showers: the tank heats again as long as it was drawn upon, the smaller element longer.
  const litres = (n: number): number => profile.persons * at(n, 16, 46);
  const heatMinutes = (l: number): number => Math.round((l * 0.04 * 60_000) / profile.waterHeater);
  add(free ? at(1, 7.5, 10) : at(1, 5.9, 7.6), heatMinutes(litres(2)), profile.waterHeater, heater);
  add(at(3, 18.5, 22), heatMinutes(litres(4)), profile.waterHeater, heater);

  // Meals. Coffee and kettle first; on free days something warm at noon too.
  const kitchen = phaseOf(0);
  add(free ? at(10, 8, 10.2) : at(10, 6, 7.4), between(s, 11, 0, 4, 9), 1800, kitchen);
  if (chance(12, 0.5)) add(at(13, 9.5, 15), 3, 2000, kitchen);
  if (free && chance(14, 0.6))
    add(at(15, 11.5, 13.5), between(s, 16, 0, 12, 30), Math.round(profile.hob * 0.6), kitchen, true);
  if (chance(17, 0.88)) {
    const dinner = free ? at(18, 15.5, 18.5) : at(18, 15.8, 17.9);
    add(dinner, between(s, 19, 0, 18, 42), profile.hob, kitchen, true);
    if (chance(20, 0.4)) add(dinner + 0.1, between(s, 21, 0, 25, 60), 1300, kitchen, true);
  }
  if (chance(22, 0.6)) add(at(23, 19.5, 21.5), 3, 2000, kitchen);

  // Dishes: two heating spells with the pump between.
  if (chance(30, 0.3 + 0.1 * profile.persons)) {
    const wash = at(31, 18, 22.2);
    add(wash, 16, 1950, kitchen);
    add(wash + 0.27, 40, 80, kitchen);
    add(wash + 0.94, 12, 1950, kitchen);
  }
  // Clothes.
  if (chance(40, (free ? 0.18 : 0.08) * (1 + profile.persons))) {
    const wash = free ? at(41, 9, 19) : at(41, 16.5, 20);
    add(wash, 22, 2050, phaseOf(2));
    add(wash + 0.37, 65, 260, phaseOf(2));
    if (profile.dryer) add(wash + 1.6, between(s, 42, 0, 45, 80), 900, phaseOf(2), true);
  }
  // The car: plugged in after work by day, after the cheap hours begin by night.
  const car = profile.car;
  if (car && chance(50, 0.72)) {
    const kWh = profile.car.kmPerDay * at(51, 0.6, 2) * 0.19;
    const minutes = Math.max(8, Math.round((kWh * 60_000) / car.watts));
    add(chance(52, 0.55) ? at(53, 22.6, 23.4) : at(53, 16, 20), minutes, car.watts, car.phase);
  }
  return events;
}
