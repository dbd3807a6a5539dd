/**
 * What one side said before the other took over, in one piece: packets cut messages anywhere, so neighbouring packets of
 * one side belong together. Behind octets that are not in the capture a new run begins, for nothing joins over a hole.
 */
import type { PacketTime } from './packet.ts';
import type { CollectedStream, Piece, StreamSide } from './streams.ts';

export interface Run {
  readonly from: StreamSide;
  readonly octets: Uint8Array;
  /** When the octets from `at` on came, in order. */
  readonly times: readonly { readonly at: number; readonly time: PacketTime }[];
  /** Octets of this side that are missing before it. */
  readonly missing: number;
}

export function runsOf(stream: CollectedStream): Run[] {
  const runs: Run[] = [];
  let pieces: Piece[] = [];
  let missing = 0;
  const finish = (): void => {
    const first = pieces[0];
    if (first) runs.push(joined(first.from, pieces, missing));
    pieces = [];
    missing = 0;
  };
  for (const piece of stream.pieces) {
    if (piece.missing) {
      finish();
      missing += piece.missing;
    }
    if (piece.octets.length === 0) continue;
    if (pieces[0] && pieces[0].from !== piece.from) finish();
    pieces.push(piece);
  }
  finish();
  return runs;
}

function joined(from: StreamSide, pieces: readonly Piece[], missing: number): Run {
  const octets = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.octets.length, 0));
  const times: { at: number; time: PacketTime }[] = [];
  let at = 0;
  for (const piece of pieces) {
    octets.set(piece.octets, at);
    times.push({ at, time: piece.time });
    at += piece.octets.length;
  }
  return { from, octets, times, missing };
}

/** pcap in both byte orders and both resolutions, and pcapng. */
const MAGIC: ReadonlySet<number> = new Set([0xa1b2c3d4, 0xd4c3b2a1, 0xa1b23c4d, 0x4d3cb2a1, 0x0a0d0d0a]);

/** Whether a file begins as a capture does. */
export function isCapture(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && MAGIC.has(new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0));
}
