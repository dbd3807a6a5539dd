/**
 * Tables as text, in a stream (RFC 4180): rows out of bytes with bounded memory.
 *
 * Decides: the separator is the one of comma, semicolon and tab that the first line has most of (or `sep=;` says so, or the caller);
 * lines end with LF or CRLF; a field in quotes may hold separators, line ends and doubled quotes; empty lines are
 * no rows. A row that is wrong in itself is told and left out; a quote that never closes ends the reading, for nobody can tell where the
 * next row begins. Leaves out: what the columns mean (kinds.ts).
 */
import {
  type Fault,
  ODD,
  oddCharacter,
  type Place,
  type RawRecord,
  type RecordReader,
  type RecordSink,
} from './record.ts';
import { createTextReader, type Encoding } from './text.ts';

/** Characters of one row at most, quoted line ends included. */
export const MAX_ROW = 1 << 20;
export const MAX_COLUMNS = 500;

export const SEPARATORS = [',', ';', '\t'] as const;
export type Separator = (typeof SEPARATORS)[number];

export interface CsvOptions {
  readonly encoding?: Encoding;
  readonly separator?: Separator;
}

const NOTHING: readonly number[] = [];

export function createCsvReader(sink: RecordSink, options: CsvOptions = {}): RecordReader {
  const decoder = createTextReader(options.encoding);
  let separator: string | undefined = options.separator;
  let names: readonly string[] | undefined;
  let fatal: Fault | undefined;
  /** What has come and is no whole row yet, and how far it has been looked through. */
  let text = '';
  let looked = 0;
  let line = 1;
  /** The rest of a row that was too long is passed over. */
  let skipping = false;
  let tainted = false;
  let ended = false;

  // The row under way; places are worked out only where somebody asks.
  let values: string[] = [];
  let lines: readonly number[] = NOTHING;
  let columns: readonly number[] = NOTHING;
  let rowLine = 1;
  const placeOf = (i: number): Place => {
    if (lines.length > 0)
      return {
        line: lines[Math.min(i, lines.length - 1)] as number,
        column: columns[Math.min(i, columns.length - 1)] as number,
      };
    let column = 1;
    for (let k = 0; k < i && k < values.length; k++) column += (values[k] as string).length + 1;
    return { line: rowLine, column };
  };
  const record: { -readonly [K in keyof RawRecord]: RawRecord[K] } = {
    kind: undefined,
    line: 1,
    number: 1,
    names: [],
    values: [],
    placeOf,
  };

  const end = (fault: Fault): void => {
    fatal = fault;
    text = '';
  };

  function row(): void {
    if (tainted)
      for (let i = 0; i < values.length; i++) {
        const value = values[i] as string;
        const odd =
          oddCharacter(value, decoder.encoding) ?? (lines.length === 0 && value.includes('\r') ? CARRIAGE : undefined);
        if (!odd) continue;
        const at = placeOf(i);
        const fault: Fault = {
          ...at,
          ...(names?.[i] === undefined ? {} : { field: names[i] as string }),
          message: odd.message,
        };
        if (names) sink.fault(fault);
        else end(fault);
        return;
      }
    if (!names) {
      names = values.map((name) => name.trim());
      const fault =
        names.length > MAX_COLUMNS
          ? {
              line: rowLine,
              column: 1,
              message: `the table has ${names.length} columns; at most ${MAX_COLUMNS} are read`,
            }
          : sink.header?.(names, placeOf);
      if (fault) end(fault);
      record.names = names;
      return;
    }
    if (values.length !== names.length) {
      const few = values.length < names.length;
      sink.fault({
        ...placeOf(few ? values.length - 1 : names.length),
        message: `this row has ${values.length} fields and the heading ${names.length}; ${few ? 'put in the missing separators' : 'put quotes around a field that holds the separator'}`,
      });
      return;
    }
    record.line = rowLine;
    record.number = rowLine;
    record.values = values;
    sink.record(record);
  }

  /** The first line says which separator. */
  function detect(first: string): void {
    const bare = first.replace(/"[^"]*"/g, '');
    let most = 0;
    separator = ',';
    for (const one of SEPARATORS) {
      const count = bare.split(one).length - 1;
      if (count > most) {
        most = count;
        separator = one;
      }
    }
  }

  /** Takes all whole rows off the text; with `last` also one without a line end. */
  function scan(last: boolean): void {
    let at = 0;
    while (fatal === undefined) {
      let nl = text.indexOf('\n', Math.max(at, looked));
      if (nl < 0) {
        if (!last || at >= text.length) break;
        nl = text.length;
      }
      let to = nl;
      if (to > at && text.charCodeAt(to - 1) === 13) to--;
      if (skipping) {
        skipping = false;
        line++;
        at = nl + 1;
        continue;
      }
      if (to === at) {
        line++;
        at = nl + 1;
        continue;
      }
      const whole = text.slice(at, to);
      if (names === undefined && separator === undefined) {
        const said = /^sep=([,;\t])$/i.exec(whole);
        if (said) {
          separator = said[1] as string;
          line++;
          at = nl + 1;
          continue;
        }
        detect(whole);
      }
      rowLine = line;
      if (!whole.includes('"')) {
        if (whole.length > MAX_ROW) tooLong();
        else {
          lines = NOTHING;
          values = whole.split(separator as string);
          row();
        }
        line++;
        at = nl + 1;
        continue;
      }
      const next = quoted(at, last);
      if (next < 0) break;
      at = next;
    }
    if (fatal) return;
    text = at === 0 ? text : text.slice(at);
    looked = at === 0 ? Math.max(looked, text.length) : text.length;
    if (text.includes('"')) looked = 0;
    if (!skipping && text.length > MAX_ROW) {
      if (text.includes('"')) {
        // The quote was not closed yet, or the row is all too long: nobody can tell.
        rowLine = line;
        const place = openQuote();
        end({
          ...place,
          message: `the quote that opens here is not closed within ${MAX_ROW.toLocaleString('en')} characters; close it, or double a quote that belongs to the text`,
        });
        return;
      }
      rowLine = line;
      tooLong();
      skipping = true;
    }
    if (skipping) {
      // Only its end is of interest.
      text = '';
      looked = 0;
    }
  }

  function tooLong(): void {
    sink.fault({
      line: rowLine,
      column: 1,
      message: `this row is longer than ${MAX_ROW.toLocaleString('en')} characters; is a line end missing?`,
    });
  }

  function openQuote(): Place {
    const before = text.slice(0, text.indexOf('"'));
    return { line, column: before.length + 1 };
  }

  /** One row with quotes somewhere, from `start`. @returns where the next begins, -1 when more text is needed */
  function quoted(start: number, last: boolean): number {
    const separates = (separator as string).charCodeAt(0);
    const found: string[] = [];
    const foundLines: number[] = [];
    const foundColumns: number[] = [];
    let at = start;
    let now = line;
    let lineStart = start;
    let bad: Fault | undefined;
    for (;;) {
      foundLines.push(now);
      foundColumns.push(at - lineStart + 1);
      let value: string;
      if (text.charCodeAt(at) === 34) {
        const opened = { line: now, column: at - lineStart + 1 };
        value = '';
        let from = at + 1;
        for (;;) {
          const close = text.indexOf('"', from);
          if (close < 0 || (close === text.length - 1 && !last)) {
            if (!last && text.length - start <= MAX_ROW) {
              return wait(start);
            }
            if (close < 0) {
              end({
                ...opened,
                message: `the quote that opens here is ${last ? 'never closed' : `not closed within ${MAX_ROW.toLocaleString('en')} characters`}; close it, or double a quote that belongs to the text`,
              });
              return -1;
            }
          }
          value += text.slice(from, close);
          from = close + 1;
          if (text.charCodeAt(from) !== 34) break;
          value += '"';
          from++;
        }
        if (from - start > MAX_ROW) {
          end({
            ...opened,
            message: `the quote that opens here is not closed within ${MAX_ROW.toLocaleString('en')} characters; close it, or double a quote that belongs to the text`,
          });
          return -1;
        }
        for (let nl = text.indexOf('\n', at); nl >= 0 && nl < from; nl = text.indexOf('\n', nl + 1)) {
          now++;
          lineStart = nl + 1;
        }
        at = from;
        const code = text.charCodeAt(at);
        const ends =
          Number.isNaN(code) ||
          code === separates ||
          code === 10 ||
          (code === 13 && (text.charCodeAt(at + 1) === 10 || at + 1 === text.length));
        if (code === 13 && at + 1 === text.length && !last) return wait(start);
        if (!ends) {
          bad ??= {
            line: now,
            column: at - lineStart + 1,
            message: 'text follows the closing quote; double a quote that belongs to the text',
          };
          at = fieldEnd(at, separates);
        }
      } else {
        const to = fieldEnd(at, separates);
        value = text.slice(at, to);
        const quote = value.indexOf('"');
        if (quote >= 0)
          bad ??= {
            line: now,
            column: at - lineStart + 1 + quote,
            message: 'a quote stands inside of a field; put the field in quotes and double this one',
          };
        at = to;
      }
      found.push(value);
      const code = text.charCodeAt(at);
      if (code === separates) {
        at++;
        continue;
      }
      if (Number.isNaN(code) && !last) return wait(start);
      if (code === 13) at++;
      break;
    }
    rowLine = line;
    line = now + 1;
    if (bad) sink.fault(bad);
    else {
      values = found;
      lines = foundLines;
      columns = foundColumns;
      row();
    }
    return at + 1;
  }

  /** Where an unquoted field ends: at a separator, a line end, or the end of the text. */
  function fieldEnd(from: number, separates: number): number {
    for (let at = from; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code === separates || code === 10 || (code === 13 && text.charCodeAt(at + 1) === 10)) return at;
    }
    return text.length;
  }

  /** Text that ends inside of a quoted row is looked at again when there is twice as much: no input makes this quadratic. */
  let again = 0;
  function wait(start: number): number {
    again = Math.min((text.length - start) * 2, MAX_ROW + 1);
    return -1;
  }

  function take(more: string, last: boolean): boolean {
    if (fatal) return false;
    if (more.length > 0) {
      if (ODD.test(more) || /\r(?!\n)/.test(more)) tainted = true;
      text += more;
    }
    if (last || text.length >= again) {
      again = 0;
      scan(last);
      // A row that is not whole yet may hold what tainted it.
      tainted = text.length > 0 && (ODD.test(text) || /\r(?!\n)/.test(text));
    }
    return fatal === undefined;
  }

  return {
    push: (bytes) => take(decoder.push(bytes), false),
    end() {
      if (ended) return fatal === undefined;
      ended = true;
      if (!take(decoder.end(), true)) return false;
      if (names === undefined)
        fatal = { line: 1, column: 1, message: 'the file is empty; its first line names the columns' };
      return fatal === undefined;
    },
    get fatal() {
      return fatal;
    },
  };
}

const CARRIAGE = {
  at: 0,
  message: 'a carriage return stands alone; end lines with LF or CRLF, or put the field in quotes',
};
