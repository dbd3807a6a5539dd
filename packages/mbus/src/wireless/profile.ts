/**
 * Compact profiles (EN 13757-3 annex F): one record of variable length that holds many values of one register, spaced in time.
 *
 * Decides: each value becomes a record of its own with the next storage number, written as standard octets, so that it is named
 * and scaled like the register itself; before it stands its date where the profile's base has one. An inverse profile (VIFE 13)
 * goes back in time, the others (1E, 1F) forward. Increments are added up from the base, the value of the profile's own storage
 * number. Leaves out: profiles whose spacing is that of a load curve without a base time.
 */
import type { Layout, Slot } from '../application/layout.ts';

const INVERSE = 0x13;
const WITH_REGISTER = 0x1e;
const WITHOUT_REGISTER = 0x1f;
const EXTENSION = 0x80;
const OCTETS = [0, 1, 2, 3, 4, 4, 6, 8, 0, 1, 2, 3, 4, 0, 6, 0] as const;
const MONTHLY = 254;
const HALF_MONTHLY = 253;
const MAX_VALUES = 250;

/** Where the VIFE that makes a record a profile stands among its VIFEs; -1 when it is none. */
export function profileAt({ head }: Slot): number {
  if (head === undefined || (head.dif & 0x0f) !== 0x0d) return -1;
  const primary = head.vif & 0x7f;
  for (let i = primary === 0x7b || primary === 0x7d ? 1 : 0; i < head.vifes.length; i++) {
    const vife = (head.vifes[i] as number) & 0x7f;
    if (vife === INVERSE || vife === WITH_REGISTER || vife === WITHOUT_REGISTER) return i;
  }
  return -1;
}

/** The values of a profile as standard records; undefined when it is not understood. `start` is that of the records. */
export function profileRecords(layout: Layout, slot: Slot, bytes: Uint8Array, start: number): Uint8Array | undefined {
  const which = profileAt(slot);
  const { head } = slot;
  if (which < 0 || head === undefined || slot.length < 2) return undefined;
  const at = start + slot.at;
  const control = bytes[at] as number;
  const spacing = bytes[at + 1] as number;
  const mode = control >> 6;
  const field = control & 0x0f;
  const octets = OCTETS[field] as number;
  if (octets === 0 || field === 5) return undefined;
  const vif = [head.vif, ...head.vifes.filter((_, i) => i !== which)];
  const inverse = ((head.vifes[which] as number) & 0x7f) === INVERSE;
  const base = mode === 0 ? undefined : baseValue(layout, slot, bytes, start);
  if (mode !== 0 && base === undefined) return undefined;
  const day = baseDay(layout, head.storage, bytes, start);
  const out: number[] = [];
  let running = base?.value ?? 0n;
  let storage = head.storage;
  for (let from = at + 2, n = 1; from + octets <= at + slot.length && n <= MAX_VALUES; from += octets, n++) {
    storage++;
    let value = bytes.subarray(from, from + octets);
    if (mode === 0) {
      if (numberOf(value, field, true) === undefined) continue;
    } else {
      const step = numberOf(value, field, mode !== 1);
      // Without it no value behind it can be known.
      if (step === undefined) break;
      const forward = mode === 2 ? -step : step;
      running += inverse ? -forward : forward;
      // The sum has the room of the register itself.
      value = octetsOf(running, base?.octets ?? octets, base?.field ?? field);
    }
    const date = day && dateAt(day, inverse ? -n : n, spacing, (control >> 4) & 3);
    if (date) out.push(...heads(0x02, storage, 0, 0, 0, [0x6c]), ...date);
    out.push(...heads(base?.field ?? field, storage, head.tariff, head.subunit, (head.dif >> 4) & 3, vif), ...value);
  }
  return Uint8Array.from(out);
}

/** DIF, DIFEs and VIFs with their extension bits. */
function heads(
  field: number,
  storage: number,
  tariff: number,
  subunit: number,
  fn: number,
  vif: readonly number[],
): number[] {
  const dif = field | (fn << 4) | ((storage & 1) << 6);
  const difes: number[] = [];
  let [s, t, u] = [Math.floor(storage / 2), tariff, subunit];
  while (s > 0 || t > 0 || u > 0) {
    difes.push((s & 0x0f) | ((t & 3) << 4) | ((u & 1) << 6));
    s = Math.floor(s / 16);
    t >>= 2;
    u >>= 1;
  }
  const chain = (octets: readonly number[]) =>
    octets.map((octet, i) => (i < octets.length - 1 ? octet | EXTENSION : octet & ~EXTENSION));
  return [...chain([dif, ...difes]), ...chain(vif)];
}

/** The value of the same register under the profile's storage number, and its form. */
function baseValue(
  layout: Layout,
  profile: Slot,
  bytes: Uint8Array,
  start: number,
): { readonly value: bigint; readonly field: number; readonly octets: number } | undefined {
  for (const slot of layout.slots) {
    const { head } = slot;
    if (!head || slot === profile || profileAt(slot) >= 0) continue;
    if (head.storage !== profile.head?.storage || (head.vif & 0x7f) !== (profile.head.vif & 0x7f)) continue;
    const field = head.dif & 0x0f;
    if (slot.length === 0 || slot.length !== OCTETS[field] || field === 5) continue;
    const at = start + slot.at;
    const value = numberOf(bytes.subarray(at, at + slot.length), field, true);
    return value === undefined ? undefined : { value, field, octets: slot.length };
  }
  return undefined;
}

const isBcd = (field: number): boolean => field >= 9 && field <= 14;

/** Undefined for no value: BCD beyond 9, the most negative integer, all ones of an unsigned one. */
function numberOf(octets: Uint8Array, field: number, signed: boolean): bigint | undefined {
  let value = 0n;
  for (let i = octets.length - 1; i >= 0; i--) {
    const octet = octets[i] as number;
    if (isBcd(field)) {
      if ((octet & 0x0f) > 9 || octet >> 4 > 9) return undefined;
      value = value * 100n + BigInt((octet >> 4) * 10 + (octet & 0x0f));
    } else value = (value << 8n) | BigInt(octet);
  }
  if (isBcd(field)) return value;
  const bits = 8 * octets.length;
  if (!signed) return value === (1n << BigInt(bits)) - 1n ? undefined : value;
  const number = BigInt.asIntN(bits, value);
  return number === -(1n << BigInt(bits - 1)) ? undefined : number;
}

function octetsOf(value: bigint, octets: number, field: number): Uint8Array {
  const out = new Uint8Array(octets);
  let rest = value;
  if (isBcd(field)) {
    if (rest < 0n) return out.fill(0xff);
    for (let i = 0; i < octets; i++, rest /= 100n) {
      const two = Number(rest % 100n);
      out[i] = (Math.floor(two / 10) << 4) | (two % 10);
    }
  } else for (let i = 0; i < octets; i++, rest >>= 8n) out[i] = Number(rest & 0xffn);
  return out;
}

interface Day {
  readonly year: number;
  readonly month: number;
  readonly day: number;
}

/** The date (type G, or that of type F) under the profile's storage number. */
function baseDay(layout: Layout, storage: number, bytes: Uint8Array, start: number): Day | undefined {
  for (const slot of layout.slots) {
    const { head } = slot;
    if (!head?.isTimePoint || head.storage !== storage || (slot.length !== 2 && slot.length !== 4)) continue;
    const at = start + slot.at + slot.length - 2;
    const [low, high] = [bytes[at] as number, bytes[at + 1] as number];
    const day = { day: low & 0x1f, month: high & 0x0f, year: (low >> 5) | ((high & 0xf0) >> 1) };
    return day.day >= 1 && day.month >= 1 && day.month <= 12 && day.year < 100 ? day : undefined;
  }
  return undefined;
}

/** Type G of the day `n` intervals from the base; undefined where the spacing is shorter than a day. */
function dateAt(base: Day, n: number, spacing: number, unit: number): [number, number] | undefined {
  if (unit !== 3) return undefined;
  let date: Date;
  if (spacing === MONTHLY) {
    const months = base.month - 1 + n;
    const last = new Date(Date.UTC(2000 + base.year, months + 1, 0)).getUTCDate();
    // The end of a month stays the end of a month.
    const ends = base.day === new Date(Date.UTC(2000 + base.year, base.month, 0)).getUTCDate() && base.day >= 28;
    date = new Date(Date.UTC(2000 + base.year, months, ends ? last : Math.min(base.day, last)));
  } else if (spacing === HALF_MONTHLY || spacing === 0 || spacing > 250) return undefined;
  else date = new Date(Date.UTC(2000 + base.year, base.month - 1, base.day + n * spacing));
  const year = date.getUTCFullYear() - 2000;
  if (year < 0 || year > 99) return undefined;
  return [date.getUTCDate() | ((year & 7) << 5), (date.getUTCMonth() + 1) | ((year & 0x78) << 1)];
}
