/**
 * What an OBIS code measures: a camelCase English name and a base unit, formed by rule from the value groups, with a table
 * for what no rule yields (IEC 62056-6-1 clauses 5.3 to 5.12 and the national companion specifications); objects that
 * measure nothing are named after the table of objects.
 *
 * Every code has a name: where neither rule nor table knows it, the name is `obis` and the groups (`obis0Dash0...`).
 */
import { electricityQuantity } from './electricity.ts';
import { mediaQuantity } from './media.ts';
import type { Quantity } from './named.ts';
import { type Obis, obisGroups } from './obis.ts';
import { objectRow } from './object-table.ts';

/**
 * Exceptions by code; `A-x` or `:x` matches any number in that place, E alike. Looked up before the rules, the exact code first.
 */
const EXCEPTIONS: Record<string, Quantity> = {
  // Identity. The Nordic lists call 96.1.0 the meter and 96.1.7 its type; Kamstrup uses 0.0.5 and 96.1.1.
  '0-x:96.1.0': { name: 'meterId' },
  '0-x:96.1.4': { name: 'version' },
  '0-x:96.1.7': { name: 'meterType' },
  '1-x:0.0.5': { name: 'meterId' },
  '1-1:96.1.1': { name: 'meterType' },
  '1-x:96.1.0': { name: 'meterId' },
  '0-x:42.0.0': { name: 'logicalDeviceName' },
  '1-x:0.2.129': { name: 'listVersion' },
  '1-3:0.2.8': { name: 'version' },
  '0-0:0.2.0': { name: 'firmwareVersion' },
  '1-0:0.2.0': { name: 'firmwareVersion' },
  '0-x:25.9.0': { name: 'pushList' },
  // Clocks.
  '0-x:1.0.0': { name: 'clock', clock: true },
  '1-x:0.9.1': { name: 'localTime' },
  '1-x:0.9.2': { name: 'localDate' },
  // Switching and tariff.
  '0-x:96.3.10': { name: 'breakerState' },
  '0-x:96.14.0': { name: 'tariff' },
  '0-x:96.14.1': { name: 'tariffStatus' },
  '0-x:17.0.0': { name: 'powerLimit', unit: 'W' },
  '0-x:96.4.0': { name: 'controlSignals' },
  '0-x:96.13.0': { name: 'textMessage' },
  '0-x:96.13.1': { name: 'messageCode' },
  '1-x:31.4.0': { name: 'currentLimit', unit: 'A' },
  // Supply quality and condition.
  '0-x:96.7.21': { name: 'powerFailures', unit: '1' },
  '0-x:96.7.9': { name: 'longPowerFailures', unit: '1' },
  '0-x:96.5.0': { name: 'status' },
  '0-x:96.8.0': { name: 'operatingTime', unit: 's' },
  '0-x:96.2.0': { name: 'configurationChanges', unit: '1' },
  '0-x:97.97.0': { name: 'errorRegister' },
  '1-x:97.97.0': { name: 'errorRegister' },
  '1-x:99.97.0': { name: 'powerFailureLog' },
  // Meters on the M-Bus behind this one (channel B). The kind of meter in 24.1.0 decides better where it is known.
  '0-x:24.1.0': { name: 'deviceType' },
  '0-x:24.2.1': { name: 'gasVolume', unit: 'm3' },
  '0-x:24.2.3': { name: 'gasVolumeUncorrected', unit: 'm3' },
  '0-x:24.3.0': { name: 'gasVolume', unit: 'm3' },
  '0-x:24.4.0': { name: 'valveState' },
  // Belgian capacity tariff.
  '1-x:1.4.0': { name: 'activePowerImportAverage', unit: 'W' },
  '1-x:1.6.0': { name: 'activePowerImportMaximum', unit: 'W' },
  '0-x:98.1.0': { name: 'activePowerImportMaximumHistory', unit: 'W' },
};

/** Rules of the abstract medium (A = 0) and of the service groups C = 96 of all media. */
function serviceQuantity({ c, d, e }: Obis): Quantity | undefined {
  if (c === 96 && d === 1 && e <= 9) return { name: `deviceId${e + 1}` };
  if (c === 96 && d === 3) return { name: `relayState${e}` };
  if (c === 96 && d === 5) return { name: `status${e}` };
  if (c === 96 && d === 6) return { name: `battery${e}` };
  if (c === 96 && d === 7) return { name: `powerFailures${e}`, unit: '1' };
  if (c === 96 && d === 10) return { name: `statusRegister${e}` };
  if (c === 96 && d === 11) return { name: `eventCode${e}` };
  if (c === 96 && d === 13) return { name: `message${e}` };
  if (c === 97 && d === 98) return { name: `alarmRegister${e}` };
  if (c === 97 && d === 97) return { name: `errorRegister${e}` };
  return undefined;
}

/** What the table of objects names: `securitySetup2`. */
function objectQuantity(obis: Obis): Quantity | undefined {
  const name = objectRow(obis);
  if (name === undefined) return undefined;
  const words = name
    .replace(/&/g, ' and ')
    .split(/[^A-Za-z0-9]+/)
    .filter(Boolean);
  // A name begins with a letter.
  if (/^\d/.test(words[0] as string)) words.unshift('iec');
  return {
    name: words
      .map((word, i) => (i === 0 ? word.toLowerCase() : (word[0] as string).toUpperCase() + word.slice(1)))
      .join(''),
  };
}

const known = new Map<string, Quantity>();
const MAX_KNOWN = 10_000;

/** Name and unit of a code in any accepted form. */
export function quantityOf(obis: string): Quantity {
  let quantity = known.get(obis);
  if (!quantity) {
    quantity = derive(obis);
    if (known.size >= MAX_KNOWN) known.clear();
    known.set(obis, quantity);
  }
  return quantity;
}

function derive(text: string): Quantity {
  const obis = obisGroups(text);
  if (!obis) return { name: 'unknown', known: false };
  const { a, b, c, d, e, f } = obis;
  const base =
    EXCEPTIONS[`${a}-${b}:${c}.${d}.${e}`] ??
    EXCEPTIONS[`${a}-x:${c}.${d}.${e}`] ??
    (a === 1 ? electricityQuantity(obis) : a >= 4 ? mediaQuantity(obis) : undefined) ??
    // Some meters name their energies in the abstract medium; the groups C and D then mean what they do in electricity.
    (a === 0 && d === 8 && c >= 1 && c <= 80 ? electricityQuantity(obis) : undefined) ??
    serviceQuantity(obis) ??
    objectQuantity(obis);
  if (!base) return { name: `obis${a}b${b}c${c}d${d}e${e}${f === 255 ? '' : `f${f}`}`, known: false };
  return f === 255 ? base : { ...base, name: `${base.name}Billing${f}` };
}
