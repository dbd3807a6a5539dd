/**
 * Time stamps of telegrams: YYMMDDhhmmssX, X = S in summer time and W in winter time (DSMR P1 5.0.2 clause 6.4, TST), to wall
 * time and UTC.
 *
 * Decides: the mark is the offset, so both hours of autumn are told apart, and a meter that stays in winter time all year is
 * right as well. Without a mark (DSMR 2 and 3) the zone's own rules hold, and in the repeated hour the message before. Impossible
 * dates (Belgian `632525252525W`, and years from 1970 on, which are a clock that was never set) have no time.
 */
import { localToUtc, zoneOffset } from '@amiable/calendar';
import { daysFromCivil, isCivilDate } from '@amiable/dlms';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** Nearly all users of the format live in Central European Time; elsewhere the user says where. */
export const DEFAULT_ZONE = 'Europe/Amsterdam';
/** Two digits of a year below this are of this century. */
const CENTURY = 70;

export const DIGITS = 12;
const S = 0x53;
const W = 0x57;

export const NO_MARK = 0;
export const SUMMER = 1;
export const WINTER = 2;

/** What the octet behind the digits says: SUMMER, WINTER, or NO_MARK for any other. */
export function markOf(octet: number): number {
  const c = octet & 0xdf;
  return c === S ? SUMMER : c === W ? WINTER : NO_MARK;
}

let datePacked = -1;
let dateMs = Number.NaN;

/** Wall time of the 12 digits at `o`, epoch milliseconds as if UTC; NaN when they are no digits or no possible time. */
export function wallAt(b: Uint8Array, o: number): number {
  const y1 = (b[o] as number) - 48;
  const y2 = (b[o + 1] as number) - 48;
  const m1 = (b[o + 2] as number) - 48;
  const m2 = (b[o + 3] as number) - 48;
  const d1 = (b[o + 4] as number) - 48;
  const d2 = (b[o + 5] as number) - 48;
  const h1 = (b[o + 6] as number) - 48;
  const h2 = (b[o + 7] as number) - 48;
  const n1 = (b[o + 8] as number) - 48;
  const n2 = (b[o + 9] as number) - 48;
  const s1 = (b[o + 10] as number) - 48;
  const s2 = (b[o + 11] as number) - 48;
  // Negative when an octet is below '0' or above '9'.
  const bad =
    y1 |
    y2 |
    m1 |
    m2 |
    d1 |
    d2 |
    h1 |
    h2 |
    n1 |
    n2 |
    s1 |
    s2 |
    (9 - y1) |
    (9 - y2) |
    (9 - m1) |
    (9 - m2) |
    (9 - d1) |
    (9 - d2) |
    (9 - h1) |
    (9 - h2) |
    (9 - n1) |
    (9 - n2) |
    (9 - s1) |
    (9 - s2);
  if (bad < 0) return Number.NaN;
  const hour = h1 * 10 + h2;
  const minute = n1 * 10 + n2;
  const second = s1 * 10 + s2;
  if (hour > 23 || minute > 59 || second > 59) return Number.NaN;
  const packed = (y1 * 10 + y2) * 10_000 + (m1 * 10 + m2) * 100 + d1 * 10 + d2;
  if (packed !== datePacked) {
    const year = y1 * 10 + y2;
    const month = m1 * 10 + m2;
    const day = d1 * 10 + d2;
    datePacked = packed;
    dateMs =
      year < CENTURY && isCivilDate(2000 + year, month, day)
        ? daysFromCivil(2000 + year, month, day) * DAY
        : Number.NaN;
  }
  return dateMs + hour * HOUR + minute * 60_000 + second * 1000;
}

/** Turns wall times of one port into UTC. */
export class PortClock {
  readonly zone: string;
  /** UTC of the message before. */
  after: number | undefined = undefined;
  #year = -1;
  #winter = 0;
  #summer = 0;

  constructor(zone: string = DEFAULT_ZONE) {
    this.zone = zone;
  }

  utc(wall: number, mark: number): number {
    if (Number.isNaN(wall)) return Number.NaN;
    if (mark === NO_MARK) return localToUtc(this.zone, wall, this.after === undefined ? {} : { after: this.after });
    const year = Math.floor(wall / (365.25 * DAY));
    if (year !== this.#year) this.#learn(year, wall);
    return wall - (mark === SUMMER ? this.#summer : this.#winter);
  }

  /** Both offsets of the year around `wall`; the halves of a year are enough to meet each. */
  #learn(year: number, wall: number): void {
    let low = Number.POSITIVE_INFINITY;
    let high = Number.NEGATIVE_INFINITY;
    for (let month = -6; month <= 6; month++) {
      const offset = zoneOffset(this.zone, wall + month * 30 * DAY);
      low = Math.min(low, offset);
      high = Math.max(high, offset);
    }
    this.#year = year;
    this.#winter = low;
    // A mark of summer where the zone has none is an hour ahead all the same: the meter knows.
    this.#summer = high > low ? high : low + HOUR;
  }
}

const TWO = Array.from({ length: 100 }, (_, i) => String(i).padStart(2, '0'));
const two = (n: number): string => TWO[n] as string;
let dayText = '';
let dayOfText = Number.NaN;
let lastText = '';
let lastWall = Number.NaN;
let lastMark = 0;

/** Local ISO 8601 text of a wall time, with the mark that the meter gave: `2022-05-28T15:17:29S`. */
export function clockText(wall: number, mark: number): string {
  if (wall === lastWall && mark === lastMark) return lastText;
  const day = Math.floor(wall / DAY);
  if (day !== dayOfText) {
    dayText = new Date(wall).toISOString().slice(0, 11);
    dayOfText = day;
  }
  const seconds = (wall - day * DAY) / 1000;
  const minutes = Math.floor(seconds / 60);
  const end = mark === SUMMER ? 'S' : mark === WINTER ? 'W' : '';
  lastText = `${dayText}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}:${two(seconds % 60)}${end}`;
  lastWall = wall;
  lastMark = mark;
  return lastText;
}
