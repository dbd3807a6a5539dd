/**
 * The transport layer that Austrian and other customer interfaces put on M-Bus long frames to carry a DLMS APDU that is
 * longer than one frame (DLMS UA 1000-2 Green Book clause 10.5, M-Bus based profile; EN 13757-4 CI 00..1F):
 *
 *     CI = 000 F SSSS   F: last segment, SSSS: segment number from 0, modulo 16
 *     STSAP, DTSAP      source and destination service access points
 *
 * Left out: the confirmed forms of the profile, which a customer port does not use.
 */
import type { LongFrame } from './frame.ts';

export interface TransportSegment {
  readonly sequence: number;
  readonly final: boolean;
  readonly source: number;
  readonly destination: number;
  /** Part of the APDU. */
  readonly data: Uint8Array;
}

/** The transport segment in a long frame, undefined when its CI says that it carries none. */
export function transportSegment(frame: LongFrame): TransportSegment | undefined {
  if (frame.controlInformation > 0x1f || frame.data.length < 2) return undefined;
  return {
    sequence: frame.controlInformation & 0x0f,
    final: (frame.controlInformation & 0x10) !== 0,
    source: frame.data[0] as number,
    destination: frame.data[1] as number,
    data: frame.data.subarray(2),
  };
}

/** Long frames' parts that carry `apdu`, at most `size` octets of it each. */
export function splitTransport(
  apdu: Uint8Array,
  source: number,
  destination: number,
  size = 245,
): Omit<LongFrame, 'raw'>[] {
  const out: Omit<LongFrame, 'raw'>[] = [];
  for (let at = 0, n = 0; at === 0 || at < apdu.length; at += size, n++) {
    const data = new Uint8Array(2 + Math.min(size, apdu.length - at));
    data[0] = source;
    data[1] = destination;
    data.set(apdu.subarray(at, at + size), 2);
    const last = at + size >= apdu.length ? 0x10 : 0;
    out.push({ control: 0x53, address: 0xff, controlInformation: last | (n & 0x0f), data });
  }
  return out;
}
