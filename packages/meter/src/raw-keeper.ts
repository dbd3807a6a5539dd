/**
 * Gives messages the bytes that they keep. A pushed chunk belongs to the caller, who may reuse it, so what a message keeps is
 * copied: a large chunk at once when its first message appears, small ones into a slab that they share, because a typed
 * array of its own costs more than the copying.
 */
import { FLAG } from '@amiable/hdlc';

/** Octets of a slab; a small message that is kept for long keeps no more than this alive. */
const SLAB = 4096;
const EMPTY: Uint8Array = new Uint8Array(0);

export class RawKeeper {
  #chunk = EMPTY;
  /** Where the copy of the chunk lies; -1 while there is none. */
  #owned = EMPTY;
  #ownedAt = -1;
  #slab = EMPTY;
  #slabUsed = 0;

  /** The chunk under way; empty when there is none. */
  begin(chunk: Uint8Array): void {
    this.#chunk = chunk;
    this.#owned = EMPTY;
    this.#ownedAt = -1;
  }

  end(): void {
    this.begin(EMPTY);
  }

  /** The HDLC frame buf[start, end) with a flag on either side, in memory that stays. */
  frame(buf: Uint8Array, start: number, end: number): Uint8Array {
    if (buf === this.#chunk && start > 0 && end < buf.length && buf[end] === FLAG) {
      if (this.#ownedAt < 0) this.#own();
      return this.#owned.subarray(this.#ownedAt + start - 1, this.#ownedAt + end + 1);
    }
    const raw = new Uint8Array(end - start + 2);
    raw[0] = FLAG;
    raw.set(buf.subarray(start, end), 1);
    raw[raw.length - 1] = FLAG;
    return raw;
  }

  #own(): void {
    const chunk = this.#chunk;
    if (chunk.length > SLAB / 4) {
      this.#owned = chunk.slice();
      this.#ownedAt = 0;
      return;
    }
    if (this.#slabUsed + chunk.length > this.#slab.length) {
      this.#slab = new Uint8Array(SLAB);
      this.#slabUsed = 0;
    }
    this.#slab.set(chunk, this.#slabUsed);
    this.#owned = this.#slab;
    this.#ownedAt = this.#slabUsed;
    this.#slabUsed += chunk.length;
  }
}
