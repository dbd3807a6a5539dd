/** The canonical message from JSON. What comes in may come from anybody, so everything is checked. */
import { fromHex } from '@amiable/bytes';
import { z } from 'zod';
import { parseDecimal } from './decimal.ts';
import { FLAGS, type Item, type Message, QUALITIES, UNITS, type Value } from './message.ts';

/** A message that is not of the canonical form; `message` names the field and what is wrong with it. */
export class MessageFormatError extends Error {
  override readonly name = 'MessageFormatError';
}

const text = JSON.stringify;

const short = z.string().min(1).max(200);
const small = z.number().int().min(0).max(1_000_000);
const instant = z.iso.datetime({ offset: true }).max(40);

const readingForm = z.strictObject({
  obis: z
    .string()
    .regex(/^\d{1,3}-\d{1,3}:\d{1,3}\.\d{1,3}\.\d{1,3}(\*\d{1,3})?$/, 'OBIS is A-B:C.D.E or A-B:C.D.E*F')
    .refine((code) => code.split(/\D/).every((group) => Number(group) <= 255), 'a value group of OBIS is at most 255')
    .optional(),
  address: short.optional(),
  name: short,
  value: z.union([z.number(), z.string().max(4096)]),
  unit: z.enum(UNITS).optional(),
  between: short.optional(),
  channel: small.optional(),
  deviceId: short.optional(),
  storage: small.optional(),
  tariff: small.optional(),
  subunit: small.optional(),
  function: z.enum(['instantaneous', 'maximum', 'minimum', 'error']).optional(),
  time: instant.optional(),
  quality: z.enum(QUALITIES).optional(),
  raw: z
    .string()
    .max(8192)
    .regex(/^[0-9a-fA-F]*$/, 'hexadecimal bytes')
    .optional(),
});

const messageForm = z.strictObject({
  v: z.literal(1, 'only version 1 is known'),
  id: z.string().regex(/^[0-9a-f]{32}$/, '32 hexadecimal digits'),
  reader: short,
  port: short,
  protocol: z.enum(['han', 'p1', 'iec62056-21', 'mbus', 'wmbus', 'dlms']),
  maker: short.optional(),
  list: short.optional(),
  meterId: short.optional(),
  meterType: short.optional(),
  time: instant.optional(),
  meterTime: short.optional(),
  receivedAt: instant,
  flags: z.array(z.enum(FLAGS)).max(FLAGS.length),
  readings: z.array(readingForm).max(2000),
  error: z.strictObject({ reason: short, offset: small.optional() }).optional(),
  raw: z
    .string()
    .max(131_072)
    .regex(/^([0-9a-fA-F]{2})*$/, 'hexadecimal bytes')
    .optional(),
});

/** Items are interned by what they say, so that messages from outside share them as messages from a port do. */
const interned = new Map<string, Item>();
const MAX_INTERNED = 50_000;
const layouts = new Map<string, readonly Item[]>();

function intern<T>(map: Map<string, T>, key: string, make: () => T): T {
  let value = map.get(key);
  if (value === undefined) {
    if (map.size >= MAX_INTERNED) map.clear();
    value = make();
    map.set(key, value);
  }
  return value;
}

function definedOnly<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined)) as never;
}

/**
 * What was checked once need not be again: an item that came through the schemas, found by a reading that says the very same. A
 * central system reads the same few layouts for years, and the schemas cost ten times the rest.
 */
interface Known {
  readonly item: Item;
  /** Its text, by which layouts are known. */
  readonly key: string;
  readonly fields: number;
  readonly number: number;
}
let numbered = 0;
const knownItems = new Map<string, Known>();
const knownLayouts = new Map<string, readonly Item[]>();

type Loose = Record<string, unknown>;
const FIELDS = [
  'obis',
  'address',
  'name',
  'unit',
  'between',
  'channel',
  'deviceId',
  'storage',
  'tariff',
  'subunit',
  'function',
] as const;
const shortKey = (reading: Loose, scaler: number): string =>
  `${scaler} ${reading.obis ?? reading.address} ${reading.name} ${reading.tariff} ${reading.storage}`;

function remember(items: readonly Item[], keys: readonly string[]): void {
  for (const [i, item] of items.entries()) {
    if (knownItems.size >= MAX_INTERNED) knownItems.clear();
    const fields = FIELDS.reduce((n, field) => n + (item[field] === undefined ? 0 : 1), 0);
    knownItems.set(shortKey(item as unknown as Loose, item.scaler), {
      item,
      key: keys[i] as string,
      fields,
      number: ++numbered,
    });
  }
}

const isShort = (value: unknown): value is string =>
  typeof value === 'string' && value.length > 0 && value.length <= 200;
const PLAIN_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/;
const PLAIN_ID = /^[0-9a-f]{32}$/;
const PLAIN_HEX = /^([0-9a-fA-F]{2})*$/;
const PROTOCOLS: ReadonlySet<unknown> = new Set(['han', 'p1', 'iec62056-21', 'mbus', 'wmbus', 'dlms']);
const KNOWN_FLAGS: ReadonlySet<unknown> = new Set(FLAGS);

/** Epoch ms of an ISO time in UTC; undefined where the schema has to look. */
function plainTime(value: unknown): number | undefined {
  if (typeof value !== 'string' || !PLAIN_TIME.test(value)) return undefined;
  const ms = Date.parse(value);
  // There is no 30 February.
  return Number.isNaN(ms) || new Date(ms).getUTCDate() !== Number(value.slice(8, 10)) ? undefined : ms;
}

/** The same as the way through the schemas, for a message of readings that are all known; undefined for any other. */
function knownMessage(json: Loose): Message | undefined {
  const { v, id, reader, port, protocol, receivedAt, flags, readings, raw } = json;
  if (v !== 1 || typeof id !== 'string' || !PLAIN_ID.test(id) || !isShort(reader) || !isShort(port)) return undefined;
  if (!PROTOCOLS.has(protocol) || !Array.isArray(flags) || !Array.isArray(readings)) return undefined;
  if (flags.length > FLAGS.length || readings.length === 0 || readings.length > 2000) return undefined;
  for (const flag of flags) if (!KNOWN_FLAGS.has(flag)) return undefined;
  if (raw !== undefined && (typeof raw !== 'string' || raw.length > 131_072 || !PLAIN_HEX.test(raw))) return undefined;
  const received = plainTime(receivedAt);
  const time = json.time === undefined ? undefined : plainTime(json.time);
  if (received === undefined || (json.time !== undefined && time === undefined)) return undefined;
  let fields = 8 + (raw === undefined ? 0 : 1) + (time === undefined ? 0 : 1);
  for (const field of ['maker', 'list', 'meterId', 'meterType', 'meterTime']) {
    if (json[field] === undefined) continue;
    if (!isShort(json[field])) return undefined;
    fields++;
  }
  if (Object.keys(json).length !== fields) return undefined;

  const values: Value[] = [];
  const found: Known[] = [];
  let times: (number | undefined)[] | undefined;
  let layout = '';
  for (let i = 0; i < readings.length; i++) {
    const reading = readings[i] as Loose | null;
    if (typeof reading !== 'object' || reading === null) return undefined;
    const { value } = reading;
    let scaler = 0;
    if (typeof value === 'number' && Number.isSafeInteger(value)) values.push(value + 0);
    else if (typeof value === 'number' || (typeof value === 'string' && reading.unit !== undefined)) {
      const number = typeof value === 'string' && value.length > 4096 ? undefined : parseDecimal(String(value));
      if (!number) return undefined;
      scaler = number.scaler;
      values.push(number.mantissa);
    } else if (typeof value === 'string' && value.length <= 4096) values.push(value);
    else return undefined;
    const known = knownItems.get(shortKey(reading, scaler));
    if (!known) return undefined;
    for (const field of FIELDS) if (known.item[field] !== reading[field]) return undefined;
    let more = 1;
    if (reading.time !== undefined) {
      const at = plainTime(reading.time);
      if (at === undefined) return undefined;
      times ??= new Array(readings.length).fill(undefined);
      times[i] = at;
      more++;
    }
    if (Object.keys(reading).length !== known.fields + more) return undefined;
    found.push(known);
    layout += `${known.number},`;
  }
  let items = knownLayouts.get(layout);
  if (!items) {
    if (knownLayouts.size >= MAX_INTERNED) knownLayouts.clear();
    items = intern(layouts, found.map(({ key }) => key).join(), () => found.map(({ item }) => item));
    knownLayouts.set(layout, items);
  }
  return {
    v: 1,
    id,
    reader,
    port,
    protocol: protocol as Message['protocol'],
    ...(json.maker === undefined ? {} : { maker: json.maker as string }),
    ...(json.list === undefined ? {} : { list: json.list as string }),
    ...(json.meterId === undefined ? {} : { meterId: json.meterId as string }),
    ...(json.meterType === undefined ? {} : { meterType: json.meterType as string }),
    ...(json.meterTime === undefined ? {} : { meterTime: json.meterTime as string }),
    flags: flags as Message['flags'],
    receivedAt: received,
    ...(time === undefined ? {} : { time }),
    items,
    values,
    ...(times ? { times } : {}),
    ...(raw === undefined ? {} : { raw: fromHex(raw as string) }),
  };
}

/** Reads the parsed JSON of one message. @throws MessageFormatError naming the field */
export function messageFromJson(json: unknown): Message {
  if (typeof json === 'object' && json !== null) {
    const known = knownMessage(json as Loose);
    if (known) return known;
  }
  return checkedMessage(json);
}

/** The way through the schemas, whatever is known already. @throws MessageFormatError naming the field */
export function checkedMessage(json: unknown): Message {
  const checked = messageForm.safeParse(json);
  if (!checked.success) {
    const issue = checked.error.issues[0];
    throw new MessageFormatError(`${issue?.path.join('.') || 'message'}: ${issue?.message ?? 'wrong form'}`);
  }
  const { readings, raw, error, ...rest } = checked.data;
  const values: Value[] = [];
  const keys: string[] = [];
  const items = readings.map((reading, i): Item => {
    const { value, time: _time, quality: _quality, raw: _raw, ...what } = reading;
    // A number in a string is a number where there is a unit: integers beyond 2^53 are sent so.
    const number =
      typeof value === 'number'
        ? parseDecimal(String(value))
        : what.unit === undefined
          ? undefined
          : parseDecimal(value);
    if (typeof value === 'number' && !number)
      throw new MessageFormatError(`readings.${i}.value: more than 64 bits do not fit`);
    values.push(number ? number.mantissa : String(value));
    const item = { ...what, scaler: number?.scaler ?? 0 };
    const key = text(item);
    keys.push(key);
    return intern(interned, key, () => definedOnly(item) as Item);
  });
  const shared = intern(layouts, keys.join(), () => items);
  remember(shared, keys);
  return {
    ...(definedOnly(rest) as Omit<Message, 'items' | 'values' | 'receivedAt' | 'time'>),
    receivedAt: Date.parse(checked.data.receivedAt),
    ...(checked.data.time === undefined ? {} : { time: Date.parse(checked.data.time) }),
    items: shared,
    values,
    ...(readings.some((r) => r.time !== undefined)
      ? { times: readings.map((r) => (r.time === undefined ? undefined : Date.parse(r.time))) }
      : {}),
    ...(readings.some((r) => r.quality !== undefined) ? { qualities: readings.map((r) => r.quality) } : {}),
    ...(readings.some((r) => r.raw !== undefined) ? { raws: readings.map((r) => r.raw) } : {}),
    ...(raw === undefined ? {} : { raw: fromHex(raw) }),
    ...(error ? { error: definedOnly(error) as NonNullable<Message['error']> } : {}),
  } as Message;
}
