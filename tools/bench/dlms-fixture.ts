/** What both processes of the DLMS bench know. */
import { octetString } from '@amiable/dlms';

export const METERS = 64;
export const ROWS = 96;
export const SECRET = new TextEncoder().encode('Amiable');
export const KEYS = { unicast: new Uint8Array(16).fill(1), authentication: new Uint8Array(16).fill(2) };
export const CLIENT_TITLE = Uint8Array.of(0x41, 0x4d, 0x49, 0, 0, 0, 0, 1);
export const serverTitle = (i: number): Uint8Array => Uint8Array.of(0x41, 0x4d, 0x49, 0xff, 0, 0, i >> 8, i & 0xff);

export const COLUMNS = [
  { classId: 8, logicalName: '0-0:1.0.0', attributeIndex: 2 },
  ...['1.8.0', '2.8.0', '3.8.0', '4.8.0'].map((q) => ({ classId: 3, logicalName: `1-0:${q}`, attributeIndex: 2 })),
];

/** Quarters of 2026-11-20, UTC. */
export const rowTime = (row: number): Uint8Array =>
  octetString(Uint8Array.of(0x07, 0xea, 11, 20, 5, row >> 2, (row & 3) * 15, 0, 0, 0, 0, 0));
