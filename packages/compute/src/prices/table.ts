/**
 * Text of columns (RFC 4180 and what people's programs make of it).
 *
 * Decides: the separator, by which of them stands equally often in most lines; quotes; where the table begins below lines of
 * preamble. Bounded in size, lines and columns. Leaves out: what columns mean.
 */
import { DecodeError } from '@amiable/bytes';
import { MOST_TEXT } from './types.ts';

export const SEPARATORS = [';', ',', '\t', '|'] as const;
export type Separator = (typeof SEPARATORS)[number];

export interface Row {
  /** Line of the text that it begins in, from 1. */
  readonly line: number;
  readonly cells: readonly string[];
}

const MOST_ROWS = 2_000_000;
const MOST_COLUMNS = 1000;

/** The separator that most of the first lines agree about. */
export function separatorOf(text: string): Separator {
  const lines = text
    .slice(0, 65_536)
    .split(/\r\n|\n|\r/)
    .slice(0, 60)
    .filter((line) => line.trim() !== '');
  let best: Separator = ';';
  let most = 0;
  for (const separator of SEPARATORS) {
    const counts = new Map<number, number>();
    for (const line of lines) {
      const n = line.replace(/"(?:[^"]|"")*"/g, '').split(separator).length;
      if (n > 1) counts.set(n, (counts.get(n) ?? 0) + 1);
    }
    // A comma that is a decimal point agrees with itself too, so what stands first in the list wins when both do.
    const agreed = Math.max(0, ...counts.values());
    if (agreed > most) [best, most] = [separator, agreed];
  }
  return best;
}

/** @throws DecodeError for a quote that does not end and for what is too large; its place counts characters */
export function readRows(text: string, separator: Separator = separatorOf(text)): Row[] {
  if (text.length > MOST_TEXT) throw new DecodeError('size', `more than ${MOST_TEXT} characters`, 0);
  const rows: Row[] = [];
  const length = text.length;
  let line = 1;
  let at = text.charCodeAt(0) === 0xfeff ? 1 : 0;
  while (at < length) {
    const cells: string[] = [];
    const begun = line;
    for (let more = true; more; ) {
      let cell: string;
      if (text[at] === '"') {
        const start = at;
        cell = '';
        for (at++; ; ) {
          const end = text.indexOf('"', at);
          if (end < 0) throw new DecodeError('quote', `line ${begun}: a quote does not end`, start);
          cell += text.slice(at, end);
          at = end + 1;
          if (text[at] !== '"') break;
          cell += '"';
          at++;
        }
        for (const c of cell) if (c === '\n') line++;
        // What stands behind a quote belongs to it as it is.
        const rest = endOfCell(text, at, separator);
        cell += text.slice(at, rest).trim();
        at = rest;
      } else {
        const end = endOfCell(text, at, separator);
        cell = text.slice(at, end).trim();
        at = end;
      }
      cells.push(cell);
      if (cells.length > MOST_COLUMNS)
        throw new DecodeError('size', `line ${begun} has more than ${MOST_COLUMNS} columns`, at);
      more = text[at] === separator;
      if (more) at++;
    }
    if (text[at] === '\r') at++;
    if (text[at] === '\n') at++;
    line++;
    if (cells.length === 1 && cells[0] === '') continue;
    rows.push({ line: begun, cells });
    if (rows.length > MOST_ROWS) throw new DecodeError('size', `more than ${MOST_ROWS} lines`, at);
  }
  return rows;
}

function endOfCell(text: string, from: number, separator: string): number {
  for (let at = from; at < text.length; at++) {
    const c = text[at];
    if (c === separator || c === '\n' || c === '\r') return at;
  }
  return text.length;
}

/** Position of a column by its heading (case and blanks aside) or by its number from 1; -1 when there is none. */
export function columnOf(header: readonly string[], name: string): number {
  const plain = (s: string): string => s.toLowerCase().replace(/\s+/g, ' ').trim();
  const at = header.findIndex((cell) => plain(cell) === plain(name));
  if (at >= 0) return at;
  return /^\d{1,3}$/.test(name) && Number(name) >= 1 ? Number(name) - 1 : -1;
}
