/**
 * Exact numbers for money: fractions of big integers, so that a third of a month or the mean of three peaks is no rounded value.
 *
 * Decides: the arithmetic, and the four ways of rounding. Numbers are rounded where a tariff says so and nowhere else.
 */
import { decimal, type RoundingMode } from '@amiable/model';

/** n / d with d > 0; not always in lowest terms. */
export interface Fraction {
  readonly n: bigint;
  readonly d: bigint;
}

export const ZERO: Fraction = { n: 0n, d: 1n };
export const ONE: Fraction = { n: 1n, d: 1n };

const TENS: readonly bigint[] = Array.from({ length: 64 }, (_, i) => 10n ** BigInt(i));
export const ten = (exponent: number): bigint => TENS[exponent] ?? 10n ** BigInt(exponent);

export const whole = (n: number | bigint): Fraction => ({ n: BigInt(n), d: 1n });
export const ratio = (n: number | bigint, d: number | bigint): Fraction => ({ n: BigInt(n), d: BigInt(d) });

/** mantissa × 10^scaler. */
export function scaled(mantissa: number | bigint, scaler: number): Fraction {
  return scaler >= 0 ? { n: BigInt(mantissa) * ten(scaler), d: 1n } : { n: BigInt(mantissa), d: ten(-scaler) };
}

/** A decimal as written, such as `-0.25`. */
export function parse(text: string): Fraction {
  const point = text.indexOf('.');
  if (point < 0) return { n: BigInt(text), d: 1n };
  return { n: BigInt(text.slice(0, point) + text.slice(point + 1)), d: ten(text.length - point - 1) };
}

export function plus(a: Fraction, b: Fraction): Fraction {
  if (a.n === 0n) return b;
  if (b.n === 0n) return a;
  if (a.d === b.d) return { n: a.n + b.n, d: a.d };
  return lowest({ n: a.n * b.d + b.n * a.d, d: a.d * b.d });
}
export const minus = (a: Fraction, b: Fraction): Fraction => plus(a, negated(b));
export const negated = (a: Fraction): Fraction => ({ n: -a.n, d: a.d });
export const times = (a: Fraction, b: Fraction): Fraction => ({ n: a.n * b.n, d: a.d * b.d });
/** b is not zero. */
export const over = (a: Fraction, b: Fraction): Fraction =>
  b.n < 0n ? { n: -a.n * b.d, d: a.d * -b.n } : { n: a.n * b.d, d: a.d * b.n };
/** Below zero, zero, above. */
export function compare(a: Fraction, b: Fraction): number {
  const x = a.n * b.d;
  const y = b.n * a.d;
  return x < y ? -1 : x > y ? 1 : 0;
}
export const larger = (a: Fraction, b: Fraction): Fraction => (compare(a, b) >= 0 ? a : b);
export const smaller = (a: Fraction, b: Fraction): Fraction => (compare(a, b) <= 0 ? a : b);

function gcd(a: bigint, b: bigint): bigint {
  while (b !== 0n) [a, b] = [b, a % b];
  return a;
}

export function lowest({ n, d }: Fraction): Fraction {
  const g = gcd(n < 0n ? -n : n, d);
  return g > 1n ? { n: n / g, d: d / g } : { n, d };
}

/** The mantissa with so many decimals. */
export function rounded({ n, d }: Fraction, decimals: number, mode: RoundingMode): bigint {
  const negative = n < 0n;
  const scaledUp = (negative ? -n : n) * ten(decimals);
  let quotient = scaledUp / d;
  const rest = scaledUp % d;
  if (rest !== 0n) {
    const half = rest * 2n;
    const up =
      mode === 'up' || (mode !== 'down' && (half > d || (half === d && (mode === 'half-up' || quotient % 2n === 1n))));
    if (up) quotient += 1n;
  }
  return negative ? -quotient : quotient;
}

export const roundTo = (a: Fraction, decimals: number, mode: RoundingMode): Fraction => ({
  n: rounded(a, decimals, mode),
  d: ten(decimals),
});

/** Exponents of the powers of ten that a double holds exactly. */
const EXPONENTS: ReadonlyMap<number, number> = new Map(Array.from({ length: 16 }, (_, i) => [10 ** i, i]));

/** Exact where at most `most` decimals tell it, else rounded to them. Zeros at the end are left out beyond `least` decimals. */
export function print(a: Fraction, most = 9, least = 0): string {
  if (a.n === 0n && least === 0) return '0';
  // Energy and prices are decimals already, and nearly always short.
  const places = EXPONENTS.get(Number(a.d));
  const short = Number(a.n);
  const ready = places !== undefined && places <= most && Number.isSafeInteger(short);
  const decimals = ready ? places : most;
  let text = ready ? decimal(short, -places) : decimal(rounded(a, most, 'half-up'), -most);
  if (decimals < least) text += `${decimals === 0 ? '.' : ''}${'0'.repeat(least - decimals)}`;
  if (decimals === 0 && least === 0) return text;
  let end = text.length;
  const shortest = end - Math.max(decimals, least) + least;
  while (end > shortest && text.charCodeAt(end - 1) === 48) end--;
  if (text.charCodeAt(end - 1) === 46) end--;
  const out = text.slice(0, end);
  return out === '-0' ? '0' : out;
}

/** Exact, whatever it takes: a decimal, or a fraction `10/3`. */
export function exactly(a: Fraction): string {
  const { n, d } = lowest(a);
  let left = d;
  let twos = 0;
  let fives = 0;
  for (; left % 2n === 0n; twos++) left /= 2n;
  for (; left % 5n === 0n; fives++) left /= 5n;
  if (left !== 1n) return `${n}/${d}`;
  const places = Math.max(twos, fives);
  return decimal((n * ten(places)) / d, -places);
}
