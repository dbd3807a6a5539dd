/**
 * What the objects of a telegram mean: each value becomes a cell, which says what the reading is and where its digits stand
 * (DSMR P1 5.0.2 clause 6.12, e-MUCS-P1 1.7.1 clause 5, Luxembourg P1 1.1.3; older forms from DSMR 2.2 and 3.0).
 *
 * Decides:
 * - M-Bus channels: number and kind of the device, wherever in the telegram they stand, go with all readings of the channel.
 * - 24.3.0 (DSMR 2 and 3: stamp, status, period, count, code, unit, value) also yields its value as 24.2.1 of the channel.
 * - Lists (99.97.0, 98.1.0, load profiles): one reading per entry, timed by the last stamp before its value; of a peak's two stamps
 *   that is when the peak was.
 * - A stamp that is no time says that nothing was measured: with a unit the value stands there as `missing`, without one (an
 *   unpaired Belgian or Luxembourg channel) it is left out, as empty values are.
 * - Texts and numbers of devices are decoded from hexadecimal digits; all other values are exact numbers.
 */
import { type Obis, obisGroups, printObis, quantityOf } from '@amiable/cosem';
import type { Item, Quality, Unit, Value } from '@amiable/model';
import { DIGITS, markOf, NO_MARK, wallAt } from './clock.ts';
import { channelName } from './media.ts';
import { ascii, type DataObject, type Layout, type Span } from './telegram.ts';
import { deviceNumber, messageText } from './text.ts';
import { unitOf } from './units.ts';

export const KIND = { constant: 0, number: 1, clock: 2, text: 3, message: 4 } as const;

/** Integer digits, then those behind the point; the point itself and a sign never change in a layout. */
export interface Digits {
  readonly negative: boolean;
  readonly from: number;
  readonly to: number;
  readonly fractionFrom: number;
  readonly fractionTo: number;
}

export interface Cell {
  readonly item: Item;
  readonly kind: number;
  /** Of the contents that may change; empty for constants. */
  readonly span: Span;
  readonly digits?: Digits;
  /** Of constants. */
  readonly value: Value;
  /** Where the reading's own stamp stands, -1 without one; `moving` when it may change. */
  readonly stamp: number;
  readonly moving: boolean;
  readonly quality?: Quality;
}

export interface Sense {
  readonly cells: readonly Cell[];
  /** Offset of the telegram's own stamp, -1 when it has none (DSMR 2 and 3). */
  readonly clock: number;
  readonly meterId: string | undefined;
  readonly dsmr: string | undefined;
  readonly emucs: string | undefined;
}

const CODE = /^(\d{1,3})-(\d{1,3}):(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/;

/** Addresses repeat from telegram to telegram. */
const codes = new Map<string, Obis | undefined>();
const MAX_CODES = 2048;

/** The code of an address; `1-0:31.7.0.255` is written so by some. Undefined when it is none. */
export function codeOf(address: string): Obis | undefined {
  let code = codes.get(address);
  if (code === undefined && !codes.has(address)) {
    if (codes.size >= MAX_CODES) codes.clear();
    code = parseCode(address);
    codes.set(address, code);
  }
  return code;
}

function parseCode(address: string): Obis | undefined {
  const six = CODE.exec(address);
  return obisGroups(six ? `${six[1]}-${six[2]}:${six[3]}.${six[4]}.${six[5]}*${six[6]}` : address);
}

interface Named {
  readonly object: DataObject;
  readonly address: string;
  readonly code: Obis | undefined;
}

interface Device {
  id?: string | undefined;
  type?: number | undefined;
}

export function readSense(b: Uint8Array, layout: Layout): Sense {
  const objects = layout.objects.map((object): Named => {
    const address = ascii(b, object.address).trim();
    return { object, address, code: codeOf(address) };
  });
  const devices = new Map<number, Device>();
  let clock = -1;
  let dsmr: string | undefined;
  let emucs: string | undefined;
  const ids: (string | undefined)[] = [];
  for (const { object, code } of objects) {
    const first = object.values[0];
    if (!code || !first) continue;
    const { a, b: channel, c, d, e } = code;
    if (a === 1 && c === 0 && d === 2 && e === 8) dsmr ??= ascii(b, first);
    if (a !== 0) continue;
    if (c === 1 && d === 0 && e === 0 && channel === 0 && clock < 0 && isStamp(b, first)) clock = first.start;
    if (c === 96 && d === 1 && e === 4 && channel === 0) emucs ??= ascii(b, first);
    const rank = channel === 0 ? ID_CODES.indexOf(`${c}.${d}.${e}`) : -1;
    if (rank >= 0) ids[rank] ??= deviceNumber(ascii(b, first));
    if (channel === 0) continue;
    let device = devices.get(channel);
    if (!device) {
      device = {};
      devices.set(channel, device);
    }
    if (c === 24 && d === 1) device.type ??= numberOr(ascii(b, first));
    if (c === 96 && d === 1 && e <= 1) device.id ??= deviceNumber(ascii(b, first));
  }
  const cells: Cell[] = [];
  for (const named of objects) {
    const device = named.code?.a === 0 ? devices.get(named.code.b) : undefined;
    readObject(b, named, device, cells);
  }
  return { cells, clock, meterId: ids.find((id) => id !== undefined), dsmr, emucs };
}

/** What names the meter, the best first. */
const ID_CODES = ['96.1.1', '96.1.0', '42.0.0'];

const numberOr = (text: string): number | undefined => (/^\d{1,6}$/.test(text) ? Number(text) : undefined);

function isStamp(b: Uint8Array, { start, end }: Span): boolean {
  const extra = end - start - DIGITS;
  if (extra !== 0 && !(extra === 1 && markOf(b[end - 1] as number) !== NO_MARK)) return false;
  for (let i = start; i < start + DIGITS; i++) if (!isDigit(b[i] as number)) return false;
  return true;
}

const isDigit = (octet: number): boolean => octet >= 0x30 && octet <= 0x39;

/** Codes whose values are text whatever they look like: numbers of devices, messages, versions. */
const isText = ({ a, c, d }: Obis): boolean =>
  (a === 0 && c === 42) || (a <= 1 && ((c === 96 && (d === 1 || d === 13)) || (c === 0 && (d <= 2 || d === 9))));

function readObject(b: Uint8Array, { object, address, code }: Named, device: Device | undefined, cells: Cell[]): void {
  const { values } = object;
  const context: Context = { b, address, code, device, cells };
  if (code && isText(code)) {
    const first = values[0];
    if (first) textCell(context, first);
    return;
  }
  if (code?.a === 0 && code.c === 1 && code.d === 0) {
    const first = values[0];
    if (first) clockCell(context, first);
    return;
  }
  if (code?.a === 0 && code.c === 24 && code.d === 3) oldChannel(context, values);
  else if (code && (code.c === 98 || code.c === 99)) list(context, values);
  else plain(context, values);
}

interface Context {
  readonly b: Uint8Array;
  readonly address: string;
  readonly code: Obis | undefined;
  readonly device: Device | undefined;
  readonly cells: Cell[];
}

// --- kinds of objects -----------------------------------------------------------------------------------------------

function textCell(context: Context, span: Span): void {
  const { b, code } = context;
  const { c, d, e } = code as Obis;
  const sent = ascii(b, span);
  const item = itemOf(context, code, undefined, 0);
  if (c === 96 && d === 13) {
    context.cells.push({ item, kind: KIND.message, span, value: '', stamp: -1, moving: false });
    return;
  }
  if (span.end === span.start) return;
  // Numbers of devices and versions decide what other things are called, so they may not change in a layout.
  const decides = (c === 96 && d === 1) || c === 42 || (c === 0 && d === 2 && e === 8);
  const value = c === 96 || c === 42 ? (deviceNumber(sent) ?? sent) : sent;
  context.cells.push({ item, kind: decides ? KIND.constant : KIND.text, span, value, stamp: -1, moving: false });
}

function clockCell(context: Context, span: Span): void {
  const item = itemOf(context, context.code, undefined, 0);
  const readable = isStamp(context.b, span) && !Number.isNaN(wallAt(context.b, span.start));
  if (span.end === span.start) return;
  context.cells.push({
    item,
    kind: readable ? KIND.clock : KIND.constant,
    span,
    value: ascii(context.b, span),
    stamp: -1,
    moving: false,
  });
}

/** 24.3.0 of DSMR 2 and 3. */
function oldChannel(context: Context, values: readonly Span[]): void {
  const { b, code } = context;
  const texts = values.map((span) => ascii(b, span));
  const unitAt = texts.findIndex((text, i) => i > 0 && unitOf(text) !== undefined && !/\d/.test(text[0] ?? ''));
  const value = values.at(-1);
  const stamp = values[0];
  if (!value || !stamp || values.length < 2 || unitAt === values.length - 1) return;
  const sense = unitAt < 0 ? undefined : unitOf(texts[unitAt] as string);
  const digits = digitsOf(b, value);
  if (!digits) return;
  const stamped = isStamp(b, stamp);
  const at = stamped && !Number.isNaN(wallAt(b, stamp.start)) ? stamp.start : -1;
  const scaler = (sense?.power ?? 0) - (digits.fractionTo - digits.fractionFrom);
  for (const of of [code as Obis, { ...(code as Obis), d: 2, e: 1 }]) {
    const item = itemOf(context, of, sense?.unit, scaler);
    pushNumber(context, item, value, digits, at, true, stamped && at < 0);
  }
}

/** 99.97.0, 98.1.0 and load profiles: count, codes of the columns, then the entries. */
function list(context: Context, values: readonly Span[]): void {
  const { b } = context;
  const columns: Obis[] = [];
  let at = 1;
  for (; at < values.length; at++) {
    const text = ascii(b, values[at] as Span);
    const column = /^\d+-\d+:/.test(text) ? codeOf(text) : undefined;
    if (!column) break;
    columns.push(column);
  }
  while (at < values.length) {
    let stamp: Span | undefined;
    for (; at < values.length && isStamp(b, values[at] as Span); at++) stamp = values[at];
    const entry: Span[] = [];
    for (; at < values.length && !isStamp(b, values[at] as Span); at++) entry.push(values[at] as Span);
    entry.forEach((span, i) => {
      const column = columns.length > 1 && columns.length === entry.length ? columns[i] : context.code;
      valueCell(context, column, span, stamp, 0, false);
    });
  }
}

/** Stamp and value, value alone, or several values. */
function plain(context: Context, values: readonly Span[]): void {
  let stamp: Span | undefined;
  let index = 0;
  values.forEach((span, i) => {
    const last = i === values.length - 1;
    if (isStamp(context.b, span) && (!last || markOf(context.b[span.end - 1] as number) !== NO_MARK)) {
      if (!last) stamp = span;
      else if (i === 0) constant(context, ascii(context.b, span));
      return;
    }
    if (valueCell(context, context.code, span, stamp, index, true)) index++;
  });
}

// --- values ---------------------------------------------------------------------------------------------------------

/** False when there is nothing to tell. `moves`: in the next telegram of this layout it may be another. */
function valueCell(
  context: Context,
  code: Obis | undefined,
  span: Span,
  stamp: Span | undefined,
  index: number,
  moves: boolean,
): boolean {
  const { b } = context;
  if (span.end === span.start) return false;
  let star = span.start;
  while (star < span.end && b[star] !== STAR) star++;
  const number = { start: span.start, end: star };
  const digits = digitsOf(b, number);
  const written = star + 1 < span.end ? ascii(b, { start: star + 1, end: span.end }) : undefined;
  const sense = written === undefined ? undefined : unitOf(written);
  if (!digits || (written !== undefined && !sense)) {
    constant(context, ascii(b, span), index);
    return true;
  }
  const at = stamp && !Number.isNaN(wallAt(b, stamp.start)) ? stamp.start : -1;
  const never = stamp !== undefined && at < 0;
  const unpaired = code?.a === 0 && code.c === 24 && code.d === 2;
  if (!sense && (never || (stamp !== undefined && unpaired))) return false;
  const unit = sense?.unit ?? (code && quantityOf(printObis(code)).unit === '1' ? '1' : undefined);
  const scaler = (sense?.power ?? 0) - (digits.fractionTo - digits.fractionFrom);
  const item = itemOf(context, code, unit, scaler, index);
  // The type of a device decides what its values are called.
  const decides = code?.a === 0 && code.c === 24 && code.d === 1;
  pushNumber(context, item, number, digits, at, moves && !decides, never);
  return true;
}

const STAR = 0x2a;
const MINUS = 0x2d;
const POINT = 0x2e;
/** So many digits always fit a number exactly. */
const SAFE_DIGITS = 15;
const MAX_DIGITS = 18;

function digitsOf(b: Uint8Array, { start, end }: Span): Digits | undefined {
  const negative = b[start] === MINUS;
  const from = negative ? start + 1 : start;
  let to = from;
  while (to < end && isDigit(b[to] as number)) to++;
  const fractionFrom = to < end && b[to] === POINT ? to + 1 : to;
  let fractionTo = fractionFrom;
  while (fractionTo < end && isDigit(b[fractionTo] as number)) fractionTo++;
  const count = to - from + fractionTo - fractionFrom;
  return fractionTo === end && count > 0 && count <= MAX_DIGITS
    ? { negative, from, to, fractionFrom, fractionTo }
    : undefined;
}

function pushNumber(
  context: Context,
  item: Item,
  span: Span,
  digits: Digits,
  stamp: number,
  moves: boolean,
  never: boolean,
): void {
  const count = digits.to - digits.from + digits.fractionTo - digits.fractionFrom;
  const moving = moves && count <= SAFE_DIGITS;
  const value = moving ? 0 : mantissaOf(context.b, span);
  context.cells.push({
    item,
    kind: moving ? KIND.number : KIND.constant,
    span,
    ...(moving ? { digits } : {}),
    value,
    stamp,
    moving,
    ...(never ? { quality: 'missing' as const } : {}),
  });
}

function mantissaOf(b: Uint8Array, span: Span): number | bigint {
  const big = BigInt(ascii(b, span).replace('.', ''));
  return Number.isSafeInteger(Number(big)) ? Number(big) : big;
}

function constant(context: Context, value: string, index = 0): void {
  const item = itemOf(context, context.code, undefined, 0, index);
  context.cells.push({ item, kind: KIND.constant, span: { start: 0, end: 0 }, value, stamp: -1, moving: false });
}

/** Of which text a cell of kind `message` is made. */
export const spokenText = messageText;

// --- names ----------------------------------------------------------------------------------------------------------

/** Equal items are one object. */
const items = new Map<string, Item>();
const MAX_ITEMS = 4096;

function itemOf(context: Context, code: Obis | undefined, unit: Unit | undefined, scaler: number, index = 0): Item {
  const { address, device } = context;
  const other = code === context.code || code === undefined ? '' : printObis(code);
  const key = `${address}\n${other}\n${unit}\n${scaler}\n${index}\n${device?.id}\n${device?.type}`;
  let item = items.get(key);
  if (item === undefined) {
    if (items.size >= MAX_ITEMS) items.clear();
    item = makeItem(context, code, unit, scaler, index);
    items.set(key, item);
  }
  return item;
}

function makeItem(
  context: Context,
  code: Obis | undefined,
  unit: Unit | undefined,
  scaler: number,
  index: number,
): Item {
  const { address, device } = context;
  const obis = code && printObis(code);
  const channel = code?.a === 0 && code.b > 0 && (code.c === 24 || code.c === 96) ? code.b : undefined;
  const name = nameOf(code, obis, unit, device);
  return Object.freeze({
    ...(obis === undefined ? {} : { obis }),
    address,
    name: index === 0 ? name : name === 'currentLimit' ? 'currentLimitExport' : `${name}${index + 1}`,
    ...(unit === undefined ? {} : { unit }),
    scaler,
    ...(channel === undefined ? {} : { channel }),
    ...(channel === undefined || device?.id === undefined ? {} : { deviceId: device.id }),
  });
}

function nameOf(code: Obis | undefined, obis: string | undefined, unit: Unit | undefined, device?: Device): string {
  if (!code || obis === undefined) return 'unknown';
  const { a, b, c, d, e } = code;
  if (a === 0 && c === 24 && (d === 2 || d === 3)) return channelName(device?.type, unit, d === 2 ? e : 1);
  if (a === 0 && c === 96 && d === 1 && e <= 1) return b === 0 ? 'meterId' : 'deviceId';
  if (a === 0 && c === 96 && d === 1 && e === 2) return 'meteringPointId';
  // A limit in ampere is one of current, whatever the code.
  if (a === 0 && c === 17 && unit === 'A') return 'currentLimit';
  return quantityOf(obis).name;
}
