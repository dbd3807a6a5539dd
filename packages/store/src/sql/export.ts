/** Statements of exports of the registry: pages by id, so that the order is that of the first import and stays. `$scope`: null for all. */

export const exportSql = {
  nodes: `select n.id, n.code, n.name, p.kind as parent_kind, p.code as parent, l.from_time, n.segment, n.latitude, n.longitude,
      n.attributes, h.customer, h.account, h.address, h.contact
    from amiable.node n
    left join amiable.node p on p.id = n.parent and ($2::integer[] is null or p.segment = any($2))
    left join amiable.link l on l.child = n.id and l.kind = 'under' and l.to_time is null and l.replaced_at is null
    left join amiable.premises h on h.node = n.id
    where n.kind = $1 and n.id > $3 and ($2::integer[] is null or n.segment = any($2)) order by n.id limit $4`,
  stays: `select n.id, n.kind, n.code, p.kind as parent_kind, p.code as parent, l.from_time, l.to_time
    from amiable.link l join amiable.node n on n.id = l.child join amiable.node p on p.id = l.parent
    where l.kind = 'under' and l.to_time is not null and l.replaced_at is null and l.child = any($1::bigint[])
      and ($2::integer[] is null or (n.segment = any($2) and p.segment = any($2))) order by n.id, l.from_time`,
  nodeIds: `select n.id from amiable.node n where n.id > $2 and ($1::integer[] is null or n.segment = any($1)) order by n.id limit $3`,
  pointIds: `select n.id from amiable.node n where n.kind = 'metering-point' and n.id > $2
      and ($1::integer[] is null or n.segment = any($1)) order by n.id limit $3`,
  ratios: `select n.id, n.code, r.kind, r.primary_value, r.secondary_value, r.from_time, r.to_time
    from amiable.transformer_ratio r join amiable.node n on n.id = r.metering_point
    where r.replaced_at is null and r.metering_point = any($1::bigint[]) order by n.id, r.kind, r.from_time`,
  types: `select id, name, maker, description, medium, readout from amiable.meter_type where id > $1 order by id limit $2`,
  meterIds: `select m.id from amiable.meter m where m.id > $2 and ($1::integer[] is null or m.segment = any($1)) order by m.id limit $3`,
  meters: `select m.id, m.serial, m.utility_serial, m.name, m.place, m.time_zone, m.maker, m.type, m.phases, m.line_voltage, t.name as meter_type,
      m.param_id, m.config_id, m.segment, m.attributes
    from amiable.meter m left join amiable.meter_type t on t.id = m.meter_type
    where m.id = any($1::bigint[]) and ($2::integer[] is null or m.segment = any($2)) order by m.id`,
  atNodes: `select m.id, m.serial, n.code as parent, l.channel, l.from_time, l.to_time
    from amiable.link l join amiable.meter m on m.id = l.child join amiable.node n on n.id = l.parent
    where l.kind = $3 and l.replaced_at is null and l.child = any($1::bigint[])
      and ($2::integer[] is null or (m.segment = any($2) and n.segment = any($2))) order by m.id, l.from_time`,
  behind: `select m.id, m.serial, n.serial as parent, l.channel, l.from_time, l.to_time
    from amiable.link l join amiable.meter m on m.id = l.child join amiable.meter n on n.id = l.parent
    where l.kind = 'behind' and l.replaced_at is null and l.child = any($1::bigint[])
      and ($2::integer[] is null or (m.segment = any($2) and n.segment = any($2))) order by m.id, l.from_time`,
  connections: `select m.id, m.serial, c.protocol, c.address, c.transport, c.readout, c.referencing, c.client, c.server, c.physical, c.authentication,
      c.suite, c.ciphered, c.device_address, c.channel, c.identity
    from amiable.connection c join amiable.meter m on m.id = c.meter
    where c.meter = any($1::bigint[]) and ($2::integer[] is null or m.segment = any($2)) order by m.id`,
} as const;
