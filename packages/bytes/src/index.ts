export { copyBytes } from './copy.ts';
export { crc16Arc, crc16En13757, crc16X25, crc24, X25_RESIDUE, X25_START, x25Update } from './crc.ts';
export type { Drop } from './drop.ts';
export { DecodeError, LinkError, MisuseError, PeerError } from './errors.ts';
export type { Field } from './explain.ts';
export { fromHex, hexDigit, toHex } from './hex.ts';
export { Reader } from './reader.ts';
export { Writer } from './writer.ts';
