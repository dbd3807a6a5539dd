/**
 * Statements of bulk imports into the registry: staging tables are filled by COPY, checked as sets, and applied in the same
 * transaction. `$scope` parameters are arrays of segments, null for all: what lies in another segment is as if it were not there.
 */

/** Columns of the staging tables in the order of COPY. */
export const STAGED = {
  node: 'line, kind, code, given, name, segment, latitude, longitude, customer, account, address, contact, attributes',
  meter:
    'line, serial, given, utility_serial, name, place, time_zone, maker, type, phases, line_voltage, meter_type, param_id, config_id, segment, attributes',
  link: 'line, kind, child_kind, child, parent_kind, parent, channel, from_time, to_time, loose',
  ratio: 'line, metering_point, kind, primary_value, secondary_value, from_time, to_time',
  type: 'line, name, given, maker, description, medium, readout',
  connection:
    'line, serial, given, protocol, address, transport, readout, referencing, client, server, physical, authentication, suite, ciphered, device_address, channel, identity',
} as const;
export type StagedTable = keyof typeof STAGED;

/** Bits of `given`, in the order of the columns that may be left out. */
export const GIVEN = {
  node: ['name', 'segment', 'latitude', 'longitude', 'customer', 'account', 'address', 'contact'],
  meter: [
    'utility_serial',
    'name',
    'place',
    'time_zone',
    'maker',
    'type',
    'phases',
    'line_voltage',
    'meter_type',
    'param_id',
    'config_id',
    'segment',
  ],
  type: ['maker', 'description', 'medium', 'readout'],
  connection: [
    'protocol',
    'address',
    'transport',
    'readout',
    'referencing',
    'client',
    'server',
    'physical',
    'authentication',
    'suite',
    'ciphered',
    'device_address',
    'channel',
    'identity',
  ],
} as const;

const PERSONAL = ['customer', 'account', 'address', 'contact'];
const bit = (table: keyof typeof GIVEN, column: string): number =>
  1 << (GIVEN[table] as readonly string[]).indexOf(column);

/** `new` where the file gives it, what is stored where it does not. */
const taken = (table: keyof typeof GIVEN, column: string, stored: string, given = `s.${column}`): string =>
  `case when s.given & ${bit(table, column)} > 0 then ${given} else ${stored} end`;
const differs = (table: keyof typeof GIVEN, column: string, stored: string, given = `s.${column}`): string =>
  `s.given & ${bit(table, column)} > 0 and ${given} is distinct from ${stored}`;
const merged = (stored: string): string =>
  `case when s.attributes is null then ${stored} else jsonb_strip_nulls(${stored} || s.attributes) end`;
const attributesDiffer = (stored: string): string =>
  `s.attributes is not null and jsonb_strip_nulls(${stored} || s.attributes) <> ${stored}`;

const nodeColumns = GIVEN.node.filter((column) => !PERSONAL.includes(column));
const nodeDiffers = `(${[...nodeColumns.map((c) => differs('node', c, `n.${c}`)), attributesDiffer('n.attributes')].join(' or ')})`;
const personDiffers = `(n.kind = 'premises' and (${PERSONAL.map((c) => differs('node', c, `p.${c}`)).join(' or ')}))`;

const meterColumns = GIVEN.meter.filter((column) => column !== 'meter_type');
const meterColumnsDiffer = meterColumns.map((c) => differs('meter', c, `m.${c}`)).join(' or ');
const meterDiffers = `(${[
  meterColumnsDiffer,
  differs('meter', 'meter_type', 'm.meter_type', 't.id'),
  attributesDiffer('m.attributes'),
].join(' or ')})`;

const typeDiffers = `(${GIVEN.type.map((c) => differs('type', c, `t.${c}`)).join(' or ')})`;
const connectionDiffers = `(${GIVEN.connection.map((c) => differs('connection', c, `c.${c}`)).join(' or ')})`;

/** Fields of meters and nodes whose old text is kept. */
const changesOf = (columns: readonly string[], table: 'node' | 'meter', stored: string): string =>
  columns
    .map((c) => `('${c.replaceAll('_', ' ')}', ${stored}.${c}::text, s.${c}::text, s.given & ${bit(table, c)} > 0)`)
    .join(', ');

const live = (alias: string): string => `${alias}.replaced_at is null`;
const open = (alias: string): string => `${alias}.to_time is null and ${alias}.replaced_at is null`;
const sameStay = (e: string): string => `${e}.child = l.child_id and ${e}.kind = l.kind and ${live(e)}`;
const sameRatio = (e: string): string => `${e}.metering_point = r.point_id and ${e}.kind = r.kind and ${live(e)}`;

export const bulkSql = {
  /** Two imports would share the staging tables. */
  lock: 'select pg_advisory_xact_lock(4117013)',
  /** The lock that every change of the tree takes. */
  lockTree: 'select pg_advisory_xact_lock(4117003)',
  /** Each import leaves the staging tables empty; a crash of the server does so too. */
  filled: `select exists (select 1 from amiable.import_node) or exists (select 1 from amiable.import_meter)
    or exists (select 1 from amiable.import_link) or exists (select 1 from amiable.import_ratio)
    or exists (select 1 from amiable.import_type) or exists (select 1 from amiable.import_connection) as filled`,
  empty: `truncate amiable.import_node, amiable.import_meter, amiable.import_link, amiable.import_ratio, amiable.import_type,
    amiable.import_connection`,
  /** Few rows are deleted sooner than the table's file is made anew. */
  clear: (table: StagedTable): string => `delete from amiable.import_${table}`,
  memory: `set local maintenance_work_mem = '256MB'`,
  sorting: `set local work_mem = '64MB'`,

  copy: (table: StagedTable): string => `copy amiable.import_${table} (${STAGED[table]}) from stdin (format binary)`,
  analyze: (table: StagedTable): string => `analyze amiable.import_${table}`,
  /** Rows that a check refused are taken off, so that the others can go on. */
  refuse: (table: StagedTable): string => `delete from amiable.import_${table} where line = any($1::integer[])`,

  // ------------------------------------------------------------------------------------------------------------- who is who
  findNodes: `update amiable.import_node s set id = n.id from amiable.node n
    where n.kind = s.kind and n.code = s.code and s.id is null`,
  findMeters:
    'update amiable.import_meter s set id = m.id from amiable.meter m where m.serial = s.serial and s.id is null',
  findChildMeters: `update amiable.import_link l set child_id = m.id from amiable.meter m
    where l.child_kind is null and l.child_id is null and m.serial = l.child and ($1::integer[] is null or m.segment = any($1))`,
  findChildNodes: `update amiable.import_link l set child_id = n.id from amiable.node n
    where n.kind = l.child_kind and l.child_id is null and n.code = l.child and ($1::integer[] is null or n.segment = any($1))`,
  findParentMeters: `update amiable.import_link l set parent_id = m.id from amiable.meter m
    where l.parent_kind is null and l.parent_id is null and m.serial = l.parent and ($1::integer[] is null or m.segment = any($1))`,
  findParentNodes: `update amiable.import_link l set parent_id = n.id from amiable.node n
    where n.kind = l.parent_kind and l.parent_id is null and n.code = l.parent and ($1::integer[] is null or n.segment = any($1))`,
  findPoints: `update amiable.import_ratio r set point_id = n.id from amiable.node n
    where n.kind = 'metering-point' and r.point_id is null and n.code = r.metering_point
      and ($1::integer[] is null or n.segment = any($1))`,
  findConnected: `update amiable.import_connection s set meter = m.id from amiable.meter m
    where m.serial = s.serial and s.meter is null and ($1::integer[] is null or m.segment = any($1))`,

  // ------------------------------------------------------------- checks: line, field, and what it collides with or names
  twiceNode: `select line, 'code' as field, first::text as detail from (select line,
      first_value(line) over w as first, row_number() over w as n from amiable.import_node window w as (partition by kind, code order by line)) d
    where n > 1 order by line limit $1`,
  twiceMeter: `select line, 'serial' as field, first::text as detail from (select line,
      first_value(line) over w as first, row_number() over w as n from amiable.import_meter window w as (partition by serial order by line)) d
    where n > 1 order by line limit $1`,
  twiceType: `select line, 'name' as field, first::text as detail from (select line,
      first_value(line) over w as first, row_number() over w as n from amiable.import_type window w as (partition by name order by line)) d
    where n > 1 order by line limit $1`,
  twiceConnection: `select line, 'meter' as field, first::text as detail from (select line,
      first_value(line) over w as first, row_number() over w as n from amiable.import_connection window w as (partition by serial order by line)) d
    where n > 1 order by line limit $1`,
  lackingMeter: `select s.line, 'x.' || d.name as field, d.name as detail from amiable.import_meter s
    join amiable.attribute_definition d on d.object = 'meter' and d.required
    where (s.attributes ->> d.name) is null and (s.id is null or s.attributes ? d.name) order by s.line limit $1`,
  lackingNode: `select s.line, 'x.' || d.name as field, d.name as detail from amiable.import_node s
    join amiable.attribute_definition d on d.object = s.kind and d.required
    where (s.attributes ->> d.name) is null and (s.id is null or s.attributes ? d.name) order by s.line limit $1`,
  /** Two slaves on one channel of a master at the same time. */
  channelTwice: `select line, 'channel' as field, before::text as detail from (select line, from_time,
      lag(to_time, 1, '-infinity') over w as until, lag(line) over w as before
      from amiable.import_link where kind = 'behind' window w as (partition by parent, channel order by from_time, line)) d
    where before is not null and (until is null or until > from_time) order by line limit $1`,
  channelTaken: `select l.line, 'channel' as field, m.serial as detail
    from amiable.import_link l join amiable.link e on e.parent = l.parent_id and e.kind = 'behind' and e.channel = l.channel and ${live('e')}
    join amiable.meter m on m.id = e.child
    where l.kind = 'behind' and e.child is distinct from l.child_id
      and e.from_time < coalesce(l.to_time, 'infinity') and coalesce(e.to_time, 'infinity') > l.from_time
      and not exists (select 1 from amiable.import_link o where o.child_id = e.child and o.kind = 'behind')
    order by l.line limit $1`,
  /** A slave of a slave. */
  chain: `select l.line, 'master' as field, l.parent as detail from amiable.import_link l
    where l.kind = 'behind' and (exists (select 1 from amiable.import_link o where o.kind = 'behind' and o.child = l.parent
        and o.from_time < coalesce(l.to_time, 'infinity') and coalesce(o.to_time, 'infinity') > l.from_time)
      or exists (select 1 from amiable.link e where e.kind = 'behind' and e.child = l.parent_id and ${live('e')}
        and e.from_time < coalesce(l.to_time, 'infinity') and coalesce(e.to_time, 'infinity') > l.from_time)
      or exists (select 1 from amiable.link e where e.kind = 'behind' and e.parent = l.child_id and ${live('e')}
        and e.from_time < coalesce(l.to_time, 'infinity') and coalesce(e.to_time, 'infinity') > l.from_time))
    order by l.line limit $1`,
  overlapLink: `select line, 'from' as field, before::text as detail from (select line, from_time,
      lag(to_time, 1, '-infinity') over w as until, lag(line) over w as before
      from amiable.import_link window w as (partition by kind, child_kind, child order by from_time, line)) d
    where before is not null and (until is null or until > from_time) order by line limit $1`,
  overlapRatio: `select line, 'from' as field, before::text as detail from (select line, from_time,
      lag(to_time, 1, '-infinity') over w as until, lag(line) over w as before
      from amiable.import_ratio window w as (partition by metering_point, kind order by from_time, line)) d
    where before is not null and (until is null or until > from_time) order by line limit $1`,
  foreignNode: `select s.line, 'code' as field, null::text as detail from amiable.import_node s join amiable.node n on n.id = s.id
    where $2::integer[] is not null and n.segment <> all($2) order by s.line limit $1`,
  foreignMeter: `select s.line, 'serial' as field, null::text as detail from amiable.import_meter s join amiable.meter m on m.id = s.id
    where $2::integer[] is not null and m.segment <> all($2) order by s.line limit $1`,
  unknownType: `select s.line, 'meter-type' as field, s.meter_type as detail from amiable.import_meter s
    where s.meter_type is not null and not exists (select 1 from amiable.meter_type t where t.name = s.meter_type)
      and not exists (select 1 from amiable.import_type t where t.name = s.meter_type) order by s.line limit $1`,
  unknownChild: `select l.line, 'child' as field, l.child as detail from amiable.import_link l
    where l.child_id is null and not exists (select 1 from amiable.import_meter m where m.serial = l.child and l.child_kind is null and m.id is null)
      and not exists (select 1 from amiable.import_node n where n.kind = l.child_kind and n.code = l.child and n.id is null)
    order by l.line limit $1`,
  unknownParent: `select l.line, 'parent' as field, l.parent as detail from amiable.import_link l
    where l.parent_id is null and not exists (select 1 from amiable.import_meter m where m.serial = l.parent and l.parent_kind is null and m.id is null)
      and not exists (select 1 from amiable.import_node n where n.kind = l.parent_kind and n.code = l.parent and n.id is null)
    order by l.line limit $1`,
  unknownPoint: `select r.line, 'metering-point' as field, r.metering_point as detail from amiable.import_ratio r
    where r.point_id is null and not exists (select 1 from amiable.import_node n
      where n.kind = 'metering-point' and n.code = r.metering_point and n.id is null) order by r.line limit $1`,
  unknownConnected: `select s.line, 'meter' as field, s.serial as detail from amiable.import_connection s
    where s.meter is null and not exists (select 1 from amiable.import_meter m where m.serial = s.serial and m.id is null)
    order by s.line limit $1`,
  incompleteConnection: `select s.line, 'meter' as field, s.serial as detail from amiable.import_connection s
    where (s.protocol is null or s.address is null or s.transport is null or s.readout is null)
      and not exists (select 1 from amiable.connection c where c.meter = s.meter) order by s.line limit $1`,
  /** A stay that is over, or begins after the one of the file, is not touched by it: the two must not meet. */
  collidingLink: `select l.line, 'from' as field, to_char(e.from_time at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as detail
    from amiable.import_link l join amiable.link e on ${sameStay('e')}
    where e.from_time <> l.from_time and not (e.to_time is null and e.from_time < l.from_time)
      and e.from_time < coalesce(l.to_time, 'infinity') and coalesce(e.to_time, 'infinity') > l.from_time
      and not exists (select 1 from amiable.import_link o where o.child_id = l.child_id and o.kind = l.kind and o.from_time = e.from_time)
    order by l.line limit $1`,
  collidingRatio: `select r.line, 'from' as field, to_char(e.from_time at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as detail
    from amiable.import_ratio r join amiable.transformer_ratio e on ${sameRatio('e')}
    where e.from_time <> r.from_time and not (e.to_time is null and e.from_time < r.from_time)
      and e.from_time < coalesce(r.to_time, 'infinity') and coalesce(e.to_time, 'infinity') > r.from_time
      and not exists (select 1 from amiable.import_ratio o where o.point_id = r.point_id and o.kind = r.kind and o.from_time = e.from_time)
    order by r.line limit $1`,
  /** Where it stands there already and the file does not say since when, nothing is to be done. */
  dropLoose: `delete from amiable.import_link l using amiable.link e
    where l.loose and ${sameStay('e')} and e.to_time is null and e.parent = l.parent_id`,

  // ----------------------------------------------------------------------------------------------------- what would be done
  countNode: `select s.kind, count(*)::integer as rows, (count(*) filter (where s.id is null))::integer as fresh,
      (count(*) filter (where n.id is not null and (${nodeDiffers} or ${personDiffers})))::integer as changed
    from amiable.import_node s left join amiable.node n on n.id = s.id left join amiable.premises p on p.node = s.id group by s.kind`,
  countMeter: `select 'meter' as kind, count(*)::integer as rows, (count(*) filter (where s.id is null))::integer as fresh,
      (count(*) filter (where m.id is not null and ${meterDiffers}))::integer as changed
    from amiable.import_meter s left join amiable.meter m on m.id = s.id left join amiable.meter_type t on t.name = s.meter_type`,
  countType: `select 'meter-type' as kind, count(*)::integer as rows, (count(*) filter (where t.id is null))::integer as fresh,
      (count(*) filter (where t.id is not null and ${typeDiffers}))::integer as changed
    from amiable.import_type s left join amiable.meter_type t on t.name = s.name`,
  countLink: `select l.kind, count(*)::integer as rows, (count(*) filter (where e.id is null))::integer as fresh,
      (count(*) filter (where e.id is not null and (e.parent is distinct from l.parent_id or e.channel is distinct from l.channel
        or e.to_time is distinct from l.to_time)))::integer as changed
    from amiable.import_link l left join amiable.link e on ${sameStay('e')} and e.from_time = l.from_time group by l.kind`,
  countRatio: `select 'ratio' as kind, count(*)::integer as rows, (count(*) filter (where e.id is null))::integer as fresh,
      (count(*) filter (where e.id is not null and (e.primary_value <> r.primary_value or e.secondary_value <> r.secondary_value
        or e.to_time is distinct from r.to_time)))::integer as changed
    from amiable.import_ratio r left join amiable.transformer_ratio e on ${sameRatio('e')} and e.from_time = r.from_time`,
  countConnection: `select 'connection' as kind, count(*)::integer as rows, (count(*) filter (where c.meter is null))::integer as fresh,
      (count(*) filter (where c.meter is not null and ${connectionDiffers}))::integer as changed
    from amiable.import_connection s left join amiable.connection c on c.meter = s.meter`,
  stored: (table: 'node' | 'meter' | 'link'): string =>
    `select count(*)::integer as n from (select 1 from amiable.${table} limit $1) as rows_of`,

  // --------------------------------------------------------------------------------------------------- indexes of a first fill
  indexes: `select i.indexrelid::regclass::text as name, pg_get_indexdef(i.indexrelid) as definition
    from pg_index i where i.indrelid = $1::regclass and not i.indisunique order by 1`,
  dropIndex: (name: string): string => `drop index ${name}`,

  // ------------------------------------------------------------------------------------------------------------------- doing it
  insertType: `insert into amiable.meter_type (name, maker, description, medium, readout)
    select s.name, s.maker, s.description, coalesce(s.medium, 'electricity'), s.readout from amiable.import_type s
    where not exists (select 1 from amiable.meter_type t where t.name = s.name) order by s.line`,
  updateType: `update amiable.meter_type t set ${GIVEN.type.map((c) => `${c} = ${taken('type', c, `t.${c}`)}`).join(', ')}
    from amiable.import_type s where t.name = s.name and ${typeDiffers}`,

  logNode: `insert into amiable.registry_change (object, object_id, field, was, became, who, at)
    select 'node', n.id, f.field, f.was, f.became, $1::text, $2::timestamptz from amiable.import_node s join amiable.node n on n.id = s.id
    cross join lateral (values ${changesOf(nodeColumns, 'node', 'n')}) as f(field, was, became, given)
    where ${nodeDiffers} and f.given and f.was is distinct from f.became`,
  /** Personal data are named, never kept. */
  logPerson: `insert into amiable.registry_change (object, object_id, field, was, became, who, at)
    select 'node', n.id, f.field, null, null, $1::text, $2::timestamptz from amiable.import_node s join amiable.node n on n.id = s.id
    left join amiable.premises p on p.node = n.id
    cross join lateral (values ${changesOf(PERSONAL, 'node', 'p')}) as f(field, was, became, given)
    where n.kind = 'premises' and f.given and f.was is distinct from f.became`,
  updateNode: `update amiable.node n set ${nodeColumns.map((c) => `${c} = ${taken('node', c, `n.${c}`)}`).join(', ')},
      attributes = ${merged('n.attributes')}
    from amiable.import_node s where n.id = s.id and ${nodeDiffers}`,
  insertNode: `insert into amiable.node (kind, code, name, segment, latitude, longitude, attributes, created_at)
    select s.kind, s.code, s.name, coalesce(s.segment, $1::integer), s.latitude, s.longitude,
      coalesce(jsonb_strip_nulls(s.attributes), '{}'), $2::timestamptz
    from amiable.import_node s where s.id is null order by s.line`,
  insertPremises: `insert into amiable.premises (node, customer, account, address, contact)
    select s.id, s.customer, s.account, s.address, s.contact from amiable.import_node s
    where s.kind = 'premises' and s.given & ${PERSONAL.reduce((sum, c) => sum | bit('node', c), 0)} > 0
      and not exists (select 1 from amiable.premises p where p.node = s.id) order by s.line`,
  updatePremises: `update amiable.premises p set ${PERSONAL.map((c) => `${c} = ${taken('node', c, `p.${c}`)}`).join(', ')}
    from amiable.import_node s where p.node = s.id and (${PERSONAL.map((c) => differs('node', c, `p.${c}`)).join(' or ')})`,

  logMeter: `insert into amiable.meter_change (meter, field, was, became, who, at)
    select m.id, f.field, f.was, f.became, $1::text, $2::timestamptz from amiable.import_meter s join amiable.meter m on m.id = s.id
    cross join lateral (values ${changesOf(meterColumns, 'meter', 'm')}) as f(field, was, became, given)
    where (${meterColumnsDiffer}) and f.given and f.was is distinct from f.became`,
  updateMeter: `update amiable.meter m set ${meterColumns.map((c) => `${c} = ${taken('meter', c, `m.${c}`)}`).join(', ')},
      meter_type = ${taken('meter', 'meter_type', 'm.meter_type', 't.id')}, attributes = ${merged('m.attributes')}, state = 'named'
    from amiable.import_meter s left join amiable.meter_type t on t.name = s.meter_type where m.id = s.id and ${meterDiffers}`,
  insertMeter: `insert into amiable.meter (serial, utility_serial, name, place, time_zone, maker, type, phases, line_voltage, meter_type,
      param_id, config_id, segment, attributes, state, life)
    select s.serial, s.utility_serial, s.name, s.place, coalesce(s.time_zone, $1::text), s.maker, s.type, s.phases,
      coalesce(s.line_voltage, false), t.id, s.param_id, s.config_id, coalesce(s.segment, $2::integer),
      coalesce(jsonb_strip_nulls(s.attributes), '{}'), 'named', 'planned'
    from amiable.import_meter s left join amiable.meter_type t on t.name = s.meter_type where s.id is null order by s.line`,

  /** Stays that the file tells otherwise: the row that was there is kept as replaced. */
  replaceLink: `update amiable.link e set replaced_at = $2, replaced_by = $1, reason = 'import'
    from amiable.import_link l where ${sameStay('e')} and e.from_time = l.from_time
      and (e.parent <> l.parent_id or e.channel is distinct from l.channel or e.to_time is distinct from l.to_time)`,
  /** Stays that last until the next one begins. */
  closeLink: `with ending as (update amiable.link e set replaced_at = $2, replaced_by = $1, reason = 'import'
      from (select l.child_id, l.kind, min(l.from_time) as until from amiable.import_link l
        join amiable.link o on ${sameStay('o')} and o.to_time is null and o.from_time < l.from_time group by l.child_id, l.kind) c
      where e.child = c.child_id and e.kind = c.kind and ${open('e')} and e.from_time < c.until
      returning e.kind, e.child, e.parent, e.channel, e.from_time, c.until)
    insert into amiable.link (kind, child, parent, channel, from_time, to_time, recorded_at, recorded_by)
    select kind, child, parent, channel, from_time, until, $2::timestamptz, $1::text from ending`,
  insertLink: `insert into amiable.link (kind, child, parent, channel, from_time, to_time, recorded_at, recorded_by)
    select l.kind, l.child_id, l.parent_id, l.channel, l.from_time, l.to_time, $2::timestamptz, $1::text from amiable.import_link l
    where not exists (select 1 from amiable.link e where ${sameStay('e')} and e.from_time = l.from_time) order by l.line`,
  replaceRatio: `update amiable.transformer_ratio e set replaced_at = $2, replaced_by = $1, reason = 'import'
    from amiable.import_ratio r where ${sameRatio('e')} and e.from_time = r.from_time
      and (e.primary_value <> r.primary_value or e.secondary_value <> r.secondary_value or e.to_time is distinct from r.to_time)`,
  closeRatio: `with ending as (update amiable.transformer_ratio e set replaced_at = $2, replaced_by = $1, reason = 'import'
      from (select r.point_id, r.kind, min(r.from_time) as until from amiable.import_ratio r
        join amiable.transformer_ratio o on ${sameRatio('o')} and o.to_time is null and o.from_time < r.from_time group by r.point_id, r.kind) c
      where e.metering_point = c.point_id and e.kind = c.kind and ${open('e')} and e.from_time < c.until
      returning e.metering_point, e.kind, e.primary_value, e.secondary_value, e.from_time, c.until)
    insert into amiable.transformer_ratio (metering_point, kind, primary_value, secondary_value, from_time, to_time, recorded_at, recorded_by)
    select metering_point, kind, primary_value, secondary_value, from_time, until, $2::timestamptz, $1::text from ending`,
  insertRatio: `insert into amiable.transformer_ratio (metering_point, kind, primary_value, secondary_value, from_time, to_time, recorded_at, recorded_by)
    select r.point_id, r.kind, r.primary_value, r.secondary_value, r.from_time, r.to_time, $2::timestamptz, $1::text from amiable.import_ratio r
    where not exists (select 1 from amiable.transformer_ratio e where ${sameRatio('e')} and e.from_time = r.from_time) order by r.line`,

  setParents: `update amiable.node n set parent = c.parent
    from (select distinct l.child_id as id, e.parent from amiable.import_link l
      left join amiable.link e on e.child = l.child_id and e.kind = 'under' and ${open('e')} where l.kind = 'under') c
    where n.id = c.id and n.parent is distinct from c.parent`,
  /** What stands in a ring is reached from no top. */
  setPaths: `with recursive tree(id, path) as (
      select n.id, array[n.id] from amiable.node n where n.parent is null
      union all select n.id, t.path || n.id from tree t join amiable.node n on n.parent = t.id)
    update amiable.node n set path = t.path from tree t where n.id = t.id and n.path <> t.path`,
  ring: `select n.kind, n.code from amiable.node n join amiable.node p on p.id = n.parent
    where n.path <> p.path || n.id or cardinality(n.path) > 32 limit 1`,
  /** A meter stands where its metering point stands, and by its concentrator; a slave without either where its master does. */
  setMeterPaths: `update amiable.meter m
    set path = coalesce(ip.path, vp.path, '{}')
        || case when ip.path is null or v.parent is null or v.parent = any(ip.path) then '{}' else array[v.parent] end,
      life = case when i.id is not null or b.id is not null then 'installed'
        when exists (select 1 from amiable.link x where x.child = m.id and x.kind in ('installed', 'behind') and ${live('x')}) then 'removed'
        else m.life end
    from (select l.child_id as id from amiable.import_link l where l.kind <> 'under'
      union select k.child from amiable.link k where $1::boolean and k.kind <> 'under' and ${open('k')}) c
    left join amiable.link i on i.child = c.id and i.kind = 'installed' and ${open('i')}
    left join amiable.node ip on ip.id = i.parent
    left join amiable.link b on b.child = c.id and b.kind = 'behind' and ${open('b')}
    left join amiable.link v on v.child = c.id and v.kind = 'served' and ${open('v')}
    left join amiable.node vp on vp.id = v.parent
    where m.id = c.id`,
  setSlavePaths: `update amiable.meter m set path = o.path
    from amiable.link b join amiable.meter o on o.id = b.parent
    where b.child = m.id and b.kind = 'behind' and ${open('b')} and m.path <> o.path
      and not exists (select 1 from amiable.link i where i.child = m.id and i.kind in ('installed', 'served') and ${open('i')})`,

  insertConnection: `insert into amiable.connection (meter, ${GIVEN.connection.join(', ')}, changed_at)
    select s.meter, ${GIVEN.connection.map((c) => `s.${c}`).join(', ')}, $1::timestamptz from amiable.import_connection s
    where not exists (select 1 from amiable.connection c where c.meter = s.meter) order by s.line`,
  updateConnection: `update amiable.connection c set ${GIVEN.connection.map((x) => `${x} = ${taken('connection', x, `c.${x}`)}`).join(', ')},
      changed_at = $1 from amiable.import_connection s where c.meter = s.meter and ${connectionDiffers}`,

  analyzeStored: 'analyze amiable.meter, amiable.node, amiable.link',
  attributes: `select object, name, type, required, lowest, highest, choices from amiable.attribute_definition order by object, name`,
  segments: 'select id, name from amiable.segment order by id',

  // ------------------------------------------------------------------------------------------------------------------ the runs
  beginRun: `insert into amiable.import_run (state, dry, name, detail, segments, who, started_at)
    values ('receiving', $1, $2, $3, $4, $5, $6) returning id`,
  setRun: `update amiable.import_run set state = $2, ended_at = $3, report = $4 where id = $1`,
  interrupted: `update amiable.import_run set state = 'interrupted', ended_at = $1 where state in ('receiving', 'running')`,
  run: `select id, state, dry, name, detail, segments, who, started_at, ended_at, report from amiable.import_run where id = $1`,
  runs: `select id, state, dry, name, detail, segments, who, started_at, ended_at, report from amiable.import_run
    where id < $1 order by id desc limit $2`,
} as const;
