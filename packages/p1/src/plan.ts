/**
 * A plan says how to read one layout of a telegram: which bytes never change, where each value stands, and what it means. It is
 * derived once, from a telegram read by the book, and then read along by run.ts, for this telegram and for all that repeat its
 * layout: a meter sends the same lines every second, digits apart.
 *
 * The rule that makes this safe: what a plan says may depend on no byte but those that it pins. Digits of numbers, moving stamps
 * and free texts are not pinned, and run.ts refuses the plan when they are not what their kind asks for. All else is: addresses,
 * brackets, units, points, signs, numbers of devices, logs.
 */
import { DecodeError } from '@amiable/bytes';
import type { Flag, Item, Value } from '@amiable/model';
import { DIGITS, markOf, NO_MARK, type PortClock, wallAt } from './clock.ts';
import { headerOf, versionName } from './header.ts';
import type { Head } from './message.ts';
import { type Cell, KIND, readSense, spokenText } from './readings.ts';
import { ascii, type Layout, layoutTelegram, MAX_VALUES, SLASH, type Span } from './telegram.ts';

export interface Memo {
  bytes: Uint8Array;
  text: string;
}

export interface Plan extends Head {
  /** Octets before the exclamation mark. */
  readonly length: number;
  readonly meterId: string | undefined;
  /** Offset of the telegram's stamp, -1 without a clock or when it shows no time. */
  readonly clock: number;
  /** Whether a mark follows that stamp. */
  readonly marked: boolean;
  readonly flags: readonly Flag[];
  /** Values of the constants; placeholders for the others. */
  readonly base: readonly Value[];
  /** Numbers: index of the value, integer digits, fraction digits, sign; side by side. */
  readonly numbers: Int32Array;
  /** Indexes of the readings that show the telegram's clock. */
  readonly clocks: readonly number[];
  readonly texts: readonly {
    readonly index: number;
    readonly span: Span;
    readonly message: boolean;
    readonly memo: Memo;
  }[];
  /** Stamps of `timed`, in that order: offset; -1 for those in `fixed`. */
  readonly stamps: Int32Array;
  /** Whether a mark follows. */
  readonly stampMarks: Uint8Array;
  /** UTC of the stamps that are pinned. */
  readonly fixed: Float64Array;
  readonly learnable: boolean;
  readonly pins: Pins;
  readonly junk: readonly Span[];
  used: number;
}

export interface Pins {
  readonly wordsAt: Int32Array;
  /** Little-endian. */
  readonly words: Int32Array;
  readonly bytesAt: Int32Array;
  readonly bytes: Uint8Array;
}

/** Fields of `numbers`. */
export const NUMBER_FIELDS = 6;

const CLOCK_INVALID: readonly Flag[] = ['clockInvalid'];
const NO_FLAGS: readonly Flag[] = [];

/**
 * Makes the plan of the telegram that fills `b`, from its slash to before its exclamation mark.
 * @throws DecodeError
 */
export function makePlan(b: Uint8Array, clock: PortClock): Plan {
  const layout: Layout = layoutTelegram(b);
  const { cells, ...sense } = readSense(b, layout);
  if (cells.length > MAX_VALUES) throw new DecodeError('limit', `more than ${MAX_VALUES} values`, 0);
  const header = headerOf(ascii(b, layout.identification));
  let learnable = layout.junk.length === 0;

  const wall = sense.clock < 0 ? Number.NaN : wallAt(b, sense.clock);
  const clockAt = Number.isNaN(wall) ? -1 : sense.clock;

  const free = new Uint8Array(b.length);
  if (clockAt >= 0) freeStamp(b, clockAt, free);
  const numbers: number[] = [];
  const clocks: number[] = [];
  const texts: { index: number; span: Span; message: boolean; memo: Memo }[] = [];
  const timed: number[] = [];
  const stamps: number[] = [];
  const marks: number[] = [];
  const fixed: number[] = [];
  const base: Value[] = [];
  cells.forEach((cell, index) => {
    base.push(cell.kind === KIND.constant ? shortened(cell.value) : cell.kind === KIND.number ? 0 : '');
    if (cell.kind === KIND.number && cell.digits) {
      const { from, to, fractionFrom, fractionTo, negative } = cell.digits;
      numbers.push(index, from, to, fractionFrom, fractionTo, negative ? -1 : 1);
      free.fill(1, from, to);
      free.fill(1, fractionFrom, fractionTo);
    } else if (cell.kind === KIND.clock) {
      // A second clock of another channel does not go with the first.
      if (cell.span.start === clockAt) clocks.push(index);
      else base[index] = ascii(b, cell.span);
    } else if ((cell.kind === KIND.text || cell.kind === KIND.message) && !isPlain(b, cell.span)) {
      base[index] = textAt(b, cell.span.start, cell.span.end, cell.kind === KIND.message);
    } else if (cell.kind === KIND.text || cell.kind === KIND.message) {
      texts.push({ index, span: cell.span, message: cell.kind === KIND.message, memo: { bytes: EMPTY, text: '' } });
      free.fill(1, cell.span.start, cell.span.end);
    }
    if (cell.stamp < 0) return;
    timed.push(index);
    const mark = markOf(b[cell.stamp + DIGITS] as number);
    marks.push(mark === NO_MARK ? 0 : 1);
    if (cell.moving) {
      stamps.push(cell.stamp);
      fixed.push(Number.NaN);
      freeStamp(b, cell.stamp, free);
    } else {
      stamps.push(-1);
      fixed.push(clock.utc(wallAt(b, cell.stamp), mark));
      // What a stamp without a mark means may depend on the time of the message.
      if (mark === NO_MARK) learnable = false;
    }
  });

  return {
    length: b.length,
    items: itemsOf(cells),
    qualities: cells.some((cell) => cell.quality !== undefined) ? cells.map((cell) => cell.quality) : undefined,
    timed,
    maker: header.maker,
    meterType: header.meterType,
    list: versionName(sense.dsmr, sense.emucs),
    meterId: sense.meterId?.slice(0, 64),
    clock: clockAt,
    marked: clockAt >= 0 && markOf(b[clockAt + DIGITS] as number) !== NO_MARK,
    flags: sense.clock >= 0 && clockAt < 0 ? CLOCK_INVALID : NO_FLAGS,
    base,
    numbers: Int32Array.from(numbers),
    clocks,
    texts,
    stamps: Int32Array.from(stamps),
    stampMarks: Uint8Array.from(marks),
    fixed: Float64Array.from(fixed),
    learnable,
    pins: pinsOf(b, free),
    junk: layout.junk,
    used: 0,
  };
}

const EMPTY = new Uint8Array(0);

const shortened = (value: Value): Value => (typeof value === 'string' ? value.slice(0, MAX_TEXT) : value);

function freeStamp(b: Uint8Array, at: number, free: Uint8Array): void {
  const marked = markOf(b[at + DIGITS] as number) !== NO_MARK;
  free.fill(1, at, at + DIGITS + (marked ? 1 : 0));
}

/** Equal rows of items are one object, so that a program knows a layout again by identity. */
const rows = new Map<string, readonly Item[]>();
const MAX_ROWS = 1024;

/** A number for each item, to tell rows apart in the key. */
const numbersOfItems = new WeakMap<Item, number>();
let lastNumber = 0;

function itemsOf(cells: readonly Cell[]): readonly Item[] {
  let key = '';
  for (const { item } of cells) {
    let number = numbersOfItems.get(item);
    if (number === undefined) {
      number = ++lastNumber;
      numbersOfItems.set(item, number);
    }
    key += `${number},`;
  }
  let row = rows.get(key);
  if (row === undefined) {
    row = Object.freeze(cells.map((cell) => cell.item));
    if (rows.size >= MAX_ROWS) rows.clear();
    rows.set(key, row);
  }
  return row;
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
    // The rest of a run of more than four is its last word, partly looked at twice.
    if (start < end && wordsAt.at(-1) === start - 4) wordsAt.push(end - 4);
    else for (let i = start; i < end; i++) bytesAt.push(i);
    start = end;
  }
  const word = (i: number): number =>
    (b[i] as number) | ((b[i + 1] as number) << 8) | ((b[i + 2] as number) << 16) | ((b[i + 3] as number) << 24);
  return {
    wordsAt: Int32Array.from(wordsAt),
    words: Int32Array.from(wordsAt.map(word)),
    bytesAt: Int32Array.from(bytesAt),
    bytes: Uint8Array.from(bytesAt.map((i) => b[i] as number)),
  };
}

const OPEN = 0x28;
const CLOSE = 0x29;

/** Whether a text holds nothing that could end a value or begin a telegram: only such a text may change in a layout. */
export function isPlain(b: Uint8Array, { start, end }: Span): boolean {
  for (let i = start; i < end; i++) {
    const c = b[i] as number;
    if (c < 0x20 || c === OPEN || c === CLOSE || c === SLASH) return false;
  }
  return true;
}

/** Characters of a value that a canonical message takes; no standard has more. */
const MAX_TEXT = 4096;

/** What a text of a plan says. */
export function textAt(b: Uint8Array, from: number, to: number, message: boolean): string {
  const sent = ascii(b, { start: from, end: to });
  return (message ? spokenText(sent) : sent).slice(0, MAX_TEXT);
}
