/**
 * Meterings out of packed blocks: many meters as fast as the database sends them, one meter in a prepared statement, both also as they
 * stood at a time in the past.
 */
import type { Scope } from '@amiable/model';
import { DAY, unpackDay } from '../codec/block.ts';
import { type CopyRow, copyOut } from '../pg/copy.ts';
import type { Client, Database } from '../pg/database.ts';
import { requireMeter } from '../query/scope.ts';
import type { Register, Registers } from '../registers.ts';
import { intervalSql } from '../sql/intervals.ts';
import { dayText } from '../sql/partitions.ts';
import type { MeterId } from '../types.ts';
import type { Arrays } from './arrays.ts';
import { Grid, type Packed } from './grid.ts';
import { eventsAfter, undone } from './past.ts';
import { checkSpan, registersOf } from './registers.ts';
import type { IntervalQuery, MeterIntervals } from './types.ts';

/** Values under way at once: 36 MB. */
const VALUES = 4_000_000;
/** Meters in the text of one statement. */
const MOST = 2000;
/** So many blocks are sooner read by a prepared statement than by COPY. */
const FEW = 400;

export interface ReadParts {
  readonly db: Database;
  readonly registers: Registers;
}

/** `arrays`: where those of the values come from; who gives them gives back what was read. */
export interface ReadQuery extends IntervalQuery {
  readonly arrays?: Arrays | undefined;
}

interface Asked extends ReadQuery {
  readonly registers: readonly Register[];
  readonly ids: readonly number[];
  readonly first: number;
  readonly last: number;
}

async function ask(parts: ReadParts, query: ReadQuery): Promise<Asked | undefined> {
  checkSpan(query.from, query.to);
  await parts.registers.load();
  const registers = registersOf(parts.registers, query.quantity, query.period);
  if (registers.length === 0) return undefined;
  // A local day may begin up to an hour before that of the query's grid.
  return {
    ...query,
    registers,
    ids: registers.map((r) => r.id),
    first: Math.floor(query.from / DAY),
    last: Math.floor((query.to - 1) / DAY),
  };
}

export async function readIntervals(
  parts: ReadParts,
  meters: readonly MeterId[] | 'all',
  query: ReadQuery,
  take: (intervals: MeterIntervals) => void | Promise<void>,
): Promise<void> {
  const asked = await ask(parts, query);
  if (!asked) return;
  const ids = meters === 'all' ? await everyMeter(parts.db) : inOrder(meters);
  const each = (query.to - query.from) / ((asked.registers[0] as Register).period * 1000);
  const size = Math.max(1, Math.min(MOST, Math.floor(VALUES / Math.max(each, 1))));
  let next: Promise<MeterIntervals[]> | undefined;
  for (let at = 0; at < ids.length; at += size) {
    const found = await (next ?? chunk(parts.db, ids.slice(at, at + size), asked));
    // While these are taken the next ones are on their way.
    next = at + size < ids.length ? chunk(parts.db, ids.slice(at + size, at + 2 * size), asked) : undefined;
    next?.catch(() => {});
    for (const intervals of found) {
      const taken = take(intervals);
      if (taken) await taken;
    }
  }
}

async function everyMeter(db: Database): Promise<MeterId[]> {
  const { rows } = await db.read((client) => client.query({ text: intervalSql.meters, rowMode: 'array' }));
  return (rows as unknown as [string][]).map(([id]) => id);
}

const inOrder = (meters: readonly MeterId[]): MeterId[] =>
  [...new Set(meters)].sort((a, b) => a.length - b.length || (a < b ? -1 : a > b ? 1 : 0));

async function chunk(db: Database, meters: readonly MeterId[], asked: Asked): Promise<MeterIntervals[]> {
  return db.read(async (client) => {
    const grids =
      asked.asOf === undefined ? await present(client, meters, asked) : await past(client, meters, asked, asked.asOf);
    const out: MeterIntervals[] = [];
    for (const meter of meters) {
      const grid = grids.get(Number(meter));
      const intervals = grid?.done(meter, unitOf(asked, grid));
      if (intervals) out.push(intervals);
    }
    return out;
  });
}

const unitOf = (asked: Asked, grid: Grid): string | null =>
  asked.registers.find((r) => r.id === grid.register)?.unit ?? null;

/** The place of a register among those asked: the lower the better. */
const rankOf = (asked: Asked, register: number): number => asked.ids.indexOf(register);

/** @returns the grid that a block goes to; undefined when the meter has a finer series */
function gridFor(
  grids: Map<number, Grid>,
  meter: number,
  asked: Asked,
  register: number,
  time: number,
  scaler: number,
): Grid | undefined {
  const there = grids.get(meter);
  if (there) {
    if (there.register === register) return there;
    if (there.filled && rankOf(asked, there.register) < rankOf(asked, register)) return undefined;
  }
  const step = (asked.registers[rankOf(asked, register)] as Register).period * 1000;
  const grid = new Grid(register, step, time, asked.from, asked.to, scaler, asked.arrays);
  grids.set(meter, grid);
  return grid;
}

async function present(client: Client, meters: readonly MeterId[], asked: Asked): Promise<Map<number, Grid>> {
  if (meters.length === 1 && (asked.last - asked.first + 1) * asked.ids.length <= FEW)
    return few(client, meters[0] as MeterId, asked);
  const grids = new Map<number, Grid>();
  const single = asked.ids.length === 1 ? (asked.registers[0] as Register).period * 1000 : 0;
  let before = -1;
  let grid: Grid | undefined;
  await copyOut(client, intervalSql.copyPacked(meters, asked.ids, asked.first, asked.last), (row: CopyRow) => {
    const meter = row.long();
    const register = row.int();
    const day = row.date();
    const start = row.int();
    const step = row.int();
    const n = row.int();
    const scaler = row.short();
    const version = row.short();
    const at = row.span();
    const end = row.position;
    const time = day * DAY + start;
    if (meter !== before || single === 0) {
      grid = gridFor(grids, meter, asked, register, time, scaler);
      before = meter;
    }
    if (!grid) return;
    if (version > grid.version) grid.version = version;
    const runs = row.span();
    const { data, position } = row;
    if (step === grid.step) grid.places(time, scaler, n, data, at, end, data, runs, Math.max(runs, position));
    else {
      const s = data.subarray(runs, position);
      grid.lay(day, unpackDay({ start, step, n, scaler, v: data.subarray(at, end), s }));
    }
  });
  return grids;
}

type FewRow = [string, number, number, number, number, number, number, Buffer, Buffer, number];

const packedOf = (row: readonly unknown[]): Packed => {
  const [, register, day, start, step, scaler, version, v, s, n] = row as FewRow;
  return { register, day, start, step, scaler, version, v, s, n };
};

async function few(client: Client, meter: MeterId, asked: Asked): Promise<Map<number, Grid>> {
  const { rows } = await client.query({
    name: 'interval.few',
    text: intervalSql.few,
    values: [meter, asked.ids, dayText(asked.first), dayText(asked.last)],
    rowMode: 'array',
  });
  const grids = new Map<number, Grid>();
  for (const row of rows as unknown as FewRow[]) {
    const block = packedOf(row);
    gridFor(grids, Number(meter), asked, block.register, block.day * DAY + block.start, block.scaler)?.block(block);
  }
  return grids;
}

/** Blocks first, then what was written since: a change that is committed in between is undone to the same effect. */
async function past(
  client: Client,
  meters: readonly MeterId[],
  asked: Asked,
  asOf: number,
): Promise<Map<number, Grid>> {
  const { rows } = await client.query({
    text: intervalSql.withCame,
    values: [meters, asked.ids, dayText(asked.first), dayText(asked.last)],
    rowMode: 'array',
  });
  const events = await eventsAfter(client, meters, asked.ids, asked.first, asked.last, asOf);
  const grids = new Map<number, Grid>();
  for (const row of rows as unknown as [...FewRow, string][]) {
    if (Number(row[10]) > asOf) continue;
    const block = packedOf(row);
    const meter = row[0];
    const since = events.of(meter, block.register, block.day);
    const day = since.length === 0 ? undefined : undone(unpackDay(block), since);
    if (day && day.times.length === 0) continue;
    const time = block.day * DAY + ((day?.times[0] as number | undefined) ?? block.start);
    const grid = gridFor(grids, Number(meter), asked, block.register, time, block.scaler);
    if (!grid) continue;
    if (block.version > grid.version) grid.version = block.version;
    if (day) grid.lay(block.day, day);
    else grid.block(block);
  }
  return grids;
}

export async function readOne(
  parts: ReadParts,
  meter: MeterId,
  query: IntervalQuery,
  scope: Scope | undefined,
): Promise<MeterIntervals | undefined> {
  const asked = await ask(parts, query);
  if (scope !== undefined) await parts.db.read((client) => requireMeter(client, meter, scope));
  if (!asked) return undefined;
  return (await chunk(parts.db, [meter], asked))[0];
}
