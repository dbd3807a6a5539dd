/** A growing buffer, big-endian unless said. */
import { MisuseError } from './errors.ts';

export class Writer {
  #buf: Uint8Array;
  #len = 0;

  constructor(capacity = 128) {
    this.#buf = new Uint8Array(capacity);
  }

  get length(): number {
    return this.#len;
  }

  #room(n: number): number {
    const at = this.#len;
    if (at + n > this.#buf.length) {
      const grown = new Uint8Array(Math.max(this.#buf.length * 2, at + n));
      grown.set(this.#buf.subarray(0, at));
      this.#buf = grown;
    }
    this.#len = at + n;
    return at;
  }

  u8(v: number): this {
    const at = this.#room(1);
    this.#buf[at] = v;
    return this;
  }

  u16(v: number): this {
    const at = this.#room(2);
    this.#buf[at] = v >>> 8;
    this.#buf[at + 1] = v;
    return this;
  }

  u16le(v: number): this {
    return this.u16(((v & 0xff) << 8) | ((v >>> 8) & 0xff));
  }

  u24(v: number): this {
    return this.u8(v >>> 16).u16(v);
  }

  u32(v: number): this {
    const at = this.#room(4);
    const b = this.#buf;
    b[at] = v >>> 24;
    b[at + 1] = v >>> 16;
    b[at + 2] = v >>> 8;
    b[at + 3] = v;
    return this;
  }

  u64(v: bigint): this {
    return this.u32(Number((v >> 32n) & 0xffffffffn)).u32(Number(v & 0xffffffffn));
  }

  bytes(v: ArrayLike<number>): this {
    const at = this.#room(v.length);
    const b = this.#buf;
    // Most strings of meters are short, and a call of set takes as long as some thirty bytes.
    if (v.length > 32) b.set(v, at);
    else for (let i = 0; i < v.length; i++) b[at + i] = v[i] as number;
    return this;
  }

  /** Overwrites a byte written before, e.g. a length that is known only at the end. */
  patch(at: number, v: number): this {
    if (at < 0 || at >= this.#len) throw new MisuseError(`patch at ${at}, only ${this.#len} bytes written`);
    this.#buf[at] = v;
    return this;
  }

  /** A copy of what was written. */
  finish(): Uint8Array {
    return this.#buf.slice(0, this.#len);
  }
}
