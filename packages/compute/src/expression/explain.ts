/** What a formula saw at one interval, and what it is made of: for the sentence of a hit and for whoever writes a formula. */
import { words } from '../words.ts';
import type { Grid } from './align.ts';
import { run, type SeriesOf, start, type Value } from './evaluate.ts';
import { partsOf } from './tree.ts';
import type { Expression, Node } from './types.ts';
import { dimensionText, unitText } from './units.ts';

/** Parts that are told in a sentence at most. */
const MAX_TOLD = 8;

export interface Explained {
  /** As the formula writes it. */
  readonly text: string;
  /** In base units; of truths 1 or 0. */
  readonly value: number;
  /** Undefined for truths. */
  readonly unit: string | undefined;
  /** `3.9 kWh`, `true`, `missing`. */
  readonly words: string;
}

const at = (value: Value, i: number): number => ('v' in value ? (value.v[i] as number) : value.one);

function told(node: Node, value: number, source: string): Explained {
  const text = source.slice(node.at, node.end);
  if (!node.dimension)
    return { text, value, unit: undefined, words: Number.isNaN(value) ? 'unknown' : value ? 'true' : 'false' };
  const unit = unitText(node.dimension);
  return { text, value, unit, words: Number.isNaN(value) ? 'missing' : words(value, unit, 0).trim() };
}

/**
 * The values of a formula and its parts at interval `i`: the whole first, then each part once, in the order of the source.
 * @throws MisuseError as `evaluate`
 */
export function explainAt(expression: Expression, grid: Grid, series: SeriesOf, i: number): Explained[] {
  const trace = new Map<Node, Value>();
  run(expression.root, start(grid, series, trace));
  const out = new Map<string, Explained>();
  const walk = (node: Node): void => {
    const value = trace.get(node);
    if (value && node.kind !== 'number' && node.kind !== 'truth') {
      const one = told(node, at(value, i), expression.source);
      if (!out.has(one.text)) out.set(one.text, one);
    }
    for (const part of partsOf(node)) walk(part);
  };
  walk(expression.root);
  return [...out.values()];
}

/** `value = 3.9 kWh, mean(value, 7 days) = 412 Wh`: the amounts that decided, without sums of what is told already. */
export function sentenceAt(explained: readonly Explained[]): string {
  return explained
    .filter((part, i) => i > 0 && part.unit !== undefined)
    .slice(0, MAX_TOLD)
    .map((part) => `${part.text} = ${part.words}`)
    .join(', ');
}

/** One line for every part of the tree, indented by its depth: its text and what it is. */
export function outline(expression: Expression): string[] {
  const lines: string[] = [];
  const walk = (node: Node, depth: number): void => {
    const what = node.dimension ? dimensionText(node.dimension) : 'true or false';
    const each = node.series ? 'at each interval' : 'one for all intervals';
    lines.push(`${'  '.repeat(depth)}${expression.source.slice(node.at, node.end)}: ${what}, ${each}`);
    for (const part of partsOf(node)) walk(part, depth + 1);
  };
  walk(expression.root, 0);
  return lines;
}
