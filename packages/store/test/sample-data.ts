/**
 * Rows for the tables of each schema version, with what is hard to carry over: partitions, zeros in bytes, nulls, jsonb.
 * A new migration brings an entry of its own; older ones stay as they are, for the way up from every version is tested.
 */
export const samples: Readonly<Record<number, string>> = {
  1: `
create table amiable.block_2026_01 partition of amiable.block for values from ('2026-01-01') to ('2026-02-01');
create table amiable.message_2026_01_05 partition of amiable.message
  for values from ('2026-01-05 00:00:00+00') to ('2026-01-06 00:00:00+00');
insert into amiable.meter (serial, name, time_zone, first_seen)
  select 'meter-' || k, case when k % 2 = 0 then E'h\\u00fctte \\t\\n "' || k end, 'Europe/Oslo', '2026-01-01 12:00+00'
  from generate_series(1, 50) k;
insert into amiable.meter_key values (1, decode('00ff00', 'hex'), '2026-01-01 00:00+00');
insert into amiable.register (id, key, name, unit) values (1, 'a', 'activePowerImport', 'W'), (2, 'b', 'text', null);
insert into amiable.layout (id, base, protocol, registers, scalers, texts, places, clocks)
  values (1, 'l', 'han', '{1}', '{-3}', '{2}', '{0,1}', '{0,0}');
insert into amiable.source values (1, 'attic', 'han0');
insert into amiable.calendar values ('Europe/Oslo', '2026-01-05', '2026-01-05', '2026-01-05 23:00+00', null);
insert into amiable.block (meter, register, day, start, step, n, missing, sum, hmax, scaler, version, v, s)
  select m, 1, date '2025-12-30' + d, 0, 900000, 96, 0, 42, 9223372036854775807, -3, 1,
    decode(repeat(md5(m || '-' || d), 20), 'hex'), ''
  from generate_series(1, 50) m, generate_series(0, 20) d;
insert into amiable.message (meter, time, id, received_at, layout, source, flags, v, s, raw, error)
  select m, timestamptz '2026-01-04 23:59:58.123+00' + k * interval '1 second', md5(m || '.' || k)::uuid,
    '2026-01-05 00:00+00', 1, 1, 0, decode('0102', 'hex'), '', decode(repeat('7ea0', 40), 'hex'), null
  from generate_series(1, 20) m, generate_series(0, 10) k;
insert into amiable.attribute values (1, 2, '2026-01-05 00:00+00', 'v1.0');
insert into amiable.event values (1, '2026-01-05 00:00+00', 7, 'log', '{"a": [1, null, "x"]}');
insert into amiable.live values (1, 1, '2026-01-05 00:00+00', decode('01', 'hex'));
insert into amiable.dirty values (1, '2026-01-05');
insert into amiable.change_log (meter, register, time, mantissa, scaler, quality, new_mantissa, new_scaler, new_quality, kept, source, at)
  select 1, 1, '2026-01-05 00:00+00', k, 0, 0, k + 1, 0, 2, false, 'edit', '2026-01-06 00:00+00' from generate_series(1, 30) k;
insert into amiable.meter_change (meter, field, was, became, at) values (1, 'name', null, 'x', '2026-01-06 00:00+00');
insert into amiable.unplaced values (md5('u')::uuid, 'noKey', 'attic', 'han0', 'han', '2026-01-05 00:00+00', decode('7e00', 'hex'), '{}');
`,
};
