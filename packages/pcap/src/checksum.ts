/** The check sum of IP, TCP and UDP (RFC 1071): the complement of the one's complement sum of 16-bit words. */

/** Adds buf[from, to) to a running sum of 16-bit words. */
export function addWords(sum: number, buf: Uint8Array, from: number, to: number): number {
  let s = sum;
  let i = from;
  for (; i + 1 < to; i += 2) s += ((buf[i] as number) << 8) | (buf[i + 1] as number);
  if (i < to) s += (buf[i] as number) << 8;
  return s;
}

export function internetChecksum(sum: number): number {
  let s = sum;
  while (s > 0xffff) s = Math.floor(s / 0x10000) + (s & 0xffff);
  return ~s & 0xffff;
}
