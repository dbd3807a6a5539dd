/** Floats of meters as exact decimals: the shortest decimal that reads back as the same float is what the meter meant. */

export interface Exact {
  readonly mantissa: number | bigint;
  readonly scaler: number;
}

/** Undefined for what is no number, for what takes more than 64 bits, and below 10^-15, where no register lives. */
export function exactDecimal(value: number, single: boolean): Exact | undefined {
  if (!Number.isFinite(value)) return undefined;
  if (value === 0) return { mantissa: 0, scaler: 0 };
  let text = value.toExponential();
  if (single)
    for (let digits = 0; digits < 9; digits++) {
      const shorter = value.toExponential(digits);
      if (Math.fround(Number(shorter)) === value) {
        text = shorter;
        break;
      }
    }
  const [head = '0', exponent = '0'] = text.split('e');
  const fraction = head.split('.')[1] ?? '';
  const scaler = Number(exponent) - fraction.length;
  if (Number(exponent) < -15 || Number(exponent) > 18) return undefined;
  const mantissa = BigInt(head.replace('.', ''));
  // Whole numbers carry no positive scaler: 1000 is not 1 with three noughts.
  const whole = scaler > 0 ? mantissa * 10n ** BigInt(scaler) : mantissa;
  if (BigInt.asIntN(64, whole) !== whole) return undefined;
  const small = Number(whole);
  return { mantissa: Number.isSafeInteger(small) ? small : whole, scaler: Math.min(scaler, 0) };
}
