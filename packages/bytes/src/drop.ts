/** Bytes of a stream that became no message: what every receiver tells, so that nothing vanishes unsaid. */
export interface Drop {
  /** A word to count by: `fcs`, `checksum`, `truncated`, `noise` … */
  readonly reason: string;
  /** Position in the stream, octets. */
  readonly offset: number;
  readonly length: number;
  /** A copy of the beginning: a refused frame is whole, noise at most 64 octets. */
  readonly excerpt: Uint8Array;
}
