/** Times and amounts of the log in words. */
import type { Format } from '../format.ts';
import type { Entry, Progress } from './api.ts';

/** How long it took; empty while it runs and for what takes no time. */
export function durationText(format: Format, entry: Pick<Entry, 'started' | 'ended'>): string {
  if (entry.ended === null) return '';
  const ms = Date.parse(entry.ended) - Date.parse(entry.started);
  if (!(ms > 0)) return '';
  if (ms < 1000) return `${format.number(ms, 0)} ms`;
  if (ms < 60_000) return `${format.number(ms / 1000, 1)} s`;
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 60) return `${minutes} min ${Math.round((ms % 60_000) / 1000)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export interface Tally {
  readonly done: number;
  readonly partial: number;
  readonly failed: number;
  readonly running: number;
  readonly ended: number;
  /** How many there will be, as the entry tells; else as many as have begun. */
  readonly total: number;
}

export function tallyOf(progress: Progress, detail: unknown): Tally {
  const { done = 0, partial = 0, failed = 0, cancelled = 0, running = 0 } = progress;
  const told =
    typeof detail === 'object' && detail !== null && 'total' in detail && typeof detail.total === 'number'
      ? detail.total
      : 0;
  const ended = done + partial + failed + cancelled;
  return { done, partial, failed: failed + cancelled, running, ended, total: Math.max(told, ended + running) };
}
