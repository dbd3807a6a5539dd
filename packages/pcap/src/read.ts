/**
 * Captures read, however they are cut: classic pcap in both byte orders, with micro- or nanoseconds, and pcapng with any
 * number of sections and interfaces. The first four octets say which.
 *
 * What it decides. Memory is bounded by the longest packet that is let in. A file that breaks off, as those of killed
 * programs do, gives all its whole packets before it is refused. Of pcapng, section headers, interface descriptions,
 * enhanced, simple and (obsolete) packet blocks are read; others are passed over, without being held in memory.
 *
 * Left out: the modified pcap of old Linux kernels, and Sniffer, snoop and compressed files.
 */
import { DecodeError, toHex } from '@amiable/bytes';
import type { Packet, PacketTime } from './packet.ts';

export interface ReadOptions {
  /** Longest packet that is taken, octets. Default 262,144. */
  readonly maxPacket?: number;
}

export interface CaptureReader {
  /** @throws DecodeError with the position in the file; nothing can be pushed after it. */
  push(chunk: Uint8Array): void;
  /** No more octets. @throws DecodeError `truncated` when something is left over. */
  end(): void;
}

interface Interface {
  readonly linkType: number;
  /** Units in a second. */
  readonly resolution: bigint;
  /** Seconds to add. */
  readonly offset: bigint;
  readonly snapLength: number;
}

const MAX_INTERFACES = 4096;
/** Options of a packet block, or a whole section or interface block, are at most so long. */
const MAX_OPTIONS = 1 << 20;
const MICROSECONDS = 1_000_000n;
const SECTION = 0x0a0d0d0a;

/** Packets are views that are valid only during the call of `packet`. */
export function createCaptureReader(packet: (packet: Packet) => void, options: ReadOptions = {}): CaptureReader {
  const maxPacket = options.maxPacket ?? 262_144;
  /** store[0, held): the beginning of something that is not whole yet. */
  let store = new Uint8Array(0);
  let held = 0;
  /** Position in the file of what is looked at first. */
  let base = 0;
  /** Octets of a block that is passed over. */
  let skip = 0;
  let format: 'pcap' | 'pcapng' | undefined;
  let little = true;
  let nano = false;
  let linkType = 0;
  let interfaces: Interface[] = [];
  let dead: DecodeError | undefined;

  /** Reads what is whole in buf from `from` on; gives where the rest begins. */
  function read(buf: Uint8Array, from: number): number {
    const view = new DataView(buf.buffer, buf.byteOffset, buf.byteLength);
    let at = from;
    for (;;) {
      const rest = buf.length - at;
      if (skip > 0) {
        const n = Math.min(skip, rest);
        skip -= n;
        at += n;
        if (skip > 0) return at;
        continue;
      }
      if (format === undefined) {
        if (rest < 4) return at;
        begin(view, at);
      }
      const used = format === 'pcapng' ? readBlock(buf, view, at) : readRecord(buf, view, at);
      if (used === 0) return at;
      at += used;
    }
  }

  const fail = (reason: string, text: string, at: number): DecodeError => new DecodeError(reason, text, base + at);

  function begin(view: DataView, at: number): void {
    const magic = view.getUint32(at);
    if (magic === SECTION) {
      format = 'pcapng';
      return;
    }
    const swapped = view.getUint32(at, true);
    if (magic === 0xa1b2c3d4 || magic === 0xa1b23c4d) little = false;
    else if (swapped === 0xa1b2c3d4 || swapped === 0xa1b23c4d) little = true;
    else throw fail('magic', `starts with ${toHex([0, 8, 16, 24].map((s) => (swapped >> s) & 255))}: no capture`, at);
    nano = view.getUint32(at, little) === 0xa1b23c4d;
  }

  let headed = false;

  /** A pcap record, or the file's header before the first one. */
  function readRecord(buf: Uint8Array, view: DataView, at: number): number {
    const rest = buf.length - at;
    if (!headed) {
      if (rest < 24) return 0;
      // The upper bits tell of a frame check sequence, which the packets' own lengths leave behind.
      linkType = view.getUint32(at + 20, little) & 0xffff;
      headed = true;
      format = 'pcap';
      return 24;
    }
    if (rest < 16) return 0;
    const length = view.getUint32(at + 8, little);
    if (length > maxPacket) throw fail('length', `a packet of ${length} octets, at most ${maxPacket} are taken`, at);
    if (rest < 16 + length) return 0;
    let seconds = view.getUint32(at, little);
    let fraction = view.getUint32(at + 4, little) * (nano ? 1 : 1000);
    seconds += Math.floor(fraction / 1e9);
    fraction %= 1e9;
    packet({
      linkType,
      time: { seconds, nanoseconds: fraction },
      data: buf.subarray(at + 16, at + 16 + length),
      originalLength: view.getUint32(at + 12, little),
    });
    return 16 + length;
  }

  function readBlock(buf: Uint8Array, view: DataView, at: number): number {
    const rest = buf.length - at;
    if (rest < 12) return 0;
    if (view.getUint32(at) === SECTION) {
      const order = view.getUint32(at + 8);
      if (order !== 0x1a2b3c4d && order !== 0x4d3c2b1a) throw fail('magic', 'byte-order magic is wrong', at + 8);
      little = order === 0x4d3c2b1a;
    }
    const type = view.getUint32(at, little);
    const length = view.getUint32(at + 4, little);
    if (length < 12 || length % 4 !== 0) throw fail('length', `block length of ${length} octets`, at + 4);
    const known = type === SECTION || type === 1 || type === 2 || type === 3 || type === 6;
    if (!known) {
      skip = length;
      return rest > 0 ? skipNow(rest) : 0;
    }
    if (length > maxPacket + MAX_OPTIONS) throw fail('length', `block of ${length} octets`, at + 4);
    if (rest < length) return 0;
    if (view.getUint32(at + length - 4, little) !== length)
      throw fail('length', 'block length at its end is another', at + length - 4);
    const end = at + length - 4;
    if (type === SECTION) {
      if (length < 28) throw fail('length', 'section header is too short', at);
      if (view.getUint16(at + 12, little) !== 1) throw fail('version', 'pcapng of another major version', at + 12);
      interfaces = [];
    } else if (type === 1) readInterface(buf, view, at + 8, end);
    else readPacket(buf, view, type, at + 8, end);
    return length;
  }

  function skipNow(rest: number): number {
    const n = Math.min(skip, rest);
    skip -= n;
    return n;
  }

  /** Visits options in [from, end). */
  function eachOption(
    view: DataView,
    from: number,
    end: number,
    visit: (code: number, at: number, n: number) => void,
  ): void {
    for (let at = from; at + 4 <= end; ) {
      const code = view.getUint16(at, little);
      const length = view.getUint16(at + 2, little);
      if (code === 0) return;
      if (at + 4 + length > end) throw fail('length', 'option is longer than its block', at);
      visit(code, at + 4, length);
      at += 4 + ((length + 3) & ~3);
    }
  }

  function readInterface(buf: Uint8Array, view: DataView, at: number, end: number): void {
    if (end - at < 8) throw fail('length', 'interface description is too short', at);
    if (interfaces.length >= MAX_INTERFACES) throw fail('length', `more than ${MAX_INTERFACES} interfaces`, at);
    let resolution = MICROSECONDS;
    let offset = 0n;
    eachOption(view, at + 8, end, (code, o, n) => {
      const first = buf[o] as number;
      if (code === 9 && n === 1) resolution = first & 0x80 ? 1n << BigInt(first & 0x7f) : 10n ** BigInt(first);
      else if (code === 14 && n === 8) offset = view.getBigInt64(o, little);
    });
    const snapLength = view.getUint32(at + 4, little);
    interfaces.push({ linkType: view.getUint16(at, little), resolution, offset, snapLength });
  }

  function readPacket(buf: Uint8Array, view: DataView, type: number, at: number, end: number): void {
    const simple = type === 3;
    const head = simple ? 4 : 20;
    if (end - at < head) throw fail('length', 'packet block is too short', at);
    const id = simple ? 0 : type === 2 ? view.getUint16(at, little) : view.getUint32(at, little);
    const source = interfaces[id];
    if (!source) throw fail('interface', `packet of interface ${id}, which was not described`, at);
    const originalLength = view.getUint32(at + (simple ? 0 : 16), little);
    const length = simple
      ? Math.min(originalLength, source.snapLength || originalLength, end - at - 4)
      : view.getUint32(at + 12, little);
    if (length > maxPacket) throw fail('length', `a packet of ${length} octets, at most ${maxPacket} are taken`, at);
    if (at + head + length > end) throw fail('length', 'packet is longer than its block', at);
    let direction: Packet['direction'];
    let comment: string | undefined;
    if (!simple)
      eachOption(view, at + head + ((length + 3) & ~3), end, (code, o, n) => {
        if (code === 1) comment = new TextDecoder().decode(buf.subarray(o, o + n));
        else if (code === 2 && n === 4) {
          const way = view.getUint32(o, little) & 3;
          direction = way === 1 ? 'inbound' : way === 2 ? 'outbound' : undefined;
        }
      });
    packet({
      linkType: source.linkType,
      time: simple ? { seconds: 0, nanoseconds: 0 } : timeOf(view, at + 4, source),
      data: buf.subarray(at + head, at + head + length),
      originalLength,
      ...(direction !== undefined && { direction }),
      ...(comment !== undefined && { comment }),
    });
  }

  function timeOf(view: DataView, at: number, { resolution, offset }: Interface): PacketTime {
    const units = (BigInt(view.getUint32(at, little)) << 32n) | BigInt(view.getUint32(at + 4, little));
    return {
      seconds: Number(units / resolution + offset),
      nanoseconds: Number(((units % resolution) * 1_000_000_000n) / resolution),
    };
  }

  /** Puts octets by for the next time, in room that doubles: many small chunks cost no more than a few large ones. */
  function keep(bytes: Uint8Array): void {
    const need = held + bytes.length;
    if (need > store.length) {
      const grown = new Uint8Array(Math.max(4096, need * 2));
      grown.set(store.subarray(0, held));
      store = grown;
    }
    store.set(bytes, held);
    held = need;
  }

  return {
    push(chunk) {
      if (dead) throw dead;
      try {
        if (held === 0) {
          const rest = read(chunk, 0);
          base += rest;
          keep(chunk.subarray(rest));
        } else {
          keep(chunk);
          const rest = read(store.subarray(0, held), 0);
          base += rest;
          store.copyWithin(0, rest, held);
          held -= rest;
        }
      } catch (e) {
        if (e instanceof DecodeError) dead = e;
        throw e;
      }
    },
    end() {
      if (dead) throw dead;
      if (held > 0 || skip > 0 || format === undefined || (format === 'pcap' && !headed))
        throw new DecodeError('truncated', 'the capture breaks off', base + held);
    },
  };
}

export interface Capture {
  readonly packets: readonly Packet[];
  /** Why the file could not be read to its end. */
  readonly damage?: DecodeError;
}

/** All packets of a file, as views into it. @throws DecodeError when it is no capture at all */
export function decodeCapture(bytes: Uint8Array, options: ReadOptions = {}): Capture {
  const packets: Packet[] = [];
  const reader = createCaptureReader((p) => packets.push(p), options);
  try {
    reader.push(bytes);
    reader.end();
  } catch (e) {
    if (!(e instanceof DecodeError) || e.reason === 'magic') throw e;
    return { packets, damage: e };
  }
  return { packets };
}
