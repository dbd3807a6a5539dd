/**
 * Five fields as cron knows them: minute, hour, day of the month, month, day of the week. Lists, ranges, steps and English names of months
 * and days.
 *
 * Decides: what a text means, once, as bit sets. Where both the day of the month and the day of the week are given either will do, as
 * everywhere. Leaves out: seconds, years, `@daily`, `L`, `W` and `#` (the other rules of recurrence.ts say those in words).
 */

export interface Cron {
  /** Minutes of the local day, ascending. */
  readonly minutes: readonly number[];
  /** By number: 1 to 31, 1 to 12, 0 (Sunday) to 6. */
  readonly days: readonly boolean[];
  readonly months: readonly boolean[];
  readonly weekdays: readonly boolean[];
  /** Whether days of the month and of the week are both given: then one of them is enough. */
  readonly either: boolean;
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const MAX_LENGTH = 200;

function field(text: string, what: string, low: number, high: number, names: readonly string[] = []): boolean[] {
  const set: boolean[] = new Array(high + 1).fill(false);
  const wrong = (piece: string): RangeError =>
    new RangeError(`${JSON.stringify(piece)} is no ${what}: ${low} to ${high}, a range such as ${low}-${high}, or */2`);
  const number = (word: string, piece: string): number => {
    const named = names.indexOf(word);
    const value = named >= 0 ? named + low : /^\d{1,2}$/.test(word) ? Number(word) : Number.NaN;
    if (!(value >= low && value <= high)) throw wrong(piece);
    return value;
  };
  for (const piece of text.split(',')) {
    const [range = '', step, ...more] = piece.split('/');
    if (more.length > 0 || (step !== undefined && !/^[1-9]\d?$/.test(step))) throw wrong(piece);
    const ends = range.split('-');
    if (ends.length > 2) throw wrong(piece);
    const from = range === '*' ? low : number(ends[0] as string, piece);
    // `5/10` goes on to the end, `5` alone does not.
    const to = range === '*' ? high : ends[1] === undefined ? (step ? high : from) : number(ends[1], piece);
    if (to < from) throw wrong(piece);
    for (let value = from; value <= to; value += Number(step ?? 1)) set[value] = true;
  }
  return set;
}

/** @throws RangeError with a sentence that names the field */
export function parseCron(text: string): Cron {
  if (text.length > MAX_LENGTH) throw new RangeError(`a cron expression has at most ${MAX_LENGTH} characters`);
  const fields = text.trim().toLowerCase().split(/\s+/);
  if (fields.length !== 5)
    throw new RangeError(
      `a cron expression has five fields (minute, hour, day of the month, month, day of the week); this one has ${fields.length}`,
    );
  const [minute, hour, day, month, weekday] = fields as [string, string, string, string, string];
  const minuteSet = field(minute, 'minute', 0, 59);
  const hourSet = field(hour, 'hour', 0, 23);
  const weekdays = field(weekday, 'day of the week', 0, 7, DAYS);
  weekdays[0] ||= weekdays[7] as boolean;
  const minutes: number[] = [];
  for (let h = 0; h < 24; h++) if (hourSet[h]) for (let m = 0; m < 60; m++) if (minuteSet[m]) minutes.push(h * 60 + m);
  return {
    minutes,
    days: field(day, 'day of the month', 1, 31),
    months: field(month, 'month', 1, 12, MONTHS),
    weekdays,
    either: !day.startsWith('*') && !weekday.startsWith('*'),
  };
}
