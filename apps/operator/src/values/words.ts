/**
 * Values as a terminal shows them, and edits as a file says them.
 *
 * Decides: one sign for each quality; that rows of a file whose times follow each other are one edit; that a file is understood whole
 * before anything is sent.
 */
import type { EditAnswer, MeterIntervalsAnswer, Quality } from '@amiable/model';
import { UsageError } from '../action.ts';

export const SIGNS: Readonly<Record<Quality, string>> = {
  measured: ' ',
  calculated: '=',
  edited: '*',
  estimated: '~',
  missing: '-',
};
export const LEGEND = '= calculated  * edited  ~ estimated  - missing';

export interface IntervalRow {
  readonly time: string;
  readonly value: number | null;
  readonly quality: Quality;
}

export function rowsOf(answer: MeterIntervalsAnswer): IntervalRow[] {
  const { start, period, values, quality } = answer;
  if (start === null || period === null) return [];
  const names = quality.flatMap(([name, n]): Quality[] => new Array(n).fill(name));
  const first = Date.parse(start);
  return values.map((value, i) => ({
    time: new Date(first + i * period * 1000).toISOString(),
    value,
    quality: names[i] ?? 'missing',
  }));
}

/** `2880 intervals: 2794 measured, 86 estimated (3.0 %); sum 512.30 Wh`. */
export function summaryOf({ counts, values, sum, unit, version }: MeterIntervalsAnswer): string {
  const parts = Object.entries(counts)
    .filter(([, n]) => n > 0)
    .map(([name, n]) => `${n} ${name}${name === 'measured' ? '' : ` (${((100 * n) / values.length).toFixed(1)} %)`}`);
  const changed = version > 1 ? '; some were changed: `amiable values history`' : '';
  return `${values.length} intervals: ${parts.join(', ')}; sum ${sum} ${unit ?? ''}`.trimEnd() + changed;
}

export interface FileEdit {
  readonly meter: string;
  readonly quantity: string;
  readonly period: number;
  readonly from: string;
  readonly to: string;
  readonly values: (string | null)[];
}

const HEADINGS = ['meter', 'time', 'value', 'quantity', 'period'];
const DECIMAL = /^-?\d{1,15}(?:[.,]\d{1,12})?$/;
const MOST_ROWS = 400_000;

interface Row {
  readonly meter: string;
  readonly quantity: string;
  readonly period: number;
  readonly time: number;
  readonly value: string | null;
}

/**
 * Rows of meter, time, value (and quantity, period) become edits of runs. Separators are commas, semicolons or tabs; an empty value or
 * `-` takes the value away; times are ISO 8601 with a zone.
 * @throws UsageError that names the line
 */
export function editsOfFile(
  text: string,
  given: { quantity: string; period: number | ((meter: string, quantity: string) => number) },
): FileEdit[] {
  const lines = text.replace(/^\u{feff}/u, '').split(/\r\n|\n|\r/);
  const heading = lines[0] ?? '';
  const separator = ['\t', ';', ','].find((s) => heading.includes(s));
  const columns = separator === undefined ? [] : heading.split(separator).map((c) => c.trim().toLowerCase());
  const place = (name: string): number => columns.indexOf(name);
  for (const column of columns)
    if (!HEADINGS.includes(column))
      throw new UsageError(`line 1: there is no column ${JSON.stringify(column)}; there are ${HEADINGS.join(', ')}`);
  if (place('meter') < 0 || place('time') < 0 || place('value') < 0)
    throw new UsageError('line 1: a heading is wanted: meter,time,value and where needed quantity,period');
  if (lines.length > MOST_ROWS) throw new UsageError(`more than ${MOST_ROWS} lines; give them in parts`);
  const rows: Row[] = [];
  lines.forEach((line, i) => {
    if (i === 0 || line.trim() === '') return;
    const cells = line.split(separator as string).map((c) => c.trim());
    const fault = (what: string): never => {
      throw new UsageError(`line ${i + 1}: ${what}; nothing was done`);
    };
    if (cells.length !== columns.length) fault(`${cells.length} cells for ${columns.length} columns`);
    const meter = cells[place('meter')] as string;
    if (meter === '') fault('no meter');
    const when = cells[place('time')] as string;
    const time = /T.*(Z|[+-]\d\d:?\d\d)$/.test(when) ? Date.parse(when) : Number.NaN;
    if (Number.isNaN(time)) fault(`${JSON.stringify(when)} is no time such as 2026-11-20T06:15:00Z`);
    const said = cells[place('value')] as string;
    const value = said === '' || said === '-' ? null : said.replace(',', '.');
    if (value !== null && !DECIMAL.test(value)) fault(`${JSON.stringify(said)} is no decimal such as 12.5`);
    const quantity = place('quantity') < 0 ? given.quantity : (cells[place('quantity')] as string);
    const usual = typeof given.period === 'number' ? given.period : given.period(meter, quantity);
    const seconds = place('period') < 0 ? usual : Number(cells[place('period')]);
    if (!Number.isInteger(seconds) || seconds < 1) fault(`${cells[place('period')]} is no period in seconds`);
    rows.push({ meter, quantity, period: seconds, time, value });
  });
  return runsOf(rows);
}

function runsOf(rows: readonly Row[]): FileEdit[] {
  const order = rows
    .map((row, i) => ({ ...row, key: `${row.meter}\0${row.quantity}\0${row.period}`, i }))
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : a.time - b.time || a.i - b.i));
  const out: FileEdit[] = [];
  let key = '';
  let next = Number.NaN;
  for (const row of order) {
    const last = out.at(-1);
    const end = row.time + row.period * 1000;
    if (last && row.key === key && row.time < next)
      throw new UsageError(`meter ${row.meter}: ${new Date(row.time).toISOString()} is there twice; nothing was done`);
    if (last && row.key === key && row.time === next && row.period < 86_400) {
      last.values.push(row.value);
      out[out.length - 1] = { ...last, to: new Date(end).toISOString() };
    } else
      out.push({
        meter: row.meter,
        quantity: row.quantity,
        period: row.period,
        from: new Date(row.time).toISOString(),
        to: new Date(end).toISOString(),
        values: [row.value],
      });
    key = row.key;
    next = end;
  }
  return out;
}

/** `applied by anna`, `waiting for another person`, `undone by per: wrong meter`. */
export function stateOf(e: EditAnswer): string {
  if (e.state === 'waiting') return `waits, made by ${e.by}`;
  if (e.state === 'undone') return `undone by ${e.undoneBy}: ${e.undoReason}`;
  return e.decidedBy === null ? `${e.state}, ${e.by}` : `${e.state} by ${e.decidedBy}, made by ${e.by}`;
}
