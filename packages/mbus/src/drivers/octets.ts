/** What drivers read and write with: numbers out of octets, standard records, items that are made once. */
import type { Item, Unit } from '@amiable/model';

export function u16(b: Uint8Array, at: number): number {
  return (b[at] as number) | ((b[at + 1] as number) << 8);
}

export function u24(b: Uint8Array, at: number): number {
  return u16(b, at) | ((b[at + 2] as number) << 16);
}

export function u32(b: Uint8Array, at: number): number {
  return (u16(b, at) | (u16(b, at + 2) << 16)) >>> 0;
}

/** Two digits of packed BCD; undefined when one is beyond 9. */
export function bcd(octet: number): number | undefined {
  return (octet & 0x0f) > 9 || octet >> 4 > 9 ? undefined : (octet >> 4) * 10 + (octet & 0x0f);
}

const two = (n: number): string => String(n).padStart(2, '0');

/** `YYYY-MM-DD`; undefined for a day that is none. */
export function dayText(year: number, month: number, day: number): string | undefined {
  if (month < 1 || month > 12 || day < 1 || day > 31) return undefined;
  return `${year}-${two(month)}-${two(day)}`;
}

/** Day in bits 0 to 4, month in 5 to 8, years from 2000 in 9 to 15. */
export function packedDay(raw: number): string | undefined {
  return dayText(2000 + (raw >> 9), (raw >> 5) & 0x0f, raw & 0x1f);
}

const items = new Map<string, Item>();
const MAX_ITEMS = 4096;

/** The same object for the same description, so that messages of one layout share it. */
export function item(name: string, unit?: Unit, scaler = 0, more: Partial<Item> = {}): Item {
  const key = `${name}/${unit}/${scaler}/${more.storage}/${more.function}/${more.tariff}/${more.subunit}`;
  let made = items.get(key);
  if (!made) {
    made = {
      name,
      ...(unit === undefined ? {} : { unit }),
      scaler,
      storage: 0,
      tariff: 0,
      subunit: 0,
      function: 'instantaneous',
      ...more,
    };
    if (items.size >= MAX_ITEMS) items.clear();
    items.set(key, made);
  }
  return made;
}

/** Joins headers (numbers) and data (octets of the frame) to standard records. */
export function records(...parts: readonly (number | Uint8Array)[]): Uint8Array {
  const out: number[] = [];
  for (const part of parts) {
    if (typeof part === 'number') out.push(part);
    else out.push(...part);
  }
  return Uint8Array.from(out);
}

/** DIF and DIFE of a storage number up to 31, for a data field of 2, 3 or 4 octets or the like. */
export function storageHead(field: number, storage: number): number[] {
  const dif = field | ((storage & 1) << 6);
  return storage > 1 ? [dif | 0x80, storage >> 1] : [dif];
}
