/** Statements of read-outs: connections, secrets, counters, states. */
import type { RowsStatement } from './values.ts';

const CONNECTION = `c.meter, c.protocol, c.address, c.transport, c.readout, c.referencing, c.client, c.server, c.physical,
    c.authentication, c.suite, c.ciphered, c.device_address, c.channel, c.identity`;

export const readoutSql = {
  sets: 'select type, content from amiable.readout_set',
  putSet: `insert into amiable.readout_set (type, content, changed_at) values ($1, $2::jsonb, $3::timestamptz)
    on conflict (type) do update set content = excluded.content, changed_at = excluded.changed_at`,
  removeSet: 'delete from amiable.readout_set where type = $1 returning type',
  /** `$1` meter, `$2` segments, `$3` channel, `$4` search, `$5` after, `$6` limit. */
  connections: `select ${CONNECTION}, c.changed_at, m.serial,
      (select coalesce(array_agg(s.name order by s.name), '{}') from amiable.connection_secret s where s.meter = c.meter) as secrets
    from amiable.connection c join amiable.meter m on m.id = c.meter
    where ($1::bigint is null or c.meter = $1::bigint)
      and ($2::integer[] is null or m.segment = any($2::integer[]))
      and ($3::text is null or c.channel = $3::text)
      and ($4::text is null or position(lower($4::text) in m.search) > 0 or position(lower($4::text) in lower(c.address)) > 0)
      and ($5::bigint is null or c.meter > $5::bigint)
      and ($7::bigint[] is null or c.meter = any($7::bigint[]))
    order by c.meter limit $6`,
  /** Whether a meter has secrets, or one of those that are reached through it. */
  keepsSecrets: `with recursive behind(meter, depth) as (
      select $1::bigint, 0
      union all select c.meter, b.depth + 1 from behind b join amiable.connection c on c.address = 'via:' || b.meter where b.depth < 3
    ) select exists (select from amiable.connection_secret s where s.meter in (select meter from behind)) as some`,
  removeConnection: 'delete from amiable.connection where meter = $1 returning meter',
  removeSecrets: 'delete from amiable.connection_secret where meter = $1',
  removeSecret: 'delete from amiable.connection_secret where meter = $1 and name = $2',
  targets: `select m.id, m.serial, m.utility_serial, m.time_zone, ${CONNECTION}
    from amiable.meter m left join amiable.connection c on c.meter = m.id where m.id = any($1::bigint[])`,
  secrets: 'select meter, name, ciphertext from amiable.connection_secret where meter = any($1::bigint[])',
  states: `select meter, tried_at, read_at, outcome, reason, failures, fingerprint, configuration, delivers, deviation, deviation_at, stranger
    from amiable.readout_state where meter = any($1::bigint[])`,
  meetingOutcome:
    'select meter from amiable.readout_state where outcome = $1 and meter > $2::bigint order by meter limit $3',
  logs: 'select meter, log, newest from amiable.log_state where meter = any($1::bigint[])',
  raise: `insert into amiable.invocation_counter (meter, key, bound) values ($1::bigint, $2, $3::bigint)
    on conflict (meter, key) do update set bound = excluded.bound where invocation_counter.bound < excluded.bound`,
} as const;

export const upsertConnections: RowsStatement = {
  name: 'connection.upsert',
  before: `insert into amiable.connection (meter, protocol, address, transport, readout, referencing, client, server, physical,
      authentication, suite, ciphered, device_address, channel, identity, changed_at)`,
  types: [
    'bigint',
    'text',
    'text',
    'text',
    'text',
    'text',
    'integer',
    'integer',
    'integer',
    'text',
    'smallint',
    'boolean',
    'text',
    'text',
    'text',
    'timestamptz',
  ],
  after: `on conflict (meter) do update set protocol = excluded.protocol, address = excluded.address, transport = excluded.transport,
      readout = excluded.readout, referencing = excluded.referencing, client = excluded.client, server = excluded.server,
      physical = excluded.physical, authentication = excluded.authentication, suite = excluded.suite, ciphered = excluded.ciphered,
      device_address = excluded.device_address, channel = excluded.channel, identity = excluded.identity,
      changed_at = excluded.changed_at`,
};

export const upsertSecrets: RowsStatement = {
  name: 'connection_secret.upsert',
  before: 'insert into amiable.connection_secret (meter, name, ciphertext, changed_at)',
  types: ['bigint', 'text', 'bytea', 'timestamptz'],
  after: 'on conflict (meter, name) do update set ciphertext = excluded.ciphertext, changed_at = excluded.changed_at',
};

/** bound is the number of counters wanted; what comes back is the first number that is not the caller's. */
export const reserveCounters: RowsStatement = {
  name: 'invocation_counter.reserve',
  before: 'insert into amiable.invocation_counter (meter, key, bound)',
  types: ['bigint', 'text', 'bigint'],
  after: `on conflict (meter, key) do update set bound = invocation_counter.bound + excluded.bound
    where invocation_counter.bound + excluded.bound <= 4294967295 returning meter, bound, peer`,
};

export const notePeers: RowsStatement = {
  name: 'invocation_counter.peer',
  before: 'insert into amiable.invocation_counter (meter, key, bound, peer)',
  types: ['bigint', 'text', 'bigint', 'bigint'],
  after: `on conflict (meter, key) do update set peer = excluded.peer where invocation_counter.peer < excluded.peer`,
};

export const upsertStates: RowsStatement = {
  name: 'readout_state.upsert',
  before: `insert into amiable.readout_state as old (meter, tried_at, read_at, outcome, reason, failures, fingerprint, configuration,
      delivers, deviation, deviation_at, stranger)`,
  types: [
    'bigint',
    'timestamptz',
    'timestamptz',
    'text',
    'text',
    'integer',
    'text',
    'jsonb',
    'jsonb',
    'integer',
    'timestamptz',
    'text',
  ],
  after: `on conflict (meter) do update set tried_at = excluded.tried_at, read_at = coalesce(excluded.read_at, old.read_at),
      outcome = excluded.outcome, reason = excluded.reason,
      failures = case when excluded.failures = 0 then 0 else old.failures + 1 end,
      fingerprint = coalesce(excluded.fingerprint, old.fingerprint),
      configuration = coalesce(excluded.configuration, old.configuration),
      delivers = case when excluded.delivers is null then old.delivers else coalesce(old.delivers, '{}'::jsonb) || excluded.delivers end,
      deviation = coalesce(excluded.deviation, old.deviation), deviation_at = coalesce(excluded.deviation_at, old.deviation_at),
      stranger = excluded.stranger
    where old.tried_at <= excluded.tried_at`,
};

export const upsertLogStates: RowsStatement = {
  name: 'log_state.upsert',
  before: 'insert into amiable.log_state as old (meter, log, newest)',
  types: ['bigint', 'text', 'timestamptz'],
  after: 'on conflict (meter, log) do update set newest = excluded.newest where old.newest < excluded.newest',
};
