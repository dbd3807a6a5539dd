/**
 * The decoder of a wireless M-Bus receiver: the stream of a stick, or frames one by one, to canonical messages.
 *
 * Decides: that a message is made of each frame that can be read; that one which no key opens is a message with an error and its
 * bytes; that compact frames are read by what their meter has sent in full; that a maker's own payload without a driver stays hex.
 * Times are local as the meter says them. Never throws; nothing is dropped silently.
 */
import { DecodeError } from '@amiable/bytes';
import {
  type Flag,
  type Item,
  isClockWrong,
  type PortCounters,
  type PortDecoder,
  type PortOptions,
  type PortSink,
  type Quality,
  type Value,
} from '@amiable/model';
import { MEDIA } from '../application/header.ts';
import { type Layout, layOutPartly } from '../application/layout.ts';
import { MbusMessage, type MessageContext, type Sender } from '../application/message.ts';
import { readAlong, readingOf } from '../application/read.ts';
import type { MbusKeys } from '../application/types.ts';
import { diehlKind } from '../drivers/diehl.ts';
import { driversFor } from '../drivers/index.ts';
import type { DriverReading } from '../drivers/types.ts';
import type { MbusCrypto } from './aes.ts';
import { createFormatMemory } from './compact.ts';
import { createFragmentJoiner } from './fragments.ts';
import { decodeWirelessFrame, type WirelessForm } from './frame.ts';
import { openEnvelope, openTelegram, openTransport, type Telegram } from './open.ts';
import { createStickDecoder, type Wrapping } from './sticks.ts';

export interface WmbusOptions extends PortOptions {
  readonly keys?: MbusKeys | undefined;
  /** Software unless given. */
  readonly crypto?: MbusCrypto | undefined;
  /** How the stick wraps frames; found out unless said. */
  readonly wrapping?: Wrapping | undefined;
}

export interface FrameFacts {
  readonly form?: WirelessForm | undefined;
  /** Signal strength, dBm. */
  readonly strength?: number | undefined;
  /** Where it stands in the stream. */
  readonly offset?: number | undefined;
}

export interface WmbusDecoder extends PortDecoder {
  /** One frame from L on, with or without link CRCs. */
  frame(bytes: Uint8Array, facts?: FrameFacts): void;
}

interface Columns {
  items: readonly Item[];
  values: Value[];
  qualities: readonly (Quality | undefined)[] | undefined;
  clock: number;
  storageClocks: Int32Array | undefined;
  /** Why not all could be read. */
  fault?: DecodeError | undefined;
  flag?: Flag | undefined;
  list?: string | undefined;
}

const NO_ITEMS: readonly Item[] = [];
const STRENGTH: Item = { name: 'signalStrength', unit: 'dBm', scaler: -1 };
const PAYLOAD: Item = { name: 'manufacturerData', scaler: 0 };

export function createWmbusDecoder(options: WmbusOptions, sink: PortSink): WmbusDecoder {
  const { now, live = false, bad = false } = options;
  const counters: PortCounters = { bytes: 0, frames: 0, good: 0, sealed: 0, dropped: {}, noise: 0 };
  const formats = createFormatMemory();
  const fragments = createFragmentJoiner();
  let sequence = 0;

  const stick = createStickDecoder(options.wrapping ?? 'auto', {
    frame(line, offset) {
      if (line.damaged) refuse('crc', undefined, line.bytes, offset);
      else take(line.bytes, { form: line.form, strength: line.strength, offset });
    },
    drop(d) {
      counters.dropped[d.reason] = (counters.dropped[d.reason] ?? 0) + 1;
      if (d.reason === 'noise') counters.noise += d.length;
      sink.drop(d);
      if (bad && d.reason !== 'noise') empty({ reason: d.reason }, undefined, d.excerpt);
    },
  });

  function context(raw: Uint8Array, flags?: readonly Flag[]): MessageContext {
    const receivedAt = now();
    return {
      reader: options.reader,
      port: options.port,
      protocol: 'wmbus',
      receivedAt,
      raw,
      stamp: live ? receivedAt : sequence,
      zone: options.zone,
      flags,
    };
  }

  function refuse(reason: string, at: number | undefined, raw: Uint8Array, offset: number): void {
    counters.dropped[reason] = (counters.dropped[reason] ?? 0) + 1;
    sink.drop({ reason, offset, length: raw.length, excerpt: raw });
    if (bad) empty(at === undefined ? { reason } : { reason, offset: at }, undefined, raw);
  }

  /** A message that says nothing but why. */
  function empty(error: { reason: string; offset?: number }, telegram: Telegram | undefined, raw: Uint8Array): void {
    const message = new MbusMessage(context(raw), senderOf(telegram), NO_ITEMS, [], undefined, -1, undefined);
    message.error = error;
    sink.message(message);
  }

  /** @param input from L on; kept */
  function take(input: Uint8Array, { form, strength, offset = 0 }: FrameFacts): void {
    sequence++;
    try {
      const frame = decodeWirelessFrame(input, form);
      counters.frames++;
      const diehl = diehlKind(frame.bytes);
      let telegram: Telegram;
      if (diehl !== undefined && diehl !== 'standard') telegram = openTelegram(frame.bytes, options);
      else {
        const envelope = openEnvelope(frame.bytes, options);
        const joined = envelope.sealed ? { envelope, frames: 1 } : fragments.push(envelope);
        for (let n = fragments.lost(); n > 0; n--) refuse('fragment', undefined, input, offset);
        if (!joined) return;
        telegram = openTransport(joined.envelope, options);
      }
      if (telegram.sealed) {
        counters.sealed++;
        empty({ reason: telegram.sealed }, telegram, input);
        return;
      }
      read(telegram, input, strength);
    } catch (e) {
      if (!(e instanceof DecodeError)) throw e;
      refuse(e.reason, e.offset, input, offset);
    }
  }

  function read(telegram: Telegram, raw: Uint8Array, strength: number | undefined): void {
    const columns = columnsOf(telegram);
    if (!columns) {
      counters.sealed++;
      empty({ reason: 'noFormat' }, telegram, raw);
      return;
    }
    counters.good++;
    if (strength !== undefined) {
      columns.items = [...columns.items, STRENGTH];
      columns.values.push(Math.round(strength * 10));
    }
    const message = new MbusMessage(
      context(raw),
      senderOf(telegram),
      columns.items,
      columns.values,
      columns.qualities,
      columns.clock,
      columns.storageClocks,
    );
    if (columns.list !== undefined) message.list = columns.list;
    if (columns.flag) message.addFlag(columns.flag);
    if (telegram.authentic === false) message.addFlag('notAuthenticated');
    if (isClockWrong(options, message.time, message.receivedAt)) message.addFlag('clockWrong');
    sink.message(message);
  }

  /** @throws DecodeError @returns undefined for a compact frame whose format is not known */
  function columnsOf(t: Telegram): Columns | undefined {
    const { bytes, start } = t;
    switch (t.content) {
      case 'records': {
        formats.learn(t.identification, bytes, start, bytes.length);
        return recordColumns(t, bytes, start);
      }
      case 'compact': {
        const payload = bytes.subarray(start + (bytes[start] === 0x2f && bytes[start + 1] === 0x2f ? 2 : 0));
        const expanded = formats.expand(t.identification, payload);
        if (!expanded) return undefined;
        const columns = recordColumns(t, expanded.full, 0);
        return expanded.proved ? columns : { ...columns, flag: 'unknownList' };
      }
      case 'format': {
        const length = bytes[start] as number;
        formats.learnFormat(t.identification, bytes.subarray(start + 3, start + 1 + length));
        return empties();
      }
      case 'maker':
        return makerColumns(t);
      case 'error':
        throw new DecodeError('applicationError', `the meter reports an application error`, start);
      case 'unknown':
        throw new DecodeError('ci', 'nothing known is announced', start);
      default:
        // Commands, clocks, alarms, DLMS: kept as octets.
        return payloadColumns(bytes, start);
    }
  }

  function recordColumns(t: Telegram, bytes: Uint8Array, start: number): Columns {
    const { layout, fault } = layOutPartly(bytes, start, bytes.length, false);
    if (fault && layout.slots.length === 0) throw fault;
    const { items, values, qualities } = readAlong(readingOf(layout), bytes, start);
    const columns: Columns = {
      items,
      values,
      qualities,
      clock: layout.clock,
      storageClocks: layout.storageClocks,
      fault,
      flag: fault ? 'truncated' : undefined,
    };
    const tail = tailOf(layout, bytes, start);
    if (tail) addDriver(columns, t, tail.bytes, tail.start, tail.end);
    return columns;
  }

  function addDriver(columns: Columns, t: Telegram, bytes: Uint8Array, start: number, end: number): void {
    const known = drive('tail', t, bytes, start, end);
    if (!known) return;
    columns.items = [...columns.items, ...known.readings.map((r) => r.item)];
    columns.values.push(...known.readings.map((r) => r.value));
    columns.list = known.name;
  }

  function makerColumns(t: Telegram): Columns {
    const known = drive('maker', t, t.bytes, t.start, t.bytes.length);
    if (!known) return payloadColumns(t.bytes, t.start);
    return {
      ...empties(),
      items: known.readings.map((r) => r.item),
      values: known.readings.map((r) => r.value),
      list: known.name,
    };
  }

  return {
    counters,
    push(bytes) {
      counters.bytes += bytes.length;
      stick.push(bytes);
    },
    idle: () => stick.idle(),
    end: () => stick.end(),
    frame(bytes, facts = {}) {
      counters.bytes += bytes.length;
      take(bytes.slice(), facts);
    },
  };
}

function drive(
  part: 'maker' | 'tail',
  t: Telegram,
  bytes: Uint8Array,
  start: number,
  end: number,
): { name: string; readings: DriverReading[] } | undefined {
  const input = {
    bytes,
    start,
    end,
    ci: t.transport.ci,
    version: t.version,
    medium: t.medium,
    identification: t.identification,
  };
  for (const driver of driversFor(part, t.manufacturer, t.version, t.medium)) {
    const readings = driver.decode(input);
    if (readings) return { name: driver.name, readings };
  }
  return undefined;
}

/** Octets of the maker at the end of the records. */
function tailOf(
  layout: Layout,
  bytes: Uint8Array,
  start: number,
): { bytes: Uint8Array; start: number; end: number } | undefined {
  const last = layout.slots[layout.slots.length - 1];
  if (!last || last.head !== undefined) return undefined;
  return { bytes, start: start + last.at, end: start + last.at + last.length };
}

function empties(): Columns {
  return { items: NO_ITEMS, values: [], qualities: undefined, clock: -1, storageClocks: undefined };
}

function payloadColumns(bytes: Uint8Array, start: number): Columns {
  let hex = '';
  for (let i = start; i < bytes.length; i++) hex += (bytes[i] as number).toString(16).padStart(2, '0');
  return { ...empties(), items: [PAYLOAD], values: [hex] };
}

function senderOf(t: Telegram | undefined): Sender {
  if (!t) return { maker: undefined, meterId: undefined, meterType: undefined };
  return { maker: t.manufacturer, meterId: t.identification, meterType: MEDIA[t.medium] };
}
