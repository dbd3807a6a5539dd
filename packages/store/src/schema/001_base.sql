-- The first version of Amiable's schema. PostgreSQL 15 subset; the same text runs on the embedded server, on a PostgreSQL
-- server and on Citus (there followed by distribute.sql).
--
-- Every big table is keyed by the meter first, partitioned by range on one level, and has neither triggers nor foreign keys.

-- ---------------------------------------------------------------------------------------------------------- functions

create function amiable.unpack(v bytea, n integer) returns bigint[]
language plpgsql immutable strict parallel safe as $$
declare
  form integer := get_byte(v, 0) & 15;
  b integer; h integer; z bigint := 0; shift integer := 0; total bigint := 0; i integer := 1; result bigint[] := '{}';
begin
  if form = 2 then
    return array(select ('x' || encode(substr(v, 2 + k * 8, 8), 'hex'))::bit(64)::bigint from generate_series(0, n - 1) k);
  elsif form = 1 then
    for k in 1 .. length(v) - 1 loop
      b := get_byte(v, k);
      if b < 128 then
        if shift = 0 then
          total := total + ((b >> 1) # -(b & 1));
        else
          z := z | (b::bigint << shift);
          total := total + ((z >> 1) # -(z & 1));
          z := 0;
          shift := 0;
        end if;
        result[i] := total;
        exit when i = n;
        i := i + 1;
      else
        z := z | ((b & 127)::bigint << shift);
        shift := shift + 7;
      end if;
    end loop;
  else
    for k in 1 .. length(v) - 1 loop
      b := get_byte(v, k);
      h := b & 15;
      if h > 7 then
        z := z | ((h & 7)::bigint << shift);
        shift := shift + 3;
      else
        if shift = 0 then
          total := total + ((h >> 1) # -(h & 1));
        else
          z := z | (h::bigint << shift);
          total := total + ((z >> 1) # -(z & 1));
          z := 0;
          shift := 0;
        end if;
        result[i] := total;
        exit when i = n;
        i := i + 1;
      end if;
      h := b >> 4;
      if h > 7 then
        z := z | ((h & 7)::bigint << shift);
        shift := shift + 3;
      else
        if shift = 0 then
          total := total + ((h >> 1) # -(h & 1));
        else
          z := z | (h::bigint << shift);
          total := total + ((z >> 1) # -(z & 1));
          z := 0;
          shift := 0;
        end if;
        result[i] := total;
        exit when i = n;
        i := i + 1;
      end if;
    end loop;
  end if;
  return result;
end $$;
comment on function amiable.unpack(bytea, integer) is 'The mantissas of a block: value = mantissa * 10^scaler. n is the block''s count of values.';

create function amiable.unpack_times(v bytea, n integer, step integer) returns bigint[]
language plpgsql immutable strict parallel safe as $$
declare
  form integer := get_byte(v, 0) & 15;
  unit bigint := case when get_byte(v, 0) >> 4 = 2 then 1000 else 1 end;
  b integer; z bigint := 0; shift integer := 0; delta bigint := 0; at bigint := 0; left_over integer := n; k integer := 1;
  result bigint[] := '{}';
begin
  if step > 0 then
    return array(select j::bigint * step from generate_series(0, n - 1) j);
  end if;
  -- Past the values.
  if form = 2 then
    k := 1 + n * 8;
  else
    while left_over > 0 loop
      b := get_byte(v, k);
      if form = 1 then
        left_over := left_over - (b < 128)::integer;
      else
        left_over := left_over - (b & 15 < 8)::integer;
        if left_over > 0 then
          left_over := left_over - (b < 128)::integer;
        end if;
      end if;
      k := k + 1;
    end loop;
  end if;
  for j in k .. length(v) - 1 loop
    b := get_byte(v, j);
    z := z | ((b & 127)::bigint << shift);
    if b < 128 then
      delta := delta + ((z >> 1) # -(z & 1));
      at := at + delta;
      result := result || (at * unit);
      z := 0;
      shift := 0;
    else
      shift := shift + 7;
    end if;
  end loop;
  return result;
end $$;
comment on function amiable.unpack_times(bytea, integer, integer) is 'Where the values of a block stand, milliseconds after the block''s start.';

create function amiable.unpack_quality(s bytea, n integer) returns smallint[]
language plpgsql immutable strict parallel safe as $$
declare
  b integer; z integer := 0; shift integer := 0; result smallint[] := '{}';
begin
  if length(s) = 0 then
    return result;
  end if;
  for k in 0 .. length(s) - 1 loop
    b := get_byte(s, k);
    z := z | ((b & 127) << shift);
    if b < 128 then
      result := result || array_fill((z & 7)::smallint, array[least(z >> 3, n)]);
      z := 0;
      shift := 0;
    else
      shift := shift + 7;
    end if;
  end loop;
  return result;
end $$;
comment on function amiable.unpack_quality(bytea, integer) is 'The qualities of a block''s values: 0 measured, 1 calculated, 2 edited, 3 estimated, 4 missing; empty when all are measured.';

create function amiable.unpack_message(v bytea, n integer) returns bigint[]
language plpgsql immutable strict parallel safe as $$
declare
  b integer; z bigint := 0; shift integer := 0; i integer := 1; result bigint[] := '{}';
begin
  if n = 0 then
    return result;
  end if;
  for k in 0 .. length(v) - 1 loop
    b := get_byte(v, k);
    z := z | ((b & 127)::bigint << shift);
    if b < 128 then
      result[i] := ((z >> 1) & 9223372036854775807) # -(z & 1);
      exit when i = n;
      i := i + 1;
      z := 0;
      shift := 0;
    else
      shift := shift + 7;
    end if;
  end loop;
  return result;
end $$;
comment on function amiable.unpack_message(bytea, integer) is 'The first n integers of a message''s packed values: its numbers in the order of the layout, then how many ms each of the layout''s other times lies before the message''s.';

create function amiable.scaled(mantissa bigint, scaler integer) returns numeric
language sql immutable parallel safe as $$
  select mantissa * ('1e' || scaler::text)::numeric
$$;
comment on function amiable.scaled(bigint, integer) is 'mantissa * 10^scaler, exact.';

create function amiable.quality_name(q integer) returns text
language sql immutable parallel safe as $$
  select case coalesce(q, 0) when 0 then 'measured' when 1 then 'calculated' when 2 then 'edited' when 3 then 'estimated' else 'missing' end
$$;
comment on function amiable.quality_name(integer) is 'A quality as a word.';

create function amiable.trigrams(s text) returns text[]
language sql immutable strict parallel safe as $$
  select coalesce(array_agg(distinct substr(lower(s), k, 3)), '{}') from generate_series(1, length(s) - 2) k
$$;
comment on function amiable.trigrams(text) is 'Every run of three characters, for finding a part of a name without an extension.';

-- ---------------------------------------------------------------------------------------------------- reference tables

create table amiable.meter (
  id bigint generated by default as identity primary key,
  serial text not null unique,
  utility_serial text,
  name text,
  place text,
  time_zone text not null,
  maker text,
  type text,
  list text,
  phases smallint,
  line_voltage boolean not null default false,
  state text not null default 'new' check (state in ('new', 'named')),
  first_seen timestamptz,
  reader text,
  port text,
  search text not null generated always as (
    lower(serial || ' ' || coalesce(utility_serial, '') || ' ' || coalesce(name, '') || ' ' || coalesce(place, ''))) stored
);
create index meter_trigrams on amiable.meter using gin (amiable.trigrams(search)) with (fastupdate = off);
create index meter_state_id on amiable.meter (state, id);
comment on table amiable.meter is 'The meters. One makes itself known by its first message and is new until it is named.';
comment on column amiable.meter.id is 'The number by which all other tables know the meter.';
comment on column amiable.meter.serial is 'The meter''s id as it gives it itself.';
comment on column amiable.meter.utility_serial is 'The serial number of the utility.';
comment on column amiable.meter.name is 'What people call it.';
comment on column amiable.meter.place is 'Where it is.';
comment on column amiable.meter.time_zone is 'IANA time zone of its local days.';
comment on column amiable.meter.maker is 'Who made it, as its messages tell.';
comment on column amiable.meter.type is 'The meter''s type, as its messages tell.';
comment on column amiable.meter.list is 'The list version that it sends.';
comment on column amiable.meter.phases is 'Phases, 1 or 3; null while unknown.';
comment on column amiable.meter.line_voltage is 'True for a three-wire meter: its voltages stand between lines.';
comment on column amiable.meter.state is 'new or named.';
comment on column amiable.meter.first_seen is 'When its first message was received.';
comment on column amiable.meter.reader is 'The reader that first heard it.';
comment on column amiable.meter.port is 'The reader''s port that first heard it.';
comment on column amiable.meter.search is 'What a search looks in, lower case.';

create table amiable.meter_key (
  meter bigint primary key,
  ciphertext bytea not null,
  changed_at timestamptz not null
);
comment on table amiable.meter_key is 'Keys of meters, encrypted under a key that is not in this database.';
comment on column amiable.meter_key.meter is 'meter.id.';
comment on column amiable.meter_key.ciphertext is 'The encrypted key.';
comment on column amiable.meter_key.changed_at is 'When it was set.';

create table amiable.register (
  id integer primary key,
  key text not null unique,
  obis text,
  address text,
  name text not null,
  unit text,
  line text,
  channel integer,
  storage integer,
  tariff integer,
  subunit integer,
  function text,
  period integer not null default 0,
  stat text not null default 'value' check (stat in ('value', 'mean', 'min', 'max')),
  source integer
);
comment on table amiable.register is 'What can be measured: one row per quantity, whatever the meter. A derived series (means of a minute) is a register of its own.';
comment on column amiable.register.id is 'The number by which blocks and messages know the register.';
comment on column amiable.register.key is 'Digest of the columns that follow; equal ones are one register.';
comment on column amiable.register.obis is 'OBIS code, A-B:C.D.E with *F when F is not 255; null where the medium is unknown.';
comment on column amiable.register.address is 'The code as the meter sends it, where it is no full OBIS code.';
comment on column amiable.register.name is 'camelCase English, e.g. activePowerImport.';
comment on column amiable.register.unit is 'Unit without prefix, e.g. W, Wh, V; null for text.';
comment on column amiable.register.line is 'L1-L2 and the like for a voltage between lines.';
comment on column amiable.register.channel is 'M-Bus channel of a meter behind the meter.';
comment on column amiable.register.storage is 'M-Bus storage number.';
comment on column amiable.register.tariff is 'M-Bus tariff.';
comment on column amiable.register.subunit is 'M-Bus subunit.';
comment on column amiable.register.function is 'instantaneous, maximum, minimum or error (M-Bus).';
comment on column amiable.register.period is 'Seconds that a value stands for in a profile or a derived series; 0: as the meter sent it.';
comment on column amiable.register.stat is 'What a value of a derived series is of its period: mean, min, max, or the value at its start.';
comment on column amiable.register.source is 'The register that a derived series was computed from; null for the meter''s own.';

create table amiable.layout (
  id integer primary key,
  base text not null,
  protocol text not null,
  maker text,
  list text,
  meter_type text,
  registers integer[] not null,
  scalers smallint[] not null,
  texts integer[] not null,
  places smallint[] not null,
  clocks smallint[] not null,
  unique (base, scalers)
);
comment on table amiable.layout is 'What the values of a message mean, position by position. Messages of the same list share one layout.';
comment on column amiable.layout.id is 'The number by which messages know the layout.';
comment on column amiable.layout.base is 'Digest of the columns that follow, scalers excepted: layouts of one base differ in their decimals only.';
comment on column amiable.layout.protocol is 'han, p1, iec62056-21, mbus, wmbus or dlms.';
comment on column amiable.layout.maker is 'Maker of the meter.';
comment on column amiable.layout.list is 'The list as the meter names it.';
comment on column amiable.layout.meter_type is 'Type of the meter.';
comment on column amiable.layout.registers is 'register.id of each reading that is a number, in the order sent.';
comment on column amiable.layout.scalers is 'Power of ten of each of them.';
comment on column amiable.layout.texts is 'register.id of each reading that is text, in the order sent.';
comment on column amiable.layout.places is 'Where each reading stood in the message, numbers first, then texts.';
comment on column amiable.layout.clocks is 'Numbers first, then texts: 0 for a reading of the message''s time, k for one of the k-th other time.';

create table amiable.source (
  id integer primary key,
  reader text not null,
  port text not null,
  unique (reader, port)
);
comment on table amiable.source is 'Where messages come in.';
comment on column amiable.source.id is 'The number by which messages know it.';
comment on column amiable.source.reader is 'Name of the program that read.';
comment on column amiable.source.port is 'Its port.';

create table amiable.calendar (
  zone text not null,
  day date not null,
  local_day date not null,
  next_at timestamptz not null,
  second_at timestamptz,
  primary key (zone, day)
);
comment on table amiable.calendar is 'Local days, precomputed: which local day each part of a UTC day belongs to. One row per UTC day serves every offset, also those of half an hour.';
comment on column amiable.calendar.zone is 'IANA time zone.';
comment on column amiable.calendar.day is 'A UTC day.';
comment on column amiable.calendar.local_day is 'The local day at its start.';
comment on column amiable.calendar.next_at is 'Local midnight: from here the next local day.';
comment on column amiable.calendar.second_at is 'A second local midnight inside the same UTC day, on the 23-hour day of some zones.';

-- -------------------------------------------------------------------------------------------------- distributed tables

create table amiable.block (
  meter bigint not null,
  sum bigint,
  hmax bigint,
  register integer not null,
  day date not null,
  start integer not null,
  step integer not null,
  n integer not null,
  missing integer not null,
  scaler smallint not null,
  version smallint not null,
  v bytea not null,
  s bytea not null,
  primary key (meter, register, day)
) partition by range (day);
alter table amiable.block alter column v set storage external;
create table amiable.block_default partition of amiable.block default;
comment on table amiable.block is 'Readings, packed: one row per meter, register and UTC day. Read them through the view reading.';
comment on column amiable.block.meter is 'meter.id.';
comment on column amiable.block.sum is 'Sum of the mantissas that are there; null when it does not fit.';
comment on column amiable.block.hmax is 'Highest mantissa; null when none is there.';
comment on column amiable.block.register is 'register.id.';
comment on column amiable.block.day is 'UTC day.';
comment on column amiable.block.start is 'Time of the first value, milliseconds after the start of the day.';
comment on column amiable.block.step is 'Milliseconds from value to value; 0: the times are packed with the values.';
comment on column amiable.block.n is 'How many places for values there are.';
comment on column amiable.block.missing is 'How many of them are empty.';
comment on column amiable.block.scaler is 'value = mantissa * 10^scaler.';
comment on column amiable.block.version is 'Grows by one each time that a value which was there is changed; see change_log.';
comment on column amiable.block.v is 'The mantissas: format byte, then differences as zigzag integers of variable length in bytes or half bytes; see amiable.unpack.';
comment on column amiable.block.s is 'Qualities as runs, empty when all are measured; see amiable.unpack_quality.';

create unlogged table amiable.block_stage (
  meter bigint not null,
  sum bigint,
  hmax bigint,
  register integer not null,
  day date not null,
  start integer not null,
  step integer not null,
  n integer not null,
  missing integer not null,
  scaler smallint not null,
  version smallint not null,
  v bytea not null,
  s bytea not null
);
alter table amiable.block_stage alter column v set storage external;
comment on table amiable.block_stage is 'Blocks on their way into block; emptied at each use.';
comment on column amiable.block_stage.meter is 'As in block.';
comment on column amiable.block_stage.sum is 'As in block.';
comment on column amiable.block_stage.hmax is 'As in block.';
comment on column amiable.block_stage.register is 'As in block.';
comment on column amiable.block_stage.day is 'As in block.';
comment on column amiable.block_stage.start is 'As in block.';
comment on column amiable.block_stage.step is 'As in block.';
comment on column amiable.block_stage.n is 'As in block.';
comment on column amiable.block_stage.missing is 'As in block.';
comment on column amiable.block_stage.scaler is 'As in block.';
comment on column amiable.block_stage.version is 'As in block.';
comment on column amiable.block_stage.v is 'As in block.';
comment on column amiable.block_stage.s is 'As in block.';

create table amiable.message (
  meter bigint not null,
  time timestamptz not null,
  id uuid not null,
  received_at timestamptz not null,
  layout integer not null,
  source integer not null,
  flags integer not null,
  v bytea not null,
  s bytea not null,
  raw bytea,
  error text,
  primary key (meter, time, id)
) partition by range (time);
create table amiable.message_default partition of amiable.message default;
comment on table amiable.message is 'Messages as received, with their values packed: the hot end of every series until they are compacted into blocks, then the archive of what was on the wire until retention drops the day.';
comment on column amiable.message.meter is 'meter.id.';
comment on column amiable.message.time is 'UTC time of the message; that of receipt when the meter gave none or its clock was wrong.';
comment on column amiable.message.id is 'Stable id of the message: the same message twice is stored once.';
comment on column amiable.message.received_at is 'When it was received.';
comment on column amiable.message.layout is 'layout.id: what the values mean.';
comment on column amiable.message.source is 'source.id: where it came in.';
comment on column amiable.message.flags is 'Bits 0-7: clockWrong, clockInvalid, meterIdInherited, unknownList, notAuthenticated, crcMissing, checksumBad, truncated; bit 8: the meter gave no time.';
comment on column amiable.message.v is 'Zigzag variable-length integers: the numbers, then for each other time how many ms it lies before the message''s; then the texts with their lengths; see amiable.unpack_message.';
comment on column amiable.message.s is 'Qualities as runs, empty when all are measured.';
comment on column amiable.message.raw is 'The bytes on the wire.';
comment on column amiable.message.error is 'What was wrong with a message that is kept all the same; its values count for nothing.';

create table amiable.meter_state (
  meter bigint primary key,
  last_seen timestamptz not null,
  compacted_to timestamptz not null,
  compacting_to timestamptz not null
);
comment on table amiable.meter_state is 'What changes about a meter with every message.';
comment on column amiable.meter_state.meter is 'meter.id.';
comment on column amiable.meter_state.last_seen is 'When its last message was received.';
comment on column amiable.meter_state.compacted_to is 'Messages before this time are in blocks; those from it on are hot.';
comment on column amiable.meter_state.compacting_to is 'Where the compaction that is under way will end.';

create table amiable.live (
  meter bigint not null,
  layout integer not null,
  time timestamptz not null,
  v bytea not null,
  primary key (meter, layout)
) with (fillfactor = 70);
comment on table amiable.live is 'The last message of each layout of each meter: what a meter shows now.';
comment on column amiable.live.meter is 'meter.id.';
comment on column amiable.live.layout is 'layout.id.';
comment on column amiable.live.time is 'Time of the message.';
comment on column amiable.live.v is 'Its values, as in message.';

create table amiable.dirty (
  meter bigint not null,
  day date not null,
  primary key (meter, day)
);
comment on table amiable.dirty is 'Days of meters for which messages came after their time had been compacted; the next compaction merges them.';
comment on column amiable.dirty.meter is 'meter.id.';
comment on column amiable.dirty.day is 'UTC day.';

create table amiable.attribute (
  meter bigint not null,
  register integer not null,
  time timestamptz not null,
  value text not null,
  primary key (meter, register, time)
);
comment on table amiable.attribute is 'Readings that are text (firmware version, type), kept when they change.';
comment on column amiable.attribute.meter is 'meter.id.';
comment on column amiable.attribute.register is 'register.id.';
comment on column amiable.attribute.time is 'From when on.';
comment on column amiable.attribute.value is 'The text.';

create table amiable.event (
  meter bigint not null,
  time timestamptz not null,
  code integer not null,
  source text not null,
  detail jsonb,
  primary key (meter, time, code, source)
) partition by range (time);
create table amiable.event_default partition of amiable.event default;
comment on table amiable.event is 'Events of meters: power failures, tampering, status words.';
comment on column amiable.event.meter is 'meter.id.';
comment on column amiable.event.time is 'When it happened.';
comment on column amiable.event.code is 'What happened, by the code of its source.';
comment on column amiable.event.source is 'Which log it stood in.';
comment on column amiable.event.detail is 'What else was told.';

-- -------------------------------------------------------------------------------------------- local to the coordinator

create table amiable.change_log (
  id bigint generated always as identity primary key,
  meter bigint not null,
  register integer not null,
  time timestamptz not null,
  mantissa bigint,
  scaler smallint not null,
  quality smallint not null,
  new_mantissa bigint,
  new_scaler smallint not null,
  new_quality smallint not null,
  kept boolean not null,
  source text not null,
  who text,
  reason text,
  at timestamptz not null
);
create index change_log_value on amiable.change_log (meter, register, time);
comment on table amiable.change_log is 'What a value was before an edit or a later, different measurement. Nothing is overwritten silently.';
comment on column amiable.change_log.id is 'Running number. Read with a lag: numbers become visible in any order.';
comment on column amiable.change_log.meter is 'meter.id.';
comment on column amiable.change_log.register is 'register.id.';
comment on column amiable.change_log.time is 'Time of the value.';
comment on column amiable.change_log.mantissa is 'The value before; null for missing.';
comment on column amiable.change_log.scaler is 'Its power of ten.';
comment on column amiable.change_log.quality is 'Its quality: 0 measured, 1 calculated, 2 edited, 3 estimated, 4 missing.';
comment on column amiable.change_log.new_mantissa is 'The value that came.';
comment on column amiable.change_log.new_scaler is 'Its power of ten.';
comment on column amiable.change_log.new_quality is 'Its quality.';
comment on column amiable.change_log.kept is 'True when the value before stayed (an edit is not undone by the same reading coming again).';
comment on column amiable.change_log.source is 'What brought the new value.';
comment on column amiable.change_log.who is 'The user, for an edit.';
comment on column amiable.change_log.reason is 'Why.';
comment on column amiable.change_log.at is 'When.';

create table amiable.meter_change (
  id bigint generated always as identity primary key,
  meter bigint not null,
  field text not null,
  was text,
  became text,
  who text,
  at timestamptz not null
);
create index meter_change_meter on amiable.meter_change (meter, at);
comment on table amiable.meter_change is 'What a meter was called before, and who changed it.';
comment on column amiable.meter_change.id is 'Running number.';
comment on column amiable.meter_change.meter is 'meter.id.';
comment on column amiable.meter_change.field is 'Column of meter that was changed.';
comment on column amiable.meter_change.was is 'Its text before.';
comment on column amiable.meter_change.became is 'Its text after.';
comment on column amiable.meter_change.who is 'The user.';
comment on column amiable.meter_change.at is 'When.';

create table amiable.unplaced (
  id uuid primary key,
  reason text not null,
  reader text not null,
  port text not null,
  protocol text not null,
  received_at timestamptz not null,
  raw bytea not null,
  message text not null
);
create index unplaced_received on amiable.unplaced (received_at, id);
comment on table amiable.unplaced is 'Messages that belong to no meter yet: no key opens them, or they name none. They are read again when a key comes.';
comment on column amiable.unplaced.id is 'Stable id of the message.';
comment on column amiable.unplaced.reason is 'noKey, wrongKey, noMeterId or what else kept it here.';
comment on column amiable.unplaced.reader is 'Name of the program that read it.';
comment on column amiable.unplaced.port is 'Its port.';
comment on column amiable.unplaced.protocol is 'Protocol of the port.';
comment on column amiable.unplaced.received_at is 'When it was received.';
comment on column amiable.unplaced.raw is 'The bytes on the wire; empty when they did not come along.';
comment on column amiable.unplaced.message is 'The message as canonical JSON, without the bytes.';

-- --------------------------------------------------------------------------------------------------------------- views

create view amiable.reading as
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
where u.q is null or u.q < 4
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
comment on view amiable.reading is 'Every reading that is a number: one row per value. Give meter_id and day to read little. A quantity is there as the meter sent it (period 0) and, after retention has thinned that, as means, minima and maxima of 60 and 900 seconds: choose one period and stat.';
comment on column amiable.reading.meter_id is 'meter.id.';
comment on column amiable.reading.register is 'register.id.';
comment on column amiable.reading.obis is 'OBIS code.';
comment on column amiable.reading.time is 'UTC time of the value; the start of the period where it stands for one.';
comment on column amiable.reading.value is 'The value in unit, exact.';
comment on column amiable.reading.unit is 'Unit without prefix.';
comment on column amiable.reading.quality is 'measured, calculated, edited or estimated; missing values have no row.';
comment on column amiable.reading.version is 'Greater than 1 when values of that day have been changed; see change_log.';
comment on column amiable.reading.day is 'UTC day: filter by it, as it says which partitions are read.';
comment on column amiable.reading.period is 'Seconds that the value stands for; 0: as the meter sent it.';
comment on column amiable.reading.stat is 'value, mean, min or max of the period.';

create view amiable.reading_hour as
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
  where (u.q is null or u.q < 4) and (r.period >= 900 or r.period = 0 and case b.step when 0 then b.n <= 100 else b.step >= 900000 end)
) q
group by q.meter_id, q.register, q.obis, q.unit, q.day, q.hour, q.local_day;
comment on view amiable.reading_hour is 'Readings by UTC hour, out of what has been compacted (the current hour is not there yet). For a cumulative register the energy of an hour is the min of the next hour less its own min.';
comment on column amiable.reading_hour.meter_id is 'meter.id.';
comment on column amiable.reading_hour.register is 'register.id of the meter''s own register.';
comment on column amiable.reading_hour.obis is 'OBIS code.';
comment on column amiable.reading_hour.time is 'Start of the hour.';
comment on column amiable.reading_hour.value is 'Mean of the hour''s values.';
comment on column amiable.reading_hour.unit is 'Unit without prefix.';
comment on column amiable.reading_hour.quality is 'The worst of the hour''s values.';
comment on column amiable.reading_hour.version is 'Greater than 1 when values of that day have been changed.';
comment on column amiable.reading_hour.sum is 'Sum of the hour''s values.';
comment on column amiable.reading_hour.min is 'Lowest, of every value that was measured.';
comment on column amiable.reading_hour.max is 'Highest, of every value that was measured.';
comment on column amiable.reading_hour.n is 'How many values.';
comment on column amiable.reading_hour.local_day is 'Day by the meter''s own time zone.';
comment on column amiable.reading_hour.day is 'UTC day: filter by it, as it says which partitions are read.';

create view amiable.reading_day as
select h.meter_id, h.register, h.obis, min(h.time) as time, sum(h.sum) / nullif(sum(h.n), 0) as value, h.unit,
  (array['measured', 'calculated', 'edited', 'estimated'])[max(array_position(array['measured', 'calculated', 'edited', 'estimated'], h.quality))] as quality,
  max(h.version) as version, sum(h.sum) as sum, min(h.min) as min, max(h.max) as max, sum(h.n)::bigint as n, h.local_day
from amiable.reading_hour h
group by h.meter_id, h.register, h.obis, h.unit, h.local_day;
comment on view amiable.reading_day is 'Readings by local day of the meter.';
comment on column amiable.reading_day.meter_id is 'meter.id.';
comment on column amiable.reading_day.register is 'register.id of the meter''s own register.';
comment on column amiable.reading_day.obis is 'OBIS code.';
comment on column amiable.reading_day.time is 'The first hour of the day with values, UTC.';
comment on column amiable.reading_day.value is 'Mean of the day''s values.';
comment on column amiable.reading_day.unit is 'Unit without prefix.';
comment on column amiable.reading_day.quality is 'The worst of the day''s values.';
comment on column amiable.reading_day.version is 'Greater than 1 when values have been changed.';
comment on column amiable.reading_day.sum is 'Sum of the day''s values.';
comment on column amiable.reading_day.min is 'Lowest.';
comment on column amiable.reading_day.max is 'Highest.';
comment on column amiable.reading_day.n is 'How many values.';
comment on column amiable.reading_day.local_day is 'Day by the meter''s own time zone.';
