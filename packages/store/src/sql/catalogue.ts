/** Statements over the reference tables: meters, registers, layouts, sources. */
import type { RowsStatement } from './values.ts';

export const catalogueSql = {
  lockCatalogue: 'select pg_advisory_xact_lock(4117001)',

  registers: `select id, key, obis, address, name, unit, line, channel, storage, tariff, subunit, function, period, stat, source
    from amiable.register where id > $1 order by id`,
  registerByKey: 'select id, key from amiable.register where key = any($1::text[])',
  lastRegister: 'select coalesce(max(id), 0) as last from amiable.register',

  layouts: `select id, base, protocol, maker, list, meter_type, registers, scalers, texts, places, clocks
    from amiable.layout where id > $1 order by id`,
  layoutsOfBase: `select id, base, protocol, maker, list, meter_type, registers, scalers, texts, places, clocks
    from amiable.layout where base = any($1::text[]) order by id`,
  lastLayout: 'select coalesce(max(id), 0) as last from amiable.layout',
  insertLayout: `insert into amiable.layout (id, base, protocol, maker, list, meter_type, registers, scalers, texts, places, clocks)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,

  sources: 'select id, reader, port from amiable.source order by id',
  lastSource: 'select coalesce(max(id), 0) as last from amiable.source',
  insertSource: 'insert into amiable.source (id, reader, port) values ($1, $2, $3)',

  metersBySerial: `select id, serial, time_zone, maker, type, list, phases, line_voltage, reader, port
    from amiable.meter where serial = any($1::text[])`,
  completeMeter: `update amiable.meter set maker = coalesce(maker, $2), type = coalesce(type, $3), list = coalesce(list, $4),
      phases = coalesce(phases, $5), line_voltage = line_voltage or $6, reader = coalesce(reader, $7), port = coalesce(port, $8)
    where id = $1`,
  insertCalendar: `insert into amiable.calendar (zone, day, local_day, next_at, second_at)
    select $1, d, l, n, s from unnest($2::date[], $3::date[], $4::timestamptz[], $5::timestamptz[]) as c(d, l, n, s)
    on conflict (zone, day) do nothing`,
  calendarSpan: `select min(day - date '1970-01-01') as first, max(day - date '1970-01-01') as last from amiable.calendar where zone = $1`,
} as const;

export const insertRegisters: RowsStatement = {
  name: 'register.insert',
  before:
    'insert into amiable.register (id, key, obis, address, name, unit, line, channel, storage, tariff, subunit, function, period, stat, source)',
  types: [
    'integer',
    'text',
    'text',
    'text',
    'text',
    'text',
    'text',
    'integer',
    'integer',
    'integer',
    'integer',
    'text',
    'integer',
    'text',
    'integer',
  ],
  after: '',
};

export const insertMeters: RowsStatement = {
  name: 'meter.insert',
  before:
    'insert into amiable.meter (serial, name, place, maker, type, list, phases, line_voltage, time_zone, first_seen, reader, port, state)',
  types: [
    'text',
    'text',
    'text',
    'text',
    'text',
    'text',
    'smallint',
    'boolean',
    'text',
    'timestamptz',
    'text',
    'text',
    'text',
  ],
  after: 'on conflict (serial) do nothing returning id, serial',
};
