/**
 * Buffers of profiles as columns (IEC 62056-6-2 clause 4.3.6).
 *
 * Decides: null-data repeats the value above it, in the clock it is the clock above plus the capture period; delta types add
 * to the value above; a buffer is an array or a compact-array; what is cut off keeps its whole rows. Most buffers are numbers
 * beside a clock, row by row alike: these are read straight from the bytes (profile-fast.ts), all others value by value
 * (profile-rows.ts), with the same result. Leaves out: applying scalers.
 */
import { DecodeError, Reader } from '@amiable/bytes';
import { decodeLength, type EncodedData, TAGS } from '@amiable/dlms';
import type { ProfileColumn } from './capture.ts';
import { readFast } from './profile-fast.ts';
import { readRows } from './profile-rows.ts';
import type { BufferHead, Profile, ProfileOptions } from './profile-types.ts';

const MAX_ROWS = 100_000;

/** @throws DecodeError when the buffer is no array, compact-array or null-data */
export function bufferHead(buffer: EncodedData): BufferHead {
  const reader = new Reader(buffer);
  const tag = reader.u8('buffer');
  if (tag === TAGS['null-data']) return { count: 0, offset: reader.pos, compact: false };
  if (tag === TAGS.array) return { count: decodeLength(reader), offset: reader.pos, compact: false };
  if (tag === TAGS['compact-array']) return { count: -1, offset: reader.pos, compact: true };
  throw new DecodeError('tag', `a profile's buffer is an array, not of type ${tag}`, 0);
}

/**
 * Reads the buffer of a profile whose rows have these columns; a buffer that was cut off gives its whole rows and says in
 * `stopped` where the next began. @throws DecodeError when not even the head can be read, `limit` for too many rows
 */
export function readProfile(
  buffer: EncodedData,
  columns: readonly ProfileColumn[],
  options: ProfileOptions = {},
): Profile {
  const head = bufferHead(buffer);
  const { maxRows = MAX_ROWS } = options;
  if (head.count > maxRows)
    throw new DecodeError('limit', `${head.count} rows announced, at most ${maxRows} are read`, 1);
  const fast = options.generic || head.compact ? undefined : readFast(buffer, head, columns, options);
  return fast ?? readRows(buffer, head, columns, { ...options, maxRows });
}
