/** Statements of formulas: definitions in versions, how far their results stand, and what was calculated when. */
const COLUMNS = `f.id, f.name, f.definition, f.version, f.segment, f.reads, f.changed_by as "changedBy", (extract(epoch from f.changed_at) * 1000)::float8 as "changedAt"`;

export const formulaSql = {
  list: `select ${COLUMNS} from amiable.formula f
    where ($1::integer[] is null or f.segment = any($1::integer[])) and f.name > $2 order by f.name limit $3`,
  byName: `select ${COLUMNS} from amiable.formula f where f.name = $1 and ($2::integer[] is null or f.segment = any($2::integer[]))`,
  /** Whatever the caller may see: names are unique over all segments. */
  taken: `select f.id, f.segment from amiable.formula f where f.name = $1`,
  /** One that defines at a time: a cycle may come of two that are saved together. */
  lock: `select f.id from amiable.formula f order by f.id for update`,
  insert: `insert into amiable.formula (name, definition, version, segment, changed_by, changed_at, reads)
    values ($1, $2::jsonb, 1, $3, $4, $5::timestamptz, $6::integer[]) returning id`,
  update: `update amiable.formula set definition = $2::jsonb, version = version + 1, changed_by = $3, changed_at = $4::timestamptz,
      reads = $5::integer[] where id = $1 returning version`,
  addVersion: `insert into amiable.formula_version (formula, version, definition, changed_by, changed_at)
    values ($1, $2, $3::jsonb, $4, $5::timestamptz) returning version`,
  versions: `select v.version, v.definition, v.changed_by as "changedBy", (extract(epoch from v.changed_at) * 1000)::float8 as "changedAt"
    from amiable.formula_version v where v.formula = $1 order by v.version desc limit 1000`,
  remove: `delete from amiable.formula f where f.id = $1 returning f.id`,
  removeState: `delete from amiable.formula_state s where s.formula = $1 returning s.formula`,
  state: `select s.version, (extract(epoch from s.seen_at) * 1000)::float8 as "seenAt", (extract(epoch from s.from_time) * 1000)::float8 as from,
      (extract(epoch from s.to_time) * 1000)::float8 as to, s.incomplete from amiable.formula_state s where s.formula = $1`,
  putState: `insert into amiable.formula_state as s (formula, version, seen_at, from_time, to_time, incomplete)
    values ($1, $2, $3::timestamptz, $4::timestamptz, $5::timestamptz, $6::text[])
    on conflict (formula) do update set version = excluded.version, seen_at = excluded.seen_at, from_time = excluded.from_time, to_time = excluded.to_time,
      incomplete = excluded.incomplete returning s.formula`,
  addRun: `insert into amiable.formula_run (formula, version, from_time, to_time, by, at, meters, days, written, report)
    values ($1, $2, $3::timestamptz, $4::timestamptz, $5, $6::timestamptz, $7, $8, $9, $10::jsonb) returning id`,
  runs: `select r.id, r.version, (extract(epoch from r.from_time) * 1000)::float8 as from, (extract(epoch from r.to_time) * 1000)::float8 as to,
      r.by, (extract(epoch from r.at) * 1000)::float8 as at, r.meters, r.days, r.written::float8 as written, r.report
    from amiable.formula_run r where r.formula = $1 order by r.id desc limit $2`,
  /** The first time of which it was found since that somebody was somewhere else, or had other ratios. */
  moved: `select (extract(epoch from least(
      (select min(l.from_time) from amiable.link l where l.kind in ('installed', 'under', 'behind') and (l.recorded_at >= $1::timestamptz or l.replaced_at >= $1::timestamptz)),
      (select min(r.from_time) from amiable.transformer_ratio r where r.recorded_at >= $1::timestamptz or r.replaced_at >= $1::timestamptz))) * 1000)::float8 as at`,
  /** The first time of which a price became known since. */
  repriced: `select (extract(epoch from min(p.from_time)) * 1000)::float8 as from, (extract(epoch from max(p.to_time)) * 1000)::float8 as to
    from amiable.price_point p join amiable.price_series s on s.id = p.series where s.name = any($1::text[]) and p.recorded_at >= $2::timestamptz`,
} as const;
