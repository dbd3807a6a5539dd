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
  6: `
insert into amiable.readout_set values ('own', '{"identification": [], "profiles": [], "logs": [], "registers": {}}', '2026-01-05 00:00+00');
insert into amiable.connection (meter, protocol, address, transport, readout, identity, changed_at)
  values (1, 'dlms', 'tcp://198.51.100.1:4059', 'wrapper', 'own', null, '2026-01-05 00:00+00');
insert into amiable.connection_secret values (1, 'password', decode('00ff', 'hex'), '2026-01-05 00:00+00');
insert into amiable.invocation_counter values (1, 'k', 4294967295, 7);
insert into amiable.readout_state (meter, tried_at, outcome, configuration, delivers)
  values (1, '2026-01-05 00:00+00', 'done', '{"1-0:0.2.1": "7"}', '{"load": ["1-0:1.8.0"]}');
insert into amiable.log_state values (1, 'standard', '2026-01-05 00:00+00');
`,
  3: `
insert into amiable.node (id, kind, code, name, parent, path, attributes, created_at, latitude, longitude) values
  (1, 'region', 'N', E'Nord \u00f8st', null, '{1}', '{}', '2026-01-01 00:00+00', 59.9, 10.7),
  (2, 'transformer', 'T-1', null, 1, '{1,2}', '{"kva": 315, "oil": true}', null, null, null),
  (3, 'premises', 'H-1', null, 2, '{1,2,3}', '{}', null, null, null),
  (4, 'metering-point', '735999100000000001', null, 3, '{1,2,3,4}', '{}', null, null, null),
  (5, 'concentrator', 'DC-1', null, 2, '{1,2,5}', '{}', null, null, null);
insert into amiable.premises (node, customer, account, address) values (3, E'Kari \t O''Hara', '007', 'Storgata 1');
insert into amiable.link (kind, child, parent, channel, from_time, to_time, recorded_at, recorded_by, replaced_at, replaced_by, reason) values
  ('under', 2, 1, null, '2026-01-01 00:00+00', null, '2026-01-01 00:00+00', 'anna', null, null, null),
  ('installed', 1, 4, null, '2026-01-01 00:00+00', '2026-01-02 00:00+00', '2026-01-01 00:00+00', 'anna', '2026-01-03 00:00+00', 'per', 'typo'),
  ('installed', 1, 4, null, '2026-01-01 00:00+00', null, '2026-01-03 00:00+00', 'per', null, null, null),
  ('behind', 2, 1, 1, '2026-01-01 00:00+00', null, '2026-01-01 00:00+00', null, null, null, null);
insert into amiable.meter_type (id, name, medium, readout, register_names) values (100, 'sample', 'electricity', null, '{"1-0:1.8.0": "A+"}');
update amiable.meter set life = 'installed', path = '{1,2,3,4}', attributes = '{"colour": "red", "weight": 1.5}' where id = 1;
insert into amiable.transformer_ratio (metering_point, kind, primary_value, secondary_value, from_time, recorded_at)
  values (4, 'current', 600, 5, '2026-01-01 00:00+00', '2026-01-01 00:00+00');
insert into amiable.attribute_definition (object, name, type, choices) values ('meter', 'colour', 'choice', '{red,"dark, blue"}');
insert into amiable.meter_group (id, name, selection) values (1, 'winter', '{"where": []}'), (2, 'list', null);
insert into amiable.meter_group_member values (2, 1), (2, 2);
insert into amiable.registry_change (object, object_id, field, was, became, at) values ('node', 1, 'name', null, 'Nord', '2026-01-06 00:00+00');
`,
};
