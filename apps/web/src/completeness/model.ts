/**
 * What a cell of the heat map says. Decides the classes: everything there, and six steps of lacking that grow wider, for the last per
 * cent matters more than the first. Days are local days as text, `2026-11-20`.
 */
import type { Cell, Level, Row } from './api.ts';
import { LEVELS } from './api.ts';

/** By name in style sheet and legend; `none`: nothing was due, `unknown`: not counted yet. */
export const CLASSES = ['full', 'p99', 'p95', 'p80', 'p50', 'p1', 'p0'] as const;
export type CellClass = (typeof CLASSES)[number] | 'none' | 'unknown';

export function classOf(cell: Cell | null | undefined): CellClass {
  if (!cell) return 'unknown';
  if (cell.expected === 0) return 'none';
  if (cell.present >= cell.expected) return 'full';
  const share = cell.present / cell.expected;
  if (share >= 0.99) return 'p99';
  if (share >= 0.95) return 'p95';
  if (share >= 0.8) return 'p80';
  if (share >= 0.5) return 'p50';
  return cell.present > 0 ? 'p1' : 'p0';
}

/** Per cent that never says 100 where something lacks, nor 0 where something is there. */
export function percent(cell: Cell, digits: 0 | 1 = 0): number {
  if (cell.expected === 0 || cell.present >= cell.expected) return 100;
  const scale = 10 ** digits;
  const least = cell.present > 0 ? 1 / scale : 0;
  return Math.max(least, Math.floor((cell.present / cell.expected) * 100 * scale) / scale);
}

/** One level further down. */
export function below(kind: Row['kind']): Level {
  if (kind === 'all') return 'region';
  return LEVELS[Math.min(LEVELS.indexOf(kind) + 1, LEVELS.length - 1)] as Level;
}

const DAY = 86_400_000;

export function addDays(day: string, n: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + n * DAY).toISOString().slice(0, 10);
}

export function daysBetween(from: string, to: string): number {
  return Math.round((Date.parse(`${to}T00:00:00Z`) - Date.parse(`${from}T00:00:00Z`)) / DAY);
}

/** The local day of an instant. */
export function dayOf(at: number, zone: string): string {
  return new Intl.DateTimeFormat('en-CA', { timeZone: zone, year: 'numeric', month: '2-digit', day: '2-digit' }).format(
    at,
  );
}

export function isDay(text: string | null): text is string {
  return text !== null && /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(`${text}T00:00:00Z`));
}

/** Noon of a day, to be written in any language; the day has no zone of its own any more. */
export function noonOf(day: string): number {
  return Date.parse(`${day}T12:00:00Z`);
}
