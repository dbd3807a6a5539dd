/** Exact sums of what bills print: decimals and fractions as text. */
export type Pair = readonly [bigint, bigint];

export function pair(text: string): Pair {
  const [top = '0', bottom] = text.split('/');
  if (bottom !== undefined) return [BigInt(top), BigInt(bottom)];
  const point = text.indexOf('.');
  return point < 0 ? [BigInt(text), 1n] : [BigInt(text.replace('.', '')), 10n ** BigInt(text.length - point - 1)];
}

export function lowest([n, d]: Pair): Pair {
  let a = n < 0n ? -n : n;
  let b = d;
  while (b) [a, b] = [b, a % b];
  return a === 0n ? [0n, 1n] : [n / a, d / a];
}

export const sum = (pairs: Iterable<Pair>): Pair => {
  let total: Pair = [0n, 1n];
  for (const [n, d] of pairs) total = lowest([total[0] * d + n * total[1], total[1] * d]);
  return total;
};

export const show = (value: Pair): string => lowest(value).join('/');
