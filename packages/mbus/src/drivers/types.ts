/**
 * What makers put where the standard leaves room: whole payloads (CI A0 to B7), payloads behind a standard header, octets behind
 * DIF 0F, records with a VIF of their own.
 *
 * A driver is a small function from octets to readings, found by maker, version and device type. Where the values fit the standard
 * it writes them as standard records, which are then read like all others; else it gives readings. It adds what it understands;
 * what nobody understands stays as hex in `manufacturerData`. Layouts are facts that people have published about their meters.
 */
import type { Item, Value } from '@amiable/model';
import type { RecordHead } from '../application/record-head.ts';
import type { MbusCrypto } from '../wireless/aes.ts';

export interface DriverInput {
  /** The frame, plain, or the full frame that a compact one stood for. */
  readonly bytes: Uint8Array;
  /** The octets that only the maker understands: bytes[start, end). */
  readonly start: number;
  readonly end: number;
  /** Of the record whose data they are, where they are one's. */
  readonly head?: RecordHead | undefined;
  readonly ci: number;
  readonly configuration: number;
  readonly accessNumber: number;
  readonly version: number;
  readonly medium: number;
  /** M and A as the radio sent them. */
  readonly linkAddress: Uint8Array;
  /** To be tried, most likely first. */
  readonly keys: readonly Uint8Array[];
  readonly crypto: MbusCrypto;
}

export interface DriverReading {
  readonly item: Item;
  readonly value: Value;
}

export interface DriverResult {
  /** Standard records (EN 13757-3) that say the same. */
  readonly records?: Uint8Array;
  readonly readings?: readonly DriverReading[];
}

/** @returns undefined when the octets are not of the layout that it knows */
export type DriverFunction = (input: DriverInput) => DriverResult | undefined;

export interface Driver {
  /** For a person, and the `list` of the message. */
  readonly name: string;
  /** Three letters each. */
  readonly makers: readonly string[];
  /** All of them unless said. */
  readonly versions?: readonly number[];
  readonly media?: readonly number[];
  /**
   * `maker`: the payload of a CI from A0 to B7; `payload`: one behind a standard header, before it is taken for records;
   * `tail`: octets behind DIF 0F or 1F; `record`: the data of a record with VIF FF and these VIFEs.
   */
  readonly part: 'maker' | 'payload' | 'tail' | 'record';
  readonly vifes?: readonly number[];
  /** Words for device types that are the maker's own. */
  readonly meterTypes?: Readonly<Record<number, string>>;
  readonly decode: DriverFunction;
}
