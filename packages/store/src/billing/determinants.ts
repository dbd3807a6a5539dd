/** Determinants of many contracts: written by COPY, a row a contract, metering and version of its tariff. */
import { type CopyRows, copyIn } from '../pg/copy.ts';
import type { Database } from '../pg/database.ts';
import { type Row, segments } from '../registry/parts.ts';
import { billingSql } from '../sql/billing.ts';
import { idField, intField, textField, timeField } from './fields.ts';
import { timeOf } from './rows.ts';
import type { DeterminantRow, DeterminantStore, Determinants } from './types.ts';

/** Rows handed over before the wire gets its turn. */
const SLICE = 1024;
/** Types of the elements of arrays, as PostgreSQL numbers them. */
const INT8 = 20;
const TEXT = 25;
const utf8 = new TextEncoder();

/** Head of a binary array of one dimension: dimensions, nulls, type, length, first index. */
function arrayHead(rows: CopyRows, bytes: number, type: number, length: number): void {
  rows.int32(20 + bytes);
  rows.int32(1);
  rows.int32(0);
  rows.int32(type);
  rows.int32(length);
  rows.int32(1);
}

const named = new WeakMap<readonly string[], readonly Uint8Array[]>();
function texts(rows: CopyRows, names: readonly string[]): void {
  let bytes = named.get(names);
  if (!bytes) {
    bytes = names.map((name) => utf8.encode(name));
    named.set(names, bytes);
  }
  arrayHead(
    rows,
    bytes.reduce((n, text) => n + 4 + text.length, 0),
    TEXT,
    bytes.length,
  );
  for (const text of bytes) rows.blob(text);
}

function writeRow(rows: CopyRows, run: string, d: Determinants): void {
  rows.row(23);
  idField(rows, d.meter);
  idField(rows, run);
  idField(rows, d.contract);
  textField(rows, d.quantity);
  timeField(rows, d.from);
  timeField(rows, d.to);
  idField(rows, d.meteringPoint);
  rows.int(d.tariffId);
  rows.int(d.tariffVersion);
  textField(rows, d.unit);
  rows.short(d.scaler);
  texts(rows, d.rates);
  arrayHead(rows, 12 * d.energy.length, INT8, d.energy.length);
  for (let r = 0; r < d.energy.length; r++) rows.long(d.energy[r] as number);
  rows.number64(d.highest);
  if (d.highestAt === null) rows.none();
  else timeField(rows, d.highestAt);
  rows.int(d.step);
  for (let q = 0; q < 5; q++) rows.int(d.counts[q] ?? 0);
  intField(rows, d.valueVersion);
  timeField(rows, d.seenAt);
}

const rowOf = (row: Row): DeterminantRow => ({
  meter: row.meter as string,
  contract: row.contract as string,
  quantity: row.quantity as string,
  from: timeOf(row.from_time),
  to: timeOf(row.to_time),
  meteringPoint: row.metering_point as string,
  code: row.code as string,
  tariff: row.tariff as string,
  tariffVersion: row.tariff_version as number,
  unit: row.unit as string | null,
  scaler: row.scaler as number,
  rates: row.rates as string[],
  energy: (row.energy as string[]).map(Number),
  highest: row.highest === null ? null : Number(row.highest),
  highestAt: row.highest_at === null ? null : timeOf(row.highest_at),
  step: row.step as number,
  counts: [row.measured, row.calculated, row.edited, row.estimated, row.missing] as number[],
  valueVersion: row.value_version as number,
  seenAt: timeOf(row.seen_at),
});

export function createDeterminants(db: Database): DeterminantStore {
  return {
    write: (run, all) =>
      all.length === 0
        ? Promise.resolve(0)
        : db.write(async (client) => {
            await client.query(billingSql.lockBills);
            const points = [...new Set(all.map((d) => d.meteringPoint))];
            const there = (await client.query(billingSql.determinantsOfRun, [run, points])).rows as {
              contract: string;
            }[];
            const own = new Set(there.map((row) => row.contract));
            const rest = own.size === 0 ? all : all.filter((d) => !own.has(d.contract));
            if (rest.length === 0) return 0;
            let at = 0;
            await copyIn(client, billingSql.copyDeterminants, (rows) => {
              const end = Math.min(rest.length, at + SLICE);
              while (at < end) writeRow(rows, run, rest[at++] as Determinants);
              return at < rest.length;
            });
            return rest.length;
          }),
    list: ({ run, after, limit, scope }) =>
      db.read(async (client) => {
        const ask = async (behind: string, most: number): Promise<DeterminantRow[]> =>
          ((await client.query(billingSql.determinants, [run, behind, segments(scope), most])).rows as Row[]).map(
            rowOf,
          );
        const rows = await ask(after ?? '0', limit + 1);
        if (rows.length <= limit) return rows;
        // The last point may have more: it comes whole with the next page.
        const last = rows.at(-1)?.meteringPoint;
        const whole = rows.filter((row) => row.meteringPoint !== last);
        return whole.length > 0 ? whole : rows;
      }),
    reached: (run) =>
      db.read(async (client) => {
        const row = (await client.query(billingSql.determinantsReached, [run])).rows[0] as { point: string | null };
        return row.point ?? '0';
      }),
    count: (run) =>
      db.read(async (client) => ((await client.query(billingSql.countDeterminants, [run])).rows[0] as { n: number }).n),
  };
}
