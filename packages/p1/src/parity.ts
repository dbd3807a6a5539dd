/**
 * Lines at 7 data bits and even parity (DSMR 2 and 3: 9600 7E1, IEC 62056-21) that are read as 8N1: the top bit of each octet is the
 * parity. A character has ten bits either way, so nothing is lost, and the parity is checked here rather than in the UART.
 */

/** Whether the number of ones is even. */
const EVEN = Uint8Array.from({ length: 256 }, (_, octet) => {
  let ones = 0;
  for (let rest = octet; rest !== 0; rest >>= 1) ones += rest & 1;
  return ones % 2 === 0 ? 1 : 0;
});

export const isEven = (octet: number): boolean => EVEN[octet] === 1;

/** The slash with its parity bit: how a telegram begins on such a line. */
export const SLASH_EVEN = 0xaf;

/** The characters without their parity bits, and where the first one stands whose parity is wrong (-1: nowhere). */
export function stripParity(
  b: Uint8Array,
  from = 0,
  to = b.length,
): { readonly bytes: Uint8Array; readonly wrong: number } {
  const bytes = new Uint8Array(to - from);
  let wrong = -1;
  for (let i = from; i < to; i++) {
    const octet = b[i] as number;
    if (wrong < 0 && EVEN[octet] === 0) wrong = i - from;
    bytes[i - from] = octet & 0x7f;
  }
  return { bytes, wrong };
}

/** Characters as such a line shows them to a reader at 8N1. */
export function addParity(b: Uint8Array): Uint8Array {
  return Uint8Array.from(b, (octet) => (EVEN[octet & 0x7f] === 1 ? octet & 0x7f : (octet & 0x7f) | 0x80));
}
