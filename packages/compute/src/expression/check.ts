/** Nodes of a formula with their dimension checked as they are made; what does not fit is refused at its place. */
import { ExpressionError } from './lex.ts';
import type { BinaryOperator, Dimension, Node } from './types.ts';
import { BARE, BASES, dimensionText, isBare, same, times } from './units.ts';

const HOURS: Dimension = BASES.map((base) => (base === 'h' ? 1 : 0));

const literalZero = (node: Node): boolean =>
  node.kind === 'number' && node.value === 0 && isBare(node.dimension ?? BARE);

/** The amounts' dimension. @throws ExpressionError for a truth value */
export function amountOf(node: Node, what: string): Dimension {
  if (node.dimension === undefined)
    throw new ExpressionError(
      `${what} needs an amount, and this says whether something is true; use if(…, …, …)`,
      node.at,
    );
  return node.dimension;
}

export function truthOf(node: Node, what: string): void {
  if (node.dimension !== undefined)
    throw new ExpressionError(
      `${what} needs something that is true or false, such as "value > 0"; this is ${dimensionText(node.dimension)}`,
      node.at,
    );
}

/** The dimension that all of them have; a bare 0 has any. @throws ExpressionError at the one that differs */
export function alike(nodes: readonly Node[], what: string): Dimension {
  let first: Node | undefined;
  for (const node of nodes) {
    const d = amountOf(node, what);
    if (literalZero(node)) continue;
    if (!first) first = node;
    else if (!same(first.dimension as Dimension, d))
      throw new ExpressionError(
        `${what} needs the same unit on all sides: ${dimensionText(first.dimension as Dimension)} there, ${dimensionText(d)} here`,
        node.at,
      );
  }
  return first?.dimension ?? BARE;
}

export function needsSeries(node: Node, what: string): void {
  if (!node.series) throw new ExpressionError(`${what} needs a series; this is one number for all intervals`, node.at);
}

export function binary(operator: BinaryOperator, left: Node, right: Node, sign: number): Node {
  const place = { at: left.at, end: right.end, series: left.series || right.series };
  const what = `"${operator}"`;
  switch (operator) {
    case 'and':
    case 'or':
      truthOf(left, what);
      truthOf(right, what);
      return { kind: 'binary', operator, left, right, ...place, dimension: undefined };
    case '+':
    case '-':
      return { kind: 'binary', operator, left, right, ...place, dimension: alike([left, right], what) };
    case '*':
    case '/': {
      const a = amountOf(left, what);
      const b = amountOf(right, what);
      if (operator === '/' && right.kind === 'number' && right.value === 0)
        throw new ExpressionError('division by zero', sign);
      const dimension = times(a, b, operator === '*' ? 1 : -1);
      if (dimension.some((power) => Math.abs(power) > 4))
        throw new ExpressionError('this has a unit to a power above 4, which nothing measures', sign);
      return { kind: 'binary', operator, left, right, ...place, dimension };
    }
    default:
      alike([left, right], what);
      return { kind: 'binary', operator, left, right, ...place, dimension: undefined };
  }
}

/** Energy ⇄ mean power of the interval. */
export function perTime(kind: 'power' | 'energy', of: Node, at: number, end: number): Node {
  const dimension = times(amountOf(of, kind), HOURS, kind === 'power' ? -1 : 1);
  return { kind, of, at, end, series: of.series, dimension };
}

export function root(of: Node, at: number, end: number): Node {
  const d = amountOf(of, 'sqrt');
  if (d.some((power) => power % 2 !== 0))
    throw new ExpressionError(`sqrt of ${dimensionText(d)} has no unit; take the root of a square`, of.at);
  return { kind: 'call', name: 'sqrt', args: [of], at, end, series: of.series, dimension: d.map((power) => power / 2) };
}

/** √(P² + Q²): active and reactive make apparent, energy or power. */
export function apparent(p: Node, q: Node, at: number, end: number): Node {
  const dp = amountOf(p, 'apparent');
  const dq = amountOf(q, 'apparent');
  const [wh, varh, vah] = ['Wh', 'varh', 'VAh'].map((base) => BASES.indexOf(base as (typeof BASES)[number])) as [
    number,
    number,
    number,
  ];
  const swapped = (d: Dimension, base: number): Dimension =>
    d.map((v, i) => (i === vah ? d[base]! : i === base ? 0 : v));
  if (dp[wh] !== 1 || dq[varh] !== 1 || !same(swapped(dp, wh), swapped(dq, varh)))
    throw new ExpressionError('apparent(active, reactive) needs Wh and varh, or W and var, in this order', at);
  return {
    kind: 'call',
    name: 'apparent',
    args: [p, q],
    at,
    end,
    series: p.series || q.series,
    dimension: swapped(dp, wh),
  };
}
