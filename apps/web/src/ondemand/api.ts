/** Reading a meter now: what is asked, how it goes, what came. */
import { z } from 'zod';
import { ask, BASE, query, send, until } from '../api.ts';

const column = z.object({ obis: z.string(), name: z.string(), unit: z.string().nullable() });
const result = z.object({
  registers: z.array(column.extend({ value: z.string(), time: z.string() })).optional(),
  profile: z
    .object({
      name: z.string(),
      columns: z.array(column),
      rows: z.array(z.object({ time: z.string(), values: z.array(z.string().nullable()) })),
      cut: z.boolean().default(false),
    })
    .optional(),
  events: z
    .array(z.object({ time: z.string(), code: z.number(), event: z.string(), log: z.string().default('') }))
    .optional(),
});
export type ReadResult = z.infer<typeof result>;

const read = z.object({
  id: z.string(),
  meter: z.string(),
  what: z.enum(['registers', 'profile', 'events']),
  set: z.string().optional(),
  profile: z.string().optional(),
  state: z.enum(['waiting', 'running', 'done', 'failed', 'cancelled']),
  sentence: z.string(),
  asked: z.string(),
  ended: z.string().nullable(),
  by: z.string(),
  tries: z.number(),
  stored: z.number(),
  transaction: z.string().nullish(),
  result: result.nullish(),
});
export type Read = z.infer<typeof read>;

export const isOver = (one: Read): boolean => one.state !== 'waiting' && one.state !== 'running';

export type ReadBody =
  | { readonly what: 'registers'; readonly set: string }
  | { readonly what: 'profile'; readonly profile: string; readonly from: string; readonly to: string }
  | { readonly what: 'events'; readonly from: string };

const reads = z.object({ reads: z.array(read) });

export const readsApi = {
  order: (meter: string, body: ReadBody): Promise<Read> => ask(read, `/meters/${meter}/reads`, send('POST', body)),
  get: (id: string, signal?: AbortSignal): Promise<Read> => ask(read, `/reads/${id}`, until(signal)),
  cancel: (id: string): Promise<Read> => ask(read, `/reads/${id}`, { method: 'DELETE' }),
  last: async (meter: string, signal?: AbortSignal): Promise<readonly Read[]> =>
    (await ask(reads, `/meters/${meter}/reads${query({ limit: 5 })}`, until(signal))).reads,
};

const connection = z.object({ readout: z.string() });
const readoutSets = z.object({
  sets: z.array(
    z.object({
      name: z.string(),
      set: z.object({
        profiles: z.array(z.object({ name: z.string() })),
        registers: z.record(z.string(), z.array(z.string())),
      }),
    }),
  ),
});
export interface Readable {
  readonly sets: readonly string[];
  readonly profiles: readonly string[];
}
/** What a meter's type delivers; null where that is not known. */
export async function readable(meter: string, signal?: AbortSignal): Promise<Readable | null> {
  const [{ readout }, { sets }] = await Promise.all([
    ask(connection, `/meters/${meter}/connection`, until(signal)),
    ask(readoutSets, '/readout-sets', until(signal)),
  ]);
  const found = sets.find(({ name }) => name === readout)?.set;
  return found ? { sets: Object.keys(found.registers), profiles: found.profiles.map(({ name }) => name) } : null;
}

export function readEventsAddress(id: string): string {
  return `${BASE}/reads/${id}/events`;
}

/** @returns undefined for what is no read */
export function readEvent(text: string): Read | undefined {
  try {
    const found = read.safeParse(JSON.parse(text));
    return found.success ? found.data : undefined;
  } catch {
    return undefined;
  }
}
