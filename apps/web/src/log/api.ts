/** The transaction log as the API gives it. */
import { z } from 'zod';
import { ask, BASE, query, until } from '../api.ts';

export const KINDS = ['flow', 'task', 'meter', 'association', 'apdu', 'command'] as const;
export const STATES = ['running', 'done', 'partial', 'failed', 'cancelled'] as const;
export type Kind = (typeof KINDS)[number];
export type State = (typeof STATES)[number];

const entry = z.object({
  id: z.string(),
  kind: z.enum(KINDS),
  state: z.enum(STATES),
  text: z.string(),
  started: z.string(),
  ended: z.string().nullable(),
  parent: z.string().nullable(),
  run: z.string().nullable(),
  meter: z.string().nullable(),
  detail: z.unknown().nullish(),
  children: z.number(),
});
export type Entry = z.infer<typeof entry>;

const page = z.object({ transactions: z.array(entry), next: z.string().nullable() });
export type EntryPage = z.infer<typeof page>;

const single = entry.extend({ ancestors: z.array(entry).default([]) });
export type SingleEntry = z.infer<typeof single>;

const progress = z.partialRecord(z.enum(STATES), z.number());
export type Progress = z.infer<typeof progress>;

const change = z.object({ transactions: z.array(entry), progress: z.record(z.string(), progress).default({}) });
export type Change = z.infer<typeof change>;

export interface LogFilter {
  readonly q: string;
  readonly state: State | '';
  readonly kind: Kind | '';
  readonly meter: string;
  readonly run: string;
}

export const NO_FILTER: LogFilter = { q: '', state: '', kind: '', meter: '', run: '' };

const PAGE = 200;

export const logApi = {
  list: (filter: LogFilter, before: string, signal?: AbortSignal): Promise<EntryPage> =>
    ask(page, `/transactions${query({ ...filter, limit: PAGE, before })}`, until(signal)),
  children: (parent: string, after: string, signal?: AbortSignal): Promise<EntryPage> =>
    ask(page, `/transactions${query({ parent, limit: PAGE, after })}`, until(signal)),
  entry: (id: string, signal?: AbortSignal): Promise<SingleEntry> => ask(single, `/transactions/${id}`, until(signal)),
};

/** Opened nodes that the server follows; those opened first fall away. */
const FOLLOWED = 50;

export function liveLogAddress(parents: readonly string[], after: string): string {
  return `${BASE}/transactions/live${query({ parents: parents.slice(-FOLLOWED).join(','), after })}`;
}

/** @returns undefined for what is no change that this page understands */
export function readChange(text: string): Change | undefined {
  try {
    const read = change.safeParse(JSON.parse(text));
    return read.success ? read.data : undefined;
  } catch {
    return undefined;
  }
}
