/**
 * Diehl Metering (DME, EWT, HYD, SAP, SPL): frames that are not what EN 13757-4 says.
 *
 * Decides: which of its four kinds a frame is (plain standard, "real data" behind a standard header with bit 12 of the
 * configuration, PRIOS in CI A0 to A7, PRIOS SCR in B1 to B3), where their address stands (version and device type first), and
 * the shift register that scrambles them: 32 bits, feedback from bits 1, 2, 11 and 31, seeded with the key, the link header and the
 * first four octets from the CI field on. Facts of the format as published by those who read these meters.
 * Leaves out: PRIOS itself (izar.ts), SCR, which nobody has published.
 */

const MAKERS: ReadonlySet<number> = new Set([0x11a5, 0x16f4, 0x2324, 0x4c30, 0x4e0c]);
const SAP = 0x4c30;

export type DiehlKind = 'standard' | 'realData' | 'prios' | 'sapPrios' | 'scr';

const maker = (frame: Uint8Array): number => (frame[2] as number) | ((frame[3] as number) << 8);

/** Undefined for a frame of another maker, or one that is not sent by itself. */
export function diehlKind(frame: Uint8Array): DiehlKind | undefined {
  const m = maker(frame);
  if (!MAKERS.has(m) || (frame[1] !== 0x44 && frame[1] !== 0x46) || frame.length < 15) return undefined;
  const ci = frame[10] as number;
  if (ci === 0x71) return 'realData';
  if (ci === 0x7a) return (frame[14] as number) & 0x10 ? 'realData' : 'standard';
  if (ci >= 0xa0 && ci <= 0xa7) return m === SAP ? 'sapPrios' : 'prios';
  if (ci >= 0xb1 && ci <= 0xb3) return 'scr';
  return 'standard';
}

/** Manufacturer, identification, version, device type as the standard would have them. */
export function diehlAddress(frame: Uint8Array, kind: DiehlKind): Uint8Array {
  const address = frame.slice(2, 10);
  if (kind === 'sapPrios') {
    // The identification has five octets; the fifth stands in the place of the version.
    address[6] = 0;
    address[7] = 7;
  } else if (kind !== 'standard') {
    address.set(frame.subarray(6, 10), 2);
    address.set(frame.subarray(4, 6), 6);
  }
  return address;
}

/** Keys that meters have unless their owner set others: 64 bits, both halves joined by exclusive or. */
const DEFAULT_SEEDS = [0x39bc8a10 ^ 0xe66d83f8, 0x51728910 ^ 0xe66d83f8] as const;

/** The second of them, twice, is the key of security mode 5 of meters whose owner set none. */
export const DIEHL_DEFAULT_KEY = Uint8Array.of(
  ...[0x51, 0x72, 0x89, 0x10, 0xe6, 0x6d, 0x83, 0xf8],
  ...[0x51, 0x72, 0x89, 0x10, 0xe6, 0x6d, 0x83, 0xf8],
);

function be32(b: Uint8Array, at: number): number {
  return (
    ((b[at] as number) << 24) | ((b[at + 1] as number) << 16) | ((b[at + 2] as number) << 8) | (b[at + 3] as number)
  );
}

/** Octets from `from` on, unscrambled with this seed. */
function unscramble(frame: Uint8Array, seed: number, from: number): Uint8Array {
  let register = seed ^ be32(frame, 2) ^ be32(frame, 6) ^ be32(frame, 10);
  const out = new Uint8Array(frame.length - from);
  for (let i = 0; i < out.length; i++) {
    for (let k = 0; k < 8; k++) {
      const bit = (register >>> 1) ^ (register >>> 2) ^ (register >>> 11) ^ (register >>> 31);
      register = (register << 1) | (bit & 1);
    }
    out[i] = (frame[from + i] as number) ^ (register & 0xff);
  }
  return out;
}

function seedsOf(keys: readonly Uint8Array[]): number[] {
  const seeds: number[] = [...DEFAULT_SEEDS];
  for (const key of keys) if (key.length >= 8) seeds.push(be32(key, 0) ^ be32(key, 4));
  return seeds;
}

/** Real data sums up to what octet 14 says, bit 4 apart. */
function sumFits(octets: Uint8Array, frame: Uint8Array): boolean {
  let sum = 0;
  for (const octet of octets) sum += octet;
  return (sum & 0xef) === ((frame[14] as number) & 0xef);
}

/**
 * The plain octets behind the header of 15, by the first seed with which they prove themselves; undefined when none does. Real data has
 * its sum (and stands unscrambled in logs sometimes), PRIOS begins with 4B.
 */
export function diehlPlain(frame: Uint8Array, kind: DiehlKind, keys: readonly Uint8Array[]): Uint8Array | undefined {
  if (kind === 'realData' && sumFits(frame.subarray(15), frame)) return frame.slice(15);
  for (const seed of seedsOf(keys)) {
    const plain = unscramble(frame, seed, 15);
    if (kind === 'realData' ? sumFits(plain, frame) : plain[0] === 0x4b) return plain;
  }
  return undefined;
}
