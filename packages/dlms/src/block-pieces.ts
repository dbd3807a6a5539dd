/**
 * Blocks that nobody acknowledges, and what all blocks have in common (IEC 62056-5-3 clause 6.5): how long they are, how
 * many there may be, and the pieces of an APDU on their way together.
 *
 * Decides: what a gap, a repeated block and a new start mean in a push, which cannot be asked for lost blocks. Leaves
 * out: everything that is acknowledged (general-block.ts).
 */
import { DecodeError, MisuseError } from '@amiable/bytes';
import { encodeApdu } from './apdu/codec.ts';
import type { GeneralBlockTransfer } from './apdu/types.ts';

const EMPTY = new Uint8Array(0);

/** Tag, control, two numbers, and the longest length that a block can have. */
const OVERHEAD = 9;
export const MAX_BLOCKS = 0xffff;

export function blockSize(maxPduSize: number): number {
  const size = (maxPduSize === 0 ? 0xffff : maxPduSize) - OVERHEAD;
  if (size < 1) throw new MisuseError(`an APDU of ${maxPduSize} bytes has no room for a block`);
  return size;
}

export function countBlocks(length: number, size: number): number {
  const count = Math.max(1, Math.ceil(length / size));
  if (count > MAX_BLOCKS)
    throw new MisuseError(`${length} bytes need ${count} blocks of ${size}, there are ${MAX_BLOCKS}`);
  return count;
}

/** Pieces that will be one APDU, in one buffer: as objects of their own, pieces of a byte would take a hundred each. */
export class Pieces {
  readonly maxBytes: number;
  #buffer: Uint8Array = EMPTY;
  bytes = 0;
  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }
  /** What is kept, with the room that is not used yet. */
  get held(): number {
    return this.#buffer.length;
  }
  add(piece: Uint8Array): void {
    const needed = this.bytes + piece.length;
    if (needed > this.maxBytes) {
      this.clear();
      throw new DecodeError('limit', `blocks of more than ${this.maxBytes} bytes in all`, 0);
    }
    if (needed > this.#buffer.length) {
      const grown = new Uint8Array(Math.min(Math.max(needed, 2 * this.#buffer.length), this.maxBytes));
      grown.set(this.#buffer.subarray(0, this.bytes));
      this.#buffer = grown;
    }
    this.#buffer.set(piece, this.bytes);
    this.bytes = needed;
  }
  clear(): void {
    this.#buffer = EMPTY;
    this.bytes = 0;
  }
  /** All so far; what is added later does not change it. */
  soFar(): Uint8Array {
    return this.#buffer.subarray(0, this.bytes);
  }
  /** The buffer is given away. */
  join(): Uint8Array {
    const whole = this.soFar();
    this.clear();
    return whole;
  }
}

/** An APDU in blocks that nobody acknowledges, as a push sends them. @throws MisuseError beyond 65535 blocks */
export function unconfirmedBlocks(apdu: Uint8Array, maxPduSize: number, window = 0): Uint8Array[] {
  const size = blockSize(maxPduSize);
  const count = countBlocks(apdu.length, size);
  const out: Uint8Array[] = [];
  for (let n = 1; n <= count; n++)
    out.push(
      encodeApdu({
        type: 'general-block-transfer',
        lastBlock: n === count,
        streaming: n !== count,
        window,
        blockNumber: n,
        blockNumberAcknowledged: 0,
        block: apdu.subarray((n - 1) * size, n * size),
      }),
    );
  return out;
}

export interface BlockJoiner {
  /** Takes one piece. @returns the whole APDU after the last one, else undefined. @throws DecodeError `block` on a gap */
  push(piece: GeneralBlockTransfer): Uint8Array | undefined;
  /** Forgets what was joined so far. */
  reset(): void;
  /** Bytes waiting for their rest. */
  readonly waiting: number;
}

/**
 * Joins blocks that nobody acknowledges: in order, numbered from 1; what a push lost cannot be asked for.
 * @param maxBytes the largest APDU that is joined
 */
export function createBlockJoiner(maxBytes = 65_536): BlockJoiner {
  const pieces = new Pieces(maxBytes);
  let next = 1;
  const reset = (): void => {
    pieces.clear();
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
      try {
        pieces.add(piece.block);
      } catch (error) {
        reset();
        throw error;
      }
      next++;
      if (!piece.lastBlock) return undefined;
      const whole = pieces.join();
      reset();
      return whole;
    },
    reset,
    get waiting() {
      return pieces.bytes;
    },
  };
}
