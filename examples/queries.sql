-- The database as other programs see it. With a PostgreSQL server: psql "$DATABASE_URL" -f examples/queries.sql
set search_path to amiable;

-- Who is there.
select id, serial, name, maker, type from meter order by id limit 20;

-- The last quarter of an hour of one meter's power, as it was sent.
select time, value, unit, quality
from reading
where meter_id = 1 and obis = '1-0:1.7.0' and period = 0
  and day >= current_date - 1 and time > now() - interval '15 minutes'
order by time desc limit 20;

-- Yesterday by the hour.
select time, sum, min, max, n
from reading_hour
where meter_id = 1 and obis = '1-0:1.7.0' and local_day = current_date - 1
order by time;

-- This month by the day, every meter.
select m.name, d.local_day, d.min, d.max, d.n
from reading_day d join meter m on m.id = d.meter_id
where d.obis = '1-0:1.8.0' and d.local_day >= date_trunc('month', current_date)::date
order by m.name, d.local_day;
