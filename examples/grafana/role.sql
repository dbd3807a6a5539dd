-- Who Grafana is in the database: may read the views and the list of meters, and nothing else.
-- psql "$DATABASE_URL" -v password="'change-me'" -f examples/grafana/role.sql
create role amiable_reader login password :password;
grant usage on schema amiable to amiable_reader;
grant select on amiable.meter, amiable.reading, amiable.reading_hour, amiable.reading_day to amiable_reader;
-- A question that somebody types must not hold up the meters.
alter role amiable_reader set statement_timeout = '30s';
alter role amiable_reader set default_transaction_read_only = on;
