/**
 * Statements of the work queue. Every statement takes whole batches; times come as parameters, for the clock may be simulated.
 *
 * Locks are taken in one order everywhere: rows of work_meter by meter, then jobs, then runs by number.
 */

/** Keys of advisory locks, in the space of the schema's own. */
export const LEASE_LOCK = 7_233_421_201;

/** What a meter's row must say by its open jobs. $1 meters, $2 now. */
const RECOMPUTE = `update amiable.work_meter w set
    worker = case when s.held then w.worker end,
    until = case when s.held then w.until end,
    queued = s.priority is not null,
    priority = coalesce(s.priority, 0),
    ready = coalesce(s.ready, w.ready),
    wake = s.wake
  from (
    select j.meter, bool_or(j.state = 'leased') as held,
      max(j.priority) filter (where j.state = 'waiting' and j.ready <= $2::timestamptz and r.state = 'running') as priority,
      min(j.ready) filter (where j.state = 'waiting' and j.ready <= $2::timestamptz and r.state = 'running') as ready,
      min(j.ready) filter (where j.state = 'waiting' and j.ready > $2::timestamptz and j.ready < 'infinity' and r.state = 'running') as wake
    from amiable.job j join amiable.run r on r.id = j.run
    where j.meter = any($1::bigint[]) and j.open group by j.meter) s
  where w.meter = s.meter`;

const RUN_COLUMNS = `id::text, what, task::text, flow::text, parent::text, step, version, kind, name, state, definition,
    priority, (extract(epoch from due) * 1000)::float8 as due, (extract(epoch from expires) * 1000)::float8 as expires,
    (extract(epoch from created) * 1000)::float8 as created, (extract(epoch from started) * 1000)::float8 as started,
    (extract(epoch from ended) * 1000)::float8 as ended, creator, creator_id::text, scope, transaction, expanded, expanded_to::text,
    total, done, failed, given_up, expired, cancelled, tries::float8 as tries, stored::float8 as stored, progress, note,
    meters::text[] as meters`;

export const leaseSql = {
  /** Ways that have meters waiting, and what holds for them. */
  lanes: 'select id, channel, concentrator, network from amiable.work_lane order by id',
  limits: `select kind, name, most, windows, time_zone from amiable.channel where most is not null or windows <> '[]'`,
  tryLock: `select pg_try_advisory_xact_lock(${LEASE_LOCK}) as got`,
  lock: `select pg_advisory_xact_lock(${LEASE_LOCK})`,
  /** A lost lease is a lease that is asked for again; the answer to its commit may come later. */
  quick: 'set local synchronous_commit = off',
  inUse: `select lane, count(*)::int as n from amiable.work_meter where worker is not null and until > $1::timestamptz group by lane`,
  /** Meters whose lease has ended. */
  ended: `select meter::text, worker from amiable.work_meter where worker is not null and until <= $1::timestamptz
    order by meter limit 2000 for update skip locked`,
  /** The try that nobody told the end of counts as one. */
  lose: `update amiable.job set state = 'waiting', worker = null, attempts = least(attempts + 1, 32000),
      ready = least(ready, $2::timestamptz), reason = 'the worker that had it did not come back'
    where meter = any($1::bigint[]) and open and state = 'leased' returning run::text, meter::text, attempts, priority`,
  /** Meters of which a job has become ready. */
  waking: `select meter::text from amiable.work_meter where wake <= $1::timestamptz and worker is null
    order by meter limit 5000 for update skip locked`,
  recompute: RECOMPUTE,
  /** Best first in each lane, no more than the lane may have. */
  candidates: `select c.meter::text, c.lane from unnest($1::int[], $2::int[]) as l (lane, cap)
    cross join lateral (
      select w.meter, w.lane, w.priority, w.ready from amiable.work_meter w
      where w.lane = l.lane and w.queued and w.worker is null and w.ready <= $3::timestamptz
      order by w.priority desc, w.ready limit l.cap for update skip locked) c
    order by c.priority desc, c.ready, c.meter limit $4::int`,
  /** Whether anything was left that others have locked. */
  anyQueued: `select exists (select from amiable.work_meter where lane = any($1::int[]) and queued and worker is null
    and ready <= $2::timestamptz) as some`,
  hold: `update amiable.work_meter set worker = $2, until = $3::timestamptz where meter = any($1::bigint[])`,
  /** Runs whose window may be closed now. */
  windowed: `select id::text, definition -> 'windows' as windows, definition ->> 'timeZone' as time_zone from amiable.run
    where state in ('waiting', 'running', 'paused') and what = 'task' and jsonb_array_length(coalesce(definition -> 'windows', '[]')) > 0`,
  take: `update amiable.job j set state = 'leased', worker = $2 from amiable.run r
    where j.meter = any($1::bigint[]) and j.open and j.state = 'waiting' and j.ready <= $3::timestamptz
      and r.id = j.run and r.state = 'running' and r.expires > $3::timestamptz and r.id <> all($4::bigint[])
    returning j.run::text, j.meter::text, j.priority, j.attempts`,
  runs: `select id::text, kind, definition -> 'parameters' as parameters, (extract(epoch from due) * 1000)::float8 as due,
      (extract(epoch from expires) * 1000)::float8 as expires, transaction
    from amiable.run where id = any($1::bigint[])`,
  /** Jobs that wait for a window; at most so many at once, for a page of meters is what a lease may cost. */
  deferJobs: `update amiable.job set ready = $3::timestamptz
    where meter = any($1::bigint[]) and open and state = 'waiting' and ready < $3::timestamptz and run = $2::bigint`,
  expireJobs: `update amiable.job j set state = 'expired', open = false, ended = $2::timestamptz from amiable.run r
    where j.meter = any($1::bigint[]) and j.open and j.state = 'waiting' and r.id = j.run and r.expires <= $2::timestamptz
    returning j.run::text`,
  renew: `update amiable.work_meter set until = $3::timestamptz where meter = any($1::bigint[]) and worker = $2`,
  lockMeters: `select meter from amiable.work_meter where meter = any($1::bigint[]) order by meter for update`,
  jobsOf: `select j.run::text, j.meter::text, j.state, j.worker, j.attempts, j.priority, j.open
    from unnest($1::bigint[], $2::bigint[]) as k (run, meter) join amiable.job j on j.run = k.run and j.meter = k.meter`,
  rules: `select id::text, state, (extract(epoch from due) * 1000)::float8 as due,
      (extract(epoch from expires) * 1000)::float8 as expires, definition -> 'retry' as retry,
      definition -> 'windows' as windows, definition ->> 'timeZone' as time_zone
    from amiable.run where id = any($1::bigint[])`,
  settle: `update amiable.job j set state = k.state, open = k.state = 'waiting', attempts = k.attempts, priority = k.priority,
      ready = coalesce(k.ready, j.ready), ended = case when k.state <> 'waiting' then $8::timestamptz end,
      stored = j.stored + k.stored, reason = k.reason
    from unnest($1::bigint[], $2::bigint[], $3::text[], $4::int[], $5::int[], $6::timestamptz[], $7::int[], $9::text[])
      as k (run, meter, state, attempts, priority, ready, stored, reason)
    where j.run = k.run and j.meter = k.meter`,
  /** Meters without anything left to do. */
  drop: `delete from amiable.work_meter w where w.meter = any($1::bigint[])
    and not exists (select from amiable.job j where j.meter = w.meter and j.open)`,
  lockRuns: `select id from amiable.run where id = any($1::bigint[]) order by id for update`,
  count: `update amiable.run r set done = r.done + k.done, failed = r.failed + k.failed, given_up = r.given_up + k.given_up,
      expired = r.expired + k.expired, cancelled = r.cancelled + k.cancelled, tries = r.tries + k.tries, stored = r.stored + k.stored
    from unnest($1::bigint[], $2::int[], $3::int[], $4::int[], $5::int[], $6::int[], $7::int[], $8::bigint[])
      as k (id, done, failed, given_up, expired, cancelled, tries, stored) where r.id = k.id`,
  heldBy: `select meter::text from amiable.work_meter where worker = $1 order by meter for update`,
  giveBack: `update amiable.job set state = 'waiting', worker = null
    where meter = any($1::bigint[]) and open and state = 'leased' and worker = $2`,
  free: 'update amiable.work_meter set worker = null, until = null where meter = any($1::bigint[])',
  countWorker: `insert into amiable.work_worker as old (worker, seen, leases, meters, jobs, empty, conflicts, waited, retries, finished, refused, lost)
    values ($1, $2::timestamptz, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
    on conflict (worker) do update set seen = excluded.seen, leases = old.leases + excluded.leases,
      meters = old.meters + excluded.meters, jobs = old.jobs + excluded.jobs, empty = old.empty + excluded.empty,
      conflicts = old.conflicts + excluded.conflicts, waited = old.waited + excluded.waited, retries = old.retries + excluded.retries,
      finished = old.finished + excluded.finished, refused = old.refused + excluded.refused, lost = old.lost + excluded.lost`,
} as const;

export const workSql = {
  addLanes: `insert into amiable.work_lane (channel, concentrator, network)
    select * from unnest($1::text[], $2::text[], $3::text[]) on conflict (channel, concentrator, network) do nothing`,
  /** How meters are reached: their channel, or the address whose network counts. */
  places: `select c.meter::text, coalesce(c.channel, '') as channel, c.address, coalesce(n.code, '') as concentrator
    from amiable.connection c
      left join amiable.link l on l.child = c.meter and l.kind = 'served' and l.to_time is null and l.replaced_at is null
      left join amiable.node n on n.id = l.parent
    where c.meter = any($1::bigint[])`,
  limitedPlaces: `select kind, name, address from amiable.channel
    where kind = 'concentrator' or kind = 'network' and address is not null order by name`,
  addMeters: `insert into amiable.work_meter as old (meter, lane, queued, priority, ready, wake)
    select k.meter, k.lane, $3::timestamptz <= $4::timestamptz, case when $3::timestamptz <= $4::timestamptz then $5::int else 0 end, $3::timestamptz,
      case when $3::timestamptz > $4::timestamptz and $3::timestamptz < 'infinity' then $3::timestamptz end
    from unnest($1::bigint[], $2::int[]) as k (meter, lane) order by k.meter
    on conflict (meter) do update set
      lane = excluded.lane,
      queued = old.queued or excluded.queued,
      priority = case when not excluded.queued then old.priority when old.queued and old.priority > excluded.priority then old.priority else excluded.priority end,
      ready = case when not excluded.queued then old.ready when old.queued and old.ready < excluded.ready then old.ready else excluded.ready end,
      wake = least(old.wake, excluded.wake)
    where old.lane <> excluded.lane or (excluded.queued and (not old.queued or old.priority < excluded.priority))
      or (excluded.wake is not null and (old.wake is null or old.wake > excluded.wake))`,
  addJobs: `insert into amiable.job (run, meter, priority, ready)
    select $1::bigint, k.meter, $3::int, $4::timestamptz from unnest($2::bigint[]) as k (meter) order by k.meter
    on conflict (run, meter) do nothing returning meter`,
  /** A page of jobs was made; nothing is returned when somebody else made it, or the run was ended in the meantime. */
  expanded: `update amiable.run set state = 'running', started = coalesce(started, $2::timestamptz), total = total + $3::int,
      expanded_to = coalesce($4::bigint, expanded_to), expanded = $5::boolean, note = coalesce($7, note)
    where id = $1::bigint and state in ('waiting', 'running') and not expanded and expanded_to is not distinct from $6::bigint returning id`,
  childOf: `select ${RUN_COLUMNS} from amiable.run where parent = $1::bigint and step = $2`,
  setTransaction: `update amiable.run set transaction = $2 where id = $1::bigint and transaction = '' returning id`,
  runMeters: `select meter::text from amiable.job where run = $1::bigint and meter > $2::bigint
    and ($3 = 'all' or (state = 'done') = ($3 = 'done')) order by meter limit $4::int`,
  /** Runs that ended while jobs of them waited: whoever ended them did not come to it. */
  leftOver: `select distinct r.id::text, r.state from amiable.job j join amiable.run r on r.id = j.run
    where j.open and j.state = 'waiting' and r.state in ('done', 'failed', 'cancelled')`,
  /** A run is known by its transaction, so that one whose commit went unanswered is not made twice. */
  addRun: `insert into amiable.run (what, task, flow, parent, step, version, kind, name, definition, meters, priority, due, expires, created,
      creator, scope, transaction, creator_id)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9::jsonb, $10::bigint[], $11, $12::timestamptz, $13::timestamptz, $14::timestamptz, $15, $16::int[], $17, $18::bigint)
    on conflict (transaction) where transaction <> '' do nothing returning ${RUN_COLUMNS}`,
  runOfTransaction: `select ${RUN_COLUMNS} from amiable.run where transaction = $1`,
  addOccurrence: `insert into amiable.occurrence (kind, owner, nominal, at) values ($1, $2, $3, $4::timestamptz)
    on conflict (kind, owner, nominal) do nothing returning nominal`,
  setOccurrence: 'update amiable.occurrence set run = $4::bigint where kind = $1 and owner = $2 and nominal = $3',
  run: `select ${RUN_COLUMNS} from amiable.run where id = $1::bigint`,
  runs: `select ${RUN_COLUMNS} from amiable.run
    where ($1::bigint is null or task = $1) and ($2::bigint is null or flow = $2) and ($3::bigint is null or parent = $3)
      and ($4::text is null or state = $4) and ($5::bigint is null or id < $5) and ($6::int[] is null or scope <@ $6)
    order by id desc limit $7`,
  openRuns: `select ${RUN_COLUMNS} from amiable.run where state in ('waiting', 'running', 'paused') order by id limit 10000`,
  openCount: `select count(*)::int as n from amiable.run where creator = $1 and state in ('waiting', 'running', 'paused')`,
  jobs: `select j.run::text, j.meter::text, m.serial, j.state, j.priority, j.attempts,
      (extract(epoch from nullif(j.ready, 'infinity')) * 1000)::float8 as ready, j.worker,
      (extract(epoch from j.ended) * 1000)::float8 as ended, j.stored, j.reason
    from amiable.job j join amiable.meter m on m.id = j.meter
    where j.run = $1::bigint and ($2::text is null or j.state = $2) and ($3::bigint is null or j.meter > $3)
      and ($4::int[] is null or m.segment = any($4)) order by j.meter limit $5`,
  holdRun: `update amiable.run set held_by = $2, held_until = $4::timestamptz
    where id = $1::bigint and (held_by is null or held_by = $2 or held_until <= $3::timestamptz) returning id`,
  unholdRun: 'update amiable.run set held_by = null, held_until = null where id = $1::bigint and held_by = $2',
  changeRun: `update amiable.run set state = $3, started = coalesce(started, case when $3 = 'running' then $4::timestamptz end),
      ended = case when $3 in ('done', 'failed', 'cancelled') then $4::timestamptz end, note = coalesce($5, note),
      progress = coalesce($6::jsonb, progress), expanded = expanded or $3 in ('done', 'failed', 'cancelled')
    where id = $1::bigint and state = any($2::text[]) returning ${RUN_COLUMNS}`,
  progress: `update amiable.run set progress = $2::jsonb where id = $1::bigint and state in ('waiting', 'running', 'paused')`,
  openMeters: `select meter::text from amiable.job where run = $1::bigint and open and meter > $2::bigint order by meter limit 5000`,
  endJobs: `update amiable.job set state = $3, open = false, ended = $4::timestamptz
    where run = $1::bigint and meter = any($2::bigint[]) and state = 'waiting' returning meter`,
  expiredRuns: `select id::text from amiable.run r where state in ('waiting', 'running', 'paused') and expires <= $1::timestamptz
      and exists (select from amiable.job j where j.run = r.id and j.state = 'waiting') order by id`,
  oldRuns: 'select id::text from amiable.run where ended < $1::timestamptz order by ended limit 50',
  deleteJobs: 'delete from amiable.job where run = any($1::bigint[])',
  deleteRuns: 'delete from amiable.run where id = any($1::bigint[])',
  deleteOccurrences: 'delete from amiable.occurrence where at < $1::timestamptz',
} as const;

/** Tasks and flows are kept alike: the same statements over two tables. */
function definitionTexts(what: 'task' | 'flow') {
  const table = `amiable.${what}`;
  const kind = what === 'task' ? 'kind, ' : '';
  const columns = `id::text, name, ${kind}state, version, definition, creator, creator_id::text, scope, (extract(epoch from created) * 1000)::float8 as created,
    (extract(epoch from changed) * 1000)::float8 as changed, (extract(epoch from next_due) * 1000)::float8 as next_due, planned_to`;
  return {
    add: `insert into ${table} (name, ${kind}definition, creator, creator_id, scope, created, changed, next_due)
      values ($1, ${what === 'task' ? '$8, ' : ''}$2::jsonb, $3, $7::bigint, $4::int[], $5::timestamptz, $5::timestamptz, $6::timestamptz)
      on conflict (name) where state <> 'deleted' do nothing returning ${columns}`,
    addVersion: `insert into ${table}_version (${what}, version, definition, changed_by, changed_at)
      values ($1::bigint, $2, $3::jsonb, $4, $5::timestamptz) on conflict (${what}, version) do nothing`,
    get: `select ${columns} from ${table} where id = $1::bigint and state <> 'deleted' and ($2::int[] is null or scope <@ $2)`,
    byName: `select ${columns} from ${table} where name = $1 and state <> 'deleted' and ($2::int[] is null or scope <@ $2)`,
    list: `select ${columns} from ${table} where state <> 'deleted' and ($1::bigint is null or id > $1) and ($2::int[] is null or scope <@ $2)
      order by id limit $3`,
    versions: `select version, definition, changed_by, (extract(epoch from changed_at) * 1000)::float8 as changed_at
      from ${table}_version where ${what} = $1::bigint order by version desc limit 1000`,
    change: `update ${table} set name = coalesce($3, name), definition = coalesce($4::jsonb, definition), state = coalesce($5, state),
        version = version + case when $4::jsonb is null then 0 else 1 end, changed = $6::timestamptz, next_due = $7::timestamptz,
        creator = coalesce($8, creator), creator_id = case when $8::text is null then creator_id else $10::bigint end,
        scope = case when $8::text is null then scope else $9::int[] end
      where id = $1::bigint and version = $2 and state <> 'deleted' returning ${columns}`,
    due: `select ${columns} from ${table} where state = 'active' and next_due <= $1::timestamptz order by next_due limit 200`,
    active: `select ${columns} from ${table} where state = 'active' and id > $1::bigint order by id limit 500`,
    planned: `update ${table} set planned_to = coalesce($2, planned_to), next_due = $3::timestamptz
      where id = $1::bigint and version = $4 and state = 'active' returning id`,
  } as const;
}

export const taskSql = definitionTexts('task');
export const flowSql = definitionTexts('flow');

export const channelSql = {
  list: 'select kind, name, most, windows, time_zone, address, device from amiable.channel order by kind, name',
  put: `insert into amiable.channel (kind, name, most, windows, time_zone, address, device) values ($1, $2, $3, $4::jsonb, $5, $6, $7::jsonb)
    on conflict (kind, name) do update set most = excluded.most, windows = excluded.windows, time_zone = excluded.time_zone, address = excluded.address,
      device = excluded.device`,
  remove: 'delete from amiable.channel where kind = $1 and name = $2 returning name',
  use: `select l.channel, l.concentrator, l.network, count(*) filter (where w.worker is not null and w.until > $1::timestamptz)::int as leased,
      count(*) filter (where w.queued and w.worker is null)::int as queued, count(*)::int as meters
    from amiable.work_meter w join amiable.work_lane l on l.id = w.lane group by l.id, l.channel, l.concentrator, l.network`,
  workers: `select worker, (extract(epoch from seen) * 1000)::float8 as seen, leases::float8, meters::float8, jobs::float8, empty::float8,
      conflicts::float8, waited::float8, retries::float8, finished::float8, refused::float8, lost::float8
    from amiable.work_worker order by worker limit 1000`,
  oldWorkers: 'delete from amiable.work_worker where seen < $1::timestamptz',
} as const;
