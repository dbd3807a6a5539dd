/**
 * The canonical message: one decoded message of any port, on its way from the wire to the database.
 *
 * In memory a message is columnar: `items` says what each reading is (shared by all messages of the same layout, so
 * that a program that has seen one has seen them all), `values` holds the readings themselves. A number is an integer
 * mantissa; the value is `mantissa × 10^item.scaler` in `item.unit`, never a binary fraction. The JSON form that leaves
 * the program is written and read in json.ts.
 */

export type Protocol = 'han' | 'p1' | 'iec62056-21' | 'mbus' | 'wmbus' | 'dlms';

/**
 * Everything that may be odd about a message that is still worth keeping.
 * - clockWrong: the meter's clock differs from the receiver's by more than the set limit; stored at receive time
 * - clockInvalid: the meter itself marks its clock invalid or doubtful
 * - meterIdInherited: the message names no meter; the id is that of the port's last message that did
 * - unknownList: no table knows this list; readings carry what the bytes themselves say
 * - notAuthenticated: decrypted, but the tag could not be checked (no authentication key was given)
 * - crcMissing: the protocol version has no check sum
 * - checksumBad: refused by its check sum but still parses (only with --bad)
 * - truncated: the message was cut; what came before the cut is there
 */
export const FLAGS = [
  'clockWrong',
  'clockInvalid',
  'meterIdInherited',
  'unknownList',
  'notAuthenticated',
  'crcMissing',
  'checksumBad',
  'truncated',
] as const;
export type Flag = (typeof FLAGS)[number];

/** From best to worst; a sum carries the worst of its inputs. */
export const QUALITIES = ['measured', 'calculated', 'edited', 'estimated', 'missing'] as const;
export type Quality = (typeof QUALITIES)[number];

/** Units without prefix; `1` is a bare number. Text and times have no unit. */
export const UNITS = [
  'W',
  'var',
  'VA',
  'V',
  'A',
  'Hz',
  'Wh',
  'varh',
  'VAh',
  'm3',
  'm3/h',
  'J',
  'degC',
  'K',
  'bar',
  's',
  'h',
  'kg',
  '1',
  'deg',
  'J/h',
  'kg/h',
  'd',
  'month',
  'year',
  'min',
  'C',
  'Ah',
  'V2h',
  'A2h',
  'dBm',
  'dB',
  'lm',
  'lx',
  'ppm',
  '%',
  'currency',
] as const;
export type Unit = (typeof UNITS)[number];

/** What one reading is. Interned: the same object stands in every message of the same layout. */
export interface Item {
  /** A-B:C.D.E, with `*F` when F is not 255. Absent where the medium is unknown. */
  readonly obis?: string;
  /** The code as the meter sent it (P1, IEC 62056-21). */
  readonly address?: string;
  /** camelCase English, e.g. `activePowerImport`. */
  readonly name: string;
  readonly unit?: Unit;
  /** Power of ten of one step of the mantissa in `unit`: value = mantissa × 10^scaler. 0 for text. */
  readonly scaler: number;
  /** `register` for values of the list's own clock (hourly energies), else absent. */
  readonly clock?: 'list';
  /** A line voltage of a three-wire meter: `L1-L2`, `L1-L3`, `L2-L3`. */
  readonly between?: string;
  readonly channel?: number;
  readonly deviceId?: string;
  readonly storage?: number;
  readonly tariff?: number;
  readonly subunit?: number;
  readonly function?: 'instantaneous' | 'maximum' | 'minimum' | 'error';
}

/** A mantissa (number, or bigint beyond 2^53), or text; times of day are ISO 8601 text. */
export type Value = number | bigint | string;

export interface MessageError {
  readonly reason: string;
  /** Offset in `raw` where the fault was seen, bytes. */
  readonly offset?: number;
}

export interface Message {
  readonly v: 1;
  /** Stable: the same port, meter time and raw bytes give the same id. 32 hex digits. */
  readonly id: string;
  /** Name of the program that read it. */
  readonly reader: string;
  readonly port: string;
  readonly protocol: Protocol;
  readonly maker?: string;
  /** Identifier of the list as the meter names it, e.g. `KFM_001`. */
  readonly list?: string;
  readonly meterId?: string;
  readonly meterType?: string;
  /** UTC, epoch milliseconds. */
  readonly time?: number;
  /** What the meter said: local ISO 8601, with an offset only if it gave one. */
  readonly meterTime?: string;
  /** Epoch milliseconds. */
  readonly receivedAt: number;
  readonly flags: readonly Flag[];
  readonly items: readonly Item[];
  /** As long as `items`. */
  readonly values: readonly Value[];
  /** Epoch milliseconds per reading where it differs from `time`; as long as `items` when there. */
  readonly times?: readonly (number | undefined)[];
  /** Quality per reading where it is not `measured`. */
  readonly qualities?: readonly (Quality | undefined)[];
  /** The bytes in hex, tag and length included, of readings that have no code to be known by; as long as `items` when there. */
  readonly raws?: readonly (string | undefined)[];
  /** The bytes on the wire that the message was made from. */
  readonly raw?: Uint8Array;
  readonly error?: MessageError;
}
