/** Numbers, amounts and times as words in the sentences of findings and explanations. */
import { toLocal } from '@amiable/calendar';

const KILO: ReadonlySet<string> = new Set(['Wh', 'varh', 'VAh', 'W', 'var', 'VA', 'J']);

/** Four significant digits at least, none lost before the point. */
export function number(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const places = Math.abs(value) >= 1000 ? 0 : Math.max(0, 3 - Math.floor(Math.log10(Math.abs(value) || 1)));
  return grouped(Number(value.toFixed(Math.min(places, 6))).toString());
}

function grouped(text: string): string {
  const [whole = '', fraction] = text.split('.');
  return whole.replace(/\B(?=(\d{3})+(?!\d))/g, ',') + (fraction ? `.${fraction}` : '');
}

/** A mantissa as an amount: `3.9 kWh`, `12 Wh`. */
export function words(mantissa: number, unit: string, scaler: number): string {
  const value = mantissa * 10 ** scaler;
  if (KILO.has(unit) && Math.abs(value) >= 1000) return `${number(value / 1000)} k${unit}`;
  return `${number(value)} ${unit}`;
}

const two = (n: number) => String(n).padStart(2, '0');

/** Local time for a sentence: `2026-03-01 14:15`. */
export function clock(zone: string, time: number): string {
  const wall = new Date(toLocal(zone, time));
  return `${wall.getUTCFullYear()}-${two(wall.getUTCMonth() + 1)}-${two(wall.getUTCDate())} ${two(wall.getUTCHours())}:${two(wall.getUTCMinutes())}`;
}

/** `2 h 30 min`, `3 days`. */
export function duration(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  if (minutes < 1) return `${Math.round(ms / 1000)} s`;
  if (minutes < 120) return `${minutes} min`;
  if (minutes < 2 * 1440)
    return minutes % 60 ? `${Math.floor(minutes / 60)} h ${minutes % 60} min` : `${minutes / 60} h`;
  return `${number(Math.round((minutes / 1440) * 10) / 10)} days`;
}
