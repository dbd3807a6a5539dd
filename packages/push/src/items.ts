/**
 * The row of items of a layout: what each reading is. Equal rows are one object, so that a program that has seen a layout
 * knows it again by identity, and so that reading a known list by the book does not make its items again.
 */
import { quantityOf, unitOfCode } from '@amiable/cosem';
import type { Item, Unit } from '@amiable/model';
import type { Element } from './elements.ts';
import type { ListDef } from './lists.ts';
import type { Read } from './read.ts';

/** One value on its way to an item. */
export interface Coded {
  readonly element: Element;
  /** The list's own code, or the table's. */
  readonly obis: string | undefined;
  readonly position: number;
  readonly read: Read;
}

export interface Row {
  readonly items: readonly Item[];
  /** Index of the value that is the meter's number, -1 when there is none. */
  readonly meterId: number;
  /** Index of the logical device name, -1 when there is none. */
  readonly deviceName: number;
  /** Indexes of the values that the list's own clock times. */
  readonly registers: readonly number[];
}

/** What all values of a list share. */
export interface ListSense {
  readonly def: ListDef | undefined;
  /** Voltages are between lines. */
  readonly threeWire: boolean;
  /** The list has a clock of its own, which times its registers. */
  readonly hasClock: boolean;
}

const rows = new Map<string, Row>();
const MAX_ROWS = 4096;
/** A number for each table entry, to tell rows apart in the key. */
const defNumbers = new Map<ListDef | undefined, number>();

/** Codes that name the meter, the best first. Channels of other meters on the M-Bus do not. */
const METER_IDS = [/^0-0:96\.1\.0$/, /^1-\d+:0\.0\.5$/, /^1-\d+:96\.1\.0$/, /^0-0:96\.1\.1$/, /^0-0:42\.0\.0$/];
/** A longer string is no meter number. */
const MAX_ID_BYTES = 64;
const LINES: Record<string, string> = { voltageL1: 'L1-L2', voltageL2: 'L1-L3', voltageL3: 'L2-L3' };
const ENERGY: readonly (Unit | undefined)[] = ['Wh', 'varh', 'VAh'];

export function rowOf(coded: readonly Coded[], sense: ListSense): Row {
  let number = defNumbers.get(sense.def);
  if (number === undefined) {
    number = defNumbers.size;
    defNumbers.set(sense.def, number);
  }
  let key = `${number} ${sense.threeWire} ${sense.hasClock}`;
  for (const c of coded)
    key += `|${c.obis ?? c.position} ${c.element.scaler} ${c.element.unit} ${c.read.number ? c.read.scaler : isShort(c)}`;
  let row = rows.get(key);
  if (row === undefined) {
    row = makeRow(coded, sense);
    if (rows.size >= MAX_ROWS) rows.clear();
    rows.set(key, row);
  }
  return row;
}

const isShort = ({ element }: Coded): boolean => element.end - element.start <= MAX_ID_BYTES;

function makeRow(coded: readonly Coded[], sense: ListSense): Row {
  const items = coded.map((c) => Object.freeze(itemOf(c, sense)));
  return {
    items: Object.freeze(items),
    meterId: meterIdIndex(coded),
    deviceName: items.findIndex((item, i) => item.name === 'logicalDeviceName' && !(coded[i] as Coded).read.number),
    registers: items.flatMap((item, i) => (item.clock === 'list' ? [i] : [])),
  };
}

function meterIdIndex(coded: readonly Coded[]): number {
  for (const code of METER_IDS) {
    const index = coded.findIndex((c) => c.obis !== undefined && code.test(c.obis) && !c.read.number && isShort(c));
    if (index >= 0) return index;
  }
  return -1;
}

function itemOf({ element, obis, position, read }: Coded, { def, threeWire, hasClock }: ListSense): Item {
  if (obis === undefined) return { name: `value${position + 1}`, ...measure(element, read, undefined, undefined) };
  const quantity = quantityOf(obis);
  // An unknown list that gives no scaler may count in anything: no unit is better than a wrong one.
  const measured = measure(element, read, def ? quantity.unit : undefined, def);
  const between = threeWire ? LINES[quantity.name] : undefined;
  const integral = hasClock && /\.8\.\d+$/.test(obis) && ENERGY.includes(measured.unit ?? quantity.unit);
  const channel = /^0-([1-9]\d*):(24|96)\./.exec(obis)?.[1];
  return {
    obis,
    name: quantity.name,
    ...measured,
    ...(integral ? { clock: 'list' as const } : {}),
    ...(between ? { between } : {}),
    ...(channel === undefined ? {} : { channel: Number(channel) }),
  };
}

/** Powers of ten that a meter may mean; beyond them the scaler is no scaler, and the number is told bare. */
const MAX_SCALER = 12;

/** Unit and scaler: the list's own if it gives them, else the table's. */
function measure(
  element: Element,
  read: Read,
  unit: Unit | undefined,
  def: ListDef | undefined,
): { unit?: Unit; scaler: number } {
  if (!read.number) return { scaler: 0 };
  if (element.unit !== undefined) {
    const own = unitOfCode(element.unit);
    const scaler = (element.scaler ?? 0) + (own?.power ?? 0);
    if (Math.abs(scaler) > MAX_SCALER) return { scaler: read.scaler };
    return own?.unit === undefined
      ? { scaler: scaler + read.scaler }
      : { unit: own.unit, scaler: scaler + read.scaler };
  }
  if (unit === undefined) return { scaler: read.scaler };
  return { unit, scaler: (def?.scalers?.[unit] ?? 0) + read.scaler };
}
