/**
 * Joins the pieces of a General-Block-Transfer (IEC 62056-5-3 clause 6.5) as a push sends them: unconfirmed, in order,
 * numbered from 1.
 *
 * Decides: what a gap, a repeated block and a new start mean. Leaves out: asking for lost blocks, which a push cannot.
 */
import { DecodeError } from '@amiable/bytes';
import type { GeneralBlockTransfer } from './apdu/types.ts';

export interface BlockJoiner {
  /** Takes one piece. @returns the whole APDU after the last one, else undefined. @throws DecodeError `block` on a gap */
  push(piece: GeneralBlockTransfer): Uint8Array | undefined;
  /** Forgets what was joined so far. */
  reset(): void;
  /** Bytes waiting for their rest. */
  readonly waiting: number;
}

/** @param maxBytes the largest APDU that is joined */
export function createBlockJoiner(maxBytes = 65_536): BlockJoiner {
  let parts: Uint8Array[] = [];
  let bytes = 0;
  let next = 1;
  const reset = (): void => {
    parts = [];
    bytes = 0;
    next = 1;
  };
  return {
    push(piece) {
      // A block 1 is always a new start: the tail of the one before was lost.
      if (piece.blockNumber === 1) reset();
      // A repeated block adds nothing.
      else if (piece.blockNumber === next - 1) return undefined;
      if (piece.blockNumber !== next) {
        const wanted = next;
        reset();
        throw new DecodeError('block', `block ${piece.blockNumber} came where block ${wanted} was due`, 2);
      }
      bytes += piece.block.length;
      if (bytes > maxBytes) {
        reset();
        throw new DecodeError('limit', `blocks of more than ${maxBytes} bytes in all`, 0);
      }
      // Copied: the piece is a view of a frame that will be overwritten.
      parts.push(piece.block.slice());
      next++;
      if (!piece.lastBlock) return undefined;
      const whole = new Uint8Array(bytes);
      let at = 0;
      for (const part of parts) {
        whole.set(part, at);
        at += part.length;
      }
      reset();
      return whole;
    },
    reset,
    get waiting() {
      return bytes;
    },
  };
}
