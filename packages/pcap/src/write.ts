/**
 * Captures written piece by piece: classic pcap (draft-ietf-opsawg-pcap), and pcapng (draft-ietf-opsawg-pcapng) where
 * comments, directions or several link types are wanted. Little-endian; nothing is kept between pieces but what the
 * format demands, so a capture may go on for as long as the disk lasts.
 */
import { MisuseError } from '@amiable/bytes';
import type { Packet, PacketTime } from './packet.ts';

/** Packets are not cut below this, the limit that tcpdump and Wireshark keep to. */
export const SNAP_LENGTH = 262_144;

export interface CaptureWriter {
  /** What the file begins with. */
  header(): Uint8Array;
  /** One packet. @throws MisuseError when it is too long, or of a link type that the file cannot hold */
  packet(packet: WrittenPacket): Uint8Array;
}

export interface WrittenPacket extends Pick<Packet, 'data' | 'time' | 'direction' | 'comment'> {
  /** Of the link type of the file if left out. */
  readonly linkType?: number;
  readonly originalLength?: number;
}

function check(packet: WrittenPacket): void {
  if (packet.data.length > SNAP_LENGTH)
    throw new MisuseError(`a packet of ${packet.data.length} octets: ${SNAP_LENGTH} is the longest`);
}

/** Classic pcap, with nanoseconds (magic A1B23C4D) unless `microseconds` are asked for. */
export function createPcapWriter(linkType: number, options: { readonly microseconds?: boolean } = {}): CaptureWriter {
  const micro = options.microseconds === true;
  return {
    header() {
      const out = new Uint8Array(24);
      const view = new DataView(out.buffer);
      view.setUint32(0, micro ? 0xa1b2c3d4 : 0xa1b23c4d, true);
      view.setUint16(4, 2, true);
      view.setUint16(6, 4, true);
      view.setUint32(16, SNAP_LENGTH, true);
      view.setUint32(20, linkType, true);
      return out;
    },
    packet(packet) {
      check(packet);
      if (packet.linkType !== undefined && packet.linkType !== linkType)
        throw new MisuseError(`a pcap file holds one link type (${linkType}), not ${packet.linkType} too: use pcapng`);
      const { data, time } = packet;
      const out = new Uint8Array(16 + data.length);
      const view = new DataView(out.buffer);
      view.setUint32(0, time.seconds, true);
      view.setUint32(4, micro ? Math.floor(time.nanoseconds / 1000) : time.nanoseconds, true);
      view.setUint32(8, data.length, true);
      view.setUint32(12, packet.originalLength ?? data.length, true);
      out.set(data, 16);
      return out;
    },
  };
}

const padded = (n: number) => (n + 3) & ~3;
const OPT_COMMENT = 1;
const EPB_FLAGS = 2;
const IF_TSRESOL = 9;
/** Longest comment: option lengths have 16 bits. */
const MAX_COMMENT = 65_535;

/** pcapng, nanoseconds; an interface description is written before the first packet of each link type. */
export function createPcapngWriter(linkType: number): CaptureWriter {
  const interfaces = new Map<number, number>();
  const describe = (type: number): Uint8Array => {
    interfaces.set(type, interfaces.size);
    const body = new Uint8Array(8 + 8 + 4);
    const view = new DataView(body.buffer);
    view.setUint16(0, type, true);
    view.setUint32(4, SNAP_LENGTH, true);
    view.setUint16(8, IF_TSRESOL, true);
    view.setUint16(10, 1, true);
    body[12] = 9;
    return block(1, body);
  };
  return {
    header() {
      interfaces.clear();
      const section = new Uint8Array(16);
      const view = new DataView(section.buffer);
      view.setUint32(0, 0x1a2b3c4d, true);
      view.setUint16(4, 1, true);
      section.fill(0xff, 8); // length of the section: not known
      return join(block(0x0a0d0d0a, section), describe(linkType));
    },
    packet(packet) {
      check(packet);
      const type = packet.linkType ?? linkType;
      const before = interfaces.has(type) ? undefined : describe(type);
      const enhanced = enhancedPacket(packet, interfaces.get(type) as number);
      return before ? join(before, enhanced) : enhanced;
    },
  };
}

function enhancedPacket(packet: WrittenPacket, interfaceId: number): Uint8Array {
  const { data, time } = packet;
  const comment = packet.comment ? utf8(packet.comment, MAX_COMMENT) : undefined;
  const flags = packet.direction === undefined ? 0 : packet.direction === 'inbound' ? 1 : 2;
  const commentLength = comment ? 4 + padded(comment.length) : 0;
  const options = commentLength + (flags ? 8 : 0);
  const body = new Uint8Array(20 + padded(data.length) + (options > 0 ? options + 4 : 0));
  const view = new DataView(body.buffer);
  const stamp = nanoseconds(time);
  view.setUint32(0, interfaceId, true);
  view.setUint32(4, Number(stamp >> 32n), true);
  view.setUint32(8, Number(stamp & 0xffffffffn), true);
  view.setUint32(12, data.length, true);
  view.setUint32(16, packet.originalLength ?? data.length, true);
  body.set(data, 20);
  let at = 20 + padded(data.length);
  if (comment) {
    view.setUint16(at, OPT_COMMENT, true);
    view.setUint16(at + 2, comment.length, true);
    body.set(comment, at + 4);
    at += commentLength;
  }
  if (flags) {
    view.setUint16(at, EPB_FLAGS, true);
    view.setUint16(at + 2, 4, true);
    view.setUint32(at + 4, flags, true);
  }
  return block(6, body);
}

const nanoseconds = (t: PacketTime) => BigInt(t.seconds) * 1_000_000_000n + BigInt(t.nanoseconds);

/** UTF-8, cut between characters. */
function utf8(text: string, limit: number): Uint8Array {
  const bytes = new TextEncoder().encode(text);
  let end = Math.min(bytes.length, limit);
  while (end < bytes.length && end > 0 && ((bytes[end] as number) & 0xc0) === 0x80) end--;
  return bytes.subarray(0, end);
}

/** Type, total length, body, total length again. */
function block(type: number, body: Uint8Array): Uint8Array {
  const out = new Uint8Array(12 + body.length);
  const view = new DataView(out.buffer);
  view.setUint32(0, type, true);
  view.setUint32(4, out.length, true);
  out.set(body, 8);
  view.setUint32(8 + body.length, out.length, true);
  return out;
}

function join(a: Uint8Array, b: Uint8Array): Uint8Array {
  const out = new Uint8Array(a.length + b.length);
  out.set(a);
  out.set(b, a.length);
  return out;
}
