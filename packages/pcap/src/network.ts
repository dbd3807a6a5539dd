/**
 * From a packet of a link type down to the TCP or UDP payload: Ethernet with VLAN tags, Linux cooked v1 and v2, BSD
 * loopback, raw IP; IPv4 (RFC 791) and IPv6 (RFC 8200) with its extension headers; TCP (RFC 9293) and UDP (RFC 768).
 *
 * What it decides. Lengths are those of the headers, cut by what was captured. Check sums are not checked, since network
 * cards fill them in after the capture. What is no TCP or UDP gives undefined; damage gives DecodeError.
 *
 * Left out: IP fragments (undefined but for `fragment`), tunnels, and everything else that may lie between.
 */
import { DecodeError } from '@amiable/bytes';
import { LINKTYPE } from './packet.ts';

export interface NetworkPacket {
  readonly protocol: 'tcp' | 'udp';
  /** Text of the address, e.g. `192.0.2.1` or `2001:db8:0:0:0:0:0:1`. */
  readonly source: string;
  readonly sourcePort: number;
  readonly destination: string;
  readonly destinationPort: number;
  /** TCP only, else 0. */
  readonly sequence: number;
  readonly acknowledgement: number;
  readonly flags: TcpFlags;
  readonly payload: Uint8Array;
  /** Octets of payload that were on the wire but not captured. */
  readonly cut: number;
}

export interface TcpFlags {
  readonly fin: boolean;
  readonly syn: boolean;
  readonly rst: boolean;
  readonly ack: boolean;
}

const NO_FLAGS: TcpFlags = { fin: false, syn: false, rst: false, ack: false };
const IPV4_TYPE = 0x0800;
const IPV6_TYPE = 0x86dd;
/** Address families that mean IPv6 on the BSDs and macOS. */
const FAMILY_IPV6 = [24, 28, 30];
const MOST_EXTENSIONS = 16;
const MOST_TAGS = 8;

/** @throws DecodeError when a header is damaged or cut; undefined when it is neither TCP nor UDP, or a fragment */
export function decodeNetworkPacket(linkType: number, data: Uint8Array): NetworkPacket | undefined {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const need = (at: number, n: number, what: string) => {
    if (at + n > data.length) throw new DecodeError('truncated', `${what} needs ${n} octets`, at);
  };
  let at = 0;
  let type = 0;
  switch (linkType) {
    case LINKTYPE.ethernet:
      need(0, 14, 'Ethernet header');
      type = view.getUint16(12);
      at = 14;
      break;
    case LINKTYPE.linuxSll:
      need(0, 16, 'cooked header');
      type = view.getUint16(14);
      at = 16;
      break;
    case LINKTYPE.linuxSll2:
      need(0, 20, 'cooked header');
      type = view.getUint16(0);
      at = 20;
      break;
    case LINKTYPE.null:
    case LINKTYPE.loop: {
      need(0, 4, 'loopback header');
      const little = linkType === LINKTYPE.null && view.getUint32(0) > 0xffff;
      const family = view.getUint32(0, little);
      type = family === 2 ? IPV4_TYPE : FAMILY_IPV6.includes(family) ? IPV6_TYPE : 0;
      at = 4;
      break;
    }
    case LINKTYPE.raw:
    case LINKTYPE.ipv4:
    case LINKTYPE.ipv6:
    case 12: // raw IP, as it is numbered where the capture comes straight from a BSD
    case 14:
      need(0, 1, 'IP header');
      type = (data[0] as number) >> 4 === 6 ? IPV6_TYPE : IPV4_TYPE;
      break;
    default:
      return undefined;
  }
  for (let tags = 0; type === 0x8100 || type === 0x88a8 || type === 0x9100; tags++) {
    need(at, 4, 'VLAN tag');
    if (tags === MOST_TAGS) throw new DecodeError('depth', `more than ${MOST_TAGS} VLAN tags`, at);
    type = view.getUint16(at + 2);
    at += 4;
  }
  if (type === IPV4_TYPE) return internet4();
  return type === IPV6_TYPE ? internet6() : undefined;

  function internet4(): NetworkPacket | undefined {
    need(at, 20, 'IPv4 header');
    const first = data[at] as number;
    const header = (first & 15) * 4;
    if (first >> 4 !== 4 || header < 20) throw new DecodeError('version', 'no IPv4 header', at);
    need(at, header, 'IPv4 header');
    // A length of 0 stands where the network card was to cut the packet up.
    const total = view.getUint16(at + 2) || data.length - at;
    if (total < header) throw new DecodeError('length', `IPv4 length ${total}`, at + 2);
    if (view.getUint16(at + 6) & 0x3fff) return undefined;
    const text = (o: number) => data.subarray(o, o + 4).join('.');
    return transport(data[at + 9] as number, at + header, at + total, text(at + 12), text(at + 16));
  }

  function internet6(): NetworkPacket | undefined {
    need(at, 40, 'IPv6 header');
    if ((data[at] as number) >> 4 !== 6) throw new DecodeError('version', 'no IPv6 header', at);
    const length = view.getUint16(at + 4);
    const end = length === 0 ? data.length : at + 40 + length;
    const [source, destination] = [address6(at + 8), address6(at + 24)];
    let next = data[at + 6] as number;
    let o = at + 40;
    // Hop-by-hop, routing, destination options; a fragment ends it.
    for (let i = 0; next === 0 || next === 43 || next === 60; i++) {
      need(o, 8, 'IPv6 extension header');
      if (i === MOST_EXTENSIONS) throw new DecodeError('depth', `more than ${MOST_EXTENSIONS} extension headers`, o);
      next = data[o] as number;
      o += 8 + (data[o + 1] as number) * 8;
    }
    return transport(next, o, end, source, destination);
  }

  function address6(o: number): string {
    return Array.from({ length: 8 }, (_, i) => view.getUint16(o + 2 * i).toString(16)).join(':');
  }

  function transport(
    protocol: number,
    o: number,
    end: number,
    source: string,
    destination: string,
  ): NetworkPacket | undefined {
    if (protocol !== 6 && protocol !== 17) return undefined;
    const tcp = protocol === 6;
    need(o, tcp ? 20 : 8, tcp ? 'TCP header' : 'UDP header');
    const header = tcp ? ((data[o + 12] as number) >> 4) * 4 : 8;
    if (tcp && header < 20) throw new DecodeError('length', `TCP header of ${header} octets`, o + 12);
    const stop = tcp ? end : Math.min(end, o + Math.max(8, view.getUint16(o + 4) || end - o));
    const from = Math.min(o + header, data.length);
    if (o + header > stop) throw new DecodeError('length', 'header is longer than its packet', o);
    const bits = tcp ? (data[o + 13] as number) : 0;
    return {
      protocol: tcp ? 'tcp' : 'udp',
      source,
      sourcePort: view.getUint16(o),
      destination,
      destinationPort: view.getUint16(o + 2),
      sequence: tcp ? view.getUint32(o + 4) : 0,
      acknowledgement: tcp ? view.getUint32(o + 8) : 0,
      flags: tcp
        ? { fin: (bits & 1) !== 0, syn: (bits & 2) !== 0, rst: (bits & 4) !== 0, ack: (bits & 16) !== 0 }
        : NO_FLAGS,
      payload: data.subarray(from, Math.max(from, Math.min(stop, data.length))),
      cut: Math.max(0, stop - Math.max(data.length, o + header)),
    };
  }
}
