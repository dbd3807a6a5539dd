/** A table as plain text in pages, for terminals and printers: columns as wide as they need, cut where a line is full. */
import type { ReportTable } from '../table.ts';
import { heading, headLines, isNumeric, shown } from './cells.ts';

const WIDEST = 40;
/** A page of A4 at six lines an inch, across. */
const LINES = 66;

const clean = (text: string): string => text.replace(/\p{C}/gu, ' ');
const cut = (text: string, width: number): string =>
  text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;

/** @param pages whether form feeds part it into pages with the heading on each */
export function renderText(table: ReportTable, pages = false): Uint8Array {
  const { columns, rows, timeZone } = table;
  const totals = rows.length > 0 ? table.totals : undefined;
  const lines = (totals ? [...rows, totals] : rows).map((row) =>
    columns.map((column, i) => clean(shown(row[i] ?? null, column, timeZone))),
  );
  const headings = columns.map(heading);
  const widths = headings.map((text, i) =>
    Math.min(
      WIDEST,
      lines.reduce((most, line) => Math.max(most, (line[i] as string).length), text.length),
    ),
  );
  const row = (cells: readonly string[]): string =>
    columns
      .map((column, i) => {
        const text = cut(cells[i] as string, widths[i] as number);
        return isNumeric(column) ? text.padStart(widths[i] as number) : text.padEnd(widths[i] as number);
      })
      .join('  ')
      .trimEnd();
  const rule = widths.map((width) => '─'.repeat(width)).join('  ');
  const head = [clean(table.title), ...headLines(table).map(([label, words]) => `${label}: ${clean(words)}`), ''];
  const top = [row(headings), rule];
  const out = [...head, ...top];
  let onPage = out.length;
  lines.forEach((line, i) => {
    if (pages && onPage >= LINES - 2) {
      out.push('\f', ...top);
      onPage = top.length;
    }
    if (totals && i === lines.length - 1) {
      out.push(rule);
      onPage++;
    }
    out.push(row(line));
    onPage++;
  });
  if (rows.length === 0) out.push('(nothing)');
  if (table.notes.length > 0) out.push('', ...table.notes.map((note) => clean(note)));
  return new TextEncoder().encode(`${out.join('\n').replaceAll('\n\f\n', '\n\f')}\n`);
}
