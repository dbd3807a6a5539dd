/** Statements of reports. */
const RESULT = `id, report, name, kind, format, lines, (extract(epoch from made_at) * 1000)::float8 as made, who, segments, outputs, octet_length(content) as bytes`;
/** What was made of segments that the caller does not all see is not there for them: $n are theirs, null all. */
const seen = (n: number): string =>
  `($${n}::integer[] is null or (segments is not null and segments <@ $${n}::integer[]))`;

export const reportSql = {
  list: `select id, name, definition, version, segments, creator, (extract(epoch from changed_at) * 1000)::float8 as changed
    from amiable.report where name > $1 and ${seen(3)} order by name limit $2`,
  get: `select id, name, definition, version, segments, creator, (extract(epoch from changed_at) * 1000)::float8 as changed
    from amiable.report where id = $1 and ${seen(2)}`,
  byName: `select id, name, definition, version, segments, creator, (extract(epoch from changed_at) * 1000)::float8 as changed
    from amiable.report where name = $1 and ${seen(2)}`,
  put: `insert into amiable.report (name, definition, creator, changed_at, segments) values ($1, $2::jsonb, $3, $4::timestamptz, $5::integer[])
    on conflict (name) do update set definition = excluded.definition, creator = excluded.creator,
      changed_at = excluded.changed_at, segments = excluded.segments, version = report.version + 1
    returning id, name, definition, version, segments, creator, (extract(epoch from changed_at) * 1000)::float8 as changed`,
  remove: 'delete from amiable.report where id = $1 returning id',
  keep: `insert into amiable.report_result (report, name, kind, format, lines, made_at, who, segments, outputs, content)
    values ($1::integer, $2, $3, $4, $5, $6::timestamptz, $7, $8::integer[], $9::jsonb, $10) returning id`,
  outputs: 'update amiable.report_result set outputs = $2::jsonb where id = $1',
  results: `select ${RESULT} from amiable.report_result
    where ($1::bigint is null or id < $1::bigint) and ($2::integer is null or report = $2::integer) and ${seen(4)}
    order by id desc limit $3`,
  result: `select ${RESULT}, content from amiable.report_result where id = $1 and ${seen(2)}`,
  prune: 'delete from amiable.report_result where made_at < $1::timestamptz returning id',
} as const;
