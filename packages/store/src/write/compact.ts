/**
 * Compaction: moves the hot end of every series from messages into blocks, and computes the derived series on the way.
 * Every meter has a time up to which it is compacted; it is moved on in the same transaction that writes the blocks, while
 * the meter's row is locked, and every intake of messages takes the same lock to learn that time. So a message is either
 * seen by the compaction that passes its time, or it finds the time passed and marks its day, whose messages the next
 * compaction lays over the blocks again. Doing it twice changes nothing.
 */
import { type DayValues, unpackDay } from '../codec/block.ts';
import { unpackQuality } from '../codec/quality.ts';
import { type Layouts, unpackMessage } from '../layouts.ts';
import type { Partitions } from '../partitions.ts';
import { copyOut } from '../pg/copy.ts';
import type { Client, Database } from '../pg/database.ts';
import { isFine } from '../query/values.ts';
import type { Register, Registers } from '../registers.ts';
import { blockSql } from '../sql/blocks.ts';
import { compactSql } from '../sql/compact.ts';
import type { CompactResult, MeterId } from '../types.ts';
import {
  blockKey,
  type LoggedChange,
  logChanges,
  type MergedBlock,
  readBlocks,
  type StoredBlock,
  writeMerged,
} from './block-rows.ts';
import { derive, derivedKey, derivedOf } from './derive.ts';
import { type Change, overlay } from './overlay.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** A message may be under way so long before its time is compacted; later ones are merged as late ones. */
const LAG = 120_000;
/** Meters in one transaction: few enough that their intake is not held up for long, and a day of theirs fits in memory. */
const GROUP = 20;

export interface CompactParts {
  readonly db: Database;
  readonly layouts: Layouts;
  readonly registers: Registers;
  readonly partitions: Partitions;
  /** Source values older than this are thinned already: late ones only fill what is empty. */
  readonly sourceDays: () => number;
}

export async function compact(parts: CompactParts, now: number): Promise<CompactResult> {
  const { db } = parts;
  const cut = Math.floor((now - LAG) / HOUR) * HOUR;
  const total = { meters: 0, messages: 0, values: 0, blocks: 0 };
  const seen = new Set<MeterId>();
  const take = (done: Done): void => {
    total.messages += done.messages;
    total.values += done.values;
    total.blocks += done.blocks;
  };
  for (let after = '-1'; ; ) {
    const { rows } = await db.read((client) =>
      client.query(compactSql.meters, [after, new Date(cut).toISOString(), GROUP]),
    );
    const meters = (rows as { meter: MeterId }[]).map((row) => row.meter);
    if (meters.length === 0) break;
    for (const meter of meters) seen.add(meter);
    // Day by day, so that a long absence does not become one long transaction.
    for (;;) {
      const first = await db.read((client) =>
        client.query(compactSql.firstMessages, [meters, new Date(cut).toISOString()]),
      );
      const start = (first.rows[0] as { first: Date | null } | undefined)?.first;
      const to = start ? Math.min(cut, (Math.floor(start.getTime() / DAY) + 1) * DAY) : cut;
      const done = await compactSpan(parts, meters, start ? start.getTime() : cut, to, now);
      if (!done) continue;
      take(done);
      if (to >= cut) break;
    }
    after = meters.at(-1) as MeterId;
  }
  for (let after = '-1'; ; ) {
    const { rows } = await db.read((client) => client.query(compactSql.dirtyMeters, [after, GROUP]));
    const meters = (rows as { meter: MeterId }[]).map((row) => row.meter);
    if (meters.length === 0) break;
    for (const meter of meters) seen.add(meter);
    take(await compactLate(parts, meters, now));
    after = meters.at(-1) as MeterId;
  }
  return { ...total, meters: seen.size };
}

type Done = Omit<CompactResult, 'meters'>;

/**
 * Messages of [each meter's time, to) into blocks. `from` is the first of them. @returns undefined when an earlier one came since that was
 * found out: nothing is done then, for it would be left behind.
 */
async function compactSpan(
  parts: CompactParts,
  meters: readonly MeterId[],
  from: number,
  to: number,
  now: number,
): Promise<Done | undefined> {
  await prepare(parts, meters, from, to);
  return parts.db.write(async (client) => {
    await client.query(blockSql.lockBlocks);
    const { rows } = await client.query(compactSql.begin, [meters, new Date(to).toISOString()]);
    const was = new Map((rows as { meter: MeterId; was: string }[]).map((row) => [row.meter, Number(row.was)]));
    // From here on whoever stores a message of this time marks its day; until here nobody did.
    const first = await client.query(compactSql.firstMessages, [meters, new Date(to).toISOString()]);
    const start = (first.rows[0] as { first: Date | null } | undefined)?.first;
    if (start && start.getTime() < from) return undefined;
    const gathered = new Gathered(parts.layouts);
    if (was.size > 0 && from < to)
      await gathered.read(client, [...was.keys()], from, to, (meter, time) => time >= (was.get(meter) ?? to));
    const done = await merge(parts, client, gathered, now, 'message');
    await client.query(compactSql.finish, [[...was.keys()]]);
    return done;
  });
}

/** Messages that came after their time was compacted: their whole days are laid over the blocks again. */
async function compactLate(parts: CompactParts, meters: readonly MeterId[], now: number): Promise<Done> {
  await prepare(parts, meters, undefined, undefined);
  const marked = await parts.db.read((client) => client.query(compactSql.dirtyDays, [meters]));
  await parts.partitions.blocks((marked.rows as { day: number }[]).map((row) => row.day));
  return parts.db.write(async (client) => {
    await client.query(blockSql.lockBlocks);
    const { rows } = await client.query(compactSql.touch, [meters]);
    const was = new Map((rows as { meter: MeterId; was: string }[]).map((row) => [row.meter, Number(row.was)]));
    const dirty = await client.query(compactSql.takeDirty, [meters]);
    const byDay = new Map<number, MeterId[]>();
    for (const { meter, day } of dirty.rows as { meter: MeterId; day: number }[])
      byDay.set(day, [...(byDay.get(day) ?? []), meter]);
    const total = { messages: 0, values: 0, blocks: 0 };
    for (const [day, some] of [...byDay].sort(([a], [b]) => a - b)) {
      const gathered = new Gathered(parts.layouts);
      // What is not compacted yet comes in its turn. Registers with the list's clock may belong to the day before.
      await gathered.read(client, some, day * DAY, (day + 1) * DAY, (meter, time) => time < (was.get(meter) ?? 0));
      // Blocks that were written in bulk have no messages; their derived series are computed all the same.
      for (const meter of some) gathered.whole(meter, day);
      const done = await merge(parts, client, gathered, now, 'late message');
      total.messages += done.messages;
      total.values += done.values;
      total.blocks += done.blocks;
    }
    return total;
  });
}

/** Partitions and derived registers are made before the transaction, in transactions of their own. */
async function prepare(
  parts: CompactParts,
  meters: readonly MeterId[],
  from: number | undefined,
  to: number | undefined,
): Promise<void> {
  if (meters.length === 0) return;
  if (from !== undefined && to !== undefined && from < to)
    await parts.partitions.blocks([Math.floor((from - HOUR) / DAY), Math.floor((to - 1) / DAY)]);
  await parts.registers.load();
  await parts.layouts.load();
  const sources = [...parts.registers.all()].filter((r) => r.period === 0 && r.unit !== undefined);
  await parts.registers.ensure(sources.flatMap((r) => derivedOf(r).map((d) => derivedKey(r, d))));
}

/** New values of one register of one meter on one day. */
interface Fresh {
  readonly meter: MeterId;
  readonly register: number;
  readonly day: number;
  times: number[];
  values: (number | bigint)[];
  quality: number[];
  readonly scaler: number;
}

/** Values out of messages, sorted into days of series. */
class Gathered {
  readonly fresh = new Map<string, Fresh>();
  /** Days of meters that are computed anew as a whole. */
  readonly days = new Map<string, { meter: MeterId; day: number }>();
  messages = 0;
  values = 0;
  private readonly layouts: Layouts;

  constructor(layouts: Layouts) {
    this.layouts = layouts;
  }

  whole(meter: MeterId, day: number): void {
    this.days.set(`${meter} ${day}`, { meter, day });
  }

  async read(
    client: Client,
    meters: readonly MeterId[],
    from: number,
    to: number,
    wanted: (meter: MeterId, time: number) => boolean,
  ): Promise<void> {
    await copyOut(client, compactSql.copyMessages(meters, from, to), (row) => {
      const meter = String(row.long());
      const time = row.time();
      row.time();
      const layout = this.layouts.byId(row.int());
      if (!wanted(meter, time)) return;
      if (!layout) throw new Error('a message has a layout that is not known');
      this.messages++;
      const { numbers, clocks } = unpackMessage(layout, row.blob(), time);
      const quality = unpackQuality(row.blob(), layout.places.length);
      for (let k = 0; k < numbers.length; k++) {
        const at = clocks[layout.clocks[k] as number] as number;
        const day = Math.floor(at / DAY);
        const register = layout.registers[k] as number;
        const scaler = layout.scalers[k] as number;
        const key = `${meter} ${register} ${day} ${scaler}`;
        let fresh = this.fresh.get(key);
        if (!fresh) {
          fresh = { meter, register, day, times: [], values: [], quality: [], scaler };
          this.fresh.set(key, fresh);
        }
        fresh.times.push(at - day * DAY);
        fresh.values.push(numbers[k] as number | bigint);
        fresh.quality.push(quality?.[k] ?? 0);
        this.values++;
      }
    });
  }
}

/** One value per time: of several the last received. */
function dayOf(fresh: Fresh, there: DayValues | undefined, changes: LoggedChange[]): DayValues {
  const { times, values, quality, scaler } = fresh;
  const order = times.map((_, i) => i);
  let sorted = true;
  for (let i = 1; i < times.length && sorted; i++) sorted = (times[i - 1] as number) < (times[i] as number);
  if (!sorted) order.sort((a, b) => (times[a] as number) - (times[b] as number) || a - b);
  const kept: number[] = [];
  for (const i of order) {
    const before = kept.at(-1);
    if (before === undefined || times[before] !== times[i]) kept.push(i);
    else {
      kept[kept.length - 1] = i;
      const was = values[before] as number | bigint;
      const is = values[i] as number | bigint;
      if (was !== is && !hasTime(there, times[i] as number))
        changes.push({
          meter: fresh.meter,
          register: fresh.register,
          day: fresh.day,
          change: collision(times[i] as number, was, quality[before] as number, is, quality[i] as number, scaler),
        });
    }
  }
  return {
    times: Float64Array.from(kept, (i) => times[i] as number),
    values: Float64Array.from(kept, (i) => Number(values[i])),
    quality: Uint8Array.from(kept, (i) => quality[i] as number),
    ...(kept.some((i) => typeof values[i] === 'bigint')
      ? { big: BigInt64Array.from(kept, (i) => BigInt(values[i] as number | bigint)) }
      : {}),
    scaler,
  };
}

const collision = (
  time: number,
  was: number | bigint,
  wasQuality: number,
  is: number | bigint,
  isQuality: number,
  scaler: number,
): Change => ({
  time,
  was,
  wasScaler: scaler,
  wasQuality,
  is,
  isScaler: scaler,
  isQuality,
  kept: false,
});

/** A collision is told once: when it comes again with the same day, its winner stands in the block already. */
function hasTime(day: DayValues | undefined, time: number): boolean {
  return day ? day.times.includes(time) : false;
}

async function merge(
  parts: CompactParts,
  client: Client,
  gathered: Gathered,
  now: number,
  source: string,
): Promise<Done> {
  const { registers } = parts;
  const fresh = [...gathered.fresh.values()];
  const keys = [...fresh, ...gathered.days.values()];
  if (keys.length === 0) return { messages: gathered.messages, values: 0, blocks: 0 };
  const meters = [...new Set(keys.map((k) => k.meter))];
  const first = keys.reduce((a, k) => Math.min(a, k.day), Number.POSITIVE_INFINITY);
  const last = keys.reduce((a, k) => Math.max(a, k.day), Number.NEGATIVE_INFINITY);
  const ids = new Set(fresh.map((f) => f.register));
  if (gathered.days.size > 0) {
    const { rows } = await client.query(compactSql.registersOfDays(meters, first, last));
    for (const row of rows as { register: number }[]) ids.add(row.register);
  }
  const there = new Map<string, StoredBlock>();
  for (const block of await readBlocks(client, meters, [...ids], first, last))
    there.set(blockKey(block.meter, block.register, block.day), block);

  const changes: LoggedChange[] = [];
  const merged: MergedBlock[] = [];
  const wanted: Wanted[] = [];
  const old = Math.floor(now / DAY) - parts.sourceDays();
  const want = (register: Register, meter: MeterId, day: number, values: DayValues, from: number, to: number): void => {
    for (const d of derivedOf(register)) {
      const found = derive(values, d, from, to);
      const id = found && registers.derived(register.id, d.period / 1000, d.stat)?.id;
      if (found && id !== undefined)
        wanted.push({ meter, register: id, day, values: found, hint: d.period, fill: day < old });
    }
  };
  // The same register may have come with several decimals.
  const series = new Map<string, Fresh[]>();
  for (const f of fresh) {
    const key = blockKey(f.meter, f.register, f.day);
    const same = series.get(key);
    if (same) same.push(f);
    else series.set(key, [f]);
  }
  for (const [key, all] of series) {
    const { meter, register: id, day } = all[0] as Fresh;
    const before = there.get(key);
    const known = before && unpackDay(before);
    let values = known;
    let bump = 0;
    let first = DAY;
    let last = 0;
    for (const f of all) {
      const came = dayOf(f, values, changes);
      const result = overlay(values, came);
      for (const change of result.changes) changes.push({ meter, register: id, day, change });
      if (result.changes.some((c) => !c.kept)) bump = 1;
      values = result.day;
      first = Math.min(first, came.times[0] as number);
      last = Math.max(last, came.times.at(-1) as number);
    }
    if (!values) continue;
    merged.push({
      meter,
      register: id,
      day,
      values,
      version: (before?.version ?? 1) + bump,
      hint: before?.step ?? 0,
    });
    const register = registers.byId(id);
    const whole = gathered.days.has(`${meter} ${day}`) || !isFineDay(known);
    if (register && isFineDay(values))
      want(register, meter, day, values, whole ? 0 : first - 900_000, whole ? DAY : last + 1);
    there.delete(key);
  }
  for (const block of there.values()) {
    const register = registers.byId(block.register);
    if (register && gathered.days.has(`${block.meter} ${block.day}`) && register.period === 0 && isFine(block))
      want(register, block.meter, block.day, unpackDay(block), 0, DAY);
  }
  let blocks = await writeMerged(client, merged);
  blocks += await mergeDerived(client, wanted);
  await logChanges(client, changes, { source, reason: 'another value of the same time' }, now);
  return { messages: gathered.messages, values: gathered.values, blocks };
}

interface Wanted {
  readonly meter: MeterId;
  readonly register: number;
  readonly day: number;
  readonly values: DayValues;
  readonly hint: number;
  readonly fill: boolean;
}

/** As the row of this day will be: closer than a quarter of an hour. */
function isFineDay(day: DayValues | undefined): boolean {
  if (!day || day.times.length < 2) return false;
  if (day.times.length > 100) return true;
  let step = Number.POSITIVE_INFINITY;
  for (let i = 1; i < day.times.length; i++)
    step = Math.min(step, (day.times[i] as number) - (day.times[i - 1] as number));
  const span = (day.times.at(-1) as number) - (day.times[0] as number);
  return step < 900_000 && span / step + 1 <= day.times.length * 1.25 + 8;
}

/** Derived values are computed anew, so what was there before is no history of its own and is not logged. */
async function mergeDerived(client: Client, wanted: readonly Wanted[]): Promise<number> {
  if (wanted.length === 0) return 0;
  const meters = [...new Set(wanted.map((w) => w.meter))];
  const ids = [...new Set(wanted.map((w) => w.register))];
  const first = wanted.reduce((a, w) => Math.min(a, w.day), Number.POSITIVE_INFINITY);
  const last = wanted.reduce((a, w) => Math.max(a, w.day), Number.NEGATIVE_INFINITY);
  const there = new Map<string, StoredBlock>();
  for (const block of await readBlocks(client, meters, ids, first, last))
    there.set(blockKey(block.meter, block.register, block.day), block);
  return writeMerged(
    client,
    wanted.map((w) => {
      const before = there.get(blockKey(w.meter, w.register, w.day));
      const { day } = overlay(before && unpackDay(before), w.values, { fill: w.fill });
      return {
        meter: w.meter,
        register: w.register,
        day: w.day,
        values: day,
        version: before?.version ?? 1,
        hint: w.hint,
      };
    }),
  );
}
