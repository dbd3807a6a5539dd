/** Exact decimals: a mantissa and a power of ten, printed and read without passing through a binary fraction. */

/** Prints `mantissa × 10^scaler`; the decimals printed are the scaler: (2300, -1) is `230.0`. */
export function decimal(mantissa: number | bigint, scaler: number): string {
  if (scaler === 0) return mantissa.toString();
  const negative = mantissa < 0;
  const digits = (negative ? -mantissa : mantissa).toString();
  const sign = negative ? '-' : '';
  if (scaler > 0) return digits === '0' ? '0' : sign + digits + '0'.repeat(scaler);
  const places = -scaler;
  const padded = digits.padStart(places + 1, '0');
  return `${sign}${padded.slice(0, -places)}.${padded.slice(-places)}`;
}

export interface Decimal {
  readonly mantissa: number | bigint;
  /** Zero or negative. */
  readonly scaler: number;
}

const FORM = /^(-?)(\d{1,40})(?:\.(\d{1,30}))?(?:[eE]([+-]?\d{1,2}))?$/;

/** Reads a decimal as written in JSON; undefined when it is none or needs more than 63 bits. */
export function parseDecimal(text: string): Decimal | undefined {
  const found = FORM.exec(text);
  if (!found) return undefined;
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = found;
  let mantissa = BigInt(sign + whole + fraction);
  let scaler = Number(exponent) - fraction.length;
  if (scaler > 0) {
    mantissa *= 10n ** BigInt(scaler);
    scaler = 0;
  }
  if (BigInt.asIntN(64, mantissa) !== mantissa) return undefined;
  const small = Number(mantissa);
  return { mantissa: Number.isSafeInteger(small) ? small : mantissa, scaler };
}

/** The value as a number, for curves and gauges; the nearest one where it is not exact. */
export function toNumber(mantissa: number | bigint, scaler: number): number {
  return scaler >= 0 ? Number(mantissa) * 10 ** scaler : Number(mantissa) / 10 ** -scaler;
}
