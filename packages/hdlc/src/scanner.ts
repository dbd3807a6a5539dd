/**
 * Finds HDLC frames of format type 3 in a byte stream (IEC 62056-46 clause 6.4), whatever the line does to it.
 *
 * What it decides. A frame starts after a flag, after a good frame, or at the very beginning (captures and gateways leave
 * flags away), and ends where its length field says: meters leave 7E and 7D unstuffed in the data, so a flag by itself
 * ends nothing. A header must pass its HCS before its length is believed, and that is
 * looked at as soon as the header is there, so line noise that resembles a header costs nothing. After a failure the
 * search goes on inside the rejected octets, because when the tail of a frame is lost the next one begins there. Flags may
 * be shared, doubled, or missing after a frame; a frame without information has one check sum only and so must show
 * its closing flag as well.
 *
 * The result does not depend on how the stream is cut. A frame is given as soon as its FCS is there. A frame whose
 * tail never comes is waited for until the octets are made up by what follows; a caller that knows that the line has
 * fallen silent says so with `idle()`, and the wait ends there.
 *
 * Memory is one fixed buffer. A frame that lies whole in a chunk is not copied. HCS and FCS are one pass: the FCS
 * register after a good header is a constant.
 */
import { copyBytes, type Drop, X25_RESIDUE, X25_START, x25Update } from '@amiable/bytes';
import { addressLength } from './address.ts';
import { FLAG, MAX_LENGTH, MIN_LENGTH } from './frame.ts';

export type DropReason = 'noise' | 'length' | 'address' | 'hcs' | 'fcs' | 'truncated';

export interface Counters {
  /** Octets pushed. */
  bytes: number;
  good: number;
  /** Refused frames and runs of noise by reason. */
  readonly dropped: Record<string, number>;
  /** Octets outside of frames and refused frames, flags not counted. */
  noise: number;
}

export interface ScanSink {
  /**
   * A good frame: buf[start, infoEnd + 2) from the format field through the FCS, information in [infoStart, infoEnd).
   * `offset` is the stream position of `start`. The buffer may be overwritten after the call.
   */
  frame(buf: Uint8Array, start: number, infoStart: number, infoEnd: number, offset: number): void;
  drop(d: Drop): void;
}

export interface HdlcScanner {
  push(chunk: Uint8Array): void;
  /** The line is silent: what is waited for will not come. */
  idle(): void;
  /** No more octets: judges what is left. */
  end(): void;
  readonly counters: Counters;
}

export interface ScanOptions {
  /** Also wait for frames whose HCS is wrong and report them whole if a closing flag stands where they end. */
  readonly refused?: boolean;
}

/** Header with two addresses of four octets, and HCS. */
const LONGEST_HEADER = 13;
const NOISE_EXCERPT = 64;
/** A run of noise is reported in pieces of at most this many octets. */
const NOISE_RUN = 4096;

export function createHdlcScanner(sink: ScanSink, options: ScanOptions = {}): HdlcScanner {
  const wantRefused = options.refused === true;
  const counters: Counters = { bytes: 0, good: 0, dropped: {}, noise: 0 };
  /** Octets from the candidate's format field on that wait for more; the flag before it is implied by `open`. */
  const hold = new Uint8Array(MAX_LENGTH + 2);
  let held = 0;
  /** `held` must reach this before it is worth looking again. */
  let needed = 0;
  /** A frame may begin at the octet to look at: it is the first one, or follows a flag or a good frame. */
  let open = true;
  /** Stream position of index 0 of the buffer under scan. */
  let base = 0;
  /** Octets before this stream position are already in a reported drop. */
  let reported = 0;
  let noiseStart = -1;
  let noiseEnd = 0;
  let noiseReason: DropReason = 'noise';
  const noiseExcerpt = new Uint8Array(NOISE_EXCERPT);
  let noiseKept = 0;

  function drop(reason: DropReason, offset: number, length: number, excerpt: Uint8Array): void {
    counters.dropped[reason] = (counters.dropped[reason] ?? 0) + 1;
    sink.drop({ reason, offset, length, excerpt });
  }

  function flushNoise(): void {
    if (noiseStart < 0) return;
    const from = noiseStart;
    noiseStart = -1;
    drop(noiseReason, from, noiseEnd - from, noiseExcerpt.slice(0, noiseKept));
    noiseReason = 'noise';
    noiseKept = 0;
  }

  /** Octets buf[from, to) belong to no frame. */
  function skip(buf: Uint8Array, from: number, to: number): void {
    let i = Math.max(from, reported - base);
    while (i < to) {
      if (noiseStart < 0) noiseStart = base + i;
      const n = Math.min(to - i, NOISE_RUN - (base + i - noiseStart));
      if (n <= 0) {
        flushNoise();
        continue;
      }
      const keep = Math.min(n, NOISE_EXCERPT - noiseKept);
      for (let k = 0; k < keep; k++) noiseExcerpt[noiseKept++] = buf[i + k] as number;
      counters.noise += n;
      i += n;
      noiseEnd = base + i;
    }
  }

  /** Reports a frame that was one by its look, in whole. */
  function refuse(reason: DropReason, buf: Uint8Array, from: number, to: number): void {
    if (base + from < reported) return; // inside a refused frame: one report is enough
    flushNoise();
    reported = base + to;
    drop(reason, base + from, to - from, copyBytes(buf, from, to));
  }

  /** Looks at buf[from, len); gives the index from which octets must be kept. */
  function scan(buf: Uint8Array, from: number, len: number, final: boolean): number {
    let pos = from;
    needed = 0;
    for (;;) {
      if (!open) {
        let i = pos;
        while (i < len && buf[i] !== FLAG) i++;
        if (i > pos) skip(buf, pos, i);
        if (i >= len) return len;
        pos = i + 1;
        open = true;
      }
      while (pos < len && buf[pos] === FLAG) pos++;
      if (pos >= len) return len;

      // A candidate: each check either passes, or gives a reason to refuse, or needs more octets.
      let reason: DropReason = 'noise';
      let wait = 0;
      const rest = len - pos;
      if (((buf[pos] as number) & 0xf0) === 0xa0) {
        if (rest < 2) wait = 2;
        else {
          const length = (((buf[pos] as number) & 7) << 8) | (buf[pos + 1] as number);
          const headed = length < LONGEST_HEADER ? length : LONGEST_HEADER;
          if (length < MIN_LENGTH) reason = 'length';
          else if (rest < headed) wait = headed;
          else {
            const end = pos + length;
            const source = pos + 2 + addressLength(buf, pos + 2, end);
            const control = source + addressLength(buf, source, end);
            const bodyStart = control + 3;
            if (source === pos + 2 || control === source) reason = 'address';
            else if (bodyStart !== end && bodyStart + 2 > end) reason = 'length';
            else if (bodyStart === end) {
              if (x25Update(X25_START, buf, pos, end) !== X25_RESIDUE) reason = 'fcs';
              else if (rest === length) wait = length + 1;
              else if (buf[end] === FLAG) {
                accept(buf, pos, end - 2, end);
                pos = end;
                continue;
              }
            } else if (x25Update(X25_START, buf, pos, bodyStart) !== X25_RESIDUE) {
              reason = 'hcs';
              if (wantRefused) {
                if (rest <= length) wait = length + 1;
                else if (buf[end] === FLAG) refuse('hcs', buf, pos, end);
              }
            } else if (rest < length) wait = length;
            else if (x25Update(X25_RESIDUE, buf, bodyStart, end) === X25_RESIDUE) {
              accept(buf, pos, bodyStart, end);
              pos = end;
              continue;
            } else {
              reason = 'fcs';
              refuse('fcs', buf, pos, end);
            }
            if (final && wait > 0 && reason !== 'hcs' && bodyStart !== end) refuse('truncated', buf, pos, len);
          }
        }
      }
      if (wait > 0 && !final) {
        needed = wait;
        return pos;
      }
      // The candidate is none: search on inside the octets it claimed.
      if (wait > 0 && reason === 'noise') reason = 'truncated';
      if (noiseReason === 'noise' && base + pos >= reported) noiseReason = reason;
      open = false;
    }
  }

  function accept(buf: Uint8Array, start: number, infoStart: number, end: number): void {
    if (noiseStart >= 0) flushNoise();
    noiseReason = 'noise';
    reported = base + end;
    open = true;
    counters.good++;
    sink.frame(buf, start, infoStart, end - 2, base + start);
  }

  /** Scans what is held, keeps what must wait. */
  function scanHeld(final: boolean): void {
    const kept = scan(hold, 0, held, final);
    hold.copyWithin(0, kept, held);
    base += kept;
    held -= kept;
  }

  return {
    counters,
    push(chunk) {
      counters.bytes += chunk.length;
      let at = 0;
      while (held > 0 && at < chunk.length) {
        const take = Math.min(chunk.length - at, Math.max(needed - held, 1));
        hold.set(chunk.subarray(at, at + take), held);
        held += take;
        at += take;
        if (held >= needed) scanHeld(false);
      }
      if (held > 0 || at >= chunk.length) return;
      base -= at;
      const kept = scan(chunk, at, chunk.length, false);
      base += kept;
      held = chunk.length - kept;
      if (held > 0) hold.set(chunk.subarray(kept), 0);
    },
    idle() {
      if (held > 0) scanHeld(true);
      flushNoise();
    },
    end() {
      if (held > 0) scanHeld(true);
      flushNoise();
      open = true;
    },
  };
}
