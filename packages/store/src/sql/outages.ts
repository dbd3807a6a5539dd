/** Statements of outage statistics. */
export const outageSql = {
  /** Meters of which something happened to their supply: `$1` segments, `$2` node, `$3` meter, `$6` after. */
  meters: `select x.meter, m.serial, m.name, m.path from
      (select e.meter from amiable.event e where e.category = 'power' and e.time >= $4::timestamptz and e.time < $5::timestamptz
        and e.meter > $6::bigint and ($3::bigint is null or e.meter = $3::bigint) group by e.meter) x
    join amiable.meter m on m.id = x.meter
    where ($1::integer[] is null or m.segment = any($1::integer[])) and ($2::bigint is null or m.path @> array[$2::bigint])
    order by x.meter limit $7`,
  events: `select e.meter, (extract(epoch from e.time) * 1000)::float8, e.event, (e.detail ->> 'duration')::float8 from amiable.event e
    where e.meter = any($1::bigint[]) and e.category = 'power' and e.time >= $2::timestamptz and e.time < $3::timestamptz
    order by e.meter, e.time, e.source, e.ordinal`,
  /** Everyone who is supplied. */
  customers: `select m.id, m.path, (extract(epoch from m.first_seen) * 1000)::float8 as first_seen from amiable.meter m
    where m.id > $3::bigint and ($1::integer[] is null or m.segment = any($1::integer[])) and ($2::bigint is null or m.path @> array[$2::bigint])
    order by m.id limit $4`,
  /** Meters behind another (gas, water) are no customers of their own. */
  behind: `select distinct child as meter from amiable.link where kind = 'behind' and replaced_at is null and child = any($1::bigint[])`,
  nodes: `select n.id, coalesce(n.name, n.code) as name from amiable.node n
    where n.kind = $1 and ($2::bigint is null or n.path @> array[$2::bigint]) and ($3::integer[] is null or n.segment = any($3::integer[]))
    order by n.id limit 10000`,
  planned: `select p.id, p.node, (extract(epoch from p.starts_at) * 1000)::float8 as from, (extract(epoch from p.ends_at) * 1000)::float8 as to, p.reason, p.who
    from amiable.planned_interruption p left join amiable.node n on n.id = p.node
    where p.starts_at < $2::timestamptz and p.ends_at > $1::timestamptz and ($4::integer[] is null or p.node is null or n.segment = any($4::integer[]))
    order by p.starts_at, p.id limit $3`,
  /** At a node that whoever announces may see; everywhere only for who sees all. */
  plan: `insert into amiable.planned_interruption (node, starts_at, ends_at, reason, who, at)
    select $1::bigint, $2::timestamptz, $3::timestamptz, $4::text, $5::text, $6::timestamptz
    where case when $1::bigint is null then $7::integer[] is null
      else exists (select 1 from amiable.node n where n.id = $1::bigint and ($7::integer[] is null or n.segment = any($7::integer[]))) end
    returning id`,
  unplan: `delete from amiable.planned_interruption p where p.id = $1 and ($2::integer[] is null
      or exists (select 1 from amiable.node n where n.id = p.node and n.segment = any($2::integer[]))) returning p.id`,
} as const;
