/**
 * Events: written in bulk, as often as one likes, and asked for by meter, area, category, weight and time.
 *
 * Decides: what a number means is looked up when it is written; an unknown one is kept with its number. Equal numbers at one
 * time are counted in the order of the log, so that the same log read twice is stored once.
 */
import type { Scope } from '@amiable/model';
import { eventOf, type Severity } from '@amiable/model/events';
import { boundedDetail } from '../journal/journal.ts';
import type { Partitions } from '../partitions.ts';
import type { Database } from '../pg/database.ts';
import { eventSql, insertEvents } from '../sql/events.ts';
import { runRows } from '../sql/values.ts';
import type { EventPage, EventQuery, EventStore, NewEvent, PowerEvent, StoredEvent } from './types.ts';

const DAY = 86_400_000;
const EARLIEST = Date.UTC(1990, 0, 1);
const LATEST = Date.UTC(2100, 0, 1);
const INT4 = 2 ** 31;
/** One transaction. */
const BATCH = 4096;

export interface EventParts {
  readonly db: Database;
  readonly partitions: Partitions;
}

const isSensible = ({ time, code, status }: NewEvent): boolean =>
  time >= EARLIEST &&
  time < LATEST &&
  Number.isInteger(code) &&
  Math.abs(code) < INT4 &&
  (status === undefined || Number.isSafeInteger(status));

type EventRow = [string, string, number, string, number, string, string, number, number | null, string | null, string];

/** Rows in the order of the key, each with its ordinal. */
function rowsOf(events: readonly NewEvent[], received: number): EventRow[] {
  const seen = new Map<string, number>();
  const at = new Date(received).toISOString();
  const rows: EventRow[] = [];
  for (const event of events) {
    if (!isSensible(event)) continue;
    const source = `${event.catalogue}/${event.source}`.slice(0, 100);
    let { ordinal } = event;
    if (ordinal === undefined) {
      const key = `${event.meter} ${event.time} ${event.code} ${source}`;
      ordinal = seen.get(key) ?? 0;
      seen.set(key, ordinal + 1);
    }
    const meant = eventOf(event.catalogue, event.code);
    rows.push([
      event.meter,
      new Date(event.time).toISOString(),
      event.code,
      source,
      Math.min(ordinal, 32_767),
      meant.event,
      meant.category,
      meant.severity,
      event.status ?? null,
      boundedDetail(event.detail),
      at,
    ]);
  }
  return rows.sort(
    (a, b) =>
      a[0].length - b[0].length ||
      (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0) ||
      (a[1] < b[1] ? -1 : a[1] > b[1] ? 1 : 0) ||
      a[2] - b[2] ||
      a[4] - b[4],
  );
}

const segments = (scope: Scope): readonly number[] | null => (scope === 'all' ? null : scope);
const iso = (ms: number): string => new Date(ms).toISOString();

type Cursor = readonly [time: string, meter: string, source: string, code: number, ordinal: number];

const cursorOf = (event: StoredEvent): string =>
  Buffer.from(JSON.stringify([iso(event.time), event.meter, event.source, event.code, event.ordinal])).toString(
    'base64url',
  );

/** @returns undefined for what is none */
function readCursor(text: string): Cursor | undefined {
  try {
    const found: unknown = JSON.parse(Buffer.from(text, 'base64url').toString());
    if (!Array.isArray(found) || found.length !== 5) return undefined;
    const [time, meter, source, code, ordinal] = found as unknown[];
    if (typeof time !== 'string' || Number.isNaN(Date.parse(time))) return undefined;
    if (typeof meter !== 'string' || !/^\d{1,18}$/.test(meter) || typeof source !== 'string') return undefined;
    if (!Number.isInteger(code) || !Number.isInteger(ordinal)) return undefined;
    return [iso(Date.parse(time)), meter, source, code as number, ordinal as number];
  } catch {
    return undefined;
  }
}

const matches = (query: Omit<EventQuery, 'limit' | 'after'>): unknown[] => [
  segments(query.scope),
  query.under ?? null,
  query.meters ?? null,
  query.categories ?? null,
  query.events ?? null,
  query.severity ?? null,
  iso(query.from ?? EARLIEST),
  iso(query.to ?? LATEST),
];

export function createEvents({ db, partitions }: EventParts): EventStore {
  return {
    async write(events, received) {
      const rows = rowsOf(events, received);
      await partitions.events(new Set(rows.map((row) => Math.floor(Date.parse(row[1]) / DAY))));
      let inserted = 0;
      for (let at = 0; at < rows.length; at += BATCH) {
        const some = rows.slice(at, at + BATCH);
        inserted += (await db.write((client) => runRows(client, insertEvents, some))).length;
      }
      return { inserted, known: rows.length - inserted, refused: events.length - rows.length };
    },

    async list(query): Promise<EventPage> {
      const cursor = query.after === undefined ? undefined : readCursor(query.after);
      const place = cursor ?? [null, null, null, null, null];
      const { rows } = await db.read((client) =>
        client.query(eventSql.list, [...matches(query), ...place, query.limit + 1]),
      );
      const events = (rows as Row[]).slice(0, query.limit).map(stored);
      const last = events.at(-1);
      return { events, ...(rows.length > query.limit && last ? { next: cursorOf(last) } : {}) };
    },

    async ofMeters(meters, categories, from, to) {
      const { rows } = await db.read((client) =>
        client.query({
          text: eventSql.ofMeters,
          values: [meters, categories, iso(from), iso(to)],
          rowMode: 'array',
        }),
      );
      return (rows as unknown as [string, Date, string][]).map(
        ([meter, time, event]): PowerEvent => ({ meter, time: time.getTime(), event }),
      );
    },

    async count(query) {
      const { rows } = await db.read((client) => client.query(eventSql.count, matches(query)));
      return rows as { event: string; n: number }[];
    },
  };
}

interface Row {
  readonly meter: string;
  readonly serial: string;
  readonly name: string | null;
  readonly time: Date;
  readonly event: string;
  readonly category: StoredEvent['category'];
  readonly severity: Severity;
  readonly code: number;
  readonly source: string;
  readonly ordinal: number;
  readonly status: string | null;
  readonly detail: unknown;
  readonly received_at: Date | null;
}

const stored = (row: Row): StoredEvent => ({
  meter: row.meter,
  serial: row.serial,
  name: row.name,
  time: row.time.getTime(),
  event: row.event,
  category: row.category,
  severity: row.severity,
  code: row.code,
  source: row.source,
  ordinal: row.ordinal,
  status: row.status === null ? null : Number(row.status),
  detail: row.detail,
  received: row.received_at === null ? null : row.received_at.getTime(),
});
