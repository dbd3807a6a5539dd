/** Validated values of a meter, what validation found in them, and how what was not measured was estimated. */
import { meterIntervals, meterings } from '@amiable/model/schemas';
import { queryOptions } from '@tanstack/react-query';
import { z } from 'zod';
import { ask, query, until } from '../api.ts';

export type Intervals = z.infer<typeof meterIntervals>;

const exceptions = z.object({
  exceptions: z.array(
    z.object({
      id: z.string(),
      from: z.string(),
      to: z.string(),
      rule: z.string(),
      severity: z.enum(['info', 'warning', 'error']),
      sentence: z.string(),
      state: z.string(),
    }),
  ),
  next: z.string().nullable(),
});
export type Exception = z.infer<typeof exceptions>['exceptions'][number];

const estimates = z.object({
  estimates: z.array(
    z.object({
      from: z.string(),
      to: z.string(),
      method: z.string(),
      scaled: z.boolean(),
      sentence: z.string(),
    }),
  ),
});
export type Estimate = z.infer<typeof estimates>['estimates'][number];

const FRESH = 60_000;

export function intervalsQuery(meter: string, quantity: string, from: number, to: number) {
  return queryOptions({
    queryKey: ['intervals', meter, quantity, from, to],
    queryFn: ({ signal }) =>
      ask(meterIntervals, `/meters/${meter}/intervals${query({ quantity, from, to })}`, until(signal)),
    staleTime: FRESH,
  });
}

/** Which meterings there are, and since when. */
export function meteringsQuery(meter: string) {
  return queryOptions({
    queryKey: ['meterings', meter],
    queryFn: ({ signal }) => ask(meterings, `/meters/${meter}/meterings`, until(signal)),
    staleTime: FRESH,
  });
}

export function exceptionsQuery(meter: string, quantity: string, from: number, to: number, limit: number) {
  return queryOptions({
    queryKey: ['exceptions', meter, quantity, from, to, limit],
    queryFn: ({ signal }) =>
      ask(exceptions, `/exceptions${query({ meter, quantity, from, to, limit })}`, until(signal)),
    staleTime: FRESH,
  });
}

export function estimatesQuery(meter: string, quantity: string, from: number, to: number, limit: number) {
  return queryOptions({
    queryKey: ['estimates', meter, quantity, from, to, limit],
    queryFn: ({ signal }) =>
      ask(estimates, `/meters/${meter}/estimates${query({ quantity, from, to, limit })}`, until(signal)),
    staleTime: FRESH,
  });
}
