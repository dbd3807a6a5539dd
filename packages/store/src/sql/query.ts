/** Statements that answer the API. */
import { integer } from './blocks.ts';

const METER = `m.id, m.serial, m.state, m.name, m.place, m.utility_serial, m.maker, m.type, m.list, m.phases, m.line_voltage,
    m.time_zone, m.first_seen, m.reader, m.port, k.meter is not null as has_key`;

/** The caller's segments; null: all there are. */
const inScope = (parameter: number): string =>
  `($${parameter}::integer[] is null or m.segment = any($${parameter}::integer[]))`;

/** By where they stand: below node $4, or below none of kind $4; those of an area are few enough to be searched one by one. */
const UNDER = 'm.path @> array[$4::bigint]';
const OUTSIDE = 'not exists (select 1 from amiable.node n where n.id = any(m.path) and n.kind = $4::text)';
const standing = (where: string): string => `select ${METER} from amiable.meter m
    left join amiable.meter_key k on k.meter = m.id
    where m.id > $1 and ($2::text is null or m.state = $2) and ${where} and ($5::text is null or m.search like $5)
      and ${inScope(6)} order by m.id limit $3`;
const countStanding = (where: string): string => `select count(*)::integer as n from amiable.meter m
    where ($1::text is null or m.state = $1) and ${where.replace('$4', '$2')}
      and ($3::text is null or m.search like $3) and ${inScope(4)}`;

export const querySql = {
  meter: `select ${METER} from amiable.meter m left join amiable.meter_key k on k.meter = m.id where m.id = $1 and ${inScope(2)}`,
  meterInScope: `select m.time_zone from amiable.meter m where m.id = $1 and ${inScope(2)}`,
  meters: `select ${METER} from amiable.meter m left join amiable.meter_key k on k.meter = m.id
    where m.id > $1 and ($2::text is null or m.state = $2) and ${inScope(4)} order by m.id limit $3`,
  /** Short words have no trigram to look up; ids in order find enough of them soon. */
  metersLike: `select ${METER} from amiable.meter m left join amiable.meter_key k on k.meter = m.id
    where m.id > $1 and ($2::text is null or m.state = $2) and ${inScope(5)} and m.search like $4 order by m.id limit $3`,
  metersFound: `select ${METER} from amiable.meter m left join amiable.meter_key k on k.meter = m.id
    where m.id > $1 and ($2::text is null or m.state = $2) and amiable.runs(m.search) @> amiable.trigrams($5)
      and ${inScope(6)} and m.search like $4 order by m.id limit $3`,
  countMeters: `select count(*)::integer as n from amiable.meter m where ($1::text is null or m.state = $1) and ${inScope(2)}`,
  countLike: `select count(*)::integer as n from amiable.meter m where ($1::text is null or m.state = $1)
    and ${inScope(3)} and m.search like $2`,
  countFound: `select count(*)::integer as n from amiable.meter m where ($1::text is null or m.state = $1)
    and amiable.runs(m.search) @> amiable.trigrams($3) and ${inScope(4)} and m.search like $2`,
  metersUnder: standing(UNDER),
  metersOutside: standing(OUTSIDE),
  countUnder: countStanding(UNDER),
  countOutside: countStanding(OUTSIDE),
  /** The area of one kind that meters stand in now. */
  areasOf: `select m.id as meter, n.id as area from amiable.meter m join amiable.node n on n.id = any(m.path)
    where n.kind = $1 and m.id = any($2::bigint[])`,
  /** By messages of its own, and by readings of it. */
  lastSeen: `select meter, last_seen from amiable.meter_state where meter = any($1::bigint[])
    union all select meter, read_at from amiable.readout_state where meter = any($1::bigint[]) and read_at is not null`,
  live: 'select meter, layout, time, v from amiable.live where meter = any($1::bigint[]) order by meter, time',
  liveAll: 'select meter, layout, time, v from amiable.live order by meter, time',

  patchMeter: `update amiable.meter set name = $2, place = $3, utility_serial = $4, time_zone = $5, state = $6 where id = $1`,
  /** Whether anything was ever received of a meter. */
  someMessage: 'select 1 as one from amiable.message where meter = $1 limit 1',
  someBlock: 'select 1 as one from amiable.block where meter = $1 limit 1',
  removeKey: 'delete from amiable.meter_key where meter = $1',
  removeMeter: 'delete from amiable.meter where id = $1 returning serial',
  logMeterChange:
    'insert into amiable.meter_change (meter, field, was, became, who, at) values ($1, $2, $3, $4, $5, $6)',
  putKey: `insert into amiable.meter_key (meter, ciphertext, changed_at) values ($1, $2, $3)
    on conflict (meter) do update set ciphertext = excluded.ciphertext, changed_at = excluded.changed_at`,
  keys: 'select k.meter, m.serial, k.ciphertext from amiable.meter_key k join amiable.meter m on m.id = k.meter order by k.meter',

  messages: `select meter, time, id, received_at, layout, flags, v, s, raw, error from amiable.message
    where meter = $1 and exists (select 1 from amiable.meter m where m.id = $1 and ${inScope(3)}) order by time desc, id limit $2`,
  message: `select meter, time, id, received_at, layout, flags, v, s, raw, error from amiable.message
    where meter = $1 and id = $2::uuid and exists (select 1 from amiable.meter m where m.id = $1 and ${inScope(3)}) limit 1`,
  latestMessageTime: 'select max(time) as time from amiable.message where meter = $1',

  counters: `select (select count(*) from amiable.meter m where ${inScope(1)})::integer as meters,
    (select count(*) from amiable.meter m where m.state = 'new' and ${inScope(1)})::integer as fresh,
    (select count(*) from amiable.unplaced)::integer as unplaced`,
  zones: `select distinct time_zone from amiable.meter`,
  check: 'select 1 as one',
} as const;

const iso = (ms: number): string => `timestamptz '${new Date(ms).toISOString()}'`;

export const hotSql = {
  /** How far a meter is compacted, and its days with late messages. */
  state: `select (extract(epoch from s.compacted_to) * 1000)::bigint as at,
      array(select d.day - date '1970-01-01' from amiable.dirty d where d.meter = $1 and d.day >= $2 and d.day <= $3) as late
    from amiable.meter_state s where s.meter = $1`,
  /** Messages of one meter in a span of time; COPY takes no parameters. */
  copy: (meter: string, from: number, to: number): string =>
    `copy (select time, layout, v, s from amiable.message where meter = ${integer(meter)} and time >= ${iso(from)}
      and time < ${iso(to)} and error is null order by time, received_at, id) to stdout (format binary)`,
} as const;
