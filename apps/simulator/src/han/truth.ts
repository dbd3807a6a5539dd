/**
 * What a reader should make of a list: the canonical message, built from the values that went into the frame and not from
 * its bytes. Names and units stand here in a table of their own, on purpose: a test that compares them with what the
 * decoder says would prove nothing if both asked the same rule.
 */
import { type DlmsDateTime, wallMillis } from '@amiable/dlms';
import type { Item, Unit, Value } from '@amiable/model';
import type { Field, Layout, What, WireValue } from './lists.ts';

const NAMES: Partial<Record<What, readonly [name: string, unit: Unit]>> = {
  'p+': ['activePowerImport', 'W'],
  'p-': ['activePowerExport', 'W'],
  'q+': ['reactivePowerImport', 'var'],
  'q-': ['reactivePowerExport', 'var'],
  i1: ['currentL1', 'A'],
  i2: ['currentL2', 'A'],
  i3: ['currentL3', 'A'],
  u1: ['voltageL1', 'V'],
  u2: ['voltageL2', 'V'],
  u3: ['voltageL3', 'V'],
  'p1+': ['activePowerImportL1', 'W'],
  'p1-': ['activePowerExportL1', 'W'],
  'q1+': ['reactivePowerImportL1', 'var'],
  'q1-': ['reactivePowerExportL1', 'var'],
  'p2+': ['activePowerImportL2', 'W'],
  'p2-': ['activePowerExportL2', 'W'],
  'q2+': ['reactivePowerImportL2', 'var'],
  'q2-': ['reactivePowerExportL2', 'var'],
  'p3+': ['activePowerImportL3', 'W'],
  'p3-': ['activePowerExportL3', 'W'],
  'q3+': ['reactivePowerImportL3', 'var'],
  'q3-': ['reactivePowerExportL3', 'var'],
  'a+': ['activeEnergyImport', 'Wh'],
  'a-': ['activeEnergyExport', 'Wh'],
  'r+': ['reactiveEnergyImport', 'varh'],
  'r-': ['reactiveEnergyExport', 'varh'],
};

const LABELS: Partial<Record<What, string>> = { list: 'listVersion', id: 'meterId', type: 'meterType', clock: 'clock' };

const BETWEEN: Partial<Record<What, string>> = { u1: 'L1-L2', u2: 'L1-L3', u3: 'L2-L3' };
const ENERGY: ReadonlySet<What> = new Set(['a+', 'a-', 'r+', 'r-']);

/** The item of a field; undefined for gaps. `lineVoltage`: the type says that it has three wires. */
export function itemOf(field: Field, lineVoltage: boolean): Item | undefined {
  const [a, b, c, d, e] = field.obis;
  const label = LABELS[field.what];
  if (label) return { obis: `${a}-${b}:${c}.${d}.${e}`, name: label, scaler: 0 };
  const named = NAMES[field.what];
  if (!named) return undefined;
  const between = lineVoltage ? BETWEEN[field.what] : undefined;
  return {
    obis: `${a}-${b}:${c}.${d}.${e}`,
    name: named[0],
    unit: named[1],
    scaler: field.scaler,
    ...(ENERGY.has(field.what) ? { clock: 'list' as const } : {}),
    ...(between ? { between } : {}),
  };
}

export interface Decoded {
  readonly items: readonly Item[];
  readonly values: readonly Value[];
  /** Of the readings that carry the list's own clock. */
  readonly listTime?: DlmsDateTime;
  readonly list: string;
  readonly meterId?: string;
  readonly meterType?: string;
}

const itemCache = new WeakMap<Layout, Map<boolean, readonly (Item | undefined)[]>>();

/** The items of a layout's fields, the same objects every time. */
export function itemsOf(layout: Layout, lineVoltage: boolean): readonly (Item | undefined)[] {
  let both = itemCache.get(layout);
  if (!both) {
    both = new Map();
    itemCache.set(layout, both);
  }
  let items = both.get(lineVoltage);
  if (!items) {
    items = layout.fields.map((field) => itemOf(field, lineVoltage));
    both.set(lineVoltage, items);
  }
  return items;
}

/** A list's values as the head of a message and its readings. */
export function decodedOf(layout: Layout, values: readonly WireValue[], lineVoltage: boolean): Decoded {
  const all = itemsOf(layout, lineVoltage);
  const items: Item[] = [];
  const readings: Value[] = [];
  const head: { list: string; meterId?: string; meterType?: string; listTime?: DlmsDateTime } = { list: layout.list };
  layout.fields.forEach((field, i) => {
    const value = values[i];
    const item = all[i];
    if (!item) return;
    items.push(item);
    if (field.what === 'clock') {
      head.listTime = value as DlmsDateTime;
      readings.push(meterTimeText(head.listTime, layout.clock.deviation !== 0));
      return;
    }
    readings.push(value as Value);
    if (field.what === 'id') head.meterId = value as string;
    else if (field.what === 'type') head.meterType = value as string;
  });
  return { items, values: readings, ...head };
}

const two = (n: number | undefined): string => String(n ?? 0).padStart(2, '0');

/** What the meter said, as text; with an offset only if it gave one that can be believed. */
export function meterTimeText(time: DlmsDateTime, believeDeviation: boolean): string {
  const plain = `${time.year}-${two(time.month)}-${two(time.day)}T${two(time.hour)}:${two(time.minute)}:${two(time.second)}`;
  if (time.deviation === undefined || !believeDeviation) return plain;
  const east = -time.deviation;
  return `${plain}${east < 0 ? '-' : '+'}${two(Math.floor(Math.abs(east) / 60))}:${two(Math.abs(east) % 60)}`;
}

export const wallOf = (time: DlmsDateTime): number => wallMillis(time) as number;
