/** What a kind of report is: its parameters, what one must be allowed, and how its table is made. */
import { add, parsePeriod, periodRange, startOf, toLocal } from '@amiable/calendar';
import type { Caller, Privilege } from '@amiable/model';
import type { MeterSelection } from '@amiable/store';
import { z } from 'zod';
import type { Context } from '../../context.ts';
import { day, id63 } from '../../http/queries.ts';
import { selectedMeters } from '../exchange/outbox.ts';
import type { ReportTable } from './table.ts';

export interface ReportCall {
  readonly context: Context;
  readonly caller: Caller;
  /** Epoch ms. */
  readonly now: number;
  readonly timeZone: string;
  readonly signal?: AbortSignal | undefined;
}

/** A table without what every report has. */
export type Body = Omit<ReportTable, 'title' | 'timeZone' | 'made'>;

export interface ReportKind {
  readonly name: string;
  readonly title: string;
  /** One line. */
  readonly summary: string;
  /** What one must be allowed beside running reports: what its rows show. */
  readonly needs: readonly Privilege[];
  readonly parameters: z.ZodType;
  make(call: ReportCall, parameters: unknown): Promise<Body>;
}

/** Keeps the type of the parameters between schema and maker. */
export function kind<S extends z.ZodType>(
  given: Omit<ReportKind, 'parameters' | 'make'> & {
    readonly parameters: S;
    readonly make: (call: ReportCall, parameters: z.output<S>) => Promise<Body>;
  },
): ReportKind {
  return { ...given, make: (call, parameters) => given.make(call, given.parameters.parse(parameters)) };
}

// ---------------------------------------------------------------- parameters that several have

const periodText = z
  .string()
  .max(20)
  .refine((text) => parsePeriod(text) !== undefined, 'a period such as `month -1`, `week`, `day -7`, `year -1`');

/** A span of local days: by name, or from and to. */
export const spanShape = {
  period: periodText.optional().describe('month -1 unless said: the month before this one'),
  from: day.optional().describe('first local day, instead of a period'),
  to: day.optional().describe('the day after the last'),
};
export const whereShape = {
  under: id63.optional().describe('below this node of the network'),
  group: z.string().min(1).max(100).optional().describe('meters of this stored group'),
};

export interface Span {
  readonly from: number;
  readonly to: number;
  /** Local days; `toDay` is the one after the last. */
  readonly fromDay: string;
  readonly toDay: string;
}

const DAY = 86_400_000;
const dayText = (zone: string, at: number): string => new Date(toLocal(zone, at)).toISOString().slice(0, 10);
/** Start of a local day, by a time in the middle of it. */
const dayStart = (zone: string, text: string): number => startOf('day', zone, Date.parse(`${text}T12:00:00Z`));

/** @throws z.ZodError never; RangeError for a span that ends before it begins or is longer than `most` days */
export function spanOf(
  { period, from, to }: { period?: string | undefined; from?: string | undefined; to?: string | undefined },
  { timeZone, now }: ReportCall,
  most = 1100,
): Span {
  let begin: number;
  let end: number;
  if (from !== undefined) {
    begin = dayStart(timeZone, from);
    end = to === undefined ? startOf('day', timeZone, now) : dayStart(timeZone, to);
  } else {
    const range = periodRange(
      parsePeriod(period ?? 'month -1') as NonNullable<ReturnType<typeof parsePeriod>>,
      timeZone,
      now,
    );
    begin = range.from;
    // What is still to come has nothing to tell.
    end = Math.min(range.to, add('day', timeZone, startOf('day', timeZone, now), 1));
  }
  if (end <= begin) throw new RangeError('to: the day after the last must come after the first');
  if (end - begin > most * DAY) throw new RangeError(`at most ${most} days at once`);
  return { from: begin, to: end, fromDay: dayText(timeZone, begin), toDay: dayText(timeZone, end) };
}

/** For the head of a report. */
export function spanWords(span: Span, { timeZone }: ReportCall): readonly [string, string] {
  const last = dayText(timeZone, span.to - 1);
  return ['Days', last === span.fromDay ? last : `${span.fromDay} to ${last}`];
}

export async function whereWords(
  where: { under?: string | undefined; group?: string | undefined },
  { context, caller }: ReportCall,
): Promise<(readonly [string, string])[]> {
  const words: (readonly [string, string])[] = [];
  if (where.under !== undefined) {
    const node = await context.store.registry.node(where.under, caller.scope);
    words.push(['Under', node ? (node.name ?? node.code) : `node ${where.under}`]);
  }
  if (where.group !== undefined) words.push(['Group', where.group]);
  return words;
}

/** Ids of the meters of a report, a page at a time. */
export function metersOf(
  where: { under?: string | undefined; group?: string | undefined },
  { context, caller }: ReportCall,
): AsyncGenerator<readonly string[]> {
  const selection: MeterSelection = {
    ...(where.under === undefined ? {} : { under: where.under }),
    ...(where.group === undefined ? {} : { group: where.group }),
  };
  return selectedMeters(context.store, selection, caller);
}
