/**
 * The conversations of a capture, put together again: TCP streams in both directions in the order of their sequence
 * numbers (RFC 9293 clause 3.4), UDP datagrams, serial octets.
 *
 * What it decides. A segment that comes early waits until what is before it has come; octets that were here already are
 * dropped, those that came first count. When the other side acknowledges octets that the capture has not, or too many
 * wait, the hole is told as a gap and the stream goes on behind it. The client of a connection is who sent SYN; without
 * that, who speaks to port 4059; else who spoke first. Connections, and octets that wait, are bounded; the connection
 * that was silent for longest goes first.
 *
 * Left out: what the payload means.
 */
import { copyBytes, DecodeError } from '@amiable/bytes';
import { DLMS_PORT } from './build.ts';
import { decodeNetworkPacket, type NetworkPacket } from './network.ts';
import { LINKTYPE, type Packet, type PacketTime } from './packet.ts';
import { createCaptureReader, type ReadOptions } from './read.ts';
import { decodeSerialPacket, type SerialPacket } from './serial.ts';

export type StreamSide = 'client' | 'server' | 'unknown';

export interface Stream {
  readonly kind: 'tcp' | 'udp' | 'serial';
  /** Address and port, e.g. `192.0.2.1:4059`, `[2001:db8::1]:4059`; on a serial line, who captured is the client. */
  readonly client: string;
  readonly server: string;
}

export interface StreamSink {
  /** Octets of a stream in order; a datagram is whole. A view that is valid only during the call. */
  data(stream: Stream, from: StreamSide, octets: Uint8Array, time: PacketTime): void;
  /** Octets that are not in the capture. */
  gap?(stream: Stream, from: StreamSide, missing: number, time: PacketTime): void;
  /** FIN of both sides, RST, a new connection of the same ends, or no room. */
  closed?(stream: Stream, time: PacketTime): void;
  /** A packet that could not be read. */
  damaged?(error: DecodeError, time: PacketTime): void;
}

export interface StreamOptions {
  /** TCP connections and UDP pairs at a time. Default 4,096. */
  readonly maxStreams?: number;
  /** Octets of one direction that wait for what is before them. Default 1 MiB. */
  readonly maxWaiting?: number;
}

export interface StreamCollector {
  packet(packet: Pick<Packet, 'linkType' | 'data' | 'time' | 'direction'>): void;
  /** No more packets: what still waits is given, behind its gaps. */
  end(): void;
}

/** One direction of a TCP connection. */
interface Half {
  /** Sequence number of the octet to come next; -1 before the first segment. */
  next: number;
  /** Early segments by sequence number, in order. */
  waiting: { sequence: number; octets: Uint8Array; time: PacketTime }[];
  waitingOctets: number;
  finished: boolean;
}

interface Connection {
  readonly stream: Stream;
  readonly client: Half;
  readonly server: Half;
  /** Sequence number of the client's SYN, -1 when it was not seen. */
  readonly syn: number;
}

const half = (): Half => ({ next: -1, waiting: [], waitingOctets: 0, finished: false });
/** a - b, as sequence numbers go round. */
const after = (a: number, b: number) => (a - b) | 0;
const MOST_WAITING_SEGMENTS = 4096;

export function createStreamCollector(sink: StreamSink, options: StreamOptions = {}): StreamCollector {
  const maxStreams = options.maxStreams ?? 4096;
  const maxWaiting = options.maxWaiting ?? 1 << 20;
  /** By both ends; the one that was used last stands last. */
  const connections = new Map<string, Connection>();
  const datagrams = new Map<string, Stream>();
  const serial = new Map<number, Stream>();
  let last: PacketTime = { seconds: 0, nanoseconds: 0 };

  function give(stream: Stream, from: 'client' | 'server', h: Half, octets: Uint8Array, time: PacketTime): void {
    h.next = (h.next + octets.length) >>> 0;
    if (octets.length > 0) sink.data(stream, from, octets, time);
  }

  /** Gives what waits and is due; `force` steps over the first gap. */
  function drain(c: Connection, from: 'client' | 'server', force: boolean, time: PacketTime): void {
    const h = c[from];
    let step = force;
    while (h.waiting.length > 0) {
      const first = h.waiting[0] as (typeof h.waiting)[number];
      const ahead = after(first.sequence, h.next);
      if (ahead > 0) {
        if (!step) return;
        step = false;
        h.next = first.sequence;
        sink.gap?.(c.stream, from, ahead, time);
      }
      h.waiting.shift();
      h.waitingOctets -= first.octets.length;
      const seen = after(h.next, first.sequence);
      if (seen < first.octets.length) give(c.stream, from, h, first.octets.subarray(seen), first.time);
    }
  }

  function close(key: string, c: Connection, time: PacketTime): void {
    for (const from of ['client', 'server'] as const) while (c[from].waiting.length > 0) drain(c, from, true, time);
    connections.delete(key);
    sink.closed?.(c.stream, time);
  }

  function open(p: NetworkPacket, a: string, b: string): Connection {
    const asked = p.flags.syn ? !p.flags.ack : p.sourcePort !== DLMS_PORT;
    const stream: Stream = { kind: 'tcp', client: asked ? a : b, server: asked ? b : a };
    return { stream, client: half(), server: half(), syn: p.flags.syn && !p.flags.ack ? p.sequence : -1 };
  }

  function tcp(p: NetworkPacket, time: PacketTime): void {
    const a = end(p.source, p.sourcePort);
    const b = end(p.destination, p.destinationPort);
    const key = a < b ? `${a} ${b}` : `${b} ${a}`;
    let c = connections.get(key);
    // The same ends again: a new connection, unless it is the same SYN once more.
    if (c && p.flags.syn && !p.flags.ack && c.syn !== p.sequence) {
      close(key, c, time);
      c = undefined;
    }
    if (c) connections.delete(key);
    else {
      // The last acknowledgement of a connection that is closed opens none.
      if (p.flags.rst || (p.payload.length === 0 && !p.flags.syn)) return;
      c = open(p, a, b);
      const oldest = connections.entries().next().value;
      if (connections.size >= maxStreams && oldest) close(oldest[0], oldest[1], time);
    }
    connections.set(key, c);
    const from = a === c.stream.client ? 'client' : 'server';
    const h = c[from];
    const other = c[from === 'client' ? 'server' : 'client'];
    // What the other side has acknowledged but the capture has not will never come.
    if (p.flags.ack && other.next >= 0)
      while (other.waiting.length > 0 && after(p.acknowledgement, other.next) > 0)
        drain(c, from === 'client' ? 'server' : 'client', true, time);
    const sequence = (p.sequence + (p.flags.syn ? 1 : 0)) >>> 0;
    if (h.next < 0) h.next = sequence;
    if (p.payload.length > 0) {
      take(c, from, sequence, p.payload, time);
      if (p.cut > 0) take(c, from, (sequence + p.payload.length + p.cut) >>> 0, new Uint8Array(0), time);
    }
    if (p.flags.rst) close(key, c, time);
    else if (p.flags.fin) {
      h.finished = true;
      if (other.finished) close(key, c, time);
    }
  }

  function take(c: Connection, from: 'client' | 'server', sequence: number, octets: Uint8Array, time: PacketTime) {
    const h = c[from];
    const ahead = after(sequence, h.next);
    if (ahead <= 0) {
      if (-ahead < octets.length) give(c.stream, from, h, octets.subarray(-ahead), time);
      if (h.waiting.length > 0) drain(c, from, false, time);
      return;
    }
    let i = h.waiting.length;
    while (i > 0 && after((h.waiting[i - 1] as { sequence: number }).sequence, sequence) > 0) i--;
    // The packet's octets are valid during the call only.
    h.waiting.splice(i, 0, { sequence, octets: copyBytes(octets), time });
    h.waitingOctets += octets.length;
    while (h.waitingOctets > maxWaiting || h.waiting.length > MOST_WAITING_SEGMENTS) drain(c, from, true, time);
  }

  function udp(p: NetworkPacket, time: PacketTime): void {
    const a = end(p.source, p.sourcePort);
    const b = end(p.destination, p.destinationPort);
    const key = a < b ? `${a} ${b}` : `${b} ${a}`;
    let stream = datagrams.get(key);
    if (!stream) {
      const asked = p.sourcePort !== DLMS_PORT || p.destinationPort === DLMS_PORT;
      stream = { kind: 'udp', client: asked ? a : b, server: asked ? b : a };
    } else datagrams.delete(key);
    datagrams.set(key, stream);
    const oldest = datagrams.entries().next().value;
    if (datagrams.size > maxStreams && oldest) datagrams.delete(oldest[0]);
    const from = a === stream.client ? 'client' : 'server';
    if (p.payload.length > 0) sink.data(stream, from, p.payload, time);
    if (p.cut > 0) sink.gap?.(stream, from, p.cut, time);
  }

  function line(
    { linkType, data, time, direction }: Pick<Packet, 'linkType' | 'data' | 'time' | 'direction'>,
    known: SerialPacket = decodeSerialPacket(linkType, data),
  ): void {
    if (known.octets.length === 0) return;
    let stream = serial.get(linkType);
    if (!stream) {
      stream = { kind: 'serial', client: 'this end', server: 'other end' };
      serial.set(linkType, stream);
    }
    const sent = known.direction === 'transmitted' || (known.direction === 'unknown' && direction === 'outbound');
    const received = known.direction === 'received' || (known.direction === 'unknown' && direction === 'inbound');
    sink.data(stream, sent ? 'client' : received ? 'server' : 'unknown', known.octets, time);
  }

  return {
    packet(packet) {
      last = packet.time;
      try {
        if (packet.linkType === LINKTYPE.rtacSerial || packet.linkType === LINKTYPE.user0) line(packet);
        else {
          const p = decodeNetworkPacket(packet.linkType, packet.data);
          if (p?.protocol === 'tcp') tcp(p, packet.time);
          else if (p) udp(p, packet.time);
        }
      } catch (e) {
        if (!(e instanceof DecodeError)) throw e;
        sink.damaged?.(e, packet.time);
      }
    },
    end() {
      for (const [key, c] of [...connections]) close(key, c, last);
    },
  };
}

function end(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** One piece of a stream, as it was on the way. */
export interface Piece {
  readonly from: StreamSide;
  readonly time: PacketTime;
  readonly octets: Uint8Array;
  /** Octets that are missing before the next piece of this side. */
  readonly missing?: number;
}

export interface CollectedStream extends Stream {
  readonly pieces: readonly Piece[];
}

export interface Streams {
  readonly streams: readonly CollectedStream[];
  /** Packets that could not be read, and why the file broke off, if it did. */
  readonly damage: readonly DecodeError[];
}

/** All streams of a capture file. @throws DecodeError when it is no capture */
export function extractStreams(bytes: Uint8Array, options: StreamOptions & ReadOptions = {}): Streams {
  const pieces = new Map<Stream, Piece[]>();
  const damage: DecodeError[] = [];
  const of = (stream: Stream): Piece[] => {
    const list = pieces.get(stream);
    if (list) return list;
    const fresh: Piece[] = [];
    pieces.set(stream, fresh);
    return fresh;
  };
  const collector = createStreamCollector(
    {
      data: (stream, from, octets, time) => of(stream).push({ from, time, octets: copyBytes(octets) }),
      gap: (stream, from, missing, time) => of(stream).push({ from, time, octets: new Uint8Array(0), missing }),
      damaged: (e) => damage.length < 1000 && damage.push(e),
    },
    options,
  );
  const reader = createCaptureReader((p) => collector.packet(p), options);
  try {
    reader.push(bytes);
    reader.end();
  } catch (e) {
    if (!(e instanceof DecodeError) || e.reason === 'magic') throw e;
    damage.push(e);
  }
  collector.end();
  return { streams: [...pieces].map(([stream, list]) => ({ ...stream, pieces: list })), damage };
}
