/** What the application layer of EN 13757-3 gives and takes: headers, records and the keys of enciphered ones. */
import type { Item, Unit, Value } from '@amiable/model';

export type MbusFunction = NonNullable<Item['function']>;

/** One data record (EN 13757-3 clause 6). */
export interface MbusRecord {
  readonly function: MbusFunction;
  readonly storage: number;
  readonly tariff: number;
  readonly subunit: number;
  /** The octets of the record's header as sent, extension bits included. */
  readonly dif: number;
  readonly difes: readonly number[];
  readonly vif: number;
  readonly vifes: readonly number[];
  /** The standard's word, e.g. `Volume`, with its qualifiers: `Volume, limit exceeded`. */
  readonly quantity: string;
  /** camelCase English, formed by rule from the quantity and its qualifiers. */
  readonly name: string;
  readonly unit?: Unit;
  /** value = mantissa × 10^scaler, in `unit`. */
  readonly scaler: number;
  /** Mantissa, text, or local time as ISO 8601 text. */
  readonly value: Value;
  /** The record says that it has no valid value. */
  readonly missing?: boolean;
  /** Octets of the whole record in the buffer. */
  readonly offset: number;
  readonly length: number;
}

/** What a record needs to be sent: its header as octets, or the parts that make one, and its data. */
export interface RecordToSend {
  readonly function?: MbusFunction;
  readonly storage?: number;
  readonly tariff?: number;
  readonly subunit?: number;
  /** VIF and VIFEs as sent (e.g. `[0x13]`, `[0xfd, 0x17]`), unit of a plain-text VIF in `plainText`. */
  readonly vif: readonly number[];
  readonly plainText?: string;
  readonly data: RecordData;
}

export type RecordData =
  | { readonly type: 'none' }
  /** Two's complement of 1, 2, 3, 4, 6 or 8 octets. */
  | { readonly type: 'integer'; readonly octets: number; readonly value: number | bigint }
  /** 2, 4, 6, 8 or 12 digits. */
  | { readonly type: 'bcd'; readonly digits: number; readonly value: number | bigint }
  | { readonly type: 'real'; readonly value: number }
  /** At most 191 characters of ISO 8859-1. */
  | { readonly type: 'text'; readonly value: string }
  /** `YYYY-MM-DD`, CP16. */
  | { readonly type: 'date'; readonly value: string }
  /** `YYYY-MM-DDTHH:MM`, CP32; with seconds CP48. */
  | { readonly type: 'dateTime'; readonly value: string; readonly summer?: boolean; readonly invalid?: boolean };

export interface MbusHeader {
  /** 8 digits, as printed on the meter. */
  readonly identification: string;
  /** 3 letters, e.g. `KAM`. */
  readonly manufacturer: string;
  readonly version: number;
  readonly medium: number;
  readonly accessNumber: number;
  readonly status: number;
  /** Configuration word (formerly signature), little-endian. */
  readonly configuration: number;
}

export type ShortHeader = Pick<MbusHeader, 'accessNumber' | 'status' | 'configuration'>;

/** Keys of meters that encipher, wired and wireless. */
export interface MbusKeys {
  /** AES-128 keys to try for a meter, most likely first. `identification` are 8 digits. */
  candidates(identification: string, manufacturer: string): readonly Uint8Array[];
}

/** Octets at the end of a telegram that only the maker can read (DIF 0F, 1F). */
export interface ManufacturerData {
  readonly offset: number;
  readonly length: number;
  /** Hex in the order sent. */
  readonly hex: string;
}

export interface DecodedRecords {
  readonly records: MbusRecord[];
  readonly manufacturerData?: ManufacturerData;
  /** The slave has more telegrams (DIF 1F). */
  readonly moreFollows: boolean;
}

export interface RecordOptions {
  /** Most significant octet first (CI 76 and 77, mode 2 of old meters). */
  readonly msbFirst?: boolean;
}
