/**
 * B Meters (BMT, BMP): what stands behind DIF 0F of Hydrodigit and Hydroclima, and the scrambled payload of RFM-TX1.
 */
import { bcd, dayText, item, records, u24 } from './octets.ts';
import type { Driver, DriverInput, DriverReading, DriverResult } from './types.ts';

/** Tenths and hundredths of a volt by half octet; 0 is the full battery. */
const VOLTS = [370, 190, 210, 220, 230, 240, 250, 265, 280, 290, 305, 320, 335, 350] as const;
const VOLTAGE = item('batteryVoltage', 'V', -2);
const MONTH_NAMES = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
] as const;

function bcdDay(bytes: Uint8Array, at: number): string | undefined {
  const [year, month, day] = [bcd(bytes[at] as number), bcd(bytes[at + 1] as number), bcd(bytes[at + 2] as number)];
  if (year === undefined || month === undefined || day === undefined) return undefined;
  return dayText(2000 + year, month, day);
}

/** An octet says which parts follow: battery, fraud, leak, back-flow, volumes at the end of each month. */
function hydrodigit({ bytes, start, end }: DriverInput): DriverResult | undefined {
  const parts = bytes[start];
  if (parts === undefined) return undefined;
  const readings: DriverReading[] = [];
  let at = start + 1;
  const take = (octets: number): number => {
    const from = at;
    at += octets;
    return at <= end ? from : -1;
  };
  if (parts & 0x01) {
    const from = take(1);
    const volts = from < 0 ? undefined : VOLTS[(bytes[from] as number) & 0x0f];
    if (volts !== undefined) readings.push({ item: VOLTAGE, value: volts });
  }
  if (parts & 0x02) {
    const from = take(4);
    if (from >= 0) {
      readings.push({ item: item('fraudFlags', '1'), value: (bytes[from] as number) & 0xe0 });
      const day = bcdDay(bytes, from + 1);
      if (day) readings.push({ item: item('dateOfFraud'), value: day });
    }
  }
  if (parts & 0x80) {
    const from = take(3);
    const day = from < 0 ? undefined : bcdDay(bytes, from);
    if (day) readings.push({ item: item('dateOfLeak'), value: day });
  }
  if (parts & 0x04) {
    const from = take(4);
    if (from >= 0)
      readings.push({
        item: item('volumeBackward', 'm3', -3),
        value: u24(bytes, from) + (bytes[from + 3] as number) * 0x1000000,
      });
  }
  if (parts & 0x10)
    MONTH_NAMES.forEach((month, i) => {
      const from = take(3);
      const value = from < 0 ? 0xffffff : u24(bytes, from);
      // Beyond what the register holds: the month has not been yet.
      if (value < 10_000_000)
        readings.push({ item: item(`volumeAtEndOf${month}`, 'm3', -2, { storage: i + 1 }), value });
    });
  return { readings };
}

/** Two layouts, told apart by the first octet; temperatures in 0.01 °C, written as the records that they are. */
function hydroclima({ bytes, start, end }: DriverInput): DriverResult | undefined {
  const at = (offset: number, octets = 2) => bytes.subarray(start + offset, start + offset + octets);
  if (bytes[start] === 0x10 && end - start >= 24)
    return {
      records: records(
        ...[0x02, 0xfd, 0x17, at(1)],
        ...[0x02, 0x65, at(7)],
        ...[0x12, 0x65, at(9)],
        ...[0x42, 0x65, at(15)],
        ...[0x42, 0x59, at(17)],
        ...[0x83, 0x05, 0x6e, at(21, 3)],
      ),
    };
  if (bytes[start] === 0x11 && end - start >= 47)
    return {
      records: records(
        ...[0x02, 0xfd, 0x17, at(1)],
        ...[0x02, 0x59, at(9)],
        ...[0x02, 0x65, at(11)],
        ...[0x12, 0x65, at(13)],
        ...[0x42, 0x59, at(17)],
        ...[0x42, 0x65, at(19)],
        ...[0x82, 0x01, 0x6e, at(21), 0xc2, 0x01, 0x6e, at(23), 0x82, 0x02, 0x6e, at(25), 0xc2, 0x02, 0x6e, at(27)],
        ...[0x82, 0x01, 0x65, at(29), 0xc2, 0x01, 0x65, at(31), 0x82, 0x02, 0x65, at(33)],
        ...[0x83, 0x05, 0x6e, at(44, 3)],
      ),
    };
  return undefined;
}

/** Masks of the four octets of the register, by the low half of the access number. */
const MASKS: readonly (readonly [number, number, number, number])[] = [
  [122, 16, 26, 10],
  [112, 19, 34, 19],
  [185, 11, 142, 153],
  [121, 7, 74, 22],
  [7, 154, 203, 105],
  [50, 161, 57, 14],
  [156, 126, 96, 153],
  [180, 196, 128, 163],
  [10, 206, 25, 3],
  [240, 5, 165, 134],
  [22, 152, 17, 94],
  [12, 201, 125, 162],
  [74, 72, 228, 31],
  [119, 46, 138, 232],
  [189, 120, 87, 140],
  [57, 111, 40, 5],
];

/** RFM-TX1 (configuration 1006): the volume in masked BCD, then the clock in BCD. Offsets count in the frame. */
function rfmTx1({ bytes, end, configuration, accessNumber }: DriverInput): DriverResult | undefined {
  if (configuration !== 0x1006 || end < 34) return undefined;
  const masks = MASKS[accessNumber & 0x0f] as readonly number[];
  let total = 0;
  for (let i = 3; i >= 0; i--) {
    const two = bcd((bytes[17 + i] as number) ^ accessNumber ^ (masks[i] as number));
    if (two === undefined) return undefined;
    total = total * 100 + two;
  }
  const readings: DriverReading[] = [{ item: item('volume', 'm3', -3), value: total }];
  const clock = [28, 29, 30, 31, 32, 33].map((i) => bcd(bytes[i] as number));
  const [second, minute, hour, day, month, year] = clock as [number, number, number, number, number, number];
  const date = clock.includes(undefined as never) ? undefined : dayText(2000 + year, month, day);
  const two = (n: number) => String(n).padStart(2, '0');
  if (date && hour < 24 && minute < 60 && second < 60)
    readings.unshift({ item: item('dateAndTime'), value: `${date}T${two(hour)}:${two(minute)}:${two(second)}` });
  return { readings };
}

export const BMETERS: readonly Driver[] = [
  {
    name: 'hydrodigit',
    makers: ['BMT'],
    versions: [0x13, 0x15, 0x17],
    media: [6, 7],
    part: 'tail',
    decode: hydrodigit,
  },
  { name: 'hydroclima', makers: ['BMP'], media: [8], part: 'tail', decode: hydroclima },
  { name: 'rfm-tx1', makers: ['BMT'], versions: [0x05], part: 'payload', decode: rfmTx1 },
];
