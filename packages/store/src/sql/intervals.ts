/** Statements of meterings and their history. Days are counted since 1970 in texts of COPY, which takes no parameters. */
import { COLUMNS, integer, integers } from './blocks.ts';
import type { RowsStatement } from './values.ts';

const span = (first: number, last: number): string =>
  `day >= date '1970-01-01' + ${integer(first)} and day <= date '1970-01-01' + ${integer(last)}`;

const EDIT = `e.id, e.meter, r.name, r.period, r.unit, (extract(epoch from e.from_time) * 1000)::bigint as from_ms,
    (extract(epoch from e.to_time) * 1000)::bigint as to_ms, e.mantissas, e.scaler, e.state, e.reason, e.made_by, e.account,
    (extract(epoch from e.made_at) * 1000)::bigint as made_ms, e.decided_by, (extract(epoch from e.decided_at) * 1000)::bigint as decided_ms,
    e.undone_by, (extract(epoch from e.undone_at) * 1000)::bigint as undone_ms, e.undo_reason, e.register
  from amiable.value_edit e join amiable.register r on r.id = e.register join amiable.meter m on m.id = e.meter`;
const inScope = (parameter: number): string =>
  `($${parameter}::integer[] is null or m.segment = any($${parameter}::integer[]))`;

const CHANGE = `c.id, c.meter, c.register, (extract(epoch from c.time) * 1000)::bigint as time, c.mantissa, c.scaler, c.quality,
    c.new_mantissa, c.new_scaler, c.new_quality`;

export const intervalSql = {
  /** Few columns, for each costs as much as unpacking its row. */
  copyPacked: (meters: readonly string[], registers: readonly number[], first: number, last: number): string =>
    `copy (select meter, register, day, start, step, n, scaler, version, v, case when s <> '' then s end
    from amiable.block where meter in (${integers(meters)}) and register in (${integers(registers)}) and ${span(first, last)})
    to stdout (format binary)`,
  /** The same of a single meter, prepared. */
  few: `select meter, register, day - date '1970-01-01', start, step, scaler, version, v, s, n from amiable.block
    where meter = $1 and register = any($2::integer[]) and day >= $3::date and day <= $4::date`,
  /** With the time they came: for past states. */
  withCame: `select meter, register, day - date '1970-01-01', start, step, scaler, version, v, s, n, came from amiable.block
    where meter = any($1::bigint[]) and register = any($2::integer[]) and day >= $3::date and day <= $4::date`,
  meters: 'select id from amiable.meter order by id',
  list: `select register, min(day) - date '1970-01-01' as first, max(day) - date '1970-01-01' as last from amiable.block
    where meter = $1 and register = any($2::integer[]) group by register`,
  /** Where the values of a metering stand: some day of it near another. */
  anchor: `select start, step from amiable.block where meter = $1 and register = $2 order by abs(day - $3::date) limit 1`,

  lastChange: 'select coalesce(max(id), 0) as id from amiable.change_log',
  changesAfter: `select ${CHANGE} from amiable.change_log c
    where c.meter = any($1::bigint[]) and c.register = any($2::integer[]) and c.time >= $3 and c.time < $4 and c.at > $5 and not c.kept
    order by c.id desc`,
  changesOf: `select ${CHANGE}, c.kept, c.source, c.who, c.reason, c.edit, (extract(epoch from c.at) * 1000)::bigint as at
    from amiable.change_log c where c.meter = $1 and c.register = $2 and c.time >= $3 and c.time < $4 order by c.time, c.id desc`,
  changesOfEdit: `select ${CHANGE} from amiable.change_log c
    where c.meter = $1 and c.register = $2 and c.time >= $3 and c.time < $4 and c.edit = $5 and not c.kept order by c.id`,
  /** What came while an edit stood, and did not count. */
  keptAfter: `select ${CHANGE} from amiable.change_log c
    where c.meter = $1 and c.register = $2 and c.time >= $3 and c.time < $4 and c.id > $5 and c.kept and c.edit is null order by c.id`,
  /** What happened last to values. */
  lastOf: `select distinct on (c.meter, c.register, c.time) ${CHANGE}, c.kept from amiable.change_log c
    where c.meter = any($1::bigint[]) and c.register = any($2::integer[]) and c.time = any($3::timestamptz[])
    order by c.meter, c.register, c.time, c.id desc`,
  arrivals: `select meter, register, day - date '1970-01-01', runs from amiable.arrival
    where meter = any($1::bigint[]) and register = any($2::integer[]) and day >= $3::date and day <= $4::date`,
  insertStaged: `insert into amiable.block (${COLUMNS}, came) select ${COLUMNS}, $1::bigint from amiable.block_stage
    on conflict (meter, register, day) do nothing returning 1`,
  overStaged: `insert into amiable.block as old (${COLUMNS}, came) select ${COLUMNS}, $1::bigint from amiable.block_stage
    ${over()} returning 1`,

  changed: `select c.meter, c.register, floor(extract(epoch from c.time) / 86400)::integer as day, (extract(epoch from max(c.at)) * 1000)::bigint as latest
    from amiable.change_log c
    where c.at >= $1 and not c.kept and c.register = any($2::integer[]) and c.time >= $3 and c.time < $4
      and ($5::bigint[] is null or c.meter = any($5::bigint[]))
    group by c.meter, c.register, floor(extract(epoch from c.time) / 86400)`,
  arrived: `select meter, register, day - date '1970-01-01' as day, (extract(epoch from latest) * 1000)::bigint as latest from amiable.arrival
    where latest >= $1 and register = any($2::integer[]) and day >= $3::date and day <= $4::date and ($5::bigint[] is null or meter = any($5::bigint[]))`,
  came: `select meter, register, day - date '1970-01-01' as day, came as latest from amiable.block
    where came >= $1::bigint and register = any($2::integer[]) and day >= $3::date and day <= $4::date and ($5::bigint[] is null or meter = any($5::bigint[]))`,

  /** Edits that stand, in the order in which they were applied. */
  standing: `select e.meter, e.register, (extract(epoch from e.from_time) * 1000)::bigint as from_ms,
      (extract(epoch from e.to_time) * 1000)::bigint as to_ms, e.mantissas
    from amiable.value_edit e where e.state = 'applied' and e.meter = any($1::bigint[]) and e.register = any($2::integer[])
      and e.from_time < $4 and e.to_time > $3 order by coalesce(e.decided_at, e.made_at), e.id`,
  /** Meterings of which edits that stand take values away. */
  takenAway: `select distinct e.meter, e.register from amiable.value_edit e where e.state = 'applied' and array_position(e.mantissas, null) is not null
    and e.from_time < $2 and e.to_time > $1`,
  insertEdit: `insert into amiable.value_edit (meter, register, from_time, to_time, mantissas, scaler, state, reason, made_by, made_at, account)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) returning id`,
  edit: `select ${EDIT} where e.id = $1 and ${inScope(2)}`,
  edits: `select ${EDIT} where ${inScope(1)} and ($2::bigint is null or e.meter = $2) and ($3::text is null or e.state = $3)
    and ($4::bigint is null or e.id < $4) order by e.id desc limit $5`,
  editsOf: `select ${EDIT} where e.id = any($1::bigint[]) order by e.id`,
  /** Those of one request. */
  madeAt: `select ${EDIT} where e.made_by = $1 and e.made_at = $2 order by e.id`,
  decide: `update amiable.value_edit set state = $2, decided_by = $3, decided_at = $4 where id = $1 and state = 'waiting' returning id`,
  undo: `update amiable.value_edit set state = 'undone', undone_by = $2, undone_at = $3, undo_reason = $4
    where id = $1 and state = 'applied' returning id`,
  /** An edit that stands and changed some of the same values later. */
  laterEdit: `select c.edit from amiable.change_log c join amiable.value_edit e on e.id = c.edit
    where c.meter = $1 and c.register = $2 and c.time >= $3 and c.time < $4 and c.edit <> $5 and e.state = 'applied' and c.id > $6
    order by c.id desc limit 1`,

  setting: 'select value from amiable.setting where name = $1',
  setSetting: `insert into amiable.setting (name, value, changed_at, changed_by) values ($1, $2, $3, $4)
    on conflict (name) do update set value = excluded.value, changed_at = excluded.changed_at, changed_by = excluded.changed_by`,
} as const;

/** What stands in place of a day says not when that day came. */
function over(): string {
  return `on conflict (meter, register, day) do update set sum = excluded.sum, hmax = excluded.hmax,
      start = excluded.start, step = excluded.step, n = excluded.n, missing = excluded.missing, scaler = excluded.scaler,
      version = excluded.version, v = excluded.v, s = excluded.s`;
}

export const upsertMeterings: RowsStatement = {
  name: 'metering.upsert',
  before: `insert into amiable.block as old (${COLUMNS}, came)`,
  types: [
    'bigint',
    'bigint',
    'bigint',
    'integer',
    'date',
    'integer',
    'integer',
    'integer',
    'integer',
    'smallint',
    'smallint',
    'bytea',
    'bytea',
    'bigint',
  ],
  after: `${over()} returning 1`,
};

export const appendArrivals: RowsStatement = {
  name: 'arrival.append',
  before: 'insert into amiable.arrival as old (meter, register, day, latest, runs)',
  types: ['bigint', 'integer', 'date', 'timestamptz', 'bytea'],
  after: `on conflict (meter, register, day) do update set latest = excluded.latest, runs = old.runs || excluded.runs returning 1`,
};
