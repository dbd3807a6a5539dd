/**
 * How many bytes protection adds to an APDU at most, so that what is sent in blocks can be cut before it is protected
 * (IEC 62056-5-3 clauses 5.3.7 and 6.5).
 */
import type { SecurityContextOptions } from './types.ts';

/** Security header and tag. */
const SEALED = 5 + 12;
/** Tag of the APDU and its length, which for an APDU of blocks takes up to two bytes more than said. */
const ENVELOPE = 1 + 3;
const TITLE = 9;
/** Transaction id, both titles, no date-time, no other information. */
const HEADER = 1 + 9 + 2 * TITLE + 2;

export function protectionOverhead(
  options: Pick<SecurityContextOptions, 'suite' | 'form' | 'send' | 'keyInfo'>,
): number {
  const { suite, form, send, keyInfo = 'identified' } = options;
  const signature = send.signed ? ENVELOPE + HEADER + 3 + (suite === 2 ? 96 : 64) : 0;
  if (!send.authenticated && !send.encrypted) return signature;
  if (form === 'general-ciphering') {
    const wrapped = suite === 2 ? 40 : 24;
    const agreed = suite === 2 ? 2 * 96 : 2 * 64;
    const info = keyInfo === 'wrapped' ? 4 + wrapped : keyInfo.endsWith('dh') ? 8 + agreed : 3;
    return signature + ENVELOPE + HEADER + info + SEALED;
  }
  // ACCESS and signed APDUs have no service-specific form and go in the general one.
  return signature + ENVELOPE + TITLE + SEALED;
}
