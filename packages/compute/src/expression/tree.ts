/** Walks over the tree of a formula, and how long its units of time are. */
import type { CalendarWord, Node } from './types.ts';

/** At their longest: what must be loaded so that all of one is there. Days. */
export const DAYS_OF: Readonly<Record<CalendarWord, number>> = {
  hour: 1 / 24,
  day: 1.1,
  week: 7.1,
  month: 31.1,
  year: 366.1,
};

/** As a fixed length: a window that ends with an interval is of so many ms, whatever the clocks did. */
export const LENGTH: Readonly<Record<CalendarWord, number>> = {
  hour: 3_600_000,
  day: 86_400_000,
  week: 7 * 86_400_000,
  month: 30 * 86_400_000,
  year: 365 * 86_400_000,
};

/** What stands in a node, for walks over the tree. */
export function partsOf(node: Node): readonly Node[] {
  switch (node.kind) {
    case 'unary':
    case 'window':
    case 'previous':
    case 'power':
    case 'energy':
      return [node.of];
    case 'binary':
      return [node.left, node.right];
    case 'if':
      return [node.condition, node.yes, node.no];
    case 'call':
      return node.args;
    default:
      return [];
  }
}

/** How far before the first interval it looks, ms. */
export function lookBackOf(node: Node): number {
  let own = 0;
  if (node.kind === 'window' && node.window.kind === 'trailing') own = node.window.ms;
  else if (node.kind === 'window' && node.window.kind === 'calendar') own = DAYS_OF[node.window.unit] * 86_400_000;
  else if (node.kind === 'previous')
    // The interval before: no step is longer than a day.
    own =
      node.by === 'interval'
        ? 86_400_000
        : 'ms' in node.by
          ? node.by.ms
          : node.by.count * DAYS_OF[node.by.unit] * 86_400_000;
  let inner = 0;
  for (const part of partsOf(node)) inner = Math.max(inner, lookBackOf(part));
  return Math.ceil(own + inner);
}
