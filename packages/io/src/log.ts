/**
 * What a program says of itself, a line each: for people (time and words) or for log collectors (JSON).
 *
 * Decides: the form; that a line is one line, whatever stands in it; levels by number as syslog's names. A `Log` is a function of a
 * line, which is all that most code knows of it.
 */

export type Level = 'info' | 'warning' | 'error';
export type LogForm = 'text' | 'json';
export type Fields = Readonly<Record<string, string | number | boolean | null | undefined>>;

export interface Log {
  (line: string, fields?: Fields): void;
  warning(line: string, fields?: Fields): void;
  error(line: string, fields?: Fields): void;
  /** The same log, its lines marked with the part of the program that says them. */
  of(part: string): Log;
}

export interface LogOptions {
  readonly form: LogForm;
  readonly write: (text: string) => void;
  /** Epoch ms. */
  readonly now: () => number;
  /** Stand in every line of the JSON form. */
  readonly fields?: Fields;
}

const MAX_LINE = 8192;

export function createLog(options: LogOptions): Log {
  const say = (part: string | undefined, level: Level, line: string, fields: Fields = {}): void => {
    const time = new Date(options.now()).toISOString();
    const words = line.length > MAX_LINE ? `${line.slice(0, MAX_LINE)} … (${line.length} characters)` : line;
    if (options.form === 'json') {
      const entry = {
        time,
        level,
        ...(part === undefined ? {} : { part }),
        message: words,
        ...options.fields,
        ...fields,
      };
      options.write(`${JSON.stringify(entry)}\n`);
      return;
    }
    const rest = Object.entries(fields)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => ` ${name}=${typeof value === 'string' ? JSON.stringify(value) : String(value)}`)
      .join('');
    const mark = level === 'info' ? '' : `${level}: `;
    options.write(
      `${time.slice(11, 19)} ${mark}${part === undefined ? '' : `${part}: `}${words.replaceAll('\n', '\n         ')}${rest}\n`,
    );
  };
  const make = (part: string | undefined): Log =>
    Object.assign((line: string, fields?: Fields) => say(part, 'info', line, fields), {
      warning: (line: string, fields?: Fields) => say(part, 'warning', line, fields),
      error: (line: string, fields?: Fields) => say(part, 'error', line, fields),
      of: make,
    });
  return make(undefined);
}
