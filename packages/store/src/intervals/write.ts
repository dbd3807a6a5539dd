/**
 * Meterings into packed blocks. What is new goes by COPY straight into the table; what meets values that are there already is merged
 * day by day under the rules of merge.ts, and what was there before goes to the change log.
 */
import { MisuseError } from '@amiable/bytes';
import { INTERVAL_ADDRESS, quantityOf } from '@amiable/model';
import { DAY, type DayValues, type PackedBlock, packDay, unpackDay } from '../codec/block.ts';
import { MISSING } from '../codec/quality.ts';
import type { Partitions } from '../partitions.ts';
import { copyIn, copyOut } from '../pg/copy.ts';
import type { Client, Database } from '../pg/database.ts';
import type { Registers } from '../registers.ts';
import { blockSql } from '../sql/blocks.ts';
import { appendArrivals, intervalSql, upsertMeterings } from '../sql/intervals.ts';
import { dayText } from '../sql/partitions.ts';
import { runRows } from '../sql/values.ts';
import type { MeterId, SeriesData } from '../types.ts';
import {
  blockKey,
  type LoggedChange,
  logChanges,
  MANY,
  readBlock,
  readBlocks,
  type StoredBlock,
  whole,
} from '../write/block-rows.ts';
import { BLOCKS, codesOf, cut, type Piece, sendPieces, spread, writeDirect } from '../write/bulk.ts';
import { type Merged, type MergeRules, mergeDay } from './merge.ts';
import type { ChangeRow } from './past.ts';
import { packRuns } from './runs.ts';
import { type Standing, standingEdits } from './standing.ts';
import type { IntervalsWritten, IntervalWrite } from './types.ts';

export interface WriteParts {
  readonly db: Database;
  readonly registers: Registers;
  readonly partitions: Partitions;
}

const MOST = 2 ** 51;

/** What comes to one day of one metering. */
export interface Incoming {
  readonly meter: MeterId;
  readonly register: number;
  readonly day: number;
  /** Its period, ms. */
  readonly hint: number;
  readonly values: DayValues | undefined;
  /** Times that are taken away, ms of the day, rising. */
  readonly gone: readonly number[];
  /** The edit that does it. */
  readonly edit?: string;
}

type Total = { -readonly [K in keyof IntervalsWritten]: number };
const nothing = (): Total => ({ inserted: 0, changed: 0, duplicates: 0, values: 0, kept: 0, replaced: 0 });

export async function writeMeterings(
  parts: WriteParts,
  series: readonly SeriesData[],
  how: IntervalWrite,
): Promise<IntervalsWritten> {
  for (const data of series) check(data);
  const ids = await parts.registers.ensure(series.map((s) => s.register));
  const order = series
    .map((data, i) => ({ data, register: ids[i] as number, meter: BigInt(data.meter) }))
    .sort((a, b) => (a.meter < b.meter ? -1 : a.meter > b.meter ? 1 : a.register - b.register));
  const total = nothing();
  let pieces: Piece[] = [];
  let going: Incoming[] = [];
  const flush = async (): Promise<void> => {
    if (pieces.length + going.length === 0) return;
    await parts.partitions.blocks(new Set([...pieces, ...going].map((p) => p.day)));
    const done = await parts.db.write((client) => writePieces(parts, client, pieces, going, how));
    for (const key of Object.keys(total) as (keyof Total)[]) total[key] += done[key];
    pieces = [];
    going = [];
  };
  for (const { data, register } of order) {
    const first = pieces.length;
    cut(data, register, pieces);
    takeAway(data, register, pieces.slice(first), going);
    if (pieces.length >= BLOCKS) await flush();
  }
  await flush();
  return total;
}

function check({ meter, register, step, values, quality }: SeriesData): void {
  const period = register.period ?? 0;
  if (register.address !== INTERVAL_ADDRESS || period <= 0)
    throw new MisuseError(`${register.name} is no register of a metering; make it with intervalRegister`);
  if (step !== undefined && step !== period * 1000)
    throw new MisuseError(`values every ${step / 1000} s for a metering of ${period} s`);
  if (quality && quality.length !== values.length)
    throw new MisuseError(`${quality.length} qualities for ${values.length} values`);
  if (values instanceof BigInt64Array) throw new MisuseError('mantissas of intervals are numbers');
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if ((value < MOST && value > -MOST && Math.floor(value) === value) || Number.isNaN(value)) continue;
    throw new MisuseError(`meter ${meter}: ${value} is no whole mantissa below 2^51`);
  }
}

/** Finds what a series takes away: quality `missing`. */
function takeAway(data: SeriesData, register: number, pieces: readonly Piece[], going: Incoming[]): void {
  const codes = codesOf(data.quality);
  if (!codes?.includes(MISSING)) return;
  const hint = (data.register.period ?? 0) * 1000;
  const days = new Map<number, number[]>();
  for (let i = codes.indexOf(MISSING); i < codes.length; i++) {
    if (codes[i] !== MISSING) continue;
    const time = data.times ? (data.times[i] as number) : (data.start as number) + i * (data.step as number);
    const day = Math.floor(time / DAY);
    const list = days.get(day);
    if (list) list.push(time - day * DAY);
    else days.set(day, [time - day * DAY]);
  }
  for (const [day, gone] of days) {
    const piece = pieces.find((p) => p.day === day);
    going.push({ meter: data.meter, register, day, hint, values: piece && valuesOf(piece), gone });
  }
}

function valuesOf(piece: Piece): DayValues | undefined {
  const day = piece.values ?? (piece.run && spread(piece.run));
  if (!day?.quality?.includes(MISSING)) return day?.values.length ? day : undefined;
  const places = [...day.quality.keys()].filter((i) => day.quality?.[i] !== MISSING);
  if (places.length === 0) return undefined;
  return {
    times: Float64Array.from(places, (i) => day.times[i] as number),
    values: Float64Array.from(places, (i) => day.values[i] as number),
    quality: Uint8Array.from(places, (i) => day.quality?.[i] ?? 0),
    scaler: day.scaler,
  };
}

async function writePieces(
  parts: WriteParts,
  client: Client,
  given: readonly Piece[],
  gone: readonly Incoming[],
  how: IntervalWrite,
): Promise<Total> {
  await client.query(blockSql.lockBlocks);
  const [pieces, going] = await protect(client, given, gone);
  const direct = pieces.length > 0 && (await writeDirect(client, pieces, how.at));
  if (direct) {
    if (going.length === 0) return { ...nothing(), ...direct };
    // Days without any value are not in what was sent; there may be something to take away.
    const sent = new Set(pieces.map((p) => blockKey(p.meter, p.register, p.day)));
    const rest = going.filter((g) => !sent.has(blockKey(g.meter, g.register, g.day)));
    return add({ ...nothing(), ...direct }, await mergeIncoming(parts, client, rest, how, {}));
  }
  const apart = new Set(going.map((g) => blockKey(g.meter, g.register, g.day)));
  const staged = apart.size === 0 ? pieces : pieces.filter((p) => !apart.has(blockKey(p.meter, p.register, p.day)));
  const total = nothing();
  if (staged.length > 0) add(total, await writeStaged(parts, client, staged, how));
  return add(total, await mergeIncoming(parts, client, going, how, {}));
}

/** Where a person took values away nothing is put without looking, though the place is empty. */
async function protect(
  client: Client,
  pieces: readonly Piece[],
  going: readonly Incoming[],
): Promise<[readonly Piece[], readonly Incoming[]]> {
  if (pieces.length === 0) return [pieces, going];
  let first = Number.POSITIVE_INFINITY;
  let last = Number.NEGATIVE_INFINITY;
  for (const { day } of pieces) {
    if (day < first) first = day;
    if (day > last) last = day;
  }
  const span = [new Date(first * DAY).toISOString(), new Date((last + 1) * DAY).toISOString()];
  const { rows } = await client.query(intervalSql.takenAway, span);
  if (rows.length === 0) return [pieces, going];
  const keys = new Set((rows as { meter: MeterId; register: number }[]).map((r) => `${r.meter} ${r.register}`));
  const known = new Set(going.map((g) => blockKey(g.meter, g.register, g.day)));
  const free: Piece[] = [];
  const more: Incoming[] = [];
  for (const piece of pieces) {
    const { meter, register, day, hint } = piece;
    if (!keys.has(`${meter} ${register}`)) free.push(piece);
    else if (!known.has(blockKey(meter, register, day)))
      more.push({ meter, register, day, hint, values: valuesOf(piece), gone: [] });
  }
  return [free, [...going, ...more]];
}

function add(total: Total, more: Total): Total {
  for (const key of Object.keys(total) as (keyof Total)[]) total[key] += more[key];
  return total;
}

async function writeStaged(
  parts: WriteParts,
  client: Client,
  pieces: readonly Piece[],
  how: IntervalWrite,
): Promise<Total> {
  await client.query(blockSql.emptyStage);
  const sent = await sendPieces(client, blockSql.copyStage, pieces);
  let first = Number.POSITIVE_INFINITY;
  let last = Number.NEGATIVE_INFINITY;
  for (const { day } of pieces) {
    if (day < first) first = day;
    if (day > last) last = day;
  }
  let differing: StoredBlock[] = [];
  let fresh = 0;
  await copyOut(client, blockSql.copyDiffering(first, last), (row) => {
    if (row.bigLong() === null) fresh++;
    else differing.push(readBlock(row));
  });
  const inserted =
    fresh > 0
      ? (await client.query({ text: intervalSql.insertStaged, values: [how.at], rowMode: 'array' })).rows.length
      : 0;
  if (inserted < fresh) {
    // A day that came twice in one call is new once; the other is merged with it.
    differing = [];
    await copyOut(client, blockSql.copyDiffering(first, last), (row) => {
      if (row.bigLong() !== null) differing.push(readBlock(row));
    });
  }
  const merged = await mergeIncoming(
    parts,
    client,
    differing.map((b) => ({
      meter: b.meter,
      register: b.register,
      day: b.day,
      hint: b.step,
      values: unpackDay(b),
      gone: [],
    })),
    how,
    {},
  );
  return {
    ...merged,
    inserted: inserted + merged.inserted,
    duplicates: sent.blocks - inserted - merged.changed,
    values: sent.values,
  };
}

const GROUP = 5000;

/** Merges days with what is there, in the caller's transaction. A day that comes twice is merged twice, in order. */
export async function mergeIncoming(
  parts: WriteParts,
  client: Client,
  incoming: readonly Incoming[],
  how: IntervalWrite,
  rules: MergeRules,
): Promise<Total> {
  const total = nothing();
  let group = new Map<string, Incoming>();
  for (const day of incoming) {
    const key = blockKey(day.meter, day.register, day.day);
    if (group.size >= GROUP || group.has(key)) {
      add(total, await mergeGroup(parts, client, group, how, rules));
      group = new Map();
    }
    group.set(key, day);
  }
  if (group.size > 0) add(total, await mergeGroup(parts, client, group, how, rules));
  return total;
}

async function mergeGroup(
  { registers }: WriteParts,
  client: Client,
  group: ReadonlyMap<string, Incoming>,
  how: IntervalWrite,
  rules: MergeRules,
): Promise<Total> {
  const all = [...group.values()];
  const meters = [...new Set(all.map((d) => d.meter))];
  const ids = [...new Set(all.map((d) => d.register))];
  const first = all.reduce((a, d) => Math.min(a, d.day), Number.POSITIVE_INFINITY);
  const last = all.reduce((a, d) => Math.max(a, d.day), Number.NEGATIVE_INFINITY);
  const there = new Map<string, StoredBlock>();
  for (const block of await readBlocks(client, meters, ids, first, last)) {
    const key = blockKey(block.meter, block.register, block.day);
    if (group.has(key)) there.set(key, block);
  }
  const standing = rules.edit ? undefined : await standingEdits(client, meters, ids, first * DAY, (last + 1) * DAY);
  const after = Number(((await client.query(intervalSql.lastChange)).rows[0] as { id: string }).id);
  const changes: LoggedChange[] = [];
  const arrivals: unknown[][] = [];
  const rows: MergedRow[] = [];
  const total = nothing();
  for (const [key, { meter, register, day, hint, values, gone, edit }] of group) {
    const before = there.get(key);
    const result = mergeDay(before && unpackDay(before), values, gone, {
      ...rules,
      ...(how.replace ? { replace: true, trustEdited: isMeasured(registers, register) } : {}),
      ...standingOf(standing, meter, register, day),
    });
    total.kept += result.kept;
    total.replaced += result.replaced;
    total.values += values?.values.length ?? 0;
    for (const change of result.changes)
      changes.push({ meter, register, day, change, ...(edit === undefined ? {} : { edit }) });
    if (before && result.arrived.length > 0)
      arrivals.push([
        meter,
        register,
        dayText(day),
        new Date(how.at).toISOString(),
        packRuns(result.arrived, allTimes(result), how.at, after),
      ]);
    // Neither there nor anything to put there.
    if (!before && result.day.values.length === 0) continue;
    const bump = result.changes.some((c) => !c.kept) ? 1 : 0;
    if (before) {
      if (bump === 0 && result.arrived.length === 0) continue;
      total.changed++;
    } else total.inserted++;
    const version = Math.min(before ? before.version + bump : 1, 32_767);
    const packed =
      result.day.values.length === 0 ? { ...EMPTY, start: before?.start ?? 0, step: hint } : packDay(result.day, hint);
    rows.push({ meter, register, day, packed, version });
  }
  await putRows(client, rows, how.at);
  await runRows(client, appendArrivals, arrivals);
  await logChanges(client, await news(client, changes), how, how.at);
  return total;
}

/** What is there now, and what went away in the same breath: a run of arrivals spans neither. */
function allTimes({ day, changes }: Merged): ArrayLike<number> {
  const gone = changes.flatMap((c) => (c.is === null ? [c.time] : []));
  return gone.length === 0 ? day.times : Float64Array.from([...day.times, ...gone]).sort();
}

/** A metering of what a meter measured, not a calculated profile. */
const isMeasured = (registers: Registers, register: number): boolean =>
  quantityOf(registers.byId(register)?.name ?? '') !== undefined;

function standingOf(
  standing: Standing | undefined,
  meter: MeterId,
  register: number,
  day: number,
): Pick<MergeRules, 'standing'> {
  const edits = standing?.of(meter, register);
  return edits === undefined ? {} : { standing: (time) => edits(day * DAY + time) };
}

/** Without what came just before already and did not count then either. */
async function news(client: Client, changes: readonly LoggedChange[]): Promise<readonly LoggedChange[]> {
  const kept = changes.filter((c) => c.change.kept);
  if (kept.length === 0) return changes;
  const { rows } = await client.query(intervalSql.lastOf, [
    [...new Set(kept.map((c) => c.meter))],
    [...new Set(kept.map((c) => c.register))],
    [...new Set(kept.map((c) => new Date(c.day * DAY + c.change.time).toISOString()))],
  ]);
  const known = new Map(
    (rows as (ChangeRow & { kept: boolean })[]).map((r) => [`${r.meter} ${r.register} ${r.time}`, r]),
  );
  return changes.filter(({ meter, register, day, change }) => {
    if (!change.kept) return true;
    const told = known.get(`${meter} ${register} ${day * DAY + change.time}`);
    return !(
      told?.kept &&
      told.new_quality === change.isQuality &&
      told.new_mantissa !== null &&
      Number(told.new_mantissa) * 10 ** (told.new_scaler - change.isScaler) === change.is
    );
  });
}

/** A day of which nothing is left keeps one empty place: it says when the day came, and its version. */
const EMPTY: PackedBlock = {
  start: 0,
  step: 0,
  n: 1,
  missing: 1,
  scaler: 0,
  sum: 0,
  max: null,
  v: Uint8Array.of(1, 0),
  // One place, missing.
  s: Uint8Array.of(12),
};

interface MergedRow {
  readonly meter: MeterId;
  readonly register: number;
  readonly day: number;
  readonly packed: PackedBlock;
  readonly version: number;
}

async function putRows(client: Client, rows: readonly MergedRow[], came: number): Promise<void> {
  if (rows.length <= MANY) {
    await runRows(
      client,
      upsertMeterings,
      rows.map((r) => rowOf(r, came)),
    );
    return;
  }
  await client.query(blockSql.emptyStage);
  let next = 0;
  await copyIn(client, blockSql.copyStage, (out) => {
    while (next < rows.length && out.length < 400_000) {
      const { meter, register, day, packed: p, version } = rows[next++] as MergedRow;
      out.row(13);
      out.long(Number(meter));
      out.number64(p.sum);
      out.number64(p.max);
      out.int(register);
      out.date(day);
      for (const x of [p.start, p.step, p.n, p.missing]) out.int(x);
      out.short(p.scaler);
      out.short(version);
      out.blob(p.v);
      out.blob(p.s);
    }
    return next < rows.length;
  });
  await client.query({ text: intervalSql.overStaged, values: [came], rowMode: 'array' });
}

function rowOf({ meter, register, day, packed: p, version }: MergedRow, came: number): unknown[] {
  return [
    meter,
    whole(p.sum),
    whole(p.max),
    register,
    dayText(day),
    p.start,
    p.step,
    p.n,
    p.missing,
    p.scaler,
    version,
    p.v,
    p.s,
    came,
  ];
}
