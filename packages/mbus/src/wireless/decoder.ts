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
import type { Layout } from '../application/layout.ts';
import { MbusMessage, type MessageContext, type Sender } from '../application/message.ts';
import { createTelegramReader } from '../application/telegram-reader.ts';
import type { MbusKeys } from '../application/types.ts';
import { diehlKind } from '../drivers/diehl.ts';
import { driversFor } from '../drivers/index.ts';
import { APPLICATION_ERRORS } from '../slave/errors.ts';
import { type MbusCrypto, softwareAes } from './aes.ts';
import { createFormatMemory } from './compact.ts';
import { extrasOf, joined, type Meter, payloadOf } from './extras.ts';
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
  timedBy: Int32Array | undefined;
  flag?: Flag | undefined;
  /** Summer-time mark of the clock, where its form has one. */
  summer?: boolean | undefined;
  list?: string | undefined;
  meterType?: string | undefined;
}

const NO_ITEMS: readonly Item[] = [];
const MAX_METERS = 4096;
const MAX_LAYOUTS = 64;
const HALF_AN_HOUR = 1_800_000;
const NO_KEYS: readonly Uint8Array[] = [];
const STRENGTH: Item = { name: 'signalStrength', unit: 'dBm', scaler: -1 };
const PAYLOAD: Item = { name: 'manufacturerData', scaler: 0 };

/** What is remembered of a meter. */
interface KnownMeter {
  /** Its address. */
  readonly address: Uint8Array;
  readonly identification: string;
  readonly sender: Sender;
  /** Some driver reads payloads of such meters, or what stands behind their records. */
  readonly driven: boolean;
  /** Layouts of its full frames, which compact ones may refer to. */
  readonly layouts: Set<Layout>;
  /** Its clock has marked summer time. */
  marks: boolean;
  /** UTC of its last message. */
  after: number | undefined;
}

export function createWmbusDecoder(options: WmbusOptions, sink: PortSink): WmbusDecoder {
  const { now, live = false, bad = false } = options;
  const counters: PortCounters = { bytes: 0, frames: 0, good: 0, sealed: 0, dropped: {}, noise: 0 };
  const formats = createFormatMemory();
  const telegrams = createTelegramReader();
  const fragments = createFragmentJoiner();
  let sequence = 0;
  const meters = new Map<number, KnownMeter>();

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

  function context(raw: Uint8Array, hints?: MessageContext['hints']): MessageContext {
    const receivedAt = now();
    return {
      reader: options.reader,
      port: options.port,
      protocol: 'wmbus',
      receivedAt,
      raw,
      stamp: live ? receivedAt : sequence,
      zone: options.zone,
      flags: undefined,
      hints,
    };
  }

  function known(t: Telegram): KnownMeter {
    const { address } = t;
    const key =
      (address[2] as number) |
      ((address[3] as number) << 8) |
      ((address[4] as number) << 16) |
      ((address[5] as number) << 24);
    const before = meters.get(key);
    if (before && sameAddress(before.address, address)) return before;
    if (meters.size >= MAX_METERS) meters.clear();
    const { identification, manufacturer, version, medium } = t;
    const meter: KnownMeter = {
      address,
      identification,
      sender: { maker: manufacturer, meterId: identification, meterType: MEDIA[medium] },
      driven: driversFor(manufacturer, version, medium).length > 0,
      layouts: new Set(),
      marks: false,
      after: undefined,
    };
    meters.set(key, meter);
    return meter;
  }

  function refuse(reason: string, at: number | undefined, raw: Uint8Array, offset: number): void {
    counters.dropped[reason] = (counters.dropped[reason] ?? 0) + 1;
    sink.drop({ reason, offset, length: raw.length, excerpt: raw });
    if (bad) empty(at === undefined ? { reason } : { reason, offset: at }, undefined, raw);
  }

  /** A message that says nothing but why. */
  function empty(error: { reason: string; offset?: number }, telegram: Telegram | undefined, raw: Uint8Array): void {
    const message = new MbusMessage(
      context(raw),
      telegram ? known(telegram).sender : NOBODY,
      NO_ITEMS,
      [],
      undefined,
      -1,
      undefined,
    );
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
      if (telegram.content === 'error') {
        counters.good++;
        const code = telegram.bytes[telegram.start] ?? 0;
        empty({ reason: `application error: ${APPLICATION_ERRORS[code] ?? `code ${code}`}` }, telegram, input);
      } else read(telegram, input, strength);
    } catch (e) {
      if (!(e instanceof DecodeError)) throw e;
      refuse(e.reason, e.offset, input, offset);
    }
  }

  function read(telegram: Telegram, raw: Uint8Array, strength: number | undefined): void {
    const meter = known(telegram);
    const columns = columnsOf(telegram, meter);
    if (!columns) {
      counters.sealed++;
      empty({ reason: 'noFormat' }, telegram, raw);
      return;
    }
    counters.good++;
    if (strength !== undefined) {
      columns.items = [...columns.items, STRENGTH];
      columns.values.push(Math.round(strength * 10));
      if (columns.qualities) columns.qualities = [...columns.qualities, undefined];
    }
    const { items, values, qualities, clock, timedBy } = columns;
    const hints = clock < 0 || options.zone === undefined ? undefined : hintsOf(meter, columns.summer);
    const message = new MbusMessage(context(raw, hints), meter.sender, items, values, qualities, clock, timedBy);
    if (columns.list !== undefined) message.list = columns.list;
    if (columns.meterType !== undefined) message.meterType = columns.meterType;
    if (columns.flag) message.addFlag(columns.flag);
    if (telegram.authentic === false) message.addFlag('notAuthenticated');
    if (message.time !== undefined) meter.after = message.time;
    if (live && isClockWrong(options, message.time, message.receivedAt)) message.addFlag('clockWrong');
    sink.message(message);
  }

  /** What tells the two faces of the repeated hour apart: the meter's mark, else the time of receipt, else its message before. */
  function hintsOf(meter: KnownMeter, summer: boolean | undefined): MessageContext['hints'] {
    if (summer === true) meter.marks = true;
    const after = live ? now() - HALF_AN_HOUR : meter.after;
    return {
      ...(meter.marks && summer !== undefined && { dst: summer }),
      ...(after !== undefined && { after }),
    };
  }

  /** @throws DecodeError @returns undefined for a compact frame whose format is not known */
  function columnsOf(t: Telegram, meter: KnownMeter): Columns | undefined {
    const { bytes, start } = t;
    switch (t.content) {
      case 'records':
        return recordColumns(t, meter, bytes, start);
      case 'compact': {
        const payload = bytes.subarray(start + (bytes[start] === 0x2f && bytes[start + 1] === 0x2f ? 2 : 0));
        const expanded = formats.expand(meter.identification, payload);
        if (!expanded) return undefined;
        const columns = recordColumns(t, meter, expanded.full, 0);
        return expanded.proved ? columns : { ...columns, flag: 'unknownList' };
      }
      case 'format': {
        const length = bytes[start] as number;
        formats.learnFormat(meter.identification, bytes.subarray(start + 3, start + 1 + length));
        return empties();
      }
      case 'maker':
        return makerColumns(t);
      case 'unknown':
        throw new DecodeError('ci', 'nothing known is announced', start);
      default:
        // Commands, clocks, alarms, DLMS: kept as octets.
        return payloadColumns(bytes, start);
    }
  }

  function recordColumns(t: Telegram, meter: KnownMeter, bytes: Uint8Array, start: number): Columns {
    const facts = meter.driven ? meterOf(t) : undefined;
    const own = facts && payloadOf('payload', bytes, firstOctet(bytes, start), bytes.length, facts);
    if (own) return { ...empties(), ...own };
    let fault: DecodeError | undefined;
    let read: ReturnType<typeof telegrams.read>;
    try {
      read = telegrams.read(bytes, start, bytes.length);
    } catch (e) {
      if (!(e instanceof DecodeError)) throw e;
      fault = e;
      read = telegrams.readPartly(bytes, start, bytes.length).columns;
      if (read.items.length === 0) throw fault;
    }
    const { layout } = read;
    if (!fault && !meter.layouts.has(layout)) {
      if (meter.layouts.size >= MAX_LAYOUTS) meter.layouts.clear();
      meter.layouts.add(layout);
      formats.learn(meter.identification, bytes, start, bytes.length);
    }
    const columns: Columns = {
      items: read.items,
      values: read.values,
      qualities: read.qualities,
      clock: layout.clock,
      timedBy: layout.timedBy,
      flag: fault ? 'truncated' : undefined,
      summer: summerMark(layout, bytes, start),
    };
    const extras = extrasOf(layout, bytes, start, meter.sender.maker ?? '', t.version, t.medium, facts);
    if (extras) {
      Object.assign(columns, joined(columns.items, columns.values, columns.qualities, extras));
      columns.list = extras.list;
      columns.meterType = extras.meterType;
    }
    return columns;
  }

  function makerColumns(t: Telegram): Columns {
    const own = payloadOf('maker', t.bytes, t.start, t.bytes.length, meterOf(t));
    return own ? { ...empties(), ...own } : payloadColumns(t.bytes, t.start);
  }

  function meterOf(t: Telegram): Meter {
    return {
      manufacturer: t.manufacturer,
      version: t.version,
      medium: t.medium,
      ci: t.transport.ci,
      configuration: t.transport.configuration,
      accessNumber: t.accessNumber,
      linkAddress: t.link.address,
      keys: options.keys?.candidates(t.identification, t.manufacturer) ?? NO_KEYS,
      crypto: options.crypto ?? softwareAes,
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

/** Behind the two fillers that stand first in a deciphered text. */
function firstOctet(bytes: Uint8Array, start: number): number {
  return bytes[start] === 0x2f && bytes[start + 1] === 0x2f ? start + 2 : start;
}

/** Type F has the mark in the highest bit of its second octet. */
function summerMark({ clock, slots }: Layout, bytes: Uint8Array, start: number): boolean | undefined {
  const slot = clock < 0 ? undefined : slots[clock];
  return slot?.length === 4 ? ((bytes[start + slot.at + 1] as number) & 0x80) !== 0 : undefined;
}

function empties(): Columns {
  return { items: NO_ITEMS, values: [], qualities: undefined, clock: -1, timedBy: undefined };
}

function payloadColumns(bytes: Uint8Array, start: number): Columns {
  let hex = '';
  for (let i = start; i < bytes.length; i++) hex += (bytes[i] as number).toString(16).padStart(2, '0');
  return { ...empties(), items: [PAYLOAD], values: [hex] };
}

const NOBODY: Sender = { maker: undefined, meterId: undefined, meterType: undefined };

function sameAddress(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
