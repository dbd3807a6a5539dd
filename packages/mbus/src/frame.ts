/**
 * The frames of the M-Bus link layer (EN 13757-2 clause 5, format class FT1.2 of IEC 60870-5-1):
 *
 *     single character  E5
 *     short frame       10 C A checksum 16
 *     long frame        68 L L 68 C A CI data checksum 16      (control frame: L = 3, no data)
 *
 * L counts C, A, CI and data; the check sum is the sum of the same octets modulo 256. This file reads and writes whole
 * frames; what CI and the data mean is not its business.
 */
import { DecodeError, MisuseError } from '@amiable/bytes';

export const LONG_START = 0x68;
export const SHORT_START = 0x10;
export const STOP = 0x16;
export const ACKNOWLEDGE = 0xe5;
/** Octets of a long frame around what L counts. */
export const LONG_OVERHEAD = 6;
export const MAX_FRAME = 255 + LONG_OVERHEAD;

export interface LongFrame {
  readonly control: number;
  readonly address: number;
  /** What kind of data follows. */
  readonly controlInformation: number;
  readonly data: Uint8Array;
  /** The whole frame. */
  readonly raw: Uint8Array;
}

export function checksum(buf: Uint8Array, start: number, end: number): number {
  let sum = 0;
  for (let i = start; i < end; i++) sum += buf[i] as number;
  return sum & 0xff;
}

/** The frame whose first octet is buf[start], as views. The caller has checked it. */
export function longFrameAt(buf: Uint8Array, start: number): LongFrame {
  const length = buf[start + 1] as number;
  return {
    control: buf[start + 4] as number,
    address: buf[start + 5] as number,
    controlInformation: buf[start + 6] as number,
    data: buf.subarray(start + 7, start + 4 + length),
    raw: buf.subarray(start, start + length + LONG_OVERHEAD),
  };
}

/** Reads one whole long or control frame. @throws DecodeError */
export function decodeLongFrame(bytes: Uint8Array): LongFrame {
  if (bytes.length < 9)
    throw new DecodeError('truncated', `a long frame has at least 9 octets, not ${bytes.length}`, 0);
  if (bytes[0] !== LONG_START) throw new DecodeError('format', 'a long frame starts with 68', 0);
  const length = bytes[1] as number;
  if (bytes[2] !== length) throw new DecodeError('length', `the length says ${length}, then ${bytes[2]}`, 2);
  if (bytes[3] !== LONG_START) throw new DecodeError('format', 'a long frame has 68 again behind its length', 3);
  if (length < 3) throw new DecodeError('length', `length ${length} leaves no room for C, A and CI`, 1);
  const end = length + LONG_OVERHEAD;
  if (bytes.length < end)
    throw new DecodeError('truncated', `length ${length} makes ${end} octets, ${bytes.length} are here`, bytes.length);
  if (bytes.length > end) throw new DecodeError('trailing', `${bytes.length - end} octets after the frame`, end);
  const sum = checksum(bytes, 4, end - 2);
  if (bytes[end - 2] !== sum)
    throw new DecodeError('checksum', `check sum ${bytes[end - 2]}, the octets give ${sum}`, end - 2);
  if (bytes[end - 1] !== STOP) throw new DecodeError('format', 'a frame ends with 16', end - 1);
  return longFrameAt(bytes, 0);
}

/** @throws MisuseError when the data do not fit */
export function encodeLongFrame(frame: Omit<LongFrame, 'raw'>): Uint8Array {
  const length = 3 + frame.data.length;
  if (length > 255) throw new MisuseError(`a long frame holds 252 octets of data, not ${frame.data.length}`);
  const out = new Uint8Array(length + LONG_OVERHEAD);
  out.set([LONG_START, length, length, LONG_START, frame.control, frame.address, frame.controlInformation]);
  out.set(frame.data, 7);
  out[length + 4] = checksum(out, 4, length + 4);
  out[length + 5] = STOP;
  return out;
}

export function encodeShortFrame(control: number, address: number): Uint8Array {
  return Uint8Array.of(SHORT_START, control, address, (control + address) & 0xff, STOP);
}
