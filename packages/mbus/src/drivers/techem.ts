/**
 * Techem (TCH): allocators, heat, water and smoke devices with payloads of CI A0 to A7.
 *
 * Most say what was counted at the end of the last period, on which day that was, what came since, and which day it is. The
 * current day has no year of its own: it is the first such day after the period's end.
 */
import { dayText, item, packedDay, u16, u24 } from './octets.ts';
import type { Driver, DriverInput, DriverReading, DriverResult } from './types.ts';

const DATE = item('date');
const DATE_BEFORE = item('date', undefined, 0, { storage: 1 });

/** Day in bits 4 to 8, month in 9 to 12; the year by the period's end. */
function currentDay(raw: number, before: number): string | undefined {
  const day = (raw >> 4) & 0x1f || 1;
  const month = (raw >> 9) & 0x0f || 12;
  const [beforeDay, beforeMonth] = [before & 0x1f, (before >> 5) & 0x0f];
  const later = month < beforeMonth || (month === beforeMonth && day <= beforeDay);
  return dayText(2000 + (before >> 9) + (later ? 1 : 0), month, day);
}

function dates(readings: DriverReading[], current: string | undefined, before: string | undefined): DriverReading[] {
  if (current) readings.unshift({ item: DATE, value: current });
  if (before) readings.push({ item: DATE_BEFORE, value: before });
  return readings;
}

/** FHKV data III: version octet, day, units, day, units, (an octet,) room and radiator in 0.01 °C. */
function fhkv3({ bytes, start, end }: DriverInput): DriverResult | undefined {
  const form = bytes[start];
  if (form !== 0x01 && form !== 0x11 && form !== 0x0f) return undefined;
  const temperatures = start + (form === 0x0f ? 10 : 9);
  if (temperatures + 4 > end) return undefined;
  const before = u16(bytes, start + 1);
  const readings: DriverReading[] = [
    { item: item('heatCostAllocation', '1'), value: u16(bytes, start + 7) },
    { item: item('heatCostAllocation', '1', 0, { storage: 1 }), value: u16(bytes, start + 3) },
    { item: item('externalTemperature', 'degC', -2), value: u16(bytes, temperatures) },
    { item: item('flowTemperature', 'degC', -2), value: u16(bytes, temperatures + 2) },
  ];
  return { readings: dates(readings, currentDay(u16(bytes, start + 5), before), packedDay(before)) };
}

/** Volumes in 0.1 m3: at the end of the last period, and since. */
function volumes(before: number, since: number): DriverReading[] {
  return [
    { item: item('volume', 'm3', -1), value: before + since },
    { item: item('volume', 'm3', -1, { storage: 1 }), value: before },
    { item: item('volumeOfPeriod', 'm3', -1), value: since },
  ];
}

function radio3({ bytes, start, end }: DriverInput): DriverResult | undefined {
  if (end - start < 9) return undefined;
  const before = u16(bytes, start + 1);
  const readings = volumes(u16(bytes, start + 3), u16(bytes, start + 7));
  return { readings: dates(readings, currentDay(u16(bytes, start + 5), before), packedDay(before)) };
}

function radio4({ bytes, start, end }: DriverInput): DriverResult | undefined {
  if (end - start < 9) return undefined;
  return { readings: volumes(u16(bytes, start + 3), u16(bytes, start + 7)) };
}

const MONTHS = 12;

/**
 * MK radio 3 A: total, and what was used in each half month for a year back, 0.1 m3. Each pair of octets holds the later half first;
 * in the first half of a month the newest pair's second octet belongs to the month before.
 */
function radio3a({ bytes, start, end }: DriverInput): DriverResult | undefined {
  if (end - start < 7 + 3 * MONTHS) return undefined;
  const raw = u16(bytes, start + 2);
  const early = (raw & 0x1f) <= 15;
  const halves: number[] = [];
  for (let i = 0; i < MONTHS; i++) {
    const pair = start + 8 + 3 * i;
    halves.push(bytes[pair] as number, bytes[pair + 1] as number);
  }
  const readings: DriverReading[] = [{ item: item('volume', 'm3', -1), value: u24(bytes, start + 4) }];
  for (let i = 0; i < MONTHS; i++) {
    const [a, b] = early ? [i === 0 ? 0 : halves[2 * i - 1], halves[2 * i]] : [halves[2 * i], halves[2 * i + 1]];
    const value = (a as number) + (b as number);
    readings.push({ item: item('volumeOfMonth', 'm3', -1, { storage: i }), value });
  }
  return { readings: dates(readings, packedDay(raw), undefined) };
}

function energies(scaler: number, unit: 'Wh' | 'J', before: number, since: number): DriverResult {
  return {
    readings: [
      { item: item('energy', unit, scaler), value: before + since },
      { item: item('energy', unit, scaler, { storage: 1 }), value: before },
      { item: item('energyOfPeriod', unit, scaler), value: since },
    ],
  };
}

/** Compact V: kWh in three octets. */
function compact5({ bytes, start, end }: DriverInput): DriverResult | undefined {
  return end - start < 10 ? undefined : energies(3, 'Wh', u24(bytes, start + 3), u24(bytes, start + 7));
}

/** Vario 4: MJ in two octets. */
function vario4({ bytes, start, end }: DriverInput): DriverResult | undefined {
  return end - start < 9 ? undefined : energies(6, 'J', u16(bytes, start + 3), u16(bytes, start + 7));
}

/** TSD 2 smoke detector: state, and the day of the last period's end. */
function tsd2({ bytes, start, end }: DriverInput): DriverResult | undefined {
  if (end - start < 3) return undefined;
  const readings: DriverReading[] = [{ item: item('smokeAlarm', '1'), value: bytes[start] as number }];
  return { readings: dates(readings, undefined, packedDay(u16(bytes, start + 1))) };
}

const makers = ['TCH'] as const;
const meterTypes: Readonly<Record<number, string>> = {
  67: 'Heat (outlet)',
  98: 'Warm water',
  114: 'Water',
  128: 'Heat cost allocator',
  195: 'Heat (outlet)',
  240: 'Smoke detector',
};

export const TECHEM: readonly Driver[] = [
  {
    name: 'techem-fhkv-data-3',
    makers,
    versions: [0x69, 0x94],
    media: [0x80],
    meterTypes,
    part: 'maker',
    decode: fhkv3,
  },
  {
    name: 'techem-mk-radio-3',
    makers,
    versions: [0x74],
    media: [0x62, 0x72],
    meterTypes,
    part: 'maker',
    decode: radio3,
  },
  { name: 'techem-mk-radio-3a', makers, versions: [0x50], media: [0x72], meterTypes, part: 'maker', decode: radio3a },
  {
    name: 'techem-mk-radio-4',
    makers,
    versions: [0x95, 0x70],
    media: [0x62, 0x72],
    meterTypes,
    part: 'maker',
    decode: radio4,
  },
  {
    name: 'techem-compact-5',
    makers,
    versions: [0x45, 0x22, 0x39],
    media: [0x04, 0xc3, 0x43],
    meterTypes,
    part: 'maker',
    decode: compact5,
  },
  { name: 'techem-vario-4', makers, versions: [0x27], media: [0x04, 0xc3], meterTypes, part: 'maker', decode: vario4 },
  { name: 'techem-tsd-2', makers, versions: [0x76], media: [0xf0], meterTypes, part: 'maker', decode: tsd2 },
];
