/**
 * Which stretches are asked for: near gaps become one request, long ones several.
 *
 * Decides: a gap that would cost less as rows than as a request of its own is read through.
 */
import type { Span } from './types.ts';

/** Rows between two gaps that are read along rather than skipped. */
const NEAR = 24;
/** Rows in one request at most. */
const MOST = 2000;

/** @param period seconds from row to row; 0: not known, months */
export function requestSpans(ranges: readonly Span[], period: number): Span[] {
  const step = (period > 0 ? period : 31 * 86_400) * 1000;
  const merged: { from: number; to: number }[] = [];
  for (const { from, to } of [...ranges].sort((a, b) => a.from - b.from)) {
    if (!(to > from)) continue;
    const last = merged.at(-1);
    if (last && from - last.to <= NEAR * step) last.to = Math.max(last.to, to);
    else merged.push({ from, to });
  }
  const out: Span[] = [];
  for (const { from, to } of merged)
    for (let at = from; at < to; at += MOST * step) out.push({ from: at, to: Math.min(to, at + MOST * step) });
  return out;
}
