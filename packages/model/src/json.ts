/**
 * The canonical message as JSON, as it leaves the program over MQTT, HTTP, multicast and on stdout. Written by hand, so that
 * exact decimals stay (`238.0` is not `238`). Reading it back is in parse.ts, apart, since it needs the schemas.
 */
import { toHex } from '@amiable/bytes';
import { decimal } from './decimal.ts';
import type { Item, Message, Value } from './message.ts';

const text = JSON.stringify;

export const isoTime = (ms: number): string => {
  const iso = new Date(ms).toISOString();
  return iso.endsWith('.000Z') ? `${iso.slice(0, -5)}Z` : iso;
};

function numberJson(value: number | bigint, scaler: number): string {
  const printed = decimal(value, scaler);
  const whole = printed.indexOf('.') < 0;
  return whole && (value > Number.MAX_SAFE_INTEGER || value < -Number.MAX_SAFE_INTEGER || printed.length > 16)
    ? `"${printed}"`
    : printed;
}

/** The part of a reading's JSON that is the same in every message of its layout. */
const heads = new WeakMap<Item, { before: string; after: string }>();

function headOf(item: Item): { before: string; after: string } {
  let head = heads.get(item);
  if (!head) {
    let before = '{';
    if (item.obis !== undefined) before += `"obis":${text(item.obis)},`;
    if (item.address !== undefined) before += `"address":${text(item.address)},`;
    before += `"name":${text(item.name)},"value":`;
    let after = '';
    for (const key of ['unit', 'between', 'channel', 'deviceId', 'storage', 'tariff', 'subunit', 'function'] as const)
      if (item[key] !== undefined) after += `,"${key}":${text(item[key])}`;
    head = { before, after };
    heads.set(item, head);
  }
  return head;
}

/** One line of JSON. `raw` adds the bytes on the wire, which uplinks carry and screens do not. */
export function messageToJson(m: Message, options: { raw?: boolean } = {}): string {
  let out = `{"v":1,"id":"${m.id}","reader":${text(m.reader)},"port":${text(m.port)},"protocol":"${m.protocol}"`;
  for (const key of ['maker', 'list', 'meterId', 'meterType'] as const)
    if (m[key] !== undefined) out += `,"${key}":${text(m[key])}`;
  if (m.time !== undefined) out += `,"time":"${isoTime(m.time)}"`;
  if (m.meterTime !== undefined) out += `,"meterTime":${text(m.meterTime)}`;
  out += `,"receivedAt":"${new Date(m.receivedAt).toISOString()}","flags":${text(m.flags)},"readings":[`;
  for (let i = 0; i < m.items.length; i++) {
    const item = m.items[i] as Item;
    const value = m.values[i] as Value;
    const head = headOf(item);
    out += `${i ? ',' : ''}${head.before}${typeof value === 'string' ? text(value) : numberJson(value, item.scaler)}${head.after}`;
    const time = m.times?.[i];
    if (time !== undefined) out += `,"time":"${isoTime(time)}"`;
    const quality = m.qualities?.[i];
    if (quality !== undefined && quality !== 'measured') out += `,"quality":"${quality}"`;
    const raw = m.raws?.[i];
    if (raw !== undefined) out += `,"raw":"${raw}"`;
    out += '}';
  }
  out += ']';
  if (m.error) out += `,"error":${text(m.error)}`;
  if (m.raw && (options.raw || m.error)) out += `,"raw":"${toHex(m.raw)}"`;
  return `${out}}`;
}
