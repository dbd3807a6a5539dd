/** What profiles are read as, and the rules of their clocks (IEC 62056-6-2 clause 4.3.6). */
import type { DecodeError } from '@amiable/bytes';
import type { DataType } from '@amiable/dlms';
import type { PlainValue } from '../classes/type.ts';
import { isClock, isStatus, type ProfileColumn } from './capture.ts';

export interface ProfileOptions {
  /** Seconds; what a null clock adds. 0 or absent: a null clock has no time. */
  readonly capturePeriod?: number;
  /** The newest row comes first: a null clock is the one above less the capture period. */
  readonly newestFirst?: boolean;
  /** Time of a clock without deviation: wall clock (epoch ms as if UTC) and its daylight-saving mark to epoch ms. */
  readonly utcOf?: (wallMs: number, daylightSaving: boolean | undefined) => number;
  /** The meter gives the deviation with the opposite sign. */
  readonly invertedDeviation?: boolean;
  /** Rows at most; 100,000 when not said. */
  readonly maxRows?: number;
  /** Value by value in any case, for comparison. */
  readonly generic?: boolean;
}

/** Clocks. A row without a clock has NaN in `utc` and `wall`. */
export interface MomentValues {
  readonly kind: 'moment';
  /** Epoch ms; NaN where the clock names no offset and nobody can tell it. */
  readonly utc: Float64Array;
  /** The wall clock as epoch ms as if it were UTC. */
  readonly wall: Float64Array;
  /** Minutes from local time to UTC as sent; -32768 where not specified. */
  readonly deviation: Int16Array;
  /** Clock status; 255 where not specified. */
  readonly status: Uint8Array;
}

/** Numbers that a double holds exactly, floats, booleans (0 and 1) and enumerations; NaN where there is none. */
export interface NumberValues {
  readonly kind: 'number';
  /** Of the first value. */
  readonly type: DataType;
  readonly values: Float64Array;
}

/** Integers of which one at least needs more than 53 bits. */
export interface BigintValues {
  readonly kind: 'bigint';
  readonly type: DataType;
  readonly values: readonly (bigint | undefined)[];
}

export interface TextValues {
  readonly kind: 'text';
  readonly values: readonly (string | undefined)[];
}

/** Anything else, or types that differ from row to row. */
export interface PlainValues {
  readonly kind: 'plain';
  readonly values: readonly (PlainValue | undefined)[];
}

export type ColumnValues = MomentValues | NumberValues | BigintValues | TextValues | PlainValues;

export interface Stop {
  /** Of the row that is not whole. */
  readonly row: number;
  /** Where that row begins in the buffer. */
  readonly offset: number;
  readonly error: DecodeError;
}

export interface Profile {
  readonly rows: number;
  /** In the order of the capture objects. */
  readonly columns: readonly ColumnValues[];
  /** Index of the clock's column and of the status column; -1 where there is none. */
  readonly clock: number;
  readonly status: number;
  /** Absent when the buffer was read to its end. */
  readonly stopped?: Stop;
}

/** What the head of a buffer says. */
export interface BufferHead {
  /** Rows announced; of a compact-array unknown, -1. */
  readonly count: number;
  /** Of the first row. */
  readonly offset: number;
  readonly compact: boolean;
}

/** The columns that have a part of their own. */
export function specialColumns(columns: readonly ProfileColumn[]): { readonly clock: number; readonly status: number } {
  return { clock: columns.findIndex(isClock), status: columns.findIndex(isStatus) };
}

/** Epoch ms of a clock. */
export function utcOfClock(wall: number, deviation: number, status: number, options: ProfileOptions): number {
  if (deviation !== -0x8000) return wall + (options.invertedDeviation ? -deviation : deviation) * 60_000;
  if (!options.utcOf || Number.isNaN(wall)) return Number.NaN;
  return options.utcOf(wall, status === 0xff ? undefined : (status & 0x80) !== 0);
}

/** Milliseconds from one row's clock to the next one's where that is null; NaN when nobody can tell. */
export function clockStep({ capturePeriod = 0, newestFirst }: ProfileOptions): number {
  if (capturePeriod <= 0) return Number.NaN;
  return (newestFirst ? -capturePeriod : capturePeriod) * 1000;
}
