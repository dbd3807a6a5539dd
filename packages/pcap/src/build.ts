/**
 * Ethernet/IPv4 packets around payloads (RFC 791, 9293, 768) with right lengths, sequence numbers and check sums, so that
 * Wireshark dissects what went over a socket of which only the payload was seen: COSEM wrapper frames on port 4059, or
 * anything else. A connection begins with a made-up handshake and ends with FIN, as analysers expect; every segment is
 * acknowledged by the next one of the other side.
 *
 * Left out: IPv6, retransmissions, windows that close: none of these can be known from payloads.
 */
import { MisuseError } from '@amiable/bytes';
import { addWords, internetChecksum } from './checksum.ts';

/** The port of the COSEM wrapper (IANA: dlms/cosem). */
export const DLMS_PORT = 4059;

export interface Endpoint {
  /** IPv4, e.g. `192.0.2.1`. */
  readonly address: string;
  readonly port: number;
}

export interface Endpoints {
  readonly client: Endpoint;
  readonly server: Endpoint;
}

export type Side = 'client' | 'server';

const ETHERNET = 14;
const IPV4 = 20;
const TCP = 20;
const UDP = 8;
const LARGEST_DATAGRAM = 65_535 - IPV4 - UDP;
/** Payload of a segment on Ethernet. */
const SEGMENT = 1460;
const FLAGS = { fin: 1, syn: 2, rst: 4, psh: 8, ack: 16 };

/** The four octets of an IPv4 address. @throws MisuseError */
export function ipv4(address: string): Uint8Array {
  const parts = address.split('.');
  const out = Uint8Array.from(parts, (p) => (/^\d{1,3}$/.test(p) && Number(p) < 256 ? Number(p) : Number.NaN));
  if (parts.length !== 4 || parts.some((p) => !/^\d{1,3}$/.test(p) || Number(p) > 255))
    throw new MisuseError(`${JSON.stringify(address)} is no IPv4 address`);
  return out;
}

function port(value: number): number {
  if (!Number.isInteger(value) || value < 0 || value > 65_535) throw new MisuseError(`${value} is no port`);
  return value;
}

/** Ethernet and IPv4 header with room for `length` octets after them; locally administered hardware addresses. */
function frame(from: Uint8Array, to: Uint8Array, protocol: number, id: number, length: number): Uint8Array {
  const out = new Uint8Array(ETHERNET + IPV4 + length);
  out.set([2, 0, ...to], 0);
  out.set([2, 0, ...from], 6);
  out[12] = 0x08;
  const ip = ETHERNET;
  const view = new DataView(out.buffer);
  out[ip] = 0x45;
  view.setUint16(ip + 2, IPV4 + length);
  view.setUint16(ip + 4, id & 0xffff);
  view.setUint16(ip + 6, 0x4000); // do not fragment
  out[ip + 8] = 64;
  out[ip + 9] = protocol;
  out.set(from, ip + 12);
  out.set(to, ip + 16);
  view.setUint16(ip + 10, internetChecksum(addWords(0, out, ip, ip + IPV4)));
  return out;
}

/** The check sum of TCP or UDP in a frame, with its pseudo header. */
function transportChecksum(out: Uint8Array, protocol: number): number {
  const at = ETHERNET + IPV4;
  let sum = addWords(0, out, ETHERNET + 12, ETHERNET + IPV4);
  sum += protocol + out.length - at;
  return internetChecksum(addWords(sum, out, at, out.length));
}

/** One UDP datagram as an Ethernet packet. @throws MisuseError when it does not fit one IP packet */
export function udpPacket(source: Endpoint, destination: Endpoint, payload: Uint8Array, id = 0): Uint8Array {
  if (payload.length > LARGEST_DATAGRAM)
    throw new MisuseError(`a datagram of ${payload.length} octets: ${LARGEST_DATAGRAM} is the longest`);
  const out = frame(ipv4(source.address), ipv4(destination.address), 17, id, UDP + payload.length);
  const at = ETHERNET + IPV4;
  const view = new DataView(out.buffer);
  view.setUint16(at, port(source.port));
  view.setUint16(at + 2, port(destination.port));
  view.setUint16(at + 4, UDP + payload.length);
  out.set(payload, at + UDP);
  // Zero would say that there is none (RFC 768).
  view.setUint16(at + 6, transportChecksum(out, 17) || 0xffff);
  return out;
}

/** The packets of one TCP connection, in order; each call gives Ethernet packets. */
export interface TcpConversation {
  /** SYN, SYN ACK, ACK. */
  open(): Uint8Array[];
  /** Payload of one side, in as many segments as it takes. */
  data(from: Side, payload: Uint8Array): Uint8Array[];
  /** FIN of both sides, or RST of one. */
  close(by?: Side): Uint8Array[];
  reset(by: Side): Uint8Array[];
}

export function createTcpConversation(ends: Endpoints): TcpConversation {
  const address = { client: ipv4(ends.client.address), server: ipv4(ends.server.address) };
  const ports = { client: port(ends.client.port), server: port(ends.server.port) };
  /** Next sequence number of each side; the first ones are told apart easily in hex. */
  const next = { client: 0x1000_0000, server: 0x2000_0000 };
  let id = 0;
  const other = (side: Side): Side => (side === 'client' ? 'server' : 'client');

  function segment(from: Side, flags: number, payload: Uint8Array, options: readonly number[] = []): Uint8Array {
    const to = other(from);
    const header = TCP + options.length;
    const out = frame(address[from], address[to], 6, id++, header + payload.length);
    const at = ETHERNET + IPV4;
    const view = new DataView(out.buffer);
    view.setUint16(at, ports[from]);
    view.setUint16(at + 2, ports[to]);
    view.setUint32(at + 4, next[from]);
    view.setUint32(at + 8, flags & FLAGS.ack ? next[to] : 0);
    out[at + 12] = (header / 4) << 4;
    out[at + 13] = flags;
    view.setUint16(at + 14, 65_535);
    out.set(options, at + TCP);
    out.set(payload, at + header);
    view.setUint16(at + 16, transportChecksum(out, 6));
    next[from] = (next[from] + payload.length + (flags & (FLAGS.syn | FLAGS.fin) ? 1 : 0)) >>> 0;
    return out;
  }

  const NONE = new Uint8Array(0);
  /** Maximum segment size. */
  const MSS = [2, 4, SEGMENT >> 8, SEGMENT & 0xff];
  return {
    open: () => [
      segment('client', FLAGS.syn, NONE, MSS),
      segment('server', FLAGS.syn | FLAGS.ack, NONE, MSS),
      segment('client', FLAGS.ack, NONE),
    ],
    data(from, payload) {
      const out: Uint8Array[] = [];
      for (let at = 0; at < payload.length; at += SEGMENT) {
        const last = at + SEGMENT >= payload.length;
        out.push(segment(from, FLAGS.ack | (last ? FLAGS.psh : 0), payload.subarray(at, at + SEGMENT)));
      }
      return out;
    },
    close: (by = 'client') => [
      segment(by, FLAGS.fin | FLAGS.ack, NONE),
      segment(other(by), FLAGS.fin | FLAGS.ack, NONE),
      segment(by, FLAGS.ack, NONE),
    ],
    reset: (by) => [segment(by, FLAGS.rst | FLAGS.ack, NONE)],
  };
}
