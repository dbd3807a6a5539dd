/** Meters as the API shows them: found by any part of a name, in pages by id, with what they show now. */
import { isValidZone } from '@amiable/calendar';
import { isoTime, type Live, type Meter, type MeterList, type MeterPatch, type Scope, toNumber } from '@amiable/model';
import type { Layouts } from '../layouts.ts';
import { unpackMessage } from '../layouts.ts';
import type { Client, Database } from '../pg/database.ts';
import { clean, type Registers } from '../registers.ts';
import { querySql } from '../sql/query.ts';

import type { MeterId, MeterQuery } from '../types.ts';
import { type Segments, segmentsOf } from './scope.ts';

export interface MeterParts {
  readonly db: Database;
  readonly layouts: Layouts;
  readonly registers: Registers;
}

const validId = (id: string): boolean => /^\d{1,19}$/.test(id) && BigInt(id) < 2n ** 63n;

/** A part of a name, as a LIKE pattern. */
const pattern = (q: string): string => `%${q.replace(/[\\%_]/g, '\\$&')}%`;

export async function listMeters(parts: MeterParts, query: MeterQuery): Promise<MeterList> {
  const limit = Math.min(Math.max(Math.trunc(query.limit ?? 100), 1), 1000);
  const after = query.after !== undefined && validId(query.after) ? query.after : '0';
  const state = query.state ?? null;
  const segments = segmentsOf(query.scope);
  const q = clean(query.q ?? '')
    .trim()
    .toLowerCase()
    .slice(0, 200);
  const like = q === '' ? null : pattern(q);
  const standing = standingOf(query);
  return parts.db.read(async (client) => {
    const page = standing
      ? ((await client.query(standing.find, [after, state, limit + 1, standing.where, like, segments])).rows as Row[])
      : await find(client, q, [after, state, limit + 1], segments);
    const more = page.length > limit;
    const rows = more ? page.slice(0, limit) : page;
    const total = standing
      ? ((await client.query(standing.count, [state, standing.where, like, segments])).rows[0] as { n: number }).n
      : await countMeters(client, q, state, segments);
    return { meters: await complete(parts, client, rows), total, next: more ? (rows.at(-1)?.id as string) : null };
  });
}

type Row = Record<string, unknown>;

/** The statements for meters of an area, or of none. */
function standingOf({ under, outside }: MeterQuery): { find: string; count: string; where: string } | undefined {
  if (under !== undefined)
    return { find: querySql.metersUnder, count: querySql.countUnder, where: validId(under) ? under : '0' };
  if (outside !== undefined)
    return { find: querySql.metersOutside, count: querySql.countOutside, where: clean(outside) };
  return undefined;
}

async function find(client: Client, q: string, values: readonly unknown[], segments: Segments): Promise<Row[]> {
  if (q === '') return (await client.query(querySql.meters, [...values, segments])).rows as Row[];
  if (q.length < 3) return (await client.query(querySql.metersLike, [...values, pattern(q), segments])).rows as Row[];
  return (await client.query(querySql.metersFound, [...values, pattern(q), q, segments])).rows as Row[];
}

async function countMeters(client: Client, q: string, state: string | null, segments: Segments): Promise<number> {
  const { rows } =
    q === ''
      ? await client.query(querySql.countMeters, [state, segments])
      : q.length < 3
        ? await client.query(querySql.countLike, [state, pattern(q), segments])
        : await client.query(querySql.countFound, [state, pattern(q), q, segments]);
  return (rows[0] as { n: number }).n;
}

export async function getMeter(parts: MeterParts, id: MeterId, scope?: Scope): Promise<Meter | undefined> {
  if (!validId(id)) return undefined;
  return parts.db.read(async (client) => {
    const { rows } = await client.query(querySql.meter, [id, segmentsOf(scope)]);
    return (await complete(parts, client, rows as Row[]))[0];
  });
}

export async function patchMeter(
  parts: MeterParts,
  id: MeterId,
  patch: MeterPatch,
  user: string | undefined,
  at: number,
  scope?: Scope,
): Promise<Meter | undefined> {
  if (!validId(id)) return undefined;
  if (patch.timeZone !== undefined && !isValidZone(patch.timeZone))
    throw new RangeError(`unknown time zone ${JSON.stringify(patch.timeZone)}; give an IANA name such as Europe/Oslo`);
  await parts.db.write(async (client) => {
    const { rows } = await client.query(querySql.meter, [id, segmentsOf(scope)]);
    const row = rows[0] as Row | undefined;
    if (!row) return;
    const text = (value: string | null | undefined, before: unknown): unknown =>
      value === undefined ? before : value === null || value === '' ? null : clean(value);
    const name = text(patch.name, row.name);
    const next: Row = {
      name,
      place: text(patch.place, row.place),
      utility_serial: text(patch.utilitySerial, row.utility_serial),
      time_zone: patch.timeZone ?? row.time_zone,
      state: patch.name === undefined ? row.state : name === null ? 'new' : 'named',
    };
    await client.query(querySql.patchMeter, [
      id,
      next.name,
      next.place,
      next.utility_serial,
      next.time_zone,
      next.state,
    ]);
    for (const field of ['name', 'place', 'utility_serial', 'time_zone'])
      if (next[field] !== row[field])
        await client.query(querySql.logMeterChange, [
          id,
          field,
          row[field],
          next[field],
          user ?? null,
          new Date(at).toISOString(),
        ]);
  });
  return getMeter(parts, id, scope);
}

async function complete(parts: MeterParts, client: Client, rows: readonly Row[]): Promise<Meter[]> {
  if (rows.length === 0) return [];
  const ids = rows.map((row) => row.id as string);
  const seen = new Map<string, Date>();
  for (const row of (await client.query(querySql.lastSeen, [ids])).rows as { meter: string; last_seen: Date }[])
    if (!(row.last_seen < (seen.get(row.meter) ?? row.last_seen))) seen.set(row.meter, row.last_seen);
  const live = new Map((await readLive(parts, client, ids)).map((l) => [l.meter, l]));
  const time = (date: unknown): string | null => (date instanceof Date ? isoTime(date.getTime()) : null);
  return rows.map((row) => ({
    id: row.id as string,
    serial: row.serial as string,
    state: row.state as Meter['state'],
    name: row.name as string | null,
    place: row.place as string | null,
    utilitySerial: row.utility_serial as string | null,
    maker: row.maker as string | null,
    type: row.type as string | null,
    list: row.list as string | null,
    phases: row.phases as number | null,
    lineVoltage: row.line_voltage as boolean,
    timeZone: row.time_zone as string,
    firstSeen: time(row.first_seen),
    lastSeen: time(seen.get(row.id as string)),
    reader: row.reader as string | null,
    port: row.port as string | null,
    hasKey: row.has_key as boolean,
    live: live.get(row.id as string) ?? null,
  }));
}

/** What meters show now: the last message of each layout, later ones over earlier ones. */
export async function readLive(parts: MeterParts, client: Client, ids?: readonly MeterId[]): Promise<Live[]> {
  const { rows } = ids
    ? await client.query(querySql.live, [ids.filter(validId)])
    : await client.query(querySql.liveAll);
  const found = new Map<string, Live>();
  for (const row of rows as { meter: string; layout: number; time: Date; v: Buffer }[]) {
    let layout = parts.layouts.byId(row.layout);
    if (!layout) {
      await parts.registers.load();
      await parts.layouts.load();
      layout = parts.layouts.byId(row.layout);
    }
    if (!layout) continue;
    let live = found.get(row.meter);
    if (!live) {
      live = { meter: row.meter, time: '', power: null, values: {} };
      found.set(row.meter, live);
    }
    live.time = isoTime(row.time.getTime());
    const { numbers, texts, clocks } = unpackMessage(layout, row.v, row.time.getTime());
    const times = clocks.map(isoTime);
    const put = (register: number, value: number | string, clock: number): void => {
      const r = parts.registers.byId(register);
      const key = r && keyOf(r);
      if (!r || !key) return;
      live.values[key] = {
        value,
        name: r.name,
        time: times[clock] as string,
        ...(r.unit === undefined ? {} : { unit: r.unit }),
      };
    };
    layout.registers.forEach((register, k) => {
      put(register, toNumber(numbers[k] as number | bigint, layout.scalers[k] as number), layout.clocks[k] as number);
    });
    layout.texts.forEach((register, k) => {
      put(register, texts[k] as string, layout.clocks[layout.registers.length + k] as number);
    });
  }
  for (const live of found.values()) {
    const taken = live.values['1.7.0']?.value;
    if (typeof taken !== 'number') continue;
    const given = live.values['2.7.0']?.value;
    // Short lists carry import alone: while it is above zero, export is none; at zero the last known export stands.
    live.power = taken - (taken > 0 || typeof given !== 'number' ? 0 : given);
  }
  return [...found.values()];
}

/** The short OBIS code, as the page asks for it. */
const keyOf = (r: { short?: string; address?: string }): string | undefined => r.short ?? r.address;
