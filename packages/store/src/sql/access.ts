/** Users, groups, segments, tokens, sessions and the audit log. All on the coordinator but the segment of a meter. */

const USER = `a.id, a.name, a.language, a.attributes, a.disabled, a.password is not null as can_log_in, a.must_change, a.all_segments,
    a.failed, a.last_login_at, a.created_at, a.erased_at,
    array(select g.user_group from amiable.user_in_group g where g.account = a.id order by g.user_group) as groups,
    array(select s.segment from amiable.user_segment s where s.account = a.id order by s.segment) as segments`;
const PRIVILEGES = `array(select distinct p from amiable.user_in_group g join amiable.user_group u on u.id = g.user_group
      cross join unnest(u.privileges) p where g.account = a.id) as privileges`;
const GROUP = `g.id, g.name, g.description, g.privileges, g.built_in,
    (select count(*) from amiable.user_in_group m where m.user_group = g.id)::integer as members`;
const TOKEN = `t.id, t.account, a.name as user_name, t.name, t.privileges, t.segments, t.created_at, t.expires_at, t.last_used_at`;

export const accessSql = {
  /** Whoever changes users or groups holds it: what is checked before the change is true at the change. */
  lock: 'select id from amiable.user_group where id = 1 for update',

  users: `select ${USER} from amiable.user_account a where a.id > $1 and ($3::text is null or a.name_key like $3)
    order by a.id limit $2`,
  user: `select ${USER} from amiable.user_account a where a.id = $1`,
  userByName: `select ${USER}, a.password from amiable.user_account a where a.name_key = $1`,
  passwordOf: 'select password from amiable.user_account where id = $1',
  rights: `select a.all_segments, ${PRIVILEGES}, array(select s.segment from amiable.user_segment s where s.account = a.id) as segments
    from amiable.user_account a where a.id = $1`,
  rightsOfGroups: `select array(select distinct p from amiable.user_group u cross join unnest(u.privileges) p
    where u.id = any($1::integer[])) as privileges`,
  knownGroups: 'select id from amiable.user_group where id = any($1::integer[])',
  knownSegments: 'select id from amiable.segment where id = any($1::integer[])',
  insertUser: `insert into amiable.user_account (name, name_key, password, must_change, language, attributes, all_segments, created_at)
    values ($1, $2, $3, $4, $5, $6::jsonb, $7, $8) on conflict (name_key) do nothing returning id`,
  nameTaken: 'select id from amiable.user_account where name_key = $1 and id <> $2',
  changeUser: `update amiable.user_account set name = $2, name_key = $3, password = $4, must_change = $5, language = $6,
    attributes = $7::jsonb, disabled = $8, all_segments = $9 where id = $1`,
  deleteUser: 'delete from amiable.user_account where id = $1 returning id',
  leaveGroups: 'delete from amiable.user_in_group where account = $1',
  joinGroups:
    'insert into amiable.user_in_group (account, user_group) select $1, g from unnest($2::integer[]) g on conflict do nothing',
  leaveSegments: 'delete from amiable.user_segment where account = $1',
  joinSegments:
    'insert into amiable.user_segment (account, segment) select $1, s from unnest($2::integer[]) s on conflict do nothing',
  loggedIn: `update amiable.user_account set failed = 0, last_login_at = $2, password = coalesce($3, password) where id = $1`,
  loginFailed: 'update amiable.user_account set failed = least(failed + 1, 1000000), failed_at = $2 where id = $1',
  administrators: `select a.id from amiable.user_account a join amiable.user_in_group g on g.account = a.id
    where g.user_group = 1 and not a.disabled and a.password is not null and a.erased_at is null limit 1`,

  groups: `select ${GROUP} from amiable.user_group g order by g.id`,
  group: `select ${GROUP} from amiable.user_group g where g.id = $1`,
  insertGroup: `insert into amiable.user_group (name, description, privileges) values ($1, $2, $3)
    on conflict (name) do nothing returning id`,
  groupNameTaken: 'select id from amiable.user_group where name = $1 and id <> $2',
  changeGroup: 'update amiable.user_group set name = $2, description = $3, privileges = $4 where id = $1',
  deleteGroup: 'delete from amiable.user_group where id = $1 and not built_in returning id',
  emptyGroup: 'delete from amiable.user_in_group where user_group = $1',
  endSessionsOfGroup: `delete from amiable.session s where s.account in
    (select g.account from amiable.user_in_group g where g.user_group = $1) and ($2::bytea is null or s.hash <> $2)`,

  segments: `select s.id, s.name, s.description, (select count(*) from amiable.meter m where m.segment = s.id)::integer as meters
    from amiable.segment s where $1::integer[] is null or s.id = any($1::integer[]) order by s.id`,
  segment: `select s.id, s.name, s.description, (select count(*) from amiable.meter m where m.segment = s.id)::integer as meters
    from amiable.segment s where s.id = $1`,
  insertSegment:
    'insert into amiable.segment (name, description) values ($1, $2) on conflict (name) do nothing returning id',
  segmentNameTaken: 'select id from amiable.segment where name = $1 and id <> $2',
  changeSegment: 'update amiable.segment set name = $2, description = $3 where id = $1',
  someMeterIn: 'select m.id from amiable.meter m where m.segment = $1 limit 1',
  someHolderOf: `select 1 as one from amiable.user_segment s where s.segment = $1
    union all select 1 as one from amiable.token t where $1 = any(t.segments) limit 1`,
  deleteSegment: 'delete from amiable.segment where id = $1 returning id',
  moveMeters: `update amiable.meter m set segment = $2 where m.id = any($1::bigint[]) and m.segment <> $2
    and ($3::integer[] is null or m.segment = any($3::integer[])) returning m.id`,
  metersIn: 'select m.id from amiable.meter m where m.segment = any($1::integer[]) order by m.id',

  tokens: `select ${TOKEN} from amiable.token t join amiable.user_account a on a.id = t.account
    where t.id > $1 and ($3::bigint is null or t.account = $3) order by t.id limit $2`,
  token: `select ${TOKEN} from amiable.token t join amiable.user_account a on a.id = t.account where t.id = $1`,
  insertToken: `insert into amiable.token (account, name, hash, privileges, segments, created_at, expires_at)
    values ($1, $2, $3, $4, $5, $6, $7) returning id`,
  deleteToken: 'delete from amiable.token where id = $1 returning id',
  deleteTokensOf: 'delete from amiable.token where account = $1',
  byToken: `select ${USER}, ${PRIVILEGES}, t.id as token, t.name as token_name, t.privileges as token_privileges,
    t.segments as token_segments, t.last_used_at
    from amiable.token t join amiable.user_account a on a.id = t.account
    where t.hash = $1 and not a.disabled and (t.expires_at is null or t.expires_at > $2)`,
  tokenUsed: 'update amiable.token set last_used_at = $2 where id = $1',

  insertSession: `insert into amiable.session (hash, account, kind, created_at, used_at, idle_ms, ends_at, agent, address)
    values ($1, $2, $3, $4, $4, $5, $6, $7, $8)`,
  /** A user has so many sessions at most: the longest unused ends. */
  trimSessions: `delete from amiable.session s where s.account = $1 and s.hash not in
    (select k.hash from amiable.session k where k.account = $1 order by k.used_at desc, k.created_at desc limit $2)`,
  bySession: `select ${USER}, ${PRIVILEGES}, s.kind, s.used_at, s.ends_at, s.idle_ms
    from amiable.session s join amiable.user_account a on a.id = s.account
    where s.hash = $1 and not a.disabled and s.ends_at > $2`,
  sessionUsed: 'update amiable.session set used_at = $2 where hash = $1',
  sessions: `select s.hash, s.kind, s.created_at, s.used_at, s.ends_at, s.idle_ms, s.agent, s.address
    from amiable.session s where s.account = $1 and s.ends_at > $2 order by s.used_at desc`,
  endSession: 'delete from amiable.session where hash = $1 returning account',
  endSessions: 'delete from amiable.session where account = $1 and ($2::bytea is null or hash <> $2) returning account',

  setFirstCode: `insert into amiable.first_code (id, hash, made_at) values (1, $1, $2)
    on conflict (id) do update set hash = excluded.hash, made_at = excluded.made_at`,
  firstCode: 'select hash from amiable.first_code where id = 1',
  dropFirstCode: 'delete from amiable.first_code where id = 1',

  insertAudit: `insert into amiable.audit (at, who, account, token, action, object, detail, address)
    values ($1, $2, $3, $4, $5, $6, $7::jsonb, $8)`,
  audit: `select u.id, u.at, u.who, u.account, u.token, u.action, u.object, u.detail, u.address from amiable.audit u
    where u.id < $1 and ($2::timestamptz is null or u.at >= $2) and ($3::timestamptz is null or u.at < $3)
      and ($4::bigint is null or u.account = $4) and ($5::text is null or u.object like $5) and ($6::text is null or u.action like $6)
    order by u.id desc limit $7`,

  eraseUser: `update amiable.user_account set name = $2, name_key = $2, password = null, language = null, attributes = '{}',
    disabled = true, all_segments = false, erased_at = $3 where id = $1`,
  eraseFromAudit: 'update amiable.audit set who = $2, address = null where account = $1',
  eraseObjectsFromAudit: 'update amiable.audit set detail = null where object = any($1::text[])',

  erasePremises: `update amiable.premises p set customer = null, account = null, address = null, contact = null, erased_at = $2
    where p.node = $1 and exists (select 1 from amiable.node n where n.id = $1 and ($3::integer[] is null or n.segment = any($3::integer[])))
    returning p.node`,
  metersAt: 'select m.id from amiable.meter m where m.path @> array[$1::bigint]',
  eraseMeterNames: `update amiable.meter set name = null, place = null where id = any($1::bigint[])`,
  eraseMeterChanges: `update amiable.meter_change set was = null, became = null
    where meter = any($1::bigint[]) and field in ('name', 'place')`,

  retainAddresses: 'update amiable.audit set address = null where at < $1 and address is not null',
  retainAudit: 'delete from amiable.audit where at < $1 returning id',
  retainSessions:
    "delete from amiable.session where ends_at <= $1 or used_at + idle_ms * interval '1 millisecond' <= $1 returning account",
  retainTokens: 'delete from amiable.token where expires_at < $1',
  retainFailed: 'update amiable.user_account set failed = 0, failed_at = null where failed_at < $1',
} as const;
