/** Statements of events. Their table is big: the meter leads its key, rows come as VALUES. */
import type { RowsStatement } from './values.ts';

export const insertEvents: RowsStatement = {
  name: 'insertEvents',
  before: `insert into amiable.event (meter, time, code, source, ordinal, event, category, severity, status, detail, received_at)`,
  types: [
    'bigint',
    'timestamptz',
    'integer',
    'text',
    'smallint',
    'text',
    'text',
    'smallint',
    'bigint',
    'jsonb',
    'timestamptz',
  ],
  after: `on conflict (meter, time, source, code, ordinal) do nothing returning meter`,
};

/** `$1` segments, `$2` node, `$3` meters, `$4` categories, `$5` events, `$6` severity, `$7` from, `$8` to. */
const MATCHES = `($1::integer[] is null or m.segment = any($1::integer[]))
    and ($2::bigint is null or m.path @> array[$2::bigint])
    and ($3::bigint[] is null or e.meter = any($3::bigint[]))
    and ($4::text[] is null or e.category = any($4::text[]))
    and ($5::text[] is null or e.event = any($5::text[]))
    and ($6::smallint is null or e.severity >= $6::smallint)
    and e.time >= $7::timestamptz and e.time < $8::timestamptz`;

export const eventSql = {
  list: `select e.meter, m.serial, m.name, e.time, e.event, e.category, e.severity, e.code, e.source, e.ordinal, e.status, e.detail, e.received_at
    from amiable.event e join amiable.meter m on m.id = e.meter
    where ${MATCHES}
      and ($9::timestamptz is null or (e.time, e.meter, e.source, e.code, e.ordinal) < ($9::timestamptz, $10::bigint, $11::text, $12::integer, $13::smallint))
    order by e.time desc, e.meter desc, e.source desc, e.code desc, e.ordinal desc limit $14`,
  count: `select e.event, count(*)::integer as n from amiable.event e join amiable.meter m on m.id = e.meter
    where ${MATCHES} group by e.event order by n desc, e.event`,
  ofMeters: `select e.meter, e.time, e.event from amiable.event e
    where e.meter = any($1::bigint[]) and e.category = any($2::text[]) and e.time >= $3::timestamptz and e.time < $4::timestamptz
    order by e.meter, e.time, e.source, e.code, e.ordinal`,
} as const;
