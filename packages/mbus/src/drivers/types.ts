/**
 * What makers put where the standard leaves room: whole payloads (CI A0 to B7), octets behind DIF 0F, records of their own.
 *
 * A driver is a small function from octets to readings, found by maker, version, device type and CI. It adds what it understands;
 * what it does not understand stays as hex in `manufacturerData`. Layouts are facts that people have published about their meters.
 */
import type { Item, Value } from '@amiable/model';

export interface DriverInput {
  /** The frame, plain. */
  readonly bytes: Uint8Array;
  /** The octets that only the maker understands: bytes[start, end). */
  readonly start: number;
  readonly end: number;
  readonly ci: number;
  readonly version: number;
  readonly medium: number;
  readonly identification: string;
}

export interface DriverReading {
  readonly item: Item;
  readonly value: Value;
}

/** @returns undefined when the octets are not of the layout that it knows */
export type DriverFunction = (input: DriverInput) => DriverReading[] | undefined;

export interface Driver {
  /** For a person, and the `list` of the message. */
  readonly name: string;
  /** Three letters each. */
  readonly makers: readonly string[];
  /** All of them unless said. */
  readonly versions?: readonly number[];
  readonly media?: readonly number[];
  /** `maker`: the whole payload of a CI from A0 to B7; `tail`: octets behind DIF 0F or 1F. */
  readonly part: 'maker' | 'tail';
  readonly decode: DriverFunction;
}
