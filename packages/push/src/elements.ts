/**
 * The body of a Data-Notification as a flat row of elements: value, its place, and what the list itself says of it (OBIS,
 * scaler, unit).
 *
 * Decides: the layouts that meters use.
 * - list: values with or without their OBIS before them, flat or each in its own structure, scaler and unit behind or not
 *   (Kaifa, Aidon, Kamstrup, Landis+Gyr, Austrian lists);
 * - described: the first element is an array of (class, OBIS, attribute, index), the values follow in that order
 *   (Landis+Gyr E360, E450 and kin: COSEM push object list);
 * - attributes: each value behind an untagged attribute descriptor (Sagemcom).
 * Leaves out: what an element without OBIS means (lists.ts).
 */
import { DecodeError, Reader } from '@amiable/bytes';
import { obisFromBytes } from '@amiable/cosem';
import { Budget, type Data, type DataLimits, decodeData, decodeLength } from '@amiable/dlms';

export interface Element {
  readonly obis?: string;
  readonly data: Data;
  /** Offset of the value's tag in the APDU, and the end of the value. */
  readonly start: number;
  readonly end: number;
  readonly scaler?: number;
  /** Unit code. */
  readonly unit?: number;
}

export interface Body {
  readonly form: 'list' | 'described' | 'attributes';
  readonly elements: readonly Element[];
  /** An element could be an OBIS code with other bytes: the layout must not be learnt. */
  readonly ambiguous: boolean;
  /** The bytes end before the list does. */
  readonly truncated: boolean;
}

const LIMITS: DataLimits = { depth: 8, values: 4000 };
const OBIS_LENGTH = 6;

/** Reads the body that begins at `offset`. `lenient` keeps what stands before a cut. @throws DecodeError */
export function readBody(bytes: Uint8Array, offset: number, lenient = false): Body {
  try {
    return readTagged(bytes, offset, lenient);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    const other = readAttributes(bytes, offset) ?? readSwapped(bytes, offset);
    if (other) return other;
    throw error;
  }
}

interface Span {
  readonly start: number;
  readonly end: number;
}

function readTagged(bytes: Uint8Array, offset: number, lenient: boolean, mend = false): Body {
  const reader = new Reader(bytes, offset);
  const spans = new Map<Data, Span>();
  const budget = new Budget(LIMITS, (data, start, end) => spans.set(data, { start, end }));
  const tag = reader.u8('list');
  // A single value is a list of one.
  if (tag !== 0x01 && tag !== 0x02) {
    reader.pos = offset;
    const data = decodeData(reader, budget);
    return finish(reader, walk([data], spans), false);
  }
  const count = decodeLength(reader);
  if (count > reader.remaining && !lenient)
    throw new DecodeError('truncated', `${count} elements announced, ${reader.remaining} bytes left`, offset);
  const values: Data[] = [];
  let truncated = false;
  for (let i = 0; i < count && !truncated; i++) {
    if (mend) mendCode(bytes, reader.pos);
    try {
      values.push(decodeData(reader, budget));
    } catch (error) {
      if (!lenient || !(error instanceof DecodeError) || error.reason !== 'truncated') throw error;
      truncated = true;
      reader.pos = bytes.length;
    }
  }
  return finish(reader, describe(values, count, spans) ?? walk(values, spans), truncated);
}

function finish(reader: Reader, body: Omit<Body, 'truncated'>, truncated: boolean): Body {
  if (reader.remaining > 0)
    throw new DecodeError('trailing', `${reader.remaining} bytes follow the end of the list`, reader.pos);
  return { ...body, truncated };
}

function spanOf(spans: ReadonlyMap<Data, Span>, data: Data): Span {
  return spans.get(data) as Span;
}

function isCode(data: Data | undefined): data is Data & { readonly value: Uint8Array } {
  return data?.type === 'octet-string' && data.value.length === OBIS_LENGTH;
}

function scalerUnit(data: Data | undefined): { scaler: number; unit: number } | undefined {
  if (data?.type !== 'structure' || data.value.length !== 2) return undefined;
  const [scaler, unit] = data.value;
  return scaler?.type === 'integer' && unit?.type === 'enum' ? { scaler: scaler.value, unit: unit.value } : undefined;
}

/** Layout `list`: goes along the values, taking codes, scalers and units to the value that they belong to. */
function walk(values: readonly Data[], spans: ReadonlyMap<Data, Span>): Omit<Body, 'truncated'> {
  const found: Walked = { form: 'list', elements: [], ambiguous: false };
  walkRow(found, values, spans, false, undefined);
  return found;
}

interface Walked {
  readonly form: 'list';
  readonly elements: Element[];
  ambiguous: boolean;
}

/**
 * @param own the row is a structure inside the list
 * @param inside the compact-array around it: values in there have no place of their own
 */
function walkRow(
  found: Walked,
  row: readonly Data[],
  spans: ReadonlyMap<Data, Span>,
  own: boolean,
  inside: Span | undefined,
): void {
  for (let i = 0; i < row.length; i++) {
    const data = row[i] as Data;
    const next = row[i + 1];
    if (isCode(data) && next !== undefined) {
      // Alone in its structure the first value is the code; in a row it must look like one.
      if (data.value[OBIS_LENGTH - 1] === 0xff || (own && i === 0)) {
        const { start, end } = inside ?? spanOf(spans, next);
        const described = scalerUnit(row[i + 2]);
        const obis = obisFromBytes(data.value);
        if (described) found.elements.push({ obis, data: next, start, end, ...described });
        else found.elements.push({ obis, data: next, start, end });
        i += described ? 2 : 1;
        continue;
      }
      found.ambiguous = true;
    }
    if (data.type === 'structure' || data.type === 'array') {
      walkRow(found, data.value, spans, data.type === 'structure', inside);
      continue;
    }
    const { start, end } = inside ?? spanOf(spans, data);
    if (data.type === 'compact-array') {
      found.ambiguous = true;
      walkRow(found, data.value, spans, false, { start, end });
    } else found.elements.push({ data, start, end });
  }
}

/** Layout `described`; undefined when the first value is no object list. */
function describe(
  values: readonly Data[],
  announced: number,
  spans: ReadonlyMap<Data, Span>,
): Omit<Body, 'truncated'> | undefined {
  const list = values[0];
  if (list?.type !== 'array' || list.value.length === 0) return undefined;
  const codes: string[] = [];
  for (const entry of list.value) {
    if (entry.type !== 'structure' || entry.value.length < 3) return undefined;
    const [type, code, attribute] = entry.value;
    if (type?.type !== 'long-unsigned' || !isCode(code) || attribute?.type !== 'integer') return undefined;
    codes.push(obisFromBytes(code.value));
  }
  // The list describes itself as its own first entry, or stands before the values that it describes.
  const shift = announced - codes.length;
  if (shift !== 0 && shift !== 1) return undefined;
  const elements: Element[] = [];
  for (let i = 1; i < values.length; i++) {
    const data = values[i] as Data;
    const obis = codes[i - shift];
    elements.push({ ...(obis === undefined ? {} : { obis }), data, ...spanOf(spans, data) });
  }
  return { form: 'described', elements, ambiguous: false };
}

/**
 * Layout `attributes`: structure { enum, array of structure { class-id, instance-id, attribute-id without tags, value } }.
 * Undefined when the bytes are not so.
 */
function readAttributes(bytes: Uint8Array, offset: number): Body | undefined {
  const head = [0x02, 0x02, 0x16, undefined, 0x01];
  if (head.some((byte, i) => byte !== undefined && bytes[offset + i] !== byte)) return undefined;
  const reader = new Reader(bytes, offset + head.length);
  const budget = new Budget(LIMITS);
  const elements: Element[] = [];
  try {
    const count = decodeLength(reader);
    if (count > reader.remaining) return undefined;
    for (let i = 0; i < count; i++) {
      if (reader.u8() !== 0x02 || reader.u8() !== 0x02 || reader.u8() !== 0x00) return undefined;
      reader.skip(1, 'class');
      const obis = obisFromBytes(reader.bytes(OBIS_LENGTH));
      reader.skip(1, 'attribute');
      const start = reader.pos;
      elements.push({ obis, data: decodeData(reader, budget), start, end: reader.pos });
    }
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
  return reader.remaining === 0 ? { form: 'attributes', elements, ambiguous: false, truncated: false } : undefined;
}

/**
 * A meter (Landis+Gyr ZMF100) sends tag and length of some codes in the wrong order: `02 03 06 09` for `02 03 09 06`. Read as
 * it was meant; undefined when that does not help either.
 */
function readSwapped(bytes: Uint8Array, offset: number): Body | undefined {
  try {
    return readTagged(bytes.slice(), offset, false, true);
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

/** Turns `06 09` into `09 06` where an element of the list begins so. */
function mendCode(bytes: Uint8Array, at: number): void {
  const structure = bytes[at] === 0x02 && (bytes[at + 1] === 0x02 || bytes[at + 1] === 0x03);
  if (!structure || bytes[at + 2] !== 0x06 || bytes[at + 3] !== 0x09 || bytes[at + 9] !== 0xff) return;
  bytes[at + 2] = 0x09;
  bytes[at + 3] = 0x06;
}
