/**
 * Statements of the transaction log. It is local to the coordinator, so that arrays may be unnested into it; everything is
 * idempotent, since a commit whose answer was lost is made again.
 */
const BARE = `t.id, t.parent, t.run, t.meter, t.started_at, t.ended_at, t.changed, t.kind, t.state, m.segment`;

/** The meter of an entry; the run of one that is about none, where somebody asks who does not see all. */
const OF = (t: string, m: string, r: string): string => `left join amiable.meter ${m} on ${m}.id = ${t}.meter
    left join amiable.run ${r} on ${r}.id = ${t}.run and ${t}.meter is null and $1::integer[] is not null`;

/**
 * `$1`: segments, null for all. What is about a meter is seen in its segment; a run where it may touch one of the segments, and what is
 * of neither by everybody.
 */
const inScope = (
  t: string,
  m: string,
  r: string,
): string => `($1::integer[] is null or ${m}.segment = any($1::integer[])
      or (${t}.meter is null and (${t}.run is null or (${r}.id is not null and (${r}.scope is null or ${r}.scope && $1::integer[])))))`;
const IN_SCOPE = inScope('t', 'm', 'r');

/** A run that may touch other segments too: its name, and not what it says of them in sum. */
const WIDER = `($1::integer[] is not null and t.meter is null and t.run is not null and coalesce(r.scope <@ $1::integer[], false) is false)`;
const TEXT = `(case when ${WIDER} then coalesce(r.name, '') else t.text end)`;
const COLUMNS = `${BARE}, ${TEXT} as text, case when ${WIDER} then null else t.detail end as detail`;

const CHILDREN = `(select count(*) from (select 1 from amiable.transaction c ${OF('c', 'cm', 'cr')}
    where c.parent = t.id and c.id > t.id and ${inScope('c', 'cm', 'cr')} limit 10001) x)::integer`;

const MATCHES = `($2::text is null or t.kind = $2) and ($3::text is null or t.state = $3)
      and ($4::timestamptz is null or t.started_at >= $4) and ($5::timestamptz is null or t.started_at < $5)
      and ($6::text is null or ${TEXT} ilike $6)`;

/** Newest first: `$7` the id they are before, `$8` how many, `$9` what they belong to. */
const list = (where: string, order = 'desc', bound = '<'): string =>
  `select ${COLUMNS}, ${CHILDREN} as children from amiable.transaction t ${OF('t', 'm', 'r')}
    where ${where} and ${IN_SCOPE} and ${MATCHES} and t.id ${bound} $7::bigint order by t.id ${order} limit $8`;

export const journalSql = {
  writer: `insert into amiable.journal_writer (number, name, started_at, seen_at) values ($1, $2, $3, $3)
    on conflict (number) do nothing returning number`,
  seen: `insert into amiable.journal_writer (number, name, started_at, seen_at) values ($1, $2, $3, $3)
    on conflict (number) do update set seen_at = excluded.seen_at`,
  leave: `delete from amiable.journal_writer where number = $1`,
  insert: `insert into amiable.transaction (id, parent, run, meter, started_at, ended_at, changed, kind, state, text, detail)
    select * from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::timestamptz[], $6::timestamptz[], $7::bigint[],
      $8::text[], $9::text[], $10::text[], $11::jsonb[])
    on conflict (id) do nothing`,
  end: `update amiable.transaction t set ended_at = e.ended_at, state = e.state, text = coalesce(e.text, t.text),
      detail = coalesce(e.detail, t.detail), changed = e.changed
    from unnest($1::bigint[], $2::timestamptz[], $3::text[], $4::text[], $5::jsonb[], $6::bigint[]) as e (id, ended_at, state, text, detail, changed)
    where t.id = e.id and t.id >= $7::bigint and t.id <= $8::bigint`,

  roots: list('t.parent is null and $9::bigint is null'),
  /** Children in the order in which they began. */
  children: list('t.parent = $9::bigint', 'asc', '>'),
  ofRun: list('t.run = $9::bigint'),
  ofMeter: list('t.meter = $9::bigint'),
  /** Words, kinds and states over everything: some rows back from `$7`, no more, `$9` being where to end. */
  all: list('t.id >= $9::bigint'),
  /** Where so many rows back from an id lie. */
  back: `select min(id) as id, count(*)::integer as n from (select id from amiable.transaction where id < $1::bigint order by id desc limit $2) x`,
  get: `select ${COLUMNS}, ${CHILDREN} as children from amiable.transaction t ${OF('t', 'm', 'r')}
    where t.id = $2::bigint and ${IN_SCOPE}`,

  /** What changed after a stamp among the roots and below some: for who follows the log. */
  changed: `select ${BARE}, t.text, t.detail, 0 as children, r.name as run_name, r.scope as run_scope from amiable.transaction t
    left join amiable.meter m on m.id = t.meter left join amiable.run r on r.id = t.run and t.meter is null
    where t.changed > $1::bigint and (t.parent is null or t.parent = any($2::bigint[])) order by t.changed limit $3`,
  /** How far the children of some are. */
  progress: `select t.parent, t.state, count(*)::integer as n from amiable.transaction t ${OF('t', 'm', 'r')}
    where t.parent = any($2::bigint[]) and ${IN_SCOPE} group by t.parent, t.state`,
  running: `select id from amiable.transaction where parent is null and state = 'running' order by id desc limit 100`,

  /** What programs that ended have left open. Flows and tasks go on in another program. */
  orphans: `update amiable.transaction t set state = 'failed', ended_at = $2::timestamptz, changed = $3::bigint, text = t.text || $4
    where t.state = 'running' and t.kind in ('meter', 'association', 'apdu', 'command') and t.id < $5::bigint
      and not exists (select 1 from amiable.journal_writer w where w.seen_at >= $1::timestamptz and w.number = ((t.id >> 10) & 4095))
    returning t.id`,
  dropWriters: `delete from amiable.journal_writer where seen_at < $1`,
  dropKind: `delete from amiable.transaction where kind = any($1::text[]) and id < $2::bigint returning 1 as one`,
} as const;
