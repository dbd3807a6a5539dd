/** Text and numbers as files have them: character sets, cells that are no formulas, exact decimals, XML. */
import { MisuseError } from '@amiable/bytes';
import { decimal, parseDecimal } from '@amiable/model';

const utf8 = new TextEncoder();

/** @throws MisuseError for a character that Latin-1 does not have */
export function encodeText(text: string, encoding: 'utf-8' | 'latin1'): Uint8Array {
  if (encoding === 'utf-8') return utf8.encode(text);
  const out = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 255)
      throw new MisuseError(`Latin-1 has no ${JSON.stringify(text.slice(i, i + 1))}; write the file in UTF-8`);
    out[i] = code;
  }
  return out;
}

const FORMULA = /^'*[=+\-@\t\r]/;
/** A text that a spreadsheet would calculate gets an apostrophe in front; one that has some already gets one more, so that reading undoes it. */
export const defused = (text: string): string => (FORMULA.test(text) ? `'${text}` : text);
export const undefused = (text: string): string =>
  text.charCodeAt(0) === 39 && FORMULA.test(text) ? text.slice(1) : text;

/** Line ends and other control characters would break the form of a line. */
export const flat = (text: string): string => text.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ');

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};
/** What is no character of XML 1.0 becomes U+FFFD. */
const NO_XML = /[\p{Cc}\p{Cs}\ufffe\uffff]/gu;
export const xmlText = (text: string): string =>
  text
    .replace(NO_XML, (c) => (c === '\t' || c === '\n' || c === '\r' ? c : '\ufffd'))
    .replace(/[&<>"']/g, (c) => ENTITIES[c] as string);

/**
 * `mantissa × 10^scaler` with so many decimals, rounded half away from zero; exact where none are said. `mantissa` is a whole number.
 */
export function decimalText(mantissa: number | bigint, scaler: number, decimals?: number): string {
  if (decimals === undefined) return decimal(mantissa === 0 ? 0 : mantissa, scaler);
  const drop = -scaler - decimals;
  if (drop <= 0) {
    const text = decimal(mantissa === 0 ? 0 : mantissa, scaler);
    if (drop === 0) return text;
    const have = Math.max(0, -scaler);
    return `${text}${have === 0 ? '.' : ''}${'0'.repeat(decimals - have)}`;
  }
  const negative = mantissa < 0;
  const whole = negative ? -BigInt(mantissa) : BigInt(mantissa);
  const unit = 10n ** BigInt(drop);
  const rounded = (whole + unit / 2n) / unit;
  return decimal(negative ? -rounded : rounded, -decimals);
}

/** A decimal with a point; undefined for what is none or more than 15 digits. */
export function readDecimal(text: string): { readonly mantissa: number; readonly scaler: number } | undefined {
  const found = parseDecimal(text.startsWith('+') ? text.slice(1) : text);
  if (!found) return undefined;
  let { mantissa, scaler } = found;
  // 1.500000000000000000 is 1.5.
  if (typeof mantissa === 'bigint') {
    while (scaler < 0 && mantissa % 10n === 0n) {
      mantissa /= 10n;
      scaler++;
    }
    const small = Number(mantissa);
    if (!Number.isSafeInteger(small)) return undefined;
    mantissa = small;
  }
  return { mantissa: mantissa === 0 ? 0 : mantissa, scaler };
}

/** Takes `text` in a unit so many powers of ten above the base unit. */
export const scaledBy = (value: { readonly mantissa: number; readonly scaler: number }, power: number) =>
  value.scaler + power > 0
    ? { mantissa: value.mantissa * 10 ** (value.scaler + power), scaler: 0 }
    : { mantissa: value.mantissa, scaler: value.scaler + power };
