/**
 * Characters of IEC 62056-21 (clause 5.2, ISO/IEC 646): seven bits and even parity, and the check over a block.
 *
 * Decides: parity is made and taken off here, in bit 7, so that a port stays at 8N1 whatever is spoken and need not be opened
 * anew for mode E. Leaves out: what the characters mean.
 */

export const NUL = 0x00;
export const SOH = 0x01;
export const STX = 0x02;
export const ETX = 0x03;
export const EOT = 0x04;
export const ACK = 0x06;
export const LF = 0x0a;
export const CR = 0x0d;
export const NAK = 0x15;
export const DEL = 0x7f;

/** Bit 7 for each of the 128 characters: even parity over all eight. */
const EVEN = Uint8Array.from({ length: 128 }, (_, c) => {
  let ones = 0;
  for (let bit = 0; bit < 7; bit++) ones += (c >> bit) & 1;
  return c | ((ones & 1) << 7);
});

/** Whether an octet off an 8N1 line is a character with even parity. */
export const isEven = (octet: number): boolean => EVEN[octet & 0x7f] === octet;

/** Seven bits and even parity in eight. */
export function evenParity(bytes: Uint8Array): Uint8Array {
  return bytes.map((octet) => EVEN[octet & 0x7f] as number);
}

/** Characters without their parity bits, in a new array. */
export function withoutParity(bytes: Uint8Array): Uint8Array {
  return bytes.map((octet) => octet & 0x7f);
}

/**
 * What the parity bits of received octets say: `none` where no bit 7 is set (the port has taken them off, or there were
 * none), `even` with the number of octets that break it, `other` where bit 7 is no parity.
 */
export function parityOf(bytes: Uint8Array): { readonly parity: 'none' | 'even' | 'other'; readonly broken: number } {
  let high = 0;
  let broken = 0;
  for (const octet of bytes) {
    if (octet > 0x7f) high++;
    if (!isEven(octet)) broken++;
  }
  if (high === 0) return { parity: 'none', broken: 0 };
  // Without parity about half of all characters would break it; text with some bit 7 in it by chance breaks it often.
  return broken * 8 <= bytes.length ? { parity: 'even', broken } : { parity: 'other', broken };
}

/** Block check character (ISO 1155): exclusive or of [start, end), which ends behind ETX or EOT. */
export function blockCheck(bytes: Uint8Array, start = 0, end = bytes.length): number {
  let check = 0;
  for (let i = start; i < end; i++) check ^= bytes[i] as number;
  return check & 0x7f;
}

/** The bytes of ASCII text; anything beyond seven bits is cut down to them. */
export function bytesOf(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i) & 0x7f;
  return bytes;
}

/** As many arguments as a call may have without trouble. */
const PIECE = 4096;

/** ASCII text of bytes, parity bits taken off. */
export function textOf(bytes: Uint8Array, start = 0, end = bytes.length): string {
  let text = '';
  for (let at = start; at < end; at += PIECE) {
    const piece = bytes.slice(at, Math.min(end, at + PIECE));
    for (let i = 0; i < piece.length; i++) piece[i] = (piece[i] as number) & 0x7f;
    text += String.fromCharCode.apply(null, piece as unknown as number[]);
  }
  return text;
}

const NAMES: Readonly<Record<number, string>> = {
  [NUL]: 'NUL',
  [SOH]: 'SOH',
  [STX]: 'STX',
  [ETX]: 'ETX',
  [EOT]: 'EOT',
  [ACK]: 'ACK',
  [LF]: 'LF',
  [CR]: 'CR',
  [NAK]: 'NAK',
  [DEL]: 'DEL',
};

/** ms that so many characters of ten bits take; the last of them may still be on the line. */
export const lineTime = (octets: number, baud: number): number => Math.ceil((octets * 10_000) / baud);

/** What a person can read: printable characters as they are, others as <ACK>, <07>. */
export function visible(bytes: Uint8Array | string): string {
  const text = typeof bytes === 'string' ? bytes : textOf(bytes);
  let out = '';
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    out += c >= 0x20 && c < 0x7f ? text[i] : `<${NAMES[c] ?? c.toString(16).toUpperCase().padStart(2, '0')}>`;
  }
  return out;
}
