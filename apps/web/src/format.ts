/** Numbers, units and times as people of a language write them. */
import type { Energy } from '@amiable/model';

export interface Amount {
  readonly value: string;
  readonly unit: string;
}

export interface Format {
  readonly language: string;
  power(watts: number): Amount;
  energy(wattHours: number): Amount;
  /** Gas, water or heat, in the unit that the API gives. */
  medium(value: number, unit: string): Amount;
  /** Any number with at most `digits` decimals. */
  number(value: number, digits?: number): string;
  /** Exactly `digits` decimals, for figures that must not jump about. */
  fixed(value: number, digits: number): string;
  clock(at: number, zone: string, seconds?: boolean): string;
  day(at: number, zone: string): string;
  date(at: number, zone: string): string;
  month(at: number, zone: string): string;
  monthShort(at: number, zone: string): string;
  /** `17`, or `Tue 17` */
  dayShort(at: number, zone: string, weekday: boolean): string;
  year(at: number, zone: string): string;
  /** A whole instant, with the zone's short name. */
  instant(at: number, zone: string): string;
  /** `3 minutes ago` */
  ago(ms: number): string;
}

const TAG: Record<string, string> = { en: 'en-GB', nb: 'nb-NO', de: 'de-DE', nl: 'nl-NL' };

export function createFormat(language: string): Format {
  const tag = TAG[language] ?? language;
  const numbers = new Map<string, Intl.NumberFormat>();
  const times = new Map<string, Intl.DateTimeFormat>();
  const relative = new Intl.RelativeTimeFormat(tag, { numeric: 'auto' });
  const number = (value: number, least: number, most: number): string => {
    const key = `${least}/${most}`;
    let format = numbers.get(key);
    if (!format) {
      format = new Intl.NumberFormat(tag, { minimumFractionDigits: least, maximumFractionDigits: most });
      numbers.set(key, format);
    }
    // No minus zero.
    return format.format(Math.abs(value) < 0.5 * 10 ** -most ? 0 : value);
  };
  const time = (at: number, zone: string, options: Intl.DateTimeFormatOptions): string => {
    const key = `${zone} ${JSON.stringify(options)}`;
    let format = times.get(key);
    if (!format) {
      format = new Intl.DateTimeFormat(tag, { ...options, timeZone: zone });
      times.set(key, format);
    }
    return format.format(at);
  };
  /** Three figures that matter: 948 W, 2.41 kW, 24.1 kW, 241 kW, 2.41 MW. */
  const prefixed = (value: number, unit: string): Amount => {
    const size = Math.abs(value);
    if (size < 999.5) return { value: number(value, 0, 0), unit };
    const [divisor, prefix] = size < 999_500 ? [1000, 'k'] : size < 999_500_000 ? [1e6, 'M'] : [1e9, 'G'];
    const scaled = value / divisor;
    const digits = Math.abs(scaled) < 9.995 ? 2 : Math.abs(scaled) < 99.95 ? 1 : 0;
    return { value: number(scaled, digits, digits), unit: prefix + unit };
  };
  return {
    language,
    power: (watts) => prefixed(watts, 'W'),
    energy: (wattHours) => {
      // Energies are compared with bills: kWh from the first watt-hour on.
      const kwh = wattHours / 1000;
      if (Math.abs(kwh) >= 999_500) return { value: number(kwh / 1e6, 2, 2), unit: 'GWh' };
      const digits = Math.abs(kwh) < 9.995 ? 2 : Math.abs(kwh) < 999.5 ? 1 : 0;
      return { value: number(kwh, digits, digits), unit: 'kWh' };
    },
    medium: (value, unit) => {
      // Heat is counted in joules and paid in kilowatt-hours.
      const shown = unit === 'J' ? value / 3.6e6 : value;
      const digits = Math.abs(shown) < 9.995 ? 2 : Math.abs(shown) < 999.5 ? 1 : 0;
      return { value: number(shown, digits, digits), unit: unit === 'J' ? 'kWh' : unit === 'm3' ? 'm³' : unit };
    },
    number: (value, digits = 3) => number(value, 0, digits),
    fixed: (value, digits) => number(value, digits, digits),
    clock: (at, zone, seconds = false) =>
      time(at, zone, {
        hour: '2-digit',
        minute: '2-digit',
        ...(seconds ? { second: '2-digit' } : {}),
        hourCycle: 'h23',
      }),
    day: (at, zone) => time(at, zone, { weekday: 'short', day: 'numeric', month: 'short' }),
    date: (at, zone) => time(at, zone, { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' }),
    month: (at, zone) => time(at, zone, { month: 'long', year: 'numeric' }),
    monthShort: (at, zone) => time(at, zone, { month: 'short' }),
    dayShort: (at, zone, weekday) => time(at, zone, { day: 'numeric', ...(weekday ? { weekday: 'short' } : {}) }),
    year: (at, zone) => time(at, zone, { year: 'numeric' }),
    instant: (at, zone) =>
      time(at, zone, {
        year: 'numeric',
        month: 'short',
        day: 'numeric',
        hour: '2-digit',
        minute: '2-digit',
        second: '2-digit',
        hourCycle: 'h23',
        timeZoneName: 'short',
      }),
    ago: (ms) => {
      const seconds = Math.round(ms / 1000);
      if (seconds < 90) return relative.format(-seconds, 'second');
      if (seconds < 5400) return relative.format(-Math.round(seconds / 60), 'minute');
      if (seconds < 129_600) return relative.format(-Math.round(seconds / 3600), 'hour');
      return relative.format(-Math.round(seconds / 86_400), 'day');
    },
  };
}

/** What stands on the bars of an energy view. */
export function bucketLabel(
  format: Format,
  bucket: Energy['bucket'],
  start: number,
  end: number,
  zone: string,
): string {
  if (bucket === 'hour') return `${format.clock(start, zone)}–${format.clock(end, zone)}`;
  return bucket === 'day' ? format.day(start, zone) : format.month(start, zone);
}
