/** Blocks between the database's rows and memory: reading some to merge with, writing merged ones. */
import { type DayValues, type PackedBlock, packDay, unpackDay } from '../codec/block.ts';
import type { CopyRow } from '../pg/copy.ts';
import { copyIn, copyOut } from '../pg/copy.ts';
import type { Client } from '../pg/database.ts';
import { blockSql, insertChanges, upsertBlocks } from '../sql/blocks.ts';
import { dayText } from '../sql/partitions.ts';
import { runRows } from '../sql/values.ts';
import type { MeterId, WriteOptions } from '../types.ts';
import type { Change } from './overlay.ts';

const DAY = 86_400_000;

export interface StoredBlock {
  readonly meter: MeterId;
  readonly register: number;
  /** Days since 1970. */
  readonly day: number;
  readonly start: number;
  readonly step: number;
  readonly n: number;
  readonly scaler: number;
  readonly version: number;
  readonly v: Buffer;
  readonly s: Buffer;
}

export const blockKey = (meter: MeterId, register: number, day: number): string => `${meter} ${register} ${day}`;

/** The columns of copyBlocks and copyDiffering. */
export function readBlock(row: CopyRow): StoredBlock {
  return {
    meter: String(row.bigLong()),
    register: row.int(),
    day: row.int(),
    start: row.int(),
    step: row.int(),
    n: row.int(),
    scaler: row.short(),
    version: row.short(),
    v: Buffer.from(row.blob()),
    s: Buffer.from(row.blob()),
  };
}

export async function readBlocks(
  client: Client,
  meters: readonly MeterId[],
  registers: readonly number[],
  first: number,
  last: number,
): Promise<StoredBlock[]> {
  const blocks: StoredBlock[] = [];
  if (meters.length > 0 && registers.length > 0)
    await copyOut(client, blockSql.copyBlocks(meters, registers, first, last), (row) => blocks.push(readBlock(row)));
  return blocks;
}

export interface MergedBlock {
  readonly meter: MeterId;
  readonly register: number;
  readonly day: number;
  readonly values: DayValues;
  readonly version: number;
  /** The series' own period in ms; 0 when it has none. */
  readonly hint: number;
}

/** Writes whole blocks over what is there. @returns how many differed from it */
export async function writeMerged(client: Client, blocks: readonly MergedBlock[]): Promise<number> {
  const rows = blocks.map((b) => blockRow(b, packDay(b.values, b.hint)));
  return (await runRows(client, upsertBlocks, rows)).length;
}

export const whole = (x: number | bigint | null): string | null => (x === null ? null : x.toString());

function blockRow(b: MergedBlock, p: PackedBlock): unknown[] {
  return [
    b.meter,
    whole(p.sum),
    whole(p.max),
    b.register,
    dayText(b.day),
    p.start,
    p.step,
    p.n,
    p.missing,
    p.scaler,
    Math.min(b.version, 32_767),
    p.v,
    p.s,
  ];
}

export interface LoggedChange {
  readonly meter: MeterId;
  readonly register: number;
  readonly day: number;
  readonly change: Change;
  /** The edit that does it. */
  readonly edit?: string;
}

export async function logChanges(
  client: Client,
  changes: readonly LoggedChange[],
  options: WriteOptions,
  at: number,
): Promise<void> {
  if (changes.length > MANY) return copyChanges(client, changes, options, at);
  const time = new Date(at).toISOString();
  await runRows(
    client,
    insertChanges,
    changes.map(({ meter, register, day, change: c, edit }) => [
      meter,
      register,
      new Date(day * DAY + c.time).toISOString(),
      whole(c.was),
      c.wasScaler,
      c.wasQuality,
      whole(c.is),
      c.isScaler,
      c.isQuality,
      c.kept,
      options.source ?? 'profile',
      options.user ?? null,
      options.reason ?? null,
      time,
      edit ?? null,
    ]),
  );
}

/** So many rows are sooner sent by COPY. */
export const MANY = 300;

function copyChanges(
  client: Client,
  changes: readonly LoggedChange[],
  options: WriteOptions,
  at: number,
): Promise<void> {
  let next = 0;
  return copyIn(client, blockSql.copyChanges, (rows) => {
    while (next < changes.length && rows.length < 400_000) {
      const { meter, register, day, change: c, edit } = changes[next++] as LoggedChange;
      rows.row(15);
      rows.long(Number(meter));
      rows.int(register);
      rows.moment(day * DAY + c.time);
      rows.number64(c.was);
      rows.short(c.wasScaler);
      rows.short(c.wasQuality);
      rows.number64(c.is);
      rows.short(c.isScaler);
      rows.short(c.isQuality);
      rows.yesNo(c.kept);
      rows.words(options.source ?? 'profile');
      rows.words(options.user ?? null);
      rows.words(options.reason ?? null);
      rows.moment(at);
      if (edit === undefined) rows.none();
      else rows.long(Number(edit));
    }
    return next < changes.length;
  });
}

export const unpackStored = (block: StoredBlock): DayValues => unpackDay(block);
