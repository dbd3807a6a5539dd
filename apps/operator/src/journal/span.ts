/** Times on the command line: ISO 8601, a day, or so long ago: `2h`, `7d`. */
import { UsageError } from '../action.ts';

const UNITS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 7 * 86_400_000 };

/** @returns ISO 8601; undefined for undefined. @throws UsageError */
export function momentOf(text: string | undefined, option: string, now: number): string | undefined {
  if (text === undefined) return undefined;
  const ago = /^(\d{1,6})([mhdw])$/.exec(text);
  if (ago) return new Date(now - Number(ago[1]) * (UNITS[ago[2] as string] as number)).toISOString();
  const at = /^\d{4}-\d\d-\d\d(T.*)?$/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(at))
    throw new UsageError(
      `${option} ${text}: a day (2026-11-20), a time (2026-11-20T06:00:00Z) or so long ago (2h, 7d)`,
    );
  return new Date(at).toISOString();
}

/** @throws UsageError */
export function dayOf(text: string | undefined, option: string, now: number): string | undefined {
  return momentOf(text, option, now)?.slice(0, 10);
}

/** `2026-11-20 06:00:00`, UTC. */
export const timeText = (iso: string): string => `${iso.slice(0, 10)} ${iso.slice(11, 19)}`;

/** `12.3 s`, `5 min`, `3 h 20 min`. */
export function lengthText(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 120_000) return `${(ms / 1000).toFixed(1)} s`;
  const minutes = Math.round(ms / 60_000);
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}
