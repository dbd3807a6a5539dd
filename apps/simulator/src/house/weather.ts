/**
 * Weather over one street in south-east Norway: a yearly course, fronts of some days, the day's own course, clouds.
 * Decides temperature (drives heating) and the sun on a roof (drives export). Leaves out wind, snow on panels, the moon.
 */
import { part, smooth } from './noise.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** Oslo. The street stands here whatever its time zone is called. */
const LATITUDE = (59.9 * Math.PI) / 180;
const LONGITUDE_HOURS = 10.75 / 15;
/** Ten years of hours. */
const MAX_REMEMBERED = 88_000;

export interface Weather {
  /** Outdoor temperature, degrees Celsius. */
  temperature(ms: number): number;
  /** Share of the panels' rated power that the sun gives, 0 to 1, clouds included. */
  sun(ms: number): number;
  /** Whether the sun can be up in the hour that begins at `ms`; says no only when it surely is down. */
  mayBeUp(ms: number): boolean;
}

/** Sine of the sun's height. */
function sunHeight(ms: number): number {
  const day = (ms / DAY) % 365.2425;
  const declination = -0.4093 * Math.cos((2 * Math.PI * (day + 10)) / 365.2425);
  const solarHour = ((ms / HOUR) % 24) + LONGITUDE_HOURS;
  const angle = ((solarHour - 12) * Math.PI) / 12;
  return Math.sin(LATITUDE) * Math.sin(declination) + Math.cos(LATITUDE) * Math.cos(declination) * Math.cos(angle);
}

export function createWeather(seed: number): Weather {
  const fronts = part(seed, 1);
  const spells = part(seed, 2);
  const clouds = part(seed, 3);
  const passing = part(seed, 4);
  const temperatureAt = (ms: number): number => {
    const day = (ms / DAY) % 365.2425;
    const year = -Math.cos((2 * Math.PI * (day - 20)) / 365.2425);
    const height = sunHeight(ms - 3 * HOUR);
    return 6.2 + 11 * year + 5.5 * smooth(fronts, ms / (4 * DAY)) + 2 * smooth(spells, ms / (11 * HOUR)) + 4 * height;
  };
  // Every house of the street asks for the same hours.
  const hours = new Map<number, number>();
  const up = new Map<number, boolean>();
  const remembered = <T>(map: Map<number, T>, ms: number, make: () => T): T => {
    const known = map.get(ms);
    if (known !== undefined) return known;
    if (map.size >= MAX_REMEMBERED) map.clear();
    const made = make();
    map.set(ms, made);
    return made;
  };
  return {
    temperature: (ms) => remembered(hours, ms, () => temperatureAt(ms)),
    sun(ms) {
      const height = sunHeight(ms);
      if (height <= 0.02) return 0;
      const cover = 0.55 + 0.5 * smooth(clouds, ms / (9 * HOUR));
      // Broken cloud passes in minutes, and most when the sky is half covered.
      const broken = 0.3 * (1 - Math.abs(2 * cover - 1)) * smooth(passing, ms / 240_000);
      const open = Math.min(1, Math.max(0.06, cover + broken));
      return Math.min(1, 0.92 * (height - 0.02) ** 0.9 * open * 1.15);
    },
    mayBeUp: (ms) => remembered(up, ms, () => [0, HOUR / 2, HOUR].some((later) => sunHeight(ms + later) > -0.01)),
  };
}
