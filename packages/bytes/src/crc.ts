/**
 * The check sums of metering.
 * - CRC-16/X-25: HDLC HCS and FCS (ISO/IEC 13239; IEC 62056-46), reflected 0x1021, sent low byte first.
 * - CRC-16/ARC: P1 telegrams (DSMR 5.2.3). - CRC-16/EN-13757: wireless M-Bus and EN 13757-1 links.
 * - CRC-24: IEC 61334-5-1 MAC sub-frames (polynomial 0x80001B).
 * X-25 and ARC run on every byte that a reader sees, so they take eight bytes a step (slicing-by-8).
 */

function reflectedTables(polynomial: number, slices: number): Uint16Array[] {
  const tables: Uint16Array[] = [];
  const first = new Uint16Array(256);
  for (let i = 0; i < 256; i++) {
    let c = i;
    for (let k = 0; k < 8; k++) c = c & 1 ? (c >>> 1) ^ polynomial : c >>> 1;
    first[i] = c;
  }
  tables.push(first);
  for (let s = 1; s < slices; s++) {
    const prev = tables[s - 1] as Uint16Array;
    tables.push(prev.map((c) => (c >>> 8) ^ (first[c & 0xff] as number)));
  }
  return tables;
}

const [X0, X1, X2, X3, X4, X5, X6, X7] = reflectedTables(0x8408, 8) as [
  Uint16Array,
  Uint16Array,
  Uint16Array,
  Uint16Array,
  Uint16Array,
  Uint16Array,
  Uint16Array,
  Uint16Array,
];
const [A0, A1, A2, A3, A4, A5, A6, A7] = reflectedTables(0xa001, 8) as [
  Uint16Array,
  Uint16Array,
  Uint16Array,
  Uint16Array,
  Uint16Array,
  Uint16Array,
  Uint16Array,
  Uint16Array,
];

/** Start value of the running X-25 register. */
export const X25_START = 0xffff;
/** What the running X-25 register holds after good data and its own check sum (complement included). */
export const X25_RESIDUE = 0xf0b8;

/** Runs the X-25 register (not complemented) over buf[start, end). */
export function x25Update(register: number, buf: Uint8Array, start: number, end: number): number {
  let c = register;
  let i = start;
  for (const last = end - 7; i < last; i += 8) {
    const a = c ^ ((buf[i] as number) | ((buf[i + 1] as number) << 8));
    c =
      (X7[a & 0xff] as number) ^
      (X6[a >>> 8] as number) ^
      (X5[buf[i + 2] as number] as number) ^
      (X4[buf[i + 3] as number] as number) ^
      (X3[buf[i + 4] as number] as number) ^
      (X2[buf[i + 5] as number] as number) ^
      (X1[buf[i + 6] as number] as number) ^
      (X0[buf[i + 7] as number] as number);
  }
  for (; i < end; i++) c = (c >>> 8) ^ (X0[(c ^ (buf[i] as number)) & 0xff] as number);
  return c;
}

/** CRC-16/X-25 of buf[start, end). */
export function crc16X25(buf: Uint8Array, start = 0, end = buf.length): number {
  return x25Update(X25_START, buf, start, end) ^ 0xffff;
}

/**
 * CRC-16/ARC of buf[start, end). The loop stands twice in this file on purpose: tables that are constants of the module are looked up
 * faster than tables that are handed in.
 */
export function crc16Arc(buf: Uint8Array, start = 0, end = buf.length): number {
  let c = 0;
  let i = start;
  for (const last = end - 7; i < last; i += 8) {
    const a = c ^ ((buf[i] as number) | ((buf[i + 1] as number) << 8));
    c =
      (A7[a & 0xff] as number) ^
      (A6[a >>> 8] as number) ^
      (A5[buf[i + 2] as number] as number) ^
      (A4[buf[i + 3] as number] as number) ^
      (A3[buf[i + 4] as number] as number) ^
      (A2[buf[i + 5] as number] as number) ^
      (A1[buf[i + 6] as number] as number) ^
      (A0[buf[i + 7] as number] as number);
  }
  for (; i < end; i++) c = (c >>> 8) ^ (A0[(c ^ (buf[i] as number)) & 0xff] as number);
  return c;
}

/** One octet at the top of the register, pushed through. */
const EN_13757 = Uint16Array.from({ length: 256 }, (_, i) => {
  let c = i << 8;
  for (let k = 0; k < 8; k++) c = c & 0x8000 ? ((c << 1) ^ 0x3d65) & 0xffff : c << 1;
  return c;
});

/** CRC-16/EN-13757 of buf[start, end). */
export function crc16En13757(buf: Uint8Array, start = 0, end = buf.length): number {
  let c = 0;
  for (let i = start; i < end; i++) c = ((c << 8) & 0xffff) ^ (EN_13757[(c >> 8) ^ (buf[i] as number)] as number);
  return c ^ 0xffff;
}

/** CRC-24 of buf[start, end) with polynomial 0x80001B, register from zero, most significant bit first. */
export function crc24(buf: Uint8Array, start = 0, end = buf.length): number {
  let c = 0;
  for (let i = start; i < end; i++) {
    c ^= (buf[i] as number) << 16;
    for (let k = 0; k < 8; k++) c = c & 0x800000 ? ((c << 1) ^ 0x80001b) & 0xffffff : c << 1;
  }
  return c;
}
