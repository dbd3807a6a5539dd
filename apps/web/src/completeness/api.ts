/** How complete what was read is: areas or meters by days. */
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { z } from 'zod';
import { ask, query, until } from '../api.ts';

export const LEVELS = ['region', 'substation', 'transformer', 'feeder', 'meter'] as const;
export type Level = (typeof LEVELS)[number];

const count = z.number().int().nonnegative();
const cell = z.object({
  /** Values that should be there; `present` has the estimated ones too. */
  expected: count,
  present: count,
  missing: count,
  estimated: count,
  givenUp: count,
  meters: count,
  /** Meters that lack nothing. */
  complete: count,
});
export type Cell = z.infer<typeof cell>;

const row = z.object({
  id: z.string(),
  kind: z.enum(['all', ...LEVELS]),
  name: z.string(),
  /** By day; null: not counted yet. */
  cells: z.array(cell.nullable()),
});
export type Row = z.infer<typeof row>;

const report = z.object({
  profile: z.string(),
  profiles: z.array(z.string()),
  days: z.array(z.string()),
  total: row,
  rows: z.array(row),
  next: z.string().nullable(),
  computedAt: z.string().nullable(),
});
export type Report = z.infer<typeof report>;

const ofMeter = z.object({
  meter: z.string(),
  profile: z.string(),
  profiles: z.array(z.string()),
  days: z.array(
    z.object({
      day: z.string(),
      expected: count,
      present: count,
      missing: count,
      estimated: count,
      givenUp: count,
      reason: z.string().nullable(),
      gaps: z.array(z.object({ from: z.string(), to: z.string(), count })),
    }),
  ),
});
export type MeterReport = z.infer<typeof ofMeter>;

export interface ReportQuestion {
  readonly profile: string;
  readonly from: string;
  /** Not included. */
  readonly to: string;
  readonly rows: Level;
  readonly under: string;
}

/** Rows a page: more than fit on any screen. */
const PAGE = 200;

export function reportQuery(question: ReportQuestion) {
  return infiniteQueryOptions({
    queryKey: ['completeness', question],
    queryFn: ({ signal, pageParam }) =>
      ask(report, `/completeness${query({ ...question, limit: PAGE, after: pageParam })}`, until(signal)),
    initialPageParam: '',
    getNextPageParam: (last) => last.next ?? undefined,
    staleTime: 60_000,
  });
}

export function meterReportQuery(meter: string, profile: string, from: string, to: string) {
  return queryOptions({
    queryKey: ['completeness-meter', meter, profile, from, to],
    queryFn: ({ signal }) =>
      ask(ofMeter, `/meters/${meter}/completeness${query({ profile, from, to })}`, until(signal)),
  });
}
