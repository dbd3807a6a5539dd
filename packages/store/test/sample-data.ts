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
  2: `
insert into amiable.segment (id, name, description) values (2, 'north', null);
update amiable.meter set segment = 2 where id % 2 = 0;
insert into amiable.user_account (id, name, name_key, password, language, attributes, all_segments, created_at) values
  (1, 'Anna', 'anna', '$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaA', 'nb', '{"fullName": "Anna \\t O''Hara"}', true, '2026-01-01 00:00+00'),
  (2, 'per', 'per', null, null, '{}', false, '2026-01-01 00:00+00');
insert into amiable.user_group (id, name, privileges) values (100, 'north', '{meter:view,"execute:read-now"}');
insert into amiable.user_in_group values (1, 1), (2, 100);
insert into amiable.user_segment values (2, 2);
insert into amiable.token (id, account, name, hash, privileges, segments, created_at, expires_at, last_used_at)
  values (1, 2, 'export', decode('00ff', 'hex'), '{meter:view}', '{2}', '2026-01-01 00:00+00', null, null);
insert into amiable.session values (decode('0a00', 'hex'), 1, 'page', '2026-01-01 00:00+00', '2026-01-01 00:00+00', 1000, '2026-01-02 00:00+00', 'curl', '::1');
insert into amiable.first_code values (1, decode('00', 'hex'), '2026-01-01 00:00+00');
insert into amiable.audit (at, who, account, token, action, object, detail, address)
  values ('2026-01-01 00:00+00', 'Anna', 1, null, 'PATCH /api/v1/meters/:id', 'meter 1', '{"name": "x"}', '::1');
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
insert into amiable.import_run (state, dry, name, detail, segments, who, started_at, ended_at, report)
  values ('done', false, 'a.csv', '{"kind": "meter"}', '{1}', 'anna', '2026-01-06 00:00+00', '2026-01-06 00:01+00', '{"inserted": 1}');
`,
  4: `
insert into amiable.task (name, kind, definition, creator, scope, created, changed, next_due, planned_to)
  values ('daily', 'daily', '{"priority": 5}', 'anna', '{1}', '2026-01-05 00:00+00', '2026-01-05 00:00+00', null, '2026-01-05T00:30');
insert into amiable.task_version values (1, 1, '{"priority": 5}', 'anna', '2026-01-05 00:00+00');
insert into amiable.flow (name, definition, creator, created, changed) values ('night', '{"steps": []}', 'anna', '2026-01-05 00:00+00', '2026-01-05 00:00+00');
insert into amiable.flow_version values (1, 1, '{"steps": []}', 'anna', '2026-01-05 00:00+00');
insert into amiable.run (what, task, version, kind, name, state, definition, due, expires, created, creator)
  values ('task', 1, 1, 'daily', 'daily', 'running', '{}', '2026-01-05 00:30+00', '2026-01-06 00:30+00', '2026-01-05 00:30+00', 'anna');
insert into amiable.occurrence values ('task', 1, '2026-01-05T00:30', 1, '2026-01-05 00:30+00');
insert into amiable.work_lane (channel, concentrator, network) values ('', '', '');
insert into amiable.job (run, meter, priority, ready) select 1, k, 5, case when k % 2 = 0 then 'infinity'::timestamptz else '2026-01-05 00:30+00' end
  from generate_series(1, 20) k;
insert into amiable.work_meter (meter, lane, queued, priority, ready) select k, 1, k % 2 = 1, 5, '2026-01-05 00:30+00' from generate_series(1, 20) k;
insert into amiable.channel (kind, name, most, windows, time_zone) values ('channel', '*', 4, '[{"from": 1320, "to": 360}]', 'Europe/Oslo');
insert into amiable.work_worker (worker, seen) values ('w-1', '2026-01-05 00:30+00');
`,
  5: `
insert into amiable.journal_writer values (17, 'host/1', '2026-01-05 00:00+00', '2026-01-05 00:00+00');
create table amiable.transaction_2026_01 partition of amiable.transaction for values from (794354201395200000) to (805588225228800000);
insert into amiable.transaction (id, parent, run, meter, started_at, ended_at, changed, kind, state, text, detail) values
  (794704248422400001, null, 7, null, '2026-01-05 00:00+00', null, 794704248422400001, 'task', 'running', E'daily \t values', null),
  (794704248422400002, 794704248422400001, 7, 1, '2026-01-05 00:00+00', '2026-01-05 00:01+00', 794704248422400003, 'meter', 'done', 'meter-1', '{"values": 96}');
insert into amiable.event (meter, time, code, source, ordinal, event, category, severity, status, detail, received_at) values
  (1, '2026-01-05 00:00+00', 23, 'standard', 0, 'power-down', 'power', 1, 32768, null, '2026-01-06 00:00+00'),
  (1, '2026-01-05 00:00+00', 23, 'standard', 1, 'power-down', 'power', 1, null, '{"a": 1}', null);
insert into amiable.planned_interruption (node, starts_at, ends_at, reason, at) values (1, '2026-01-05 00:00+00', '2026-01-05 04:00+00', 'new cable', '2026-01-01 00:00+00');
insert into amiable.gap values (1, 'load', '2026-01-05', 96, 4, 0, 2, 'after 60 days', '2026-03-06 00:00+00', '2026-03-06 00:00+00');
insert into amiable.completeness values ('2026-01-05', 'load', 0, 1, 50, 49, 4800, 4794, 4, 0, 2, '2026-03-06 00:00+00');
`,
  7: `
insert into amiable.register (id, key, obis, address, name, unit, period) values (7, 'm', '1-0:1.29.0', 'interval', 'energyImport', 'Wh', 900);
insert into amiable.block (meter, register, day, start, step, n, missing, sum, hmax, scaler, version, v, s, came)
  values (1, 7, '2026-01-05', 0, 900000, 2, 0, 4, 2, 0, 1, decode('030204', 'hex'), '', 1767657600000);
insert into amiable.arrival values (1, 7, '2026-01-05', '2026-01-07 00:00+00', decode(repeat('00', 20), 'hex'));
insert into amiable.change_log (meter, register, time, mantissa, scaler, quality, new_mantissa, new_scaler, new_quality, kept, source, at, edit)
  values (1, 7, '2026-01-05 00:00+00', null, 0, 4, 2, 0, 2, false, 'edit', '2026-01-06 00:00+00', 1);
insert into amiable.value_edit (meter, register, from_time, to_time, mantissas, scaler, state, reason, made_by, made_at)
  values (1, 7, '2026-01-05 00:00+00', '2026-01-05 00:30+00', '{2,null}', 0, 'applied', E'read \\t off', 'anna', '2026-01-06 00:00+00');
insert into amiable.setting values ('edits.two-persons', 'true', '2026-01-06 00:00+00', 'anna');
`,
  8: `
insert into amiable.validation_rule_set (id, name, is_default, version, definition, changed_at, changed_by)
  values (1, 'households', true, 2, '{"rules": []}', '2026-01-05 00:00+00', 'anna');
insert into amiable.validation_rule_version values (1, 1, '{"rules": []}', '2026-01-04 00:00+00', 'anna', null), (1, 2, '{"rules": []}', '2026-01-05 00:00+00', 'anna', 'spikes');
insert into amiable.validation_state values (1, 1, '2026-01-05', 1, 1, 96, 86400000, 1, 2, 1, 4, 0, '2026-01-06 00:00+00');
insert into amiable.validation_exception (meter, register, key, from_time, to_time, day, rule, check_name, severity, action, usable, sentence, numbers, rule_set, rules_version, found_at)
  values (1, 1, 7, '2026-01-05 00:00+00', '2026-01-05 01:00+00', '2026-01-05', 'gaps', 'gap', 1, 'unchanged', false, E'4 intervals lack \t', '{"intervals": 4}', 1, 2, '2026-01-06 00:00+00');
insert into amiable.validation_estimate values (1, 1, '2026-01-05 00:00+00', '2026-01-05 01:00+00', 'linear', true, 'between 75 and 100', '{"a": 75, "b": 100}', '2026-01-06 00:00+00');
`,
  9: `
insert into amiable.tariff (id, name, description, created_at, created_by) values (1, 'day and night', null, '2026-01-01 00:00+00', 'anna');
insert into amiable.tariff_version values
  (1, 1, 'published', '2026-01-01', '{"name": "x"}', '2026-01-01 00:00+00', 'anna', '2026-01-02 00:00+00', 'per'),
  (1, 2, 'draft', '2027-01-01', '{"name": "y"}', '2026-01-01 00:00+00', 'anna', null, null);
insert into amiable.contract (metering_point, product, tariff, reference, parameters, from_time, to_time, recorded_at, recorded_by, replaced_at, replaced_by, reason) values
  (4, 'supply', 1, E'C \t 1', '{"limit": 4.5}', '2026-01-01 00:00+00', null, '2026-01-01 00:00+00', 'anna', null, null, null),
  (4, 'grid', 1, null, '{}', '2026-01-01 00:00+00', '2026-02-01 00:00+00', '2026-01-01 00:00+00', 'anna', '2026-01-03 00:00+00', 'per', 'typo');
insert into amiable.billing_run (kind, state, name, from_time, to_time, definition, segments, task_run, created_at, created_by, report)
  values ('bill', 'done', '2026-01', '2026-01-01 00:00+00', '2026-02-01 00:00+00', '{"product": "supply"}', '{1}', null, '2026-02-01 00:00+00', 'anna', '{"billed": 1}');
insert into amiable.bill (meter, run, contract, metering_point, kind, state, product, tariff, tariff_version, from_time, to_time, currency, amount, total, seen_at, days, detail, reason) values
  (1, 1, 1, 4, 'bill', 'billed', 'supply', 1, 1, '2026-01-01 00:00+00', '2026-02-01 00:00+00', 'NOK', 12345678901, 12345678901, '2026-02-01 00:00+00', decode('00ff', 'hex'), '{"lines": [1,  2]}', null),
  (2, 1, 2, 4, 'bill', 'blocked', 'grid', 1, null, '2026-01-01 00:00+00', '2026-02-01 00:00+00', null, null, null, '2026-02-01 00:00+00', null, null, 'too much is estimated');
insert into amiable.determinant values (1, 1, 1, 'energyImport', '2026-01-01 00:00+00', '2026-02-01 00:00+00', 4, 1, 1, 'Wh', 0, '{day,"late night"}', '{1,2}', 7,
  '2026-01-05 07:15+00', 900000, 2976, 0, 0, 0, 0, 1, '2026-02-01 00:00+00');
insert into amiable.billing_release (metering_point, from_time, to_time, reason, released_at, released_by)
  values (4, '2026-01-01 00:00+00', '2026-02-01 00:00+00', 'read on the spot', '2026-02-02 00:00+00', 'per');
`,
  10: `
insert into amiable.format values ('simple', 1, '{"columns": [{"field": "meter"}]}', '2026-02-05 00:00+00', 'anna');
insert into amiable.format_version values ('simple', 1, '{"columns": [{"field": "meter"}]}', '2026-02-05 00:00+00', 'anna');
insert into amiable.destination values ('billing', 1, 'sftp', '{"host": "192.0.2.1"}', '{1}', true, '2026-02-05 00:00+00', 'anna');
insert into amiable.destination_secret values ('billing', 'password', decode('00ff', 'hex'), '2026-02-05 00:00+00');
insert into amiable.delivery (destination, format, file, media_type, from_time, to_time, as_of, meters, rows, corrected, bytes, digest, state,
    created_at, created_by)
  values ('billing', 'cim', 'a.xml', 'application/xml', '2026-02-04 00:00+00', '2026-02-05 00:00+00', '2026-02-05 00:00+00', 1, 96, 0, 2, 'ab',
    'sent', '2026-02-05 00:00+00', E'an\\tna');
insert into amiable.delivery_part values (1, 0, decode('1f00', 'hex'));
insert into amiable.readings_import (state, dry, name, format, digest, detail, who, started_at)
  values ('done', false, 'r.csv', 'csv', 'ab', '{}', 'anna', '2026-02-05 00:00+00');
insert into amiable.command (source, reference, kind, meter, parameters, digest, state, due, expires, who, created_at)
  values ('anna', 'R-1', 'read', 1, '{"what": "registers"}', 'ab', 'done', '2026-02-05 00:00+00', '2026-02-06 00:00+00', 'anna', '2026-02-05 00:00+00');
`,
  11: `
insert into amiable.price_series (id, name, currency, unit, description) values (1, 'NO1', 'EUR', 'MWh', null);
insert into amiable.price_point (series, from_time, to_time, mantissa, scaler, source, recorded_at)
  select 1, timestamptz '2026-01-05 00:00+00' + k * interval '1 hour', timestamptz '2026-01-05 01:00+00' + k * interval '1 hour', 4200 - 100 * k, -2,
    'day-ahead', '2026-01-04 12:00+00' from generate_series(0, 47) k;
insert into amiable.price_source (name, series, definition, secret, tried_at, outcome, good)
  values ('entsoe', 'NO1', '{"url": "https://prices.example/"}', decode('00ff', 'hex'), '2026-01-04 12:00+00', E'24 prices \\t new', true);
insert into amiable.formula (id, name, definition, version, changed_by, changed_at) values (1, 'street', '{"expression": "sum(house)"}', 1, 'anna', '2026-01-05 00:00+00');
insert into amiable.formula_version values (1, 1, '{"expression": "sum(house)"}', 'anna', '2026-01-05 00:00+00');
insert into amiable.formula_state values (1, 1, '2026-01-05 00:00+00', '2026-01-01 00:00+00', '2026-01-05 00:00+00');
insert into amiable.formula_run (formula, version, from_time, to_time, by, at, meters, days, written, report)
  values (1, 1, '2026-01-01 00:00+00', '2026-01-05 00:00+00', 'anna', '2026-01-05 00:00+00', 1, 4, 384, '{"measured": 384}');
insert into amiable.balance_area (id, name, node, definition, version, changed_by, changed_at) values (1, 'T-1', 2, '{}', 1, 'anna', '2026-01-05 00:00+00');
insert into amiable.balance_area_version values (1, 1, '{}', 'anna', '2026-01-05 00:00+00');
insert into amiable.balance_day values (1, '2026-01-04', '2026-01-03 23:00+00', '2026-01-04 23:00+00', 1, 900, 0, 100000, 97000, 0, 3000, 96, 95, 12,
  '{"missing": [{"meter": "3", "intervals": 1}]}', '2026-01-05 01:00+00');
insert into amiable.balance_alarm (area, kind, severity, state, first_day, last_day, sentence, numbers, opened_at, changed_at)
  values (1, 'persistent-loss', 'warning', 'open', '2026-01-01', '2026-01-04', '3 % are lost every day', '{"share": 0.03}', '2026-01-05 01:00+00', '2026-01-05 01:00+00');
`,
  12: `
insert into amiable.report (id, name, definition, creator, changed_at) values (1, 'monthly', '{"kind": "consumers"}', 'anna', '2026-01-06 00:00+00');
insert into amiable.report_result (report, name, kind, format, lines, made_at, who, segments, outputs, content)
  values (1, 'monthly', 'consumers', 'csv', 1, '2026-01-06 00:00+00', 'anna', '{1}', '[]', decode('612c620a', 'hex'));
`,
};
