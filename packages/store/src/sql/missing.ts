/** Statements of completeness: headers of blocks, gaps by day, counts by area. */
import { integer, integers } from './blocks.ts';
import type { RowsStatement } from './values.ts';

export const missingSql = {
  /**
   * Headers of blocks, meter by meter. The times are packed with the values only where the step is 0 and there are several;
   * qualities come where some are missing or not measured.
   */
  copyHeaders: (meters: readonly string[], registers: readonly number[], first: number, last: number): string =>
    `copy (select meter, register, day, start, step, n, case when step = 0 and n > 1 then v end, case when length(s) > 0 then s end
    from amiable.block where meter in (${integers(meters)}) and register in (${integers(registers)})
      and day >= date '1970-01-01' + ${integer(first)} and day <= date '1970-01-01' + ${integer(last)}
    order by meter) to stdout (format binary)`,

  /** Days of which some values were given up. */
  givenUp: `select meter, day - date '1970-01-01' as day from amiable.gap
    where meter = any($1::bigint[]) and profile = $2 and day >= $3::date and day <= $4::date and given_up > 0`,
  gapsOf: `select meter, day - date '1970-01-01' as day, expected, missing, estimated, given_up, reason,
      (extract(epoch from given_up_at) * 1000)::float8 as given_up_at
    from amiable.gap where meter = any($1::bigint[]) and profile = $2 and day >= $3::date and day <= $4::date`,
  /** Those that are whole by now. */
  dropWhole: `delete from amiable.gap where meter = any($1::bigint[]) and profile = $2 and day >= $3::date and day <= $4::date
    and missing = 0 and estimated = 0 and given_up = 0`,
  /** Days before the ones that are counted anyway, of which something lacks that is still asked for. */
  openDays: `select distinct day - date '1970-01-01' as day from amiable.gap
    where profile = $1 and day < $2::date and day >= $3::date and missing > 0 order by 1`,
  metersWithGap: `select meter from amiable.gap where profile = $1 and day = $2::date and missing > 0 order by meter`,

  /** A page of meters that are read, with what decides which values they should have. */
  meters: `select m.id, m.time_zone, m.segment, m.path, (extract(epoch from m.first_seen) * 1000)::float8 as first_seen, c.readout
    from amiable.meter m join amiable.connection c on c.meter = m.id where m.id > $1::bigint order by m.id limit $2`,
  meterOf: `select m.id, m.time_zone, m.segment, m.path, (extract(epoch from m.first_seen) * 1000)::float8 as first_seen, c.readout
    from amiable.meter m join amiable.connection c on c.meter = m.id where m.id = any($1::bigint[]) order by m.id`,
  delivers: `select meter, delivers from amiable.readout_state where meter = any($1::bigint[]) and delivers is not null`,
  /** From when to when meters stood at a metering point; null: still. */
  inService: `select child as meter, (extract(epoch from min(from_time)) * 1000)::float8 as since,
      case when bool_or(to_time is null) then null else (extract(epoch from max(to_time)) * 1000)::float8 end as until
    from amiable.link where kind = 'installed' and replaced_at is null and child = any($1::bigint[]) group by child`,
  networkNodes: `select id from amiable.node where kind in ('region', 'substation', 'transformer', 'feeder')`,

  dropCounts: `delete from amiable.completeness where profile = $1 and day = any($2::date[])`,
  insertCounts: `insert into amiable.completeness (day, profile, area, segment, meters, complete, expected, present, missing, estimated, given_up, computed_at)
    select d, $1, a, s, m, c, e, p, x, t, g, $2::timestamptz from unnest($3::date[], $4::bigint[], $5::integer[], $6::integer[], $7::integer[],
      $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[]) as u (d, a, s, m, c, e, p, x, t, g)
    on conflict (profile, day, area, segment) do nothing`,
  /** Days that were counted before: what lacks of them by now, by meter. */
  gapsOfDay: `select m.segment, m.path, g.missing, g.estimated, g.given_up from amiable.gap g join amiable.meter m on m.id = g.meter
    where g.profile = $1 and g.day = $2::date`,
  clearCounts: `update amiable.completeness set complete = meters, present = expected, missing = 0, estimated = 0, given_up = 0, computed_at = $3::timestamptz
    where profile = $1 and day = $2::date`,
  changeCounts: `update amiable.completeness c set complete = c.meters - u.lacking, present = c.expected - u.missing - u.given_up, missing = u.missing,
      estimated = u.estimated, given_up = u.given_up
    from unnest($3::bigint[], $4::integer[], $5::integer[], $6::bigint[], $7::bigint[], $8::bigint[]) as u (area, segment, lacking, missing, estimated, given_up)
    where c.profile = $1 and c.day = $2::date and c.area = u.area and c.segment = u.segment`,
  /** Meters that lack something since a day. */
  lacking: `select distinct meter from amiable.gap where missing > 0 and day >= $1::date order by meter limit 100000`,
  dropOld: `delete from amiable.completeness where day < $1::date`,
  dropOldGaps: `delete from amiable.gap where day < $1::date`,

  profiles: `select distinct profile from amiable.completeness where day >= $1::date order by profile`,
  /** Counts of everything, in the segments of `$1`. */
  total: `select day - date '1970-01-01' as day, sum(meters)::float8 as meters, sum(complete)::float8 as complete, sum(expected)::float8 as expected,
      sum(present)::float8 as present, sum(missing)::float8 as missing, sum(estimated)::float8 as estimated, sum(given_up)::float8 as given_up,
      max(computed_at) as computed_at
    from amiable.completeness where ($1::integer[] is null or segment = any($1::integer[])) and profile = $2 and day >= $3::date and day < $4::date
      and area = $5::bigint group by day`,
  /** Nodes of a kind, below one where `$3` says so, that have counts in the segments. */
  areas: `select n.id, coalesce(n.name, n.code) as name from amiable.node n
    where n.kind = $2 and ($3::bigint is null or n.path @> array[$3::bigint]) and n.id > $4::bigint
      and ($1::integer[] is null or n.segment = any($1::integer[]))
      and exists (select 1 from amiable.completeness c where c.area = n.id and ($1::integer[] is null or c.segment = any($1::integer[]))
        and c.profile = $6 and c.day >= $7::date and c.day < $8::date)
    order by n.id limit $5`,
  areaCounts: `select area, day - date '1970-01-01' as day, sum(meters)::float8 as meters, sum(complete)::float8 as complete, sum(expected)::float8 as expected,
      sum(present)::float8 as present, sum(missing)::float8 as missing, sum(estimated)::float8 as estimated, sum(given_up)::float8 as given_up
    from amiable.completeness where ($1::integer[] is null or segment = any($1::integer[])) and profile = $2 and day >= $3::date and day < $4::date
      and area = any($5::bigint[]) group by area, day`,
  /** Meters that lack something, those that lack most first; `$8`, `$9` are where the page before ended. */
  gapMeters: `select x.meter, m.serial, m.name, x.days, x.missing, x.given_up, x.estimated, x.first, x.last from
      (select g.meter, count(*)::integer as days, sum(g.missing)::integer as missing, sum(g.given_up)::integer as given_up,
        sum(g.estimated)::integer as estimated, min(g.day) - date '1970-01-01' as first, max(g.day) - date '1970-01-01' as last
        from amiable.gap g where g.profile = $2 and g.day >= $3::date and g.day < $4::date group by g.meter) x
    join amiable.meter m on m.id = x.meter
    where ($1::integer[] is null or m.segment = any($1::integer[])) and ($5::bigint is null or m.path @> array[$5::bigint])
      and ($6::boolean or x.missing > 0)
      and ($8::integer is null or (x.missing + x.given_up, -x.meter) < ($8::integer, -$9::bigint))
    order by x.missing + x.given_up desc, x.meter limit $7`,
} as const;

export const upsertGaps: RowsStatement = {
  name: 'upsertGaps',
  before: `insert into amiable.gap (meter, profile, day, expected, missing, estimated, given_up, reason, given_up_at, checked_at)`,
  types: ['bigint', 'text', 'date', 'integer', 'integer', 'integer', 'integer', 'text', 'timestamptz', 'timestamptz'],
  after: `on conflict (meter, profile, day) do update set expected = excluded.expected, missing = excluded.missing, estimated = excluded.estimated,
    given_up = excluded.given_up, reason = excluded.reason, given_up_at = excluded.given_up_at, checked_at = excluded.checked_at returning meter`,
};
