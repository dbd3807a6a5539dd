/**
 * Interruptions out of the events in the store, and the indices of areas and periods.
 *
 * Decides: an interruption that began up to a month before the span is seen; who is a customer: whoever is installed at a
 * metering point, by the share of the period, and a meter of which nobody said where it is from the day it was first heard. Works
 * page by page: nothing grows with the number of meters but the sums of areas. Leaves out: what an interruption is (compute).
 */
import {
  addMeter,
  indicesOf,
  noSums,
  outagesOf,
  type Span,
  type SupplyEvent,
  type SupplySums,
  unplanned,
} from '@amiable/compute';
import type { Scope } from '@amiable/model';
import type { Client, Database } from '../pg/database.ts';
import type { Registers } from '../registers.ts';
import { missingSql } from '../sql/missing.ts';
import { outageSql } from '../sql/outages.ts';
import type { MeterId } from '../types.ts';
import type { CounterCheck, OutageStore, Planned, StoredOutage } from './types.ts';

const DAY = 86_400_000;
/** So long before a span an interruption may have begun that reaches into it. */
const BACK = 31 * DAY;
const PAGE = 5000;
/** Counters of failures: all, long ones, in any phase, long in all. */
const COUNTERS = ['0-0:96.7.0', '0-0:96.7.5', '0-0:96.7.21', '0-0:96.7.9'];

export interface OutageParts {
  readonly db: Database;
  readonly registers: Registers;
  readonly values: (
    meter: MeterId,
    register: number,
    from: number,
    to: number,
  ) => Promise<{ readonly times: Float64Array; readonly values: Float64Array }>;
}

const segments = (scope: Scope): readonly number[] | null => (scope === 'all' ? null : scope);
const iso = (ms: number): string => new Date(ms).toISOString();

interface Work extends Span {
  readonly node: string | null;
}
const worksOver = (planned: readonly Work[], path: readonly string[]): readonly Span[] =>
  planned.filter((work) => work.node === null || path.includes(work.node));

async function eventsOf(
  client: Client,
  meters: readonly MeterId[],
  from: number,
  to: number,
): Promise<Map<MeterId, SupplyEvent[]>> {
  const { rows } = await client.query({
    text: outageSql.events,
    values: [meters, iso(from), iso(to)],
    rowMode: 'array',
  });
  const found = new Map<MeterId, SupplyEvent[]>();
  for (const [meter, time, event, duration] of rows as unknown as [MeterId, number, string, number | null][]) {
    let list = found.get(meter);
    if (!list) {
      list = [];
      found.set(meter, list);
    }
    list.push({ time, event, ...(duration === null ? {} : { duration: duration * 1000 }) });
  }
  return found;
}

export function createOutages({ db, registers, values }: OutageParts): OutageStore {
  const planned = async (from: number, to: number, limit: number, scope: Scope): Promise<Planned[]> => {
    const { rows } = await db.read((client) =>
      client.query(outageSql.planned, [iso(from), iso(to), limit, segments(scope)]),
    );
    return rows as Planned[];
  };

  return {
    planned,
    async plan(work, at, scope) {
      const row = [work.node, iso(work.from), iso(work.to), work.reason, work.who, iso(at), segments(scope)];
      const { rows } = await db.write((client) => client.query(outageSql.plan, row));
      return (rows[0] as { id: string } | undefined)?.id;
    },
    async unplan(id, scope) {
      return (await db.write((client) => client.query(outageSql.unplan, [id, segments(scope)]))).rows.length > 0;
    },

    async list(query) {
      const works = await planned(query.from - BACK, query.to, 10_000, 'all');
      return db.read(async (client) => {
        const { rows } = await client.query(outageSql.meters, [
          segments(query.scope),
          query.under ?? null,
          query.meter ?? null,
          iso(query.from - BACK),
          iso(query.to),
          query.after ?? '0',
          query.limit + 1,
        ]);
        const found = rows as { meter: MeterId; serial: string; name: string | null; path: string[] | null }[];
        const page = found.slice(0, query.limit);
        const events = await eventsOf(
          client,
          page.map((row) => row.meter),
          query.from - BACK,
          // What ends after the span has an end all the same.
          query.to + BACK,
        );
        const outages: StoredOutage[] = [];
        for (const { meter, serial, name, path } of page) {
          const own = worksOver(works, path ?? []);
          for (const outage of outagesOf(events.get(meter) ?? []))
            if (outage.from < query.to && (outage.to ?? Number.POSITIVE_INFINITY) > query.from)
              outages.push({ meter, serial, name, ...outage, planned: unplanned(outage, own) !== outage });
        }
        const last = page.at(-1);
        return { outages, ...(found.length > query.limit && last ? { next: last.meter } : {}) };
      });
    },

    async indices({ periods, rows: kind, under, momentary, now, scope }) {
      const first = periods[0];
      const last = periods.at(-1);
      if (!first || !last) return [];
      const from = first.from - BACK;
      // What happens after the span decides whether an interruption in it was momentary.
      const to = Math.min(now, last.to + BACK);
      const works = await planned(from, to, 10_000, 'all');
      const names = new Map<string, string>();
      if (kind === 'all') names.set(under ?? '0', '');
      else {
        const { rows } = await db.read((client) =>
          client.query(outageSql.nodes, [kind, under ?? null, segments(scope)]),
        );
        for (const row of rows as { id: string; name: string }[]) names.set(row.id, row.name);
      }
      const areas = new Map<string, SupplySums[]>();
      for (let after = '0'; ; ) {
        const { page, events, service, behind } = await db.read(async (client) => {
          const { rows } = await client.query(outageSql.customers, [segments(scope), under ?? null, after, PAGE]);
          const page = rows as { id: MeterId; path: string[] | null; first_seen: number | null }[];
          const ids = page.map((row) => row.id);
          const links = (await client.query(missingSql.inService, [ids])).rows as {
            meter: MeterId;
            since: number;
            until: number | null;
          }[];
          return {
            page,
            events: await eventsOf(client, ids, from, to),
            behind: new Set(
              ((await client.query(outageSql.behind, [ids])).rows as { meter: MeterId }[]).map((row) => row.meter),
            ),
            service: new Map(links.map((link) => [link.meter, link])),
          };
        });
        for (const { id, path, first_seen } of page) {
          const link = service.get(id);
          const since = link?.since ?? first_seen;
          if (since === null || behind.has(id)) continue;
          const span = { from: since, to: link?.until ?? Number.POSITIVE_INFINITY };
          const outages = outagesOf(events.get(id) ?? []);
          const own = worksOver(works, path ?? []);
          for (const area of kind === 'all' ? names.keys() : (path ?? [])) {
            if (!names.has(area)) continue;
            let sums = areas.get(area);
            if (!sums) {
              sums = periods.map(noSums);
              areas.set(area, sums);
            }
            for (const [k, period] of periods.entries())
              if (period.from < now)
                addMeter(sums[k] as SupplySums, outages, {
                  period: { from: period.from, to: Math.min(period.to, now) },
                  service: span,
                  planned: own,
                  momentary,
                  until: to,
                });
          }
        }
        if (page.length < PAGE) break;
        after = page.at(-1)?.id as string;
      }
      return [...areas]
        .map(([id, sums]) => ({
          id,
          name: names.get(id) ?? '',
          sums: sums.map((one) => ({ ...one, ...indicesOf(one) })),
        }))
        .sort((a, b) => a.id.length - b.id.length || (a.id < b.id ? -1 : 1));
    },

    async counters(meter, from, to) {
      await registers.load();
      const out: CounterCheck[] = [];
      for (const { id, obis, period, stat } of registers.all()) {
        if (obis === undefined || !COUNTERS.includes(obis) || period !== 0 || stat !== 'value') continue;
        const { times, values: found } = await values(meter, id, from, to);
        const n = times.length;
        if (n === 0) continue;
        out.push({
          register: obis,
          first: { time: times[0] as number, value: found[0] as number },
          last: { time: times[n - 1] as number, value: found[n - 1] as number },
        });
      }
      return out.sort((a, b) => (a.register < b.register ? -1 : 1));
    },
  };
}
