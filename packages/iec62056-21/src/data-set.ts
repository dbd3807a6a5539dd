/**
 * Data sets (IEC 62056-21 clause 6.3.4 and 6.3.6): `address(value*unit)(value)…`, several on a line.
 *
 * Decides: where a data set begins and ends, whatever stands around it; lines that go on with `(…)` alone belong to the
 * address before. Leaves out: what addresses and values mean (items.ts, values.ts).
 */
import { DecodeError } from '@amiable/bytes';

/** What stands between one pair of brackets. */
export interface BracketValue {
  /** Without the unit; as sent. */
  readonly value: string;
  /** Behind the `*`; empty where the star stands alone, undefined without one. */
  readonly unit?: string;
  /** Of the opening bracket, in the text given. */
  readonly offset: number;
  /** With both brackets. */
  readonly length: number;
}

export interface DataSet {
  /** As sent; empty where a value came before any address. */
  readonly address: string;
  readonly values: readonly BracketValue[];
  readonly offset: number;
  readonly length: number;
}

export interface DataLine {
  readonly sets: readonly DataSet[];
  /** A `!` outside brackets: the data block ends at this offset. */
  readonly end?: number;
  /** Octets between data sets that belong to none: [offset, length]. */
  readonly stray: readonly (readonly [offset: number, length: number])[];
}

/** An address has 16 characters by the standard; some makers' have more. */
const LONGEST_ADDRESS = 40;
const BRACKETS_PER_SET = 4096;

const isPrintable = (c: number): boolean => c > 0x20 && c < 0x7f;

/**
 * One line, without its CR LF, characters without parity.
 * @param previous address that a line beginning with a bracket goes on with
 * @param base offset of the line, for the offsets in what is given and in errors
 * @throws DecodeError `line` for a bracket that is not closed, a value without an address, text without brackets
 */
export function parseDataLine(line: string, previous = '', base = 0): DataLine {
  const sets: DataSet[] = [];
  const stray: [number, number][] = [];
  let address = previous;
  let values: BracketValue[] = [];
  let setAt = 0;
  let at = 0;
  while (at < line.length) {
    const c = line[at] as string;
    if (c === '(') {
      const end = line.indexOf(')', at);
      if (end < 0) throw new DecodeError('line', 'a bracket that is not closed', base + at);
      const inner = line.slice(at + 1, end);
      if (inner.includes('(')) throw new DecodeError('line', 'a bracket within a bracket', base + at);
      if (address === '') throw new DecodeError('line', 'a value without an address', base + at);
      if (values.length >= BRACKETS_PER_SET) throw new DecodeError('line', 'too many values', base + at);
      const star = inner.lastIndexOf('*');
      const offset = base + at;
      const length = end + 1 - at;
      values.push(
        star < 0
          ? { value: inner, offset, length }
          : { value: inner.slice(0, star), unit: inner.slice(star + 1), offset, length },
      );
      at = end + 1;
      continue;
    }
    if (c === '!') {
      if (values.length > 0) sets.push(setOf(address, values, base + setAt, base + at));
      return { sets, end: base + at, stray };
    }
    // An address, or what is none.
    if (values.length > 0) {
      sets.push(setOf(address, values, base + setAt, base + at));
      values = [];
    }
    let end = at;
    while (end < line.length && line[end] !== '(' && line[end] !== '!') end++;
    const text = line.slice(at, end);
    // Control characters and blanks before an address are padding.
    let start = text.length;
    while (start > 0 && isPrintable(text.charCodeAt(start - 1))) start--;
    const bare = text.slice(start);
    if (line[end] === '(' && bare !== '') {
      if (bare.length > LONGEST_ADDRESS || bare.includes(')') || bare.includes('/'))
        throw new DecodeError('line', `${JSON.stringify(bare.slice(0, 50))} is no address`, base + at + start);
      if (start > 0) stray.push([base + at, start]);
      address = bare;
      setAt = at + start;
    } else if (line[end] === '(' || text.trim() !== '') {
      if (line[end] !== '(' && line[end] !== '!' && sets.length === 0 && stray.length === 0)
        throw new DecodeError('line', 'no data set', base + at);
      stray.push([base + at, end - at]);
      setAt = end;
    }
    at = end;
  }
  if (values.length > 0) sets.push(setOf(address, values, base + setAt, base + at));
  return { sets, stray };
}

function setOf(address: string, values: readonly BracketValue[], start: number, end: number): DataSet {
  return { address, values, offset: start, length: end - start };
}

/** All data sets of a block, up to its `!` or its end. Lines that are none are told to `skipped`, or thrown. */
export function parseDataBlock(text: string, skipped?: (error: DecodeError, line: string) => void): DataSet[] {
  const sets: DataSet[] = [];
  let previous = '';
  for (const { line, offset } of linesOf(text)) {
    if (isPassing(line)) continue;
    let parsed: DataLine;
    try {
      parsed = parseDataLine(line, previous, offset);
    } catch (error) {
      if (!(error instanceof DecodeError) || !skipped) throw error;
      skipped(error, line);
      previous = '';
      continue;
    }
    sets.push(...parsed.sets);
    previous = parsed.sets.at(-1)?.address ?? previous;
    if (parsed.end !== undefined) break;
  }
  return sets;
}

/** Lines that are not blank, with where they begin; CR LF, LF, CR and LF LF all end one. */
export function* linesOf(text: string): Generator<{ readonly line: string; readonly offset: number }> {
  let at = 0;
  while (at < text.length) {
    let end = at;
    while (end < text.length && text[end] !== '\r' && text[end] !== '\n') end++;
    const line = text.slice(at, end);
    if (line.trim() !== '') yield { line, offset: at };
    at = end + 1;
  }
}

/** `address(value*unit)(value)`; a value is text, or text and unit. */
export function encodeDataSet(
  address: string,
  values: readonly (string | { readonly value: string; readonly unit?: string | undefined })[],
): string {
  let out = address;
  for (const value of values) {
    if (typeof value === 'string') out += `(${value})`;
    else out += value.unit === undefined || value.unit === '' ? `(${value.value})` : `(${value.value}*${value.unit})`;
  }
  return out;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: padding and acknowledgements are control characters
const PASSING = /^[\x00-\x20\x7f]*(?:\/\?[0-9A-Za-z ]*!|\x06[0-9A-Z]{0,3})?[\x00-\x20\x7f]*$/;

/** A line that says nothing of values: padding, an echoed request, an acknowledgement. */
export function isPassing(line: string): boolean {
  return PASSING.test(line);
}
