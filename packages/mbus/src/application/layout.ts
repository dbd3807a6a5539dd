/**
 * A layout says where each value of a telegram stands and what it means. It is made once, by the standard, and then read along
 * (read.ts) for every telegram whose headers are the same octets: meters repeat themselves but for their values.
 *
 * The rule that makes this safe: what a layout says depends on no octet but those that it pins, which are all that are not
 * value: DIF to VIFE, length octets of variable data, fillers.
 */
import { DecodeError } from '@amiable/bytes';
import type { Item } from '@amiable/model';
import { type RecordHead, readHead } from './record-head.ts';

/** How the octets of a value are read. */
export const KIND = {
  none: 0,
  i8: 1,
  i16: 2,
  i24: 3,
  i32: 4,
  i48: 5,
  i64: 6,
  /** Integer of any length up to 8 octets, never negative. */
  unsigned: 7,
  bcd: 8,
  real32: 9,
  /** From here on the value is made once and remembered by its octets. */
  text: 10,
  cp16: 11,
  cp24: 12,
  cp32: 13,
  cp48: 14,
  hex: 15,
  /** Digits that name something, packed. */
  digits: 16,
  /** Integer of any length up to 8 octets, with sign. */
  integer: 17,
  /** BCD of variable length, positive and negative. */
  positiveBcd: 18,
  negativeBcd: 19,
  letters: 20,
  /** Octets of the maker: hex in the order sent. */
  maker: 21,
} as const;

export interface Slot {
  readonly head: RecordHead | undefined;
  readonly item: Item;
  readonly kind: number;
  /** First octet of the record and of its value, from the start of the records; octets of the value. */
  readonly start: number;
  readonly at: number;
  readonly length: number;
}

export interface Layout {
  /** Octets of all records. */
  readonly length: number;
  readonly msbFirst: boolean;
  readonly slots: readonly Slot[];
  readonly moreFollows: boolean;
  /** Index of the reading that is the telegram's own time, -1 when there is none. */
  readonly clock: number;
  /** What may hold more than its records say: octets of the maker, or compact profiles. */
  readonly special: 'none' | 'maker' | 'profile';
  /** By reading: index of the reading that gives its time (stored values, maxima), -1 for the telegram's; absent when none has one. */
  readonly timedBy: Int32Array | undefined;
}

/** As many as a canonical message holds; a telegram of one frame has at most 126. */
const MAX_RECORDS = 1000;
const FILLER = 0x2f;
const MAKER = 0x0f;
const MAKER_MORE = 0x1f;
const GLOBAL_READOUT = 0x7f;

const INTEGERS = [KIND.none, KIND.i8, KIND.i16, KIND.i24, KIND.i32, KIND.real32, KIND.i48, KIND.i64] as const;
const LENGTHS = [0, 1, 2, 3, 4, 4, 6, 8, 0, 1, 2, 3, 4, 0, 6, 0] as const;
const TIMES: Readonly<Record<number, number>> = { 2: KIND.cp16, 3: KIND.cp24, 4: KIND.cp32, 6: KIND.cp48 };

/** Lays out bytes[start, end). @throws DecodeError with its offset in `bytes` */
export function layOut(bytes: Uint8Array, start: number, end: number, msbFirst: boolean): Layout {
  const slots: Slot[] = [];
  const partial = layInto(slots, bytes, start, end);
  if (partial.fault) throw partial.fault;
  return finish(slots, end - start, msbFirst, partial.moreFollows);
}

/** The same of what can be read, up to the first fault. */
export function layOutPartly(
  bytes: Uint8Array,
  start: number,
  end: number,
  msbFirst: boolean,
): { layout: Layout; fault: DecodeError | undefined } {
  const slots: Slot[] = [];
  const partial = layInto(slots, bytes, start, end);
  return { layout: finish(slots, end - start, msbFirst, partial.moreFollows), fault: partial.fault };
}

function layInto(
  slots: Slot[],
  bytes: Uint8Array,
  start: number,
  end: number,
): { moreFollows: boolean; fault?: DecodeError } {
  let pos = start;
  try {
    while (pos < end) {
      const dif = bytes[pos] as number;
      if (dif === FILLER) {
        pos++;
        continue;
      }
      if (dif === MAKER || dif === MAKER_MORE) {
        slots.push(makersSlot(pos - start, end - start));
        return { moreFollows: dif === MAKER_MORE };
      }
      if (dif === GLOBAL_READOUT) throw new DecodeError('dif', 'DIF 7F asks for a readout; it is no answer', pos);
      if ((dif & 0x0f) === 0x0f) throw new DecodeError('dif', `DIF ${dif.toString(16).toUpperCase()} is reserved`, pos);
      if (slots.length === MAX_RECORDS)
        throw new DecodeError('limit', `more than ${MAX_RECORDS} records in one telegram`, pos);
      const slot = recordSlot(bytes, pos, start, end);
      slots.push(slot);
      pos = start + slot.at + slot.length;
    }
    return { moreFollows: false };
  } catch (fault) {
    if (!(fault instanceof DecodeError)) throw fault;
    return { moreFollows: false, fault };
  }
}

function recordSlot(bytes: Uint8Array, pos: number, start: number, end: number): Slot {
  const head = readHead(bytes, pos, end);
  let at = head.end;
  let length = LENGTHS[head.dif & 0x0f] as number;
  let kind = kindOf(head, length);
  if ((head.dif & 0x0f) === 0x0d) {
    if (at >= end) throw new DecodeError('truncated', 'the record ends before the length of its data', at);
    const lvar = bytes[at++] as number;
    [kind, length] = variable(lvar, at - 1);
    // Digits that name something keep their noughts.
    if (kind === KIND.positiveBcd && head.form === 'identity') kind = KIND.digits;
  }
  if (length > end - at)
    throw new DecodeError('truncated', `the record has ${length} octets of data, ${end - at} are left`, at);
  return { head, item: itemOf(head, kind), kind, start: pos - start, at: at - start, length };
}

function kindOf(head: RecordHead, length: number): number {
  const field = head.dif & 0x0f;
  const { form } = head;
  if (length === 0) return KIND.none;
  if (form === 'time' && field !== 5 && field < 8) return TIMES[length] ?? KIND.unsigned;
  if (field >= 9) return form === 'identity' ? KIND.digits : KIND.bcd;
  if (field === 5) return KIND.real32;
  if (form === 'manufacturer' && length === 2) return KIND.letters;
  if (form === 'unsigned' || form === 'identity') return KIND.unsigned;
  return INTEGERS[field] as number;
}

/** Kind and length of variable data by its length octet (EN 13757-3 table 5). */
function variable(lvar: number, at: number): [kind: number, length: number] {
  if (lvar < 0xc0) return [KIND.text, lvar];
  if (lvar <= 0xc9) return [KIND.positiveBcd, lvar - 0xc0];
  if (lvar >= 0xd0 && lvar <= 0xd9) return [KIND.negativeBcd, lvar - 0xd0];
  if (lvar >= 0xe0 && lvar <= 0xe8) return [KIND.integer, lvar - 0xe0];
  if (lvar > 0xe8 && lvar <= 0xef) return [KIND.hex, lvar - 0xe0];
  if (lvar >= 0xf0 && lvar <= 0xf4) return [KIND.hex, 4 * (lvar - 0xec)];
  if (lvar === 0xf5) return [KIND.hex, 48];
  if (lvar === 0xf6) return [KIND.hex, 64];
  throw new DecodeError('lvar', `length octet ${lvar.toString(16).toUpperCase()} of variable data is reserved`, at);
}

function itemOf(head: RecordHead, kind: number): Item {
  const numeric = (kind >= KIND.i8 && kind < KIND.text) || (kind >= KIND.integer && kind <= KIND.negativeBcd);
  return {
    name: head.name,
    ...(numeric && head.unit !== undefined && { unit: head.unit }),
    scaler: numeric ? head.scaler : 0,
    storage: head.storage,
    tariff: head.tariff,
    subunit: head.subunit,
    function: head.function,
  };
}

/** What the reading of the maker's own octets is. */
export const MAKERS_ITEM: Item = {
  name: 'manufacturerData',
  scaler: 0,
  storage: 0,
  tariff: 0,
  subunit: 0,
  function: 'instantaneous',
};

function makersSlot(start: number, end: number): Slot {
  return { head: undefined, item: MAKERS_ITEM, kind: KIND.maker, start, at: start + 1, length: end - start - 1 };
}

const isClock = ({ head, kind }: Slot): boolean => head?.isTimePoint === true && kind >= KIND.cp16 && kind <= KIND.cp48;

function finish(slots: readonly Slot[], length: number, msbFirst: boolean, moreFollows: boolean): Layout {
  const clocks = slots.filter(isClock);
  const now = ({ head }: Slot) =>
    head?.function === 'instantaneous' && head.storage === 0 && (head.vif & 0x7f) === 0x6d;
  let timedBy: Int32Array | undefined;
  if (clocks.length > 0)
    slots.forEach((slot, i) => {
      const clock = slot.head && slot.head.form !== 'time' ? clockOf(slot.head, clocks) : undefined;
      if (clock === undefined) return;
      timedBy ??= new Int32Array(slots.length).fill(-1);
      timedBy[i] = slots.indexOf(clock);
    });
  const clock = slots.findIndex((slot) => isClock(slot) && now(slot));
  return { length, msbFirst, slots, moreFollows, clock, special: specialOf(slots), timedBy };
}

/** VIFEs of profiles: inverse compact, compact with registers, compact. */
const PROFILES: ReadonlySet<number> = new Set([0x13, 0x1e, 0x1f]);

function specialOf(slots: readonly Slot[]): Layout['special'] {
  if (slots.some(({ head }) => head?.vifes.some((vife) => PROFILES.has(vife & 0x7f)))) return 'profile';
  return slots.some(({ head }) => head === undefined || (head.vif & 0x7f) === 0x7f) ? 'maker' : 'none';
}

/** The time point of a stored value, or of a maximum: of the same storage number and function, else of the storage number. */
function clockOf({ storage, function: kind, tariff, subunit }: RecordHead, clocks: readonly Slot[]): Slot | undefined {
  if (storage === 0 && kind === 'instantaneous') return undefined;
  const same = clocks.filter(({ head }) => head?.storage === storage && head.function === kind);
  const exact = same.find(({ head }) => head?.tariff === tariff && head.subunit === subunit);
  if (exact ?? same[0]) return exact ?? same[0];
  return storage > 0
    ? clocks.find(({ head }) => head?.storage === storage && head.function === 'instantaneous')
    : undefined;
}
