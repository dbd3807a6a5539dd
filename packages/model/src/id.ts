/**
 * The stable id of a message: 128 bits over port, stamp and raw bytes (MurmurHash3 x86_128's mixing). It tells repeated
 * messages from new ones; it is no seal against forgery.
 */

const rotl = (x: number, r: number): number => (x << r) | (x >>> (32 - r));

function mix(h: number): number {
  let x = h;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return x ^ (x >>> 16);
}

const C1 = 0x239b961b;
const C2 = 0xab0e9789 | 0;
const C3 = 0x38b34ae5;
const C4 = 0xa1e38b93 | 0;

/** Codes of the two digits of each byte. */
const HIGH = Uint8Array.from({ length: 256 }, (_, i) => (i >> 4).toString(16).charCodeAt(0));
const LOW = Uint8Array.from({ length: 256 }, (_, i) => (i & 15).toString(16).charCodeAt(0));
const high = (x: number, shift: number): number => HIGH[(x >>> shift) & 0xff] as number;
const low = (x: number, shift: number): number => LOW[(x >>> shift) & 0xff] as number;

/** In one call, so that one flat string is made. */
function hex32(a: number, b: number, c: number, d: number): string {
  return String.fromCharCode(
    high(a, 24),
    low(a, 24),
    high(a, 16),
    low(a, 16),
    high(a, 8),
    low(a, 8),
    high(a, 0),
    low(a, 0),
    high(b, 24),
    low(b, 24),
    high(b, 16),
    low(b, 16),
    high(b, 8),
    low(b, 8),
    high(b, 0),
    low(b, 0),
    high(c, 24),
    low(c, 24),
    high(c, 16),
    low(c, 16),
    high(c, 8),
    low(c, 8),
    high(c, 0),
    low(c, 0),
    high(d, 24),
    low(d, 24),
    high(d, 16),
    low(d, 16),
    high(d, 8),
    low(d, 8),
    high(d, 0),
    low(d, 0),
  );
}

const BLOCK = 16;
/** The last octets of what is hashed, filled up with zeros. */
const rest = new Uint8Array(BLOCK);
const restView = new DataView(rest.buffer);
/** Of the buffer that was hashed last: messages lie side by side in one. */
let view: DataView = new DataView(new ArrayBuffer(0));

/** Goes on with the characters of `text`, the `from`th and following of the label. */
function labelled(seed: number, text: string, from: number): number {
  let s = seed;
  for (let i = 0; i < text.length; i++) s = Math.imul(rotl(s ^ text.charCodeAt(i), 13), 0x5bd1e995) + from + i;
  return s;
}

/**
 * @param port name of the port (with its reader where several readers share names)
 * @param stamp the meter's time: the milliseconds that its clock showed, or its text; else the receive sequence
 * @param raw bytes on the wire
 * @returns 32 hex digits
 */
export function messageId(port: string, stamp: number | string, raw: Uint8Array): string {
  // The label is port, NUL, stamp; it is not put together, since an id is made for every message.
  let seed = labelled(0x9747b28c | 0, port, 0);
  seed = Math.imul(rotl(seed, 13), 0x5bd1e995) + port.length;
  if (typeof stamp === 'string') seed = labelled(seed, stamp, port.length + 1);
  else {
    // Both halves of a number beyond 32 bits; no text is made of it.
    seed = Math.imul(rotl(seed ^ (stamp | 0), 13), 0x5bd1e995) + 1;
    seed = Math.imul(rotl(seed ^ (Math.floor(stamp / 0x1_0000_0000) | 0), 13), 0x5bd1e995) + 2;
  }
  let h1 = seed;
  let h2 = mix(seed + 1);
  let h3 = mix(seed + 2);
  let h4 = mix(seed + 3);
  const n = raw.length;
  const whole = n - (n % BLOCK);
  if (raw.buffer !== view.buffer) view = new DataView(raw.buffer);
  let block = view;
  let at = raw.byteOffset;
  for (let done = 0; done < n; done += BLOCK) {
    if (done === whole) {
      rest.fill(0);
      for (let k = done; k < n; k++) rest[k - done] = raw[k] as number;
      block = restView;
      at = 0;
    }
    h1 ^= Math.imul(rotl(Math.imul(block.getInt32(at, true), C1), 15), C2);
    h1 = (Math.imul(rotl(h1, 19) + h2, 5) + 0x561ccd1b) | 0;
    h2 ^= Math.imul(rotl(Math.imul(block.getInt32(at + 4, true), C2), 16), C3);
    h2 = (Math.imul(rotl(h2, 17) + h3, 5) + 0x0bcaa747) | 0;
    h3 ^= Math.imul(rotl(Math.imul(block.getInt32(at + 8, true), C3), 17), C4);
    h3 = (Math.imul(rotl(h3, 15) + h4, 5) + 0x96cd1c35) | 0;
    h4 ^= Math.imul(rotl(Math.imul(block.getInt32(at + 12, true), C4), 18), C1);
    h4 = (Math.imul(rotl(h4, 13) + h1, 5) + 0x32ac3b17) | 0;
    at += BLOCK;
  }
  h1 ^= n;
  h2 ^= n;
  h3 ^= n;
  h4 ^= n;
  h1 = (h1 + h2 + h3 + h4) | 0;
  h1 = mix(h1);
  h2 = mix((h2 + h1) | 0);
  h3 = mix((h3 + h1) | 0);
  h4 = mix((h4 + h1) | 0);
  h1 = (h1 + h2 + h3 + h4) | 0;
  return hex32(h1, (h2 + h1) | 0, (h3 + h1) | 0, (h4 + h1) | 0);
}
