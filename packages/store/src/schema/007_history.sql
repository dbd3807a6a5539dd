-- The history of values: when they came, what was edited, and meterings as other programs read them.
--
-- A past state is the present one with what was written since taken back: changes by change_log, values that came to a day which was
-- there already by arrival, whole days by block.came. So nothing is stored twice and writing in bulk costs eight bytes a block.

alter table amiable.block add column came bigint not null default 0;
comment on column amiable.block.came is 'Of a metering: when the first of these values were written, epoch milliseconds. 0: before anybody wrote it down.';

alter table amiable.change_log add column edit bigint;
comment on column amiable.change_log.edit is 'value_edit.id, of changes that an edit or its undoing made.';
create index change_log_at on amiable.change_log (at);

create table amiable.arrival (
  meter bigint not null,
  register integer not null,
  day date not null,
  latest timestamptz not null,
  runs bytea not null,
  primary key (meter, register, day)
);
comment on table amiable.arrival is 'Values of meterings that came to a day of which others were there already.';
comment on column amiable.arrival.meter is 'meter.id.';
comment on column amiable.arrival.register is 'register.id.';
comment on column amiable.arrival.day is 'UTC day.';
comment on column amiable.arrival.latest is 'When the last of them came.';
comment on column amiable.arrival.runs is 'Runs of 20 bytes, big-endian: when they came, epoch ms (6); the highest change_log.id before (6); first and last time, ms after the start of the day (4 each).';

create table amiable.value_edit (
  id bigint generated always as identity primary key,
  meter bigint not null,
  register integer not null,
  from_time timestamptz not null,
  to_time timestamptz not null check (to_time > from_time),
  mantissas bigint[] not null,
  scaler smallint not null,
  state text not null check (state in ('waiting', 'applied', 'refused', 'undone')),
  reason text not null check (length(reason) between 1 and 1000),
  made_by text not null,
  made_at timestamptz not null,
  account bigint,
  decided_by text,
  decided_at timestamptz,
  undone_by text,
  undone_at timestamptz,
  undo_reason text check (length(undo_reason) <= 1000)
);
create index value_edit_meter on amiable.value_edit (meter, register, from_time);
create index value_edit_state on amiable.value_edit (state, id);
comment on table amiable.value_edit is 'Edits of values by people: what was asked for, who decided, whether it stands. What the values were before is in change_log.';
comment on column amiable.value_edit.id is 'Running number.';
comment on column amiable.value_edit.meter is 'meter.id.';
comment on column amiable.value_edit.register is 'register.id of the metering.';
comment on column amiable.value_edit.from_time is 'Start of the first interval.';
comment on column amiable.value_edit.to_time is 'End of the last one.';
comment on column amiable.value_edit.mantissas is 'One for each interval, or one for all; null takes the value away. value = mantissa * 10^scaler.';
comment on column amiable.value_edit.scaler is 'Their power of ten.';
comment on column amiable.value_edit.state is 'waiting for a second person, applied, refused or undone.';
comment on column amiable.value_edit.reason is 'Why.';
comment on column amiable.value_edit.made_by is 'Who asked for it.';
comment on column amiable.value_edit.made_at is 'When.';
comment on column amiable.value_edit.account is 'user_account.id of who made it: names change. null: not known.';
comment on column amiable.value_edit.decided_by is 'The second person, who approved or refused it; null where none was asked for.';
comment on column amiable.value_edit.decided_at is 'When.';
comment on column amiable.value_edit.undone_by is 'Who undid it.';
comment on column amiable.value_edit.undone_at is 'When.';
comment on column amiable.value_edit.undo_reason is 'Why it was undone.';

create table amiable.setting (
  name text primary key,
  value jsonb not null,
  changed_at timestamptz not null,
  changed_by text not null
);
comment on table amiable.setting is 'Rules of the house that hold for everybody.';
comment on column amiable.setting.name is 'Which: edits.two-persons …';
comment on column amiable.setting.value is 'How it is set.';
comment on column amiable.setting.changed_at is 'When it was set.';
comment on column amiable.setting.changed_by is 'By whom.';

-- ------------------------------------------- what meters sent: meterings are no readings of theirs, though they lie in the same table

create or replace view amiable.reading as
select b.meter as meter_id, r.id as register, r.obis,
  to_timestamp(f.start + coalesce(u.at / 1000::float8, (u.i - 1) * f.step)) as time,
  u.x * f.factor as value, r.unit, case when u.q is null then 'measured' else amiable.quality_name(u.q) end as quality,
  b.version::integer as version, b.day, r.period, r.stat
from amiable.block b
join amiable.register r on r.id = b.register
-- Once per block, not once per value.
cross join lateral (select amiable.scaled(1, b.scaler) as factor, b.step / 1000::float8 as step,
  (b.day - date '1970-01-01') * 86400::float8 + b.start / 1000::float8 as start offset 0) f
cross join lateral unnest(amiable.unpack(b.v, b.n), amiable.unpack_quality(b.s, b.n),
  case when b.step = 0 then amiable.unpack_times(b.v, b.n, 0) end) with ordinality as u(x, q, at, i)
where (u.q is null or u.q < 4) and r.address is distinct from 'interval'
union all
select m.meter, r.id, r.obis,
  m.time - coalesce((a.x)[cardinality(l.registers) + nullif(p.clock, 0)], 0) * interval '1 millisecond',
  amiable.scaled((a.x)[p.i], p.scaler), r.unit,
  amiable.quality_name((amiable.unpack_quality(m.s, cardinality(l.clocks)))[p.i]), 1, (m.time at time zone 'UTC')::date, 0, 'value'
from amiable.message m
join amiable.meter_state st on st.meter = m.meter
join amiable.layout l on l.id = m.layout
cross join lateral (select amiable.unpack_message(m.v, cardinality(l.registers) + (select coalesce(max(c), 0) from unnest(l.clocks) c)::integer) as x offset 0) a
cross join lateral unnest(l.registers, l.scalers, l.clocks[1:cardinality(l.registers)]) with ordinality as p(register, scaler, clock, i)
join amiable.register r on r.id = p.register
where m.time >= st.compacted_to and m.error is null and cardinality(l.registers) > 0;

create or replace view amiable.reading_hour as
select q.meter_id, q.register, q.obis, q.hour as time, avg(q.value) filter (where q.own) as value, q.unit,
  amiable.quality_name(max(q.q)) as quality, max(q.version) as version,
  sum(q.value) filter (where q.own) as sum, min(q.value) as min, max(q.value) as max,
  count(*) filter (where q.own) as n, q.local_day, q.day
from (
  select b.meter as meter_id, coalesce(r.source, r.id) as register, r.obis, r.unit, b.day, b.version::integer as version,
    coalesce(u.q, 0)::integer as q, u.x * f.factor as value, r.stat in ('value', 'mean') as own, t.hour,
    coalesce(c.local_day + (t.at >= c.next_at)::integer + coalesce(t.at >= c.second_at, false)::integer, b.day) as local_day
  from amiable.block b
  join amiable.register r on r.id = b.register
  join amiable.meter m on m.id = b.meter
  left join amiable.calendar c on c.zone = m.time_zone and c.day = b.day
  cross join lateral (select amiable.scaled(1, b.scaler) as factor, b.step / 1000::float8 as step,
    (b.day - date '1970-01-01') * 86400::float8 + b.start / 1000::float8 as start offset 0) f
  cross join lateral unnest(amiable.unpack(b.v, b.n), amiable.unpack_quality(b.s, b.n),
    case when b.step = 0 then amiable.unpack_times(b.v, b.n, 0) end) with ordinality as u(x, q, at, i)
  cross join lateral (select
    to_timestamp(f.start + coalesce(u.at / 1000::float8, (u.i - 1) * f.step)) as at,
    to_timestamp(floor((f.start + coalesce(u.at / 1000::float8, (u.i - 1) * f.step)) / 3600) * 3600) as hour) t
  where (u.q is null or u.q < 4) and r.address is distinct from 'interval' and (r.period >= 900 or r.period = 0 and case b.step when 0 then b.n <= 100 else b.step >= 900000 end)
) q
group by q.meter_id, q.register, q.obis, q.unit, q.day, q.hour, q.local_day;

-- ---------------------------------------------------------------------------------------------- meterings for other programs

create view amiable.metering_value as
select b.meter as meter_id, r.name as quantity, r.period, t.at as time, u.x * f.factor as value, r.unit,
  case when u.q is null then 'measured' else amiable.quality_name(u.q) end as quality, b.version::integer as version,
  coalesce(c.local_day + (t.at >= c.next_at)::integer + coalesce(t.at >= c.second_at, false)::integer, b.day) as local_day,
  b.day, r.obis, r.id as register
from amiable.block b
join amiable.register r on r.id = b.register
join amiable.meter m on m.id = b.meter
left join amiable.calendar c on c.zone = m.time_zone and c.day = b.day
cross join lateral (select amiable.scaled(1, b.scaler) as factor, b.step / 1000::float8 as step,
  (b.day - date '1970-01-01') * 86400::float8 + b.start / 1000::float8 as start offset 0) f
cross join lateral unnest(amiable.unpack(b.v, b.n), amiable.unpack_quality(b.s, b.n),
  case when b.step = 0 then amiable.unpack_times(b.v, b.n, 0) end) with ordinality as u(x, q, at, i)
cross join lateral (select to_timestamp(f.start + coalesce(u.at / 1000::float8, (u.i - 1) * f.step)) as at) t
where r.address = 'interval' and (u.q is null or u.q < 4);
comment on view amiable.metering_value is 'Meterings: validated values of intervals, one row each. Give meter_id and day to read little.';
comment on column amiable.metering_value.meter_id is 'meter.id.';
comment on column amiable.metering_value.quantity is 'energyImport, energyExport, gasVolume … or the name of a calculated profile.';
comment on column amiable.metering_value.period is 'Length of the interval, seconds. A meter may have several: choose one, or a sum counts things twice.';
comment on column amiable.metering_value.time is 'Start of the interval.';
comment on column amiable.metering_value.value is 'The value in unit, exact.';
comment on column amiable.metering_value.unit is 'Unit without prefix.';
comment on column amiable.metering_value.quality is 'measured, calculated, edited or estimated; a missing value has no row.';
comment on column amiable.metering_value.version is 'Greater than 1 when values of that UTC day have been changed; see metering_change.';
comment on column amiable.metering_value.local_day is 'Day by the meter''s own time zone.';
comment on column amiable.metering_value.day is 'UTC day: filter by it, as it says which partitions are read.';
comment on column amiable.metering_value.obis is 'OBIS code.';
comment on column amiable.metering_value.register is 'register.id.';

create view amiable.metering_hour as
select v.meter_id, v.quantity, v.period, to_timestamp(floor(extract(epoch from v.time) / 3600) * 3600) as time, sum(v.value) as value, v.unit,
  (array['measured', 'calculated', 'edited', 'estimated'])[max(array_position(array['measured', 'calculated', 'edited', 'estimated'], v.quality))] as quality,
  max(v.version) as version, count(*)::integer as n, greatest(3600 / v.period, 1) as expected,
  (count(*) filter (where v.quality = 'measured'))::integer as measured, (count(*) filter (where v.quality = 'calculated'))::integer as calculated,
  (count(*) filter (where v.quality = 'edited'))::integer as edited, (count(*) filter (where v.quality = 'estimated'))::integer as estimated,
  max(v.value) as peak, v.local_day, v.day
from amiable.metering_value v
group by v.meter_id, v.quantity, v.period, v.unit, v.local_day, v.day, to_timestamp(floor(extract(epoch from v.time) / 3600) * 3600);
comment on view amiable.metering_hour is 'Meterings by hour: sums with the worst quality in them and how many values have which. Give meter_id and day to read little; for days of many meters, group this by local_day.';
comment on column amiable.metering_hour.meter_id is 'meter.id.';
comment on column amiable.metering_hour.quantity is 'As in metering_value.';
comment on column amiable.metering_hour.period is 'Length of the intervals that were summed, seconds.';
comment on column amiable.metering_hour.time is 'Start of the hour.';
comment on column amiable.metering_hour.value is 'Sum of the intervals that begin in the hour.';
comment on column amiable.metering_hour.unit is 'Unit without prefix.';
comment on column amiable.metering_hour.quality is 'The worst of them.';
comment on column amiable.metering_hour.version is 'Greater than 1 when values of that UTC day have been changed.';
comment on column amiable.metering_hour.n is 'How many values.';
comment on column amiable.metering_hour.expected is 'How many there would be of a whole hour.';
comment on column amiable.metering_hour.measured is 'How many of them were measured.';
comment on column amiable.metering_hour.calculated is 'How many were calculated out of measured ones.';
comment on column amiable.metering_hour.edited is 'How many were edited, or calculated out of edited ones.';
comment on column amiable.metering_hour.estimated is 'How many were estimated.';
comment on column amiable.metering_hour.peak is 'The highest interval.';
comment on column amiable.metering_hour.local_day is 'Day by the meter''s own time zone.';
comment on column amiable.metering_hour.day is 'UTC day: filter by it, as it says which partitions are read.';

create view amiable.metering_day as
select h.meter_id, h.quantity, h.period, h.local_day, sum(h.value) as value, h.unit,
  (array['measured', 'calculated', 'edited', 'estimated'])[max(array_position(array['measured', 'calculated', 'edited', 'estimated'], h.quality))] as quality,
  max(h.version) as version, sum(h.n)::integer as n,
  (extract(epoch from ((h.local_day + 1)::timestamp at time zone m.time_zone) - (h.local_day::timestamp at time zone m.time_zone)) / h.period)::integer as expected,
  sum(h.measured)::integer as measured, sum(h.calculated)::integer as calculated, sum(h.edited)::integer as edited, sum(h.estimated)::integer as estimated,
  max(h.peak) as peak
from amiable.metering_hour h join amiable.meter m on m.id = h.meter_id
group by h.meter_id, h.quantity, h.period, h.local_day, h.unit, m.time_zone;
comment on view amiable.metering_day is 'Meterings by local day: 92, 96 or 100 quarter-hours.';
comment on column amiable.metering_day.meter_id is 'meter.id.';
comment on column amiable.metering_day.quantity is 'As in metering_value.';
comment on column amiable.metering_day.period is 'Length of the intervals that were summed, seconds.';
comment on column amiable.metering_day.local_day is 'Day by the meter''s own time zone.';
comment on column amiable.metering_day.value is 'Sum of the day''s values.';
comment on column amiable.metering_day.unit is 'Unit without prefix.';
comment on column amiable.metering_day.quality is 'The worst of them.';
comment on column amiable.metering_day.version is 'Greater than 1 when values have been changed.';
comment on column amiable.metering_day.n is 'How many values.';
comment on column amiable.metering_day.expected is 'How many there would be of a whole day.';
comment on column amiable.metering_day.measured is 'How many of them were measured.';
comment on column amiable.metering_day.calculated is 'How many were calculated out of measured ones.';
comment on column amiable.metering_day.edited is 'How many were edited, or calculated out of edited ones.';
comment on column amiable.metering_day.estimated is 'How many were estimated.';
comment on column amiable.metering_day.peak is 'The highest interval.';

create view amiable.metering_month as
select d.meter_id, d.quantity, d.period, d.month, sum(d.value) as value, d.unit,
  (array['measured', 'calculated', 'edited', 'estimated'])[max(array_position(array['measured', 'calculated', 'edited', 'estimated'], d.quality))] as quality,
  max(d.version) as version, sum(d.n)::integer as n,
  (extract(epoch from ((d.month + interval '1 month')::timestamp at time zone m.time_zone) - (d.month::timestamp at time zone m.time_zone)) / d.period)::integer as expected,
  sum(d.measured)::integer as measured, sum(d.calculated)::integer as calculated, sum(d.edited)::integer as edited, sum(d.estimated)::integer as estimated,
  max(d.peak) as peak
from (select y.*, y.local_day - (extract(day from y.local_day)::integer - 1) as month from amiable.metering_day y) d
join amiable.meter m on m.id = d.meter_id
group by d.meter_id, d.quantity, d.period, d.month, d.unit, m.time_zone;
comment on view amiable.metering_month is 'Meterings by month of local days.';
comment on column amiable.metering_month.meter_id is 'meter.id.';
comment on column amiable.metering_month.quantity is 'As in metering_value.';
comment on column amiable.metering_month.period is 'Length of the intervals that were summed, seconds.';
comment on column amiable.metering_month.month is 'First local day of the month.';
comment on column amiable.metering_month.value is 'Sum of the month''s values.';
comment on column amiable.metering_month.unit is 'Unit without prefix.';
comment on column amiable.metering_month.quality is 'The worst of them.';
comment on column amiable.metering_month.version is 'Greater than 1 when values have been changed.';
comment on column amiable.metering_month.n is 'How many values.';
comment on column amiable.metering_month.expected is 'How many there would be of a whole month.';
comment on column amiable.metering_month.measured is 'How many of them were measured.';
comment on column amiable.metering_month.calculated is 'How many were calculated out of measured ones.';
comment on column amiable.metering_month.edited is 'How many were edited, or calculated out of edited ones.';
comment on column amiable.metering_month.estimated is 'How many were estimated.';
comment on column amiable.metering_month.peak is 'The highest interval.';

create view amiable.metering_change as
select c.id, c.meter as meter_id, r.name as quantity, r.period, c.time, amiable.scaled(c.mantissa, c.scaler) as was,
  amiable.quality_name(c.quality) as was_quality, amiable.scaled(c.new_mantissa, c.new_scaler) as became,
  amiable.quality_name(c.new_quality) as became_quality, r.unit, c.kept, c.source, c.who, c.reason, c.edit, c.at
from amiable.change_log c join amiable.register r on r.id = c.register
where r.address = 'interval';
comment on view amiable.metering_change is 'Every change of a value of a metering: what it was, what came, who or what brought it and why.';
comment on column amiable.metering_change.id is 'Running number. Read with a lag: numbers become visible in any order.';
comment on column amiable.metering_change.meter_id is 'meter.id.';
comment on column amiable.metering_change.quantity is 'As in metering_value.';
comment on column amiable.metering_change.period is 'Length of the interval, seconds.';
comment on column amiable.metering_change.time is 'Start of the interval.';
comment on column amiable.metering_change.was is 'The value before; null for missing.';
comment on column amiable.metering_change.was_quality is 'Its quality.';
comment on column amiable.metering_change.became is 'The value that came; null where it was taken away.';
comment on column amiable.metering_change.became_quality is 'Its quality.';
comment on column amiable.metering_change.unit is 'Unit without prefix.';
comment on column amiable.metering_change.kept is 'True when the value before stayed: an edit is not undone by a reading.';
comment on column amiable.metering_change.source is 'validation, edit, undo, import …';
comment on column amiable.metering_change.who is 'The user, where one did it.';
comment on column amiable.metering_change.reason is 'Why.';
comment on column amiable.metering_change.edit is 'metering_edit.id, where an edit or its undoing did it.';
comment on column amiable.metering_change.at is 'When.';

create view amiable.metering_edit as
select e.id, e.meter as meter_id, r.name as quantity, r.period, e.from_time, e.to_time, e.state, e.reason, e.made_by, e.made_at,
  e.decided_by, e.decided_at, e.undone_by, e.undone_at, e.undo_reason
from amiable.value_edit e join amiable.register r on r.id = e.register;
comment on view amiable.metering_edit is 'Edits of meterings by people, those that wait and those that were refused or undone included.';
comment on column amiable.metering_edit.id is 'Running number.';
comment on column amiable.metering_edit.meter_id is 'meter.id.';
comment on column amiable.metering_edit.quantity is 'As in metering_value.';
comment on column amiable.metering_edit.period is 'Length of the intervals, seconds.';
comment on column amiable.metering_edit.from_time is 'Start of the first interval.';
comment on column amiable.metering_edit.to_time is 'End of the last one.';
comment on column amiable.metering_edit.state is 'waiting for a second person, applied, refused or undone.';
comment on column amiable.metering_edit.reason is 'Why.';
comment on column amiable.metering_edit.made_by is 'Who asked for it.';
comment on column amiable.metering_edit.made_at is 'When.';
comment on column amiable.metering_edit.decided_by is 'The second person; null where none was asked for.';
comment on column amiable.metering_edit.decided_at is 'When that person decided.';
comment on column amiable.metering_edit.undone_by is 'Who undid it.';
comment on column amiable.metering_edit.undone_at is 'When.';
comment on column amiable.metering_edit.undo_reason is 'Why.';
