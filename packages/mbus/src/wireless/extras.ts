/**
 * What the records of a telegram hold beyond themselves: compact profiles, records and tails that a maker's driver reads. Wired
 * telegrams have them, too.
 *
 * Decides once for each layout whether there is anything to look for, so that telegrams without pay nothing.
 */
import { DecodeError } from '@amiable/bytes';
import type { Item, Quality, Value } from '@amiable/model';
import { type Layout, layOut, type Slot } from '../application/layout.ts';
import { readAlong, readingOf } from '../application/read.ts';
import { driversFor } from '../drivers/index.ts';
import type { Driver, DriverInput, DriverResult } from '../drivers/types.ts';
import { softwareAes } from './aes.ts';
import { profileAt, profileRecords } from './profile.ts';

/** Readings in columns, as messages hold them. */
export interface Extras {
  items: Item[];
  values: Value[];
  qualities: (Quality | undefined)[];
  /** Name of the driver. */
  list: string | undefined;
  meterType: string | undefined;
}

export type Meter = Omit<DriverInput, 'bytes' | 'start' | 'end'> & { readonly manufacturer: string };

const NOTHING: Partial<Meter> = {};
const NOBODY: Omit<Meter, 'manufacturer' | 'version' | 'medium'> = {
  ci: 0x72,
  configuration: 0,
  accessNumber: 0,
  linkAddress: new Uint8Array(8),
  keys: [],
  crypto: softwareAes,
};

/** Columns with more behind them. */
export function joined(
  items: readonly Item[],
  values: readonly Value[],
  qualities: readonly (Quality | undefined)[] | undefined,
  extras: Extras,
) {
  const some = qualities !== undefined || extras.qualities.some((q) => q !== undefined);
  return {
    items: [...items, ...extras.items],
    values: [...values, ...extras.values],
    qualities: some ? [...(qualities ?? new Array(items.length).fill(undefined)), ...extras.qualities] : undefined,
  };
}

interface Places {
  readonly profiles: readonly Slot[];
  /** Records with VIF FF. */
  readonly own: readonly Slot[];
  readonly tail: Slot | undefined;
}

const NONE: Places = { profiles: [], own: [], tail: undefined };
const placesOf = new WeakMap<Layout, Places>();

function places(layout: Layout): Places {
  let known = placesOf.get(layout);
  if (!known) {
    const profiles = layout.slots.filter((slot) => profileAt(slot) >= 0);
    const own = layout.slots.filter((slot) => slot.head !== undefined && (slot.head.vif & 0x7f) === 0x7f);
    const tail = layout.slots.find((slot) => slot.head === undefined);
    known = profiles.length > 0 || own.length > 0 || tail ? { profiles, own, tail } : NONE;
    placesOf.set(layout, known);
  }
  return known;
}

/** What stands in the records of a layout that were read from bytes[start] on; undefined when there is nothing more. */
export function extrasOf(
  layout: Layout,
  bytes: Uint8Array,
  start: number,
  manufacturer: string,
  version: number,
  medium: number,
  more: Partial<Meter> = NOTHING,
): Extras | undefined {
  const found = places(layout);
  if (found === NONE) return undefined;
  const { profiles, own, tail } = found;
  const meter: Meter = { ...NOBODY, ...more, manufacturer, version, medium };
  const extras: Extras = { items: [], values: [], qualities: [], list: undefined, meterType: undefined };
  for (const slot of profiles) {
    const records = profileRecords(layout, slot, bytes, start);
    if (records) addRecords(extras, records);
  }
  if (own.length > 0 || tail) {
    for (const driver of driversFor(meter.manufacturer, meter.version, meter.medium)) {
      if (driver.part === 'record') {
        for (const slot of own) {
          const { vifes = [] } = driver;
          if (!vifes.every((vife, i) => slot.head?.vifes[i] === vife)) continue;
          const end = start + slot.at + slot.length;
          const result = driver.decode({ ...meter, bytes, start: start + slot.at, end, head: slot.head });
          addResult(extras, driver, result, meter);
        }
      } else if (driver.part === 'tail' && tail) {
        const end = start + tail.at + tail.length;
        addResult(extras, driver, driver.decode({ ...meter, bytes, start: start + tail.at, end }), meter);
      }
    }
  }
  return extras.items.length > 0 ? extras : undefined;
}

/** A whole payload that a driver knows, instead of records. */
export function payloadOf(
  part: 'maker' | 'payload',
  bytes: Uint8Array,
  start: number,
  end: number,
  meter: Meter,
): Extras | undefined {
  for (const driver of driversFor(meter.manufacturer, meter.version, meter.medium)) {
    if (driver.part !== part) continue;
    const extras: Extras = { items: [], values: [], qualities: [], list: undefined, meterType: undefined };
    addResult(extras, driver, driver.decode({ ...meter, bytes, start, end }), meter);
    if (extras.items.length > 0) return extras;
  }
  return undefined;
}

function addResult(extras: Extras, driver: Driver, result: DriverResult | undefined, meter: Meter): void {
  if (!result) return;
  if (result.records) addRecords(extras, result.records);
  for (const { item, value } of result.readings ?? []) {
    extras.items.push(item);
    extras.values.push(value);
    extras.qualities.push(undefined);
  }
  extras.list ??= driver.name;
  extras.meterType ??= driver.meterTypes?.[meter.medium];
}

/** Standard records that stand for something else; all of them or none. */
function addRecords(extras: Extras, records: Uint8Array): void {
  try {
    const columns = readAlong(readingOf(layOut(records, 0, records.length, false)), records, 0);
    extras.items.push(...columns.items);
    extras.values.push(...columns.values);
    for (let i = 0; i < columns.items.length; i++) extras.qualities.push(columns.qualities?.[i]);
  } catch (e) {
    if (!(e instanceof DecodeError)) throw e;
  }
}
