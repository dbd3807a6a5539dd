/**
 * What a read on demand has brought, out of the store: it was stored like all else, and is given from there.
 *
 * Decides: registers are the values stored since the read was ordered; a profile is what the store has of the span asked for, fetched now or
 * before; at most so many rows. Leaves out: texts (they are in the meter's messages).
 */
import { quantityOf } from '@amiable/cosem';
import type { Scope } from '@amiable/model';
import { periodOf, type ReadoutSet, type RegisterKey, type Store, type StoredConnection } from '@amiable/store';
import type { ReadBody, ReadResult } from './schema.ts';

const MOST_ROWS = 10_000;
const MOST_EVENTS = 1000;
const DAY = 86_400_000;

export interface Ordered {
  readonly body: ReadBody;
  /** Epoch ms. */
  readonly asked: number;
  readonly ended: number;
}

type Source = Pick<Store, 'values' | 'events' | 'readout'>;

/** Which registers a body means; those of the set where it names one. */
export function registersOf(
  body: Extract<ReadBody, { what: 'registers' }>,
  set: ReadoutSet | undefined,
): readonly string[] {
  return body.registers ?? set?.registers[body.set ?? 'billing'] ?? [];
}

export async function resultOf(
  store: Source,
  connection: StoredConnection,
  ordered: Ordered,
  scope: Scope,
): Promise<ReadResult> {
  const { body } = ordered;
  const set = (await store.readout.sets()).get(connection.readout);
  if (body.what === 'registers')
    return { registers: await registerRows(store, connection, ordered, registersOf(body, set)) };
  if (body.what === 'events') {
    const page = await store.events.list({
      meters: [connection.meter],
      from: body.from ?? ordered.asked - 30 * DAY,
      to: ordered.ended + DAY,
      limit: MOST_EVENTS,
      scope,
    });
    return {
      events: page.events
        .filter(({ source }) => body.log === undefined || source.endsWith(`/${body.log}`))
        .map(({ time, code, event, source }) => ({
          time: new Date(time).toISOString(),
          code,
          event,
          log: source.slice(source.lastIndexOf('/') + 1),
        })),
    };
  }
  const profile = set?.profiles.find(({ name }) => name === body.profile);
  const delivers = connection.state?.delivers?.[body.profile] ?? [];
  if (!profile) return { profile: { name: body.profile, columns: [], rows: [], cut: false } };
  const keys = delivers.map((key) => ({ ...key, period: periodOf(profile) }));
  return { profile: { name: body.profile, ...(await profileRows(store, connection.meter, keys, body.from, body.to)) } };
}

async function registerRows(
  store: Source,
  { meter }: StoredConnection,
  { asked, ended }: Ordered,
  codes: readonly string[],
): Promise<NonNullable<ReadResult['registers']>> {
  const rows: NonNullable<ReadResult['registers']> = [];
  for (const obis of codes) {
    const { name, unit } = quantityOf(obis);
    const key: RegisterKey = { obis, name, ...(unit !== undefined && { unit }), period: 0 };
    // A meter may say when it captured a value: a maximum is older than the read.
    const { times, values } = await store.values(meter, key, asked - 60_000, ended + 60_000);
    const at = times.length - 1;
    if (at < 0) continue;
    rows.push({
      obis,
      name,
      unit: unit ?? null,
      value: decimal(values[at] as number),
      time: new Date(times[at] as number).toISOString(),
    });
  }
  return rows;
}

async function profileRows(
  store: Source,
  meter: string,
  keys: readonly RegisterKey[],
  from: number,
  to: number,
): Promise<Omit<NonNullable<ReadResult['profile']>, 'name'>> {
  const rows = new Map<number, (string | null)[]>();
  for (const [c, key] of keys.entries()) {
    const { times, values } = await store.values(meter, key, from, to);
    for (let i = 0; i < times.length; i++) {
      const time = times[i] as number;
      let row = rows.get(time);
      if (!row) {
        row = keys.map(() => null);
        rows.set(time, row);
      }
      row[c] = decimal(values[i] as number);
    }
  }
  const all = [...rows].sort(([a], [b]) => a - b);
  return {
    columns: keys.map(({ obis = '', name, unit }) => ({ obis, name, unit: unit ?? null })),
    rows: all.slice(0, MOST_ROWS).map(([time, values]) => ({ time: new Date(time).toISOString(), values })),
    cut: all.length > MOST_ROWS,
  };
}

/** Registers have decimals that doubles cannot hold; what they hold is printed as it was meant. */
const decimal = (value: number): string => String(Number(value.toPrecision(15)));
