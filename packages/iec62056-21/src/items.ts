/**
 * What the address of a data set stands for: OBIS code (IEC 62056-61), name, unit.
 *
 * Decides: short codes are electricity and completed, unless the data set is a heat meter's after EN 1434-3, whose codes
 * (`6.8`, `6.26`) mean something else, or the unit is none of electricity: there the medium is not known and there is an
 * address alone. A short code that names no quantity of electricity but an abstract object (`17.0.0`, the demand limit) is completed as
 * that. One Item for each (address, unit, decimals, part), shared by all messages.
 */
import { obisGroups, parseObis, quantityOf } from '@amiable/cosem';
import type { Item, Unit } from '@amiable/model';

/** Codes of heat meters (EN 1434-3 and Landis+Gyr's lists): name, or names of the parts that `&` separates. */
const HEAT: Readonly<Record<string, string | readonly string[]>> = {
  '0.0': 'deviceAddress',
  '6.4': 'heatPower',
  '6.6': 'heatPowerMaximum',
  '6.8': 'heatEnergy',
  '6.26': 'heatVolume',
  '6.27': 'heatFlowRate',
  '6.28': 'heatFlowTemperature',
  '6.29': 'heatFlowTemperature',
  '6.30': 'heatDifferenceTemperature',
  '6.31': 'operatingTime',
  '6.32': 'errorTime',
  '6.33': 'heatFlowRateMaximum',
  '6.35': 'measuringPeriod',
  '6.36': 'readingDate',
  '6.36.1': 'heatPowerMaximumDate',
  '6.36.2': 'heatFlowRateMaximumDate',
  '6.36.3': 'heatFlowTemperatureMaximumDate',
  '6.36.4': 'heatReturnTemperatureMaximumDate',
  '6.36.5': 'heatReadingDate5',
  '9.4': ['heatFlowTemperatureMaximum', 'heatReturnTemperatureMaximum'],
  '9.20': 'meterId',
  '9.21': 'customerId',
  '9.22': 'installationPlace',
  '9.24': 'heatFlowRateNominal',
  '9.36': 'clock',
  F: 'errorRegister',
};

const ELECTRICAL = new Set<Unit | undefined>([
  undefined,
  'W',
  'var',
  'VA',
  'Wh',
  'varh',
  'VAh',
  'V',
  'A',
  'Ah',
  'Hz',
  'V2h',
  'A2h',
  'deg',
  '1',
  's',
  'min',
  'h',
  'd',
]);

/** Codes that tell a heat meter: two groups, medium 6 in the first. */
export function isHeatCode(address: string): boolean {
  return /^6\.(8|26|27|29|33|35)(\*\d+)?$/.test(address);
}

export interface AddressMeaning {
  readonly obis?: string;
  readonly name: string;
  /** Digits under this code are a quantity even without a unit. */
  readonly counts: boolean;
  readonly channel?: number;
}

/** Short codes of the abstract medium: completed as electricity they would be something else (C = 17: active power of quadrant I). */
const ABSTRACT = /^17\.0\.0(?=$|[*&])/;
const HISTORY = /[*&](\d{1,3})$/;
const RESET_COUNTER = /^1-\d+:0\.1\.0$/;

function heatMeaning(address: string, part: number): AddressMeaning | undefined {
  const history = HISTORY.exec(address)?.[1];
  const code = history === undefined ? address : address.slice(0, -history.length - 1);
  const entry = HEAT[code];
  if (entry === undefined && !/^\d+\.\d+/.test(code)) return undefined;
  const known = typeof entry === 'object' ? entry[part] : entry;
  const base = known ?? `${plainName(code)}${part > 0 ? `part${part + 1}` : ''}`;
  return { name: history === undefined ? base : `${base}Billing${Number(history)}`, counts: false };
}

/** `code9dot17` for an address that nobody has named. */
function plainName(address: string): string {
  const words = address
    .replace(/\./g, 'dot')
    .replace(/-/g, 'dash')
    .replace(/:/g, 'colon')
    .replace(/[*&]/g, 'f')
    .replace(/[^A-Za-z0-9]/g, '');
  return `code${words}`;
}

/** @param part of a value in parts that `&` separates, from 0 */
export function meaningOf(address: string, unit: Unit | undefined, heat: boolean, part = 0): AddressMeaning {
  const short = !address.includes('-') && !address.includes(':');
  if (short && heat) {
    const meaning = heatMeaning(address, part);
    if (meaning) return meaning;
  }
  const obis =
    short && !ELECTRICAL.has(unit) ? undefined : parseObis(ABSTRACT.test(address) ? `0-0:${address}` : address);
  if (obis === undefined) return { name: plainName(address), counts: false };
  const quantity = quantityOf(obis);
  const groups = obisGroups(obis);
  const channel = groups && groups.a === 0 && groups.c === 24 ? groups.b : undefined;
  const counts = quantity.unit !== undefined || RESET_COUNTER.test(obis);
  return { obis, name: quantity.name, counts, ...(channel !== undefined && { channel }) };
}

const MAX_ITEMS = 20_000;
/** Whether digits without a unit are a quantity under an address, by address; heat meters apart. */
const counting = [new Map<string, boolean>(), new Map<string, boolean>()] as const;

export function countsWithoutUnit(address: string, heat: boolean): boolean {
  const known = counting[heat ? 1 : 0];
  let counts = known.get(address);
  if (counts === undefined) {
    ({ counts } = meaningOf(address, undefined, heat));
    if (known.size >= MAX_ITEMS) known.clear();
    known.set(address, counts);
  }
  return counts;
}

const items = new Map<string, Item>();

/** The one Item of these. `suffix` is added to the name: `Time` where a moment stands as a reading of its own. */
export function itemOf(
  address: string,
  unit: Unit | undefined,
  scaler: number,
  heat: boolean,
  part: number,
  suffix: string,
): Item {
  const key = `${address}\n${unit ?? ''}\n${scaler}\n${heat ? 1 : 0}${part}${suffix}`;
  let item = items.get(key);
  if (!item) {
    const { obis, name, channel } = meaningOf(address, unit, heat, part);
    item = {
      ...(obis !== undefined && { obis }),
      // A profile may have a column without a code.
      ...(address !== '' && { address: address.slice(0, 200) }),
      name: name + suffix,
      ...(unit !== undefined && { unit }),
      scaler,
      ...(channel !== undefined && { channel }),
    };
    if (items.size >= MAX_ITEMS) items.clear();
    items.set(key, item);
  }
  return item;
}

/** The layouts met so far, so that messages of one layout share their `items`. */
export interface Layouts {
  intern(list: readonly Item[]): readonly Item[];
}

const MAX_LAYOUTS = 64;

export function createLayouts(): Layouts {
  const known: (readonly Item[])[] = [];
  return {
    intern(list) {
      for (const layout of known) {
        if (layout.length !== list.length) continue;
        let i = 0;
        while (i < list.length && layout[i] === list[i]) i++;
        if (i === list.length) return layout;
      }
      if (known.length >= MAX_LAYOUTS) known.shift();
      known.push(list);
      return list;
    },
  };
}
