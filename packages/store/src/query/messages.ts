/** Messages as they were received, newest first, with their values unpacked. */
import { toHex } from '@amiable/bytes';
import { FLAGS, isoTime, type Scope, type StoredMessage, toNumber } from '@amiable/model';
import { unpackMessage } from '../layouts.ts';
import { querySql } from '../sql/query.ts';
import type { MeterId } from '../types.ts';
import { NO_TIME } from '../write/ingest.ts';
import type { MeterParts } from './meters.ts';
import { requireMeter, segmentsOf } from './scope.ts';

const validId = (id: string): boolean => /^\d{1,18}$/.test(id);

interface Row {
  readonly meter: string;
  readonly time: Date;
  readonly id: string;
  readonly received_at: Date;
  readonly layout: number;
  readonly flags: number;
  readonly v: Buffer;
  readonly s: Buffer;
  readonly raw: Buffer | null;
  readonly error: string | null;
}

export async function listMessages(
  parts: MeterParts,
  id: MeterId,
  limit: number,
  scope?: Scope,
): Promise<StoredMessage[]> {
  if (!validId(id)) return [];
  const rows = await parts.db.read(async (client) => {
    if (scope !== undefined) await requireMeter(client, id, scope);
    return client.query(querySql.messages, [id, Math.min(Math.max(1, Math.trunc(limit)), 1000), segmentsOf(scope)]);
  });
  return Promise.all((rows.rows as Row[]).map((row) => toStored(parts, row)));
}

export async function getMessage(
  parts: MeterParts,
  id: MeterId,
  message: string,
  scope?: Scope,
): Promise<StoredMessage | undefined> {
  if (!validId(id) || !/^[0-9a-f]{32}$/i.test(message)) return undefined;
  const { rows } = await parts.db.read((client) => client.query(querySql.message, [id, message, segmentsOf(scope)]));
  return rows[0] ? toStored(parts, rows[0] as Row) : undefined;
}

async function toStored(parts: MeterParts, row: Row): Promise<StoredMessage> {
  let layout = parts.layouts.byId(row.layout);
  if (!layout) {
    await parts.registers.load();
    await parts.layouts.load();
    layout = parts.layouts.byId(row.layout);
  }
  const readings: StoredMessage['readings'] = [];
  if (layout) {
    const { numbers, texts, clocks } = unpackMessage(layout, row.v, row.time.getTime());
    const count = layout.registers.length;
    layout.places.forEach((place, k) => {
      const r = parts.registers.byId((k < count ? layout.registers[k] : layout.texts[k - count]) as number);
      if (!r) return;
      const clock = layout.clocks[k] as number;
      readings[place] = {
        name: r.name,
        value:
          k < count
            ? toNumber(numbers[k] as number | bigint, layout.scalers[k] as number)
            : (texts[k - count] as string),
        ...(r.obis === undefined ? {} : { obis: r.obis }),
        ...(r.address === undefined ? {} : { address: r.address }),
        ...(r.unit === undefined ? {} : { unit: r.unit }),
        ...(r.between === undefined ? {} : { between: r.between }),
        ...(clock === 0 ? {} : { time: isoTime(clocks[clock] as number) }),
      };
    });
  }
  const error = row.error === null ? null : /^(.*?)(?:@(\d+))?$/s.exec(row.error);
  return {
    id: row.id.replaceAll('-', ''),
    meter: row.meter,
    receivedAt: row.received_at.toISOString(),
    time: row.flags & NO_TIME ? null : isoTime(row.time.getTime()),
    protocol: layout?.protocol ?? 'han',
    list: layout?.list ?? null,
    flags: FLAGS.filter((_, bit) => row.flags & (1 << bit)),
    raw: row.raw ? toHex(row.raw) : '',
    error: error
      ? { reason: error[1] as string, ...(error[2] === undefined ? {} : { offset: Number(error[2]) }) }
      : null,
    readings: readings.filter(Boolean),
  };
}
