/**
 * What a value is for Home Assistant: device class, state class, unit. The energy dashboard takes a sensor only when all three
 * fit, so the rules here are its rules (home-assistant.io/docs/energy/faq, developers' list of sensor device classes).
 *
 * Decides: energies in kWh, heat in MJ, volumes in m³, everything else in the units of the message. Registers that only count
 * up are `total_increasing`; net registers, which go down too, are `total`; what stood in a register at some day (storage) is no
 * total of now and has no state class. Classes that older versions do not know are left out, for they would refuse the sensor.
 */
import { decimal, type Item, type Unit, type Value } from '@amiable/model';
import type { LiveValue, Medium } from './values.ts';

export interface Entity {
  readonly unit?: string;
  readonly deviceClass?: string;
  readonly stateClass?: 'measurement' | 'total' | 'total_increasing';
  /** The state is value × 10^-shift. */
  readonly shift: number;
  readonly diagnostic?: boolean;
  /** Hidden until somebody wants it. */
  readonly disabled?: boolean;
}

interface Form {
  readonly unit?: string;
  readonly deviceClass?: string;
  readonly shift?: number;
  /** Counts, and does not measure. */
  readonly counts?: boolean;
}

const FORMS: Partial<Record<Unit, Form>> = {
  W: { unit: 'W', deviceClass: 'power' },
  var: { unit: 'var', deviceClass: 'reactive_power' },
  VA: { unit: 'VA', deviceClass: 'apparent_power' },
  V: { unit: 'V', deviceClass: 'voltage' },
  A: { unit: 'A', deviceClass: 'current' },
  Hz: { unit: 'Hz', deviceClass: 'frequency' },
  Wh: { unit: 'kWh', deviceClass: 'energy', shift: 3, counts: true },
  varh: { unit: 'kvarh', shift: 3, counts: true },
  VAh: { unit: 'kVAh', shift: 3, counts: true },
  J: { unit: 'MJ', deviceClass: 'energy', shift: 6, counts: true },
  m3: { unit: 'm³', counts: true },
  kg: { unit: 'kg', counts: true },
  'm3/h': { unit: 'm³/h', deviceClass: 'volume_flow_rate' },
  degC: { unit: '°C', deviceClass: 'temperature' },
  K: { unit: 'K' },
  bar: { unit: 'bar', deviceClass: 'pressure' },
  s: { unit: 's', deviceClass: 'duration' },
  min: { unit: 'min', deviceClass: 'duration' },
  h: { unit: 'h', deviceClass: 'duration' },
  d: { unit: 'd', deviceClass: 'duration' },
  dBm: { unit: 'dBm', deviceClass: 'signal_strength' },
  '%': { unit: '%', deviceClass: 'humidity' },
  lx: { unit: 'lx', deviceClass: 'illuminance' },
};

const VOLUME: Readonly<Record<Medium, string>> = {
  gas: 'gas',
  water: 'water',
  hotWater: 'water',
  heat: 'volume',
  cooling: 'volume',
  electricity: 'volume',
  other: 'volume',
};
/** Made out of a register, not the register itself. */
const DERIVED = /Minimum|Maximum|Average|Billing|SetDate|Integral|Demand|Threshold|Limit/;
const LONGEST_TEXT = 255;

export function entityOf(item: Item, value: Value, medium: Medium): Entity | undefined {
  if (typeof value === 'string')
    return value.length > LONGEST_TEXT ? undefined : { shift: 0, diagnostic: true, disabled: true };
  const past = (item.storage ?? 0) > 0 || (item.function ?? 'instantaneous') !== 'instantaneous';
  const form: Form =
    (item.unit && FORMS[item.unit]) ?? (item.unit === undefined || item.unit === '1' ? {} : { unit: item.unit });
  const deviceClass =
    item.unit === 'm3' ? VOLUME[medium] : item.name.startsWith('powerFactor') ? 'power_factor' : form.deviceClass;
  const shared = { shift: form.shift ?? 0, ...(form.unit === undefined ? {} : { unit: form.unit }) };
  if (!form.counts)
    return {
      ...shared,
      ...(deviceClass === undefined ? {} : { deviceClass }),
      // What a meter is does not change.
      ...(past || item.name === 'deviceType' ? { disabled: true } : { stateClass: 'measurement' }),
      ...(item.unit === undefined || item.unit === '1' || item.unit === 's'
        ? { diagnostic: item.name !== 'powerFactor' }
        : {}),
    };
  if (past || DERIVED.test(item.name))
    return { ...shared, ...(deviceClass === undefined ? {} : { deviceClass }), disabled: true };
  return {
    ...shared,
    ...(deviceClass === undefined ? {} : { deviceClass }),
    stateClass: /Net/.test(item.name) ? 'total' : 'total_increasing',
  };
}

/** The state as JSON: an exact number, or text. */
export function stateOf({ item, value }: LiveValue, { shift }: Entity): string {
  return typeof value === 'string' ? JSON.stringify(value) : decimal(value, item.scaler - shift);
}

/** `activePowerImportL1` → `Active power import L1`; a line voltage says between what. */
export function spoken(item: Item, key: string): string {
  const bare = item.between === undefined ? item.name : item.name.replace(/L[123]$/, '');
  const words = bare
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .replace(/(\d)([A-Z])/g, '$1 $2')
    .split(' ')
    .map((word, i) =>
      /^[A-Z]+\d?$/.test(word) ? word : i === 0 ? word[0]?.toUpperCase() + word.slice(1) : word.toLowerCase(),
    );
  if (item.between !== undefined) words.push(item.between);
  // Storage, tariff and function stand behind the name in the key.
  return [...words, ...key.slice(item.name.length).split('_').filter(Boolean)].join(' ');
}
