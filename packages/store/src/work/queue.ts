/**
 * The queue seen from inside a transaction: jobs are added, meters' rows brought in line with their jobs, counts of runs kept.
 *
 * Decides: the order of locks (meters, jobs, runs), and which lane a meter is in. Leaves out: transactions (leases.ts, runs.ts).
 */
import type pg from 'pg';
import { leaseSql, workSql } from '../sql/work.ts';
import type { MeterId } from '../types.ts';
import type { RunId } from './types.ts';

export const iso = (ms: number): string => new Date(ms).toISOString();

type LeaseStatement = {
  [K in keyof typeof leaseSql]: (typeof leaseSql)[K] extends string ? K : never;
}[keyof typeof leaseSql];

/** A prepared statement of the queue: these run so often that planning them anew would cost as much as running them. */
export async function lease<T = Record<string, unknown>>(
  client: pg.ClientBase,
  statement: LeaseStatement,
  values: readonly unknown[] = [],
): Promise<T[]> {
  const result = await client.query({ name: `lease.${statement}`, text: leaseSql[statement], values: [...values] });
  return result.rows as T[];
}

/** How a meter is reached: names under which limits and windows may stand; empty ones limit nothing. */
export interface Place {
  readonly channel: string;
  readonly concentrator: string;
  readonly network: string;
}

/** What one outcome adds to the counts of its run. */
export interface Tally {
  done: number;
  failed: number;
  givenUp: number;
  expired: number;
  cancelled: number;
  tries: number;
  stored: number;
}

export const COUNTED = {
  done: 'done',
  failed: 'failed',
  'given-up': 'givenUp',
  expired: 'expired',
  cancelled: 'cancelled',
} as const;

export function createTallies() {
  const byRun = new Map<RunId, Tally>();
  return {
    of(run: RunId): Tally {
      let tally = byRun.get(run);
      if (!tally) {
        tally = { done: 0, failed: 0, givenUp: 0, expired: 0, cancelled: 0, tries: 0, stored: 0 };
        byRun.set(run, tally);
      }
      return tally;
    },
    /** Last in a transaction: the row of a run is what all workers share. */
    async write(client: pg.ClientBase): Promise<void> {
      if (byRun.size === 0) return;
      const runs = [...byRun.keys()];
      const all = [...byRun.values()];
      await lease(client, 'lockRuns', [runs]);
      await lease(client, 'count', [
        runs,
        all.map((t) => t.done),
        all.map((t) => t.failed),
        all.map((t) => t.givenUp),
        all.map((t) => t.expired),
        all.map((t) => t.cancelled),
        all.map((t) => t.tries),
        all.map((t) => t.stored),
      ]);
    },
  };
}

/** Brings meters whose jobs have changed in line with them; rows of meters with nothing to do go. */
export async function settleMeters(client: pg.ClientBase, meters: readonly MeterId[], now: number): Promise<void> {
  if (meters.length === 0) return;
  await lease(client, 'drop', [meters]);
  await lease(client, 'recompute', [meters, iso(now)]);
}

interface Network {
  readonly name: string;
  readonly base: number;
  readonly mask: number;
}

function ipv4(text: string): number | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  let value = 0;
  for (const part of parts) {
    if (!/^\d{1,3}$/.test(part) || Number(part) > 255) return undefined;
    value = value * 256 + Number(part);
  }
  return value;
}

/** `10.20.0.0/16`; undefined when it is none. */
export function parseNetwork(name: string, text: string): Network | undefined {
  const [address = '', bits = '32'] = text.split('/');
  const base = ipv4(address);
  const length = Number(bits);
  if (base === undefined || !/^\d{1,2}$/.test(bits) || length > 32) return undefined;
  const size = 2 ** (32 - length);
  return { name, base: Math.floor(base / size), mask: size };
}

const HOST = /^[a-z0-9+-]+:\/\/\[?([^\]/:]+)/i;

/** The narrowest network that holds the address of a connection. */
function networkOf(networks: readonly Network[], address: string): string {
  const value = ipv4(HOST.exec(address)?.[1] ?? '');
  if (value === undefined) return '';
  let best: Network | undefined;
  for (const network of networks)
    if (Math.floor(value / network.mask) === network.base && (best === undefined || network.mask < best.mask))
      best = network;
  return best?.name ?? '';
}

/**
 * Where meters are, by their connections and, for concentrators, the registry. Meters without a connection are in no channel and no network.
 * A concentrator that nothing is said of limits nothing and has no name here: there are thousands.
 */
export async function placesOf(client: pg.ClientBase, meters: readonly MeterId[]): Promise<Map<MeterId, Place>> {
  const { rows: limited } = await client.query(workSql.limitedPlaces);
  const networks: Network[] = [];
  const concentrators = new Set<string>();
  for (const row of limited as { kind: string; name: string; address: string | null }[])
    if (row.kind === 'concentrator') concentrators.add(row.name);
    else {
      const network = parseNetwork(row.name, row.address ?? '');
      if (network) networks.push(network);
    }
  const { rows } = await client.query(workSql.places, [meters]);
  return new Map(
    (rows as { meter: string; channel: string; address: string; concentrator: string }[]).map((row) => [
      row.meter,
      {
        channel: row.channel,
        concentrator: concentrators.has(row.concentrator) || concentrators.has('*') ? row.concentrator : '',
        network: networkOf(networks, row.address),
      },
    ]),
  );
}

const NOWHERE: Place = { channel: '', concentrator: '', network: '' };

/** Adds a job of the run for each meter that has none yet. @returns how many */
export async function addJobs(
  client: pg.ClientBase,
  run: RunId,
  meters: readonly MeterId[],
  how: { readonly priority: number; readonly ready: number; readonly now: number },
  places: ReadonlyMap<MeterId, Place>,
): Promise<number> {
  if (meters.length === 0) return 0;
  const key = (place: Place): string => JSON.stringify([place.channel, place.concentrator, place.network]);
  const wanted = new Map<string, Place>();
  for (const meter of meters) {
    const place = places.get(meter) ?? NOWHERE;
    wanted.set(key(place), place);
  }
  const ids = new Map<string, number>();
  const load = async (): Promise<void> => {
    for (const row of await lease<Place & { id: number }>(client, 'lanes')) ids.set(key(row), row.id);
  };
  await load();
  const missing = [...wanted.entries()].filter(([name]) => !ids.has(name)).map(([, place]) => place);
  if (missing.length > 0) {
    await client.query(workSql.addLanes, [
      missing.map((p) => p.channel),
      missing.map((p) => p.concentrator),
      missing.map((p) => p.network),
    ]);
    await load();
  }
  const lanes = meters.map((meter) => ids.get(key(places.get(meter) ?? NOWHERE)));
  await client.query(workSql.addMeters, [meters, lanes, iso(how.ready), iso(how.now), how.priority]);
  const { rows } = await client.query(workSql.addJobs, [run, meters, how.priority, iso(how.ready)]);
  return rows.length;
}
