/**
 * AES-128 (FIPS 197) in CBC and CTR mode (NIST SP 800-38A) and CMAC (SP 800-38B): what the security of M-Bus telegrams takes.
 *
 * Decides: the narrow interface that decoders take (the `nodeCrypto` of package io satisfies it), the software that stands in
 * where none is given (tables of 2 KB for each direction; round keys are kept as long as the key's array is), and CMAC out of
 * CBC. Whole blocks only: wireless M-Bus never pads by itself. Software leaves traces of the key in the processor's cache; fit
 * for pages, tests and machines that run nothing else. Leaves out: what is enciphered with which key (security.ts).
 */
import { MisuseError } from '@amiable/bytes';

export interface MbusCrypto {
  /** Whole blocks of 16 octets, nothing padded. @throws MisuseError on another length */
  cbcDecrypt(key: Uint8Array, iv: Uint8Array, data: Uint8Array): Uint8Array;
  cbcEncrypt(key: Uint8Array, iv: Uint8Array, data: Uint8Array): Uint8Array;
  /** Any length; the counter block is incremented as one number of 128 bits. The same both ways. */
  ctr(key: Uint8Array, counter: Uint8Array, data: Uint8Array): Uint8Array;
}

const BLOCK = 16;
const SBOX = new Uint8Array(256);
const INVERSE = new Uint8Array(256);
/** One column of a round each: substitution and mixing in one look-up; the other three are rotations of it. */
const ENC = new Int32Array(256);
const DEC = new Int32Array(256);

function double(x: number): number {
  return ((x << 1) ^ (x & 0x80 ? 0x11b : 0)) & 0xff;
}

function times(x: number, factor: number): number {
  let sum = 0;
  for (let power = x, f = factor; f > 0; f >>= 1, power = double(power)) if (f & 1) sum ^= power;
  return sum;
}

function makeTables(): void {
  // Powers of 3 run through all of the field; `inverse` runs through it the other way round.
  let power = 1;
  let inverse = 1;
  for (let i = 0; i < 255; i++) {
    const s = inverse ^ rotate8(inverse, 1) ^ rotate8(inverse, 2) ^ rotate8(inverse, 3) ^ rotate8(inverse, 4) ^ 0x63;
    SBOX[power] = s;
    power ^= double(power);
    inverse = times(inverse, 0xf6);
  }
  SBOX[0] = 0x63;
  for (let i = 0; i < 256; i++) INVERSE[SBOX[i] as number] = i;
  for (let i = 0; i < 256; i++) {
    const s = SBOX[i] as number;
    ENC[i] = (times(s, 2) << 24) | (s << 16) | (s << 8) | times(s, 3);
    const t = INVERSE[i] as number;
    DEC[i] = (times(t, 14) << 24) | (times(t, 9) << 16) | (times(t, 13) << 8) | times(t, 11);
  }
}

function rotate8(x: number, by: number): number {
  return ((x << by) | (x >> (8 - by))) & 0xff;
}

makeTables();

interface RoundKeys {
  readonly copy: Uint8Array;
  readonly enc: Int32Array;
  /** For the equivalent inverse cipher; made when first needed. */
  dec: Int32Array | undefined;
}

const kept = new WeakMap<Uint8Array, RoundKeys>();

function roundKeys(key: Uint8Array): RoundKeys {
  const known = kept.get(key);
  if (known && same(known.copy, key)) return known;
  if (key.length !== BLOCK) throw new MisuseError(`a key of AES-128 has 16 bytes, not ${key.length}`);
  const w = new Int32Array(44);
  for (let i = 0; i < 4; i++) w[i] = word(key, 4 * i);
  for (let i = 4, round = 1; i < 44; i++) {
    let t = w[i - 1] as number;
    if (i % 4 === 0) {
      t = substituted((t << 8) | (t >>> 24)) ^ (round << 24);
      round = double(round);
    }
    w[i] = (w[i - 4] as number) ^ t;
  }
  const made: RoundKeys = { copy: key.slice(), enc: w, dec: undefined };
  kept.set(key, made);
  return made;
}

function decryptKeys(keys: RoundKeys): Int32Array {
  if (keys.dec) return keys.dec;
  const w = new Int32Array(44);
  for (let i = 0; i < 44; i++) {
    const k = keys.enc[4 * (10 - (i >> 2)) + (i & 3)] as number;
    w[i] = i < 4 || i >= 40 ? k : unmixed(k);
  }
  keys.dec = w;
  return w;
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let different = 0;
  for (let i = 0; i < a.length; i++) different |= (a[i] as number) ^ (b[i] as number);
  return different === 0;
}

function word(b: Uint8Array, at: number): number {
  return (
    ((b[at] as number) << 24) | ((b[at + 1] as number) << 16) | ((b[at + 2] as number) << 8) | (b[at + 3] as number)
  );
}

function put(b: Uint8Array, at: number, w: number): void {
  b[at] = w >>> 24;
  b[at + 1] = w >>> 16;
  b[at + 2] = w >>> 8;
  b[at + 3] = w;
}

function substituted(t: number): number {
  return (
    ((SBOX[t >>> 24] as number) << 24) |
    ((SBOX[(t >>> 16) & 0xff] as number) << 16) |
    ((SBOX[(t >>> 8) & 0xff] as number) << 8) |
    (SBOX[t & 0xff] as number)
  );
}

function unmixed(t: number): number {
  return column(
    DEC,
    SBOX[t >>> 24] as number,
    SBOX[(t >>> 16) & 0xff] as number,
    SBOX[(t >>> 8) & 0xff] as number,
    SBOX[t & 0xff] as number,
  );
}

function column(table: Int32Array, a: number, b: number, c: number, d: number): number {
  const y = table[b] as number;
  const z = table[c] as number;
  const u = table[d] as number;
  return (table[a] as number) ^ ((y >>> 8) | (y << 24)) ^ ((z >>> 16) | (z << 16)) ^ ((u >>> 24) | (u << 8));
}

/** The state of one block: there is one call at a time. */
const state = new Int32Array(4);

/** `step` is 1 to encipher (rows go left), 3 to decipher (rows go right). */
function rounds(w: Int32Array, table: Int32Array, last: Uint8Array, step: 1 | 3): void {
  let a = (state[0] as number) ^ (w[0] as number);
  let b = (state[1] as number) ^ (w[1] as number);
  let c = (state[2] as number) ^ (w[2] as number);
  let d = (state[3] as number) ^ (w[3] as number);
  for (let k = 4; k < 40; k += 4) {
    // Deciphering takes its second and fourth octets from each other's columns.
    const b2 = step === 1 ? b : d;
    const d2 = step === 1 ? d : b;
    const e = column(table, a >>> 24, (b2 >>> 16) & 0xff, (c >>> 8) & 0xff, d2 & 0xff) ^ (w[k] as number);
    const g = column(table, c >>> 24, (d2 >>> 16) & 0xff, (a >>> 8) & 0xff, b2 & 0xff) ^ (w[k + 2] as number);
    const a2 = step === 1 ? a : c;
    const c2 = step === 1 ? c : a;
    const f = column(table, b >>> 24, (c2 >>> 16) & 0xff, (d >>> 8) & 0xff, a2 & 0xff) ^ (w[k + 1] as number);
    d = column(table, d >>> 24, (a2 >>> 16) & 0xff, (b >>> 8) & 0xff, c2 & 0xff) ^ (w[k + 3] as number);
    a = e;
    b = f;
    c = g;
  }
  const b2 = step === 1 ? b : d;
  const d2 = step === 1 ? d : b;
  const a2 = step === 1 ? a : c;
  const c2 = step === 1 ? c : a;
  state[0] = finalColumn(last, a, b2, c, d2) ^ (w[40] as number);
  state[1] = finalColumn(last, b, c2, d, a2) ^ (w[41] as number);
  state[2] = finalColumn(last, c, d2, a, b2) ^ (w[42] as number);
  state[3] = finalColumn(last, d, a2, b, c2) ^ (w[43] as number);
}

function finalColumn(box: Uint8Array, a: number, b: number, c: number, d: number): number {
  return (
    ((box[a >>> 24] as number) << 24) |
    ((box[(b >>> 16) & 0xff] as number) << 16) |
    ((box[(c >>> 8) & 0xff] as number) << 8) |
    (box[d & 0xff] as number)
  );
}

function checkBlocks(iv: Uint8Array, data: Uint8Array): void {
  if (iv.length !== BLOCK) throw new MisuseError(`an initial value of AES has 16 bytes, not ${iv.length}`);
  if (data.length % BLOCK !== 0) throw new MisuseError(`CBC takes whole blocks of 16 bytes, not ${data.length} bytes`);
}

/** AES-128 in TypeScript, see above for what it costs. */
export const softwareAes: MbusCrypto = {
  cbcDecrypt(key, iv, data) {
    checkBlocks(iv, data);
    const w = decryptKeys(roundKeys(key));
    const out = new Uint8Array(data.length);
    for (let at = 0; at < data.length; at += BLOCK) {
      for (let i = 0; i < 4; i++) state[i] = word(data, at + 4 * i);
      rounds(w, DEC, INVERSE, 3);
      for (let i = 0; i < 4; i++)
        put(out, at + 4 * i, (state[i] as number) ^ (at === 0 ? word(iv, 4 * i) : word(data, at - BLOCK + 4 * i)));
    }
    return out;
  },
  cbcEncrypt(key, iv, data) {
    checkBlocks(iv, data);
    const w = roundKeys(key).enc;
    const out = new Uint8Array(data.length);
    for (let i = 0; i < 4; i++) state[i] = word(iv, 4 * i);
    for (let at = 0; at < data.length; at += BLOCK) {
      for (let i = 0; i < 4; i++) state[i] = (state[i] as number) ^ word(data, at + 4 * i);
      rounds(w, ENC, SBOX, 1);
      for (let i = 0; i < 4; i++) put(out, at + 4 * i, state[i] as number);
    }
    return out;
  },
  ctr(key, counter, data) {
    if (counter.length !== BLOCK) throw new MisuseError(`a counter block has 16 bytes, not ${counter.length}`);
    const w = roundKeys(key).enc;
    const block = counter.slice();
    const out = new Uint8Array(data.length);
    const stream = new Uint8Array(BLOCK);
    for (let at = 0; at < data.length; at += BLOCK) {
      for (let i = 0; i < 4; i++) state[i] = word(block, 4 * i);
      rounds(w, ENC, SBOX, 1);
      for (let i = 0; i < 4; i++) put(stream, 4 * i, state[i] as number);
      for (let i = at; i < at + BLOCK && i < data.length; i++)
        out[i] = (data[i] as number) ^ (stream[i - at] as number);
      for (let i = BLOCK - 1; i >= 0; i--) {
        block[i] = ((block[i] as number) + 1) & 0xff;
        if (block[i] !== 0) break;
      }
    }
    return out;
  },
};

const ZEROS = new Uint8Array(BLOCK);

/** AES-CMAC of `data`, 16 octets. */
export function cmac(crypto: MbusCrypto, key: Uint8Array, data: Uint8Array): Uint8Array {
  const subkey = doubled(crypto.cbcEncrypt(key, ZEROS, ZEROS));
  const blocks = Math.max(1, Math.ceil(data.length / BLOCK));
  const padded = new Uint8Array(blocks * BLOCK);
  padded.set(data);
  let mask = subkey;
  if (data.length !== padded.length) {
    padded[data.length] = 0x80;
    mask = doubled(subkey);
  }
  const last = padded.length - BLOCK;
  for (let i = 0; i < BLOCK; i++) padded[last + i] = (padded[last + i] as number) ^ (mask[i] as number);
  return crypto.cbcEncrypt(key, ZEROS, padded).subarray(last);
}

/** Times x in the field of 128 bits. */
function doubled(value: Uint8Array): Uint8Array {
  const out = new Uint8Array(BLOCK);
  for (let i = 0; i < BLOCK; i++) out[i] = ((value[i] as number) << 1) | ((value[i + 1] ?? 0) >> 7);
  if ((value[0] as number) & 0x80) out[BLOCK - 1] = (out[BLOCK - 1] as number) ^ 0x87;
  return out;
}
