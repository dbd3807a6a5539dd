/**
 * What a read on demand has brought, out of the store: it was stored like all else, and is given from there.
 *
 * Decides: registers are those of the newest message that came since the read was ordered; a profile is what the store has of the span asked for, fetched now or
 * before; at most so many rows.
 */
import { quantityOf } from '@amiable/cosem';
import type { Scope } from '@amiable/model';
import { periodOf, type ReadoutSet, type RegisterKey, type Store, type StoredConnection } from '@amiable/store';
import type { ReadBody, ReadResult } from './schema.ts';

const MOST_ROWS = 10_000;
const MOST_EVENTS = 1000;
/** Messages that are looked through: others may speak meanwhile. */
const NEWEST = 50;
const DAY = 86_400_000;

export interface Ordered {
  readonly body: ReadBody;
  /** Epoch ms. */
  readonly asked: number;
  readonly ended: number;
}

type Source = Pick<Store, 'values' | 'messages' | 'events' | 'readout'>;

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
    return { registers: await registerRows(store, connection, ordered, registersOf(body, set), scope) };
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
  const period = periodOf(profile);
  const keys = delivers.map((obis): RegisterKey => {
    const { name, unit } = quantityOf(obis);
    return store.readout.registerOf(obis, period) ?? { obis, name, ...(unit !== undefined && { unit }), period };
  });
  return { profile: { name: body.profile, ...(await profileRows(store, connection.meter, keys, body.from, body.to)) } };
}

/** The newest message of this set that came since the read was ordered; single values that have a time of their own keep it. */
async function registerRows(
  store: Source,
  { meter }: StoredConnection,
  { body, asked }: Ordered,
  codes: readonly string[],
  scope: Scope,
): Promise<NonNullable<ReadResult['registers']>> {
  const list = (body.what === 'registers' && body.set) || 'billing';
  const messages = await store.messages(meter, NEWEST, scope);
  const found = messages.find((message) => message.list === list && Date.parse(message.receivedAt) >= asked);
  if (!found) return [];
  const order = (obis: string): number => codes.indexOf(obis);
  return found.readings
    .flatMap(({ obis, name, value, unit, time }) => {
      if (obis === undefined) return [];
      const own = { obis, name, unit: unit ?? null, time: time ?? found.time ?? found.receivedAt };
      return [{ ...own, value: typeof value === 'number' ? decimal(value) : value }];
    })
    .sort((a, b) => order(a.obis) - order(b.obis));
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
