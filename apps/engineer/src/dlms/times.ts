/**
 * Times as people write them (`2026-11-01`, `2026-11-01 00:15`, `now`, `today`, `-2d`), and as meters take and show them.
 *
 * Decides: a time without offset is local, in the zone of --tz or of this machine; times of the meter are shown as its clock has
 * them, with its offset, or in the zone that the user named.
 */
import { add, localToUtc, startOf, zoneOffset } from '@amiable/calendar';
import { CLOCK, type DlmsDateTime, dateTimeOf } from '@amiable/dlms';
import { UsageError } from './usage.ts';

const UNITS: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};
const FORMS = 'Write 2026-11-01, 2026-11-01 00:15, 2026-11-01T00:15+01:00, now, today, yesterday, or -2d.';

/** `2d`, `12h`, `30min`. @throws UsageError */
export function parseSpan(text: string): number {
  const found = /^(\d{1,6}(?:\.\d+)?)\s*(s|min|m|h|d|w)$/.exec(text.trim());
  const ms = found ? Number(found[1]) * (UNITS[found[2] as string] as number) : 0;
  if (!(ms > 0)) throw new UsageError(`${JSON.stringify(text)} is no span of time. Write 2d, 12h, 30min or 1w.`);
  return ms;
}

/** Epoch ms. @throws UsageError */
export function parseMoment(text: string, zone: string, now: number): number {
  const word = text.trim().toLowerCase();
  if (word === 'now') return now;
  if (word === 'today') return startOf('day', zone, now);
  if (word === 'yesterday') return add('day', zone, now, -1);
  if (/^-\d/.test(word)) return now - parseSpan(word.slice(1));
  const found = /^(\d{4})-(\d{2})-(\d{2})(?:[ t](\d{2}):(\d{2})(?::(\d{2}))?\s*(z|[+-]\d{2}:?\d{2})?)?$/.exec(word);
  if (!found) throw new UsageError(`${JSON.stringify(text)} is no time. ${FORMS}`);
  const [year, month, day, hour, minute, second] = found.slice(1, 7).map((part) => Number(part ?? 0)) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const wall = Date.UTC(year, month - 1, day, hour, minute, second);
  const back = new Date(wall);
  if (back.getUTCMonth() !== month - 1 || back.getUTCDate() !== day || hour > 23 || minute > 59 || second > 59)
    throw new UsageError(`${JSON.stringify(text)} is no day of the calendar, or no time of day. ${FORMS}`);
  const offset = found[7];
  if (offset === undefined) return localToUtc(zone, wall);
  if (offset === 'z') return wall;
  const digits = offset.slice(1).replace(':', '');
  const minutes = Number(digits.slice(0, 2)) * 60 + Number(digits.slice(2));
  return wall - (offset[0] === '+' ? minutes : -minutes) * 60_000;
}

/** An instant as a meter's clock in this zone would give it. */
export function meterTime(utc: number, zone: string): DlmsDateTime {
  const offset = zoneOffset(zone, utc);
  // Summer is where the clock is ahead of where it is half a year away.
  const other = Math.min(zoneOffset(zone, utc - 15_778_800_000), zoneOffset(zone, utc + 15_778_800_000));
  return dateTimeOf(utc + offset, {
    deviation: -offset / 60_000 + 0,
    status: offset > other ? CLOCK.daylightSaving : 0,
  });
}

const two = (n: number): string => String(n).padStart(2, '0');

export function offsetText(minutes: number): string {
  const ahead = Math.abs(minutes);
  return `${minutes < 0 ? '-' : '+'}${two(Math.floor(ahead / 60))}:${two(ahead % 60)}`;
}

/** `2026-11-01 00:15:00+01:00`; with `T` for programs. */
export function wallText(wall: number, offsetMinutes: number | undefined, separator: ' ' | 'T' = ' '): string {
  const text = new Date(wall).toISOString();
  const seconds = text.slice(11, 19);
  return `${text.slice(0, 10)}${separator}${seconds}${offsetMinutes === undefined ? '' : offsetText(offsetMinutes)}`;
}
