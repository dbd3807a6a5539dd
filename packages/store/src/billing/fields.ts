/** Fields of binary COPY that bills and determinants are written in. */
import type { CopyRows } from '../pg/copy.ts';

/** PostgreSQL's epoch in epoch ms. */
const EPOCH = 946_684_800_000;
const utf8 = new TextEncoder();

export function textField(rows: CopyRows, value: string | null): void {
  if (value === null) rows.none();
  else rows.blob(utf8.encode(value));
}
export const timeField = (rows: CopyRows, at: number): void => rows.long((at - EPOCH) * 1000);
export function idField(rows: CopyRows, id: string): void {
  if (id.length < 16) rows.long(Number(id));
  else rows.bigLong(BigInt(id));
}
export function intField(rows: CopyRows, value: number | null): void {
  if (value === null) rows.none();
  else rows.int(value);
}
