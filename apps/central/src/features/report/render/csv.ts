/**
 * A table as CSV (RFC 4180, UTF-8 with a mark so that spreadsheets know it). Text that a spreadsheet would take for a formula gets an
 * apostrophe before it: names come from meters and strangers.
 */

import type { ReportTable } from '../table.ts';
import { heading, isNumeric, plain } from './cells.ts';

const FORMULA = /^[=+\-@\t\r]/;

function field(text: string, numeric: boolean): string {
  const safe = !numeric && FORMULA.test(text) ? `'${text}` : text;
  return /[",;\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

export function renderCsv({ columns, rows, totals }: ReportTable): Uint8Array {
  const lines = [columns.map((column) => field(heading(column), false)).join(',')];
  for (const row of totals ? [...rows, totals] : rows)
    lines.push(
      columns.map((column, i) => field(plain(row[i] ?? null, column), isNumeric(column) && row[i] !== null)).join(','),
    );
  return new TextEncoder().encode(`\ufeff${lines.join('\r\n')}\r\n`);
}
