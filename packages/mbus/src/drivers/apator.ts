/**
 * Apator and Apator Powogaz (APA, APT): water meters and heat cost allocators whose payloads are a maker's own.
 *
 * Decides: volumes of 3 impulses a litre (08) and a cubic metre (172); the tagged fields of 162 (a tag octet, then as many octets
 * as the tag has); the E.ITN allocator's one record; NA-1, which enciphers 16 octets with the link address and its counter as initial
 * value and stands on an all-zero key unless its owner set another.
 */
import { item, packedDay, u16, u32 } from './octets.ts';
import type { Driver, DriverInput, DriverReading, DriverResult } from './types.ts';

function thirds(scaler: number) {
  return ({ bytes, start, end }: DriverInput): DriverResult | undefined => {
    if (end - start < 4) return undefined;
    // Micro-units of the register: the third of an integer has no exact decimal.
    return {
      readings: [{ item: item('volume', 'm3', -6), value: Math.round((u32(bytes, start) * 10 ** scaler) / 3) }],
    };
  };
}

/** Octets of each tag of the 162. */
const SIZES_162 = new Map<number, number>();
function sizes(octets: number, ...tags: readonly number[]): void {
  for (const tag of tags) SIZES_162.set(tag, octets);
}
sizes(4, 0x00, 0x10, 0x42, 0xa0, 0xa1, 0xa4, 0xf0);
sizes(3, 0x01, 0x44, 0xa6);
sizes(2, 0x11, 0x41, 0x43, 0xb4, 0xa7, 0xa8, 0xaa, 0xab, 0xac, 0xad);
sizes(6, 0x40, 0x8b, 0x8c);
sizes(10, 0x80, 0x81, 0x82, 0x83, 0x84, 0x86, 0x87);
sizes(11, 0x85, 0x88, 0x8f);
sizes(9, 0x8a);
sizes(7, 0x8e, 0xa3);
sizes(1, 0xa2, 0xa5, 0xa9, 0xaf);
sizes(5, 0xb0);
sizes(8, 0xb1, 0xb3);
sizes(16, 0xb2, 0xb5);
sizes(3, 0xb6, 0xb7, 0xb8, 0xb9, 0xba, 0xbb, 0xbc, 0xbd, 0xbe, 0xbf);
sizes(3, 0xc0, 0xc1, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7, 0xd0, 0xd3);
// 71 to 7C: one octet and two to thirteen volumes, months back.
for (let n = 1; n <= 12; n++) sizes(1 + 4 * (n + 1), 0x70 + n);

const VOLUME = item('volume', 'm3', -3);

function decode162({ bytes, start, end }: DriverInput): DriverResult | undefined {
  const first = bytes[start];
  if (first !== 0x0f && first !== 0x80) return undefined;
  const readings: DriverReading[] = [];
  // The first octet and seven of status.
  for (let at = start + 8; at < end; ) {
    const tag = bytes[at] as number;
    const octets = SIZES_162.get(tag);
    if (octets === undefined || at + 1 + octets > end) break;
    if (tag === 0x10) readings.unshift({ item: VOLUME, value: u32(bytes, at + 1) });
    if (tag > 0x70 && tag <= 0x7c)
      for (let i = 0; i * 4 + 1 < octets; i++)
        readings.push({ item: item('volume', 'm3', -3, { storage: i + 1 }), value: u32(bytes, at + 2 + 4 * i) });
    at += 1 + octets;
  }
  return readings.some((r) => r.item === VOLUME) ? { readings } : undefined;
}

const ROOM = item('externalTemperature', 'degC', -6);
const ROOM_BEFORE = item('externalTemperature', 'degC', -6, { storage: 1 });

/** CI A0: the record; CI B6: how many octets of another kind, those, A0, the record. */
function decodeEitn({ bytes, start, end, ci }: DriverInput): DriverResult | undefined {
  let at = start;
  if (ci === 0xb6) {
    at += 1 + (bytes[at] ?? 0);
    if (bytes[at] !== 0xa0) return undefined;
    at++;
  } else if (end - start === 16 && bytes[at] === 0xa0) at++;
  if (end - at < 15) return undefined;
  const readings: DriverReading[] = [
    { item: item('heatCostAllocation', '1'), value: u16(bytes, at + 7) },
    { item: item('heatCostAllocation', '1', 0, { storage: 1 }), value: u16(bytes, at + 3) },
    // Degrees and their 256ths.
    { item: ROOM, value: Math.round(u16(bytes, at + 13) * 3906.25) },
    { item: ROOM_BEFORE, value: Math.round(u16(bytes, at + 11) * 3906.25) },
  ];
  const today = eitnDay(u16(bytes, at + 9));
  if (today) readings.unshift({ item: item('date'), value: today });
  // The high octet of the season's first day is fixed: 1 May 2016 and the like.
  const season = eitnDay(0xa000 | (bytes[at] as number));
  if (season) readings.push({ item: item('date', undefined, 0, { storage: 1 }), value: season });
  const opened = eitnDay(u16(bytes, at + 5));
  if (opened) readings.push({ item: item('dateSealBroken'), value: opened });
  return { readings };
}

/** As packedDay, with a year of five bits. */
function eitnDay(raw: number): string | undefined {
  return packedDay(raw & 0x3fff);
}

const NO_KEY = new Uint8Array(16);
const SECONDS_OF_20_YEARS = 20 * 365.25 * 86_400;

function decodeNa1({ bytes, start, end, linkAddress, keys, crypto }: DriverInput): DriverResult | undefined {
  if (end - start < 18) return undefined;
  const iv = new Uint8Array(16).fill(bytes[start] as number);
  iv.set(linkAddress);
  for (const key of [...keys, NO_KEY]) {
    const plain = crypto.cbcDecrypt(key, iv, bytes.subarray(start + 2, start + 18));
    const seconds = u32(plain, 5);
    // Nothing else proves the key: the clock counts from 2000 on and is of our time.
    if (seconds < SECONDS_OF_20_YEARS || seconds > 3 * SECONDS_OF_20_YEARS) continue;
    const packed = u32(plain, 1);
    const factor = 10 ** ((packed >> 4) & 3);
    const total = ((packed >>> 8) * 16 + (packed & 0x0f)) * factor;
    const meta = plain[10] as number;
    const age = (meta >> 2) * 256 + (plain[9] as number);
    const delta =
      (((plain[13] as number) << 18) | ((plain[12] as number) << 10) | ((plain[11] as number) << 2) | (meta & 3)) *
      factor;
    const at = (back: number) => new Date(946_684_800_000 + (seconds - back) * 1000).toISOString().slice(0, 19);
    return {
      readings: [
        { item: item('dateAndTime'), value: at(0) },
        { item: VOLUME, value: total },
        { item: item('volume', 'm3', -3, { storage: 1 }), value: total - delta },
        { item: item('dateAndTime', undefined, 0, { storage: 1 }), value: at(age * 3600) },
        { item: item('storageAge', 'h', 0, { storage: 1 }), value: age },
        { item: item('statusFlags', '1'), value: plain[14] as number },
        { item: item('statusFlags', '1', 0, { storage: 1 }), value: plain[15] as number },
      ],
    };
  }
  return undefined;
}

export const APATOR: readonly Driver[] = [
  { name: 'apator-08', makers: ['APT'], versions: [0x03, 0x0f], part: 'maker', decode: thirds(3) },
  { name: 'apator-172', makers: ['APT'], versions: [0x04], media: [0x11], part: 'maker', decode: thirds(6) },
  { name: 'apator-162', makers: ['APA'], versions: [0x05], media: [6, 7], part: 'payload', decode: decode162 },
  { name: 'apator-eitn', makers: ['APA', 'APT'], versions: [0x04], media: [8], part: 'maker', decode: decodeEitn },
  { name: 'apator-na1', makers: ['APA'], versions: [0x14], media: [7], part: 'maker', decode: decodeNa1 },
];
