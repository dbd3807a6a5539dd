/**
 * Statements of the registry. All of its tables are reference tables: they may be joined with each other as one likes, and
 * recursive statements touch nothing else. A scope is a list of segments, null for all.
 */
import { LAST_SEEN, literal, SEEN } from './selection.ts';

const NODE = `n.id, n.kind, n.code, n.name, n.parent, n.path, n.segment, n.latitude, n.longitude, n.attributes`;
const LINK = `l.id, l.kind, l.child, l.parent, l.channel, l.from_time, l.to_time, l.recorded_at, l.recorded_by, l.replaced_at, l.replaced_by, l.reason`;
const RATIO = `r.id, r.metering_point, r.kind, r.primary_value, r.secondary_value, r.from_time, r.to_time, r.recorded_at, r.recorded_by, r.replaced_at, r.replaced_by, r.reason`;
const within = (table: string, parameter: string): string =>
  `(${parameter}::integer[] is null or ${table}.segment = any(${parameter}::integer[]))`;
const ENTRY = `m.id, m.serial, m.utility_serial, m.name, m.place, m.maker, m.type, m.state, m.life, m.segment, t.name as meter_type,
    m.param_id, m.config_id, m.attributes, m.path, m.first_seen`;
/** Bounded: what nobody counts on his fingers is told as "more than". */
const some = (from: string): string => `(select count(*)::integer from (select 1 ${from} limit 10001) x)`;

export const registrySql = {
  lockTree: 'select pg_advisory_xact_lock(4117003)',
  lockMeters: 'select id, serial, segment from amiable.meter where id = any($1::bigint[]) order by id for update',
  lockNodes:
    'select id, kind, code, segment, path from amiable.node where id = any($1::bigint[]) order by id for update',

  // -- nodes
  node: `select ${NODE} from amiable.node n where n.id = $1 and ${within('n', '$2')}`,
  nodesById: `select ${NODE} from amiable.node n where n.id = any($1::bigint[])`,
  nodeByCode: `select ${NODE} from amiable.node n where n.kind = $1 and n.code = $2 and ${within('n', '$3')}`,
  nodesByCode: `select n.id from amiable.node n where ($1::text is null or n.kind = $1)
    and n.kind = any(array['region', 'substation', 'transformer', 'feeder', 'premises', 'metering-point', 'concentrator'])
    and n.code = any($2::text[]) and ${within('n', '$3')} order by n.id limit 1000`,
  nodeKind: `select n.kind from amiable.node n where n.id = $1 and ${within('n', '$2')}`,
  insertNode: `insert into amiable.node (kind, code, name, parent, path, segment, latitude, longitude, attributes, created_at)
    values ($1, $2, $3, $4, '{}', $5, $6, $7, $8, $9) on conflict (kind, code) do nothing returning id`,
  setNodePath: 'update amiable.node set parent = $2, path = $3 where id = $1',
  patchNode: `update amiable.node set code = $2, name = $3, segment = $4, latitude = $5, longitude = $6, attributes = $7 where id = $1`,
  removeNode: 'delete from amiable.node where id = $1',
  /** By words of code and name; by kind; below a node. */
  findNodes: `select ${NODE} from amiable.node n where n.id > $1 and ($2::text[] is null or n.kind = any($2))
    and ($3::text is null or amiable.words(n.code || ' ' || coalesce(n.name, '')) @@ $3::tsquery)
    and ($4::bigint is null or $4 = any(n.path)) and n.attributes @> $5::jsonb and ${within('n', '$6')}
    order by n.id limit $7`,
  /** The same by words alone, which are few: sorted after they were found. */
  findNodesByWords: `select ${NODE} from amiable.node n where n.id > $1 and ($2::text[] is null or n.kind = any($2))
    and amiable.words(n.code || ' ' || coalesce(n.name, '')) @@ $3::tsquery
    and ($4::bigint is null or $4 = any(n.path)) and n.attributes @> $5::jsonb and ${within('n', '$6')}
    order by n.id + 0 limit $7`,
  children: `select ${NODE} from amiable.node n where n.parent is not distinct from $1::bigint
    and ($2::bigint is null or (n.kind, n.id) > ((select a.kind from amiable.node a where a.id = $2), $2))
    and ${within('n', '$3')} order by n.kind, n.id limit $4`,
  top: `select ${NODE} from amiable.node n where n.parent is null
    and ($1::bigint is null or (n.kind, n.id) > ((select a.kind from amiable.node a where a.id = $1), $1))
    and ${within('n', '$2')} order by n.kind, n.id limit $3`,
  countsBelow: `select n.id, ${some(`from amiable.node c where c.parent = n.id and ${within('c', '$2')}`)} as nodes,
      ${some(`from amiable.meter m where m.path @> array[n.id] and ${within('m', '$2')}`)} as meters
    from amiable.node n where n.id = any($1::bigint[])`,
  /** What keeps a node from being deleted. */
  hangsOnNode: `select ${some('from amiable.node c where c.parent = $1')} as nodes,
      ${some(`from amiable.link l where l.parent = $1 and l.kind <> 'behind' and l.replaced_at is null`)} as stays,
      ${some('from amiable.transformer_ratio r where r.metering_point = $1 and r.replaced_at is null')} as ratios`,
  /** New paths of all below a node, its own given. */
  repathNodes: `with recursive down(id, path) as (
      select n.id, $2::bigint[] from amiable.node n where n.id = $1
      union all
      select c.id, down.path || c.id from amiable.node c join down on c.parent = down.id where cardinality(down.path) < 64
    )
    update amiable.node n set path = down.path from down where n.id = down.id and n.path <> down.path`,
  height: `with recursive down(id, depth) as (
      select $1::bigint, 0
      union all
      select c.id, down.depth + 1 from amiable.node c join down on c.parent = down.id where down.depth < 64
    ) select max(depth) as height from down`,
  metersUnder: `select m.id from amiable.meter m where m.path @> array[$1::bigint] and m.id > $2 order by m.id limit $3`,

  // -- where meters stand
  /** Their paths anew, out of the stays that are open. */
  repathMeters: `update amiable.meter m set path = p.path from (
      select c.id, coalesce(point.path, concentrator.path, '{}')
        || case when concentrator.id is null or point.path is null or concentrator.id = any(point.path) then '{}'
          else array[concentrator.id] end as path
      from amiable.meter c
      left join amiable.link i on i.child = c.id and i.kind = 'installed' and i.to_time is null and i.replaced_at is null
      left join amiable.node point on point.id = i.parent
      left join amiable.link s on s.child = c.id and s.kind = 'served' and s.to_time is null and s.replaced_at is null
      left join amiable.node concentrator on concentrator.id = s.parent
      where c.id = any($1::bigint[])
    ) p where m.id = p.id and m.path <> p.path`,
  /** Slaves without a metering point of their own stand where their masters do. */
  repathSlaves: `update amiable.meter m set path = p.path from (
      select b.child as id, master.path from amiable.link b
      join amiable.meter master on master.id = b.parent
      where (b.parent = any($1::bigint[]) or b.child = any($1::bigint[])) and b.kind = 'behind' and b.to_time is null and b.replaced_at is null
        and not exists (select 1 from amiable.link i where i.child = b.child and i.kind in ('installed', 'served')
          and i.to_time is null and i.replaced_at is null)
    ) p where m.id = p.id and m.path <> p.path`,
  /** The status of life that the stays tell: somewhere, or not any more. */
  relive: `update amiable.meter m set life = case when exists (select 1 from amiable.link l where l.child = m.id
        and l.kind in ('installed', 'behind') and l.to_time is null and l.replaced_at is null) then 'installed'
      when m.life = 'installed' then $2 else m.life end
    where m.id = any($1::bigint[])`,

  // -- stays
  staysOf: `select ${LINK} from amiable.link l where l.child = $1 and l.kind = $2 and l.replaced_at is null order by l.from_time`,
  staysAt: `select ${LINK} from amiable.link l where l.parent = $1 and l.kind = $2 and l.replaced_at is null order by l.from_time`,
  link: `select ${LINK} from amiable.link l where l.id = $1`,
  replaceLink:
    'update amiable.link set replaced_at = $2, replaced_by = $3, reason = $4 where id = $1 and replaced_at is null',
  insertLink: `insert into amiable.link (kind, child, parent, channel, from_time, to_time, recorded_at, recorded_by)
    values ($1, $2, $3, $4, $5, $6, $7, $8) returning id`,
  /** Everything about one child, or one parent: also what was replaced. */
  linksOfChild: `select ${LINK} from amiable.link l where l.child = $1 and l.kind = any($2::text[])
    and ($3 or l.replaced_at is null) order by l.from_time desc, l.id desc limit $4`,
  linksOfParent: `select ${LINK} from amiable.link l where l.parent = $1 and l.kind = any($2::text[])
    and l.replaced_at is null and (l.from_time, l.id) < ($3::timestamptz, $4::bigint) order by l.from_time desc, l.id desc limit $5`,
  openLinks: `select ${LINK} from amiable.link l where l.child = any($1::bigint[]) and l.kind = any($2::text[])
    and l.to_time is null and l.replaced_at is null`,
  slaves: `select ${LINK} from amiable.link l where l.parent = any($1::bigint[]) and l.kind = 'behind'
    and l.to_time is null and l.replaced_at is null order by l.parent, l.channel`,
  logChange: `insert into amiable.registry_change (object, object_id, field, was, became, who, at) values ($1, $2, $3, $4, $5, $6, $7)`,
  changes: `select field, was, became, who, at from amiable.registry_change where object = $1 and object_id = $2 order by at desc, id desc limit $3`,
  meterChanges: `select field, was, became, who, at from amiable.meter_change where meter = $1 order by at desc, id desc limit $2`,

  segment: 'select 1 as one from amiable.segment where id = $1',

  // -- premises
  premises: 'select node, customer, account, address, contact, erased_at from amiable.premises where node = $1',
  putPremises: `insert into amiable.premises (node, customer, account, address, contact, erased_at) values ($1, $2, $3, $4, $5, null)
    on conflict (node) do update set customer = excluded.customer, account = excluded.account, address = excluded.address,
      contact = excluded.contact, erased_at = excluded.erased_at`,
  removePremises: 'delete from amiable.premises where node = $1',
  premisesFound: `select p.node as id, p.customer, p.account, p.address from amiable.premises p
    join amiable.node n on n.id = p.node
    where amiable.words(coalesce(p.customer, '') || ' ' || coalesce(p.account, '') || ' ' || coalesce(p.address, '')) @@ $1::tsquery
      and ${within('n', '$2')} order by p.node limit $3`,

  // -- meters
  entry: `select ${ENTRY} from amiable.meter m left join amiable.meter_type t on t.id = m.meter_type
    where m.id = $1 and ${within('m', '$2')}`,
  entries: `select ${ENTRY} from amiable.meter m left join amiable.meter_type t on t.id = m.meter_type
    where m.id = any($1::bigint[]) order by m.id`,
  metersBySerials: 'select id from amiable.meter where serial = any($1::text[])',
  meterBySerial: `select m.id from amiable.meter m where m.serial = $1 and ${within('m', '$2')}`,
  insertMeter: `insert into amiable.meter (serial, utility_serial, name, place, maker, type, time_zone, state, life, segment, meter_type, param_id, config_id, attributes)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) on conflict (serial) do nothing returning id`,
  patchMeter: `update amiable.meter set meter_type = $2, param_id = $3, config_id = $4, segment = $5, life = $6, attributes = $7, utility_serial = $8
    where id = $1`,
  logMeterChange:
    'insert into amiable.meter_change (meter, field, was, became, who, at) values ($1, $2, $3, $4, $5, $6)',

  // -- types of meters
  meterTypes:
    'select id, name, maker, description, medium, readout, register_names from amiable.meter_type order by name',
  meterTypeNames: 'select id, name from amiable.meter_type order by id',
  meterType:
    'select id, name, maker, description, medium, readout, register_names from amiable.meter_type where name = $1',
  insertMeterType: `insert into amiable.meter_type (name, maker, description, medium, readout, register_names)
    values ($1, $2, $3, $4, $5, $6) on conflict (name) do nothing returning id`,
  patchMeterType: `update amiable.meter_type set maker = $2, description = $3, medium = $4, readout = $5, register_names = $6 where id = $1`,
  removeMeterType: 'delete from amiable.meter_type where id = $1',
  metersOfType: `select ${some('from amiable.meter m where m.meter_type = $1')} as n`,

  // -- transformer ratios
  ratiosOf: `select ${RATIO} from amiable.transformer_ratio r where r.metering_point = $1 and r.kind = $2 and r.replaced_at is null order by r.from_time`,
  ratios: `select ${RATIO} from amiable.transformer_ratio r where r.metering_point = any($1::bigint[]) and ($2 or r.replaced_at is null)
    order by r.metering_point, r.kind, r.from_time, r.id limit 10000`,
  ratio: `select ${RATIO} from amiable.transformer_ratio r where r.id = $1`,
  replaceRatio:
    'update amiable.transformer_ratio set replaced_at = $2, replaced_by = $3, reason = $4 where id = $1 and replaced_at is null',
  insertRatio: `insert into amiable.transformer_ratio (metering_point, kind, primary_value, secondary_value, from_time, to_time, recorded_at, recorded_by)
    values ($1, $2, $3, $4, $5, $6, $7, $8) returning id`,
  /** Ratios that hold where a meter is or was, with both times. */
  ratiosOfMeters: `select l.child as meter, r.kind, r.primary_value, r.secondary_value,
      greatest(l.from_time, r.from_time) as from_time, least(l.to_time, r.to_time) as to_time
    from amiable.link l join amiable.transformer_ratio r on r.metering_point = l.parent and r.replaced_at is null
    where l.child = any($1::bigint[]) and l.kind = 'installed' and l.replaced_at is null
      and l.from_time < $3::timestamptz and (l.to_time is null or l.to_time > $2::timestamptz)
      and r.from_time < $3::timestamptz and (r.to_time is null or r.to_time > $2::timestamptz)
      and (r.to_time is null or r.to_time > l.from_time) and (l.to_time is null or l.to_time > r.from_time)
    order by l.child, from_time, r.kind`,

  // -- user-defined attributes
  definitions: `select id, object, name, type, description, required, lowest, highest, choices, searchable
    from amiable.attribute_definition where $1::text is null or object = $1 order by object, name`,
  definitionsNamed: `select name, type, searchable from amiable.attribute_definition where object = $1 and name = any($2::text[])`,
  definition: `select id, object, name, type, description, required, lowest, highest, choices, searchable
    from amiable.attribute_definition where object = $1 and name = $2`,
  insertDefinition: `insert into amiable.attribute_definition (object, name, type, description, required, lowest, highest, choices, searchable)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict (object, name) do nothing returning id`,
  patchDefinition: `update amiable.attribute_definition set description = $2, required = $3, lowest = $4, highest = $5, choices = $6, searchable = $7
    where id = $1`,
  removeDefinition: 'delete from amiable.attribute_definition where id = $1',
  metersWith: `select ${some('from amiable.meter m where m.attributes ? $1')} as n`,
  nodesWith: `select ${some('from amiable.node n where n.kind = $2 and n.attributes ? $1')} as n`,
  /**
   * An index for comparing; the name of the attribute stands in it as a literal. Not a partial one: how the values of an
   * expression are spread is taken from whole indexes only.
   */
  indexValue: (id: number, name: string): string =>
    `create index if not exists meter_x_${id} on amiable.meter ((attributes -> ${literal(name)}), id)`,
  indexText: (id: number, name: string): string =>
    `create index if not exists meter_x_${id}_text on amiable.meter ((attributes ->> ${literal(name)}) collate "C")`,
  indexRuns: (id: number, name: string): string =>
    `create index if not exists meter_x_${id}_runs on amiable.meter using gin (amiable.runs(attributes ->> ${literal(name)})) with (fastupdate = off)`,
  dropIndexes: (id: number): string =>
    `drop index if exists amiable.meter_x_${id}, amiable.meter_x_${id}_text, amiable.meter_x_${id}_runs`,
  indexesThere: `select c.relname as name from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where n.nspname = 'amiable' and c.relname = any($1::text[])`,
  analyze: 'analyze amiable.meter',

  // -- groups of meters
  groups: `select g.id, g.name, g.description, g.selection,
      ${some('from amiable.meter_group_member e where e.meter_group = g.id')} as members
    from amiable.meter_group g where g.name > $1 order by g.name limit $2`,
  group: `select g.id, g.name, g.description, g.selection,
      ${some('from amiable.meter_group_member e where e.meter_group = g.id')} as members
    from amiable.meter_group g where g.name = $1`,
  groupByName: 'select id, selection from amiable.meter_group where name = $1',
  insertGroup: `insert into amiable.meter_group (name, description, selection) values ($1, $2, $3) on conflict (name) do nothing returning id`,
  patchGroup: 'update amiable.meter_group set description = $2, selection = $3 where id = $1',
  removeGroup: 'delete from amiable.meter_group where id = $1',
  clearGroup: 'delete from amiable.meter_group_member where meter_group = $1',
  addMembers: `insert into amiable.meter_group_member (meter_group, meter)
    select $1, m.id from amiable.meter m where m.id = any($2::bigint[]) and ${within('m', '$3')}
    on conflict (meter_group, meter) do nothing returning meter`,
  removeMembers: `delete from amiable.meter_group_member e using amiable.meter m
    where e.meter_group = $1 and e.meter = any($2::bigint[]) and m.id = e.meter and ${within('m', '$3')} returning e.meter`,
  forgetMember: 'delete from amiable.meter_group_member where meter = $1',

  // -- summaries
  regions: `select n.id, n.code, n.name, n.path from amiable.node n where n.kind = any($1::text[]) and ($2::bigint is null or $2 = any(n.path))
    and ${within('n', '$3')} order by n.kind, n.id limit $4`,
  /** Meters by what they stand under; `place` null is all of them. */
  livesBelow: `select p.place, m.life, m.state, count(*)::integer as n from amiable.meter m
    cross join lateral unnest(m.path) as p(place)
    where p.place = any($1::bigint[]) and ${within('m', '$2')} group by p.place, m.life, m.state`,
  lives: `select m.life, m.state, count(*)::integer as n from amiable.meter m where ${within('m', '$1')} group by m.life, m.state`,
  seenBelow: `select p.place, count(*)::integer as seen,
      (count(*) filter (where ${LAST_SEEN} < $3::timestamptz))::integer as lost
    from amiable.meter m${SEEN} cross join lateral unnest(m.path) as p(place)
    where p.place = any($1::bigint[]) and m.life <> 'removed' and ${LAST_SEEN} is not null and ${within('m', '$2')} group by p.place`,
  seen: `select count(*)::integer as seen, (count(*) filter (where ${LAST_SEEN} < $2::timestamptz))::integer as lost
    from amiable.meter m${SEEN} where m.life <> 'removed' and ${LAST_SEEN} is not null and ${within('m', '$1')}`,
  placesOf: `select m.id, m.path from amiable.meter m where m.id = any($1::bigint[]) and ${within('m', '$2')}`,
  types: `select t.name as meter_type, count(*)::integer as n from amiable.meter m left join amiable.meter_type t on t.id = m.meter_type
    where ${within('m', '$1')} and ($2::bigint is null or m.path @> array[$2::bigint]) group by t.name order by n desc limit 1000`,
  kinds: `select n.kind, count(*)::integer as n from amiable.node n where ${within('n', '$1')} and ($2::bigint is null or $2 = any(n.path)) group by n.kind`,
} as const;
