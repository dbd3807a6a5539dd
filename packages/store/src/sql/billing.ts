/**
 * Statements of billing. Tariffs and contracts are reference tables; bills lie by meter and are joined with reference tables alone; runs
 * and releases are the coordinator's own. A scope is a list of segments, null for all: bills and contracts belong to that of their metering point.
 */
const within = (table: string, parameter: string): string =>
  `(${parameter}::integer[] is null or ${table}.segment = any(${parameter}::integer[]))`;
const some = (from: string): string => `(select count(*)::integer from (select 1 ${from} limit 10001) x)`;
const VERSION = `t.name as tariff, v.tariff as tariff_id, v.version, v.state, v.valid_from::text as valid_from, v.definition, v.created_at, v.created_by, v.published_at, v.published_by`;
const TARIFF = `t.id, t.name, t.description,
    (select max(v.version) from amiable.tariff_version v where v.tariff = t.id and v.state = 'published') as published,
    (select max(v.version) from amiable.tariff_version v where v.tariff = t.id and v.state = 'draft') as draft,
    (select max(v.valid_from)::text from amiable.tariff_version v where v.tariff = t.id and v.state = 'published') as valid_from,
    ${some('from amiable.contract c where c.tariff = t.id and c.replaced_at is null')} as contracts`;
const CONTRACT = `c.id, c.metering_point, n.code, c.product, c.tariff as tariff_id, t.name as tariff, c.reference, c.cycle, c.cycle_day, c.parameters,
    c.from_time, c.to_time, c.recorded_at, c.recorded_by, c.replaced_at, c.replaced_by, c.reason`;
const CONTRACTS = `from amiable.contract c join amiable.node n on n.id = c.metering_point join amiable.tariff t on t.id = c.tariff`;
/** $1 point, $2 product, $3 tariff, $4 from, $5 to, $6 meters, $7 cycle, $8 also replaced ones, $9 scope. */
const WANTED = `($1::bigint is null or c.metering_point = $1::bigint) and ($2::text is null or c.product = $2::text)
      and ($3::text is null or t.name = $3::text)
      and ($4::timestamptz is null or c.to_time is null or c.to_time > $4::timestamptz)
      and ($5::timestamptz is null or c.from_time < $5::timestamptz)
      and ($6::bigint[] is null or c.metering_point in (select l.parent from amiable.link l
        where l.child = any($6::bigint[]) and l.kind = 'installed' and l.replaced_at is null
          and ($5::timestamptz is null or l.from_time < $5::timestamptz)
          and ($4::timestamptz is null or l.to_time is null or l.to_time > $4::timestamptz)))
      and ($7::text is null or c.cycle = $7::text) and ($8 or c.replaced_at is null) and ${within('n', '$9')}`;
const RUN = `r.id, r.kind, r.state, r.name, r.from_time, r.to_time, r.definition, r.segments, r.task_run, r.created_at, r.created_by, r.ended_at, r.report, r.error`;
const BILL = `b.meter, b.run, b.contract, b.metering_point, n.code, b.kind, b.state, b.product, b.tariff as tariff_id, t.name as tariff, b.tariff_version,
    b.from_time, b.to_time, b.currency, b.scaler, b.amount, b.total, b.measured, b.calculated, b.edited, b.estimated, b.missing,
    b.value_version, b.seen_at, b.previous_run, b.reason`;
const BILLS = `from amiable.bill b join amiable.node n on n.id = b.metering_point join amiable.tariff t on t.id = b.tariff`;
const RELEASE = `e.id, e.metering_point, n.code, e.from_time, e.to_time, e.reason, e.released_at, e.released_by`;
const RELEASES = `from amiable.billing_release e join amiable.node n on n.id = e.metering_point`;

const LISTED = `($1::bigint is null or b.run = $1::bigint) and ($2::bigint is null or b.metering_point = $2::bigint)
      and ($3::bigint is null or b.meter = $3::bigint) and ($4::text is null or b.product = $4::text) and ($5::text is null or b.state = $5::text)
      and ($6::timestamptz is null or b.to_time > $6::timestamptz) and ($7::timestamptz is null or b.from_time < $7::timestamptz)
      and ($8::bigint is null or (b.meter, b.run, b.contract) > ($8::bigint, $9::bigint, $10::bigint)) and ${within('n', '$11')}
    order by b.meter, b.run, b.contract limit $12`;

export const billingSql = {
  // -- tariffs
  tariffs: `select ${TARIFF} from amiable.tariff t
    where ($1::text is null or t.name > $1::text) and ($2::text is null or position(lower($2::text) in lower(t.name)) > 0)
    order by t.name limit $3`,
  tariff: `select ${TARIFF} from amiable.tariff t where t.name = $1`,
  versions: `select ${VERSION} from amiable.tariff_version v join amiable.tariff t on t.id = v.tariff where t.name = $1 order by v.version limit 10000`,
  version: `select ${VERSION} from amiable.tariff_version v join amiable.tariff t on t.id = v.tariff where t.name = $1 and v.version = $2`,
  published: `select ${VERSION} from amiable.tariff_version v join amiable.tariff t on t.id = v.tariff
    where v.tariff = any($1::integer[]) and v.state = 'published' order by v.tariff, v.valid_from, v.version`,
  lockTariff: 'select id from amiable.tariff where name = $1 for update',
  insertTariff: `insert into amiable.tariff (name, description, created_at, created_by) values ($1, $2, $3, $4)
    on conflict (name) do nothing returning id`,
  describeTariff: 'update amiable.tariff set description = $2 where id = $1',
  lastVersion: `select max(version) as version, max(case when state = 'draft' then version end) as draft from amiable.tariff_version where tariff = $1`,
  insertVersion: `insert into amiable.tariff_version (tariff, version, state, valid_from, definition, created_at, created_by)
    values ($1, $2, 'draft', $3, $4, $5, $6)`,
  changeDraft: `update amiable.tariff_version set valid_from = $3, definition = $4, created_at = $5, created_by = $6
    where tariff = $1 and version = $2 and state = 'draft' returning version`,
  publish: `update amiable.tariff_version set state = 'published', published_at = $3, published_by = $4
    where tariff = $1 and version = $2 and state = 'draft' returning version`,
  removeDraft: `delete from amiable.tariff_version where tariff = $1 and state = 'draft' returning version`,
  removeTariff: `delete from amiable.tariff t where t.id = $1
    and not exists (select 1 from amiable.tariff_version v where v.tariff = t.id)
    and not exists (select 1 from amiable.contract c where c.tariff = t.id)`,
  billedUntil: `select max(b.to_time) as until from amiable.bill b where b.tariff = $1 and b.state = 'billed'`,

  // -- contracts
  contracts: `select ${CONTRACT} ${CONTRACTS} where ${WANTED} and ($10::bigint is null or c.id > $10::bigint) order by c.id limit $11`,
  dueContracts: `select ${CONTRACT} ${CONTRACTS} where ${WANTED} and c.metering_point > $10::bigint
    order by c.metering_point, c.product, c.from_time limit $11`,
  contract: `select ${CONTRACT} ${CONTRACTS} where c.id = $1 and ${within('n', '$2')}`,
  contractsById: `select ${CONTRACT} ${CONTRACTS} where c.id = any($1::bigint[]) and ${within('n', '$2')} order by c.id`,
  contractStays: `select c.id, c.from_time, c.to_time, c.tariff, c.reference, c.cycle, c.cycle_day, c.parameters from amiable.contract c
    where c.metering_point = $1 and c.product = $2 and c.replaced_at is null order by c.from_time`,
  replaceContract:
    'update amiable.contract set replaced_at = $2, replaced_by = $3, reason = $4 where id = $1 and replaced_at is null',
  insertContract: `insert into amiable.contract (metering_point, product, tariff, reference, cycle, cycle_day, parameters, from_time, to_time, recorded_at, recorded_by)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) returning id`,
  tariffOf: `select t.id from amiable.tariff t where t.name = $1`,

  // -- where meters stood
  staysOfPoints: `select l.parent as point, l.child as meter, l.from_time, l.to_time from amiable.link l
    where l.parent = any($1::bigint[]) and l.kind = 'installed' and l.from_time < $3::timestamptz and (l.to_time is null or l.to_time > $2::timestamptz)
      and case when $4::timestamptz is null then l.replaced_at is null
        else l.recorded_at <= $4::timestamptz and (l.replaced_at is null or l.replaced_at > $4::timestamptz) end
    order by l.parent, l.from_time`,
  staysOfMeters: `select l.parent as point, l.child as meter, l.from_time, l.to_time from amiable.link l
    where l.child = any($1::bigint[]) and l.kind = 'installed' and l.replaced_at is null
      and l.from_time < $3::timestamptz and (l.to_time is null or l.to_time > $2::timestamptz) order by l.parent, l.from_time`,
  /** Metering points where some of the meters stood, or where any did. */
  pointsOfMeters: `select distinct n.id, n.code from amiable.link l join amiable.node n on n.id = l.parent
    where ($1::bigint[] is null or l.child = any($1::bigint[])) and l.kind = 'installed' and l.replaced_at is null
      and l.from_time < $3::timestamptz and (l.to_time is null or l.to_time > $2::timestamptz) and n.id > $4::bigint and ${within('n', '$5')}
    order by n.id limit $6`,
  pointInScope: `select n.id from amiable.node n where n.id = $1 and n.kind = 'metering-point' and ${within('n', '$2')}`,
  zonesOf: 'select m.id, m.time_zone from amiable.meter m where m.id = any($1::bigint[])',

  // -- runs
  beginRun: `insert into amiable.billing_run as r (kind, state, name, from_time, to_time, definition, segments, task_run, created_at, created_by)
    values ($1, 'running', $2, $3, $4, $5, $6, $7, $8, $9) on conflict (task_run) do update set state = 'running', ended_at = null, error = null
    returning ${RUN}`,
  endRun: `update amiable.billing_run set state = $2, report = $3, error = $4, ended_at = $5 where id = $1`,
  run: `select ${RUN} from amiable.billing_run r where r.id = $1 and ($2::integer[] is null or r.segments <@ $2::integer[])`,
  runs: `select ${RUN} from amiable.billing_run r where ($1::bigint is null or r.id < $1::bigint)
    and ($2::integer[] is null or r.segments <@ $2::integer[]) order by r.id desc limit $3`,

  // -- bills
  /** Runs bill one after another what they write: two of them never bill the same. */
  lockBills: 'select pg_advisory_xact_lock(4117009)',
  bills: `select ${BILL} ${BILLS} where ${LISTED}`,
  wholeBills: `select ${BILL}, b.days, b.detail ${BILLS} where ${LISTED}`,
  bill: `select ${BILL}, b.days, b.detail ${BILLS} where b.meter = $1 and b.run = $2 and b.contract = $3 and ${within('n', '$4')}`,
  billedOf: `select ${BILL}, b.days, b.detail ${BILLS} where b.metering_point = any($1::bigint[]) and b.state = 'billed'
    and b.to_time > $2::timestamptz and b.from_time < $3::timestamptz order by b.metering_point, b.product, b.from_time, b.run`,
  billedSpans: `select b.meter, b.run, b.contract, b.metering_point, b.kind, b.product, b.from_time, b.to_time from amiable.bill b
    where b.metering_point = any($1::bigint[]) and b.state = 'billed' and b.to_time > $2::timestamptz and b.from_time < $3::timestamptz`,
  billedPoints: `select distinct b.metering_point as point from amiable.bill b join amiable.node n on n.id = b.metering_point
    where b.state = 'billed' and b.to_time > $1::timestamptz and b.from_time < $2::timestamptz and b.metering_point > $3::bigint
      and ($4::text is null or b.product = $4::text)
      and ($5::bigint[] is null or b.metering_point in (select l.parent from amiable.link l
        where l.child = any($5::bigint[]) and l.kind = 'installed' and l.replaced_at is null
          and l.from_time < $2::timestamptz and (l.to_time is null or l.to_time > $1::timestamptz)))
      and ${within('n', '$6')}
    order by b.metering_point limit $7`,
  billsOfRun: `select b.contract from amiable.bill b where b.run = $1 and b.metering_point = any($2::bigint[])`,
  reached: 'select max(b.metering_point) as point from amiable.bill b where b.run = $1',
  sums: `select b.state, b.currency, b.scaler, count(*)::integer as n, coalesce(sum(b.amount), 0)::bigint as amount from amiable.bill b
    where b.run = $1 group by b.state, b.currency, b.scaler order by b.state, b.currency`,
  copyBills: `copy amiable.bill (meter, run, contract, metering_point, kind, state, product, tariff, tariff_version, from_time, to_time, currency,
    scaler, amount, total, measured, calculated, edited, estimated, missing, value_version, seen_at, previous_run, days, detail, reason)
    from stdin (format binary)`,

  // -- determinants
  determinantsReached: 'select max(d.metering_point) as point from amiable.determinant d where d.run = $1',
  determinantsOfRun:
    'select distinct d.contract from amiable.determinant d where d.run = $1 and d.metering_point = any($2::bigint[])',
  determinants: `select d.meter, d.contract, d.quantity, d.from_time, d.to_time, d.metering_point, n.code, t.name as tariff, d.tariff_version, d.unit,
      d.scaler, d.rates, d.energy, d.highest, d.highest_at, d.step, d.measured, d.calculated, d.edited, d.estimated, d.missing, d.value_version, d.seen_at
    from amiable.determinant d join amiable.node n on n.id = d.metering_point join amiable.tariff t on t.id = d.tariff
    where d.run = $1 and d.metering_point > $2::bigint and ${within('n', '$3')} order by d.metering_point, d.contract, d.quantity, d.from_time limit $4`,
  countDeterminants: 'select count(*)::integer as n from amiable.determinant d where d.run = $1',
  copyDeterminants: `copy amiable.determinant (meter, run, contract, quantity, from_time, to_time, metering_point, tariff, tariff_version, unit, scaler,
    rates, energy, highest, highest_at, step, measured, calculated, edited, estimated, missing, value_version, seen_at) from stdin (format binary)`,

  // -- what a person let through
  insertRelease: `insert into amiable.billing_release (metering_point, from_time, to_time, reason, released_at, released_by)
    values ($1, $2, $3, $4, $5, $6) returning id`,
  releases: `select ${RELEASE} ${RELEASES} where ($1::bigint is null or e.metering_point = $1::bigint) and ($2::bigint is null or e.id < $2::bigint)
    and ${within('n', '$3')} order by e.id desc limit $4`,
  releasesOf: `select ${RELEASE} ${RELEASES} where e.metering_point = any($1::bigint[]) and e.to_time > $2::timestamptz and e.from_time < $3::timestamptz
    order by e.id`,
} as const;
