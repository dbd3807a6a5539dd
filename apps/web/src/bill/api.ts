/** What a house is billed, and what the running month comes to so far. Amounts are decimal text and stay so. */
import { queryOptions } from '@tanstack/react-query';
import { z } from 'zod';
import { ask, query, until } from '../api.ts';

const text = z.string();
const counts = z.object({
  measured: z.number(),
  calculated: z.number(),
  edited: z.number(),
  estimated: z.number(),
  missing: z.number(),
});
const line = z.object({
  component: text,
  title: text,
  rate: text.nullable(),
  from: text,
  to: text,
  quantity: text,
  unit: text,
  price: text.nullable(),
  meanPrice: text.nullable(),
  amount: text,
  sentence: text,
});
export type BillLine = z.infer<typeof line>;

const bill = z.object({
  id: text,
  kind: z.enum(['bill', 'difference']),
  state: z.enum(['billed', 'blocked', 'failed']),
  product: text,
  tariff: text,
  from: text,
  to: text,
  currency: text.nullable(),
  amount: text.nullable(),
  intervals: counts,
  seenAt: text,
  reason: text.nullable(),
});
export type Bill = z.infer<typeof bill>;

const preview = z.object({
  contract: text,
  product: text,
  tariff: text,
  from: text,
  to: text,
  currency: text.nullable(),
  total: text.nullable(),
  intervals: counts,
  held: text.nullable(),
  reason: text.nullable(),
  lines: z.array(line),
  marks: z.array(z.object({ kind: text, sentence: text })),
});
export type Preview = z.infer<typeof preview>;

const house = z.object({
  meteringPoint: z.object({ id: text, code: text }).nullable(),
  bills: z.array(bill),
  preview: z.array(preview),
});
/** Of a bill that stands: the lines are those that were billed. */
const whole = z.object({ detail: z.object({ lines: z.array(line.partial()).optional() }).nullable() });

export function houseBillQuery(meter: string, from: number, to: number) {
  return queryOptions({
    queryKey: ['bill', meter, from, to],
    queryFn: ({ signal }) => ask(house, `/meters/${meter}/bill${query({ from, to })}`, until(signal)),
    staleTime: 60_000,
  });
}

export function billQuery(id: string) {
  return queryOptions({
    queryKey: ['bills', id],
    queryFn: ({ signal }) => ask(whole, `/bills/${id}`, until(signal)),
    staleTime: Number.POSITIVE_INFINITY,
  });
}
