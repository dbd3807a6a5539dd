/** Which stretch of time a house is looked at in: addresses, titles, steps. */
import { type Period, type PeriodUnit, parsePeriod, startOf, toLocal } from '@amiable/calendar';
import type { Energy } from '@amiable/model';
import type { Format } from '../format.ts';

export const UNITS = ['day', 'week', 'month', 'year'] as const satisfies readonly PeriodUnit[];
export const TODAY: Period = { unit: 'day', offset: 0 };

/** Bars of a period: hours of a day, days of a week or month, months of a year. */
export const BUCKET: Record<PeriodUnit, Energy['bucket']> = { day: 'hour', week: 'day', month: 'day', year: 'month' };

export type View =
  | { readonly kind: 'overview'; readonly period: Period }
  | { readonly kind: 'messages'; readonly message: string | undefined }
  | { readonly kind: 'settings' }
  | { readonly kind: 'unknown' };

/** What stands behind `/meter/3/`, and `?view=week,-2`, which wall displays use. */
export function viewOf(rest: string, asked: string | null): View {
  const parts = rest.split('/').filter((part) => part !== '');
  const [head, tail] = parts;
  if (head === undefined) return { kind: 'overview', period: (asked && parsePeriod(asked)) || TODAY };
  if (head === 'settings' && parts.length === 1) return { kind: 'settings' };
  if (head === 'messages' && parts.length <= 2) return { kind: 'messages', message: tail };
  const period = parts.length <= 2 ? parsePeriod(safeDecode(parts.join(' '))) : undefined;
  return period ? { kind: 'overview', period } : { kind: 'unknown' };
}

function safeDecode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export function addressOf(meter: string, period: Period): string {
  if (period.unit === 'day' && period.offset === 0) return `/meter/${meter}`;
  return `/meter/${meter}/${period.unit}/${period.offset}`;
}

/** How many whole units lie from the one that holds `now` to the one that holds `at`. */
export function offsetOf(unit: PeriodUnit, zone: string, at: number, now: number): number {
  const a = new Date(toLocal(zone, startOf(unit, zone, at)));
  const b = new Date(toLocal(zone, startOf(unit, zone, now)));
  const years = a.getUTCFullYear() - b.getUTCFullYear();
  if (unit === 'year') return years;
  if (unit === 'month') return years * 12 + a.getUTCMonth() - b.getUTCMonth();
  const days = Math.round((a.getTime() - b.getTime()) / 86_400_000);
  return unit === 'day' ? days : Math.round(days / 7);
}

/** ISO 8601: the week that holds its Thursday. */
export function weekNumber(zone: string, at: number): number {
  const wall = toLocal(zone, at);
  const day = Math.floor(wall / 86_400_000);
  const thursday = day - ((new Date(day * 86_400_000).getUTCDay() + 6) % 7) + 3;
  const first = Date.UTC(new Date(thursday * 86_400_000).getUTCFullYear(), 0, 1) / 86_400_000;
  return Math.floor((thursday - first) / 7) + 1;
}

export function titleOf(
  format: Format,
  week: string,
  unit: PeriodUnit,
  zone: string,
  from: number,
  to: number,
): string {
  if (unit === 'day') return format.date(from, zone);
  if (unit === 'month') return format.month(from, zone);
  if (unit === 'year') return format.year(from, zone);
  return `${week} ${weekNumber(zone, from)} · ${format.day(from, zone)} – ${format.day(to - 1, zone)}`;
}

/** The length of a period between points, in words. */
export function stepText(
  t: (key: 'seconds' | 'minutes' | 'hours' | 'days', parameters: { n: number }) => string,
  seconds: number,
): string {
  if (seconds < 60) return t('seconds', { n: seconds });
  if (seconds < 3600) return t('minutes', { n: Math.round(seconds / 60) });
  if (seconds < 86_400) return t('hours', { n: Math.round(seconds / 3600) });
  return t('days', { n: Math.round(seconds / 86_400) });
}
