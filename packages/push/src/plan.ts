/**
 * A plan says how to read one layout of a notification: which bytes never change, where each value stands, and what it
 * means. It is derived once, from the list decoded by the book, and then read along by run.ts, for this message and for all
 * that repeat its layout.
 *
 * The rule that makes this safe: what a plan says may depend on no byte but those that the plan itself pins. So every byte
 * that is not a value is pinned, and a value whose contents decide something (list version, meter type) is pinned too;
 * where that cannot be had (floats, whose decimals vary), the plan is used once and not kept.
 */
import { DecodeError } from '@amiable/bytes';
import { type Quantity, quantityOf } from '@amiable/cosem';
import type { NotificationHead } from '@amiable/dlms';
import type { Flag, Item, Value } from '@amiable/model';
import type { Body, Element } from './elements.ts';
import { findList, isText } from './find-list.ts';
import { type Coded, rowOf } from './items.ts';
import { inCompactArray, KIND, looseValue, type Read, readOf, textOf } from './read.ts';

/** What was read last at one place, so that the same bytes give the same string. */
export interface Memo {
  bytes: Uint8Array;
  text: string;
}

export interface Plan {
  readonly length: number;
  readonly items: readonly Item[];
  readonly kinds: Uint8Array;
  /** First byte of each value's contents, and the end. */
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  /** Values of the pinned ones; the others are placeholders. */
  readonly base: readonly Value[];
  readonly memos: readonly (Memo | undefined)[];
  readonly head: {
    readonly maker: string | undefined;
    readonly list: string | undefined;
    readonly meterType: string | undefined;
  };
  /** Index of the value that is the meter's number, -1 when there is none. */
  readonly meterId: number;
  /** Index of the logical device name where the maker is told by it, else -1. */
  readonly deviceName: number;
  /** Places of the elements that no code names, in order of the readings, undefined for the others; absent when all are named. */
  readonly unknown: readonly (Place | undefined)[] | undefined;
  /** Offset of the notification's date-time, -1 when it has none. */
  readonly clock: number;
  /** Offset of the list's own clock, -1 when it has none. */
  readonly listClock: number;
  /** Indexes of the values that the list's own clock times. */
  readonly registers: readonly number[];
  readonly zone: string | undefined;
  readonly zeroDeviationIsLocal: boolean;
  readonly flags: readonly Flag[];
  readonly flagsClockInvalid: readonly Flag[];
  /** May be kept for the next message. */
  readonly learnable: boolean;
  /** What never changes. */
  readonly pins: Pins;
  /** When it was used last, in messages. */
  used: number;
}

/** An element with its tag. */
export interface Place {
  readonly start: number;
  readonly end: number;
}

/** The bytes that are pinned: four at a time where they stand together, the others one by one. */
export interface Pins {
  readonly wordsAt: Int32Array;
  /** Little-endian. */
  readonly words: Int32Array;
  readonly bytesAt: Int32Array;
  readonly bytes: Uint8Array;
}

/** invoke-id-and-priority, which counts. */
const INVOKE_ID = { start: 1, end: 5 };
/** As many readings as a canonical message may carry. */
const MAX_READINGS = 2000;
const MAX_BYTES = 65_536;
/** Octets of an unknown element that are kept, as many as the canonical message has room for. */
const MAX_RAW = 4096;
/** Names of lists and meters are short; more is no name. */
const MAX_NAME = 64;

/** Makes the plan of a notification. `bodyAt` is where the head ends. @throws DecodeError `limit` */
export function makePlan(bytes: Uint8Array, head: NotificationHead, bodyAt: number, body: Body): Plan {
  const dated = head.dateTimeForm !== 'none';
  const { def, version } = findList(body, dated);
  let unnamed = 0;
  const codes = body.elements.map((element) => element.obis ?? def?.unnamed?.[unnamed++]);
  const names = codes.map((code) => (code === undefined ? undefined : quantityOf(code)));
  const meterType = named(body, names, 'meterType');
  const typeText = meterType && nameOf(meterType);
  const threeWire = typeText !== undefined && (def?.threeWire?.some((type) => typeText.startsWith(type)) ?? false);
  const listClock = body.elements.find((element, i) => names[i]?.clock === true && isDateTime(element));

  const coded: Coded[] = [];
  let learnable = !body.ambiguous && !body.truncated && bytes.length < MAX_BYTES;
  body.elements.forEach((element, position) => {
    const quantity = names[position];
    const decides = element === version || element === meterType || quantity?.name === 'listVersion';
    const read = pin(readOf(element, quantity?.clock === true), element, decides, bytes);
    if (read === undefined) return;
    if (read.once) learnable = false;
    coded.push({ element, obis: codes[position], position, read });
  });
  if (coded.length > MAX_READINGS)
    throw new DecodeError('limit', `${coded.length} values in one list, at most ${MAX_READINGS} are taken`, bodyAt);

  const row = rowOf(coded, { def, threeWire, hasClock: listClock !== undefined });
  const clock = dated ? bodyAt - DATE_TIME : -1;
  const pins = learnable ? pinsOf(bytes, freeBytes(bytes.length, head, clock, coded)) : NO_PINS;
  const flags: Flag[] = [];
  if (!def) flags.push('unknownList');
  if (body.truncated) flags.push('truncated');
  const versionElement = named(body, names, 'listVersion');

  return {
    length: bytes.length,
    items: row.items,
    ...columns(coded),
    head: {
      maker: def?.maker,
      list: (versionElement && nameOf(versionElement)) ?? def?.list,
      meterType: typeText,
    },
    meterId: row.meterId,
    deviceName: def?.maker === undefined ? row.deviceName : -1,
    unknown: coded.some((c) => c.obis === undefined) ? coded.map((c) => placeOf(c, bytes)) : undefined,
    clock,
    listClock: listClock ? listClock.end - DATE_TIME : -1,
    registers: row.registers,
    zone: def?.zone,
    zeroDeviationIsLocal: def?.zeroDeviationIsLocal === true,
    flags,
    flagsClockInvalid: [...flags, 'clockInvalid'],
    learnable,
    pins,
    used: 0,
  };
}

/** Elements of a compact-array have no place of their own. */
function placeOf({ element, obis }: Coded, bytes: Uint8Array): Place | undefined {
  if (obis !== undefined || inCompactArray(element, bytes)) return undefined;
  return { start: element.start, end: Math.min(element.end, element.start + MAX_RAW) };
}

function named(body: Body, names: readonly (Quantity | undefined)[], name: string): Element | undefined {
  return body.elements[names.findIndex((quantity) => quantity?.name === name)];
}

const DATE_TIME = 12;
const EMPTY = new Uint8Array(0);
const NO_PINS: Pins = {
  wordsAt: new Int32Array(0),
  words: new Int32Array(0),
  bytesAt: new Int32Array(0),
  bytes: EMPTY,
};

/** Text of a value that names something; undefined when it is empty, too long or no text. */
function nameOf(element: Element): string | undefined {
  const text = textOf(element.data);
  return text !== undefined && text.length > 0 && text.length <= MAX_NAME ? text : undefined;
}

function isDateTime({ data }: Element): boolean {
  return data.type === 'date-time' || (data.type === 'octet-string' && data.value.length === DATE_TIME);
}

/** Turns a reading by place into a value that stands, where its bytes decide something or cannot be found again. */
function pin(read: Read | undefined, element: Element, decides: boolean, bytes: Uint8Array): Read | undefined {
  if (read === undefined) return undefined;
  if (inCompactArray(element, bytes))
    return { ...read, kind: KIND.constant, value: looseValue(element.data), once: true };
  if (decides && isText(element.data))
    return { ...read, kind: KIND.constant, value: textOf(element.data) ?? '', scaler: 0 };
  return read;
}

/** Side by side what run.ts goes along. */
function columns(coded: readonly Coded[]): Pick<Plan, 'kinds' | 'starts' | 'ends' | 'base' | 'memos'> {
  const n = coded.length;
  const kinds = new Uint8Array(n);
  const starts = new Int32Array(n);
  const ends = new Int32Array(n);
  const base: Value[] = [];
  const memos: (Memo | undefined)[] = [];
  for (let i = 0; i < n; i++) {
    const { read } = coded[i] as Coded;
    kinds[i] = read.kind;
    starts[i] = read.start;
    ends[i] = read.end;
    base.push(read.value);
    memos.push(read.kind >= KIND.text ? { bytes: EMPTY, text: '' } : undefined);
  }
  return { kinds, starts, ends, base, memos };
}

/** Marks the invoke id, the date-time and the values; all other bytes are pinned. */
function freeBytes(length: number, head: NotificationHead, clock: number, coded: readonly Coded[]): Uint8Array {
  const free = new Uint8Array(length);
  free.fill(1, INVOKE_ID.start, INVOKE_ID.end);
  for (const { read } of coded) if (read.kind !== KIND.constant) free.fill(1, read.start, read.end);
  if (clock >= 0) {
    free.fill(1, clock, clock + DATE_TIME);
    // Where nothing announces the date-time, its own first byte does.
    if (head.dateTimeForm === 'bare') free[clock] = 0;
  }
  return free;
}

function pinsOf(b: Uint8Array, free: Uint8Array): Pins {
  const wordsAt: number[] = [];
  const bytesAt: number[] = [];
  for (let start = 0; start < b.length; ) {
    if (free[start] !== 0) {
      start++;
      continue;
    }
    let end = start;
    while (end < b.length && free[end] === 0) end++;
    for (; start + 4 <= end; start += 4) wordsAt.push(start);
    // The rest of a run of more than four is the last word of it, partly looked at twice.
    if (start < end && free[end - 4] === 0 && wordsAt.at(-1) === start - 4) wordsAt.push(end - 4);
    else for (let i = start; i < end; i++) bytesAt.push(i);
    start = end;
  }
  return {
    wordsAt: Int32Array.from(wordsAt),
    words: Int32Array.from(
      wordsAt.map(
        (i) =>
          (b[i] as number) | ((b[i + 1] as number) << 8) | ((b[i + 2] as number) << 16) | ((b[i + 3] as number) << 24),
      ),
    ),
    bytesAt: Int32Array.from(bytesAt),
    bytes: Uint8Array.from(bytesAt.map((i) => b[i] as number)),
  };
}
