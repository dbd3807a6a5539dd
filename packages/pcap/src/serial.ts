/**
 * Serial octets in captures: LINKTYPE_RTAC_SERIAL (250), a header of 12 octets, big-endian: seconds, microseconds, event
 * type, control lines, footer of two octets; then the octets. Why this type: packet.ts.
 */
import { DecodeError } from '@amiable/bytes';
import { LINKTYPE, type PacketTime } from './packet.ts';

export const RTAC_EVENT = {
  statusChange: 0,
  dataTxStart: 1,
  dataRxStart: 2,
  dataTxEnd: 3,
  dataRxEnd: 4,
  captureDataLost: 5,
  captureComplete: 6,
  framingError: 7,
  parityError: 8,
  serialBreak: 9,
  serialOverflow: 10,
} as const;

const HEADER = 12;
/** RTS, DTR, DSR, CTS and DCD are on: the line is in use. */
const LINES_ON = 0x1f;

export interface SerialPacket {
  /** Of the station that captured: transmitted by it, received by it, or not known. */
  readonly direction: 'transmitted' | 'received' | 'unknown';
  /** RTAC event type; undefined where the link type has none. */
  readonly event: number | undefined;
  readonly octets: Uint8Array;
}

/** What goes into a packet of link type 250. */
export function serialPacket(direction: 'transmitted' | 'received', octets: Uint8Array, time: PacketTime): Uint8Array {
  const out = new Uint8Array(HEADER + octets.length);
  const view = new DataView(out.buffer);
  view.setUint32(0, time.seconds);
  view.setUint32(4, Math.floor(time.nanoseconds / 1000));
  out[8] = direction === 'transmitted' ? RTAC_EVENT.dataTxStart : RTAC_EVENT.dataRxStart;
  out[9] = LINES_ON;
  out.set(octets, HEADER);
  return out;
}

/** Reads a packet of link type 250 or 147. @throws DecodeError */
export function decodeSerialPacket(linkType: number, data: Uint8Array): SerialPacket {
  if (linkType === LINKTYPE.user0) return { direction: 'unknown', event: undefined, octets: data };
  if (data.length < HEADER) throw new DecodeError('truncated', 'an RTAC serial header has 12 octets', data.length);
  const event = data[8] as number;
  const direction =
    event === RTAC_EVENT.dataTxStart || event === RTAC_EVENT.dataTxEnd
      ? 'transmitted'
      : event === RTAC_EVENT.dataRxStart || event === RTAC_EVENT.dataRxEnd
        ? 'received'
        : 'unknown';
  return { direction, event, octets: data.subarray(HEADER) };
}
