/**
 * The four errors of the house. A codec raises only DecodeError, whatever bytes it is given.
 */

/** The bytes are not what the standard says. `offset` counts from the start of the buffer that was being decoded. */
export class DecodeError extends Error {
  override readonly name = 'DecodeError';
  readonly offset: number;
  /** A short stable word for counters, e.g. `fcs`, `length`, `tag`. */
  readonly reason: string;
  constructor(reason: string, message: string, offset: number) {
    super(`${message} (at byte ${offset})`);
    this.reason = reason;
    this.offset = offset;
  }
}

/** The meter or server at the other end refused, in words of its protocol. */
export class PeerError extends Error {
  override readonly name = 'PeerError';
}

/** The calling program asked for something that cannot be done. */
export class MisuseError extends Error {
  override readonly name = 'MisuseError';
}

/** The line itself failed: gone, refused, timed out. */
export class LinkError extends Error {
  override readonly name = 'LinkError';
}
