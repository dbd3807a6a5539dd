/**
 * Bills. Decides that they are written once, by COPY, one transaction at a time, and that two runs never bill the same time of the same
 * product at one point. Leaves out: what they come to (the billing feature).
 */

import { type CopyRows, copyIn } from '../pg/copy.ts';
import type { Client, Database } from '../pg/database.ts';
import { iso, type Row, segments } from '../registry/parts.ts';
import { billingSql } from '../sql/billing.ts';
import { idField, intField, textField, timeField } from './fields.ts';
import { billId, billKey, billOf, timeOf, wholeBillOf } from './rows.ts';
import type { BillQuery, BillStore, NewBill } from './types.ts';

/** Rows handed over before the wire gets its turn. */
const SLICE = 256;
function writeRow(rows: CopyRows, run: string, bill: NewBill): void {
  rows.row(26);
  idField(rows, bill.meter);
  idField(rows, run);
  idField(rows, bill.contract);
  idField(rows, bill.meteringPoint);
  textField(rows, bill.kind);
  textField(rows, bill.state);
  textField(rows, bill.product);
  rows.int(bill.tariffId);
  intField(rows, bill.tariffVersion);
  timeField(rows, bill.from);
  timeField(rows, bill.to);
  textField(rows, bill.currency);
  rows.short(bill.scaler);
  rows.number64(bill.amount);
  rows.number64(bill.total);
  for (let q = 0; q < 5; q++) rows.int(bill.counts[q] ?? 0);
  rows.int(bill.valueVersion);
  timeField(rows, bill.seenAt);
  if (bill.previousRun === null) rows.none();
  else idField(rows, bill.previousRun);
  if (bill.days === null) rows.none();
  else rows.blob(bill.days);
  textField(rows, bill.detail);
  textField(rows, bill.reason);
}

/** Without what is there: of this run, or billed by another for the same time. */
async function fresh(client: Client, run: string, bills: readonly NewBill[]): Promise<readonly NewBill[]> {
  const points = [...new Set(bills.map((bill) => bill.meteringPoint))];
  const own = new Set(
    ((await client.query(billingSql.billsOfRun, [run, points])).rows as Row[]).map((row) => row.contract as string),
  );
  let from = Number.POSITIVE_INFINITY;
  let to = Number.NEGATIVE_INFINITY;
  for (const bill of bills) {
    from = Math.min(from, bill.from);
    to = Math.max(to, bill.to);
  }
  const spans = new Map<string, { run: string; from: number; to: number }[]>();
  for (const row of (await client.query(billingSql.billedSpans, [points, iso(from), iso(to)])).rows as Row[]) {
    const key = `${row.metering_point} ${row.product}`;
    const list = spans.get(key) ?? [];
    list.push({ run: row.run as string, from: timeOf(row.from_time), to: timeOf(row.to_time) });
    spans.set(key, list);
  }
  return bills.filter((bill) => {
    if (own.has(bill.contract)) return false;
    const others = spans
      .get(`${bill.meteringPoint} ${bill.product}`)
      ?.filter((s) => s.from < bill.to && bill.from < s.to);
    if (others === undefined || others.length === 0) return true;
    // A difference follows the bill that it was made from, and no other.
    if (bill.kind === 'difference') return others.every((s) => BigInt(s.run) <= BigInt(bill.previousRun ?? 0));
    return bill.state !== 'billed';
  });
}

export function createBills(db: Database): BillStore {
  const listed = <T>(query: BillQuery, text: string, of: (row: Row) => T): Promise<T[]> =>
    db.read(async (client) => {
      const after = query.after === undefined ? undefined : billKey(query.after);
      const time = (at: number | undefined): string | null => (at === undefined ? null : iso(at));
      const { rows } = await client.query(text, [
        query.run ?? null,
        query.meteringPoint ?? null,
        query.meter ?? null,
        query.product ?? null,
        query.state ?? null,
        time(query.from),
        time(query.to),
        after?.[0] ?? null,
        after?.[1] ?? null,
        after?.[2] ?? null,
        segments(query.scope),
        query.limit,
      ]);
      return (rows as Row[]).map(of);
    });
  return {
    list: (query) => listed(query, billingSql.bills, billOf),
    whole: (query) => listed(query, billingSql.wholeBills, wholeBillOf),
    get: (id, scope) =>
      db.read(async (client) => {
        const key = billKey(id);
        if (!key) return undefined;
        const row = (await client.query(billingSql.bill, [...key, segments(scope)])).rows[0] as Row | undefined;
        return row && wholeBillOf(row);
      }),
    billed: (points, from, to) =>
      db.read(async (client) =>
        ((await client.query(billingSql.billedOf, [points, iso(from), iso(to)])).rows as Row[]).map(wholeBillOf),
      ),
    spans: (points, from, to) =>
      db.read(async (client) =>
        ((await client.query(billingSql.billedSpans, [points, iso(from), iso(to)])).rows as Row[]).map((row) => ({
          bill: billId(row.meter, row.run, row.contract),
          run: row.run as string,
          meteringPoint: row.metering_point as string,
          product: row.product as string,
          from: timeOf(row.from_time),
          to: timeOf(row.to_time),
        })),
      ),
    points: ({ from, to, product, meters, after, limit, scope }) =>
      db.read(async (client) => {
        const values = [iso(from), iso(to), after, product ?? null, meters ?? null, segments(scope), limit];
        const { rows } = await client.query(billingSql.billedPoints, values);
        return (rows as { point: string }[]).map((row) => row.point);
      }),
    write: (run, bills) =>
      bills.length === 0
        ? Promise.resolve(0)
        : db.write(async (client) => {
            await client.query(billingSql.lockBills);
            const rest = await fresh(client, run, bills);
            if (rest.length === 0) return 0;
            let at = 0;
            await copyIn(client, billingSql.copyBills, (rows) => {
              const end = Math.min(rest.length, at + SLICE);
              while (at < end) writeRow(rows, run, rest[at++] as NewBill);
              return at < rest.length;
            });
            return rest.length;
          }),
    reached: (run) =>
      db.read(async (client) => {
        const row = (await client.query(billingSql.reached, [run])).rows[0] as { point: string | null };
        return row.point ?? '0';
      }),
    sums: (run) =>
      db.read(async (client) =>
        ((await client.query(billingSql.sums, [run])).rows as Row[]).map((row) => ({
          state: row.state as 'billed',
          currency: row.currency as string | null,
          scaler: row.scaler as number,
          n: row.n as number,
          amount: BigInt(row.amount as string),
        })),
      ),
  };
}
