/** The street by its areas: what is asked, and when it is worth asking. */
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { z } from 'zod';
import { ApiError, ask, query, until } from '../api.ts';

export const AREA_KINDS = ['feeder', 'transformer', 'substation', 'region'] as const;
export type AreaKind = (typeof AREA_KINDS)[number];
export const isAreaKind = (text: string): text is AreaKind => (AREA_KINDS as readonly string[]).includes(text);

const list = z.object({
  areas: z.array(
    z.object({
      id: z.string(),
      code: z.string(),
      name: z.string().nullable(),
      meters: z.number(),
      power: z.object({ import: z.number(), export: z.number(), meters: z.number() }).nullable(),
    }),
  ),
  next: z.string().nullable(),
});
export type Area = z.infer<typeof list>['areas'][number];

/** The figure of the server for more than it counts. */
export const MANY = 10_001;

export function areasQuery(kind: AreaKind) {
  return infiniteQueryOptions({
    queryKey: ['areas', kind],
    queryFn: ({ signal, pageParam }) => ask(list, `/areas${query({ kind, after: pageParam })}`, until(signal)),
    initialPageParam: '',
    getNextPageParam: (last) => last.next ?? undefined,
    refetchInterval: 5000,
  });
}

const tree = z.object({ nodes: z.array(z.object({ id: z.string() })) });
/** Whether there is a network at all. */
export const networkQuery = queryOptions({
  queryKey: ['network'],
  queryFn: async ({ signal }) => (await ask(tree, '/tree?limit=1', until(signal))).nodes.length > 0,
  staleTime: 5 * 60_000,
});

const node = z.object({ code: z.string(), name: z.string().nullable() });
/** Its name for people; null where there is none of that number, or none to be seen. */
export function areaNameQuery(id: string) {
  return queryOptions({
    queryKey: ['area', id],
    queryFn: async ({ signal }): Promise<string | null> => {
      try {
        const found = await ask(node, `/nodes/${encodeURIComponent(id)}`, until(signal));
        return found.name ?? found.code;
      } catch (fault) {
        if (fault instanceof ApiError && (fault.kind === 'missing' || fault.kind === 'refused')) return null;
        throw fault;
      }
    },
    staleTime: 5 * 60_000,
  });
}
