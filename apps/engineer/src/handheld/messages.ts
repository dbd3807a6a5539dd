/**
 * What was read over DLMS as canonical messages: one of each group of values, and of a profile one of so many rows.
 *
 * Decides: names and units by the OBIS code and the register's own scaler_unit; exact mantissas; a row's readings carry its
 * time; ids over the meter and the rows themselves, so that the same rows read again are the same message. Values that are no
 * number are text, as the class tables print them.
 */
import {
  columnName,
  type JsonValue,
  jsonValue,
  type Profile,
  type ProfileColumn,
  printPlain,
  readPlain,
  type ScalerUnit,
  unitOfCode,
  type ValueType,
} from '@amiable/cosem';
import { type Item, isClockWrong, type Message, messageId, type Unit, type Value } from '@amiable/model';
import { decoded, mantissaOf } from '../dlms/values.ts';

export const READER = 'handheld';

/** What messages of one visit have in common. */
export interface MessageHead {
  /** As the meter calls itself, else our name of it. */
  readonly meterId: string;
  readonly port: string;
  readonly receivedAt: number;
}

/** One attribute that was read. */
export interface ReadAttribute {
  readonly obis: string;
  readonly classId: number;
  readonly attribute: number;
  readonly type: ValueType;
  readonly data: Uint8Array;
  readonly scalerUnit?: ScalerUnit;
}

const LONGEST_TEXT = 4096;
/** The canonical form allows 2,000 readings. */
const READINGS = 1500;

/** Name, unit and scaler of a column or attribute. */
function itemOf(obis: string, name: string, scalerUnit: ScalerUnit | undefined): Item & { readonly power: number } {
  const meaning = scalerUnit && typeof scalerUnit.unit === 'number' ? unitOfCode(scalerUnit.unit) : undefined;
  const power = (scalerUnit?.scaler ?? 0) + (meaning?.power ?? 0);
  const unit: Unit | undefined = scalerUnit ? meaning?.unit : undefined;
  return { obis, name, scaler: Math.min(0, power), ...(unit && { unit }), power };
}

const bare = ({ power: _, ...item }: Item & { power: number }): Item => item;

/** A scaler above zero is multiplied out: decimals cannot say it. */
function scaled(mantissa: number | bigint, power: number): Value {
  if (power <= 0) return mantissa;
  const big = BigInt(mantissa) * 10n ** BigInt(power);
  const small = Number(big);
  return Number.isSafeInteger(small) ? small : big;
}

/** Floats become the shortest decimal that means them. */
function ofFloat(value: number): { mantissa: number; scaler: number } | undefined {
  const found = /^(-?\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(String(value));
  if (!found) return undefined;
  const scaler = Number(found[3] ?? 0) - (found[2]?.length ?? 0);
  const mantissa = Number(`${found[1]}${found[2] ?? ''}`);
  return Number.isSafeInteger(mantissa) ? { mantissa, scaler } : undefined;
}

const text = (value: JsonValue): string =>
  (typeof value === 'string' ? value : JSON.stringify(value)).slice(0, LONGEST_TEXT);

/** Undefined where nothing of it can be a reading. `time`: the meter's clock, epoch ms. */
export function messageOfAttributes(
  head: MessageHead,
  list: string,
  attributes: readonly ReadAttribute[],
  time: number | undefined,
): Message | undefined {
  const items: Item[] = [];
  const values: Value[] = [];
  const add = (item: Item & { power: number }, value: Value): void => {
    items.push(bare(item));
    values.push(value);
  };
  for (const { obis, classId, attribute, type, data, scalerUnit } of attributes) {
    const name = columnName({ classId, logicalName: obis, attribute, dataIndex: 0 });
    const value = decoded(data);
    if (!value || value.type === 'null-data') continue;
    const mantissa = mantissaOf(value);
    if (mantissa !== undefined && type.kind !== 'enum') {
      const item = itemOf(obis, name, scalerUnit);
      if (typeof mantissa === 'bigint' || Number.isInteger(mantissa)) add(item, scaled(mantissa, item.power));
      else {
        const exact = ofFloat(mantissa);
        if (!exact) continue;
        const power = exact.scaler + item.power;
        add({ ...item, scaler: Math.min(0, power), power }, scaled(exact.mantissa, power));
      }
    } else {
      const words = printPlain(readPlain(type, value), type).slice(0, LONGEST_TEXT);
      if (words !== '') add(itemOf(obis, name, undefined), words);
    }
  }
  if (items.length === 0) return undefined;
  const raw = joined(attributes.map(({ data }) => data));
  return {
    v: 1,
    id: messageId(`${READER}/${head.meterId}/${list}`, time ?? head.receivedAt, raw),
    reader: READER,
    port: head.port,
    protocol: 'dlms',
    list,
    meterId: head.meterId,
    ...(time !== undefined && { time }),
    receivedAt: head.receivedAt,
    flags: isClockWrong({ live: true }, time, head.receivedAt) ? ['clockWrong'] : [],
    items,
    values,
  };
}

/** What to tell of a meter's clock that is off; nothing within ten minutes. */
export function clockWords(time: number | undefined, now: number): string | undefined {
  const off = time === undefined ? 0 : Math.round((time - now) / 60_000);
  if (Math.abs(off) < 10) return undefined;
  return `its clock is ${Math.abs(off)} min ${off > 0 ? 'fast' : 'slow'} (by the clock of this machine).`;
}

/** Rows of a profile (one row without a clock is a name plate); rows whose time nobody can tell are left out of the messages (they stay in the store). */
export function messagesOfProfile(
  head: MessageHead,
  obis: string,
  columns: readonly ProfileColumn[],
  profile: Profile,
  rows: readonly Uint8Array[],
): Message[] {
  const clock = profile.columns[profile.clock];
  const moments = clock?.kind === 'moment' ? clock.utc : undefined;
  const shown = columns.flatMap((column, i) => {
    if (i === profile.clock) return [];
    return [{ i, item: itemOf(column.logicalName, columnName(column), column.scalerUnit) }];
  });
  const items = shown.map(({ item }) => bare(item));
  const most = Math.max(1, Math.floor(READINGS / Math.max(1, shown.length)));
  const messages: Message[] = [];
  for (let from = 0; from < profile.rows; from += most) {
    const to = Math.min(profile.rows, from + most);
    const found = { items: [] as Item[], values: [] as Value[], times: [] as number[] };
    for (let row = from; row < to; row++) {
      // A name plate has no clock: it is of now.
      const time = moments ? (moments[row] as number) : head.receivedAt;
      if (Number.isNaN(time)) continue;
      shown.forEach(({ i, item }, place) => {
        const value = cellOf(profile, i, row, item.power);
        if (value === undefined) return;
        found.items.push(items[place] as Item);
        found.values.push(value);
        found.times.push(time);
      });
    }
    if (found.items.length === 0) continue;
    messages.push({
      v: 1,
      id: messageId(`${READER}/${head.meterId}/${obis}`, found.times[0] as number, joined(rows.slice(from, to))),
      reader: READER,
      port: head.port,
      protocol: 'dlms',
      list: obis,
      meterId: head.meterId,
      receivedAt: head.receivedAt,
      flags: [],
      items: found.items,
      values: found.values,
      ...(moments && { times: found.times }),
    });
  }
  return messages;
}

function cellOf(profile: Profile, column: number, row: number, power: number): Value | undefined {
  const values = profile.columns[column];
  if (!values) return undefined;
  if (values.kind === 'moment') {
    const utc = values.utc[row] as number;
    const wall = values.wall[row] as number;
    if (!Number.isNaN(utc)) return new Date(utc).toISOString();
    return Number.isNaN(wall) ? undefined : new Date(wall).toISOString().slice(0, 19);
  }
  const value = values.values[row];
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'bigint') return scaled(value, power);
  // A float in a profile is told as text where no scaled integer means it.
  if (typeof value === 'number')
    return Number.isInteger(value) ? scaled(value, power) : Number.isNaN(value) ? undefined : String(value);
  return text(jsonValue(value));
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((n, part) => n + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** The canonical form allows so many readings a message: a longer one becomes several. */
export function split(message: Message): Message[] {
  const { items, values, times, raws, qualities } = message;
  if (items.length <= READINGS) return [message];
  const parts: Message[] = [];
  for (let from = 0; from < items.length; from += READINGS) {
    const to = from + READINGS;
    parts.push({
      ...message,
      id: from === 0 ? message.id : messageId(message.id, from, new Uint8Array(0)),
      items: items.slice(from, to),
      values: values.slice(from, to),
      ...(times && { times: times.slice(from, to) }),
      ...(raws && { raws: raws.slice(from, to) }),
      ...(qualities && { qualities: qualities.slice(from, to) }),
    });
  }
  return parts;
}

/** A reading of a stored message. */
export interface StoredReading {
  readonly obis?: string;
  readonly address?: string;
  readonly name: string;
  /** Text, or the digits of a number as they stand: `238.0` is not `238`. */
  readonly value: string;
  readonly isNumber: boolean;
  readonly unit?: Unit;
  readonly time?: string;
}

export function readingsIn(json: string): StoredReading[] {
  // A number becomes a text with NUL before it, which no text of JSON holds bare.
  const exact = json.replace(/"value":(-?\d[\d.eE+-]*)/g, '"value":"\\u0000$1"');
  const { readings } = JSON.parse(exact) as { readings: (Omit<StoredReading, 'isNumber'> & { value: string })[] };
  return readings.map((reading) => {
    const isNumber = reading.value.startsWith('\0');
    return { ...reading, value: isNumber ? reading.value.slice(1) : reading.value, isNumber };
  });
}
