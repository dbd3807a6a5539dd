/**
 * A table as one HTML file that needs nothing else: looked at in a browser, sent by mail, printed (and so made a PDF). No script; light and
 * dark; the heading repeats on each printed page.
 */
import type { ReportCell, ReportColumn, ReportTable } from '../table.ts';
import { heading, headLines, isNumeric, shown } from './cells.ts';

const STYLE = `
:root { color-scheme: light dark; --ink: #1c2430; --soft: #5b6673; --line: #d5dbe3; --bar: #b9d6f2; --zebra: #f6f8fa; --paper: #fff; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6eaf0; --soft: #9aa5b1; --line: #39424d; --bar: #2c4a68; --zebra: #1c2228; --paper: #14181d; }
}
body { margin: 2rem auto; padding: 0 1.25rem; max-width: 75rem; background: var(--paper); color: var(--ink);
  font: 15px/1.45 system-ui, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
h1 { font-size: 1.5rem; margin: 0 0 0.75rem; }
dl { display: flex; flex-wrap: wrap; gap: 0.25rem 1.75rem; margin: 0 0 1.25rem; }
dl div { display: flex; gap: 0.4rem; }
dt { color: var(--soft); } dd { margin: 0; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: 0.3rem 0.6rem; text-align: left; border-bottom: 1px solid var(--line); vertical-align: top; }
th { font-weight: 600; border-bottom: 2px solid var(--line); }
tbody tr:nth-child(even) { background: var(--zebra); }
.n { text-align: right; white-space: nowrap; }
.bar { background: linear-gradient(to left, var(--bar) var(--part), transparent var(--part)); }
tfoot td { font-weight: 600; border-top: 2px solid var(--line); border-bottom: 0; }
.nothing { color: var(--soft); padding: 1.5rem 0.6rem; }
ul { color: var(--soft); padding-left: 1.1rem; }
@media print {
  :root { --ink: #000; --soft: #444; --line: #bbb; --bar: #dde8f3; --zebra: #fff; --paper: #fff; color-scheme: light; }
  body { margin: 0; max-width: none; font-size: 10pt; }
  thead { display: table-header-group; } tr { break-inside: avoid; }
  .bar { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
@page { size: A4; margin: 15mm; }
`;

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
export const escaped = (text: string): string => text.replace(/[&<>"']/g, (c) => ESCAPES[c] as string);

function cell(value: ReportCell, column: ReportColumn, zone: string, largest: number): string {
  const text = escaped(shown(value, column, zone));
  if (!isNumeric(column)) return `<td>${text}</td>`;
  if (column.bar !== true || typeof value !== 'number' || !(largest > 0)) return `<td class="n">${text}</td>`;
  const part = Math.max(0, Math.min(100, (100 * value) / largest)).toFixed(1);
  return `<td class="n bar" style="--part:${part}%">${text}</td>`;
}

export function renderHtml(table: ReportTable, language = 'en'): Uint8Array {
  const { columns, rows, timeZone } = table;
  const totals = rows.length > 0 ? table.totals : undefined;
  const largest = columns.map((column, i) =>
    column.type === 'percent'
      ? 1
      : rows.reduce((most, row) => {
          const value = row[i];
          return typeof value === 'number' && value > most ? value : most;
        }, 0),
  );
  const line = (row: readonly ReportCell[]): string =>
    `<tr>${columns.map((column, i) => cell(row[i] ?? null, column, timeZone, largest[i] as number)).join('')}</tr>`;
  const out = [
    `<!doctype html>\n<html lang="${escaped(language)}">\n<head>\n<meta charset="utf-8">\n`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">\n',
    `<title>${escaped(table.title)}</title>\n<style>${STYLE}</style>\n</head>\n<body>\n<h1>${escaped(table.title)}</h1>\n<dl>`,
    ...headLines(table).map(([label, words]) => `<div><dt>${escaped(label)}</dt><dd>${escaped(words)}</dd></div>`),
    '</dl>\n<div class="wide"><table>\n<thead><tr>',
    ...columns.map(
      (column) => `<th scope="col"${isNumeric(column) ? ' class="n"' : ''}>${escaped(heading(column))}</th>`,
    ),
    '</tr></thead>\n<tbody>\n',
  ];
  for (const row of rows) out.push(line(row), '\n');
  if (rows.length === 0) out.push(`<tr><td class="nothing" colspan="${columns.length}">Nothing to report.</td></tr>\n`);
  out.push('</tbody>\n');
  if (totals) out.push(`<tfoot>${line(totals)}</tfoot>\n`);
  out.push('</table></div>\n');
  if (table.notes.length > 0) out.push(`<ul>${table.notes.map((note) => `<li>${escaped(note)}</li>`).join('')}</ul>\n`);
  out.push('</body>\n</html>\n');
  return new TextEncoder().encode(out.join(''));
}
