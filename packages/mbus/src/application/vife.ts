/**
 * Combinable (orthogonal) VIFEs (EN 13757-3 tables 15 and 16, with the record errors of clause 8.4): what stands behind a VIF
 * and changes its meaning.
 *
 * Decides: a factor changes the scaler; a rate changes the unit where a base unit exists for it; an error of the record
 * marks its value as missing and leaves the name alone, for the same register will be sound again; everything else adds
 * words to the quantity, and so to the name. Behind FF the octets belong to the maker and are kept as hex in the name.
 */
import type { Unit } from '@amiable/model';
import type { Meaning } from './vif.ts';

export interface Combined extends Meaning {
  /** The record has an error: why it has no valid value. */
  readonly fault: string | undefined;
}

const RECORD_ERRORS: Readonly<Record<number, string>> = {
  1: 'too many DIFEs',
  2: 'storage number not implemented',
  3: 'unit number not implemented',
  4: 'tariff number not implemented',
  5: 'function not implemented',
  6: 'data class not implemented',
  7: 'data size not implemented',
  11: 'too many VIFEs',
  12: 'illegal VIF group',
  13: 'illegal VIF exponent',
  14: 'VIF and DIF do not match',
  15: 'action not implemented',
  21: 'no data available',
  22: 'data overflow',
  23: 'data underflow',
  24: 'data error',
  28: 'premature end of record',
};

const WORDS: Readonly<Record<number, string>> = {
  18: 'average',
  19: 'inverse compact profile',
  20: 'relative deviation',
  29: 'standard conform data',
  30: 'compact profile with registers',
  31: 'compact profile',
  32: 'per second',
  33: 'per minute',
  34: 'per hour',
  35: 'per day',
  36: 'per week',
  37: 'per month',
  38: 'per year',
  39: 'per revolution',
  40: 'per input pulse of channel 0',
  41: 'per input pulse of channel 1',
  42: 'per output pulse of channel 0',
  43: 'per output pulse of channel 1',
  44: 'per litre',
  45: 'per m3',
  46: 'per kg',
  47: 'per K',
  48: 'per kWh',
  49: 'per GJ',
  50: 'per kW',
  51: 'per K litre',
  52: 'per V',
  53: 'per A',
  54: 'times s',
  55: 'times s per V',
  56: 'times s per A',
  57: 'start',
  58: 'uncorrected',
  59: 'forward',
  60: 'backward',
  61: 'non metric',
  62: 'at base conditions',
  63: 'OBIS declaration',
  64: 'lower limit',
  65: 'exceeds of lower limit',
  72: 'upper limit',
  73: 'exceeds of upper limit',
  104: 'during lower limit exceed',
  105: 'leakage',
  108: 'during upper limit exceed',
  109: 'overflow',
  126: 'future',
};

/** Behind FC. */
const SECOND_WORDS: Readonly<Record<number, string>> = {
  1: 'L1',
  2: 'L2',
  3: 'L3',
  4: 'neutral',
  5: 'L1 L2',
  6: 'L2 L3',
  7: 'L3 L1',
  8: 'quadrant 1',
  9: 'quadrant 2',
  10: 'quadrant 3',
  11: 'quadrant 4',
  12: 'import minus export',
  16: 'absolute',
  17: 'type C',
  18: 'type D',
  19: 'to meter',
  20: 'from meter',
};

const DURATIONS = [1, 60, 3600, 86_400] as const;
const hex2 = (v: number): string => v.toString(16).toUpperCase().padStart(2, '0');
const limit = (code: number): string => `${code & 4 ? 'last' : 'first'} ${code & 8 ? 'upper' : 'lower'} limit exceed`;

/** A unit per hour that is a base unit too. */
const PER_HOUR: Partial<Record<Unit, Unit>> = { m3: 'm3/h', kg: 'kg/h', J: 'J/h' };
const RATES: Readonly<Record<number, number>> = { 32: 3600, 33: 60, 34: 1 };

/** `meaning` changed by the VIFEs in order (extension bits ignored); `makers`: the VIF itself belongs to the maker. */
export function combine(meaning: Meaning, vifes: ArrayLike<number>, from: number, makers: boolean): Combined {
  let { quantity, unit, scaler, factor, form } = meaning;
  let fault: string | undefined;
  const word = (text: string): void => {
    quantity += `, ${text}`;
  };
  for (let i = from; i < vifes.length; i++) {
    const code = (vifes[i] as number) & 0x7f;
    if (makers) {
      word(`VIFE ${hex2(code)}`);
      continue;
    }
    if (code === 0x7f) {
      makers = true;
    } else if (code === 0x7c) {
      if (++i < vifes.length) {
        const next = (vifes[i] as number) & 0x7f;
        word(SECOND_WORDS[next] ?? `VIFE FC${hex2(next)}`);
        if (next === 0x11 || next === 0x12) form = 'unsigned';
      }
    } else if (code === 0) {
      // No error.
    } else if (RECORD_ERRORS[code] !== undefined) {
      fault = RECORD_ERRORS[code];
    } else if (RATES[code] !== undefined && unit !== undefined && PER_HOUR[unit] !== undefined) {
      // The word stays, so that the name says what the unit does.
      word(WORDS[code] as string);
      unit = PER_HOUR[unit];
      factor *= RATES[code] as number;
    } else if (code >= 0x20 && code <= 0x38) {
      word(WORDS[code] as string);
      // An increment per pulse keeps its unit; a rate or quotient has none of its own.
      if (code < 0x28 || code > 0x2b) unit = undefined;
    } else if (code === 0x39) {
      word('start');
      form = 'time';
      unit = undefined;
      scaler = 0;
      factor = 1;
    } else if (code === 0x41 || code === 0x49) {
      word(WORDS[code] as string);
      [unit, scaler, factor, form] = ['1', 0, 1, 'unsigned'];
    } else if (
      (code >= 0x42 && code <= 0x4f && (code & 0x02) !== 0) ||
      code === 0x6a ||
      code === 0x6b ||
      (code >= 0x6e && code <= 0x6f)
    ) {
      const end = (code & 1) !== 0 ? 'end' : 'begin';
      word(code < 0x60 ? `${end} of ${limit(code)}` : `${end} of ${code & 4 ? 'last' : 'first'}`);
      [unit, scaler, factor, form] = [undefined, 0, 1, 'time'];
    } else if (code >= 0x50 && code <= 0x67) {
      word(code < 0x60 ? `duration of ${limit(code)}` : `duration of ${code & 4 ? 'last' : 'first'}`);
      [unit, scaler, factor, form] = ['s', 0, DURATIONS[code & 3] as number, 'number'];
    } else if (code >= 0x70 && code <= 0x77) {
      scaler += code - 0x76;
    } else if (code >= 0x78 && code <= 0x7b) {
      word('additive correction');
      scaler += code - 0x7b;
    } else if (code === 0x7d) {
      scaler += 3;
    } else {
      word(WORDS[code] ?? `VIFE ${hex2(code)}`);
    }
  }
  return { quantity, unit, scaler, factor, form, fault };
}

/** Longer than any real chain of extensions says; what follows stands in the name as a hash, so that two series stay two. */
const NAME_LENGTH = 160;

/** `Flow temperature, last upper limit exceed` → `flowTemperatureLastUpperLimitExceed`; at most 169 characters. */
export function nameOf(quantity: string): string {
  const words = quantity.split(/[^A-Za-z0-9]+/).filter((part) => part !== '');
  const name = words
    .map((part, i) => (i === 0 ? part.charAt(0).toLowerCase() : part.charAt(0).toUpperCase()) + part.slice(1))
    .join('');
  return name.length <= NAME_LENGTH ? name : `${name.slice(0, NAME_LENGTH)}_${fnv1a(name)}`;
}

/** FNV-1a, 32 bits. */
function fnv1a(text: string): string {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0;
  return hash.toString(16).padStart(8, '0');
}
