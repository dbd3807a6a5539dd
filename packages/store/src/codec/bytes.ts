/**
 * A growing byte buffer with the few number formats that blocks, messages and PostgreSQL's binary COPY are made of. No
 * BigInt on the way: 64-bit integers are written from two halves and varints by division once they pass 31 bits.
 */
const TWO32 = 4294967296;

export class Bytes {
  buffer: Buffer;
  length = 0;

  constructor(capacity = 65_536) {
    this.buffer = Buffer.allocUnsafe(capacity);
  }

  /** Makes room for `more` bytes. */
  reserve(more: number): void {
    if (this.length + more <= this.buffer.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.buffer.length * 2, this.length + more));
    this.buffer.copy(grown, 0, 0, this.length);
    this.buffer = grown;
  }

  byte(value: number): void {
    this.reserve(1);
    this.buffer[this.length++] = value;
  }

  int16(value: number): void {
    this.reserve(2);
    this.length = this.buffer.writeInt16BE(value, this.length);
  }

  int32(value: number): void {
    this.reserve(4);
    this.setInt32(this.length, value);
    this.length += 4;
  }

  setInt32(at: number, value: number): void {
    const b = this.buffer;
    b[at] = value >> 24;
    b[at + 1] = value >> 16;
    b[at + 2] = value >> 8;
    b[at + 3] = value;
  }

  /** An integer that a double holds exactly. */
  int64(value: number): void {
    const high = Math.floor(value / TWO32);
    this.int32(high | 0);
    this.int32((value - high * TWO32) | 0);
  }

  bigInt64(value: bigint): void {
    this.reserve(8);
    this.length = this.buffer.writeBigInt64BE(value, this.length);
  }

  bytes(value: Uint8Array): void {
    this.reserve(value.length);
    this.buffer.set(value, this.length);
    this.length += value.length;
  }

  /** Zigzag varint of a safe integer of at most 52 bits. */
  signed(value: number): void {
    this.reserve(10);
    this.length = putSigned(this.buffer, this.length, value);
  }

  /** Zigzag varint of any 64-bit integer. */
  bigSigned(value: bigint): void {
    this.reserve(10);
    let z = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));
    while (z >= 128n) {
      this.buffer[this.length++] = Number(z & 127n) | 128;
      z >>= 7n;
    }
    this.buffer[this.length++] = Number(z);
  }

  unsigned(value: number): void {
    this.reserve(10);
    let z = value;
    while (z >= 128) {
      this.buffer[this.length++] = (z % 128) | 128;
      z = Math.floor(z / 128);
    }
    this.buffer[this.length++] = z;
  }

  /** What was written, as a copy. */
  copy(from = 0): Buffer {
    return Buffer.from(this.buffer.subarray(from, this.length));
  }
}

/** @returns the position after it */
export function putSigned(buffer: Uint8Array, at: number, value: number): number {
  let i = at;
  if (value >= -0x40000000 && value < 0x40000000) {
    let z = (value << 1) ^ (value >> 31);
    while (z > 127) {
      buffer[i++] = (z & 127) | 128;
      z >>>= 7;
    }
    buffer[i++] = z;
    return i;
  }
  let z = value >= 0 ? value * 2 : -value * 2 - 1;
  while (z >= 128) {
    buffer[i++] = (z % 128) | 128;
    z = Math.floor(z / 128);
  }
  buffer[i++] = z;
  return i;
}

/** Reads varints; what is cut or too long is a damaged row. */
export class Varints {
  readonly data: Uint8Array;
  at: number;

  constructor(data: Uint8Array, at = 0) {
    this.data = data;
    this.at = at;
  }

  signed(): number {
    const data = this.data;
    let b = data[this.at++] as number;
    let z = b & 127;
    if (b > 127) {
      let scale = 128;
      do {
        if (this.at >= data.length || scale > 2 ** 57) throw new DamagedBlock('a number is cut short');
        b = data[this.at++] as number;
        z += (b & 127) * scale;
        scale *= 128;
      } while (b > 127);
    } else if (b === undefined) throw new DamagedBlock('a number is missing');
    return z % 2 === 0 ? z / 2 : -(z + 1) / 2;
  }

  /** Exact for all 64 bits. */
  bigSigned(): bigint {
    let z = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const b = this.data[this.at++];
      if (b === undefined || shift > 63n) throw new DamagedBlock('a number is cut short');
      z |= BigInt(b & 127) << shift;
      if (b < 128) break;
    }
    return BigInt.asIntN(64, (z >> 1n) ^ -(z & 1n));
  }

  unsigned(): number {
    let z = 0;
    for (let scale = 1; ; scale *= 128) {
      const b = this.data[this.at++];
      if (b === undefined || scale > 2 ** 49) throw new DamagedBlock('a number is cut short');
      z += (b & 127) * scale;
      if (b < 128) return z;
    }
  }
}

/** A packed row that does not unpack: the database was damaged or written by something else. */
export class DamagedBlock extends Error {
  override readonly name = 'DamagedBlock';
}
