/**
 * Prices as they are written: `42.10`, `-0,5`, `1 234,56`, and what they are for: `EUR/MWh`, `öre/kWh`. Exact: no digit passes
 * through a binary fraction, and a unit changes the power of ten alone.
 */
import { DecodeError } from '@amiable/bytes';

export interface Amount {
  readonly mantissa: number;
  readonly scaler: number;
}

/** Digits behind the point that are kept; a service that prints a binary fraction gives more than anybody priced. */
const PLACES = 9;
const FORM = /^([+-]?)(\d{0,15})(?:\.(\d{0,40}))?(?:[eE]([+-]?\d{1,2}))?$/;

/** @returns undefined for what is no number or too large a one. Halves are rounded away from zero. */
export function amountOf(text: string, decimal: '.' | ',' = '.'): Amount | undefined {
  let plain = text
    .trim()
    .replace(/[\s\u00a0\u202f']/g, '')
    .replace('\u2212', '-');
  if (decimal === ',') {
    // Dots can only separate thousands then.
    if (/\.(?!\d{3}(\D|$))/.test(plain)) return undefined;
    plain = plain.replaceAll('.', '').replace(',', '.');
  }
  const found = FORM.exec(plain);
  if (!found) return undefined;
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = found;
  if (whole === '' && fraction === '') return undefined;
  let digits = BigInt(`${whole}${fraction}` || '0');
  let scaler = Number(exponent) - fraction.length;
  if (scaler > 0) {
    digits *= 10n ** BigInt(scaler);
    scaler = 0;
  }
  if (scaler < -PLACES) {
    const cut = 10n ** BigInt(-PLACES - scaler);
    digits = (digits + cut / 2n) / cut;
    scaler = -PLACES;
  }
  while (scaler < 0 && digits % 10n === 0n) {
    digits /= 10n;
    scaler++;
  }
  const mantissa = Number(sign === '-' ? -digits : digits);
  if (!Number.isSafeInteger(mantissa)) return undefined;
  return { mantissa: mantissa === 0 ? 0 : mantissa, scaler };
}

/** JSON numbers and numbers in strings. */
export function amountOfJson(value: unknown, decimal: '.' | ',' = '.'): Amount | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? amountOf(String(value)) : undefined;
  return typeof value === 'string' ? amountOf(value, decimal) : undefined;
}

export interface PriceUnit {
  readonly currency: string | undefined;
  readonly unit: string | undefined;
  /** By how many powers of ten the number is to be moved for the main unit of the currency: öre and cent -2. */
  readonly shift: number;
}

/** Hundredths of a currency, as they are written; a word that several currencies share says only that it is a hundredth. */
const MINOR: Readonly<Record<string, string | undefined>> = {
  öre: undefined,
  øre: undefined,
  ore: undefined,
  ct: 'EUR',
  cent: 'EUR',
  cents: 'EUR',
  c: 'EUR',
  snt: 'EUR',
  p: 'GBP',
  pence: 'GBP',
  gr: 'PLN',
  rp: 'CHF',
};
const SIGNS: Readonly<Record<string, string>> = { '€': 'EUR', '£': 'GBP', $: 'USD' };
const UNITS: Readonly<Record<string, string>> = {
  wh: 'Wh',
  kwh: 'kWh',
  mwh: 'MWh',
  gwh: 'GWh',
  m3: 'm3',
  'm³': 'm3',
  day: 'day',
  kw: 'kW',
};

/** `EUR/MWh`, `EUR / MWh`, `NOK_per_kWh`, `MWH`, `EUR`, `öre/kWh`. */
export function priceUnitOf(text: string): PriceUnit {
  let currency: string | undefined;
  let unit: string | undefined;
  let shift = 0;
  for (const word of text.split(/[\s/_[\]()]+|per/i)) {
    const small = word.toLowerCase();
    // `Day ahead price, EUR/MWh` is for a MWh.
    if (small in UNITS) unit = unit === undefined || unit === 'day' ? UNITS[small] : unit;
    else if (small in MINOR) {
      currency ??= MINOR[small];
      shift = -2;
    } else if (word in SIGNS) currency ??= SIGNS[word];
    else if (/^[A-Z]{3}$/i.test(word) && !(small in WORDS)) currency ??= word.toUpperCase();
  }
  return { currency, unit, shift };
}
const WORDS: Readonly<Record<string, true>> = {
  the: true,
  and: true,
  day: true,
  vat: true,
  tax: true,
  ahead: true,
  cet: true,
  utc: true,
};

/** Powers of ten of energy units, seen from Wh. */
const ENERGY: Readonly<Record<string, number>> = { Wh: 0, kWh: 3, MWh: 6, GWh: 9 };

/**
 * A price for one `from` as a price for one `to`: only the power of ten changes.
 * @throws DecodeError when one is not the other
 */
export function perUnit({ mantissa, scaler }: Amount, from: string, to: string): Amount {
  if (from === to) return { mantissa, scaler };
  const [a, b] = [ENERGY[from], ENERGY[to]];
  if (a === undefined || b === undefined)
    throw new DecodeError('unit', `a price for one ${from} says nothing of one ${to}`, 0);
  return { mantissa, scaler: scaler + b - a };
}
