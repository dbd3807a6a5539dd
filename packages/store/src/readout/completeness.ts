/**
 * The completeness report, counted and kept: by day for each area of the network, by meter only where something lacks.
 *
 * Decides: the last days are counted anew for all meters each time; of older days only the meters that lacked something are
 * looked at again, so that late values show. What lacks longer than the rule allows is given up, with the reason, and is not
 * asked for again. Not here: what should be there (expected.ts), which values are (scan.ts), answers to questions (report.ts).
 */
import type { Database } from '../pg/database.ts';
import type { Registers } from '../registers.ts';
import { missingSql, upsertGaps } from '../sql/missing.ts';
import { dayText } from '../sql/partitions.ts';
import { runRows } from '../sql/values.ts';
import type { MeterId } from '../types.ts';
import type { CompletenessOptions, CompletenessResult, CompletenessStore } from './completeness-types.ts';
import { type Alike, alike, countDays, type DayCount } from './count.ts';
import { type ExpectedMeter, expectedMeters, expectedPage } from './expected.ts';
import { createMissing } from './missing.ts';
import { createReports } from './report.ts';
import { dayStart, localDay, slotsOf } from './slots.ts';
import type { ReadoutSet } from './types.ts';

const DAY = 86_400_000;
const PAGE = 2000;
/** Days of which counts are kept. */
const KEPT = 1100;

export interface CompletenessParts {
  readonly db: Database;
  readonly registers: Registers;
  readonly sets: () => Promise<ReadonlyMap<string, ReadoutSet>>;
}

/** Sums by area and segment, one number each of: meters, complete, expected, missing, estimated, given up; days side by side. */
class Sums {
  readonly areas = new Map<string, Float64Array>();
  private readonly days: number;
  private readonly first: number;
  constructor(first: number, days: number) {
    this.first = first;
    this.days = days;
  }
  add(areas: readonly string[], segment: number, day: number, count: DayCount, givenUp: number): void {
    const at = (day - this.first) * 6;
    for (const area of areas) {
      const key = `${area} ${segment}`;
      let sums = this.areas.get(key);
      if (!sums) {
        sums = new Float64Array(this.days * 6);
        this.areas.set(key, sums);
      }
      sums[at] = (sums[at] as number) + 1;
      sums[at + 1] = (sums[at + 1] as number) + (count.missing + givenUp === 0 ? 1 : 0);
      sums[at + 2] = (sums[at + 2] as number) + count.expected;
      sums[at + 3] = (sums[at + 3] as number) + count.missing;
      sums[at + 4] = (sums[at + 4] as number) + count.estimated;
      sums[at + 5] = (sums[at + 5] as number) + givenUp;
    }
  }
}

interface GapRow {
  readonly meter: MeterId;
  readonly day: number;
  readonly expected: number;
  readonly missing: number;
  readonly estimated: number;
  readonly given_up: number;
  readonly reason: string | null;
  readonly given_up_at: number | null;
}

const iso = (ms: number): string => new Date(ms).toISOString();

export function createCompleteness(parts: CompletenessParts): CompletenessStore {
  const { db, registers, sets } = parts;

  /** Counts these meters over some days and keeps what lacks. */
  async function count(
    group: Alike,
    first: number,
    last: number,
    rule: { readonly giveUpDays: number; readonly now: number },
    take: (meter: ExpectedMeter, day: number, count: DayCount, givenUp: number) => void,
  ): Promise<void> {
    const { zone, profile } = group;
    const slots = slotsOf(profile, zone, dayStart(zone, first), dayStart(zone, last + 1));
    if (slots.times.length === 0) return;
    const ids = group.meters.map((meter) => meter.id);
    const today = localDay(zone, rule.now);
    const span = [ids, profile.name, dayText(first), dayText(last)];
    const gaps = await db.read(async (client) => {
      const { rows } = await client.query(missingSql.gapsOf, span);
      return new Map((rows as GapRow[]).map((row) => [`${row.meter} ${row.day}`, row]));
    });
    const counted: [ExpectedMeter, number, DayCount][] = [];
    await db.read(async (client) => {
      counted.length = 0;
      await countDays(client, group, slots, (meter, day, found) => counted.push([meter, day, found]));
    });
    const rows: unknown[][] = [];
    for (const [meter, day, found] of counted) {
      const before = gaps.get(`${meter.id} ${day}`);
      gaps.delete(`${meter.id} ${day}`);
      let givenUp = 0;
      let reason = before?.reason ?? null;
      let at = before?.given_up_at ?? null;
      if (found.missing > 0 && ((before?.given_up ?? 0) > 0 || today - day > rule.giveUpDays)) {
        reason ??= `not delivered within ${rule.giveUpDays} days`;
        at ??= rule.now;
        givenUp = found.missing;
        found.missing = 0;
      } else {
        reason = null;
        at = null;
      }
      take(meter, day, found, givenUp);
      if (
        (before?.missing ?? 0) === found.missing &&
        (before?.estimated ?? 0) === found.estimated &&
        (before?.given_up ?? 0) === givenUp &&
        (before?.expected ?? found.expected) === found.expected
      )
        continue;
      rows.push([
        meter.id,
        profile.name,
        dayText(day),
        found.expected,
        found.missing,
        found.estimated,
        givenUp,
        reason,
        at === null ? null : iso(at),
        iso(rule.now),
      ]);
    }
    // Days on which nothing is expected any more.
    for (const row of gaps.values())
      rows.push([row.meter, profile.name, dayText(row.day), 0, 0, 0, 0, null, null, iso(rule.now)]);
    if (rows.length === 0) return;
    await db.write(async (client) => {
      await runRows(client, upsertGaps, rows);
      await client.query(missingSql.dropWhole, span);
    });
  }

  async function keep(profile: string, first: number, days: number, sums: Sums, now: number): Promise<void> {
    const columns: (number | string)[][] = Array.from({ length: 10 }, () => []);
    for (const [key, values] of sums.areas) {
      const [area, segment] = key.split(' ') as [string, string];
      for (let d = 0; d < days; d++) {
        const [meters = 0, complete = 0, expected = 0, missing = 0, estimated = 0, givenUp = 0] = values.subarray(
          d * 6,
          d * 6 + 6,
        );
        if (meters === 0) continue;
        const row = [
          dayText(first + d),
          area,
          Number(segment),
          meters,
          complete,
          expected,
          expected - missing - givenUp,
          missing,
          estimated,
          givenUp,
        ];
        for (const [i, value] of row.entries()) columns[i]?.push(value);
      }
    }
    await db.write(async (client) => {
      await client.query(missingSql.dropCounts, [profile, Array.from({ length: days }, (_, d) => dayText(first + d))]);
      await client.query(missingSql.insertCounts, [profile, iso(now), ...columns]);
    });
  }

  /** Counts of a day after some of its meters were looked at again. */
  async function recount(profile: string, day: number, network: ReadonlySet<string>, now: number): Promise<void> {
    await db.write(async (client) => {
      const { rows } = await client.query(missingSql.gapsOfDay, [profile, dayText(day)]);
      const sums = new Sums(0, 1);
      for (const row of rows as {
        segment: number;
        path: string[] | null;
        missing: number;
        estimated: number;
        given_up: number;
      }[])
        sums.add(
          areasOf(row.path ?? [], network),
          row.segment,
          0,
          { expected: 0, missing: row.missing, estimated: row.estimated },
          row.given_up,
        );
      const list = [...sums.areas].map(
        ([key, [meters = 0, complete = 0, , missing = 0, estimated = 0, givenUp = 0]]) => {
          const [area, segment] = key.split(' ') as [string, string];
          return [area, Number(segment), meters - complete, missing, estimated, givenUp] as const;
        },
      );
      await client.query(missingSql.clearCounts, [profile, dayText(day), iso(now)]);
      await client.query(missingSql.changeCounts, [
        profile,
        dayText(day),
        ...[0, 1, 2, 3, 4, 5].map((i) => list.map((row) => row[i])),
      ]);
    });
  }

  async function compute(options: CompletenessOptions, now: number, signal?: AbortSignal): Promise<CompletenessResult> {
    const days = options.days ?? 10;
    const giveUpDays = options.giveUpDays ?? 60;
    const known = await sets();
    await registers.load();
    const names = [...new Set([...known.values()].flatMap((set) => set.profiles.map((profile) => profile.name)))]
      .filter((name) => options.profiles === undefined || options.profiles.includes(name))
      .sort();
    const network = new Set(
      ((await db.read((client) => client.query(missingSql.networkNodes))).rows as { id: string }[]).map(
        (row) => row.id,
      ),
    );
    const result = { profiles: names, meters: 0, days, expected: 0, missing: 0, givenUp: 0 };
    const rule = { giveUpDays, now };
    // The newest local day that is over everywhere is yesterday of the zone that is furthest behind; each zone ends at its own.
    const last = Math.floor((now + 14 * 3_600_000) / DAY) - 1;
    const first = last - days - 1;
    const all = new Map(names.map((name) => [name, new Sums(first, last - first + 1)]));
    for (let after = '0'; ; ) {
      const page = await db.read((client) => expectedPage(client, after, PAGE));
      result.meters += page.length;
      for (const name of names)
        for (const group of alike(page, name, known, registers)) {
          signal?.throwIfAborted();
          const today = localDay(group.zone, now);
          await count(group, today - days, today - 1, rule, (meter, day, found, givenUp) => {
            result.expected += found.expected;
            result.missing += found.missing;
            result.givenUp += givenUp;
            all.get(name)?.add(areasOf(meter.path, network), meter.segment, day, found, givenUp);
          });
        }
      if (page.length < PAGE) break;
      after = page.at(-1)?.id as string;
    }
    for (const [name, sums] of all) if (sums.areas.size > 0) await keep(name, first, last - first + 1, sums, now);
    for (const name of names) await older(name, first, { ...rule, days }, known, network, signal);
    await db.write(async (client) => {
      await client.query(missingSql.dropOld, [dayText(last - KEPT)]);
      await client.query(missingSql.dropOldGaps, [dayText(last - KEPT)]);
    });
    return result;
  }

  async function older(
    name: string,
    before: number,
    rule: { readonly giveUpDays: number; readonly now: number; readonly days: number },
    known: ReadonlyMap<string, ReadoutSet>,
    network: ReadonlySet<string>,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const span = [name, dayText(before), dayText(before - KEPT)];
    const open = (await db.read((client) => client.query(missingSql.openDays, span))).rows as { day: number }[];
    for (const { day } of open) {
      signal?.throwIfAborted();
      const { rows } = await db.read((client) => client.query(missingSql.metersWithGap, [name, dayText(day)]));
      const ids = (rows as { meter: MeterId }[]).map((row) => row.meter);
      for (let at = 0; at < ids.length; at += PAGE) {
        const meters = await db.read((client) => expectedMeters(client, ids.slice(at, at + PAGE)));
        for (const group of alike(meters, name, known, registers)) await count(group, day, day, rule, () => {});
      }
      await recount(name, day, network, rule.now);
    }
  }

  return {
    ...createMissing({ db, registers }),
    ...createReports({ db, registers, sets }),
    compute,
    async lacking(since) {
      const day = dayText(Math.max(0, Math.floor(since / DAY)));
      const { rows } = await db.read((client) => client.query(missingSql.lacking, [day]));
      return (rows as { meter: MeterId }[]).map((row) => row.meter);
    },
    async giveUp(meter, name, from, to, reason, now) {
      const known = await sets();
      await registers.load();
      const meters = await db.read((client) => expectedMeters(client, [meter]));
      for (const group of alike(meters, name, known, registers)) {
        const slots = slotsOf(group.profile, group.zone, from, to);
        const rows: unknown[][] = [];
        await db.read(async (client) => {
          rows.length = 0;
          await countDays(client, group, slots, (_, day, found) => {
            if (found.missing > 0)
              rows.push([
                meter,
                name,
                dayText(day),
                found.expected,
                0,
                found.estimated,
                found.missing,
                reason.slice(0, 200),
                iso(now),
                iso(now),
              ]);
          });
        });
        if (rows.length > 0) await db.write((client) => runRows(client, upsertGaps, rows));
      }
    },
  };
}

/** Everything, and the nodes of the network above. */
const areasOf = (path: readonly string[], network: ReadonlySet<string>): string[] => [
  '0',
  ...path.filter((id) => network.has(id)),
];
