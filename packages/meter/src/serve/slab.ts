/**
 * Room for what is written: answers to one chunk of input are laid behind each other in a large buffer and leave in one
 * write. A small buffer for each would cost more than the answer itself; a buffer that is full is left to who still
 * writes it.
 */
const SIZE = 16_384;
const HEADER = 8;

export class Slab {
  #buffer = new Uint8Array(SIZE);
  #start = 0;
  #end = 0;

  /** Lays an APDU with its wrapper header (IEC 62056-47) behind what is there; `write` takes what has no room with it. */
  wrapper(source: number, destination: number, apdu: Uint8Array, write: (bytes: Uint8Array) => void): void {
    const length = HEADER + apdu.length;
    if (this.#end + length > this.#buffer.length) {
      this.flush(write);
      this.#buffer = new Uint8Array(Math.max(SIZE, length));
      this.#start = this.#end = 0;
    }
    const out = this.#buffer;
    const at = this.#end;
    out[at] = 0;
    out[at + 1] = 1;
    out[at + 2] = source >>> 8;
    out[at + 3] = source;
    out[at + 4] = destination >>> 8;
    out[at + 5] = destination;
    out[at + 6] = apdu.length >>> 8;
    out[at + 7] = apdu.length;
    out.set(apdu, at + HEADER);
    this.#end = at + length;
  }

  /** Writes what was laid down since. */
  flush(write: (bytes: Uint8Array) => void): void {
    const from = this.#start;
    const to = this.#end;
    if (from === to) return;
    // Before the write: it may lead back here.
    this.#start = to;
    write(this.#buffer.subarray(from, to));
  }
}
