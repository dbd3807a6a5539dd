/**
 * What a logical name stands for as an object: `Clock`, `Load profile 1`, `M-Bus client, channel 2` (IEC 62056-6-1 clauses 6
 * and 7, tables of abstract objects, of electricity and of the other media).
 *
 * Decides: the objects that no measured quantity names; measured ones are called after their quantity (quantity.ts), which
 * in turn takes from here what no rule of its own yields. Channel and billing period are spoken. Leaves out: the elements of
 * gas analysis, and what countries and makers define for themselves.
 */
import { type Obis, obisGroups } from './obis.ts';
import { objectRow } from './object-table.ts';
import { quantityOf } from './quantity.ts';

const known = new Map<string, string | undefined>();
const MAX_KNOWN = 10_000;

/** The name of the object with this logical name, any accepted form; undefined when nobody has named it. */
export function objectName(logicalName: string): string | undefined {
  if (known.has(logicalName)) return known.get(logicalName);
  const obis = obisGroups(logicalName);
  const name = obis && nameOf(obis);
  if (known.size >= MAX_KNOWN) known.clear();
  known.set(logicalName, name);
  return name;
}

function nameOf(obis: Obis): string | undefined {
  const name = objectRow(obis) ?? quantityName(obis) ?? ownName(obis);
  return name && name + channelText(obis) + periodText(obis);
}

/** `Active energy import rate 1` of `activeEnergyImportRate1`. */
function quantityName({ a, b, c, d, e }: Obis): string | undefined {
  const { name, known: isKnown } = quantityOf(`${a}-${b}:${c}.${d}.${e}`);
  if (isKnown === false) return undefined;
  const words = name.match(/L\d|Q\d|[A-Z]?[a-z]+|\d+|[A-Z]/g) ?? [name];
  const text = words.map((word) => (/^[LQ]\d$/.test(word) ? word : word.toLowerCase())).join(' ');
  return (
    (text[0] as string).toUpperCase() +
    text
      .slice(1)
      .replace(/\bthd\b/, 'THD')
      .replace(/\btdd\b/, 'TDD')
  );
}

/** Country codes of C = 94, as for telephones. */
const COUNTRIES: Readonly<Record<number, string>> = {
  0: 'Finland',
  1: 'USA',
  2: 'Canada',
  3: 'Serbia',
  7: 'Russia',
  10: 'Czech Republic',
  11: 'Bulgaria',
  12: 'Croatia',
  13: 'Ireland',
  14: 'Israel',
  15: 'Ukraine',
  20: 'Egypt',
  27: 'South Africa',
  30: 'Greece',
  31: 'the Netherlands',
  32: 'Belgium',
  33: 'France',
  34: 'Spain',
  35: 'Portugal',
  36: 'Hungary',
  37: 'Lithuania',
  38: 'Slovenia',
  39: 'Italy',
  40: 'Romania',
  41: 'Switzerland',
  42: 'Slovakia',
  43: 'Austria',
  44: 'the United Kingdom',
  45: 'Denmark',
  46: 'Sweden',
  47: 'Norway',
  48: 'Poland',
  49: 'Germany',
  55: 'Brazil',
  61: 'Australia',
  62: 'Indonesia',
  63: 'the Philippines',
  64: 'New Zealand',
  65: 'Singapore',
  66: 'Thailand',
  81: 'Japan',
  86: 'China',
  90: 'Turkey',
  91: 'India',
  92: 'Pakistan',
  96: 'Saudi Arabia',
  97: 'the United Arab Emirates',
  98: 'Iran',
};

/** Whose own object it is, where nobody else has named it. */
function ownName({ a, b, c, d, e, f }: Obis): string | undefined {
  if (c === 94) return `National object of ${COUNTRIES[d] ?? `country ${d}`} ${d}.${e}`;
  const maker = (n: number, limit = 254): boolean => n >= 128 && n <= limit;
  if ((a >= 128 && a <= 199) || maker(b, 199) || maker(c, 199) || c === 240 || maker(d) || maker(e) || maker(f))
    return `Manufacturer's object ${c}.${d}.${e}`;
  return c === 96 && d >= 50 && d <= 99 ? `Manufacturer's object ${c}.${d}.${e}` : undefined;
}

function channelText({ b }: Obis): string {
  if (b === 0 || b === 255) return '';
  if (b <= 64) return `, channel ${b}`;
  return b <= 127 ? `, utility's ${b}` : `, manufacturer's ${b}`;
}

function periodText({ f }: Obis): string {
  if (f === 255) return '';
  if (f <= 99) return `, billing period ${f}`;
  if (f === 101) return ', last billing period';
  if (f >= 102 && f <= 125) return `, last ${f - 100} billing periods`;
  return f === 126 ? ', last billing periods' : `, ${f}`;
}
