/** Numbers and times in the sentences that explain estimates: exact decimals and local times with their offset told apart. */
import { toLocal, zoneOffset } from '@amiable/calendar';

/** mantissa × 10^scaler as a decimal, without binary rounding. */
export function exact(mantissa: number, scaler: number): string {
  if (!Number.isFinite(mantissa)) return 'nothing';
  const whole = Math.round(mantissa);
  if (scaler >= 0) return whole === 0 ? '0' : `${whole}${'0'.repeat(scaler)}`;
  const digits = String(Math.abs(whole)).padStart(1 - scaler, '0');
  const fraction = digits.slice(scaler).replace(/0+$/, '');
  return `${whole < 0 ? '-' : ''}${digits.slice(0, scaler)}${fraction ? `.${fraction}` : ''}`;
}

/** `2026-01-05 10:15`; in the hour that is repeated in autumn with the offset. */
export function localTime(time: number, zone: string): string {
  const text = new Date(toLocal(zone, time)).toISOString().slice(0, 16).replace('T', ' ');
  const offset = zoneOffset(zone, time);
  const twice = zoneOffset(zone, time + 3_600_000) < offset || zoneOffset(zone, time - 3_600_000) > offset;
  if (!twice) return text;
  const minutes = Math.abs(offset) / 60_000;
  const two = (n: number): string => String(Math.floor(n)).padStart(2, '0');
  return `${text} ${offset < 0 ? '-' : '+'}${two(minutes / 60)}:${two(minutes % 60)}`;
}

export const localDate = (time: number, zone: string): string =>
  new Date(toLocal(zone, time)).toISOString().slice(0, 10);

/** At most five, and how many more. */
export function some(items: readonly string[]): string {
  if (items.length <= 5) return items.join(', ');
  return `${items.slice(0, 5).join(', ')} and ${items.length - 5} more`;
}
