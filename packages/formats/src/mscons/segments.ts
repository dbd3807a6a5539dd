/**
 * UN/EDIFACT syntax (ISO 9735 version 3): segments of elements of components, out of text and back, service segments checked.
 *
 * Decides: UNA where it stands, else the usual signs; counts and references of UNT and UNZ must be right; sizes are bounded. Leaves out:
 * functional groups (UNG), repetition of elements (version 4).
 */
import { DecodeError } from '@amiable/bytes';

/** Elements, each of components. */
export type Segment = readonly [tag: string, ...elements: (readonly string[])[]];

export interface EdifactMessage {
  readonly reference: string;
  /** `MSCONS`, `D`, `04B`, `UN`, `2.4c`. */
  readonly type: readonly string[];
  readonly segments: readonly Segment[];
  /** Byte at which each segment begins. */
  readonly offsets: readonly number[];
}
export interface Interchange {
  readonly sender: readonly string[];
  readonly recipient: readonly string[];
  readonly reference: string;
  readonly messages: readonly EdifactMessage[];
}

const MAX_SEGMENT = 4000;
const MAX_SEGMENTS = 2_000_000;
/** Elements and components of an interchange: each costs some sixty bytes of memory, and one character of the file. */
const MAX_PARTS = 8_000_000;

/** What separates and ends is released with `?`. */
export const released = (text: string): string => text.replace(/[?'+:]/g, (c) => `?${c}`);

export function segmentText([tag, ...elements]: Segment): string {
  let text = tag;
  for (const components of elements) text += `+${components.map(released).join(':')}`;
  // What is empty at the end is left out.
  return `${text.replace(/(?<!\?)[+:]+$/, '')}'`;
}

/** @throws DecodeError with the offset, in characters, of the segment that is wrong */
export function decodeInterchange(text: string, most = MAX_PARTS): Interchange {
  let component = ':';
  let element = '+';
  let release = '?';
  let end = "'";
  let at = 0;
  if (text.startsWith('UNA')) {
    if (text.length < 9) throw new DecodeError('una', 'UNA is cut off', 0);
    component = text[3] as string;
    element = text[4] as string;
    release = text[6] as string;
    end = text[8] as string;
    at = 9;
  }
  const bad = (reason: string, message: string, offset: number): never => {
    throw new DecodeError(reason, message, offset);
  };
  let begun: number;
  let count = 0;
  let parts = 0;

  function next(): Segment | undefined {
    while (at < text.length && /\s/.test(text[at] as string)) at++;
    begun = at;
    if (at >= text.length) return undefined;
    if (++count > MAX_SEGMENTS) bad('length', `more than ${MAX_SEGMENTS} segments`, begun);
    const elements: string[][] = [['']];
    let word = '';
    for (;;) {
      if (at >= text.length) bad('truncated', 'the last segment does not end', begun);
      if (at - begun > MAX_SEGMENT) bad('length', `a segment is longer than ${MAX_SEGMENT} characters`, begun);
      const c = text[at++] as string;
      if (c === release) {
        if (at >= text.length) bad('truncated', 'a release character ends the file', begun);
        word += text[at++] as string;
      } else if (c === component || c === element || c === end) {
        const components = elements.at(-1) as string[];
        components[components.length - 1] = word;
        word = '';
        if (++parts > most) bad('length', `more than ${most} elements; cut it into several`, begun);
        if (c === component) components.push('');
        else if (c === element) elements.push(['']);
        else break;
      } else word += c;
    }
    const tag = elements[0]?.[0] as string;
    if (!/^[A-Z]{3}$/.test(tag)) bad('tag', `${JSON.stringify(tag.slice(0, 20))} is no segment`, begun);
    return [tag, ...elements.slice(1)];
  }

  const first = next();
  if (first?.[0] !== 'UNB') return bad('unb', 'an interchange begins with UNB', 0);
  const reference = first[5]?.[0] ?? '';
  const messages: EdifactMessage[] = [];
  for (;;) {
    const head = next();
    if (!head) return bad('unz', 'the interchange does not end with UNZ', text.length);
    if (head[0] === 'UNZ') {
      if (head[1]?.[0] !== String(messages.length))
        bad('unz', `UNZ counts ${head[1]?.[0]} messages and there are ${messages.length}`, begun!);
      if (head[2]?.[0] !== reference) bad('unz', `UNZ has the reference ${head[2]?.[0]} and UNB ${reference}`, begun!);
      while (at < text.length && /\s/.test(text[at] as string)) at++;
      if (at < text.length) bad('trailing', 'something follows UNZ', at);
      return { sender: first[2] ?? [], recipient: first[3] ?? [], reference, messages };
    }
    if (head[0] !== 'UNH') bad('unh', `a message begins with UNH, not ${head[0]}`, begun!);
    const own = head[1]?.[0] ?? '';
    const segments: Segment[] = [];
    const offsets: number[] = [];
    let size = 1;
    for (;;) {
      const segment = next();
      if (!segment) return bad('unt', `message ${own} does not end with UNT`, text.length);
      size++;
      if (segment[0] === 'UNT') {
        if (segment[1]?.[0] !== String(size))
          bad('unt', `UNT counts ${segment[1]?.[0]} segments and message ${own} has ${size}`, begun!);
        if (segment[2]?.[0] !== own) bad('unt', `UNT has the reference ${segment[2]?.[0]} and UNH ${own}`, begun!);
        break;
      }
      if (['UNB', 'UNH', 'UNZ'].includes(segment[0])) bad('unt', `message ${own} does not end with UNT`, begun!);
      segments.push(segment);
      offsets.push(begun!);
    }
    messages.push({ reference: own, type: head[2] ?? [], segments, offsets });
  }
}
