/**
 * IZAR radio of Diehl and Sappel (PRIOS; CI A0 to A7): water meters. The octets behind the header of 15 are unscrambled (diehl.ts).
 *
 * Octet 11: period of sending; 12: battery and leakage; 13: alarms; from 15 on: 4B, total, total at the end of last month, its day.
 */
import { dayText, item, u16, u32 } from './octets.ts';
import type { Driver, DriverInput, DriverReading, DriverResult } from './types.ts';

const VOLUME = item('volume', 'm3', -3);
const VOLUME_BEFORE = item('volume', 'm3', -3, { storage: 1 });
const DATE_BEFORE = item('date', undefined, 0, { storage: 1 });
const BATTERY = item('remainingBatteryLifetime', 'year', -1);
const PERIOD = item('transmitPeriod', 's');
const ALARMS = item('alarmFlags');
const ALARMS_BEFORE = item('alarmFlags', undefined, 0, { storage: 1 });

/** Bits of octets 12 (high) and 13. */
const NOW: readonly (readonly [number, string])[] = [
  [0x8000, 'leakage'],
  [0x2000, 'meterBlocked'],
  [0x0080, 'backFlow'],
  [0x0040, 'underflow'],
  [0x0020, 'overflow'],
  [0x0010, 'submarine'],
  [0x0008, 'sensorFraud'],
  [0x0002, 'mechanicalFraud'],
];
const BEFORE: readonly (readonly [number, string])[] = [
  [0x4000, 'leakage'],
  [0x0004, 'sensorFraud'],
  [0x0001, 'mechanicalFraud'],
];

function words(bits: number, names: readonly (readonly [number, string])[]): string {
  return names
    .filter(([bit]) => bits & bit)
    .map(([, name]) => name)
    .join(' ');
}

function prios({ bytes, end, linkAddress }: DriverInput): DriverResult | undefined {
  if (end < 20 || bytes[15] !== 0x4b) return undefined;
  const readings: DriverReading[] = [{ item: VOLUME, value: u32(bytes, 16) }];
  if (end >= 24) readings.push({ item: VOLUME_BEFORE, value: u32(bytes, 20) });
  if (end >= 26) {
    const raw = u16(bytes, 24);
    const year = ((raw >> 5) & 7) | ((raw >> 9) & 0x78);
    const day = dayText((year > 80 ? 1900 : 2000) + year, (raw >> 8) & 0x0f, raw & 0x1f);
    if (day) readings.push({ item: DATE_BEFORE, value: day });
  }
  const alarms = ((bytes[12] as number) << 8) | (bytes[13] as number);
  readings.push(
    { item: BATTERY, value: ((bytes[12] as number) & 0x1f) * 5 },
    { item: PERIOD, value: 4 << ((bytes[11] as number) & 0x0f) },
    { item: ALARMS, value: words(alarms, NOW) },
    { item: ALARMS_BEFORE, value: words(alarms, BEFORE) },
  );
  if (u16(linkAddress, 0) === 0x4c30) readings.push(...printed(linkAddress));
  return { readings };
}

/** What is printed on a meter of Sappel: letters, year of making, number, packed into the six octets of the address. */
function printed(address: Uint8Array): DriverReading[] {
  const at = (i: number): number => address[i] as number;
  const digits = String(((at(5) & 3) << 24) | (at(4) << 16) | (at(3) << 8) | at(2)).padStart(8, '0');
  const letter = (code: number) => String.fromCharCode(64 + code);
  const supplier = letter(((at(7) & 0x0f) << 1) | (at(6) >> 7));
  const kind = letter((at(6) & 0x7c) >> 2);
  const diameter = letter(((at(6) & 3) << 3) | (at(5) >> 5));
  const year = digits.slice(0, 2);
  return [
    { item: item('serialNumber'), value: `${supplier}${year}${kind}${diameter}${digits.slice(2)}` },
    { item: item('yearOfManufacture', '1'), value: Number(year) + (Number(year) > 70 ? 1900 : 2000) },
  ];
}

export const IZAR: readonly Driver[] = [
  { name: 'izar', makers: ['SAP', 'DME', 'HYD', 'EWT', 'SPL'], part: 'maker', decode: prios },
];
