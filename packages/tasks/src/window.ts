/**
 * Time windows: when meters may be called, in local time (a modem that is in use by day, a network that is cheap by night).
 *
 * Decides: whether a window is open at an instant, and when one opens next. A window whose end is not after its begin passes midnight and
 * belongs to the day it begins on. In the hour that is repeated it is open both times; one that would open in an hour that is skipped
 * opens at the first instant after.
 */
import { toLocal, wallInstants } from '@amiable/calendar';

export interface TimeWindow {
  /** Days it begins on, 1 Monday to 7 Sunday; every day when left out. */
  readonly days?: readonly number[] | undefined;
  /** Minutes of the local day: begin, and end (not included). Equal ones are a whole day. */
  readonly from: number;
  readonly to: number;
}

const MINUTE = 60_000;
const DAY = 86_400_000;
const DAY_MINUTES = 1440;

/** 1 Monday to 7 Sunday, of a number of days since 1970. */
const weekday = (day: number): number => ((((day + 3) % 7) + 7) % 7) + 1;
const onDay = (window: TimeWindow, day: number): boolean =>
  window.days === undefined || window.days.includes(weekday(day));

/** No windows at all: always open. */
export function isOpen(windows: readonly TimeWindow[], zone: string, now: number): boolean {
  if (windows.length === 0) return true;
  const wall = toLocal(zone, now);
  const day = Math.floor(wall / DAY);
  const minute = Math.floor((wall - day * DAY) / MINUTE);
  return windows.some((window) => {
    if (window.to > window.from) return minute >= window.from && minute < window.to && onDay(window, day);
    return (minute >= window.from && onDay(window, day)) || (minute < window.to && onDay(window, day - 1));
  });
}

/** The first instant from `now` on at which one is open, epoch ms; undefined when none ever is. */
export function nextOpen(windows: readonly TimeWindow[], zone: string, now: number): number | undefined {
  if (isOpen(windows, zone, now)) return now;
  const today = Math.floor(toLocal(zone, now) / DAY);
  let best: number | undefined;
  // Nine days: an opening that fell into the skipped hour of the one day in a week is found in the next.
  for (let day = today - 1; day <= today + 9; day++)
    for (const window of windows) {
      if (!onDay(window, day)) continue;
      const at = wallInstants(zone, day * DAY + window.from * MINUTE).first;
      if (at >= now && (best === undefined || at < best) && isOpen(windows, zone, at)) best = at;
    }
  return best;
}

const TIME = /^([01]\d|2[0-4]):([0-5]\d)$/;
const NAMES = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];

/** `22:00-06:00`, `mon-fri 08:00-16:00`, `sat,sun 00:00-24:00`. @throws RangeError with a sentence */
export function parseWindow(text: string): TimeWindow {
  const wrong = (): RangeError =>
    new RangeError(`${JSON.stringify(text.slice(0, 60))} is no time window; write 22:00-06:00 or mon-fri 08:00-16:00`);
  const parts = text.trim().toLowerCase().split(/\s+/);
  const times = (parts.pop() ?? '').split('-').map((time) => {
    const found = TIME.exec(time);
    const minutes = found ? Number(found[1]) * 60 + Number(found[2]) : Number.NaN;
    if (!(minutes <= DAY_MINUTES)) throw wrong();
    return minutes;
  });
  if (times.length !== 2 || parts.length > 1) throw wrong();
  const [from, to] = times as [number, number];
  if (from === DAY_MINUTES) throw wrong();
  if (parts[0] === undefined) return { from, to };
  const days = new Set<number>();
  for (const piece of parts[0].split(',')) {
    const ends = piece.split('-').map((name) => NAMES.indexOf(name));
    if (ends.length > 2 || ends.includes(-1)) throw wrong();
    const first = ends[0] as number;
    const last = ends.at(-1) as number;
    for (let day = first; ; day = (day + 1) % 7) {
      days.add(day + 1);
      if (day === last) break;
    }
  }
  return { days: [...days].sort((a, b) => a - b), from, to };
}

const clock = (minutes: number): string =>
  `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;

export function printWindow(window: TimeWindow): string {
  const days = window.days ? `${window.days.map((day) => NAMES[day - 1]).join(',')} ` : '';
  return `${days}${clock(window.from)}-${clock(window.to)}`;
}
