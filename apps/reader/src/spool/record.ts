/**
 * What lies on disk: segments of records. Decides the octets; leaves out files and policy.
 *
 * A segment begins with 40 octets: `AMSPOOL1`, level of thinning (u8), 3 zeros, number of records (u32, all ones where it was
 * not known yet), first number (f64), last number (f64, -1 where not known yet), 4 zeros, CRC-32 of these 36 octets.
 * A record is a head of 48 octets and its payload, the canonical message as one line of JSON in UTF-8:
 *
 *   0 marker A5 5A · 2 version 1 · 3 flags (1: fast) · 4 length of the payload (u32) · 8 number (f64) · 16 stamp (f64)
 *   24 time of receipt (f64) · 32 stream (u32) · 36 CRC-32 of the payload (u32) · 40 zeros · 44 CRC-32 of octets 0 to 43
 *
 * all little-endian. Numbers rise from record to record; a record whose head or payload does not check is passed over and the
 * next good one is looked for.
 */
import { crc32 } from 'node:zlib';

export const SEGMENT_HEAD = 40;
export const RECORD_HEAD = 48;
/** No message is longer; what claims to be is damage. */
export const LARGEST_PAYLOAD = 1 << 22;
const MAGIC = Buffer.from('AMSPOOL1', 'latin1');
const UNKNOWN = 0xffff_ffff;

export interface SegmentHead {
  readonly level: number;
  /** -1: not known yet. */
  readonly count: number;
  readonly first: number;
  /** -1: not known yet. */
  readonly last: number;
}

export function encodeSegmentHead({ level, count, first, last }: SegmentHead): Buffer {
  const out = Buffer.alloc(SEGMENT_HEAD);
  MAGIC.copy(out);
  out.writeUInt8(level, 8);
  out.writeUInt32LE(count < 0 ? UNKNOWN : count, 12);
  out.writeDoubleLE(first, 16);
  out.writeDoubleLE(last, 24);
  out.writeUInt32LE(crc32(out.subarray(0, 36)), 36);
  return out;
}

/** @returns undefined when it is damaged or none */
export function decodeSegmentHead(bytes: Buffer): SegmentHead | undefined {
  if (bytes.length < SEGMENT_HEAD || !bytes.subarray(0, 8).equals(MAGIC)) return undefined;
  if (crc32(bytes.subarray(0, 36)) !== bytes.readUInt32LE(36)) return undefined;
  const count = bytes.readUInt32LE(12);
  return {
    level: bytes.readUInt8(8),
    count: count === UNKNOWN ? -1 : count,
    first: bytes.readDoubleLE(16),
    last: bytes.readDoubleLE(24),
  };
}

export interface RecordInfo {
  readonly seq: number;
  /** The meter's time, else that of receipt; epoch ms. Thinning goes by it. */
  readonly stamp: number;
  /** Epoch ms of receipt. */
  readonly at: number;
  /** Messages of one port, meter and layout share it. */
  readonly stream: number;
  /** May be thinned. */
  readonly fast: boolean;
}

export function encodeRecord(info: RecordInfo, line: string): Buffer {
  const length = Buffer.byteLength(line);
  const out = Buffer.allocUnsafe(RECORD_HEAD + length);
  out.write(line, RECORD_HEAD, 'utf8');
  out.writeUInt16LE(0x5aa5, 0);
  out.writeUInt8(1, 2);
  out.writeUInt8(info.fast ? 1 : 0, 3);
  out.writeUInt32LE(length, 4);
  out.writeDoubleLE(info.stamp, 16);
  out.writeDoubleLE(info.at, 24);
  out.writeUInt32LE(info.stream, 32);
  out.writeUInt32LE(crc32(out.subarray(RECORD_HEAD)), 36);
  out.writeUInt32LE(0, 40);
  renumber(out, info.seq);
  return out;
}

/** Gives an encoded record another number. */
export function renumber(record: Buffer, seq: number): void {
  record.writeDoubleLE(seq, 8);
  record.writeUInt32LE(crc32(record.subarray(0, 44)), 44);
}

/** One record as it lies in a buffer. */
export class RecordView {
  bytes: Buffer = Buffer.alloc(0);
  start = 0;
  end = 0;
  seq = 0;
  stamp = 0;
  at = 0;
  stream = 0;
  fast = false;

  line(): string {
    return this.bytes.toString('utf8', this.start + RECORD_HEAD, this.end);
  }
}

/**
 * Looks for the record at `from`, or after damage the next good one.
 * @param final there are no more bytes than these: what is cut at the end is damage
 * @returns `record` (view is filled), `more` (bytes from `view.start` on are needed), `end`; `skipped`: damaged bytes passed over
 */
export function nextRecord(
  bytes: Buffer,
  from: number,
  final: boolean,
  view: RecordView,
): { readonly type: 'record' | 'more' | 'end'; readonly skipped: number } {
  let at = from;
  for (;;) {
    const mark = bytes.indexOf(0xa5, at);
    if (mark < 0) {
      view.start = bytes.length;
      return { type: 'end', skipped: bytes.length - from };
    }
    at = mark;
    if (bytes.length - at < RECORD_HEAD) {
      view.start = at;
      if (!final) return { type: 'more', skipped: at - from };
      view.start = bytes.length;
      return { type: 'end', skipped: bytes.length - from };
    }
    if (isHead(bytes, at)) {
      const length = bytes.readUInt32LE(at + 4);
      const end = at + RECORD_HEAD + length;
      if (end > bytes.length && !final) {
        view.start = at;
        return { type: 'more', skipped: at - from };
      }
      if (end <= bytes.length && crc32(bytes.subarray(at + RECORD_HEAD, end)) === bytes.readUInt32LE(at + 36)) {
        view.bytes = bytes;
        view.start = at;
        view.end = end;
        view.seq = bytes.readDoubleLE(at + 8);
        view.stamp = bytes.readDoubleLE(at + 16);
        view.at = bytes.readDoubleLE(at + 24);
        view.stream = bytes.readUInt32LE(at + 32);
        view.fast = (bytes[at + 3] as number) === 1;
        return { type: 'record', skipped: at - from };
      }
    }
    at++;
  }
}

function isHead(bytes: Buffer, at: number): boolean {
  return (
    bytes[at + 1] === 0x5a &&
    bytes[at + 2] === 1 &&
    bytes.readUInt32LE(at + 4) <= LARGEST_PAYLOAD &&
    crc32(bytes.subarray(at, at + 44)) === bytes.readUInt32LE(at + 44)
  );
}
