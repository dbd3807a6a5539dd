/**
 * Values in bulk: whole series are cut into UTC days, packed, sent by binary COPY to the staging table and from there put
 * where nothing is yet. Blocks that are there already and differ are merged value by value; equal ones are counted as
 * duplicates, so that doing it again changes nothing.
 */
import {
  DAY,
  type DayValues,
  packDay,
  packRun,
  packRunQuality,
  type Run,
  type RunHeader,
  unpackDay,
} from '../codec/block.ts';
import { Bytes } from '../codec/bytes.ts';
import { qualityCode } from '../codec/quality.ts';
import type { Partitions } from '../partitions.ts';
import { type CopyRows, copyIn, copyOut } from '../pg/copy.ts';
import type { Client, Database } from '../pg/database.ts';
import type { Registers } from '../registers.ts';
import { blockSql, probeBlocks } from '../sql/blocks.ts';
import { insertDirty } from '../sql/ingest.ts';
import { dayText } from '../sql/partitions.ts';
import { runRows } from '../sql/values.ts';
import type { SeriesData, WriteOptions, WriteResult } from '../types.ts';
import {
  blockKey,
  type LoggedChange,
  logChanges,
  type MergedBlock,
  readBlock,
  readBlocks,
  type StoredBlock,
  writeMerged,
} from './block-rows.ts';
import { overlay } from './overlay.ts';

/** Blocks in one transaction at most. */
export const BLOCKS = 150_000;
/** Keys that are looked up before blocks are sent straight into the table. */
const PROBES = 32;
const UNIQUE_VIOLATION = '23505';
const EARLIEST = Date.UTC(1990, 0, 1);
const LATEST = Date.UTC(2100, 0, 1);
/** A series whose values lie closer than this is fine: it is thinned after some days, and means are kept of it. */
export const FINE = 900_000;

export interface BulkParts {
  readonly db: Database;
  readonly registers: Registers;
  readonly partitions: Partitions;
  readonly now: () => number;
}

/** One day of one series on its way: a stretch of a regular one, or values with their times. */
export interface Piece {
  readonly meter: string;
  readonly register: number;
  readonly day: number;
  readonly hint: number;
  readonly fine: boolean;
  readonly run?: Run;
  readonly values?: DayValues;
}

export async function writeBlocks(
  parts: BulkParts,
  series: readonly SeriesData[],
  options: WriteOptions = {},
): Promise<WriteResult> {
  const { registers, partitions } = parts;
  const ids = await registers.ensure(series.map((s) => s.register));
  const order = series
    .map((data, i) => ({ data, register: ids[i] as number, meter: BigInt(data.meter) }))
    .sort((a, b) => (a.meter < b.meter ? -1 : a.meter > b.meter ? 1 : a.register - b.register));
  const total = { inserted: 0, changed: 0, duplicates: 0, values: 0 };
  let pieces: Piece[] = [];
  const flush = async (): Promise<void> => {
    if (pieces.length === 0) return;
    await partitions.blocks(new Set(pieces.map((p) => p.day)));
    const done = await writePieces(parts, pieces, options);
    total.inserted += done.inserted;
    total.changed += done.changed;
    total.duplicates += done.duplicates;
    total.values += done.values;
    pieces = [];
  };
  for (const { data, register } of order) {
    cut(data, register, pieces);
    if (pieces.length >= BLOCKS) await flush();
  }
  await flush();
  return total;
}

/** Qualities by code. */
export const codesOf = (quality: SeriesData['quality']): Uint8Array | undefined =>
  quality === undefined || quality instanceof Uint8Array ? quality : Uint8Array.from(quality, qualityCode);

export function cut(data: SeriesData, register: number, pieces: Piece[]): void {
  const { values } = data;
  if (!Number.isInteger(data.scaler) || Math.abs(data.scaler) > 30) throw new RangeError(`scaler ${data.scaler}`);
  const n = values.length;
  if (n === 0) return;
  const hint = (data.register.period ?? 0) * 1000;
  const own = hint === 0;
  const quality = codesOf(data.quality);
  if (data.times) {
    const { times } = data;
    if (times.length !== n) throw new RangeError(`${times.length} times for ${n} values`);
    for (let from = 0; from < n; ) {
      const day = dayOf(times[from] as number);
      let to = from + 1;
      while (to < n && (times[to] as number) < (day + 1) * DAY) {
        if (!((times[to] as number) > (times[to - 1] as number))) throw new RangeError('times do not rise');
        to++;
      }
      const day1 = part(data, quality, from, to, (i) => times[i] as number, day);
      if (day1) pieces.push({ meter: data.meter, register, day, hint, fine: own && to - from > 100, values: day1 });
      from = to;
    }
    return;
  }
  const { start, step } = data;
  if (start === undefined || step === undefined || !Number.isInteger(step) || step < 100 || !Number.isInteger(start))
    throw new RangeError('a regular series has a start and a step of at least 100 ms, both whole milliseconds');
  dayOf(start + (n - 1) * step);
  for (let from = 0; from < n; ) {
    const day = dayOf(start + from * step);
    const to = Math.min(n, Math.ceil(((day + 1) * DAY - start) / step));
    const first = start + from * step - day * DAY;
    const fine = own && step < FINE;
    if (values instanceof BigInt64Array || step >= DAY) {
      const day1 = part(data, quality, from, to, (i) => start + i * step, day);
      if (day1) pieces.push({ meter: data.meter, register, day, hint, fine, values: day1 });
    } else
      pieces.push({
        meter: data.meter,
        register,
        day,
        hint,
        fine,
        run: { values, quality, from, to, start: first, step, scaler: data.scaler },
      });
    from = to;
  }
}

function dayOf(time: number): number {
  if (!(time >= EARLIEST && time < LATEST)) throw new RangeError(`${time} is no time between 1990 and 2100`);
  return Math.floor(time / DAY);
}

/** The values that are there of [from, to). */
function part(
  data: SeriesData,
  quality: Uint8Array | undefined,
  from: number,
  to: number,
  timeOf: (i: number) => number,
  day: number,
): DayValues | undefined {
  const { values } = data;
  const places: number[] = [];
  for (let i = from; i < to; i++) if (!Number.isNaN(Number(values[i]))) places.push(i);
  if (places.length === 0) return undefined;
  for (const i of places)
    if (typeof values[i] === 'number' && !Number.isInteger(values[i]))
      throw new RangeError(`${values[i]} is no whole mantissa`);
  return {
    times: Float64Array.from(places, (i) => timeOf(i) - day * DAY),
    values: Float64Array.from(places, (i) => Number(values[i])),
    ...(quality ? { quality: Uint8Array.from(places, (i) => quality[i] as number) } : {}),
    ...(values instanceof BigInt64Array ? { big: BigInt64Array.from(places, (i) => values[i] as bigint) } : {}),
    scaler: data.scaler,
  };
}

async function writePieces(
  { db, now }: BulkParts,
  pieces: readonly Piece[],
  options: WriteOptions,
): Promise<WriteResult> {
  return db.write(async (client) => {
    await client.query(blockSql.lockBlocks);
    const done = (await writeDirect(client, pieces)) ?? (await writeStaged(client, pieces, options, now()));
    const dirty = new Map<string, unknown[]>();
    for (const p of pieces) if (p.fine) dirty.set(`${p.meter} ${p.day}`, [p.meter, dayText(p.day)]);
    await runRows(client, insertDirty, [...dirty.values()]);
    return done;
  });
}

/**
 * Straight into the table, for blocks of which none is there: twice as fast. A few keys are looked up first; if another
 * one turns out to be there, what was sent is taken back.
 * @param came of meterings: when they were written
 * @returns undefined when some block is there already
 */
export async function writeDirect(
  client: Client,
  pieces: readonly Piece[],
  came?: number,
): Promise<WriteResult | undefined> {
  const probes = new Set<Piece>();
  for (let i = 0; i < PROBES; i++) probes.add(pieces[Math.floor((i * (pieces.length - 1)) / (PROBES - 1))] as Piece);
  const found = await runRows(
    client,
    probeBlocks,
    [...probes].map((p) => [p.meter, p.register, dayText(p.day)]),
  );
  if (found.length > 0) return undefined;
  await client.query(blockSql.savepoint);
  try {
    const sent = await sendPieces(
      client,
      came === undefined ? blockSql.copyBlock : blockSql.copyMetering,
      pieces,
      came,
    );
    return { inserted: sent.blocks, changed: 0, duplicates: 0, values: sent.values };
  } catch (error) {
    if ((error as { code?: string }).code !== UNIQUE_VIOLATION) throw error;
    await client.query(blockSql.rollbackTo);
    return undefined;
  }
}

async function writeStaged(
  client: Client,
  pieces: readonly Piece[],
  options: WriteOptions,
  at: number,
): Promise<WriteResult> {
  await client.query(blockSql.emptyStage);
  const sent = await sendPieces(client, blockSql.copyStage, pieces);
  let first = Number.POSITIVE_INFINITY;
  let last = Number.NEGATIVE_INFINITY;
  for (const { day } of pieces) {
    if (day < first) first = day;
    if (day > last) last = day;
  }
  const differing: StoredBlock[] = [];
  let fresh = 0;
  await copyOut(client, blockSql.copyDiffering(first, last), (row) => {
    if (row.bigLong() === null) fresh++;
    else differing.push(readBlock(row));
  });
  // A key that came twice in one call is new once; the other is merged with it.
  const inserted = fresh > 0 ? (await client.query({ text: blockSql.insertStaged, rowMode: 'array' })).rows.length : 0;
  if (inserted < fresh) {
    differing.length = 0;
    await copyOut(client, blockSql.copyDiffering(first, last), (row) => {
      if (row.bigLong() !== null) differing.push(readBlock(row));
    });
  }
  const changed = await mergeDiffering(client, differing, options, at);
  return { inserted, changed, duplicates: sent.blocks - inserted - changed, values: sent.values };
}

export async function sendPieces(
  client: Client,
  copy: string,
  pieces: readonly Piece[],
  came?: number,
): Promise<{ blocks: number; values: number }> {
  const header: RunHeader = { start: 0, n: 0, missing: 0, sum: 0, max: 0, mixed: false, ok: false };
  const v = new Bytes(1024);
  const s = new Bytes(64);
  let at = 0;
  let blocks = 0;
  let values = 0;
  const put = (rows: CopyRows, piece: Piece): void => {
    v.length = 0;
    s.length = 0;
    const { run } = piece;
    if (run) {
      packRun(v, run, header);
      if (header.n === 0) return;
      if (header.ok) {
        packRunQuality(s, run, header);
        rows.row(came === undefined ? 13 : 14);
        rows.long(Number(piece.meter));
        rows.long(header.sum);
        rows.long(header.max);
        rows.int(piece.register);
        rows.date(piece.day);
        rows.int(header.start);
        rows.int(run.step);
        rows.int(header.n);
        rows.int(header.missing);
        rows.short(run.scaler);
        rows.short(1);
        rows.int32(v.length);
        rows.bytes(v.buffer.subarray(0, v.length));
        rows.int32(s.length);
        rows.bytes(s.buffer.subarray(0, s.length));
        if (came !== undefined) rows.long(came);
        blocks++;
        values += header.n - header.missing;
        return;
      }
    }
    const p = packDay(piece.values ?? spread(run as Run), run?.step ?? piece.hint);
    rows.row(came === undefined ? 13 : 14);
    rows.long(Number(piece.meter));
    rows.number64(p.sum);
    rows.number64(p.max);
    rows.int(piece.register);
    rows.date(piece.day);
    for (const x of [p.start, p.step, p.n, p.missing]) rows.int(x);
    for (const x of [p.scaler, 1]) rows.short(x);
    rows.blob(p.v);
    rows.blob(p.s);
    if (came !== undefined) rows.long(came);
    blocks++;
    values += p.n - p.missing;
  };
  await copyIn(client, copy, (rows) => {
    while (at < pieces.length && rows.length < 400_000) put(rows, pieces[at++] as Piece);
    return at < pieces.length;
  });
  return { blocks, values };
}

/** A run as values with times: for mantissas that need the exact path. */
export function spread(run: Run): DayValues {
  const places: number[] = [];
  for (let i = run.from; i < run.to; i++) if (!Number.isNaN(run.values[i] as number)) places.push(i);
  return {
    times: Float64Array.from(places, (i) => run.start + (i - run.from) * run.step),
    values: Float64Array.from(places, (i) => run.values[i] as number),
    ...(run.quality ? { quality: Uint8Array.from(places, (i) => run.quality?.[i] ?? 0) } : {}),
    scaler: run.scaler,
  };
}

/** Blocks that were there and differ from what came. @returns how many of them change */
async function mergeDiffering(
  client: Client,
  came: readonly StoredBlock[],
  options: WriteOptions,
  at: number,
): Promise<number> {
  let changed = 0;
  for (let i = 0; i < came.length; i += 1000) {
    const group = came.slice(i, i + 1000);
    const days = group.map((b) => b.day);
    const there = new Map(
      (
        await readBlocks(
          client,
          [...new Set(group.map((b) => b.meter))],
          [...new Set(group.map((b) => b.register))],
          days.reduce((a, b) => Math.min(a, b)),
          days.reduce((a, b) => Math.max(a, b)),
        )
      ).map((b) => [blockKey(b.meter, b.register, b.day), b]),
    );
    const merged = new Map<string, MergedBlock>();
    const changes: LoggedChange[] = [];
    for (const block of group) {
      const key = blockKey(block.meter, block.register, block.day);
      const before = there.get(key);
      const known = merged.get(key)?.values ?? (before && unpackDay(before));
      const result = overlay(known, unpackDay(block), { edit: options.user !== undefined });
      for (const change of result.changes)
        changes.push({ meter: block.meter, register: block.register, day: block.day, change });
      const bump = result.changes.some((c) => !c.kept) ? 1 : 0;
      merged.set(key, {
        meter: block.meter,
        register: block.register,
        day: block.day,
        values: result.day,
        version: (merged.get(key)?.version ?? before?.version ?? 0) + bump,
        hint: before?.step || block.step,
      });
    }
    changed += await writeMerged(client, [...merged.values()]);
    await logChanges(client, changes, options, at);
  }
  return changed;
}
