/**
 * Lists for people and for programs: an aligned table cut to the terminal's width, or one JSON object a line.
 *
 * Decides: what a column is; that text from elsewhere cannot move the cursor; that a terminal's width is kept by cutting the
 * columns that may be cut. Leaves out: where the rows come from.
 */
import { harmless } from '@amiable/io/terminal';

export interface Column<T> {
  readonly name: string;
  readonly of: (row: T) => string | number | boolean | null | undefined;
  /** Numbers stand flush right. */
  readonly right?: boolean;
  /** May be cut where the terminal is too narrow. */
  readonly cut?: boolean;
}

const GAP = '  ';
const NARROWEST = 8;

const length = (text: string): number => [...text].length;

function shortened(text: string, width: number): string {
  const letters = [...text];
  return letters.length <= width ? text : `${letters.slice(0, Math.max(1, width - 1)).join('')}…`;
}

/** @param width of the terminal; nothing is cut without it (a file, a pipe) */
export function tableOf<T>(columns: readonly Column<T>[], rows: readonly T[], width?: number): string {
  const cells = rows.map((row) =>
    columns.map((column) => {
      const value = column.of(row);
      return value === null || value === undefined ? '–' : harmless(String(value));
    }),
  );
  const widths = columns.map((column, i) => Math.max(length(column.name), ...cells.map((row) => length(row[i] ?? ''))));
  if (width !== undefined) fit(columns, widths, width);
  const line = (row: readonly string[]): string =>
    row
      .map((cell, i) => {
        const size = widths[i] as number;
        const text = shortened(cell, size);
        const gap = ' '.repeat(Math.max(0, size - length(text)));
        return columns[i]?.right ? gap + text : text + gap;
      })
      .join(GAP)
      .trimEnd();
  return [line(columns.map((column) => column.name)), ...cells.map(line)].map((text) => `${text}\n`).join('');
}

/** Takes from the widest of those that may be cut until the line fits or none can give any more. */
function fit<T>(columns: readonly Column<T>[], widths: number[], width: number): void {
  const total = (): number => widths.reduce((sum, w) => sum + w, 0) + GAP.length * (widths.length - 1);
  while (total() > width) {
    let widest = -1;
    for (const [i, column] of columns.entries())
      if (
        column.cut &&
        (widths[i] as number) > NARROWEST &&
        (widest < 0 || (widths[i] as number) > (widths[widest] as number))
      )
        widest = i;
    if (widest < 0) return;
    widths[widest] = (widths[widest] as number) - 1;
  }
}

/** Name and value under each other, for one thing. */
export function factsOf(facts: readonly (readonly [string, string | number | boolean | null | undefined])[]): string {
  const shown = facts.filter(([, value]) => value !== undefined);
  const size = Math.max(0, ...shown.map(([name]) => length(name)));
  return shown
    .map(
      ([name, value]) =>
        `${name}${' '.repeat(size - length(name))}  ${value === null ? '–' : harmless(String(value))}\n`,
    )
    .join('');
}

export const jsonLines = (rows: readonly unknown[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('');
