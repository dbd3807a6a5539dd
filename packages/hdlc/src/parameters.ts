/**
 * The parameters of a link, negotiated in the information fields of SNRM and UA (IEC 62056-46 clause 6.4.4.4.3.2;
 * ISO/IEC 13239 clause 5.5.3):
 *
 *     81 (format) 80 (group: parameters) LL  05 max. information field, transmit  06 …, receive  07 window, transmit  08 …, receive
 *
 * each as identifier, length, value. "Transmit" and "receive" are those of the sender of the field. Values are met in one
 * to four octets. An absent field, or parameter, means the default: 128 octets, window 1. What is negotiated for a
 * direction is the smaller of what one end transmits and the other receives.
 *
 * Left out: the user data group of ISO/IEC 13239, which is skipped.
 */

/** What one end can do; what is left out is the default. */
export interface HdlcLimits {
  /** Octets of an information field that this end sends at most, 32 to 2030. */
  readonly maxInfoTransmit?: number;
  /** Octets of an information field that this end takes at most, 32 to 2030. */
  readonly maxInfoReceive?: number;
  /** I frames that this end sends before it wants an acknowledgement, 1 to 7. */
  readonly windowTransmit?: number;
  readonly windowReceive?: number;
}

/** All four, as one end sees them. */
export type HdlcParameters = Required<HdlcLimits>;

export const DEFAULT_PARAMETERS: HdlcParameters = {
  maxInfoTransmit: 128,
  maxInfoReceive: 128,
  windowTransmit: 1,
  windowReceive: 1,
};

/** The largest information field that the length field of a frame with the longest addresses has room for. */
export const MAX_INFO = 2030;
export const MIN_INFO = 32;
