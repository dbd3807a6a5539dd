/**
 * A street that looks like one: flats, families, heat pumps, cars, roofs with panels, a holiday house, a shop. Truth for every quarter of an
 * hour in whole watt-hours: import, export, reactive import; water by the hour in litres.
 *
 * Decides: habits by local time of day, by weekday (washing on its days, a sauna on its evening), weekends, holidays, holidays away; a
 * heating season with fronts of some days that all houses share; the sun by season and cloud. Leaves out: seconds, phases.
 */
import { add, localToUtc, startOf, toLocal } from '@amiable/calendar';
import { chance, normal, roll } from './random.ts';

export const ZONE = 'Europe/Oslo';
export const Q = 900_000;
export const HOUR = 4 * Q;
export const DAY = 24 * HOUR;

/** Norwegian public holidays of 2024 (end) and 2025. */
export const HOLIDAYS: readonly number[] = [
  [2024, 11, 25],
  [2024, 11, 26],
  [2025, 0, 1],
  [2025, 3, 17],
  [2025, 3, 18],
  [2025, 3, 20],
  [2025, 3, 21],
  [2025, 4, 1],
  [2025, 4, 17],
  [2025, 4, 29],
  [2025, 5, 8],
  [2025, 5, 9],
  [2025, 11, 25],
  [2025, 11, 26],
].map(([y, m, d]) => localToUtc(ZONE, Date.UTC(y as number, m as number, d)));

export type Kind = 'flat' | 'family' | 'heat-pump' | 'car' | 'panels' | 'holiday-house' | 'shop';
const KINDS: readonly Kind[] = [
  'family',
  'flat',
  'heat-pump',
  'panels',
  'car',
  'family',
  'shop',
  'holiday-house',
  'flat',
  'heat-pump',
];

export interface House {
  readonly name: string;
  readonly seed: number;
  readonly kind: Kind;
  readonly start: number;
  /** Wh per quarter. */
  readonly energyImport: Float64Array;
  readonly energyExport: Float64Array;
  /** varh per quarter. */
  readonly reactiveImport: Float64Array;
  /** Litres per hour. */
  readonly water: Float64Array;
}

// Share of activity by local hour.
const WORKDAY = [1, 1, 1, 1, 1, 2, 6, 7, 4, 2, 2, 2, 2, 2, 3, 5, 8, 9, 9, 10, 10, 9, 6, 3];
const FREEDAY = [2, 1, 1, 1, 1, 1, 1, 2, 5, 7, 8, 7, 7, 6, 6, 6, 8, 9, 9, 9, 9, 9, 7, 4];
const SHOP = [1, 1, 1, 1, 1, 1, 2, 4, 8, 10, 10, 10, 10, 10, 10, 10, 9, 8, 4, 2, 1, 1, 1, 1];

/** Outdoor temperature of an hour, °C: the year, fronts, the day. */
function temperature(seed: number, time: number): number {
  const dayOfYear = (time / DAY) % 365.25;
  const front = (span: number, n: number): number => {
    const x = time / span;
    const i = Math.floor(x);
    const w = (x - i) ** 2 * (3 - 2 * (x - i));
    return (chance(seed, i, n) * 2 - 1) * (1 - w) + (chance(seed, i + 1, n) * 2 - 1) * w;
  };
  const hour = (toLocal(ZONE, time) % DAY) / HOUR;
  return (
    6 -
    11 * Math.cos((2 * Math.PI * (dayOfYear - 20)) / 365.25) +
    4 * front(4 * DAY, 1) +
    1.5 * front(11 * HOUR, 2) +
    3 * Math.sin(((hour - 9) * Math.PI) / 12)
  );
}

/** Share of the panels' rated power. */
function sun(seed: number, time: number): number {
  const dayOfYear = (time / DAY) % 365.25;
  const declination = -0.4093 * Math.cos((2 * Math.PI * (dayOfYear + 10)) / 365.25);
  const angle = ((((time / HOUR) % 24) + 0.7 - 12) * Math.PI) / 12;
  const latitude = 1.045;
  const height =
    Math.sin(latitude) * Math.sin(declination) + Math.cos(latitude) * Math.cos(declination) * Math.cos(angle);
  if (height <= 0.02) return 0;
  const cloud = 0.25 + 0.75 * chance(seed, Math.floor(time / (8 * HOUR)), 3);
  return height * cloud * (0.85 + 0.15 * chance(seed, Math.floor(time / Q), 4));
}

/** @param days local days from the one that holds `from` */
export function house(street: number, number: number, from: number, days: number): House {
  const seed = Math.imul(street + 1, 0x1000193) + number * 7919;
  const kind = KINDS[number % KINDS.length] as Kind;
  const start = startOf('day', ZONE, from);
  const end = add('day', ZONE, start, days);
  const n = (end - start) / Q;
  const energyImport = new Float64Array(n);
  const energyExport = new Float64Array(n);
  const reactiveImport = new Float64Array(n);
  const water = new Float64Array(n / 4);
  const people = kind === 'flat' ? roll(seed, 1, 1, 2) : roll(seed, 1, 2, 5);
  const standby = kind === 'shop' ? roll(seed, 2, 400, 900) : roll(seed, 2, 70, 220);
  const activity = kind === 'shop' ? roll(seed, 3, 2000, 5000) : people * roll(seed, 3, 50, 110);
  const loss =
    { flat: 18, family: 60, 'heat-pump': 30, car: 50, panels: 40, 'holiday-house': 12, shop: 70 }[kind] *
    (0.8 + 0.4 * chance(seed, 4));
  const panels = kind === 'panels' ? roll(seed, 5, 5000, 9000) : 0;
  const washing = [roll(seed, 6, 0, 6), roll(seed, 7, 0, 6)];
  const sauna = roll(seed, 8, 4, 6);
  const cooker = roll(seed, 9, 1100, 1900);
  const holidays = new Set(HOLIDAYS);
  // Away in summer and once in winter.
  const away = [
    { from: start + roll(seed, 10, 180, 205) * DAY, days: roll(seed, 11, 6, 16) },
    { from: start + roll(seed, 12, 45, 55) * DAY, days: roll(seed, 13, 0, 7) },
  ];
  let i = 0;
  for (let d = 0, day = start; day < end; d++, day = add('day', ZONE, day, 1)) {
    const next = add('day', ZONE, day, 1);
    const weekday = new Date(toLocal(ZONE, day)).getUTCDay();
    const isFree = weekday === 0 || weekday === 6 || holidays.has(day);
    const isClosed = weekday === 0 || holidays.has(day);
    const isAway =
      kind === 'holiday-house'
        ? !(weekday === 0 || weekday === 6 || weekday === 5) || chance(seed, d, 20) < 0.3
        : kind !== 'shop' && away.some((a) => day >= a.from && day < a.from + a.days * DAY);
    const mood = 1 + 0.12 * normal(seed, d, 21);
    const dinner = 16.5 * 4 + roll(seed, d, 0, 8, 22);
    const dinnerLong = roll(seed, d, 2, 5, 23);
    const washes = washing.includes(weekday) && chance(seed, d, 24) < 0.85;
    const washAt = (isFree ? 11 : 18) * 4 + roll(seed, d, 0, 6, 25);
    const heats = kind === 'family' && weekday === sauna && chance(seed, d, 26) < 0.8;
    const charges = kind === 'car' && chance(seed, d, 27) < (isFree ? 0.35 : 0.55);
    const chargeLong = roll(seed, d, 6, 18, 28);
    for (let time = day; time < next; time += Q, i++) {
      const local = toLocal(ZONE, time);
      const quarter = Math.floor((((local % DAY) + DAY) % DAY) / Q);
      const hour = Math.floor(quarter / 4);
      const table = kind === 'shop' ? (isClosed ? null : SHOP) : isFree ? FREEDAY : WORKDAY;
      const lively = isAway ? 0.05 : table ? ((table[hour] as number) / 10) * mood : 0.05;
      const missing = Math.max(0, 16 - temperature(street, time - (time % HOUR)));
      let watts = standby + activity * lively * (1 + 0.15 * normal(seed, Math.floor(time / HOUR), 30));
      watts +=
        missing *
        loss *
        (isAway && kind === 'holiday-house' ? 0.4 : 1) *
        (hour < 5 || hour > 22 ? 0.85 : 1) *
        (1 + 0.08 * normal(seed, Math.floor(time / HOUR), 31));
      if (kind !== 'shop' && !isAway) {
        if (quarter >= dinner && quarter < dinner + dinnerLong) watts += cooker;
        if (washes && quarter >= washAt && quarter < washAt + 5) watts += quarter < washAt + 2 ? 1900 : 350;
        if (heats && quarter >= 76 && quarter < 82) watts += 5500;
        if (charges && (quarter >= 90 ? quarter - 90 : quarter + 6) < chargeLong) watts += 3600;
        if (chance(seed, Math.floor(time / Q), 32) < 0.03 * people) watts += 900;
      }
      watts *= 1 + 0.06 * normal(seed, Math.floor(time / Q), 33);
      const made = panels > 0 ? panels * sun(street, time) : 0;
      const net = Math.round(Math.max(30, watts) - made) / 4;
      energyImport[i] = Math.max(0, Math.round(net));
      energyExport[i] = Math.max(0, Math.round(-net));
      reactiveImport[i] = Math.round(
        (energyImport[i] as number) * (0.12 + 0.05 * chance(seed, i, 34)) + 2 + 3 * chance(seed, i, 35),
      );
      if (quarter % 4 === 0) {
        const drawn = isAway || hour < 5 ? 0 : Math.round(people * 7 * lively * chance(seed, i, 36));
        water[i >> 2] = drawn;
      }
    }
  }
  return { name: `${kind} ${number}`, seed, kind, start, energyImport, energyExport, reactiveImport, water };
}

/** What a register showed at each boundary; one more than intervals. */
export function cumulative(values: Float64Array, begin: number): Float64Array {
  const out = new Float64Array(values.length + 1);
  out[0] = begin;
  for (let i = 0; i < values.length; i++) out[i + 1] = (out[i] as number) + (values[i] as number);
  return out;
}
