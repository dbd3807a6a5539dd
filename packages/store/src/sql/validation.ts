/**
 * Statements of validation. Findings, estimates and states are big: the meter leads, rows come as VALUES or COPY; rule sets are
 * reference tables.
 */
import { integer, integers } from './blocks.ts';
import type { RowsStatement } from './values.ts';

const RULE_SET = `s.id, s.name, s.description, s.is_default, s.version, s.definition,
  (extract(epoch from s.changed_at) * 1000)::float8 as changed_at, s.changed_by`;

const between = (first: number, last: number): string =>
  `day >= date '1970-01-01' + ${integer(first)} and day <= date '1970-01-01' + ${integer(last)}`;

/**
 * `$1` segments, `$2` states, `$3` severity, `$4` rule, `$5` check, `$6` quantity, `$7` owner, `$8` meters, `$9` node, `$10` from,
 * `$11` to.
 */
const MATCHES = `($1::integer[] is null or m.segment = any($1::integer[]))
    and ($2::text[] is null or x.state = any($2::text[]))
    and ($3::smallint is null or x.severity >= $3::smallint)
    and ($4::text is null or x.rule = $4::text) and ($5::text is null or x.check_name = $5::text)
    and ($6::text is null or r.name = $6::text) and ($7::text is null or x.owner = $7::text)
    and ($8::bigint[] is null or x.meter = any($8::bigint[]))
    and ($9::bigint is null or m.path @> array[$9::bigint])
    and x.from_time >= $10::timestamptz and x.from_time < $11::timestamptz`;

const FROM = `from amiable.validation_exception x join amiable.meter m on m.id = x.meter join amiable.register r on r.id = x.register`;

const EXCEPTION = `x.meter, x.register, x.key, m.serial, m.name, r.name as quantity, r.period,
  (extract(epoch from x.from_time) * 1000)::float8 as from_ms, (extract(epoch from x.to_time) * 1000)::float8 as to_ms,
  x.day::text as day, x.rule, x.check_name, x.severity, x.action, x.usable, x.sentence, x.numbers, x.group_name, s.name as rule_set,
  x.rules_version, (extract(epoch from x.found_at) * 1000)::float8 as found_at, x.state, x.owner, x.note,
  (extract(epoch from x.changed_at) * 1000)::float8 as changed_at, x.changed_by`;

export const validationSql = {
  /** One writes findings at a time: two runs that meet over one meter follow one another. */
  lockSave: 'select pg_advisory_xact_lock(4117008)',
  lockRules: 'select pg_advisory_xact_lock(4117009)',

  ruleSets: `select ${RULE_SET} from amiable.validation_rule_set s order by s.name`,
  ruleSet: `select ${RULE_SET} from amiable.validation_rule_set s where s.name = $1`,
  noDefault: 'update amiable.validation_rule_set set is_default = false where is_default and id <> $1',
  insertRuleSet: `insert into amiable.validation_rule_set (name, description, is_default, version, definition, changed_at, changed_by)
    values ($1, $2, false, 1, $3::jsonb, $4::timestamptz, $5) returning id`,
  updateRuleSet: `update amiable.validation_rule_set set description = $2, is_default = $3, version = $4, definition = $5::jsonb,
    changed_at = $6::timestamptz, changed_by = $7 where id = $1`,
  removeRuleSet: 'delete from amiable.validation_rule_set where id = $1',
  addVersion: `insert into amiable.validation_rule_version (rule_set, version, definition, changed_at, changed_by, reason)
    values ($1, $2, $3::jsonb, $4::timestamptz, $5, $6)`,
  versions: `select version, definition, (extract(epoch from changed_at) * 1000)::float8 as changed_at, changed_by, reason
    from amiable.validation_rule_version where rule_set = $1 order by version desc limit 1000`,
  sameDefinition: 'select definition = $2::jsonb as same from amiable.validation_rule_set where id = $1',

  /** What decides which rules hold for meters. */
  meters: `select m.id, m.time_zone, m.segment, t.name as meter_type, (extract(epoch from m.first_seen) * 1000)::float8 as first_seen,
      m.attributes ->> 'checkMeter' as check_meter,
      (select n.attributes ->> 'customerType' from amiable.node n
        where n.id = any(m.path) and n.kind in ('metering-point', 'premises') and n.attributes ? 'customerType'
        order by n.kind limit 1) as customer_type
    from amiable.meter m left join amiable.meter_type t on t.id = m.meter_type where m.id = any($1::bigint[]) order by m.id`,
  idsOfSerials: `select id, serial from amiable.meter
    where serial = any($1::text[]) and ($2::integer[] is null or segment = any($2::integer[]))`,
  stays: `select child as meter, (extract(epoch from from_time) * 1000)::float8 as from_ms, (extract(epoch from to_time) * 1000)::float8 as to_ms
    from amiable.link where kind in ('installed', 'behind') and replaced_at is null and child = any($1::bigint[]) order by child, from_time`,

  /** What there is of some registers, out of headers alone. */
  copyHeaders: (meters: readonly string[], registers: readonly number[], first: number, last: number): string =>
    `copy (select meter, register, day, start, step, n, n - missing, version from amiable.block
    where meter in (${integers(meters)}) and register in (${integers(registers)}) and ${between(first, last)}
    order by meter, register, day) to stdout (format binary)`,
  /** What was validated, and out of what. */
  copyStates: (meters: readonly string[], registers: readonly number[], first: number, last: number): string =>
    `copy (select meter, register, day, source, source_version, source_count, looked_to, rule_set, rules_version, missing from amiable.validation_state
    where meter in (${integers(meters)}) and register in (${integers(registers)}) and ${between(first, last)}
    order by meter, register, day) to stdout (format binary)`,
  /** What days of meterings add up to, out of headers alone. */
  copyDaily: (meters: readonly string[], registers: readonly number[], first: number, last: number): string =>
    `copy (select meter, register, day, sum, n - missing, step, scaler from amiable.block
    where meter in (${integers(meters)}) and register in (${integers(registers)}) and ${between(first, last)} and sum is not null
    order by meter, register, day) to stdout (format binary)`,
  copyStateIn: `copy amiable.validation_state (meter, register, day, source, source_version, source_count, looked_to, rule_set, rules_version,
    found, estimated, missing, validated_at) from stdin (format binary)`,
  /** Days of several meters: `$1` meters, `$2` registers, `$3` first, `$4` last day of each. */
  clearStates: `delete from amiable.validation_state s
    using (select u.meter, u.register, u.first, u.last from unnest($1::bigint[], $2::integer[], $3::date[], $4::date[]) as u (meter, register, first, last)) u
    where s.meter = u.meter and s.register = u.register and s.day >= u.first and s.day <= u.last`,
  forgetStates: 'delete from amiable.validation_state where day < $1::date',

  clearEstimates: `delete from amiable.validation_estimate e
    using (select u.meter, u.register, u.first, u.last from unnest($1::bigint[], $2::integer[], $3::timestamptz[], $4::timestamptz[]) as u (meter, register, first, last)) u
    where e.meter = u.meter and e.register = u.register and e.from_time >= u.first and e.from_time < u.last`,
  estimatesOf: `select meter, register, (extract(epoch from from_time) * 1000)::float8 as from_ms, (extract(epoch from to_time) * 1000)::float8 as to_ms,
      method, scaled, inputs from amiable.validation_estimate
    where meter = any($1::bigint[]) and register = any($2::integer[]) and to_time > $3::timestamptz and from_time < $4::timestamptz
    order by meter, register, from_time`,
  estimates: `select r.name as quantity, r.period, (extract(epoch from e.from_time) * 1000)::float8 as from_ms,
      (extract(epoch from e.to_time) * 1000)::float8 as to_ms, e.method, e.scaled, e.sentence, e.inputs,
      (extract(epoch from e.made_at) * 1000)::float8 as made_at
    from amiable.validation_estimate e join amiable.register r on r.id = e.register join amiable.meter m on m.id = e.meter
    where e.meter = $1 and ($6::integer[] is null or m.segment = any($6::integer[])) and ($2::text is null or r.name = $2) and e.to_time > $3::timestamptz and e.from_time < $4::timestamptz
    order by e.from_time, r.name limit $5`,

  /** Findings there are in a span that is validated anew. */
  known: `select meter, register, key, (extract(epoch from from_time) * 1000)::float8 as from_ms, state
    from amiable.validation_exception where meter = any($1::bigint[]) and register = any($2::integer[])
      and from_time >= $3::timestamptz and from_time < $4::timestamptz`,
  /** What people said holds. */
  accepted: `select meter, register, rule, (extract(epoch from from_time) * 1000)::float8 as from_ms, (extract(epoch from to_time) * 1000)::float8 as to_ms
    from amiable.validation_exception where meter = any($1::bigint[]) and register = any($2::integer[]) and state in ('accepted', 'dismissed')
      and to_time > $3::timestamptz and from_time < $4::timestamptz order by meter, register, from_time`,
  solve: `update amiable.validation_exception x set state = 'solved', changed_at = $4::timestamptz, changed_by = 'validation', note = coalesce(x.note, $5::text)
    from (select u.meter, u.register, u.key from unnest($1::bigint[], $2::integer[], $3::bigint[]) as u (meter, register, key)) u
    where x.meter = u.meter and x.register = u.register and x.key = u.key and x.state = 'open'`,
  change: `update amiable.validation_exception x set state = coalesce($4::text, x.state),
      owner = case when $5::boolean then $6::text else x.owner end, note = case when $7::boolean then $8::text else x.note end,
      changed_at = $9::timestamptz, changed_by = $10::text
    from (select u.meter, u.register, u.key from unnest($1::bigint[], $2::integer[], $3::bigint[]) as u (meter, register, key)) u
    where x.meter = u.meter and x.register = u.register and x.key = u.key
    returning x.meter, x.register, x.key`,

  exceptions: `select ${EXCEPTION} ${FROM} left join amiable.validation_rule_set s on s.id = x.rule_set
    where ${MATCHES} and ($12::timestamptz is null or (x.from_time, x.meter, x.key) < ($12::timestamptz, $13::bigint, $14::bigint))
    order by x.from_time desc, x.meter desc, x.key desc limit $15`,
  /** `$1` segments, `$2` meters, `$3` registers, `$4` keys. */
  exceptionsById: `select ${EXCEPTION} ${FROM} join unnest($2::bigint[], $3::integer[], $4::bigint[]) as u (meter, register, key)
      on x.meter = u.meter and x.register = u.register and x.key = u.key
    left join amiable.validation_rule_set s on s.id = x.rule_set
    where ($1::integer[] is null or m.segment = any($1::integer[])) order by x.from_time desc, x.meter desc, x.key desc`,
  summary: `select x.rule, x.check_name, x.severity, x.day::text as day, x.state, count(*)::integer as n, count(distinct x.meter)::integer as meters
    ${FROM} where ${MATCHES} group by x.rule, x.check_name, x.severity, x.day, x.state order by x.day desc, n desc, x.rule, x.state limit 10000`,
  /** Whom validation found for a group, and finds no longer. */
  freeOf: `select meter from amiable.validation_exception where group_name = $1 and meter = any($2::bigint[])
    group by meter having not bool_or(state = 'open')`,
  groups: `select distinct group_name as name from amiable.validation_exception where group_name is not null order by 1 limit 10000`,
} as const;

export const upsertExceptions: RowsStatement = {
  name: 'upsertExceptions',
  before: `insert into amiable.validation_exception as old (meter, register, key, from_time, to_time, day, rule, check_name, severity, action, usable,
    sentence, numbers, group_name, rule_set, rules_version, found_at)`,
  types: [
    'bigint',
    'integer',
    'bigint',
    'timestamptz',
    'timestamptz',
    'date',
    'text',
    'text',
    'smallint',
    'text',
    'boolean',
    'text',
    'jsonb',
    'text',
    'integer',
    'integer',
    'timestamptz',
  ],
  after: `on conflict (meter, register, key) do update set to_time = excluded.to_time, severity = excluded.severity, action = excluded.action,
      usable = excluded.usable, sentence = excluded.sentence, numbers = excluded.numbers, group_name = excluded.group_name,
      rule_set = excluded.rule_set, rules_version = excluded.rules_version, state = case when old.state = 'solved' then 'open' else old.state end
    where old.state = 'solved' or (old.to_time, old.severity, old.action, old.usable, old.sentence, old.numbers, old.group_name, old.rule_set, old.rules_version)
      is distinct from (excluded.to_time, excluded.severity, excluded.action, excluded.usable, excluded.sentence, excluded.numbers, excluded.group_name,
        excluded.rule_set, excluded.rules_version) returning meter`,
};

export const insertEstimates: RowsStatement = {
  name: 'insertEstimates',
  before: `insert into amiable.validation_estimate (meter, register, from_time, to_time, method, scaled, sentence, inputs, made_at)`,
  types: ['bigint', 'integer', 'timestamptz', 'timestamptz', 'text', 'boolean', 'text', 'jsonb', 'timestamptz'],
  after: 'on conflict (meter, register, from_time) do nothing',
};
