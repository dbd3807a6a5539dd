/**
 * The conformance block (IEC 62056-5-3 clause 6.4.6 and annex A): 24 bits that say what an association can do. Here a number
 * of 24 bits in which bit 0 of the standard is the most significant.
 */
import { MisuseError } from '@amiable/bytes';

/** The bits by the standard's names. */
export const CONFORMANCE = {
  'general-protection': 0x400000,
  'general-block-transfer': 0x200000,
  read: 0x100000,
  write: 0x080000,
  'unconfirmed-write': 0x040000,
  'delta-value-encoding': 0x020000,
  'attribute0-supported-with-set': 0x008000,
  'priority-mgmt-supported': 0x004000,
  'attribute0-supported-with-get': 0x002000,
  'block-transfer-with-get-or-read': 0x001000,
  'block-transfer-with-set-or-write': 0x000800,
  'block-transfer-with-action': 0x000400,
  'multiple-references': 0x000200,
  'information-report': 0x000100,
  'data-notification': 0x000080,
  access: 0x000040,
  'parameterized-access': 0x000020,
  get: 0x000010,
  set: 0x000008,
  'selective-access': 0x000004,
  'event-notification': 0x000002,
  action: 0x000001,
} as const;

export type ConformanceBit = keyof typeof CONFORMANCE;

/** What may be proposed where objects have logical names. */
export const LN_CONFORMANCE = 0x62fedf;
/** What may be proposed where objects have short names. */
export const SN_CONFORMANCE = 0x7e1ba0;

/** The block with these bits. */
export function conformance(...bits: readonly ConformanceBit[]): number {
  let block = 0;
  for (const bit of bits) {
    const mask: number | undefined = CONFORMANCE[bit];
    if (mask === undefined) throw new MisuseError(`${bit} is no bit of the conformance block`);
    block |= mask;
  }
  return block;
}

/** The names of the bits that are set, in the order of the standard; reserved bits have none. */
export function conformanceNames(block: number): ConformanceBit[] {
  return (Object.keys(CONFORMANCE) as ConformanceBit[]).filter((bit) => (block & CONFORMANCE[bit]) !== 0);
}

/** What both ends can do: the negotiated conformance. */
export function intersectConformance(proposed: number, supported: number): number {
  return proposed & supported & 0xffffff;
}
