-- Tasks, flows, runs and jobs. All on the coordinator: work is leased here, whatever the values are spread over.
--
-- A job is one meter of one run. What workers fight for is the row of the meter in work_meter, so that all that is due for a
-- meter goes to one of them; its priority and times are those of its waiting jobs.

create table amiable.task (
  id bigint generated always as identity primary key,
  name text not null,
  kind text not null,
  state text not null default 'active' check (state in ('active', 'paused', 'deleted')),
  version integer not null default 1,
  definition jsonb not null,
  creator text not null,
  creator_id bigint,
  scope integer[],
  created timestamptz not null,
  changed timestamptz not null,
  next_due timestamptz,
  planned_to text
);
comment on table amiable.task is 'Task definitions: what is read of which meters and when, or what the central system does by itself.';
comment on column amiable.task.id is 'Number of the task.';
comment on column amiable.task.name is 'What people call it; unique among those that are not deleted.';
comment on column amiable.task.kind is 'monthly, daily, profile, events, status, quality, outage, registers, clock; completeness, import, export, backup, retention.';
comment on column amiable.task.state is 'active, paused (makes no runs) or deleted (kept for its runs).';
comment on column amiable.task.version is 'Version that holds; older ones are in task_version.';
comment on column amiable.task.definition is 'Parameters, targets, schedule, windows, retry rule, limits.';
comment on column amiable.task.creator is 'Who made it; its runs have the rights of this account.';
comment on column amiable.task.creator_id is 'The user behind the account; null for programs of our own.';
comment on column amiable.task.scope is 'Data segments its runs may touch; null is all.';
comment on column amiable.task.created is 'When it was made.';
comment on column amiable.task.changed is 'When its newest version was made.';
comment on column amiable.task.next_due is 'The next occurrence of its schedule; null when there is none.';
comment on column amiable.task.planned_to is 'Nominal local time of the last occurrence that was dealt with.';
create unique index task_name on amiable.task (name) where state <> 'deleted';
create index task_due on amiable.task (next_due) where state = 'active';

create table amiable.task_version (
  task bigint not null,
  version integer not null,
  definition jsonb not null,
  changed_by text not null,
  changed_at timestamptz not null,
  primary key (task, version)
);
comment on table amiable.task_version is 'Every form a task ever had.';
comment on column amiable.task_version.task is 'The task.';
comment on column amiable.task_version.version is 'Counts from 1.';
comment on column amiable.task_version.definition is 'As task.definition.';
comment on column amiable.task_version.changed_by is 'Who wrote this version.';
comment on column amiable.task_version.changed_at is 'When.';

create table amiable.flow (
  id bigint generated always as identity primary key,
  name text not null,
  state text not null default 'active' check (state in ('active', 'paused', 'deleted')),
  version integer not null default 1,
  definition jsonb not null,
  creator text not null,
  creator_id bigint,
  scope integer[],
  created timestamptz not null,
  changed timestamptz not null,
  next_due timestamptz,
  planned_to text
);
comment on table amiable.flow is 'Task flows: steps, each of which is a task, and the conditions under which one follows another.';
comment on column amiable.flow.id is 'Number of the flow.';
comment on column amiable.flow.name is 'What people call it; unique among those that are not deleted.';
comment on column amiable.flow.state is 'active, paused (makes no runs) or deleted (kept for its runs).';
comment on column amiable.flow.version is 'Version that holds; older ones are in flow_version.';
comment on column amiable.flow.definition is 'Steps, conditions, schedule.';
comment on column amiable.flow.creator is 'Who made it; its runs have the rights of this account.';
comment on column amiable.flow.creator_id is 'The user behind the account; null for programs of our own.';
comment on column amiable.flow.scope is 'Data segments its runs may touch; null is all.';
comment on column amiable.flow.created is 'When it was made.';
comment on column amiable.flow.changed is 'When its newest version was made.';
comment on column amiable.flow.next_due is 'The next occurrence of its schedule; null when there is none.';
comment on column amiable.flow.planned_to is 'Nominal local time of the last occurrence that was dealt with.';
create unique index flow_name on amiable.flow (name) where state <> 'deleted';
create index flow_due on amiable.flow (next_due) where state = 'active';

create table amiable.flow_version (
  flow bigint not null,
  version integer not null,
  definition jsonb not null,
  changed_by text not null,
  changed_at timestamptz not null,
  primary key (flow, version)
);
comment on table amiable.flow_version is 'Every form a flow ever had.';
comment on column amiable.flow_version.flow is 'The flow.';
comment on column amiable.flow_version.version is 'Counts from 1.';
comment on column amiable.flow_version.definition is 'As flow.definition.';
comment on column amiable.flow_version.changed_by is 'Who wrote this version.';
comment on column amiable.flow_version.changed_at is 'When.';

create table amiable.occurrence (
  kind text not null check (kind in ('task', 'flow')),
  owner bigint not null,
  nominal text not null,
  run bigint,
  at timestamptz not null,
  primary key (kind, owner, nominal)
);
comment on table amiable.occurrence is 'Occurrences of schedules that were dealt with: each makes one run, whatever the clock does.';
comment on column amiable.occurrence.kind is 'Whether the owner is a task or a flow.';
comment on column amiable.occurrence.owner is 'Its number.';
comment on column amiable.occurrence.nominal is 'The local time it is due by name, such as 2026-10-25T02:30; with + for the second pass of a repeated hour.';
comment on column amiable.occurrence.run is 'The run it made; null when it was missed and passed over.';
comment on column amiable.occurrence.at is 'The instant it was due.';
create index occurrence_at on amiable.occurrence (at);

create table amiable.run (
  id bigint generated always as identity primary key,
  what text not null check (what in ('task', 'flow')),
  task bigint,
  flow bigint,
  parent bigint,
  step text,
  version integer,
  kind text,
  name text not null,
  state text not null default 'waiting' check (state in ('waiting', 'running', 'paused', 'done', 'failed', 'cancelled')),
  definition jsonb not null,
  meters bigint[],
  priority smallint not null default 5,
  due timestamptz not null,
  expires timestamptz not null,
  created timestamptz not null,
  started timestamptz,
  ended timestamptz,
  creator text not null,
  creator_id bigint,
  scope integer[],
  transaction text not null default '',
  expanded boolean not null default false,
  expanded_to bigint,
  held_by text,
  held_until timestamptz,
  total integer not null default 0,
  done integer not null default 0,
  failed integer not null default 0,
  given_up integer not null default 0,
  expired integer not null default 0,
  cancelled integer not null default 0,
  tries bigint not null default 0,
  stored bigint not null default 0,
  progress jsonb,
  note text
);
comment on table amiable.run is 'One execution of a task or a flow. The steps of a flow''s run are runs of their own, with it as parent.';
comment on column amiable.run.id is 'Number of the run.';
comment on column amiable.run.what is 'task or flow.';
comment on column amiable.run.task is 'The task it executes; null for what was ordered without one.';
comment on column amiable.run.flow is 'The flow it executes.';
comment on column amiable.run.parent is 'The run of the flow that it is a step of.';
comment on column amiable.run.step is 'Name of the step in the flow.';
comment on column amiable.run.version is 'Version of the task or flow that it executes.';
comment on column amiable.run.kind is 'Kind of the task; null for flows.';
comment on column amiable.run.name is 'Name of the task or flow when it was made.';
comment on column amiable.run.state is 'waiting, running, paused; done, failed, cancelled.';
comment on column amiable.run.definition is 'The definition that it executes, as it was.';
comment on column amiable.run.meters is 'The meters it is about where they were named with the order; null when the definition says.';
comment on column amiable.run.priority is '0 to 9; 9 goes first.';
comment on column amiable.run.due is 'When it was due.';
comment on column amiable.run.expires is 'Not worth doing any more after this.';
comment on column amiable.run.created is 'When it was made.';
comment on column amiable.run.started is 'When its first jobs were made.';
comment on column amiable.run.ended is 'When it ended.';
comment on column amiable.run.creator is 'Whose rights it has.';
comment on column amiable.run.creator_id is 'The user behind the account; null for programs of our own.';
comment on column amiable.run.scope is 'Data segments it may touch; null is all.';
comment on column amiable.run.transaction is 'Its entry in the transaction log.';
comment on column amiable.run.expanded is 'Whether a job was made for each of its meters.';
comment on column amiable.run.expanded_to is 'The last meter that a job was made for.';
comment on column amiable.run.held_by is 'The central process that makes its jobs or executes it now.';
comment on column amiable.run.held_until is 'Until when it may; another takes over then.';
comment on column amiable.run.total is 'Jobs.';
comment on column amiable.run.done is 'Jobs done.';
comment on column amiable.run.failed is 'Jobs that failed for good.';
comment on column amiable.run.given_up is 'Jobs given up by the retry rule.';
comment on column amiable.run.expired is 'Jobs whose time was over.';
comment on column amiable.run.cancelled is 'Jobs cancelled.';
comment on column amiable.run.tries is 'Tries of all jobs together.';
comment on column amiable.run.stored is 'Values and events stored.';
comment on column amiable.run.progress is 'What the system''s own tasks and flows say of themselves.';
comment on column amiable.run.note is 'A warning or the reason of a failure, in words.';
create unique index run_transaction on amiable.run (transaction) where transaction <> '';
create index run_open on amiable.run (id) where state in ('waiting', 'running', 'paused');
create index run_task on amiable.run (task, id);
create index run_flow on amiable.run (flow, id);
create unique index run_parent on amiable.run (parent, step) where parent is not null;
create index run_meter on amiable.run ((meters[1]), id) where task is null and cardinality(meters) = 1;
create index run_ended on amiable.run (ended) where ended is not null;

create table amiable.job (
  run bigint not null,
  meter bigint not null,
  state text not null default 'waiting'
    check (state in ('waiting', 'leased', 'done', 'failed', 'given-up', 'cancelled', 'expired')),
  open boolean not null default true,
  priority smallint not null,
  attempts smallint not null default 0,
  ready timestamptz not null,
  worker text,
  ended timestamptz,
  stored integer not null default 0,
  reason text,
  primary key (run, meter)
) with (fillfactor = 75);
comment on table amiable.job is 'One meter of one run.';
comment on column amiable.job.run is 'The run.';
comment on column amiable.job.meter is 'The meter.';
comment on column amiable.job.state is 'waiting, leased; done, failed, given-up, cancelled, expired.';
comment on column amiable.job.open is 'Whether it is waiting or leased.';
comment on column amiable.job.priority is '0 to 9; less with every try that failed.';
comment on column amiable.job.attempts is 'Tries that ended.';
comment on column amiable.job.ready is 'Not to be tried before.';
comment on column amiable.job.worker is 'Who has it, or had it last.';
comment on column amiable.job.ended is 'When it ended.';
comment on column amiable.job.stored is 'Values and events stored by it.';
comment on column amiable.job.reason is 'Why the last try failed, in words.';
-- The state itself is in no index: leasing a job changes its row in place.
create index job_open on amiable.job (meter) where open;

create table amiable.work_lane (
  id integer generated always as identity primary key,
  channel text not null,
  concentrator text not null,
  network text not null,
  unique (channel, concentrator, network)
);
comment on table amiable.work_lane is 'Ways to meters that share limits and windows.';
comment on column amiable.work_lane.id is 'Number of the lane.';
comment on column amiable.work_lane.channel is 'Name of the channel; empty for none.';
comment on column amiable.work_lane.concentrator is 'Code of the concentrator; empty for meters that are reached directly.';
comment on column amiable.work_lane.network is 'Name of the network; empty for none.';

create table amiable.work_meter (
  meter bigint primary key,
  lane integer not null,
  queued boolean not null,
  priority smallint not null,
  ready timestamptz not null,
  wake timestamptz,
  worker text,
  until timestamptz
) with (fillfactor = 75);
comment on table amiable.work_meter is 'Meters with open jobs: what workers lease.';
comment on column amiable.work_meter.meter is 'The meter.';
comment on column amiable.work_meter.lane is 'How it is reached.';
comment on column amiable.work_meter.queued is 'Whether a job of it may be done now.';
comment on column amiable.work_meter.priority is 'The highest of the jobs that may be done now.';
comment on column amiable.work_meter.ready is 'Since when the first of them waits.';
comment on column amiable.work_meter.wake is 'When the next job becomes ready; null when there is none.';
comment on column amiable.work_meter.worker is 'Who has leased it.';
comment on column amiable.work_meter.until is 'When the lease ends.';
create index work_meter_queue on amiable.work_meter (lane, priority desc, ready) where queued and worker is null;
create index work_meter_wake on amiable.work_meter (wake) where wake is not null and worker is null;
create index work_meter_leased on amiable.work_meter (until) where worker is not null;

create table amiable.channel (
  kind text not null check (kind in ('channel', 'concentrator', 'network')),
  name text not null,
  most integer,
  windows jsonb not null default '[]',
  time_zone text not null,
  address text,
  device jsonb,
  primary key (kind, name)
);
comment on table amiable.channel is 'Limits and time windows of what meters are reached through.';
comment on column amiable.channel.kind is 'channel (modem pool, gateway), concentrator or network.';
comment on column amiable.channel.name is 'Its name; * stands for all of the kind that have no row of their own.';
comment on column amiable.channel.most is 'Meters at a time; null is without limit.';
comment on column amiable.channel.windows is 'When it may be used: days (1 Monday to 7 Sunday), from and to in minutes of the local day; none is always.';
comment on column amiable.channel.time_zone is 'In which its windows are meant.';
comment on column amiable.channel.device is 'Of a channel: what it opens, such as its modems with their settings and the pause between calls; null for none.';
comment on column amiable.channel.address is 'Of a network: addresses that belong to it, such as 10.20.0.0/16.';

create table amiable.work_worker (
  worker text primary key,
  seen timestamptz not null,
  leases bigint not null default 0,
  meters bigint not null default 0,
  jobs bigint not null default 0,
  empty bigint not null default 0,
  conflicts bigint not null default 0,
  waited bigint not null default 0,
  retries bigint not null default 0,
  finished bigint not null default 0,
  refused bigint not null default 0,
  lost bigint not null default 0
);
comment on table amiable.work_worker is 'What each worker had of the queue, and how much workers stood in each other''s way.';
comment on column amiable.work_worker.worker is 'Its name.';
comment on column amiable.work_worker.seen is 'When it last asked.';
comment on column amiable.work_worker.leases is 'Times it asked.';
comment on column amiable.work_worker.meters is 'Meters it got.';
comment on column amiable.work_worker.jobs is 'Jobs it got.';
comment on column amiable.work_worker.empty is 'Times it got nothing.';
comment on column amiable.work_worker.conflicts is 'Times it met another worker: had to wait for the limits to be counted, or found meters locked.';
comment on column amiable.work_worker.waited is 'How long it waited for others, microseconds.';
comment on column amiable.work_worker.retries is 'Transactions done again after a deadlock, a serialisation failure or a lost connection.';
comment on column amiable.work_worker.finished is 'Outcomes taken from it.';
comment on column amiable.work_worker.refused is 'Outcomes refused because its lease was lost.';
comment on column amiable.work_worker.lost is 'Leases it let end.';
