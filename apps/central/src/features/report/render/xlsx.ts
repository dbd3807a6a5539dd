/** A table as an Excel workbook: numbers are numbers, times are times, the heading stays in sight. */
import { toLocal } from '@amiable/calendar';
import type { SheetData } from 'write-excel-file/node';
import type { ReportCell, ReportColumn, ReportTable } from '../table.ts';
import { heading, headLines, isNumeric } from './cells.ts';

const FORMATS: Readonly<Partial<Record<ReportColumn['type'], string>>> = {
  integer: '#,##0',
  percent: '0.0%',
  day: 'yyyy-mm-dd',
  time: 'yyyy-mm-dd hh:mm',
};

const decimals = (n: number): string => (n === 0 ? '#,##0' : `#,##0.${'0'.repeat(n)}`);
/** XML has no control characters, and a cell of Excel no more than this. */
const clean = (text: string): string => text.replace(/[^\P{C}\n\t]/gu, ' ').slice(0, 32_767);

function cellOf(value: ReportCell, column: ReportColumn, zone: string, bold: boolean) {
  const weight = bold ? ({ fontWeight: 'bold' } as const) : {};
  if (value === null) return null;
  if (column.type === 'day' && typeof value === 'string' && /^\d{4}-\d\d-\d\d$/.test(value))
    return { value: new Date(`${value}T00:00:00Z`), type: Date, format: 'yyyy-mm-dd', ...weight };
  if (column.type === 'time' && typeof value === 'number')
    return { value: new Date(toLocal(zone, value)), type: Date, format: 'yyyy-mm-dd hh:mm', ...weight };
  const number = typeof value === 'number' ? value : isNumeric(column) && value !== '' ? Number(value) : Number.NaN;
  if (!Number.isFinite(number)) return { value: clean(String(value)), type: String, ...weight };
  const places = typeof value === 'string' ? (value.split('.')[1]?.length ?? 0) : (column.decimals ?? 1);
  return { value: number, type: Number, format: FORMATS[column.type] ?? decimals(Math.min(places, 10)), ...weight };
}

export async function renderXlsx(table: ReportTable): Promise<Uint8Array> {
  // Loaded when somebody wants one: nothing else needs it.
  const { default: writeXlsxFile } = await import('write-excel-file/node');
  const { columns, rows, totals, timeZone } = table;
  const head = [
    [{ value: clean(table.title), fontWeight: 'bold' as const, fontSize: 14 }],
    ...headLines(table).map(([label, words]) => [{ value: label }, { value: clean(words) }]),
    [],
    columns.map((column) => ({ value: heading(column), fontWeight: 'bold' as const, wrap: true })),
  ];
  const data = [
    ...head,
    ...rows.map((row) => columns.map((column, i) => cellOf(row[i] ?? null, column, timeZone, false))),
    ...(totals ? [columns.map((column, i) => cellOf(totals[i] ?? null, column, timeZone, true))] : []),
    ...(table.notes.length > 0 ? [[], ...table.notes.map((note) => [{ value: clean(note) }])] : []),
  ];
  const options = {
    sheet: 'Report',
    columns: columns.map((column) => ({ width: column.type === 'text' ? 28 : 16 })),
    stickyRowsCount: head.length,
  };
  return writeXlsxFile(data as SheetData, options).toBuffer();
}
