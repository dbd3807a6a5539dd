/**
 * Times as people's files write them: ISO 8601 with or without an offset, `20.11.2026 14:00`, `11/20/2026 2:00 PM`, day and time in
 * columns of their own, seconds of the epoch.
 *
 * Decides: what has no offset is wall time of a zone; the repeated hour of autumn is told apart by the order of the lines (the first
 * time through is summer time), or by a mark in the text. Leaves out: guessing day before month: the caller finds that out of
 * all lines (`dayFirst`).
 */
import { localToUtc, toLocal } from '@amiable/calendar';

export interface StampForm {
  /** IANA zone of what has no offset; `UTC` for files in UTC. */
  readonly zone: string;
  /** 20/11/2026 rather than 11/20/2026. */
  readonly dayFirst: boolean;
}

const ISO = /^(\d{4})-?(\d\d)-?(\d\d)(?:[T\s]+(.*))?$/;
const PEOPLE = /^(\d{1,2})[./-](\d{1,2})[./-](\d{2}|\d{4})\.?(?:[,T\s]+(.*))?$/;
const YEAR_FIRST = /^(\d{4})[./](\d{1,2})[./](\d{1,2})(?:[,T\s]+(.*))?$/;
const CLOCK =
  /^(\d{1,2})(?:[:.h](\d{2}))?(?:[:.](\d{2})(?:[.,](\d{1,6}))?)?\s*([AP]M)?\s*(Z|UTC|GMT|[+-]\d\d:?\d\d|[+-]\d\d|[A-Z]{1,4}T)?$/i;
const OFFSETS: Readonly<Record<string, number>> = {
  CET: 60,
  CEST: 120,
  WET: 0,
  WEST: 60,
  EET: 120,
  EEST: 180,
  BST: 60,
};
const DAY = 86_400_000;

/** A wall time with what else the text says. */
export interface Stamp {
  /** Wall ms: as if it were UTC. */
  readonly wall: number;
  /** Minutes east of Greenwich where the text says so. */
  readonly offset: number | undefined;
  /** Whether a time of day stands in it. */
  readonly timed: boolean;
}

/** @returns undefined for what is no time */
export function readStamp(text: string, dayFirst: boolean): Stamp | undefined {
  const plain = text.trim().replace(/\u00a0|\u202f/g, ' ');
  if (plain.length > 60) return undefined;
  if (/^[12]\d{9}$/.test(plain)) return { wall: Number(plain) * 1000, offset: 0, timed: true };
  if (/^1\d{12}$/.test(plain)) return { wall: Number(plain), offset: 0, timed: true };
  const iso = ISO.exec(plain) ?? YEAR_FIRST.exec(plain);
  if (iso) return stamp(Number(iso[1]), Number(iso[2]), Number(iso[3]), iso[4]);
  const found = PEOPLE.exec(plain);
  if (!found) return undefined;
  const [a, b] = [Number(found[1]), Number(found[2])];
  const year = Number(found[3]) + (found[3]?.length === 2 ? 2000 : 0);
  return dayFirst ? stamp(year, b, a, found[4]) : stamp(year, a, b, found[4]);
}

function stamp(year: number, month: number, day: number, rest: string | undefined): Stamp | undefined {
  const date = Date.UTC(year, month - 1, day);
  const back = new Date(date);
  if (back.getUTCFullYear() !== year || back.getUTCMonth() !== month - 1 || back.getUTCDate() !== day) return undefined;
  if (rest === undefined || rest.trim() === '') return { wall: date, offset: undefined, timed: false };
  const clock = CLOCK.exec(rest.trim());
  if (!clock) return undefined;
  const [, h = '', m = '0', s = '0', fraction = '', half, where] = clock;
  let hour = Number(h);
  if (half !== undefined) {
    if (hour < 1 || hour > 12) return undefined;
    hour = (hour % 12) + (half.toUpperCase() === 'PM' ? 12 : 0);
  }
  // 24:00 is the end of the day.
  if (hour > 24 || Number(m) > 59 || Number(s) > 59 || (hour === 24 && Number(m) + Number(s) > 0)) return undefined;
  const ms = fraction === '' ? 0 : Math.round(Number(`0.${fraction}`) * 1000);
  const wall = date + ((hour * 60 + Number(m)) * 60 + Number(s)) * 1000 + ms;
  if (where === undefined) return { wall, offset: undefined, timed: true };
  const offset = offsetOf(where.toUpperCase());
  return offset === undefined ? undefined : { wall, offset, timed: true };
}

function offsetOf(text: string): number | undefined {
  if (text === 'Z' || text === 'UTC' || text === 'GMT') return 0;
  const found = /^([+-])(\d\d):?(\d\d)?$/.exec(text);
  if (found) return (found[1] === '-' ? -1 : 1) * (Number(found[2]) * 60 + Number(found[3] ?? 0));
  return OFFSETS[text];
}

/**
 * The instant of a stamp. `after`: the instant of the line before; in the repeated hour a wall time that does not come after it is
 * the second one.
 */
export function instantOf(stamp: Stamp, zone: string, after?: number): number {
  if (stamp.offset !== undefined) return stamp.wall - stamp.offset * 60_000;
  return localToUtc(zone, stamp.wall, after === undefined ? {} : { after: after + 1 });
}

/** Whether clocks in `zone` never show this wall time: it lies in spring's gap. */
export const isSkipped = (stamp: Stamp, zone: string): boolean =>
  stamp.offset === undefined && toLocal(zone, localToUtc(zone, stamp.wall)) !== stamp.wall;

/**
 * Whether dates such as 3/4/2026 begin with the day: some first number is above 12, or no second one is and days pass faster than
 * months; undefined where nothing tells.
 */
export function isDayFirst(texts: readonly string[]): boolean | undefined {
  let dots = false;
  let largestFirst = 0;
  let largestSecond = 0;
  const firsts = new Set<string>();
  const seconds = new Set<string>();
  for (const text of texts) {
    const found = PEOPLE.exec(text.trim());
    if (!found) continue;
    if (text.includes('.') && /^\d{1,2}\./.test(text.trim())) dots = true;
    largestFirst = Math.max(largestFirst, Number(found[1]));
    largestSecond = Math.max(largestSecond, Number(found[2]));
    firsts.add(found[1] as string);
    seconds.add(found[2] as string);
  }
  if (largestFirst === 0) return true;
  if (largestFirst > 12) return true;
  if (largestSecond > 12) return false;
  // Only German, Nordic and the like write dots, and they write the day first.
  if (dots) return true;
  if (firsts.size !== seconds.size) return firsts.size > seconds.size;
  return undefined;
}

export const dayOfWall = (wall: number): string => new Date(Math.floor(wall / DAY) * DAY).toISOString().slice(0, 10);
