/**
 * One HDLC frame, frame format type 3 (IEC 62056-46 clause 6.4):
 *
 *     7E | format 2 | destination 1/2/4 | source 1/2/4 | control 1 | HCS 2 | information n | FCS 2 | 7E
 *
 * The format field is 1010 S LLLLLLLLLLL: segmentation bit and the number of octets between the flags. HCS covers all
 * before it; a frame without information has none, its FCS does the work. Octets are not stuffed: the length says where
 * the frame ends. Both check sums are CRC-16/X-25, low octet first. This file reads and writes a whole frame; finding
 * frames in a stream is scanner.ts.
 */
import { DecodeError, MisuseError, X25_RESIDUE, X25_START, x25Update } from '@amiable/bytes';
import { addressBytes, addressLength, type HdlcAddress, readAddress } from './address.ts';

export const FLAG = 0x7e;
/** Octets between the flags: the length field has 11 bits. */
export const MAX_LENGTH = 2047;
/** Format, two addresses of one octet, control, FCS. */
export const MIN_LENGTH = 7;

export interface HdlcFrame {
  /** More frames of the same information follow. */
  readonly segmented: boolean;
  readonly destination: HdlcAddress;
  readonly source: HdlcAddress;
  readonly control: number;
  /** Empty when the frame has no information field. */
  readonly info: Uint8Array;
  /** The octets between the flags. */
  readonly raw: Uint8Array;
}

export interface HdlcFrameParts {
  readonly segmented?: boolean;
  readonly destination: HdlcAddress;
  readonly source: HdlcAddress;
  readonly control: number;
  readonly info?: Uint8Array;
}

/** Where the parts of a frame lie, counted from the start of the buffer. */
export interface FrameLayout {
  readonly start: number;
  readonly source: number;
  readonly control: number;
  /** Where the HCS stands; equals `end - 2` when there is none. */
  readonly headerEnd: number;
  readonly infoStart: number;
  readonly infoEnd: number;
  readonly end: number;
}

/** Finds the parts of the frame whose format field is at `start`, without check sums. @throws DecodeError */
export function layoutFrame(buf: Uint8Array, start: number, end: number): FrameLayout {
  if (end - start < MIN_LENGTH)
    throw new DecodeError('truncated', `an HDLC frame has at least ${MIN_LENGTH} octets, ${end - start} are here`, end);
  const format = ((buf[start] as number) << 8) | (buf[start + 1] as number);
  if (format >> 12 !== 0xa)
    throw new DecodeError(
      'format',
      `frame format type 3 starts with A, this with ${(format >> 12).toString(16)}`,
      start,
    );
  const length = format & 0x7ff;
  if (length < MIN_LENGTH) throw new DecodeError('length', `length field says ${length} octets`, start);
  if (length > end - start)
    throw new DecodeError('truncated', `length field says ${length} octets, ${end - start} are here`, end);
  const frameEnd = start + length;
  const source = start + 2 + addressLength(buf, start + 2, frameEnd);
  if (source === start + 2) throw new DecodeError('address', 'destination address has no end', start + 2);
  const control = source + addressLength(buf, source, frameEnd);
  if (control === source) throw new DecodeError('address', 'source address has no end', source);
  const headerEnd = control + 1;
  const bare = headerEnd + 2 === frameEnd;
  if (!bare && headerEnd + 4 > frameEnd)
    throw new DecodeError(
      'length',
      `length field says ${length} octets, which its header and check sums do not make`,
      start,
    );
  return {
    start,
    source,
    control,
    headerEnd,
    infoStart: bare ? headerEnd : headerEnd + 2,
    infoEnd: frameEnd - 2,
    end: frameEnd,
  };
}

/** The frame at a layout, as views into the buffer. */
export function frameAt(buf: Uint8Array, at: FrameLayout): HdlcFrame {
  return {
    segmented: ((buf[at.start] as number) & 0x08) !== 0,
    destination: readAddress(buf, at.start + 2, (at.source - at.start - 2) as 1 | 2 | 4),
    source: readAddress(buf, at.source, (at.control - at.source) as 1 | 2 | 4),
    control: buf[at.control] as number,
    info: buf.subarray(at.infoStart, at.infoEnd),
    raw: buf.subarray(at.start, at.end),
  };
}

/** Reads one whole frame, with or without its flags, both check sums included. Nothing may follow it. @throws DecodeError */
export function decodeFrame(bytes: Uint8Array): HdlcFrame {
  let start = 0;
  let end = bytes.length;
  while (start < end && bytes[start] === FLAG) start++;
  const at = layoutFrame(bytes, start, end);
  if (end > at.end && bytes[end - 1] === FLAG) end--;
  if (end !== at.end) throw new DecodeError('trailing', `${end - at.end} octets after the frame`, at.end);
  if (at.infoEnd > at.infoStart && x25Update(X25_START, bytes, start, at.infoStart) !== X25_RESIDUE)
    throw new DecodeError('hcs', 'header check sequence is wrong', at.headerEnd);
  if (x25Update(X25_START, bytes, start, at.end) !== X25_RESIDUE)
    throw new DecodeError('fcs', 'frame check sequence is wrong', at.end - 2);
  return frameAt(bytes, at);
}

/** The octets of a frame, flags included. @throws MisuseError when it does not fit */
export function encodeFrame(parts: HdlcFrameParts): Uint8Array {
  const info = parts.info ?? NOTHING;
  const addresses = joinAddresses(parts.destination, parts.source);
  return frameBytes(addresses, parts.control, parts.segmented === true, NOTHING, info, 0, info.length);
}

export const NOTHING = new Uint8Array(0);

/** Destination and source as they stand in a frame. */
export function joinAddresses(destination: HdlcAddress, source: HdlcAddress): Uint8Array {
  const d = addressBytes(destination);
  const s = addressBytes(source);
  const out = new Uint8Array(d.length + s.length);
  out.set(d);
  out.set(s, d.length);
  return out;
}

/**
 * The octets of a frame with `prefix` and data[from, to) as its information field, in one allocation: the way of links,
 * which send many frames with the same addresses. @throws MisuseError when it does not fit
 */
export function frameBytes(
  addresses: Uint8Array,
  control: number,
  segmented: boolean,
  prefix: Uint8Array,
  data: Uint8Array,
  from: number,
  to: number,
): Uint8Array {
  const infoLength = prefix.length + to - from;
  const controlAt = 3 + addresses.length;
  const length = controlAt + (infoLength > 0 ? 2 + infoLength : 0) + 2;
  if (length > MAX_LENGTH)
    throw new MisuseError(`an HDLC frame holds ${MAX_LENGTH} octets, this one needs ${length}: send it in segments`);
  const out = new Uint8Array(length + 2);
  out[0] = FLAG;
  out[1] = 0xa0 | (segmented ? 0x08 : 0) | (length >> 8);
  out[2] = length & 0xff;
  for (let i = 0; i < addresses.length; i++) out[3 + i] = addresses[i] as number;
  out[controlAt] = control;
  let at = controlAt + 1;
  putCheck(out, at, x25Update(X25_START, out, 1, at));
  if (infoLength > 0) {
    const infoAt = at + 2;
    at = infoAt;
    for (let i = 0; i < prefix.length; i++) out[at++] = prefix[i] as number;
    // A short copy is quicker by hand than by way of a view.
    if (to - from < 64) for (let i = from; i < to; i++) out[at++] = data[i] as number;
    else {
      out.set(from === 0 && to === data.length ? data : data.subarray(from, to), at);
      at += to - from;
    }
    // After a header and its right HCS the register is a constant.
    putCheck(out, at, x25Update(X25_RESIDUE, out, infoAt, at));
  }
  out[at + 2] = FLAG;
  return out;
}

function putCheck(out: Uint8Array, at: number, register: number): void {
  const check = register ^ 0xffff;
  out[at] = check & 0xff;
  out[at + 1] = check >> 8;
}
