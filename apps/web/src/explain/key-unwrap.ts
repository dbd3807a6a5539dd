/**
 * AES key unwrap (RFC 3394 clause 2.2.2) in TypeScript: the session key of a general-ciphering APDU out of its Key-Info.
 *
 * Decides: the inverse cipher of FIPS 197 clause 5.3, byte by byte; a key is a few dozen blocks, so that nothing is kept or
 * quickened. Left out: wrapping, and everything else that is done with keys.
 */

const SBOX = new Uint8Array(256);
const INVERSE = new Uint8Array(256);

const double = (x: number): number => ((x << 1) ^ (x & 0x80 ? 0x11b : 0)) & 0xff;

function product(a: number, b: number): number {
  let sum = 0;
  for (let x = a, bits = b; bits > 0; bits >>= 1, x = double(x)) if (bits & 1) sum ^= x;
  return sum;
}

function makeBoxes(): void {
  for (let i = 0; i < 256; i++) {
    // The inverse in the field is the 254th power.
    let inverse = i;
    for (let n = 0; n < 6; n++) inverse = product(product(inverse, inverse), i);
    inverse = product(inverse, inverse);
    let out = inverse ^ 0x63;
    for (let turn = 1; turn <= 4; turn++) out ^= ((inverse << turn) | (inverse >> (8 - turn))) & 0xff;
    SBOX[i] = out;
    INVERSE[out] = i;
  }
}

/** @returns 16 bytes for each round and one more */
function expandKey(key: Uint8Array): Uint8Array {
  const rounds = key.length / 4 + 6;
  const out = new Uint8Array(16 * (rounds + 1));
  out.set(key);
  let round = 1;
  for (let at = key.length; at < out.length; at += 4) {
    let word = Array.from(out.subarray(at - 4, at));
    if (at % key.length === 0) {
      word = [...word.slice(1), word[0] as number].map((byte) => SBOX[byte] as number);
      word[0] = (word[0] as number) ^ round;
      round = double(round);
    } else if (key.length === 32 && at % 32 === 16) word = word.map((byte) => SBOX[byte] as number);
    for (let i = 0; i < 4; i++) out[at + i] = (out[at - key.length + i] as number) ^ (word[i] as number);
  }
  return out;
}

function addKey(block: Uint8Array, keys: Uint8Array, round: number): void {
  for (let i = 0; i < 16; i++) block[i] = (block[i] as number) ^ (keys[16 * round + i] as number);
}

/** One block, in place. */
function decryptBlock(keys: Uint8Array, block: Uint8Array): void {
  const last = keys.length / 16 - 1;
  addKey(block, keys, last);
  for (let round = last - 1; round >= 0; round--) {
    const before = block.slice();
    // Row r of the state turns right by r columns.
    for (let i = 0; i < 16; i++) block[i] = INVERSE[before[(i + 16 - 4 * (i % 4)) % 16] as number] as number;
    addKey(block, keys, round);
    if (round === 0) return;
    for (let column = 0; column < 16; column += 4) {
      const [a, b, c, d] = block.slice(column, column + 4) as unknown as [number, number, number, number];
      const mix = (e: number, f: number, g: number, h: number) =>
        product(e, 14) ^ product(f, 11) ^ product(g, 13) ^ product(h, 9);
      block.set([mix(a, b, c, d), mix(b, c, d, a), mix(c, d, a, b), mix(d, a, b, c)], column);
    }
  }
}

/** @param kek 16 or 32 bytes. @returns undefined when it was not wrapped with this key */
export function keyUnwrap(kek: Uint8Array, wrapped: Uint8Array): Uint8Array | undefined {
  if (wrapped.length < 24 || wrapped.length > 72 || wrapped.length % 8 !== 0) return undefined;
  if (SBOX[0] === 0) makeBoxes();
  const keys = expandKey(kek);
  const n = wrapped.length / 8 - 1;
  const key = wrapped.slice(8);
  const block = new Uint8Array(16);
  block.set(wrapped.subarray(0, 8));
  for (let step = 6 * n; step > 0; step--) {
    const at = 8 * ((step - 1) % n);
    block[7] = (block[7] as number) ^ step;
    block.set(key.subarray(at, at + 8), 8);
    decryptBlock(keys, block);
    key.set(block.subarray(8), at);
  }
  return block.subarray(0, 8).every((byte) => byte === 0xa6) ? key : undefined;
}
