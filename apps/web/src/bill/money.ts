/** Amounts as decimal text: shown in the page's language and added, never as binary fractions. */

const FORM = /^(-?)(\d+)(?:\.(\d+))?$/;

/** `1234.5`, NOK → `NOK 1,234.50`, as the language writes it; without a currency the decimals stay as they are. */
export function money(text: string, currency: string | null, language: string): string {
  const found = FORM.exec(text);
  if (!found) return text;
  const decimals = found[3]?.length ?? 0;
  // The formatter takes decimal text as it is; TypeScript knows numbers only.
  const exact = text as unknown as number;
  if (currency === null)
    return new Intl.NumberFormat(language, { minimumFractionDigits: decimals, maximumFractionDigits: decimals }).format(
      exact,
    );
  try {
    return new Intl.NumberFormat(language, { style: 'currency', currency }).format(exact);
  } catch {
    return `${text} ${currency}`;
  }
}

/** Sums by currency. */
export function addAmounts(amounts: readonly (readonly [string | null, string | null])[]): [string, string][] {
  const sums = new Map<string, { mantissa: bigint; scale: number }>();
  for (const [text, currency] of amounts) {
    const found = text === null || currency === null ? null : FORM.exec(text);
    if (!found || currency === null) continue;
    const [, sign = '', whole = '0', fraction = ''] = found;
    const known = sums.get(currency) ?? { mantissa: 0n, scale: 0 };
    const scale = Math.max(known.scale, fraction.length);
    const mantissa =
      known.mantissa * 10n ** BigInt(scale - known.scale) +
      BigInt(`${sign}${whole}${fraction}`) * 10n ** BigInt(scale - fraction.length);
    sums.set(currency, { mantissa, scale });
  }
  return [...sums].map(([currency, { mantissa, scale }]) => {
    const digits = (mantissa < 0n ? -mantissa : mantissa).toString().padStart(scale + 1, '0');
    const text = scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
    return [mantissa < 0n ? `-${text}` : text, currency];
  });
}
