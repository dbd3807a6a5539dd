/**
 * Finds M-Bus frames (EN 13757-2) in a byte stream. Long and control frames are found by their fourfold start, check
 * sum and stop; the search goes on inside what was refused. Short frames and the single character are reported too when
 * the caller asks for them: they are too short to be told from noise, so only who expects an answer should listen.
 *
 * The result does not depend on how the stream is cut; memory is one fixed buffer. See the HDLC scanner for `idle`.
 */
import type { Drop } from '@amiable/bytes';
import {
  ACKNOWLEDGE,
  checksum,
  LONG_OVERHEAD,
  LONG_START,
  type LongFrame,
  longFrameAt,
  MAX_FRAME,
  SHORT_START,
  STOP,
} from './frame.ts';

export interface MbusSink {
  /** A good long or control frame. Its views are valid only during the call. */
  frame(f: LongFrame, offset: number): void;
  /** Taken instead of `frame` where it is there: the same frame, buf[start, end), without views made of it. */
  frameAt?(buf: Uint8Array, start: number, end: number, offset: number): void;
  drop(d: Drop): void;
  short?(control: number, address: number, offset: number): void;
  acknowledge?(offset: number): void;
}

export interface MbusReceiver {
  push(chunk: Uint8Array): void;
  /** The line is silent: what is waited for will not come. */
  idle(): void;
  end(): void;
  readonly counters: { bytes: number; good: number; readonly dropped: Record<string, number>; noise: number };
}

const NOISE_EXCERPT = 64;
const NOISE_RUN = 4096;

export function createMbusReceiver(sink: MbusSink): MbusReceiver {
  const counters = { bytes: 0, good: 0, dropped: {} as Record<string, number>, noise: 0 };
  const hold = new Uint8Array(MAX_FRAME);
  let held = 0;
  let base = 0;
  /** Octets before this stream position are already in a reported drop. */
  let reported = 0;
  const excerpt = new Uint8Array(NOISE_EXCERPT);
  let noise = 0;
  let noiseStart = 0;

  function drop(reason: string, offset: number, length: number, bytes: Uint8Array): void {
    counters.dropped[reason] = (counters.dropped[reason] ?? 0) + 1;
    sink.drop({ reason, offset, length, excerpt: bytes });
  }

  function flushNoise(): void {
    if (noise === 0) return;
    const length = noise;
    noise = 0;
    drop('noise', noiseStart, length, excerpt.slice(0, Math.min(length, NOISE_EXCERPT)));
  }

  function skip(octet: number, offset: number): void {
    if (offset < reported) return;
    if (noise === NOISE_RUN) flushNoise();
    if (noise === 0) noiseStart = offset;
    if (noise < NOISE_EXCERPT) excerpt[noise] = octet;
    noise++;
    counters.noise++;
  }

  function found(end: number): void {
    flushNoise();
    reported = base + end;
    counters.good++;
  }

  /** Octets of the frame at buf[pos]; 0 when there is none, -1 when more octets must come to tell. */
  function judge(buf: Uint8Array, pos: number, len: number): number {
    const first = buf[pos];
    const rest = len - pos;
    if (first === LONG_START) {
      if (rest < 4) return rest < 3 || buf[pos + 1] === buf[pos + 2] ? -1 : 0;
      const length = buf[pos + 1] as number;
      if (length < 3 || buf[pos + 2] !== length || buf[pos + 3] !== LONG_START) return 0;
      const whole = length + LONG_OVERHEAD;
      if (rest < whole) return -1;
      if (buf[pos + whole - 1] === STOP && buf[pos + whole - 2] === checksum(buf, pos + 4, pos + whole - 2))
        return whole;
      refuse('checksum', buf, pos, pos + whole);
      return 0;
    }
    if (first === SHORT_START && sink.short) {
      if (rest < 5) return -1;
      const sum = ((buf[pos + 1] as number) + (buf[pos + 2] as number)) & 0xff;
      return buf[pos + 3] === sum && buf[pos + 4] === STOP ? 5 : 0;
    }
    return first === ACKNOWLEDGE && sink.acknowledge ? 1 : 0;
  }

  function refuse(reason: string, buf: Uint8Array, from: number, to: number): void {
    if (base + from < reported) return;
    flushNoise();
    reported = base + to;
    drop(reason, base + from, to - from, buf.slice(from, to));
  }

  /** Looks at buf[from, len); gives the index from which octets must be kept. */
  function scan(buf: Uint8Array, from: number, len: number, final: boolean): number {
    let pos = from;
    while (pos < len) {
      const length = judge(buf, pos, len);
      if (length > 0) {
        found(pos + length);
        if (length === 1) sink.acknowledge?.(base + pos);
        else if (buf[pos] === SHORT_START) sink.short?.(buf[pos + 1] as number, buf[pos + 2] as number, base + pos);
        else if (sink.frameAt) sink.frameAt(buf, pos, pos + length, base + pos);
        else sink.frame(longFrameAt(buf, pos), base + pos);
        pos += length;
        continue;
      }
      if (length < 0) {
        if (!final) return pos;
        if (len - pos >= 4 && buf[pos] === LONG_START) refuse('truncated', buf, pos, len);
      }
      skip(buf[pos] as number, base + pos);
      pos++;
    }
    return pos;
  }

  function settle(): void {
    if (held > 0) {
      scan(hold, 0, held, true);
      base += held;
      held = 0;
    }
    flushNoise();
  }

  return {
    counters,
    push(chunk) {
      counters.bytes += chunk.length;
      let at = 0;
      while (held > 0 && at < chunk.length) {
        hold[held++] = chunk[at++] as number;
        const kept = scan(hold, 0, held, false);
        if (kept > 0) {
          hold.copyWithin(0, kept, held);
          base += kept;
          held -= kept;
        }
      }
      if (at >= chunk.length) return;
      base -= at;
      const kept = scan(chunk, at, chunk.length, false);
      hold.set(chunk.subarray(kept), 0);
      held = chunk.length - kept;
      base += kept;
    },
    idle: settle,
    end: settle,
  };
}
