/**
 * Dates and times of COSEM as text, and back (IEC 62056-6-2 clause 4.1.6.1).
 *
 * Decides: `2026-03-29 02:00:00+01:00 dst`; what is not specified is `*`; the marks are words: month `dstbegin` and
 * `dstend`, day `last` and `last2` (the last but one). The day of week follows where the date alone does not tell it:
 * `*-03-last sun`. Text is for people: a status or hundredths of zero and ones not specified look alike.
 */
import { Reader } from '@amiable/bytes';
import {
  CLOCK,
  type DlmsDate,
  type DlmsDateTime,
  type DlmsTime,
  daysFromCivil,
  decodeDate,
  decodeDateTime,
  decodeTime,
  isCivilDate,
} from '@amiable/dlms';
import type { Spoken } from '../classes/type.ts';

const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
const MONTH_MARKS: Readonly<Record<number, string>> = { 253: 'dstend', 254: 'dstbegin' };
const DAY_MARKS: Readonly<Record<number, string>> = { 253: 'last2', 254: 'last' };
const STATUS_WORDS: readonly (readonly [bit: number, word: string])[] = [
  [CLOCK.daylightSaving, 'dst'],
  [CLOCK.invalid, 'invalid'],
  [CLOCK.doubtful, 'doubtful'],
  [CLOCK.otherBase, 'otherbase'],
  [CLOCK.invalidStatus, 'invalidstatus'],
  [0x10, 'bit4'],
  [0x20, 'bit5'],
  [0x40, 'bit6'],
];

const two = (n: number): string => (n < 10 ? `0${n}` : `${n}`);
const part = (n: number | undefined): string => (n === undefined ? '*' : two(n));

/** 1 is Monday; undefined unless the date is a day of the calendar. */
export function weekdayOf({ year, month, day }: DlmsDate): number | undefined {
  if (year === undefined || month === undefined || day === undefined || !isCivilDate(year, month, day))
    return undefined;
  return ((((daysFromCivil(year, month, day) + 3) % 7) + 7) % 7) + 1;
}

function marked(n: number | undefined, marks: Readonly<Record<number, string>>): string {
  return n === undefined ? '*' : (marks[n] ?? two(n));
}

function weekdayText(date: DlmsDate): string {
  if (date.weekday === undefined || date.weekday === weekdayOf(date)) return '';
  return ` ${WEEKDAYS[date.weekday - 1] ?? `day${date.weekday}`}`;
}

function plainDate({ year, month, day }: DlmsDate): string {
  const y = year === undefined ? '*' : `${year}`.padStart(4, '0');
  return `${y}-${marked(month, MONTH_MARKS)}-${marked(day, DAY_MARKS)}`;
}

export function dateText(date: DlmsDate): string {
  return plainDate(date) + weekdayText(date);
}

export function timeText({ hour, minute, second, hundredths }: DlmsTime): string {
  return `${part(hour)}:${part(minute)}:${part(second)}${hundredths ? `.${two(hundredths)}` : ''}`;
}

function zoneText(deviation: number | undefined): string {
  if (deviation === undefined) return '';
  if (deviation === 0) return 'Z';
  const minutes = Math.abs(deviation);
  return `${deviation < 0 ? '+' : '-'}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}

export function dateTimeText(value: DlmsDateTime): string {
  let text = `${plainDate(value)} ${timeText(value)}${zoneText(value.deviation)}${weekdayText(value)}`;
  if (value.status) for (const [bit, word] of STATUS_WORDS) if (value.status & bit) text += ` ${word}`;
  return text;
}

const DATE = '(\\*|\\d{4,5})-(\\*|\\d{1,3}|dstbegin|dstend)-(\\*|\\d{1,3}|last2?)';
const TIME = '(\\*|\\d{1,3}):(\\*|\\d{1,3})(?::(\\*|\\d{1,3})(?:\\.(\\d{1,3}))?)?';
const WORDS = '((?: [a-z]+\\d*)*)';
const DATE_FORM = new RegExp(`^${DATE}${WORDS}$`);
const TIME_FORM = new RegExp(`^${TIME}$`);
const DATE_TIME_FORM = new RegExp(`^${DATE}[ T]${TIME} ?(Z|[+-]\\d{2,3}:?\\d{2})?${WORDS}$`);

type Found = readonly (string | undefined)[];

const MARKS: Readonly<Record<string, number>> = { dstend: 253, dstbegin: 254, last2: 253, last: 254 };
const numberOf = (text: string | undefined): number | undefined =>
  text === undefined || text === '*' ? undefined : (MARKS[text] ?? Number(text));

/** Leaves out what is undefined. */
function given<T extends object>(value: { [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined)) as T;
}

function within(limit: number, ...numbers: readonly (number | undefined)[]): boolean {
  return numbers.every((n) => n === undefined || n <= limit);
}

function dateOf(found: Found, words: readonly string[]): DlmsDate | undefined {
  const [year, month, day] = [numberOf(found[0]), numberOf(found[1]), numberOf(found[2])];
  if (!within(0xfffe, year) || !within(0xfe, month, day)) return undefined;
  let weekday = weekdayOf(given<DlmsDate>({ year, month, day, weekday: undefined }));
  for (const word of words) {
    const named = (WEEKDAYS as readonly string[]).indexOf(word);
    if (named >= 0) weekday = named + 1;
    else if (/^day\d{1,3}$/.test(word)) weekday = Number(word.slice(3));
  }
  return within(0xfe, weekday) ? given<DlmsDate>({ year, month, day, weekday }) : undefined;
}

function timeOf(found: Found): DlmsTime | undefined {
  const [hour, minute, second, hundredths] = found.map(numberOf);
  if (!within(0xfe, hour, minute, second, hundredths)) return undefined;
  return given<DlmsTime>({ hour, minute, second, hundredths });
}

const wordsOf = (text: string | undefined): string[] => (text ? text.trim().split(' ').filter(Boolean) : []);
const isWeekday = (word: string): boolean =>
  (WEEKDAYS as readonly string[]).includes(word) || /^day\d{1,3}$/.test(word);

/** Undefined when the text is no date. */
export function parseDate(text: string): DlmsDate | undefined {
  const found = DATE_FORM.exec(text);
  const words = wordsOf(found?.[4]);
  return found && words.every(isWeekday) ? dateOf(found.slice(1, 4), words) : undefined;
}

export function parseTime(text: string): DlmsTime | undefined {
  const found = TIME_FORM.exec(text);
  return found ? timeOf(found.slice(1, 5)) : undefined;
}

function deviationOf(zone: string): number {
  if (zone === 'Z') return 0;
  const digits = zone.slice(1).replace(':', '');
  const minutes = Number(digits.slice(0, -2)) * 60 + Number(digits.slice(-2));
  // `+ 0` so that +00:00 is no negative zero.
  return (zone[0] === '+' ? -minutes : minutes) + 0;
}

export function parseDateTime(text: string): DlmsDateTime | undefined {
  const found = DATE_TIME_FORM.exec(text);
  if (!found) return undefined;
  const words = wordsOf(found[9]);
  const date = dateOf(found.slice(1, 4), words);
  const time = timeOf(found.slice(4, 8));
  const deviation = found[8] === undefined ? undefined : deviationOf(found[8]);
  if (!date || !time || (deviation !== undefined && Math.abs(deviation) > 0x7fff)) return undefined;
  let status: number | undefined;
  for (const word of words) {
    const bit = STATUS_WORDS.find(([, name]) => name === word)?.[0];
    if (bit !== undefined) status = (status ?? 0) | bit;
    else if (!isWeekday(word)) return undefined;
  }
  return { ...date, ...time, ...given<DlmsDateTime>({ deviation, status }) };
}

export function spokenDateTime(value: DlmsDateTime): Spoken<DlmsDateTime> {
  return { ...value, text: dateTimeText(value) };
}

export function spokenDate(value: DlmsDate): Spoken<DlmsDate> {
  return { ...value, text: dateText(value) };
}

export function spokenTime(value: DlmsTime): Spoken<DlmsTime> {
  return { ...value, text: timeText(value) };
}

/** The moment in an octet-string of 12, 5 or 4 bytes. */
export function momentOf(bytes: Uint8Array): Spoken<DlmsDateTime> | Spoken<DlmsDate> | Spoken<DlmsTime> | undefined {
  if (bytes.length === 12) return spokenDateTime(decodeDateTime(new Reader(bytes)));
  if (bytes.length === 5) return spokenDate(decodeDate(new Reader(bytes)));
  if (bytes.length === 4) return spokenTime(decodeTime(new Reader(bytes)));
  return undefined;
}
