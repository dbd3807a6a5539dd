/**
 * A cursor over bytes, big-endian unless said, that never reads past its end: every shortage is a DecodeError
 * with reason `truncated`.
 */
import { DecodeError } from './errors.ts';

export class Reader {
  readonly buf: Uint8Array;
  pos: number;
  readonly end: number;

  constructor(buf: Uint8Array, pos = 0, end = buf.length) {
    this.buf = buf;
    this.pos = pos;
    this.end = end;
  }

  get remaining(): number {
    return this.end - this.pos;
  }

  /** Raises unless `n` more bytes are there. */
  need(n: number, what = 'value'): void {
    if (n > this.end - this.pos)
      throw new DecodeError('truncated', `${what} needs ${n} bytes, ${this.end - this.pos} left`, this.pos);
  }

  peek(): number {
    this.need(1);
    return this.buf[this.pos] as number;
  }

  u8(what?: string): number {
    this.need(1, what);
    return this.buf[this.pos++] as number;
  }

  i8(what?: string): number {
    return (this.u8(what) << 24) >> 24;
  }

  u16(what?: string): number {
    this.need(2, what);
    const b = this.buf;
    const p = this.pos;
    this.pos = p + 2;
    return ((b[p] as number) << 8) | (b[p + 1] as number);
  }

  u16le(what?: string): number {
    const v = this.u16(what);
    return ((v & 0xff) << 8) | (v >> 8);
  }

  i16(what?: string): number {
    return (this.u16(what) << 16) >> 16;
  }

  u24(what?: string): number {
    this.need(3, what);
    const b = this.buf;
    const p = this.pos;
    this.pos = p + 3;
    return ((b[p] as number) << 16) | ((b[p + 1] as number) << 8) | (b[p + 2] as number);
  }

  u32(what?: string): number {
    return this.i32(what) >>> 0;
  }

  i32(what?: string): number {
    this.need(4, what);
    const b = this.buf;
    const p = this.pos;
    this.pos = p + 4;
    return ((b[p] as number) << 24) | ((b[p + 1] as number) << 16) | ((b[p + 2] as number) << 8) | (b[p + 3] as number);
  }

  u64(what?: string): bigint {
    this.need(8, what);
    const high = BigInt(this.u32(what));
    return (high << 32n) | BigInt(this.u32(what));
  }

  i64(what?: string): bigint {
    return BigInt.asIntN(64, this.u64(what));
  }

  /** A view, not a copy, of the next `n` bytes. */
  bytes(n: number, what?: string): Uint8Array {
    this.need(n, what);
    const p = this.pos;
    this.pos = p + n;
    return this.buf.subarray(p, p + n);
  }

  skip(n: number, what?: string): void {
    this.need(n, what);
    this.pos += n;
  }
}
