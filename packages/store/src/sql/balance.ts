/** Statements of balances: areas in versions, their days, alarms, and who belonged to an area when. */
const AREA = `a.id, a.name, a.node, a.definition, a.version, a.segment, a.reads, a.changed_by as "changedBy", (extract(epoch from a.changed_at) * 1000)::float8 as "changedAt"`;
const SEEN = `($1::integer[] is null or a.segment = any($1::integer[]))`;
const DAY = `d.day::text as day, (extract(epoch from d.from_time) * 1000)::float8 as from, (extract(epoch from d.to_time) * 1000)::float8 as to, d.version, d.step, d.scaler,
  d.supplied::float8 as supplied, d.consumed::float8 as consumed, d.produced::float8 as produced, d.loss::float8 as loss, d.intervals, d.complete, d.meters, d.detail,
  (extract(epoch from d.computed_at) * 1000)::float8 as "computedAt"`;
const ALARM = `x.id, x.area, a.name as "areaName", x.kind, x.severity, x.state, x.first_day::text as "firstDay", x.last_day::text as "lastDay", x.sentence, x.numbers, x.owner, x.note,
  (extract(epoch from x.opened_at) * 1000)::float8 as "openedAt", (extract(epoch from x.changed_at) * 1000)::float8 as "changedAt", x.changed_by as "changedBy"`;

export const balanceSql = {
  list: `select ${AREA} from amiable.balance_area a where ${SEEN} and a.name > $2 order by a.name limit $3`,
  byName: `select ${AREA} from amiable.balance_area a where ${SEEN} and a.name = $2`,
  insert: `insert into amiable.balance_area (name, node, definition, version, segment, changed_by, changed_at, reads)
    values ($1, $2, $3::jsonb, 1, $4, $5, $6::timestamptz, $7::integer[]) on conflict (name) do nothing returning id`,
  update: `update amiable.balance_area set node = $2, definition = $3::jsonb, version = version + 1, changed_by = $4, changed_at = $5::timestamptz,
      reads = $6::integer[] where id = $1 returning version`,
  addVersion: `insert into amiable.balance_area_version (area, version, definition, changed_by, changed_at)
    values ($1, $2, $3::jsonb, $4, $5::timestamptz) returning version`,
  versions: `select v.version, v.definition, v.changed_by as "changedBy", (extract(epoch from v.changed_at) * 1000)::float8 as "changedAt"
    from amiable.balance_area_version v where v.area = $1 order by v.version desc limit 1000`,
  remove: `delete from amiable.balance_area a where a.id = $1 returning a.id`,
  removeDays: `delete from amiable.balance_day d where d.area = $1 returning d.day`,
  removeAlarms: `delete from amiable.balance_alarm x where x.area = $1 returning x.id`,
  putDay: `insert into amiable.balance_day as d (area, day, from_time, to_time, version, step, scaler, supplied, consumed, produced, loss, intervals, complete, meters, detail, computed_at)
    values ($1, $2::date, $3::timestamptz, $4::timestamptz, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15::jsonb, $16::timestamptz)
    on conflict (area, day) do update set from_time = excluded.from_time, to_time = excluded.to_time, version = excluded.version, step = excluded.step,
      scaler = excluded.scaler, supplied = excluded.supplied, consumed = excluded.consumed, produced = excluded.produced, loss = excluded.loss,
      intervals = excluded.intervals, complete = excluded.complete, meters = excluded.meters, detail = excluded.detail, computed_at = excluded.computed_at
    returning d.day`,
  days: `select ${DAY} from amiable.balance_day d where d.area = $1 and d.day >= $2::date and d.day < $3::date order by d.day`,
  /** Of all areas that one may see: for lists and reports. */
  summary: `select a.id, a.name, a.node, count(d.day)::integer as days, coalesce(sum(d.complete), 0)::float8 as complete, coalesce(sum(d.intervals), 0)::float8 as intervals,
      coalesce(sum(amiable.scaled(d.supplied, d.scaler::integer)), 0)::float8 as supplied, coalesce(sum(amiable.scaled(d.consumed, d.scaler::integer)), 0)::float8 as consumed,
      coalesce(sum(amiable.scaled(d.produced, d.scaler::integer)), 0)::float8 as produced, coalesce(sum(amiable.scaled(d.loss, d.scaler::integer)), 0)::float8 as loss
    from amiable.balance_area a left join amiable.balance_day d on d.area = a.id and d.day >= $4::date and d.day < $5::date
    where ${SEEN} and a.name > $2 group by a.id, a.name, a.node order by a.name limit $3`,
  openAlarm: `select x.id, x.state from amiable.balance_alarm x where x.area = $1 and x.kind = $2 and x.state <> 'closed' for update`,
  addAlarm: `insert into amiable.balance_alarm (area, kind, severity, state, first_day, last_day, sentence, numbers, opened_at, changed_at)
    values ($1, $2, $3, 'open', $4::date, $5::date, $6, $7::jsonb, $8::timestamptz, $8::timestamptz) returning id`,
  renewAlarm: `update amiable.balance_alarm set severity = $2, last_day = greatest(last_day, $3::date), first_day = least(first_day, $4::date), sentence = $5, numbers = $6::jsonb, changed_at = $7::timestamptz
    where id = $1 returning id`,
  /** What is no longer found. */
  settle: `update amiable.balance_alarm set state = 'closed', changed_at = $3::timestamptz, changed_by = null, note = coalesce(note, 'no longer found')
    where area = $1 and state <> 'closed' and not (kind = any($2::text[])) returning id`,
  alarms: `select ${ALARM} from amiable.balance_alarm x join amiable.balance_area a on a.id = x.area
    where ${SEEN} and ($2::text[] is null or x.state = any($2::text[])) and ($3::bigint is null or x.area = $3::bigint) and ($4::bigint is null or x.id < $4::bigint)
    order by x.id desc limit $5`,
  alarm: `select ${ALARM} from amiable.balance_alarm x join amiable.balance_area a on a.id = x.area where ${SEEN} and x.id = $2`,
  decide: `update amiable.balance_alarm set state = coalesce($2, state), owner = coalesce($3, owner), note = coalesce($4, note), changed_at = $5::timestamptz, changed_by = $6
    where id = $1 and state <> 'closed' returning id`,
  /** Meters that stood at metering points of a node in a time. */
  staysUnder: `select l.child as meter, m.serial, (extract(epoch from l.from_time) * 1000)::float8 as from, (extract(epoch from l.to_time) * 1000)::float8 as to
    from amiable.link l join amiable.node n on n.id = l.parent join amiable.meter m on m.id = l.child
    where n.path @> array[$1::bigint] and l.kind = 'installed' and l.replaced_at is null and l.from_time < $3::timestamptz and (l.to_time is null or l.to_time > $2::timestamptz)
      and ($4::integer[] is null or m.segment = any($4::integer[]))
    order by l.child, l.from_time`,
  /** Slaves have no metering point of their own: they stay as long as they are behind a master that does. */
  staysBehind: `select l.child as meter, m.serial, l.parent as master, (extract(epoch from l.from_time) * 1000)::float8 as from, (extract(epoch from l.to_time) * 1000)::float8 as to
    from amiable.link l join amiable.meter m on m.id = l.child
    where l.parent = any($1::bigint[]) and l.kind = 'behind' and l.replaced_at is null and l.from_time < $3::timestamptz and (l.to_time is null or l.to_time > $2::timestamptz)
      and ($4::integer[] is null or m.segment = any($4::integer[]))
    order by l.child, l.from_time`,
  meters: `select m.id as meter, m.serial from amiable.meter m where m.id = any($1::bigint[]) and ($2::integer[] is null or m.segment = any($2::integer[])) order by m.id`,
} as const;
