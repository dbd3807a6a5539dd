/**
 * Prices that were recorded one after another, laid over each other: what came later covers what came before, for as long as it
 * holds. Pure; exact (mantissas stay whole).
 */
import { MisuseError } from '@amiable/bytes';
import type { PricePoints, PriceSpan } from './types.ts';

/** Digits that a mean of several prices gets below theirs. */
const FINER = 6;

/** The pieces of time between all edges, with what holds in each; NaN where nothing does. */
export interface Cover {
  /** Rising; piece k goes from edges[k] to edges[k + 1]. */
  readonly edges: Float64Array;
  readonly values: Float64Array;
  readonly scaler: number;
}

const search = (edges: Float64Array, at: number): number => {
  let low = 0;
  let high = edges.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((edges[middle] as number) < at) low = middle + 1;
    else high = middle;
  }
  return low;
};

export function cover(spans: readonly PriceSpan[], more: readonly number[] = []): Cover {
  let scaler = 0;
  for (const s of spans) scaler = Math.min(scaler, s.scaler);
  const edges = Float64Array.from(new Set([...spans.flatMap((s) => [s.from, s.to]), ...more])).sort();
  const values = new Float64Array(Math.max(edges.length - 1, 0)).fill(Number.NaN);
  for (const s of spans) values.fill(scaled(s.mantissa, s.scaler - scaler), search(edges, s.from), search(edges, s.to));
  return { edges, values, scaler };
}

function scaled(mantissa: number, digits: number): number {
  const value = mantissa * 10 ** digits;
  if (!Number.isSafeInteger(value))
    throw new MisuseError('prices with so many digits and prices so high cannot stand in one series');
  return value;
}

/** What holds on a grid: a whole interval at one price has it; several have their mean by time, where none lacks. */
export function onGrid(spans: readonly PriceSpan[], from: number, to: number, step: number): PricePoints {
  const count = Math.max(Math.ceil((to - from) / step), 0);
  const grid = Array.from({ length: count + 1 }, (_, i) => from + i * step);
  const { edges, values, scaler } = cover(spans, grid);
  const out = new Float64Array(count).fill(Number.NaN);
  const mixed: number[] = [];
  for (let i = 0, k = search(edges, from); i < count; i++) {
    const end = grid[i + 1] as number;
    const first = values[k] as number;
    let same = !Number.isNaN(first);
    let whole = same;
    for (; k < edges.length - 1 && (edges[k] as number) < end; k++) {
      if (values[k] !== first) same = false;
      if (Number.isNaN(values[k] as number)) whole = false;
    }
    if (same) out[i] = first;
    else if (whole) mixed.push(i);
  }
  if (mixed.length === 0) return { start: from, step, values: out, scaler };
  for (let i = 0; i < count; i++) if (!Number.isNaN(out[i] as number)) out[i] = scaled(out[i] as number, FINER);
  for (const i of mixed) out[i] = mean(edges, values, grid[i] as number, grid[i + 1] as number);
  return { start: from, step, values: out, scaler: scaler - FINER };
}

/** Mean by time with `FINER` more digits, halves away from zero. */
function mean(edges: Float64Array, values: Float64Array, from: number, to: number): number {
  let sum = 0n;
  for (let k = search(edges, from); (edges[k] as number) < to; k++)
    sum += BigInt(values[k] as number) * BigInt((edges[k + 1] as number) - (edges[k] as number));
  const length = BigInt(to - from);
  const doubled = 2n * sum * 10n ** BigInt(FINER);
  const value = Number((doubled + (doubled < 0n ? -length : length)) / (2n * length));
  if (!Number.isSafeInteger(value)) throw new MisuseError('prices this high have no mean that is exact enough');
  return value;
}

/** Which of the new prices are news, and which of those change what was there. */
export function news(
  known: readonly PriceSpan[],
  fresh: readonly PriceSpan[],
): { readonly add: readonly PriceSpan[]; readonly fresh: number; readonly changed: number } {
  const { edges, values, scaler } = cover(
    known,
    fresh.flatMap((s) => [s.from, s.to]),
  );
  const add: PriceSpan[] = [];
  let changed = 0;
  for (const span of fresh) {
    let some = false;
    let same = true;
    for (let k = search(edges, span.from); (edges[k] as number) < span.to; k++) {
      const there = values[k] as number;
      if (Number.isNaN(there)) same = false;
      else {
        some = true;
        if (!equal(there, scaler, span)) same = false;
      }
    }
    if (same) continue;
    add.push(span);
    if (some) changed++;
  }
  return { add, fresh: add.length - changed, changed };
}

/** Whether two prices are one, whatever their digits. */
function equal(mantissa: number, scaler: number, span: PriceSpan): boolean {
  const digits = span.scaler - scaler;
  return digits >= 0
    ? BigInt(mantissa) === BigInt(span.mantissa) * 10n ** BigInt(digits)
    : BigInt(mantissa) * 10n ** BigInt(-digits) === BigInt(span.mantissa);
}
