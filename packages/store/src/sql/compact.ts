/** Statements of compaction and retention. */
import { integer, integers } from './blocks.ts';

const iso = (ms: number): string => `timestamptz '${new Date(ms).toISOString()}'`;

export const compactSql = {
  /** Meters with something to compact; a message's time is at most a day ahead of its receipt. */
  meters: `select meter from amiable.meter_state
    where meter > $1 and compacted_to < $2 and last_seen >= compacted_to - interval '1 day' order by meter limit $3`,
  dirtyMeters: 'select distinct meter from amiable.dirty where meter > $1 order by meter limit $2',
  firstMessages: `select min(m.time) as first from amiable.message m join amiable.meter_state s on s.meter = m.meter
    where m.meter = any($1::bigint[]) and m.time >= s.compacted_to and m.time < $2`,
  /** Locks the meters' rows, and tells how far they were. */
  begin: `update amiable.meter_state set compacting_to = $2 where meter = any($1::bigint[]) and compacted_to < $2
    returning meter, (extract(epoch from compacted_to) * 1000)::bigint as was`,
  finish: 'update amiable.meter_state set compacted_to = compacting_to where meter = any($1::bigint[])',
  /** Locks the rows of meters whose late messages are merged. */
  touch: `update amiable.meter_state set compacting_to = compacted_to where meter = any($1::bigint[])
    returning meter, (extract(epoch from compacted_to) * 1000)::bigint as was`,
  dirtyDays: `select distinct day - date '1970-01-01' as day from amiable.dirty where meter = any($1::bigint[])`,
  takeDirty: `delete from amiable.dirty where meter = any($1::bigint[]) returning meter, day - date '1970-01-01' as day`,
  copyMessages: (meters: readonly string[], from: number, to: number): string =>
    `copy (select meter, time, received_at, layout, v, s from amiable.message where meter in (${integers(meters)})
      and time >= ${iso(from)} and time < ${iso(to)} and error is null order by meter, time, received_at, id) to stdout (format binary)`,
  registersOfDays: (meters: readonly string[], first: number, last: number): string =>
    `select distinct register from amiable.block where meter in (${integers(meters)})
      and day >= date '1970-01-01' + ${integer(first)} and day <= date '1970-01-01' + ${integer(last)}`,

  hotLeft: `select 1 from amiable.message m join amiable.meter_state s on s.meter = m.meter
    where m.time >= $1 and m.time < $2 and m.time >= s.compacted_to limit 1`,
  dirtyLeft: `select 1 from amiable.dirty where day = $1::date limit 1`,
  countMessages: 'select count(*)::integer as n from amiable.message where time >= $1 and time < $2',
  /** The default partition keeps odd times; what it holds goes by when it was received. */
  dropOldDefault: `delete from amiable.message_default m using amiable.meter_state s
    where s.meter = m.meter and m.received_at < $1 and m.time < s.compacted_to
      and not exists (select from amiable.dirty d where d.meter = m.meter) returning 1`,
  /** Values as sent, of which means of a quarter of an hour are there. */
  thinSource: `delete from amiable.block b using amiable.block d, amiable.register r
    where r.period = 900 and r.stat in ('mean', 'value') and r.source = b.register and d.register = r.id
      and d.meter = b.meter and d.day = b.day
      and b.day >= $1::date and b.day < $2::date and d.day >= $1::date and d.day < $2::date
      and case b.step when 0 then b.n > 100 else b.step < 900000 end returning 1`,
  thinMinutes: `delete from amiable.block b using amiable.register r
    where r.period = 60 and r.id = b.register and b.day >= $1::date and b.day < $2::date returning 1`,
  oldestBlock: `select min(day) - date '1970-01-01' as day from amiable.block`,
  dropUnplaced: 'delete from amiable.unplaced where received_at < $1 returning 1',
} as const;
