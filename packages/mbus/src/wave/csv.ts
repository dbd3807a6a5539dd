/**
 * Waveforms as text: what oscilloscopes and logic analysers export as CSV, and our own.
 *
 * Every maker writes it another way: with a heading or ten, units in brackets or in a line of their own, semicolons and decimal
 * commas, metadata in the columns beside the first samples, a sequence number with start and increment in the heading, comments,
 * only changes, or volts alone. Decides: the data are the long run of rows with the same number of numeric columns; time is the
 * first of them that rises all the way, the wanted value the next; what stands above names them. Leaves out binary formats.
 */
import { DecodeError } from '@amiable/bytes';
import { type Quantity, timeOf, type Waveform } from './types.ts';

export interface WaveCsvOptions {
  /** Which column holds the values: number from 1, or its name. Default: the first behind the time. */
  readonly column?: number | string;
  /** Samples a second where the file has no times. */
  readonly rate?: number;
  /** What the values are where the file does not say. Default 'voltage'. */
  readonly quantity?: Quantity;
}

export interface WaveCsv {
  readonly wave: Waveform;
  /** Names of all columns, as the file gives them, or "column 1" and so on. */
  readonly columns: readonly string[];
  readonly timeColumn?: number;
  readonly valueColumn: number;
}

const MOST_ROWS = 20_000_000;
/** Lines above the data that are looked at. */
const MOST_HEADING = 400;
/** Columns beyond are no channels. */
const MOST_COLUMNS = 30;

/** Factors to s, V and mA. */
const UNITS: Readonly<Record<string, readonly [kind: 'time' | Quantity, factor: number]>> = {
  s: ['time', 1],
  sec: ['time', 1],
  second: ['time', 1],
  seconds: ['time', 1],
  ms: ['time', 1e-3],
  us: ['time', 1e-6],
  µs: ['time', 1e-6],
  μs: ['time', 1e-6],
  ns: ['time', 1e-9],
  v: ['voltage', 1],
  volt: ['voltage', 1],
  volts: ['voltage', 1],
  mv: ['voltage', 1e-3],
  kv: ['voltage', 1e3],
  a: ['current', 1e3],
  amp: ['current', 1e3],
  ampere: ['current', 1e3],
  ma: ['current', 1],
  ua: ['current', 1e-3],
  µa: ['current', 1e-3],
  μa: ['current', 1e-3],
};

type Unit = readonly [kind: 'time' | Quantity, factor: number];

/** @throws DecodeError 'empty', 'format', 'column'; the offset is the line number */
export function parseWaveCsv(text: string, options: WaveCsvOptions = {}): WaveCsv {
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/, MOST_ROWS);
  const dialect = findDialect(lines);
  const { delimiter, first, width } = dialect;
  const heading = lines.slice(Math.max(0, first - MOST_HEADING), first).map((line) => cells(line, delimiter));
  const columns: Float64Array[] = Array.from({ length: width }, () => new Float64Array(lines.length - first));
  let rows = 0;
  for (let i = first; i < lines.length; i++) {
    const line = lines[i] as string;
    if (line.trim() === '' || isComment(line)) continue;
    const row = cells(line, delimiter);
    let numeric = 0;
    for (let c = 0; c < width; c++) {
      const value = numberOf(row[c] ?? '', dialect.comma);
      (columns[c] as Float64Array)[rows] = value;
      if (!Number.isNaN(value)) numeric++;
    }
    // A word at the end of a file, or a gap in a recording.
    if (numeric > 0) rows++;
  }
  const data = columns.map((column) => column.subarray(0, rows));
  const names = data.map((_, c) => columnName(heading, c, width));
  const units = data.map((_, c) => columnUnit(heading, c, width));
  const usable = data.flatMap((column, c) => (isFilled(column) ? [c] : []));
  if (usable.length === 0 || rows < 3) throw new DecodeError('empty', 'the file holds no column of numbers', first);

  const timeColumn = findTime(data, usable, units);
  const valueColumn = findValue(options.column, names, usable, timeColumn, units);
  const [quantity, factor] = valueUnit(units[valueColumn], heading, options.quantity ?? 'voltage');
  const values = scaled(data[valueColumn] as Float64Array, factor);
  const found = { columns: names, valueColumn, ...(timeColumn !== undefined && { timeColumn }) };
  if (timeColumn === undefined) {
    const rate = options.rate ?? headingRate(heading, dialect.comma);
    if (!rate)
      throw new DecodeError('format', 'the file has no column of times; say how many samples a second it has', first);
    return { ...found, wave: { start: 0, interval: 1 / rate, values, quantity } };
  }
  const times = data[timeColumn] as Float64Array;
  const increment = sequenceStep(heading, times, units[timeColumn], dialect.comma);
  if (increment) return { ...found, wave: { start: increment.start, interval: increment.step, values, quantity } };
  return { ...found, wave: timed(times, timeFactor(units[timeColumn], heading), values, quantity) };
}

interface Dialect {
  readonly delimiter: string;
  /** Line at which the data begin. */
  readonly first: number;
  readonly width: number;
  readonly comma: boolean;
}

const isComment = (line: string): boolean => /^\s*[;#%]\s*[^\d\s+.-]/.test(line) || /^\s*[;#%]\s*$/.test(line);

/** The delimiter under which most lines have numbers in the same columns. */
function findDialect(lines: readonly string[]): Dialect {
  let best: (Dialect & { score: number }) | undefined;
  const sample = lines.length > 4000 ? lines.slice(0, 4000) : lines;
  for (const delimiter of ['\t', ';', ',', ' ']) {
    for (const comma of [false, true]) {
      if (comma && delimiter === ',') continue;
      // Which columns hold numbers, as bits.
      const masks = sample.map((line) => {
        if (line.trim() === '' || isComment(line)) return 0;
        let mask = 0;
        cells(line, delimiter).forEach((cell, c) => {
          if (c < MOST_COLUMNS && !Number.isNaN(numberOf(cell, comma))) mask |= 1 << c;
        });
        return mask;
      });
      const tally = new Map<number, number>();
      for (const mask of masks) if (mask > 0) tally.set(mask, (tally.get(mask) ?? 0) + 1);
      const top = [...tally].sort((a, b) => b[1] - a[1] || b[0] - a[0])[0];
      if (!top || top[1] < 3) continue;
      const [usual, often] = top;
      // Headings may hold numbers too: the data begin where the usual columns do, and go on.
      const first = masks.findIndex((mask, i) => (mask & usual) === usual && steady(masks, i, usual));
      if (first < 0) continue;
      const width = Math.min(MOST_COLUMNS, cells(sample[first] as string, delimiter).length);
      const score = often * (usual & (usual - 1) ? 2 : 1);
      if (!best || score > best.score) best = { delimiter, first, width, comma, score };
    }
  }
  if (!best) throw new DecodeError('empty', 'the file holds no rows of numbers', 0);
  return best;
}

function steady(masks: readonly number[], from: number, usual: number): boolean {
  for (let i = from + 1, seen = 0; i < masks.length && seen < 2; i++) {
    if (masks[i] === 0) continue;
    if (((masks[i] as number) & usual) !== usual) return false;
    seen++;
  }
  return true;
}

function cells(line: string, delimiter: string): string[] {
  if (delimiter === ' ') return line.trim().split(/\s+/);
  if (!line.includes('"')) return line.split(delimiter);
  const found: string[] = [];
  let cell = '';
  let quoted = false;
  for (const char of line) {
    if (char === '"') quoted = !quoted;
    else if (char === delimiter && !quoted) {
      found.push(cell);
      cell = '';
    } else cell += char;
  }
  found.push(cell);
  return found;
}

/** NaN for what is no number; an overload that the scope writes as infinity is as far as it goes. */
function numberOf(cell: string, comma: boolean): number {
  const text = cell.trim();
  if (text === '') return Number.NaN;
  const code = text.charCodeAt(text.charCodeAt(0) === 43 || text.charCodeAt(0) === 45 ? 1 : 0);
  if (code === 0x221e || /^[+-]?inf(inity)?$/i.test(text)) return text.startsWith('-') ? -Infinity : Infinity;
  // Number() would take hexadecimal and words as well.
  if (!((code >= 48 && code <= 57) || code === 46 || (comma && code === 44))) return Number.NaN;
  if (text.length > 1 && (text[1] === 'x' || text[1] === 'X')) return Number.NaN;
  return Number(comma ? text.replace(',', '.') : text);
}

function isFilled(column: Float64Array): boolean {
  let filled = 0;
  for (const v of column) if (!Number.isNaN(v)) filled++;
  return filled >= 3 && filled >= column.length * 0.9;
}

function rises(column: Float64Array): boolean {
  let equal = 0;
  for (let i = 1; i < column.length; i++) {
    const step = (column[i] as number) - (column[i - 1] as number);
    if (!(step >= 0)) return false;
    // Times with too few decimals come in pairs.
    if (step === 0) equal++;
  }
  return equal < column.length / 2;
}

function findTime(
  data: readonly Float64Array[],
  usable: readonly number[],
  units: readonly (Unit | undefined)[],
): number | undefined {
  if (usable.length < 2) return undefined;
  return (
    usable.find((c) => units[c]?.[0] === 'time' && rises(data[c] as Float64Array)) ??
    usable.find((c) => units[c] === undefined && rises(data[c] as Float64Array))
  );
}

function findValue(
  wanted: number | string | undefined,
  names: readonly string[],
  usable: readonly number[],
  timeColumn: number | undefined,
  units: readonly (Unit | undefined)[],
): number {
  const said = `the columns are ${names.map((name, i) => `${i + 1} (${name})`).join(', ')}`;
  if (wanted !== undefined) {
    const number = typeof wanted === 'number' ? wanted : /^\d+$/.test(wanted) ? Number(wanted) : undefined;
    const place =
      number !== undefined
        ? number - 1
        : names.findIndex((name) => name.toLowerCase().startsWith(String(wanted).toLowerCase()));
    if (!usable.includes(place) || place === timeColumn)
      throw new DecodeError('column', `column ${wanted}: there are no values in it; ${said}`, 0);
    return place;
  }
  const others = usable.filter((c) => c !== timeColumn);
  const place =
    others.find((c) => units[c] !== undefined && units[c]?.[0] !== 'time') ??
    others.find((c) => timeColumn === undefined || c > timeColumn) ??
    others[0];
  if (place === undefined) throw new DecodeError('column', `there is a time but no value; ${said}`, 0);
  return place;
}

/** The cells above column `c`, nearest first; only of lines that have as many cells. */
function above(heading: readonly (readonly string[])[], c: number, width: number): string[] {
  const found: string[] = [];
  for (let i = heading.length - 1; i >= 0 && found.length < 6; i--) {
    const row = heading[i] as readonly string[];
    const cell = row.length >= Math.min(2, width) ? row[c]?.trim() : undefined;
    if (cell) found.push(cell);
  }
  return found;
}

function columnName(heading: readonly (readonly string[])[], c: number, width: number): string {
  const cell = above(heading, c, width).find(
    (text) => unitOf(text, true) === undefined && Number.isNaN(numberOf(text, false)),
  );
  return cell ? cell.replace(/\s*[([].*?[)\]]\s*$/, '') : `column ${c + 1}`;
}

function columnUnit(heading: readonly (readonly string[])[], c: number, width: number): Unit | undefined {
  for (const text of above(heading, c, width)) {
    const unit = unitOf(text, false);
    if (unit) return unit;
  }
  return undefined;
}

/** Of "(ms)", "Time [s]", "Volt", "in s"; `alone` where the cell is nothing but a unit. */
function unitOf(text: string, alone: boolean): Unit | undefined {
  const inner = /[([]\s*([^)\]]+?)\s*[)\]]\s*$/.exec(text);
  if (alone && inner && inner.index > 0) return undefined;
  const word = (inner?.[1] ?? text.replace(/^in\s+/i, '').replace(/.*[_/]\s*/, '')).trim().toLowerCase();
  return UNITS[word];
}

/** A line such as "Horizontal Units,s" or "Vertical Units,V", as makers write it above the data. */
function headed(heading: readonly (readonly string[])[], name: RegExp): string | undefined {
  for (const row of heading) {
    const at = row.findIndex((cell) => name.test(cell.trim().replace(/^[;#%]\s*/, '')));
    if (at < 0) continue;
    const inline = /[:=]\s*(.+)$/.exec((row[at] as string).trim());
    const value = inline?.[1] ?? row.slice(at + 1).find((cell) => cell.trim() !== '');
    if (value !== undefined) return value.trim();
  }
  return undefined;
}

const timeFactor = (unit: Unit | undefined, heading: readonly (readonly string[])[]): number =>
  (unit ?? UNITS[headed(heading, /^(horizontal|x)[ _-]?units?/i)?.toLowerCase() ?? ''])?.[1] ?? 1;

function valueUnit(
  unit: Unit | undefined,
  heading: readonly (readonly string[])[],
  otherwise: Quantity,
): readonly [Quantity, number] {
  const found =
    unit ??
    UNITS[
      headed(heading, /^(vertical|y)[ _-]?units?/i)
        ?.split(':')
        .at(-1)
        ?.toLowerCase() ?? ''
    ];
  return found && found[0] !== 'time' ? [found[0], found[1]] : [otherwise, 1];
}

/** Samples a second from "Samplerate: 1 MHz", "Sample Interval,1e-6" and their like. */
function headingRate(heading: readonly (readonly string[])[], comma: boolean): number | undefined {
  const rate = headed(heading, /^sampl(e|ing)[ _-]?(rate|frequency)/i);
  const hertz = /^([\d.,eE+-]+)\s*([kMG]?)(?:Hz|S\/s|Sa\/s)?$/.exec(rate ?? '');
  if (hertz) return numberOf(hertz[1] as string, comma) * ({ k: 1e3, M: 1e6, G: 1e9 }[hertz[2] as string] ?? 1);
  const interval = /^([\d.,eE+-]+)\s*([a-zµμ]*)$/.exec(
    headed(heading, /^(sampl(e|ing)[ _-]?(interval|period)|increment|x[ _-]?increment|resolution)/i) ?? '',
  );
  const step = interval ? numberOf(interval[1] as string, comma) * (UNITS[interval[2] || 's']?.[1] ?? 1) : 0;
  return step > 0 ? 1 / step : undefined;
}

/** A column of sequence numbers: start and increment stand in the heading, under their names. */
function sequenceStep(
  heading: readonly (readonly string[])[],
  times: Float64Array,
  unit: Unit | undefined,
  comma: boolean,
): { start: number; step: number } | undefined {
  if (unit) return undefined;
  for (let i = 0; i < 3; i++) if (times[i] !== i + (times[0] as number)) return undefined;
  for (let i = 0; i + 1 < heading.length; i++) {
    const names = (heading[i] as readonly string[]).map((cell) => cell.trim().toLowerCase());
    const at = names.findIndex((name) => name === 'increment' || name === 'tinc');
    if (at < 0) continue;
    const under = heading[i + 1] as readonly string[];
    const step = numberOf(under[at] ?? '', comma);
    const start = numberOf(under[names.findIndex((name) => name === 'start' || name === 't0')] ?? '', comma);
    if (step > 0) return { start: Number.isNaN(start) ? 0 : start, step };
  }
  const rate = headingRate(heading, comma);
  return rate ? { start: 0, step: 1 / rate } : undefined;
}

/** Gaps hold the value before; an overload is the largest finite value. */
function scaled(column: Float64Array, factor: number): Float64Array {
  const out = new Float64Array(column.length);
  let most = 0;
  for (const v of column) if (Number.isFinite(v) && Math.abs(v) > most) most = Math.abs(v);
  let held = 0;
  for (let i = 0; i < column.length; i++) {
    const v = column[i] as number;
    if (!Number.isNaN(v)) held = Number.isFinite(v) ? v : v > 0 ? most : -most;
    out[i] = held * factor;
  }
  return out;
}

/** Equal steps become an interval; a sample is never more than a tenth of a step from its place then. */
function timed(times: Float64Array, factor: number, values: Float64Array, quantity: Quantity): Waveform {
  const n = times.length;
  const start = (times[0] as number) * factor;
  const interval = (((times[n - 1] as number) - (times[0] as number)) * factor) / (n - 1);
  if (!(interval > 0)) throw new DecodeError('format', 'the times do not rise', 0);
  const steps = new Float64Array(n);
  let even = true;
  // Times with few decimals stand up to a last digit beside their place.
  let coarse = 0;
  for (let i = 0; i < n; i++) {
    const t = (times[i] as number) * factor;
    steps[i] = t;
    if (i > 0 && t === steps[i - 1]) coarse++;
    if (Math.abs(t - start - i * interval) > interval * 0.1) even = false;
  }
  if (even || coarse > n / 100) return { start, interval, values, quantity };
  return { start, interval, values, times: steps, quantity };
}

/** Our own form: a heading with units, then time and value. */
export function formatWaveCsv(wave: Waveform): string {
  const unit = wave.quantity === 'voltage' ? 'V' : 'mA';
  const lines = [`Time (s),${wave.quantity === 'voltage' ? 'Voltage' : 'Current'} (${unit})`];
  const decimals = Math.max(0, Math.min(12, 3 - Math.floor(Math.log10(wave.interval))));
  for (let i = 0; i < wave.values.length; i++)
    lines.push(`${timeOf(wave, i).toFixed(decimals)},${(wave.values[i] as number).toFixed(4)}`);
  return `${lines.join('\n')}\n`;
}
