/** Single devices of other makers: BFW's allocator, Zenner's module, GWF's battery; Qundis' walk-by record. */
import type { Unit } from '@amiable/model';
import { bcd, dayText, item, records, storageHead, u16, u32 } from './octets.ts';
import type { Driver, DriverInput, DriverReading, DriverResult } from './types.ts';

const be16 = (b: Uint8Array, at: number): number => ((b[at] as number) << 8) | (b[at + 1] as number);

/**
 * BFW 240 radio: what the year before ended with, what is now, and 18 months of 12 bits each, two to three octets, newest last;
 * then the day in BCD. Numbers have their high octet first.
 */
function bfw240({ bytes, start, end }: DriverInput): DriverResult | undefined {
  if (end - start < 38) return undefined;
  const readings: DriverReading[] = [
    { item: item('heatCostAllocation', '1'), value: be16(bytes, start + 4) },
    { item: item('heatCostAllocation', '1', 0, { storage: 1 }), value: be16(bytes, start + 2) },
  ];
  for (let month = 1; month <= 18; month++) {
    const at = start + 8 + 3 * (8 - ((month - 1) >> 1));
    const middle = bytes[at + 1] as number;
    const value =
      month % 2 === 1
        ? ((middle & 0x0f) << 8) | (bytes[at + 2] as number)
        : ((middle >> 4) << 8) | (bytes[at] as number);
    readings.push({ item: item('heatCostAllocation', '1', 0, { storage: month + 1 }), value });
  }
  const [day, month, year] = [35, 36, 37].map((i) => bcd(bytes[start + i] as number));
  const date =
    day === undefined || month === undefined || year === undefined ? undefined : dayText(2000 + year, month, day);
  if (date) readings.unshift({ item: item('date'), value: date });
  return { readings };
}

/** Status, volume of the last period and volume, in 256ths of a litre. */
function zenner0b({ bytes, start, end }: DriverInput): DriverResult | undefined {
  if (end - start < 12) return undefined;
  const litres = (at: number) => Math.round((u32(bytes, at) * 1000) / 256);
  return {
    readings: [
      { item: item('volume', 'm3', -6), value: litres(start + 8) },
      { item: item('volume', 'm3', -6, { storage: 1 }), value: litres(start + 4) },
      { item: item('errorFlags', '1'), value: u32(bytes, start) },
    ],
  };
}

/** Layout 1: flags, and the battery's half years in the upper five bits. */
function gwf({ bytes, start, end }: DriverInput): DriverResult | undefined {
  if (bytes[start] !== 0x01 || end - start < 3) return undefined;
  return {
    readings: [
      { item: item('errorFlags', '1'), value: bytes[start + 1] as number },
      { item: item('remainingBatteryLifetime', 'year', -1), value: ((bytes[start + 2] as number) >> 3) * 5 },
    ],
  };
}

/** VIFs of what Qundis devices count. */
const COUNTED: ReadonlySet<number> = new Set([0x05, 0x06, 0x0d, 0x0e, 0x13, 0x14, 0x15, 0x6e]);
const QDS_DELTAS = 12;

/**
 * Walk-by record (VIF FF, VIFE 5F) of Qundis: 9 octets, the VIF of what is counted, day of error, value, day and value of the year's
 * end, of the month's end, and what came in each of the 12 months before.
 */
function qundis({ bytes, start, end }: DriverInput): DriverResult | undefined {
  const vif = bytes[start + 9];
  if (vif === undefined || !COUNTED.has(vif) || end - start < 28) return undefined;
  const part = (offset: number, octets: number) => bytes.subarray(start + offset, start + offset + octets);
  const parts: (number | Uint8Array)[] = [
    ...[0x0c, vif, part(12, 4)],
    ...[0x42, 0x6c, part(16, 2), 0x4c, vif, part(18, 4)],
    ...[0xc2, 0x08, 0x6c, part(22, 2), 0xcc, 0x08, vif, part(24, 4)],
    ...[0x32, 0x6c, part(10, 2)],
  ];
  for (let i = 0; i < QDS_DELTAS && 30 + 2 * i <= end - start; i++) {
    const at = start + 28 + 2 * i;
    // 8000 is a month that has not been.
    if (u16(bytes, at) !== 0x8000) parts.push(...storageHead(0x02, i + 2), vif, part(28 + 2 * i, 2));
  }
  return { records: records(...parts) };
}

/** What IME's VIFEs behind VIF FF count; the next VIFE is VIF 04, 2B, or the second octet of FD 48 and FD 59. */
const IME: Readonly<Record<number, readonly [string, Unit, number]>> = {
  0: ['energy', 'Wh', 1],
  1: ['reactiveEnergy', 'varh', 1],
  2: ['apparentEnergy', 'VAh', 1],
  4: ['power', 'W', 0],
  5: ['reactivePower', 'var', 0],
  6: ['apparentPower', 'VA', 0],
  7: ['voltage', 'V', -1],
  8: ['lineVoltage', 'V', -1],
  9: ['current', 'A', -3],
  10: ['frequency', 'Hz', -1],
};
const DIRECTIONS: Readonly<Record<number, string>> = { 59: 'Forward', 60: 'Backward' };

function ime({ bytes, start, end, head }: DriverInput): DriverResult | undefined {
  const known = head && IME[(head.vifes[0] ?? 0x80) & 0x7f];
  const field = (head?.dif ?? 0) & 0x0f;
  if (!known || field < 1 || field > 4 || end - start !== field) return undefined;
  const [name, unit, scaler] = known;
  let value = 0;
  for (let i = end - 1; i >= start; i--) value = value * 256 + (bytes[i] as number);
  if ((bytes[end - 1] as number) & 0x80) value -= 256 ** field;
  const direction = DIRECTIONS[(head.vifes[2] ?? 0) & 0x7f] ?? '';
  const { storage, tariff, subunit } = head;
  return { readings: [{ item: item(`${name}${direction}`, unit, scaler, { storage, tariff, subunit }), value }] };
}

export const OTHERS: readonly Driver[] = [
  { name: 'bfw-240', makers: ['BFW'], versions: [0x02], media: [8], part: 'payload', decode: bfw240 },
  { name: 'zenner-0b', makers: ['ZRI'], versions: [0x0b], media: [0x16], part: 'tail', decode: zenner0b },
  { name: 'gwf', makers: ['GWF'], part: 'tail', decode: gwf },
  { name: 'qundis-walk-by', makers: ['QDS', 'LSE'], part: 'record', vifes: [0x5f], decode: qundis },
  { name: 'ime', makers: ['IME'], part: 'record', decode: ime },
];
