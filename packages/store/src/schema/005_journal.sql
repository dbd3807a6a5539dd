-- The transaction log (AMI system description §5.2.5), events by one catalogue (§7.4.6), and what lacks of profiles by day (§5.1).
--
-- The log is local to the coordinator, with ids in order of time: its partitions are ranges of ids, a month each. Events and
-- gaps are big and lie with their meter. The counts of completeness are few rows a day, local.

create unlogged table amiable.journal_writer (
  number integer primary key check (number >= 0 and number < 4096),
  name text not null,
  started_at timestamptz not null,
  seen_at timestamptz not null
);
comment on table amiable.journal_writer is 'Programs that write transactions now: their number makes ids unique. A row goes when its program ends.';
comment on column amiable.journal_writer.number is 'Stands in each id of a transaction.';
comment on column amiable.journal_writer.name is 'Host and process.';
comment on column amiable.journal_writer.started_at is 'When it began.';
comment on column amiable.journal_writer.seen_at is 'When it last wrote or said that it lives; what an ended one left open is closed.';

create table amiable.transaction (
  id bigint not null,
  parent bigint,
  run bigint,
  meter bigint,
  started_at timestamptz not null,
  ended_at timestamptz,
  changed bigint not null,
  kind text not null check (kind in ('flow', 'task', 'meter', 'association', 'apdu', 'command')),
  state text not null check (state in ('running', 'done', 'failed', 'cancelled', 'partial')),
  text text not null,
  detail jsonb,
  primary key (id)
) partition by range (id);
create table amiable.transaction_default partition of amiable.transaction default;
create index transaction_parent on amiable.transaction (parent, id) where parent is not null;
create index transaction_root on amiable.transaction (id) where parent is null;
create index transaction_run on amiable.transaction (run, id) where run is not null;
create index transaction_meter on amiable.transaction (meter, id) where meter is not null;
create index transaction_changed on amiable.transaction (changed);
create index transaction_open on amiable.transaction (id) where state = 'running';
comment on table amiable.transaction is 'What was done: flows have tasks, tasks meters, meters associations, associations APDUs.';
comment on column amiable.transaction.id is 'In order of time: milliseconds since 2020 (41 bits), writer (12), running number (10).';
comment on column amiable.transaction.parent is 'transaction.id of what it is a part of; null for a root.';
comment on column amiable.transaction.run is 'run.id of the run it belongs to.';
comment on column amiable.transaction.meter is 'meter.id of the meter it is about.';
comment on column amiable.transaction.started_at is 'When it began; simulated time where the system runs in such.';
comment on column amiable.transaction.ended_at is 'When it ended; null while it runs.';
comment on column amiable.transaction.changed is 'Stamp of the last change of the row, made like id: what follows the log reads on from it, with a lag.';
comment on column amiable.transaction.kind is 'flow, task, meter, association, apdu or command.';
comment on column amiable.transaction.state is 'running, done, failed, cancelled or partial.';
comment on column amiable.transaction.text is 'One line for people.';
comment on column amiable.transaction.detail is 'What else is told; bounded.';

-- ------------------------------------------------------------------------------------------------------------- events

alter table amiable.event drop constraint event_pkey;
alter table amiable.event add column ordinal smallint not null default 0;
alter table amiable.event add column event text not null default 'unknown';
alter table amiable.event add column category text not null default 'other';
alter table amiable.event add column severity smallint not null default 0;
alter table amiable.event add column status bigint;
alter table amiable.event add column received_at timestamptz;
alter table amiable.event add primary key (meter, time, source, code, ordinal);
create index event_time on amiable.event (time, meter);
create index event_category on amiable.event (category, time);
create index event_severe on amiable.event (time, meter) where severity >= 2;
comment on column amiable.event.code is 'What happened, by the number of its source.';
comment on column amiable.event.source is 'By which catalogue its number counts and which log it stood in: dlms/standard, amiable-virtual/disconnecter, p98/log.';
comment on column amiable.event.ordinal is 'Tells equal numbers within one second apart, in the order of the log.';
comment on column amiable.event.event is 'What happened, by the normalised catalogue over all makers; unknown where the number is not in it.';
comment on column amiable.event.category is 'power, voltage, clock, tamper, disconnecter, communication, firmware, error, tariff, load, configuration, media or other.';
comment on column amiable.event.severity is '0 for the record, 1 worth knowing, 2 needs somebody soon, 3 needs somebody now.';
comment on column amiable.event.status is 'The status word that stood with it.';
comment on column amiable.event.received_at is 'When it was stored first.';

create view amiable.event_view as
select e.meter as meter_id, m.serial, e.time, e.event, e.category, e.severity, e.code, e.source, e.ordinal, e.status, e.detail, e.received_at
from amiable.event e
join amiable.meter m on m.id = e.meter;
comment on view amiable.event_view is 'Events of meters by the normalised catalogue: one row per event. Give meter_id or a span of time.';
comment on column amiable.event_view.meter_id is 'meter.id.';
comment on column amiable.event_view.serial is 'The meter''s serial number.';
comment on column amiable.event_view.time is 'When it happened, by the meter''s clock.';
comment on column amiable.event_view.event is 'What happened, by the normalised catalogue.';
comment on column amiable.event_view.category is 'As in event.';
comment on column amiable.event_view.severity is 'As in event.';
comment on column amiable.event_view.code is 'The number that the meter gave.';
comment on column amiable.event_view.source is 'As in event.';
comment on column amiable.event_view.ordinal is 'As in event.';
comment on column amiable.event_view.status is 'As in event.';
comment on column amiable.event_view.detail is 'As in event.';
comment on column amiable.event_view.received_at is 'As in event.';

create table amiable.planned_interruption (
  id bigint generated always as identity primary key,
  node bigint,
  starts_at timestamptz not null,
  ends_at timestamptz not null,
  reason text not null,
  who text,
  at timestamptz not null
);
comment on table amiable.planned_interruption is 'Announced work on the network: outages that begin in it do not count in the indices.';
comment on column amiable.planned_interruption.id is 'Running number.';
comment on column amiable.planned_interruption.node is 'Node of the network below which power is off; null: everywhere.';
comment on column amiable.planned_interruption.starts_at is 'From when.';
comment on column amiable.planned_interruption.ends_at is 'To when.';
comment on column amiable.planned_interruption.reason is 'Why, in words.';
comment on column amiable.planned_interruption.who is 'Who announced it.';
comment on column amiable.planned_interruption.at is 'When it was announced.';

-- ------------------------------------------------------------------------------------------------------- completeness

create table amiable.gap (
  meter bigint not null,
  profile text not null,
  day date not null,
  expected integer not null,
  missing integer not null,
  estimated integer not null,
  given_up integer not null,
  reason text,
  given_up_at timestamptz,
  checked_at timestamptz not null,
  primary key (meter, profile, day)
);
create index gap_day on amiable.gap (profile, day, meter);
comment on table amiable.gap is 'Local days of meters whose profile is not whole: only those, so the table stays small.';
comment on column amiable.gap.meter is 'meter.id.';
comment on column amiable.gap.profile is 'Name of the profile in the read-out set.';
comment on column amiable.gap.day is 'Local day of the meter.';
comment on column amiable.gap.expected is 'Values that the day has when it is whole.';
comment on column amiable.gap.missing is 'Values that lack and are still asked for.';
comment on column amiable.gap.estimated is 'Values that are there but estimated.';
comment on column amiable.gap.given_up is 'Values that lack and are asked for no more.';
comment on column amiable.gap.reason is 'Why they were given up.';
comment on column amiable.gap.given_up_at is 'When they were given up.';
comment on column amiable.gap.checked_at is 'When it was counted.';

create table amiable.completeness (
  day date not null,
  profile text not null,
  area bigint not null,
  segment integer not null,
  meters integer not null,
  complete integer not null,
  expected bigint not null,
  present bigint not null,
  missing bigint not null,
  estimated bigint not null,
  given_up bigint not null,
  computed_at timestamptz not null,
  primary key (profile, day, area, segment)
);
comment on table amiable.completeness is 'The completeness report: counts by local day, profile, node of the network and segment.';
comment on column amiable.completeness.day is 'Local day.';
comment on column amiable.completeness.profile is 'Name of the profile in the read-out set.';
comment on column amiable.completeness.area is 'Node of the network below which the meters are; 0: all meters.';
comment on column amiable.completeness.segment is 'Segment of the meters.';
comment on column amiable.completeness.meters is 'Meters of which values are expected.';
comment on column amiable.completeness.complete is 'Those that lack nothing.';
comment on column amiable.completeness.expected is 'Values that should be there.';
comment on column amiable.completeness.present is 'Values that are there, the estimated ones among them.';
comment on column amiable.completeness.missing is 'Values that lack and are still asked for.';
comment on column amiable.completeness.estimated is 'Values that are there but estimated.';
comment on column amiable.completeness.given_up is 'Values that lack and are asked for no more.';
comment on column amiable.completeness.computed_at is 'When it was counted.';
