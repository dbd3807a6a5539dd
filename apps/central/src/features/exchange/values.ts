/**
 * Values of registry files, both ways: text to what is stored, checked, and back. Cells that a spreadsheet would take for formulas
 * get an apostrophe in front when they are written, which is taken off when they are read.
 */
import { DecodeError } from '@amiable/bytes';
import { isValidZone, localToUtc, toLocal } from '@amiable/calendar';
import {
  CHECK_RULES,
  type CheckRule,
  parseAssetNumber,
  parseDeviceNumber,
  parseEic,
  parseGsrn,
  parseManufacturerSerial,
  verifyCheck,
} from '@amiable/model';

/** A value that is wrong: what is wanted and what stands there. */
export class ValueError extends Error {
  override readonly name = 'ValueError';
}

const shown = (text: string): string => JSON.stringify(text.length > 60 ? `${text.slice(0, 57)}…` : text);
export const wrong = (wanted: string, text: string): never => {
  throw new ValueError(`${wanted} is wanted, not ${shown(text)}`);
};

const FORMULA = /^'*[=+\-@\t\r]/;
export const defused = (text: string): string => (FORMULA.test(text) ? `'${text}` : text);
export const undefused = (text: string): string =>
  text.charCodeAt(0) === 39 && FORMULA.test(text) ? text.slice(1) : text;

export function integerOf(text: string, least: number, most: number): number {
  if (!/^[+-]?\d{1,15}$/.test(text)) wrong('a whole number', text);
  const value = Number(text);
  if (value < least || value > most) wrong(`a whole number from ${least} to ${most}`, text);
  return value;
}

export function numberOf(text: string, least: number, most: number): number {
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,3})?$/i.test(text))
    wrong(/^-?\d+,\d+$/.test(text) ? 'a number with a decimal point' : 'a number', text);
  const value = Number(text);
  if (!(value >= least && value <= most)) wrong(`a number from ${least} to ${most}`, text);
  return value;
}

const TRUE = new Set(['true', 'yes', '1']);
const FALSE = new Set(['false', 'no', '0']);
export function booleanOf(text: string): boolean {
  const word = text.toLowerCase();
  if (TRUE.has(word)) return true;
  if (FALSE.has(word)) return false;
  return wrong('true or false', text);
}

export function choiceOf(text: string, choices: readonly string[]): string {
  return choices.includes(text) ? text : wrong(`one of ${choices.slice(0, 20).join(', ')}`, text);
}

const TIME = /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,3}))?)?(Z|[+-]\d{2}:?\d{2})?)?$/;
const EARLIEST = Date.UTC(1900, 0, 1);

/** ISO 8601; a day is its local midnight, a time without offset is local. @returns epoch ms */
export function timeOf(text: string, zone: string, now: number): number {
  const found = TIME.exec(text);
  const wanted = 'a day or time such as 2026-11-20 or 2026-11-20T14:30:00Z';
  if (!found) return wrong(wanted, text);
  const [, year, month, day, hour, minute, second, milli, offset] = found;
  const clock = Date.UTC(
    Number(year),
    Number(month) - 1,
    Number(day),
    Number(hour ?? 0),
    Number(minute ?? 0),
    Number(second ?? 0),
    Number((milli ?? '0').padEnd(3, '0')),
  );
  if (
    new Date(clock).getUTCDate() !== Number(day) ||
    Number(month) > 12 ||
    Number(hour ?? 0) > 23 ||
    Number(minute ?? 0) > 59 ||
    Number(second ?? 0) > 59
  )
    throw new ValueError(`${shown(text)} is no day and time that there is`);
  let value: number;
  if (offset === undefined) {
    value = localToUtc(zone, clock);
    if (toLocal(zone, value) !== clock)
      throw new ValueError(
        `${shown(text)} is skipped by the clocks of ${zone}; give it with its offset, as in 2026-03-29T02:30:00Z`,
      );
  } else if (offset === 'Z') value = clock;
  else {
    const sign = offset.startsWith('-') ? -1 : 1;
    value = clock - sign * (Number(offset.slice(1, 3)) * 60 + Number(offset.slice(-2))) * 60_000;
  }
  if (value < EARLIEST) throw new ValueError(`${shown(text)} lies before 1900`);
  if (value > now) throw new ValueError(`${shown(text)} lies in the future; the registry keeps what was and is`);
  return value;
}

export function zoneOf(text: string): string {
  if (!isValidZone(text)) wrong('an IANA time zone such as Europe/Oslo', text);
  return text;
}

export const NUMBER_FORMS = [...CHECK_RULES, 'asset', 'gsrn', 'eic', 'device', 'maker'] as const;
/** By what rule a number is checked: a check character alone, or the whole form of it. */
export type NumberForm = (typeof NUMBER_FORMS)[number];

export function checkNumber(text: string, form: NumberForm): void {
  try {
    if (form === 'asset') parseAssetNumber(text);
    else if (form === 'gsrn') parseGsrn(text);
    else if (form === 'eic') parseEic(text);
    else if (form === 'device') parseDeviceNumber(text);
    else if (form === 'maker') parseManufacturerSerial(text);
    else verifyCheck(text, form as CheckRule);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new ValueError(error.message.replace(/ \(at byte \d+\)$/, ''));
  }
}
