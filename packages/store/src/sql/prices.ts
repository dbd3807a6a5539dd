/** Statements of prices and their sources. */
export const priceSql = {
  list: `select s.id, s.name, s.currency, s.unit, s.description from amiable.price_series s order by s.name`,
  get: `select s.id, s.name, s.currency, s.unit, s.description from amiable.price_series s where s.name = $1`,
  put: `insert into amiable.price_series as s (name, currency, unit, description) values ($1, $2, $3, $4)
    on conflict (name) do update set currency = excluded.currency, unit = excluded.unit, description = excluded.description returning s.id`,
  some: `select p.id from amiable.price_point p where p.series = $1 limit 1`,
  /** One writer of a series at a time: two that see the same gap would both fill it. */
  lock: `select s.id from amiable.price_series s where s.name = $1 for update`,
  /** In the order in which they were recorded: what comes later covers what came before. */
  points: `select (extract(epoch from p.from_time) * 1000)::float8 as from, (extract(epoch from p.to_time) * 1000)::float8 as to,
      p.mantissa::float8 as mantissa, p.scaler
    from amiable.price_point p
    where p.series = $1 and p.to_time > $2::timestamptz and p.from_time < $3::timestamptz and ($4::timestamptz is null or p.recorded_at <= $4::timestamptz)
    order by p.recorded_at, p.id`,
  history: `select (extract(epoch from p.from_time) * 1000)::float8 as from, (extract(epoch from p.to_time) * 1000)::float8 as to,
      p.mantissa::float8 as mantissa, p.scaler, p.source, (extract(epoch from p.recorded_at) * 1000)::float8 as "recordedAt"
    from amiable.price_point p
    where p.series = $1 and p.to_time > $2::timestamptz and p.from_time < $3::timestamptz
    order by p.from_time, p.recorded_at desc, p.id desc limit $4`,
  add: `insert into amiable.price_point (series, from_time, to_time, mantissa, scaler, source, recorded_at)
    select $1, to_timestamp(x.f / 1000), to_timestamp(x.t / 1000), x.m::bigint, x.s::smallint, $6, $7::timestamptz
    from unnest($2::float8[], $3::float8[], $4::text[], $5::integer[]) as x (f, t, m, s)`,
  sources: `select s.name, s.series, s.definition, s.secret is not null as "hasSecret",
      (extract(epoch from s.tried_at) * 1000)::float8 as "triedAt", s.outcome, s.good
    from amiable.price_source s where ($1::text is null or s.name = $1::text) order by s.name`,
  putSource: `insert into amiable.price_source as s (name, series, definition) values ($1, $2, $3::jsonb)
    on conflict (name) do update set series = excluded.series, definition = excluded.definition returning s.id`,
  putSecret: `update amiable.price_source set secret = $2 where name = $1 returning id`,
  secret: `select s.secret from amiable.price_source s where s.name = $1`,
  tried: `update amiable.price_source set tried_at = $2::timestamptz, outcome = $3, good = $4 where name = $1 returning id`,
  removeSource: `delete from amiable.price_source s where s.name = $1 returning s.id`,
} as const;
