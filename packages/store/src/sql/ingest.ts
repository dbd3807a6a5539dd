/** Statements of the intake: messages, what meters show now, text readings, the queue of unplaced messages. */
import type { RowsStatement } from './values.ts';

export const insertMessages: RowsStatement = {
  name: 'message.insert',
  before: 'insert into amiable.message (meter, time, id, received_at, layout, source, flags, v, s, raw, error)',
  types: [
    'bigint',
    'timestamptz',
    'uuid',
    'timestamptz',
    'integer',
    'integer',
    'integer',
    'bytea',
    'bytea',
    'bytea',
    'text',
  ],
  after: 'on conflict (meter, time, id) do nothing returning meter, id',
};

/** Tells by the way how far each meter is compacted, and keeps its row locked until the messages are committed. */
export const upsertMeterStates: RowsStatement = {
  name: 'meter_state.upsert',
  before: 'insert into amiable.meter_state as old (meter, last_seen, compacted_to, compacting_to)',
  types: ['bigint', 'timestamptz', 'timestamptz', 'timestamptz'],
  after: `on conflict (meter) do update set last_seen = greatest(old.last_seen, excluded.last_seen)
    returning meter, (extract(epoch from compacted_to) * 1000)::bigint`,
};

export const upsertLive: RowsStatement = {
  name: 'live.upsert',
  before: 'insert into amiable.live as old (meter, layout, time, v)',
  types: ['bigint', 'integer', 'timestamptz', 'bytea'],
  after:
    'on conflict (meter, layout) do update set time = excluded.time, v = excluded.v where old.time <= excluded.time',
};

export const insertDirty: RowsStatement = {
  name: 'dirty.insert',
  before: 'insert into amiable.dirty (meter, day)',
  types: ['bigint', 'date'],
  after: 'on conflict (meter, day) do nothing',
};

export const insertAttributes: RowsStatement = {
  name: 'attribute.insert',
  before: 'insert into amiable.attribute (meter, register, time, value)',
  types: ['bigint', 'integer', 'timestamptz', 'text'],
  after: 'on conflict (meter, register, time) do nothing',
};

export const insertUnplaced: RowsStatement = {
  name: 'unplaced.insert',
  before: 'insert into amiable.unplaced (id, reason, reader, port, protocol, received_at, raw, message)',
  types: ['uuid', 'text', 'text', 'text', 'text', 'timestamptz', 'bytea', 'text'],
  after: 'on conflict (id) do nothing returning id',
};

export const ingestSql = {
  lastAttributes: `select distinct on (meter, register) meter, register, value, (extract(epoch from time) * 1000)::bigint as at
    from amiable.attribute where meter = any($1::bigint[]) order by meter, register, time desc`,
  deleteUnplaced: 'delete from amiable.unplaced where id = any($1::uuid[])',
  nextUnplaced: `select id, reason, reader, port, protocol, received_at, raw, message from amiable.unplaced
    where (received_at, id) > ($1::timestamptz, $2::uuid) order by received_at, id limit 200`,
} as const;
