/** What the page asks, with how long an answer stays good. */
import { infiniteQueryOptions, QueryClient, queryOptions } from '@tanstack/react-query';
import { ApiError, api } from './api.ts';
import { now } from './clock.ts';
import { RECENT_SPAN } from './live.ts';
import { netPower } from './power.ts';

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 30_000,
      refetchOnWindowFocus: false,
      // What was refused or is not there will not come by asking again.
      retry: (count, fault) =>
        count < 2 &&
        !(
          fault instanceof ApiError && ['missing', 'refused', 'shape', 'unauthorized', 'forbidden'].includes(fault.kind)
        ),
      retryDelay: (count) => 400 * 2 ** count,
    },
  },
});

export const statusQuery = queryOptions({
  queryKey: ['status'],
  queryFn: ({ signal }) => api.status(signal),
  refetchInterval: 15_000,
});

/** The whole street's power, for streets too long to be summed here. */
export const totalQuery = queryOptions({
  queryKey: ['total'],
  queryFn: ({ signal }) => api.total(signal),
  refetchInterval: 2000,
});

export interface StreetFilter {
  readonly q: string;
  readonly state: 'new' | 'named' | undefined;
  readonly under?: string | undefined;
  readonly outside?: string | undefined;
}

export const PAGE_SIZE = 200;

export function streetQuery(filter: StreetFilter) {
  return infiniteQueryOptions({
    queryKey: ['meters', filter.q, filter.state ?? '', filter.under ?? '', filter.outside ?? ''],
    queryFn: ({ signal, pageParam }) =>
      api.meters(
        {
          q: filter.q,
          limit: PAGE_SIZE,
          ...(filter.state ? { state: filter.state } : {}),
          ...(filter.under ? { under: filter.under } : {}),
          ...(filter.outside ? { outside: filter.outside } : {}),
          ...(pageParam ? { after: pageParam } : {}),
        },
        signal,
      ),
    initialPageParam: '',
    getNextPageParam: (last) => last.next ?? undefined,
  });
}

export function meterQuery(id: string) {
  return queryOptions({ queryKey: ['meter', id], queryFn: ({ signal }) => api.meter(id, signal) });
}

/** The last minutes of power, for the tile and the live curve. */
export function recentQuery(id: string) {
  return queryOptions({
    queryKey: ['recent', id],
    queryFn: async ({ signal }) => {
      const to = Math.round(now());
      return netPower(await api.series(id, ['1.7.0', '2.7.0'], to - RECENT_SPAN, to, 600, signal));
    },
    staleTime: 5 * 60_000,
  });
}
