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

/** Reads the parsed JSON of one message. @throws MessageFormatError naming the field */
export function messageFromJson(json: unknown): Message {
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
