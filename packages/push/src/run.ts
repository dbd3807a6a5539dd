/**
 * Reads a message along a plan. This is the hot path: no allocation but the message, its values and what is new in it.
 */
import { toHex } from '@amiable/bytes';
import { zoneOffset } from '@amiable/calendar';
import type { Flag, Value } from '@amiable/model';
import { type ClockCache, clockText, deviationOf, isDoubtful, NO_DEVIATION, wallOf, wallToUtc } from './clock.ts';
import { makerOf } from './makers.ts';
import { PushMessage } from './message.ts';
import type { Memo, Plan } from './plan.ts';
import { KIND } from './read.ts';
import { octetsText, utf8Text } from './text.ts';

/** What stays the same for all messages of a port. */
export interface Origin {
  readonly reader: string;
  readonly port: string;
  /** Zone that the user set; goes before the market's. */
  readonly zone: string | undefined;
  readonly cache: ClockCache;
}

/** Whether the bytes have the layout of the plan; the length is known to fit. `view` is of the whole buffer under `b`. */
export function fits(plan: Plan, b: Uint8Array, view: DataView): boolean {
  const { wordsAt, words, bytesAt, bytes } = plan.pins;
  const base = b.byteOffset;
  for (let i = 0; i < wordsAt.length; i++)
    if (view.getInt32(base + (wordsAt[i] as number), true) !== words[i]) return false;
  for (let i = 0; i < bytesAt.length; i++) if (b[bytesAt[i] as number] !== bytes[i]) return false;
  return true;
}

export function runPlan(
  plan: Plan,
  b: Uint8Array,
  view: DataView,
  origin: Origin,
  receivedAt: number,
  raw: Uint8Array,
  stamp: number,
): PushMessage {
  const { cache } = origin;
  const base = b.byteOffset;
  const kinds = plan.kinds;
  const starts = plan.starts;
  const values: Value[] = plan.base.slice();
  for (let i = 0; i < kinds.length; i++) {
    const o = starts[i] as number;
    switch (kinds[i]) {
      case KIND.u32:
        values[i] = view.getUint32(base + o);
        break;
      case KIND.u16:
        values[i] = ((b[o] as number) << 8) | (b[o + 1] as number);
        break;
      case KIND.i16:
        values[i] = (((b[o] as number) << 24) >> 16) | (b[o + 1] as number);
        break;
      case KIND.constant:
        break;
      case KIND.i32:
        values[i] = view.getInt32(base + o);
        break;
      case KIND.u8:
        values[i] = b[o] as number;
        break;
      case KIND.i8:
        values[i] = ((b[o] as number) << 24) >> 24;
        break;
      case KIND.bool:
        values[i] = b[o] === 0 ? 0 : 1;
        break;
      case KIND.u64:
      case KIND.i64:
        values[i] = long64(b, o, kinds[i] === KIND.i64);
        break;
      default:
        values[i] = remembered(plan.memos[i] as Memo, kinds[i] as number, b, o, plan.ends[i] as number, plan, cache);
    }
  }

  // The message's time is the notification's, else the list's own.
  const at = plan.clock >= 0 ? plan.clock : plan.listClock;
  let wall = Number.NaN;
  let deviation = NO_DEVIATION;
  let time: number | undefined;
  let flags: readonly Flag[] = plan.flags;
  let registers: readonly number[] | undefined;
  let registerTime = Number.NaN;
  if (at >= 0) {
    wall = wallOf(b, at, cache);
    deviation = trusted(deviationOf(b, at), plan);
    const utc = utcOf(wall, deviation, b[at + 11] as number, plan, origin);
    if (!Number.isNaN(utc)) time = utc;
    if (Number.isNaN(wall) || isDoubtful(b, at)) flags = plan.flagsClockInvalid;
    if (plan.clock >= 0 && plan.listClock >= 0 && plan.registers.length > 0) {
      const list = plan.listClock;
      const listWall = wallOf(b, list, cache);
      const listDeviation = trusted(deviationOf(b, list), plan);
      const listUtc =
        time !== undefined && deviation === NO_DEVIATION && listDeviation === NO_DEVIATION
          ? besideUtc(listWall, wall, time, b[list + 11] as number, plan, origin)
          : utcOf(listWall, listDeviation, b[list + 11] as number, plan, origin);
      if (!Number.isNaN(listUtc) && listUtc !== time) {
        registers = plan.registers;
        registerTime = listUtc;
      }
    }
    if (time !== undefined) cache.after = time;
  }

  let meterId: string | undefined;
  if (plan.meterId >= 0) meterId = (values[plan.meterId] as string) || undefined;
  const message = new PushMessage(
    origin,
    plan.head,
    meterId,
    time,
    receivedAt,
    flags,
    plan.items,
    values,
    registers,
    raw,
    wall,
    deviation,
    stamp,
    registerTime,
  );
  if (plan.unknown !== undefined)
    message.raws = plan.unknown.map((place) => place && toHex(b.subarray(place.start, place.end)));
  if (plan.deviceName >= 0) message.maker = makerOf(values[plan.deviceName] as string) as string;
  return message;
}

/** The deviation, unless the list's table says that a 0 was never set. */
function trusted(deviation: number, plan: Plan): number {
  return deviation === 0 && plan.zeroDeviationIsLocal ? NO_DEVIATION : deviation;
}

/**
 * The list's clock was read seconds before its message was sent, so in the repeated hour both have the message's offset;
 * asked by itself it would be held against the message before.
 */
function besideUtc(listWall: number, wall: number, time: number, status: number, plan: Plan, origin: Origin): number {
  if (Number.isNaN(listWall)) return Number.NaN;
  const utc = time - (wall - listWall);
  const zone = origin.zone ?? plan.zone;
  if (zone !== undefined && zoneOffset(zone, utc) === listWall - utc) return utc;
  return utcOf(listWall, NO_DEVIATION, status, plan, origin);
}

function utcOf(wall: number, deviation: number, status: number, plan: Plan, origin: Origin): number {
  if (Number.isNaN(wall)) return Number.NaN;
  if (deviation !== NO_DEVIATION) return wall + deviation * 60_000;
  const zone = origin.zone ?? plan.zone;
  return zone === undefined ? Number.NaN : wallToUtc(wall, status, zone, origin.cache);
}

function remembered(
  memo: Memo,
  kind: number,
  b: Uint8Array,
  start: number,
  end: number,
  plan: Plan,
  cache: ClockCache,
): string {
  const last = memo.bytes;
  if (last.length === end - start) {
    let i = 0;
    while (i < last.length && last[i] === b[start + i]) i++;
    if (i === last.length) return memo.text;
    for (; i < last.length; i++) last[i] = b[start + i] as number;
  } else memo.bytes = b.slice(start, end);
  memo.text = textAt(kind, b, start, end, plan, cache);
  return memo.text;
}

function textAt(kind: number, b: Uint8Array, start: number, end: number, plan: Plan, cache: ClockCache): string {
  if (kind === KIND.text) return octetsText(b, start, end);
  if (kind === KIND.utf8) return utf8Text(b.subarray(start, end));
  if (kind === KIND.maybeClock) {
    const text = octetsText(b, start, end);
    if (text !== toHex(b.subarray(start, end))) return text;
  }
  const wall = wallOf(b, start, cache);
  return Number.isNaN(wall) ? toHex(b.subarray(start, end)) : clockText(wall, trusted(deviationOf(b, start), plan));
}

function long64(b: Uint8Array, o: number, signed: boolean): number | bigint {
  const high =
    ((b[o] as number) << 24) | ((b[o + 1] as number) << 16) | ((b[o + 2] as number) << 8) | (b[o + 3] as number);
  const low =
    (((b[o + 4] as number) << 24) |
      ((b[o + 5] as number) << 16) |
      ((b[o + 6] as number) << 8) |
      (b[o + 7] as number)) >>>
    0;
  const top = signed ? high : high >>> 0;
  const sum = top * 0x100000000 + low;
  return Number.isSafeInteger(sum) ? sum : (BigInt(top) << 32n) + BigInt(low);
}
