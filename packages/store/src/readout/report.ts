/** Answers about completeness, out of what was counted; one meter's days are counted when they are asked for. */
import type { Scope } from '@amiable/model';
import type { Database } from '../pg/database.ts';
import type { Registers } from '../registers.ts';
import { missingSql } from '../sql/missing.ts';
import { dayText } from '../sql/partitions.ts';
import type {
  CompletenessCell,
  CompletenessQuery,
  CompletenessReport,
  CompletenessStore,
  MeterDay,
  MeterGaps,
} from './completeness-types.ts';
import { alike, countDays } from './count.ts';
import { expectedMeters, profileOf, widthOf } from './expected.ts';
import { rangesOf } from './missing.ts';
import { dayStart, slotsOf } from './slots.ts';
import type { ReadoutProfile, ReadoutSet } from './types.ts';

const DAY = 86_400_000;

export const dayNumber = (text: string): number => Math.floor(Date.parse(text) / DAY);
const segments = (scope: Scope): readonly number[] | null => (scope === 'all' ? null : scope);

interface CountRow {
  readonly area?: string;
  readonly day: number;
  readonly meters: number;
  readonly complete: number;
  readonly expected: number;
  readonly present: number;
  readonly missing: number;
  readonly estimated: number;
  readonly given_up: number;
  readonly computed_at?: Date;
}

const cellOf = (row: CountRow): CompletenessCell => ({
  expected: row.expected,
  present: row.present,
  missing: row.missing,
  estimated: row.estimated,
  givenUp: row.given_up,
  meters: row.meters,
  complete: row.complete,
});

interface GapMeterRow {
  readonly meter: string;
  readonly serial: string;
  readonly name: string | null;
  readonly days: number;
  readonly missing: number;
  readonly given_up: number;
  readonly estimated: number;
  readonly first: number;
  readonly last: number;
}

const cursorOf = (row: GapMeterRow): string => `${row.missing + row.given_up}.${row.meter}`;
const readCursor = (text: string | undefined): [number | null, string] => {
  const found = /^(\d{1,9})\.(\d{1,18})$/.exec(text ?? '');
  return found ? [Number(found[1]), found[2] as string] : [null, '0'];
};

export function createReports({
  db,
  registers,
  sets,
}: {
  readonly db: Database;
  readonly registers: Registers;
  readonly sets: () => Promise<ReadonlyMap<string, ReadoutSet>>;
}): Pick<CompletenessStore, 'report' | 'meterDays' | 'gaps'> {
  async function gapMeters(
    query: Pick<CompletenessQuery, 'profile' | 'from' | 'to' | 'under' | 'after' | 'limit' | 'scope'>,
    estimated: boolean,
  ): Promise<GapMeterRow[]> {
    const [worst, meter] = readCursor(query.after);
    const { rows } = await db.read((client) =>
      client.query(missingSql.gapMeters, [
        segments(query.scope),
        query.profile,
        query.from,
        query.to,
        query.under ?? null,
        estimated,
        query.limit + 1,
        worst,
        meter,
      ]),
    );
    return rows as GapMeterRow[];
  }

  async function report(query: CompletenessQuery): Promise<CompletenessReport> {
    const first = dayNumber(query.from);
    const days = Array.from({ length: dayNumber(query.to) - first }, (_, d) => dayText(first + d));
    const place = (rows: readonly CountRow[]): (CompletenessCell | null)[] => {
      const cells: (CompletenessCell | null)[] = days.map(() => null);
      for (const row of rows) cells[row.day - first] = cellOf(row);
      return cells;
    };
    const common = [segments(query.scope), query.profile, query.from, query.to];
    const profiles = (await db.read((client) => client.query(missingSql.profiles, [query.from]))).rows as {
      profile: string;
    }[];
    const total = (await db.read((client) => client.query(missingSql.total, [...common, query.under ?? '0'])))
      .rows as CountRow[];
    const computed = Math.max(0, ...total.map((row) => row.computed_at?.getTime() ?? 0));
    const whole = {
      profiles: profiles.map((row) => row.profile),
      days,
      total: place(total),
      ...(computed > 0 ? { computed } : {}),
    };
    if (query.rows === 'meter') {
      const found = await gapMeters(query, true);
      const page = found.slice(0, query.limit);
      const cells = await meterCells(
        page.map((row) => row.meter),
        query.profile,
        first,
        days.length,
      );
      const last = page.at(-1);
      return {
        ...whole,
        rows: page.map((row) => ({
          id: row.meter,
          name: row.name ?? row.serial,
          cells: (cells.get(row.meter) ?? []).map((cell, d) => (whole.total[d] ? cell : null)),
        })),
        ...(found.length > query.limit && last ? { next: cursorOf(last) } : {}),
      };
    }
    const areas = (
      await db.read((client) =>
        client.query(missingSql.areas, [
          segments(query.scope),
          query.rows,
          query.under ?? null,
          /^\d{1,18}$/.test(query.after ?? '') ? query.after : '0',
          query.limit + 1,
          query.profile,
          query.from,
          query.to,
        ]),
      )
    ).rows as { id: string; name: string }[];
    const page = areas.slice(0, query.limit);
    const counts = (
      await db.read((client) => client.query(missingSql.areaCounts, [...common, page.map((area) => area.id)]))
    ).rows as CountRow[];
    const byArea = new Map<string, CountRow[]>();
    for (const row of counts) byArea.set(row.area as string, [...(byArea.get(row.area as string) ?? []), row]);
    const last = page.at(-1);
    return {
      ...whole,
      rows: page.map(({ id, name }) => ({ id, name, cells: place(byArea.get(id) ?? []) })),
      ...(areas.length > query.limit && last ? { next: last.id } : {}),
    };
  }

  /** Days of meters out of their gaps: where there is none, the day is whole. */
  async function meterCells(ids: readonly string[], name: string, first: number, days: number) {
    const known = await sets();
    const meters = await db.read((client) => expectedMeters(client, ids));
    const gaps = (
      await db.read((client) => client.query(missingSql.gapsOf, [ids, name, dayText(first), dayText(first + days - 1)]))
    ).rows as { meter: string; day: number; expected: number; missing: number; estimated: number; given_up: number }[];
    const byMeter = new Map(gaps.map((gap) => [`${gap.meter} ${gap.day}`, gap]));
    const rows = new Map<string, Int32Array>();
    const out = new Map<string, (CompletenessCell | null)[]>();
    for (const meter of meters) {
      const profile = profileOf(known.get(meter.readout), name);
      if (!profile) continue;
      const key = `${meter.zone} ${meter.readout}`;
      let perDay = rows.get(key);
      if (!perDay) {
        perDay = rowsByDay(profile, meter.zone, first, days);
        rows.set(key, perDay);
      }
      const width = widthOf(meter, profile);
      const cells: (CompletenessCell | null)[] = [];
      for (let d = 0; d < days; d++) {
        const gap = byMeter.get(`${meter.id} ${first + d}`);
        const expected = gap?.expected ?? (perDay[d] as number) * width;
        const outside =
          dayStart(meter.zone, first + d + 1) <= meter.since || dayStart(meter.zone, first + d) >= meter.until;
        if (expected === 0 || (outside && !gap)) cells.push(null);
        else {
          const missing = gap?.missing ?? 0;
          const givenUp = gap?.given_up ?? 0;
          const lacks = missing + givenUp > 0;
          cells.push({
            expected,
            present: expected - missing - givenUp,
            missing,
            estimated: gap?.estimated ?? 0,
            givenUp,
            meters: 1,
            complete: lacks ? 0 : 1,
          });
        }
      }
      out.set(meter.id, cells);
    }
    return out;
  }

  return {
    report,
    async meterDays(meter, name, from, to) {
      const known = await sets();
      await registers.load();
      const [found] = await db.read((client) => expectedMeters(client, [meter]));
      if (!found) return undefined;
      const profiles = known.get(found.readout)?.profiles.map((profile) => profile.name) ?? [];
      const days: MeterDay[] = [];
      const [group] = alike([found], name, known, registers);
      if (!group) return { profiles, days };
      const { zone, profile, width } = group;
      const end = dayStart(zone, dayNumber(to));
      const slots = slotsOf(profile, zone, dayStart(zone, dayNumber(from)), end);
      await db.read(async (client) => {
        days.length = 0;
        const gone = new Map(
          (
            (await client.query(missingSql.gapsOf, [[meter], name, from, to])).rows as {
              day: number;
              given_up: number;
              reason: string | null;
            }[]
          )
            .filter((row) => row.given_up > 0)
            .map((row) => [row.day, row.reason]),
        );
        await countDays(client, group, slots, (_, day, count, have, first, last) => {
          const part = {
            times: slots.times.subarray(first, last),
            days: slots.days.subarray(first, last),
            find: slots.find,
          };
          const given = gone.has(day) && count.missing > 0;
          const reason = gone.get(day);
          days.push({
            day: dayText(day),
            expected: count.expected,
            present: count.expected - count.missing,
            missing: given ? 0 : count.missing,
            estimated: count.estimated,
            givenUp: given ? count.missing : 0,
            ...(given && reason ? { reason } : {}),
            gaps: rangesOf(part, have.subarray(first, last), width, undefined, profile, dayStart(zone, day + 1)).filter(
              (gap) => gap.to > found.since && gap.from < found.until,
            ),
          });
        });
      });
      return { profiles, days };
    },
    async gaps(query) {
      const found = await gapMeters(query, false);
      const page = found.slice(0, query.limit);
      const last = page.at(-1);
      return {
        meters: page.map(
          (row): MeterGaps => ({
            meter: row.meter,
            serial: row.serial,
            name: row.name,
            days: row.days,
            missing: row.missing,
            givenUp: row.given_up,
            first: dayText(row.first),
            last: dayText(row.last),
          }),
        ),
        ...(found.length > query.limit && last ? { next: cursorOf(last) } : {}),
      };
    },
  };
}

function rowsByDay(profile: ReadoutProfile, zone: string, first: number, days: number): Int32Array {
  const out = new Int32Array(days);
  for (const day of slotsOf(profile, zone, dayStart(zone, first), dayStart(zone, first + days)).days)
    out[day - first] = (out[day - first] as number) + 1;
  return out;
}
