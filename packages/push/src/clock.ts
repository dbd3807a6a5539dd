/**
 * The clocks of a pushed list: 12-byte date-times (IEC 62056-6-2 clause 4.1.6.1) to wall time and UTC, fast.
 *
 * Decides: which offset holds. The deviation that the meter gives, unless the list's table says that it means nothing;
 * else the zone. The summer-time bit of the clock status settles the repeated hour (its absence too, once
 * the meter has shown that it sets it), else the time of receipt on a live port, else the message before.
 * Impossible dates have no time. Leaves out: comparing with the receiver's clock (package meter).
 */
import { localToUtc, zoneOffset } from '@amiable/calendar';
import { CLOCK, daysFromCivil, isCivilDate } from '@amiable/dlms';

const MINUTE = 60_000;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** Deviation "not specified". */
export const NO_DEVIATION = -0x8000;
/** The years that meters live in; any other is no time, and zones are not asked for it. */
const FIRST_YEAR = 1990;
const LAST_YEAR = 2150;

/**
 * Wall time of the 12 bytes at `o`, epoch milliseconds as if UTC; NaN unless date, hour and minute are possible, in a year
 * that meters live in.
 */
export function wallOf(b: Uint8Array, o: number, cache: ClockCache): number {
  const date =
    (((b[o] as number) << 24) | ((b[o + 1] as number) << 16) | ((b[o + 2] as number) << 8) | (b[o + 3] as number)) >>>
    0;
  if (date !== cache.date) {
    const year = date >>> 16;
    const month = (date >>> 8) & 0xff;
    const day = date & 0xff;
    cache.date = date;
    cache.dayMs =
      year >= FIRST_YEAR && year < LAST_YEAR && isCivilDate(year, month, day)
        ? daysFromCivil(year, month, day) * DAY
        : Number.NaN;
  }
  const hour = b[o + 5] as number;
  const minute = b[o + 6] as number;
  let second = b[o + 7] as number;
  let hundredths = b[o + 8] as number;
  if (second === 0xff) second = 0;
  if (hundredths === 0xff) hundredths = 0;
  if (hour > 23 || minute > 59 || second > 59 || hundredths > 99) return Number.NaN;
  return cache.dayMs + hour * HOUR + minute * MINUTE + second * 1000 + hundredths * 10;
}

/** Minutes from local time to UTC as the clock gives them; NO_DEVIATION when it gives none. */
export function deviationOf(b: Uint8Array, o: number): number {
  return (((b[o + 9] as number) << 24) >> 16) | (b[o + 10] as number);
}

/** Whether the clock calls itself invalid or doubtful. Status FF is "not specified". */
export function isDoubtful(b: Uint8Array, o: number): boolean {
  const status = b[o + 11] as number;
  return status !== 0xff && (status & (CLOCK.invalid | CLOCK.doubtful)) !== 0;
}

/** What one port remembers of its clock, so that a message costs arithmetic only. */
export class ClockCache {
  /** The date bytes seen last and their midnight. */
  date = -1;
  dayMs = Number.NaN;
  /** Wall times [from, to) around those seen last that are far from any change of offset, and the offset there. */
  from = 0;
  to = 0;
  offset = 0;
  zone = '';
  /** This meter marks summer time: a clock without the mark then shows standard time. Many never mark it. */
  marks = false;
  /** UTC of the message before. */
  after: number | undefined = undefined;
  /** When the message arrived, on a live port. */
  receivedAt: number | undefined = undefined;
}

/** Wall time (no NaN) to UTC in a zone. */
export function wallToUtc(wall: number, status: number, zone: string, cache: ClockCache): number {
  if (wall >= cache.from && wall < cache.to && zone === cache.zone) return wall - cache.offset;
  const marked = status !== 0xff && (status & CLOCK.daylightSaving) !== 0;
  if (marked) cache.marks = true;
  const told = marked || (cache.marks && status !== 0xff);
  // On a live port the receiver's clock tells the two apart (half an hour of error is forgiven), else the message before.
  const after = cache.receivedAt === undefined ? cache.after : cache.receivedAt - HOUR / 2;
  const utc = localToUtc(zone, wall, {
    ...(told ? { dst: marked } : {}),
    ...(after === undefined ? {} : { after }),
  });
  remember(wall, utc, zone, cache);
  return utc;
}

/** How far around a time the offset is looked at, and in what steps. */
const REACH = 10 * DAY;
const STEP = 12 * HOUR;
/** Offsets change by less than this: wall times so far from a change have one meaning. */
const MARGIN = 3 * HOUR;

function remember(wall: number, utc: number, zone: string, cache: ClockCache): void {
  const offset = zoneOffset(zone, utc);
  let before = 0;
  while (before < REACH && zoneOffset(zone, utc - before - STEP) === offset) before += STEP;
  let after = 0;
  while (after < REACH && zoneOffset(zone, utc + after + STEP) === offset) after += STEP;
  // Near a change nothing is remembered: there a wall time can stand twice or never.
  const from = wall - before + MARGIN;
  const to = wall + after - MARGIN;
  if (!(from <= wall && wall < to)) return;
  cache.from = from;
  cache.to = to;
  cache.offset = offset;
  cache.zone = zone;
}

const TWO = Array.from({ length: 100 }, (_, i) => String(i).padStart(2, '0'));
const two = (n: number): string => TWO[n] as string;
let dayText = '';
let dayOfText = Number.NaN;

/** The text made last: a message's id and its JSON both ask for it. */
let lastText = '';
let lastWall = Number.NaN;
let lastDeviation = 0;

/** Local ISO 8601 text of a wall time, with the offset that the meter gave (minutes local to UTC), if it gave one. */
export function clockText(wall: number, deviation: number): string {
  if (wall === lastWall && deviation === lastDeviation) return lastText;
  lastText = makeText(wall, deviation);
  lastWall = wall;
  lastDeviation = deviation;
  return lastText;
}

function makeText(wall: number, deviation: number): string {
  const day = Math.floor(wall / DAY);
  if (day !== dayOfText) {
    // Years before 1000 keep four digits, as ISO 8601 wants them.
    dayText = new Date(wall).toISOString().slice(0, -13);
    dayOfText = day;
  }
  const ms = wall - day * DAY;
  const seconds = Math.floor(ms / 1000);
  const minutes = Math.floor(seconds / 60);
  const hundredths = Math.floor((ms - seconds * 1000) / 10);
  let text = `${dayText}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}:${two(seconds % 60)}`;
  if (hundredths > 0) text += `.${two(hundredths)}`;
  if (deviation === NO_DEVIATION) return text;
  const ahead = Math.abs(deviation);
  const hours = Math.floor(ahead / 60);
  return `${text}${deviation > 0 ? '-' : '+'}${hours < 100 ? two(hours) : hours}:${two(ahead % 60)}`;
}
