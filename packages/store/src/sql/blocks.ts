/** Statements of the block tables. */
import type { RowsStatement } from './values.ts';

export const COLUMNS = 'meter, sum, hmax, register, day, start, step, n, missing, scaler, version, v, s';

const CHANGE_COLUMNS = `meter, register, time, mantissa, scaler, quality, new_mantissa, new_scaler, new_quality, kept, source, who, reason,
      at, edit`;

export const blockSql = {
  /** All who write blocks take turns, so that what one read to merge is still so when it writes. */
  lockBlocks: 'select pg_advisory_xact_lock(4117002)',
  emptyStage: 'truncate amiable.block_stage',
  copyStage: `copy amiable.block_stage (${COLUMNS}) from stdin (format binary)`,
  copyBlock: `copy amiable.block (${COLUMNS}) from stdin (format binary)`,
  /** Of a metering, which says when it came. */
  copyMetering: `copy amiable.block (${COLUMNS}, came) from stdin (format binary)`,
  copyChanges: `copy amiable.change_log (${CHANGE_COLUMNS}) from stdin (format binary)`,
  savepoint: 'savepoint bulk',
  rollbackTo: 'rollback to savepoint bulk',
  /**
   * Staged blocks that are new (the first column is null) or differ from what is there. The span of days, since 1970, lets
   * the planner leave out the other months.
   */
  copyDiffering: (first: number, last: number): string =>
    `copy (select b.meter, s.meter, s.register, s.day - date '1970-01-01', s.start, s.step, s.n, s.scaler, s.version,
      case when b.meter is not null then s.v end, case when b.meter is not null then s.s end
    from amiable.block_stage s left join amiable.block b on b.meter = s.meter and b.register = s.register and b.day = s.day
      and ${between(first, last)}
    where b.meter is null or (b.start, b.step, b.n, b.scaler) is distinct from (s.start, s.step, s.n, s.scaler)
      or b.v <> s.v or b.s <> s.s) to stdout (format binary)`,
  insertStaged: `insert into amiable.block (${COLUMNS}) select ${COLUMNS} from amiable.block_stage
    on conflict (meter, register, day) do nothing returning 1`,
  /** A few blocks of one meter, and in a row of its own how far it is compacted and its days with late messages. */
  fewAndState: `select register, day - date '1970-01-01', start, step, n, scaler, v, s, null::bigint, null::integer[]
    from amiable.block where meter = $1 and register = any($2::integer[]) and day >= $3::date and day <= $4::date
    union all
    select -1, 0, 0, 0, 0, 0, null, null, (extract(epoch from t.compacted_to) * 1000)::bigint,
      array(select d.day - date '1970-01-01' from amiable.dirty d where d.meter = $1 and d.day >= $3::date and d.day <= $5::date)
    from amiable.meter_state t where t.meter = $1`,
  /** Blocks of some meters, registers and days; numbers only. Days since 1970. */
  copyBlocks: (meters: readonly string[], registers: readonly number[], first: number, last: number): string =>
    `copy (select meter, register, day - date '1970-01-01', start, step, n, scaler, version, v, s from amiable.block
    where meter in (${integers(meters)}) and register in (${integers(registers)})
      and day >= date '1970-01-01' + ${integer(first)} and day <= date '1970-01-01' + ${integer(last)}
    order by meter, register, day) to stdout (format binary)`,
} as const;

const between = (first: number, last: number): string =>
  `b.day >= date '1970-01-01' + ${integer(first)} and b.day <= date '1970-01-01' + ${integer(last)}`;

/** COPY takes no parameters; what goes into its text is made of digits only. */
export function integer(value: number | string): string {
  const text = String(value);
  if (!/^-?\d{1,19}$/.test(text)) throw new RangeError(`${text} is no integer`);
  return text;
}
export const integers = (values: readonly (number | string)[]): string => values.map(integer).join(', ');

/** Which of some keys are there already. */
export const probeBlocks: RowsStatement = {
  name: 'block.probe',
  before: 'select 1 from amiable.block b join (',
  types: ['bigint', 'integer', 'date'],
  after: ') as p (meter, register, day) on b.meter = p.meter and b.register = p.register and b.day = p.day',
};

export const upsertBlocks: RowsStatement = {
  name: 'block.upsert',
  before: `insert into amiable.block as old (${COLUMNS})`,
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
  ],
  after: `on conflict (meter, register, day) do update set sum = excluded.sum, hmax = excluded.hmax,
      start = excluded.start, step = excluded.step, n = excluded.n, missing = excluded.missing, scaler = excluded.scaler,
      version = excluded.version, v = excluded.v, s = excluded.s
    where (old.start, old.step, old.n, old.scaler) is distinct from (excluded.start, excluded.step, excluded.n, excluded.scaler)
      or old.v <> excluded.v or old.s <> excluded.s returning 1`,
};

export const insertChanges: RowsStatement = {
  name: 'change_log.insert',
  before: `insert into amiable.change_log (${CHANGE_COLUMNS})`,
  types: [
    'bigint',
    'integer',
    'timestamptz',
    'bigint',
    'smallint',
    'smallint',
    'bigint',
    'smallint',
    'smallint',
    'boolean',
    'text',
    'text',
    'text',
    'timestamptz',
    'bigint',
  ],
  after: '',
};
