/**
 * The fixed data structure of old meters (EN 1434-3; CI 73, most significant octet first 77): identification, access number, status, two
 * octets that say medium and units, and two counters of 4 octets, binary or BCD, read now or stored at a fixed date.
 *
 * Left out: the units that are no physical unit keep the number of their code in the name.
 */
import { DecodeError } from '@amiable/bytes';
import type { Item, Quality, Unit, Value } from '@amiable/model';
import { identificationAt } from './header.ts';

export const FIXED_LENGTH = 16;

export interface FixedData {
  readonly identification: string;
  readonly accessNumber: number;
  readonly status: number;
  /** By the media of the fixed structure. */
  readonly medium: string;
  readonly items: readonly Item[];
  readonly values: readonly Value[];
  readonly qualities: readonly (Quality | undefined)[] | undefined;
}

/** The four bits of the medium, two in each unit octet. */
const FIXED_MEDIA: readonly string[] = [
  'Other',
  'Oil',
  'Electricity',
  'Gas',
  'Heat',
  'Steam',
  'Hot water',
  'Water',
  'Heat cost allocator',
  'Reserved',
  'Gas, mode 2',
  'Heat, mode 2',
  'Hot water, mode 2',
  'Water, mode 2',
  'Heat cost allocator, mode 2',
  'Reserved',
];

type Meaning = readonly [quantity: string, unit: Unit | undefined, scaler: number];

/** Units by their 6 bits: 02 to 37 are series of powers of ten. */
function meaningOf(code: number): Meaning {
  if (code === 0x00) return ['Time of day', undefined, 0];
  if (code === 0x01) return ['Date', undefined, 0];
  if (code >= 0x02 && code <= 0x0a) return ['Energy', 'Wh', code - 0x02];
  if (code >= 0x0b && code <= 0x13) return ['Energy', 'J', 3 + code - 0x0b];
  if (code >= 0x14 && code <= 0x1c) return ['Power', 'W', code - 0x14];
  if (code >= 0x1d && code <= 0x25) return ['Power', 'J/h', 3 + code - 0x1d];
  if (code >= 0x26 && code <= 0x2e) return ['Volume', 'm3', code - 0x26 - 6];
  if (code >= 0x2f && code <= 0x37) return ['Volume flow', 'm3/h', code - 0x2f - 6];
  if (code === 0x38) return ['Temperature', 'degC', -3];
  if (code === 0x39) return ['Heat cost allocation', '1', 0];
  if (code === 0x3f) return ['Counter', undefined, 0];
  return [`Counter of unit ${code.toString(16).toUpperCase().padStart(2, '0')}`, undefined, 0];
}

/** The second counter has the unit of the first, at another time. */
const SAME_BUT_HISTORIC = 0x3e;

/** Reads bytes[start, end). @throws DecodeError `truncated`, `trailing` */
export function decodeFixed(bytes: Uint8Array, start: number, end: number, msbFirst = false): FixedData {
  if (end - start < FIXED_LENGTH)
    throw new DecodeError(
      'truncated',
      `the fixed structure has ${FIXED_LENGTH} octets, ${end - start} are here`,
      start,
    );
  if (end - start > FIXED_LENGTH)
    throw new DecodeError(
      'trailing',
      `${end - start - FIXED_LENGTH} octets behind the fixed structure`,
      start + FIXED_LENGTH,
    );
  const b = bytes.slice(start, end);
  if (msbFirst) for (const at of [0, 8, 12]) b.subarray(at, at + 4).reverse();
  const status = b[5] as number;
  const units = [b[6] as number, b[7] as number] as const;
  const medium = FIXED_MEDIA[(units[0] >> 6) | ((units[1] >> 6) << 2)] as string;
  const binary = (status & 1) !== 0;
  const stored = (status & 2) !== 0;
  const items: Item[] = [];
  const values: Value[] = [];
  const qualities: (Quality | undefined)[] = [];
  units.forEach((octet, i) => {
    const code = octet & 0x3f;
    const historic = code === SAME_BUT_HISTORIC;
    const [quantity, unit, scaler] = meaningOf(historic ? units[0] & 0x3f : code);
    const value = counter(b, 8 + 4 * i, binary);
    items.push({
      name: nameOfCounter(quantity, i, units),
      ...(unit !== undefined && value !== undefined && { unit }),
      scaler: value !== undefined ? scaler : 0,
      storage: stored || historic ? 1 : 0,
      tariff: 0,
      subunit: 0,
      function: 'instantaneous',
    });
    values.push(value ?? identificationAt(b, 8 + 4 * i));
    qualities.push(value !== undefined ? undefined : 'missing');
  });
  return {
    identification: identificationAt(b, 0),
    accessNumber: b[4] as number,
    status,
    medium,
    items,
    values,
    qualities: qualities.includes('missing') ? qualities : undefined,
  };
}

/** Two counters of the same quantity are told apart by number. */
function nameOfCounter(quantity: string, i: number, units: readonly [number, number]): string {
  const words = quantity.split(' ');
  const camel = words
    .map((word, n) => (n === 0 ? word.toLowerCase() : word.charAt(0).toUpperCase() + word.slice(1)))
    .join('');
  const same = meaningOf(units[0] & 0x3f)[0] === meaningOf(units[1] & 0x3f)[0];
  return same && i === 1 ? `${camel}2` : camel;
}

/** Binary ones have a sign. Undefined when BCD has digits beyond 9. */
function counter(b: Uint8Array, at: number, binary: boolean): number | undefined {
  let value = 0;
  for (let i = 3; i >= 0; i--) {
    const octet = b[at + i] as number;
    if (binary) value = (value << 8) | octet;
    else if ((octet & 15) > 9 || octet >> 4 > 9) return undefined;
    else value = value * 100 + (octet >> 4) * 10 + (octet & 15);
  }
  return value;
}
