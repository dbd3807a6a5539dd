/** Fills the calendar table for the zones in use: which local day each part of a UTC day belongs to. */
import { add, startOf, toLocal } from '@amiable/calendar';
import type { Database } from './pg/database.ts';
import { catalogueSql } from './sql/catalogue.ts';
import { dayText } from './sql/partitions.ts';

const DAY = 86_400_000;

export interface CalendarRow {
  readonly day: number;
  readonly localDay: number;
  readonly nextAt: number;
  readonly secondAt: number | undefined;
}

/** One row per UTC day in [first, last], days since 1970. */
export function calendarRows(zone: string, first: number, last: number): CalendarRow[] {
  const rows: CalendarRow[] = [];
  for (let day = first; day <= last; day++) {
    const start = day * DAY;
    const nextAt = add('day', zone, startOf('day', zone, start), 1);
    const after = add('day', zone, nextAt, 1);
    rows.push({
      day,
      localDay: Math.floor(toLocal(zone, start) / DAY),
      nextAt,
      secondAt: after < start + DAY ? after : undefined,
    });
  }
  return rows;
}

export interface Calendars {
  /** Makes sure that the zone's days from `first` to `last` are there. */
  ensure(zone: string, first: number, last: number): Promise<void>;
}

export function createCalendars(db: Database): Calendars {
  const filled = new Map<string, { first: number; last: number }>();
  return {
    async ensure(zone, first, last) {
      const have = filled.get(zone);
      if (have && have.first <= first && have.last >= last) return;
      await db.write(async (client) => {
        const { rows } = await client.query(catalogueSql.calendarSpan, [zone]);
        const span = rows[0] as { first: number | null; last: number | null };
        // Always one unbroken stretch, and years at a time.
        const from = Math.min(first - 366, span.first ?? first);
        const to = Math.max(last + 2 * 366, span.last ?? last);
        const missing = calendarRows(zone, from, to).filter(
          (row) => span.first === null || row.day < span.first || row.day > (span.last as number),
        );
        for (let i = 0; i < missing.length; i += 5000) {
          const part = missing.slice(i, i + 5000);
          await client.query(catalogueSql.insertCalendar, [
            zone,
            part.map((row) => dayText(row.day)),
            part.map((row) => dayText(row.localDay)),
            part.map((row) => new Date(row.nextAt).toISOString()),
            part.map((row) => (row.secondAt === undefined ? null : new Date(row.secondAt).toISOString())),
          ]);
        }
        filled.set(zone, { first: from, last: to });
      });
    },
  };
}
