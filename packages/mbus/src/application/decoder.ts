/**
 * The stream of a wired M-Bus to canonical messages: the decoder of a port. Bytes may be cut anywhere; what is refused is told.
 *
 * Decides: only answers of slaves are read; what a master says is counted as `direction`. An application error (CI 70) is a message with
 * that error. A telegram that no key opens is a message with its sender. With `bad`, what was refused comes as a message too: with the records
 * before the fault, flag `truncated`, or with flag `checksumBad` where only the check sum is wrong.
 */
import { DecodeError, type Drop } from '@amiable/bytes';
import {
  type Flag,
  type Item,
  isClockWrong,
  type PortCounters,
  type PortDecoder,
  type PortOptions,
  type PortSink,
  type Value,
} from '@amiable/model';
import { driversFor } from '../drivers/index.ts';
import { LONG_OVERHEAD, longFrameAt } from '../frame.ts';
import { PRM } from '../link.ts';
import { createMbusReceiver } from '../receiver.ts';
import { APPLICATION_ERRORS } from '../slave/errors.ts';
import { extrasOf, joined } from '../wireless/extras.ts';
import { decodeFixed } from './fixed.ts';
import { identificationAt, MEDIA, manufacturerOf } from './header.ts';
import { MbusMessage, type MessageContext, NO_FLAGS, type Sender } from './message.ts';
import type { Columns } from './read.ts';
import { formOf, headerLength, modeOf, openRecords } from './telegram.ts';
import { createTelegramReader } from './telegram-reader.ts';
import type { MbusKeys } from './types.ts';

export interface MbusDecoderOptions extends PortOptions {
  readonly keys?: MbusKeys | undefined;
}

/** What is remembered of a slave. */
interface KnownSender extends Sender {
  /** Octets 4 to 7 of its secondary address. */
  readonly rest: number;
  /** A driver may know what its maker puts in. */
  readonly driven: boolean;
  /** It has shown that its clock marks summer time. */
  marks: boolean;
  /** UTC of its last message. */
  after: number | undefined;
}

const NOBODY: KnownSender = {
  maker: undefined,
  meterId: undefined,
  meterType: undefined,
  rest: 0,
  driven: false,
  marks: false,
  after: undefined,
};
const NO_ITEMS: readonly Item[] = [];
const NO_VALUES: readonly Value[] = [];
const ALARM_ITEMS: readonly Item[] = [
  { name: 'alarmStatus', scaler: 0, storage: 0, tariff: 0, subunit: 0, function: 'instantaneous' },
];
const MAX_SENDERS = 1024;
/** Octets of the memory that messages share for their raw bytes: one array each would cost more than the copying. */
const SLAB = 16_384;
/** Frame, without its data: 68 L L 68 C A CI. */
const DATA_AT = 7;
const TRAILER = 2;
const EMPTY = new Uint8Array(0);

export function createMbusDecoder(options: MbusDecoderOptions, sink: PortSink): PortDecoder {
  const { reader, port, zone, now, live = false, bad = false, keys } = options;
  const counters: PortCounters = { bytes: 0, frames: 0, good: 0, sealed: 0, dropped: {}, noise: 0 };
  const telegrams = createTelegramReader();
  const senders = new Map<number, KnownSender>();
  const receiver = createMbusReceiver({ frame() {}, frameAt, drop: refusedFrame });
  let slab = EMPTY;
  let used = SLAB;
  let receivedAt = -1;
  let sequence = 0;

  function frameAt(buf: Uint8Array, start: number, end: number, offset: number): void {
    counters.frames++;
    if (((buf[start + 4] as number) & PRM) !== 0) refuse('direction', 4, keep(buf, start, end), offset);
    else take(keep(buf, start, end), offset, undefined);
  }

  /** A copy that stays. */
  function keep(buf: Uint8Array, start: number, end: number): Uint8Array {
    const from = used + end - start > SLAB ? 0 : used;
    if (from === 0) slab = new Uint8Array(SLAB);
    used = from + end - start;
    // Frames are short: a call of set would take as long.
    for (let i = start, to = from; i < end; i++, to++) slab[to] = buf[i] as number;
    return slab.subarray(from, used);
  }

  /** A whole frame; `refused` is why it should not be believed. */
  function take(raw: Uint8Array, offset: number, refused: string | undefined): void {
    const ci = raw[6] as number;
    const form = formOf(ci);
    if (form === undefined) {
      if (refused === undefined) refuse('ci', 6, raw, offset);
      else empty(refused, raw.length - TRAILER, raw, NOBODY);
      return;
    }
    const end = raw.length - TRAILER;
    const start = DATA_AT + headerLength(form);
    if (start > end) {
      if (refused === undefined) refuse('truncated', end, raw, offset);
      else empty(refused, end, raw, NOBODY);
      return;
    }
    const sender = form.header === 'long' ? senderAt(raw, form.msbFirst) : NOBODY;
    switch (form.content) {
      case 'records':
        records(raw, start, end, sender, form, offset, refused);
        break;
      case 'fixed':
        fixed(raw, end, form.msbFirst, offset, refused);
        break;
      case 'error':
        applicationError(raw, start, end, sender, refused);
        break;
      case 'alarm':
        alarm(raw, start, end, sender, refused);
    }
  }

  function senderAt(raw: Uint8Array, msbFirst: boolean): KnownSender {
    const at = DATA_AT;
    const b = msbFirst ? swapped(raw) : raw;
    const o = msbFirst ? 0 : at;
    const id =
      (b[o] as number) | ((b[o + 1] as number) << 8) | ((b[o + 2] as number) << 16) | ((b[o + 3] as number) << 24);
    const rest =
      (b[o + 4] as number) | ((b[o + 5] as number) << 8) | ((b[o + 6] as number) << 16) | ((b[o + 7] as number) << 24);
    const known = senders.get(id);
    if (known !== undefined && known.rest === rest) return known;
    if (senders.size >= MAX_SENDERS) senders.clear();
    const maker = manufacturerOf((b[o + 4] as number) | ((b[o + 5] as number) << 8));
    const sender: KnownSender = {
      maker,
      meterId: identificationAt(b, o),
      meterType: MEDIA[b[o + 7] as number],
      rest,
      driven: driversFor(maker, b[o + 6] as number, b[o + 7] as number).length > 0,
      marks: false,
      after: undefined,
    };
    senders.set(id, sender);
    return sender;
  }

  function records(
    raw: Uint8Array,
    at: number,
    last: number,
    sender: KnownSender,
    { msbFirst, header }: { msbFirst: boolean; header: string },
    offset: number,
    refused: string | undefined,
  ): void {
    let bytes = raw;
    let start = at;
    let end = last;
    let columns: Columns;
    try {
      const configuration =
        header === 'long' && !msbFirst ? (raw[at - 2] as number) | ((raw[at - 1] as number) << 8) : 0;
      if (modeOf(configuration) !== 0) {
        const identity = { identification: sender.meterId ?? '', manufacturer: sender.maker ?? '' };
        const opened = openRecords(raw, DATA_AT, end, configuration, identity, keys);
        if ('sealed' in opened) {
          counters.sealed++;
          empty(opened.sealed, undefined, raw, sender);
          return;
        }
        ({ bytes, start, end } = opened);
      }
      columns = telegrams.read(bytes, start, end, msbFirst);
    } catch (e) {
      if (!(e instanceof DecodeError)) throw e;
      if (refused !== undefined) empty(refused, raw.length - TRAILER, raw, sender);
      else partly(e, bytes, start, end, msbFirst, raw, sender, offset);
      return;
    }
    const message = messageOf(columns, bytes, start, raw, sender, NO_FLAGS);
    if (refused === undefined) good(message);
    else tellRefused(message, refused, raw.length - TRAILER);
  }

  function messageOf(
    { layout, items, values, qualities }: Columns,
    bytes: Uint8Array,
    start: number,
    raw: Uint8Array,
    sender: KnownSender,
    flags: readonly Flag[],
  ): MbusMessage {
    const { clock } = layout;
    const context: MessageContext = {
      reader,
      port,
      protocol: 'mbus',
      receivedAt: receipt(),
      raw,
      stamp: live ? receipt() : sequence++,
      zone,
      flags,
      hints: clock >= 0 && zone !== undefined ? hintsOf(layout.slots[clock]!, bytes, start, sender) : undefined,
    };
    const message = new MbusMessage(context, sender, items, values, qualities, clock, layout.timedBy);
    if (layout.special === 'profile' || (layout.special === 'maker' && sender.driven)) {
      const { maker = '', rest } = sender;
      const extras = extrasOf(layout, bytes, start, maker, (rest >> 16) & 0xff, rest >>> 24);
      if (extras) {
        Object.assign(message, joined(items, values, qualities, extras));
        if (extras.list !== undefined) message.list = extras.list;
      }
    }
    if (message.time !== undefined) sender.after = message.time;
    return message;
  }

  /** What tells the two faces of the repeated hour apart: the meter's mark, else the time of receipt, else its message before. */
  function hintsOf(
    slot: { readonly at: number; readonly length: number },
    bytes: Uint8Array,
    start: number,
    sender: KnownSender,
  ): MessageContext['hints'] {
    const summer = slot.length === 4 && ((bytes[start + slot.at + 1] as number) & 0x80) !== 0;
    if (summer) sender.marks = true;
    const after = live ? receipt() - 1_800_000 : sender.after;
    return {
      ...(sender.marks && slot.length === 4 && { dst: summer }),
      ...(after !== undefined && { after }),
    };
  }

  function good(message: MbusMessage): void {
    counters.good++;
    if (live && isClockWrong(options, message.time, message.receivedAt)) message.addFlag('clockWrong');
    sink.message(message);
  }

  function tellRefused(message: MbusMessage, reason: string, offset: number): void {
    message.error = { reason, offset };
    if (reason === 'checksum') message.addFlag('checksumBad');
    sink.message(message);
  }

  /** A good frame whose records end in the middle: what comes before is shown to who wants to see bad ones. */
  function partly(
    fault: DecodeError,
    bytes: Uint8Array,
    start: number,
    end: number,
    msbFirst: boolean,
    raw: Uint8Array,
    sender: KnownSender,
    offset: number,
  ): void {
    drop(fault.reason, raw, offset);
    if (!bad) return;
    const { columns } = telegrams.readPartly(bytes, start, end, msbFirst);
    const message = messageOf(columns, bytes, start, raw, sender, ['truncated']);
    message.error = { reason: fault.reason, offset: bytes === raw ? fault.offset : start };
    sink.message(message);
  }

  function fixed(raw: Uint8Array, end: number, msbFirst: boolean, offset: number, refused: string | undefined): void {
    try {
      const data = decodeFixed(raw, DATA_AT, end, msbFirst);
      const sender = { maker: undefined, meterId: data.identification, meterType: data.medium };
      const message = bare(raw, sender, data.items, data.values, data.qualities);
      if (refused === undefined) good(message);
      else tellRefused(message, refused, end);
    } catch (e) {
      if (!(e instanceof DecodeError)) throw e;
      if (refused === undefined) refuse(e.reason, e.offset, raw, offset);
      else empty(refused, end, raw, NOBODY);
    }
  }

  function applicationError(
    raw: Uint8Array,
    start: number,
    end: number,
    sender: Sender,
    refused: string | undefined,
  ): void {
    const code = start < end ? (raw[start] as number) : 0;
    const text = APPLICATION_ERRORS[code] ?? `code ${code}`;
    empty(refused ?? `application error: ${text}`, refused === undefined ? start - 1 : end, raw, sender);
  }

  function alarm(raw: Uint8Array, start: number, end: number, sender: Sender, refused: string | undefined): void {
    const value = start < end ? (raw[start] as number) : 0;
    const message = bare(raw, sender, ALARM_ITEMS, [value], undefined);
    if (refused === undefined) good(message);
    else tellRefused(message, refused, end);
  }

  function bare(
    raw: Uint8Array,
    sender: Sender,
    items: readonly Item[],
    values: readonly Value[],
    qualities: MbusMessage['qualities'],
  ): MbusMessage {
    const stamp = live ? receipt() : sequence++;
    const context: MessageContext = { reader, port, protocol: 'mbus', receivedAt: receipt(), raw, stamp, zone };
    return new MbusMessage(context, sender, items, values, qualities, -1, undefined);
  }

  /** A message that says nothing but why. */
  function empty(reason: string, at: number | undefined, raw: Uint8Array, sender: Sender): void {
    const message = bare(raw, sender, NO_ITEMS, NO_VALUES, undefined);
    message.error = at === undefined ? { reason } : { reason, offset: at };
    sink.message(message);
  }

  function receipt(): number {
    if (receivedAt < 0) receivedAt = now();
    return receivedAt;
  }

  function drop(reason: string, raw: Uint8Array, offset: number): void {
    counters.dropped[reason] = (counters.dropped[reason] ?? 0) + 1;
    sink.drop({ reason, offset, length: raw.length, excerpt: raw.slice() });
  }

  function refuse(reason: string, at: number, raw: Uint8Array, offset: number): void {
    drop(reason, raw, offset);
    if (bad) empty(reason, at, raw, NOBODY);
  }

  /** What the link refused. */
  function refusedFrame(d: Drop): void {
    counters.dropped[d.reason] = (counters.dropped[d.reason] ?? 0) + 1;
    sink.drop(d);
    if (!bad || d.reason === 'noise') return;
    if (d.reason !== 'checksum' || d.excerpt.length < LONG_OVERHEAD + 3) {
      empty(d.reason, d.length, d.excerpt, NOBODY);
      return;
    }
    if ((longFrameAt(d.excerpt, 0).control & PRM) !== 0) empty(d.reason, d.length - TRAILER, d.excerpt, NOBODY);
    else take(d.excerpt, d.offset, d.reason);
  }

  const settle = (end: () => void): void => {
    receivedAt = -1;
    end();
    counters.noise = receiver.counters.noise;
  };

  return {
    counters,
    push(bytes) {
      counters.bytes += bytes.length;
      receivedAt = -1;
      receiver.push(bytes);
      counters.noise = receiver.counters.noise;
    },
    idle: () => settle(receiver.idle),
    end: () => settle(receiver.end),
  };
}

/** Secondary address of a mode 2 header, in the order of mode 1. */
function swapped(raw: Uint8Array): Uint8Array {
  const at = DATA_AT;
  return Uint8Array.of(
    raw[at + 3]!,
    raw[at + 2]!,
    raw[at + 1]!,
    raw[at]!,
    raw[at + 5]!,
    raw[at + 4]!,
    raw[at + 6]!,
    raw[at + 7]!,
  );
}
