/**
 * What a capture consists of, whatever its file format: packets of a link type, with their time. Link types are numbers
 * of the registry at tcpdump.org (LINKTYPE_…); only those that this package reads or writes have a name here.
 *
 * Serial octets are written as RTAC serial (250): its header of 12 octets says the time, the direction and the state of
 * the control lines, Wireshark shows these without being configured, and lets the payload be decoded as any protocol
 * ("Decode As", table rtacser.data). With DLT_USER0 (147) every user would have to set a preference first, and a classic
 * pcap file would not say which octets were sent and which received; it is read, as octets of unknown direction.
 */

export const LINKTYPE = {
  /** BSD loopback: the address family in the byte order of the machine that wrote it. */
  null: 0,
  ethernet: 1,
  raw: 101,
  /** OpenBSD loopback: the address family in network order. */
  loop: 108,
  linuxSll: 113,
  user0: 147,
  ipv4: 228,
  ipv6: 229,
  rtacSerial: 250,
  linuxSll2: 276,
} as const;

/** Since 1970 in UTC. Two numbers, for one would be too coarse for nanoseconds. */
export interface PacketTime {
  readonly seconds: number;
  /** 0 to 999,999,999. */
  readonly nanoseconds: number;
}

export function packetTime(epochMilliseconds: number): PacketTime {
  const seconds = Math.floor(epochMilliseconds / 1000);
  return { seconds, nanoseconds: Math.min(999_999_999, Math.round((epochMilliseconds - seconds * 1000) * 1e6)) };
}

/** Epoch milliseconds, with a fraction. */
export function milliseconds(time: PacketTime): number {
  return time.seconds * 1000 + time.nanoseconds / 1e6;
}

export interface Packet {
  readonly linkType: number;
  readonly time: PacketTime;
  /** What was captured of it. */
  readonly data: Uint8Array;
  /** Octets on the wire; more than `data` has when the capture cut it. */
  readonly originalLength: number;
  /** From the capturing machine's side; pcapng only. */
  readonly direction?: 'inbound' | 'outbound';
  /** pcapng only. */
  readonly comment?: string;
}
