/** Statements of formats, destinations, deliveries, imports of readings and commands. */
const format = `name, version, definition, (extract(epoch from changed_at) * 1000)::float8 as changed, changed_by as by`;
const destination = `d.name, d.version, d.kind, d.definition, d.segments, d.enabled, (extract(epoch from d.changed_at) * 1000)::float8 as changed,
  d.changed_by as by, array(select s.name from amiable.destination_secret s where s.destination = d.name order by s.name) as secrets`;
const delivery = `d.id::text as id, d.destination, d.run::text as run, d.resend_of::text as resend_of, d.format, d.format_version, d.file, d.media_type,
  (extract(epoch from d.from_time) * 1000)::float8 as from, (extract(epoch from d.to_time) * 1000)::float8 as to,
  (extract(epoch from d.as_of) * 1000)::float8 as as_of, d.meters, d.rows::float8 as rows, d.corrected, d.bytes::float8 as bytes, d.digest, d.segments,
  d.state, d.tries, (extract(epoch from d.next_try) * 1000)::float8 as next_try, d.reason, d.answer,
  (extract(epoch from d.created_at) * 1000)::float8 as created, d.created_by as by, (extract(epoch from d.sent_at) * 1000)::float8 as sent,
  (extract(epoch from d.acknowledged_at) * 1000)::float8 as acknowledged, d.acknowledged_by`;
const readings = `i.id::text as id, i.state, i.dry, i.name, i.format, i.digest, i.detail, i.segments, i.who,
  (extract(epoch from i.started_at) * 1000)::float8 as started, (extract(epoch from i.ended_at) * 1000)::float8 as ended, i.report`;
const command = `c.id::text as id, c.source, c.reference, c.kind, c.meter::text as meter, c.point, c.parameters, c.digest, c.callback, c.state,
  (extract(epoch from c.due) * 1000)::float8 as due, (extract(epoch from c.expires) * 1000)::float8 as expires, c.work, c.result, c.sentence, c.segments,
  c.account::text as account, c.who, (extract(epoch from c.created_at) * 1000)::float8 as created,
  (extract(epoch from c.started_at) * 1000)::float8 as started, (extract(epoch from c.ended_at) * 1000)::float8 as ended, c.told, c.told_tries`;
/** What was made of segments that the caller may all see; null stands for all there are. */
const within = (table: string, parameter: string): string =>
  `(${parameter}::integer[] is null or (${table}.segments is not null and ${table}.segments <@ ${parameter}::integer[]))`;

export const deliverySql = {
  formats: `select ${format} from amiable.format order by name`,
  format: `select ${format} from amiable.format where name = $1`,
  formatVersion: `select ${format} from amiable.format_version where name = $1 and version = $2`,
  formatNewest: `select coalesce(max(version), 0)::int as version from amiable.format_version where name = $1`,
  putFormat: `insert into amiable.format (name, version, definition, changed_at, changed_by) values ($1, $2, $3::jsonb, $4::timestamptz, $5)
    on conflict (name) do update set version = excluded.version, definition = excluded.definition, changed_at = excluded.changed_at,
      changed_by = excluded.changed_by`,
  putFormatVersion: `insert into amiable.format_version (name, version, definition, changed_at, changed_by)
    values ($1, $2, $3::jsonb, $4::timestamptz, $5)`,
  sameFormat: `select version from amiable.format where name = $1 and definition = $2::jsonb`,
  removeFormat: `delete from amiable.format where name = $1 returning name`,

  destinations: `select ${destination} from amiable.destination d where ${within('d', '$1')} order by d.name`,
  destination: `select ${destination} from amiable.destination d where d.name = $1 and ${within('d', '$2')}`,
  putDestination: `insert into amiable.destination as d (name, version, kind, definition, segments, enabled, changed_at, changed_by)
    values ($1, 1, $2, $3::jsonb, $4::integer[], $5, $6::timestamptz, $7)
    on conflict (name) do update set version = d.version + 1, kind = excluded.kind, definition = excluded.definition, segments = excluded.segments,
      enabled = excluded.enabled, changed_at = excluded.changed_at, changed_by = excluded.changed_by returning d.version`,
  removeDestination: `delete from amiable.destination where name = $1 returning name`,
  forgetSecrets: `delete from amiable.destination_secret where destination = $1`,
  putSecret: `insert into amiable.destination_secret (destination, name, ciphertext, changed_at) values ($1, $2, $3, $4::timestamptz)
    on conflict (destination, name) do update set ciphertext = excluded.ciphertext, changed_at = excluded.changed_at`,
  removeSecret: `delete from amiable.destination_secret where destination = $1 and name = $2`,
  secrets: `select name, ciphertext from amiable.destination_secret where destination = $1`,

  begin: `insert into amiable.delivery (destination, run, format, format_version, file, media_type, from_time, to_time, as_of, meters, rows, corrected, bytes,
      digest, segments, state, created_at, created_by, held_until)
    values ($1, $2::bigint, $3, $4::integer, $5, $6, $7::timestamptz, $8::timestamptz, $9::timestamptz, 0, 0, 0, 0, '', $10::integer[], 'making',
      $11::timestamptz, $12, $13::timestamptz) returning id::text as id`,
  addPart: `insert into amiable.delivery_part (delivery, part, content) values ($1, $2, $3)`,
  finish: `update amiable.delivery d set state = 'waiting', meters = $2, rows = $3, corrected = $4, bytes = $5, digest = $6, next_try = $7::timestamptz, file = $8, held_until = null
    where d.id = $1 and d.state = 'making' returning ${delivery}`,
  hold: `update amiable.delivery set held_until = $2::timestamptz where id = $1 and state = 'making'`,
  interrupt: `update amiable.delivery set state = 'failed', reason = $2, held_until = null
    where state = 'making' and (held_until is null or held_until < $1::timestamptz) returning id::text as id`,
  ofRun: `select ${delivery} from amiable.delivery d where d.run = $1::bigint and d.resend_of is null and d.digest <> '' order by d.id desc limit 1`,
  abandonParts: `delete from amiable.delivery_part where delivery = $1`,
  abandon: `delete from amiable.delivery where id = $1 and state = 'making'`,
  resend: `insert into amiable.delivery as d (destination, resend_of, format, format_version, file, media_type, from_time, to_time, as_of, meters, rows,
      corrected, bytes, digest, segments, state, next_try, created_at, created_by)
    select o.destination, coalesce(o.resend_of, o.id), o.format, o.format_version, o.file, o.media_type, o.from_time, o.to_time, o.as_of, o.meters, o.rows,
      o.corrected, o.bytes, o.digest, o.segments, 'waiting', $2::timestamptz, $2::timestamptz, $3
    from amiable.delivery o where o.id = $1 and o.state <> 'making'
      and exists (select 1 from amiable.delivery_part p where p.delivery = coalesce(o.resend_of, o.id)) returning ${delivery}`,
  get: `select ${delivery} from amiable.delivery d where d.id = $1 and ${within('d', '$2')}`,
  list: `select ${delivery} from amiable.delivery d where ($1::text is null or d.destination = $1) and ($2::text is null or d.state = $2)
      and ($3::bigint is null or d.id < $3) and ${within('d', '$4')} order by d.id desc limit $5`,
  parts: `select p.part from amiable.delivery_part p join amiable.delivery d on p.delivery = coalesce(d.resend_of, d.id) where d.id = $1 order by p.part`,
  part: `select p.content from amiable.delivery_part p join amiable.delivery d on p.delivery = coalesce(d.resend_of, d.id)
    where d.id = $1 and p.part = $2`,
  take: `update amiable.delivery d set state = 'sending', tries = d.tries + 1, held_by = $1, held_until = $3::timestamptz
    where d.id = (select o.id from amiable.delivery o where o.state in ('waiting', 'sending') and o.next_try <= $2::timestamptz
        and (o.held_until is null or o.held_until < $2::timestamptz) and ($4::bigint is null or o.id = $4)
      order by o.next_try, o.id limit 1 for update skip locked) returning ${delivery}`,
  settle: `update amiable.delivery set state = $3, next_try = $4::timestamptz, reason = $5, answer = coalesce($6, answer),
      sent_at = coalesce($7::timestamptz, sent_at), acknowledged_at = $8::timestamptz, acknowledged_by = $9, held_by = null, held_until = null
    where id = $1 and held_by = $2 and state = 'sending' returning id`,
  change: `update amiable.delivery d set state = $3, reason = coalesce($6, d.reason), next_try = null,
      acknowledged_at = case when $3 in ('acknowledged', 'refused') then $4::timestamptz else d.acknowledged_at end,
      acknowledged_by = case when $3 in ('acknowledged', 'refused') then $5 else d.acknowledged_by end
    where d.id = $1 and d.state = any($2::text[]) returning ${delivery}`,
  unacknowledged: `select ${delivery} from amiable.delivery d where d.state = 'sent' and d.destination = $1 order by d.sent_at limit $2`,
  last: `select ${delivery} from amiable.delivery d where d.destination = $1 and d.resend_of is null and d.state not in ('making', 'cancelled') and d.digest <> ''
    order by d.to_time desc, d.id desc limit 1`,
  prune: `with gone as (delete from amiable.delivery_part where delivery in (select d.id from amiable.delivery d
      where d.destination = $2 and d.created_at < $1::timestamptz and d.state in ('acknowledged', 'refused', 'failed', 'cancelled', 'sent')
      and not exists (select 1 from amiable.delivery r where r.resend_of = d.id and r.state in ('waiting', 'sending'))) returning delivery)
    select count(distinct delivery)::int as n from gone`,

  beginImport: `insert into amiable.readings_import (state, dry, name, format, detail, segments, who, started_at, held_until)
    values ('running', $1, $2, $3, $4::jsonb, $5::integer[], $6, $7::timestamptz, $8::timestamptz) returning id::text as id`,
  holdImport: `update amiable.readings_import set held_until = $2::timestamptz where id = $1 and state = 'running'`,
  interruptImports: `update amiable.readings_import set state = 'interrupted', ended_at = $1::timestamptz, held_until = null
    where state = 'running' and (held_until is null or held_until < $2::timestamptz) returning id::text as id`,
  pruneImports: `with gone as (delete from amiable.readings_import where state <> 'running' and started_at < $1::timestamptz returning id)
    select count(*)::int as n from gone`,
  endImport: `update amiable.readings_import set state = $2, ended_at = $3::timestamptz, digest = $4, report = $5::jsonb where id = $1 and state = 'running'`,
  import: `select ${readings} from amiable.readings_import i where i.id = $1 and ${within('i', '$2')}`,
  imports: `select ${readings} from amiable.readings_import i where ($1::bigint is null or i.id < $1) and ${within('i', '$2')} order by i.id desc limit $3`,
  sameBytes: `select ${readings} from amiable.readings_import i where i.digest = $1 and i.state = 'done' and not i.dry order by i.id limit 1`,

  addCommand: `insert into amiable.command as c (source, reference, kind, meter, point, parameters, digest, callback, state, due, expires, sentence, segments,
      account, who, created_at, ended_at, told, told_next)
    values ($1, $2, $3, $4::bigint, $5, $6::jsonb, $7, $8, $9, $10::timestamptz, $11::timestamptz, $12, $13::integer[], $14::bigint, $15,
      $16::timestamptz, case when $9 = 'refused' then $16::timestamptz end, case when $9 = 'refused' and $8::text is not null then 'waiting' end,
      case when $9 = 'refused' and $8::text is not null then $16::timestamptz end)
    on conflict (source, reference) do nothing returning ${command}`,
  command: `select ${command} from amiable.command c where c.id = $1 and ${within('c', '$2')}`,
  commandByReference: `select ${command} from amiable.command c where c.source = $1 and c.reference = $2`,
  commands: `select ${command} from amiable.command c where ($1::text is null or c.source = $1) and ($2::text is null or c.state = $2)
      and ($3::text is null or c.kind = $3) and ($4::bigint is null or c.id < $4) and ${within('c', '$5')} order by c.id desc limit $6`,
  takeCommand: `update amiable.command c set state = 'running', held_by = $1, held_until = $3::timestamptz, started_at = coalesce(c.started_at, $2::timestamptz)
    where c.id = (select o.id from amiable.command o where o.state in ('waiting', 'running') and o.due <= $2::timestamptz
        and (o.held_until is null or o.held_until < $2::timestamptz)
      order by o.due, o.id limit 1 for update skip locked) returning ${command}`,
  settleCommand: `update amiable.command set state = $3, due = coalesce($5::timestamptz, due), work = coalesce($6::jsonb, work), result = coalesce($7::jsonb, result),
      sentence = coalesce($8, sentence), held_by = null, held_until = null, ended_at = case when $3 in ('waiting', 'running') then null else $4::timestamptz end,
      told = case when $3 in ('waiting', 'running') or callback is null then told else 'waiting' end,
      told_next = case when $3 in ('waiting', 'running') or callback is null then told_next else $4::timestamptz end
    where id = $1 and held_by = $2 and state = 'running' returning id`,
  cancelCommand: `update amiable.command c set state = 'cancelled', ended_at = $3::timestamptz, sentence = 'Called off by ' || $2 || '.',
      told = case when c.callback is null then c.told else 'waiting' end, told_next = case when c.callback is null then c.told_next else $3::timestamptz end
    where c.id = $1 and c.state = 'waiting' returning ${command}`,
  untold: `update amiable.command c set told_tries = c.told_tries + 1, told_next = $2::timestamptz
    where c.id = (select o.id from amiable.command o where o.told = 'waiting' and o.told_next <= $1::timestamptz order by o.told_next, o.id limit 1
      for update skip locked) returning ${command}`,
  pruneCommands: `with gone as (delete from amiable.command where ended_at < $1::timestamptz and told is distinct from 'waiting' returning id)
    select count(*)::int as n from gone`,
  told: `update amiable.command set told = $2, told_next = $3::timestamptz where id = $1`,
} as const;
