/**
 * The body of `POST /api/v1/values`: readings as a small microcontroller writes them, a form (`meter=…&1.7.0=0.948+kW`) or lines of
 * `name=value unit`. Names are OBIS codes, short (`1.8.0`) or whole (`0-1:24.2.1`), or the words of the first Belgian firmware that
 * posted this way (UL1, IL1, Pcl, Pch, Ppl, Pph, Pc, Pp, Vg, Vw). The result is one canonical message.
 */
import { quantityOf } from '@amiable/cosem';
import { type Item, type Message, messageId, parseDecimal, type Unit, type Value } from '@amiable/model';
import { BodyError } from './parse.ts';

const MAX_VALUES = 200;

/** Units as people write them, whatever the case: the base unit and the power of ten to it. Nobody means milliwatts. */
const UNITS: Readonly<Record<string, readonly [Unit, number]>> = {
  w: ['W', 0],
  kw: ['W', 3],
  mw: ['W', 6],
  var: ['var', 0],
  kvar: ['var', 3],
  va: ['VA', 0],
  kva: ['VA', 3],
  v: ['V', 0],
  a: ['A', 0],
  ma: ['A', -3],
  hz: ['Hz', 0],
  wh: ['Wh', 0],
  kwh: ['Wh', 3],
  mwh: ['Wh', 6],
  varh: ['varh', 0],
  kvarh: ['varh', 3],
  m3: ['m3', 0],
  'm³': ['m3', 0],
  l: ['m3', -3],
  j: ['J', 0],
  mj: ['J', 6],
  gj: ['J', 9],
  'm3/h': ['m3/h', 0],
  'l/h': ['m3/h', -3],
  degc: ['degC', 0],
  '°c': ['degC', 0],
  c: ['degC', 0],
  bar: ['bar', 0],
  '1': ['1', 0],
};

/** Names that stand for a code and a unit. */
const SHORT: Readonly<Record<string, readonly [string, string, string?]>> = {
  UL1: ['1-0:32.7.0', 'V'],
  UL2: ['1-0:52.7.0', 'V'],
  UL3: ['1-0:72.7.0', 'V'],
  IL1: ['1-0:31.7.0', 'A'],
  IL2: ['1-0:51.7.0', 'A'],
  IL3: ['1-0:71.7.0', 'A'],
  Pch: ['1-0:1.8.1', 'kWh'],
  Pcl: ['1-0:1.8.2', 'kWh'],
  Pph: ['1-0:2.8.1', 'kWh'],
  Ppl: ['1-0:2.8.2', 'kWh'],
  Pc: ['1-0:1.7.0', 'kW'],
  Pp: ['1-0:2.7.0', 'kW'],
  Vg: ['0-1:24.2.1', 'm3', 'gasVolume'],
  Vw: ['0-2:24.2.1', 'm3', 'waterVolume'],
};
const WORDS = new Set(['api_key', 'key', 'meter', 'reader', 'port', 'time']);
const CODE = /^(?:(\d{1,3})-(\d{1,3}):)?(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?:\*(\d{1,3}))?$/;
const NUMBER = /^([+-]?\d{1,18}(?:[.,]\d{1,9})?)\s*(.{0,8})$/u;

export interface Posted {
  readonly message: Message;
  readonly rejected: readonly { readonly line: number; readonly reason: string }[];
}

function pairsOf(text: string, form: boolean): [string, string][] {
  if (form) return [...new URLSearchParams(text)].map(([name, value]) => [name.trim(), value.trim()]);
  return text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const at = line.indexOf('=');
      return at < 0 ? [line, ''] : [line.slice(0, at).trim(), line.slice(at + 1).trim()];
    });
}

/** The key that a body brings along, without reading the rest. */
export function keyIn(text: string): string | undefined {
  const found = /(?:^|[&\n\r])\s*(?:api_key|key)=([^&\s]{1,200})/.exec(text)?.[1];
  return found === undefined ? undefined : (new URLSearchParams(`key=${found}`).get('key') ?? undefined);
}

/**
 * @param form whether the body is `application/x-www-form-urlencoded`
 * @throws BodyError when there is no value in it
 */
export function parseValues(text: string, form: boolean, receivedAt: number): Posted {
  const pairs = pairsOf(text, form);
  if (pairs.length > MAX_VALUES) throw new BodyError(413, `more than ${MAX_VALUES} values in one request`);
  const given = new Map(pairs);
  const name = (key: string, fallback: string): string => {
    const value = given.get(key) ?? fallback;
    if (!/^[\w.:@ -]{1,64}$/.test(value)) throw new BodyError(422, `${key}: 1 to 64 letters, digits and . : @ - _`);
    return value;
  };
  const reader = name('reader', 'post');
  const port = name('port', 'values');
  const meterId = name('meter', reader);
  const said = given.get('time');
  const time = said === undefined ? receivedAt : /^\d{9,11}$/.test(said) ? Number(said) * 1000 : Date.parse(said);
  if (Number.isNaN(time) || (said !== undefined && !/^\d{9,11}$/.test(said) && !/(Z|[+-]\d\d:?\d\d)$/.test(said)))
    throw new BodyError(422, 'time: seconds since 1970, or ISO 8601 with Z or an offset such as 2026-11-20T14:05:00Z');
  const items: Item[] = [];
  const values: Value[] = [];
  const rejected: { line: number; reason: string }[] = [];
  pairs.forEach(([key, value], i) => {
    if (WORDS.has(key)) return;
    const read = readingOf(key, value);
    if (typeof read === 'string') rejected.push({ line: i + 1, reason: read });
    else {
      items.push(read.item);
      values.push(read.value);
    }
  });
  if (items.length === 0)
    throw new BodyError(422, rejected[0]?.reason ?? 'the body holds no value such as 1.7.0=948 W');
  const raw = new TextEncoder().encode(pairs.filter(([key]) => key !== 'api_key' && key !== 'key').join('\n'));
  const message: Message = {
    v: 1,
    id: messageId(`${reader}/${port}/${meterId}`, String(time), raw),
    reader,
    port,
    protocol: 'p1',
    list: 'values',
    meterId,
    time,
    receivedAt,
    flags: [],
    items,
    values,
  };
  return { message, rejected };
}

function readingOf(key: string, text: string): { item: Item; value: Value } | string {
  const short = SHORT[key];
  const code = CODE.exec(short?.[0] ?? key);
  if (!code) return `${JSON.stringify(key.slice(0, 40))} is no OBIS code such as 1.8.0 or 0-1:24.2.1`;
  const [, a, b = '0', c = '', d = '', e = '', f] = code;
  const medium = a ?? (c === '24' ? '0' : '1');
  const channel = medium === '0' && c === '24' ? Number(a === undefined ? 1 : b) : undefined;
  const obis = `${medium}-${channel ?? b}:${c}.${d}.${e}${f === undefined || f === '255' ? '' : `*${f}`}`;
  const number = NUMBER.exec(text);
  if (!number) return `${key}: ${JSON.stringify(text.slice(0, 40))} is no number with a unit such as 0.948 kW`;
  const parsed = parseDecimal((number[1] as string).replace(',', '.').replace('+', ''));
  if (!parsed) return `${key}: the number has too many digits`;
  const quantity = quantityOf(obis);
  const asked = ((number[2] as string) || (short?.[1] ?? '')).trim();
  const unit = asked === '' ? undefined : UNITS[asked.toLowerCase()];
  if (asked !== '' && !unit) return `${key}: the unit ${JSON.stringify(asked)} is not known`;
  const base = unit?.[0] ?? quantity.unit;
  const power = parsed.scaler + (unit?.[1] ?? 0);
  const item: Item = {
    obis,
    name: short?.[2] ?? quantity.name,
    ...(base === undefined ? {} : { unit: base }),
    scaler: Math.min(0, power),
    ...(channel === undefined ? {} : { channel }),
  };
  const grown = power <= 0 ? parsed.mantissa : BigInt(parsed.mantissa) * 10n ** BigInt(power);
  if (BigInt.asIntN(64, BigInt(grown)) !== BigInt(grown)) return `${key}: the number has too many digits`;
  const value = Number.isSafeInteger(Number(grown)) ? Number(grown) : grown;
  return { item, value };
}
