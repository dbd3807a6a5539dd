/** What a metering point would be billed, without storing it: for the page of a house and for people on the telephone. */
import { add, startOf } from '@amiable/calendar';
import type { Rated } from '@amiable/compute';
import { isoTime, type Scope } from '@amiable/model';
import type { Store } from '@amiable/store';
import { z } from 'zod';
import { gateOf } from './bill.ts';
import type { Span } from './periods.ts';
import { createRating, type Job, type Outcome } from './rating.ts';
import { qualities, qualitiesOf } from './shapes.ts';

const nullable = z.string().nullable();

export const ratedLine = z.object({
  component: z.string(),
  title: z.string(),
  kind: z.string(),
  rate: nullable,
  from: z.string(),
  to: z.string(),
  quantity: z.string(),
  unit: z.string(),
  price: nullable.describe('null where each interval had its own; meanPrice says what came out'),
  meanPrice: nullable,
  amount: z.string(),
  sentence: z.string().describe('why: quantity, price and what of it was not measured'),
});
export const previewShape = z
  .object({
    contract: z.string(),
    product: z.string(),
    tariff: z.string(),
    from: z.string(),
    to: z.string().describe('the last local midnight where the period is not over'),
    currency: nullable,
    total: nullable,
    tax: nullable,
    intervals: qualities,
    held: nullable.describe('why the gate would hold it back'),
    reason: nullable.describe('why it cannot be said'),
    rounding: nullable,
    meters: z.array(z.object({ meter: z.string(), from: z.string(), to: z.string() })),
    lines: z.array(ratedLine),
    marks: z.array(z.object({ kind: z.string(), sentence: z.string() })),
  })
  .meta({ id: 'BillPreview' });

export const linesOf = (rated: Rated): z.output<typeof ratedLine>[] =>
  rated.lines.map((line) => ({
    component: line.component,
    title: line.title,
    kind: line.kind,
    rate: line.rate,
    from: isoTime(line.from),
    to: isoTime(line.to),
    quantity: line.quantity,
    unit: line.unit,
    price: line.price,
    meanPrice: line.meanPrice,
    amount: line.amount,
    sentence: line.sentence,
  }));

function previewOf({ job, rated, reason, counts, parts }: Outcome, percent: number): z.output<typeof previewShape> {
  const { contract, span } = job;
  return {
    contract: contract.id,
    product: contract.product,
    tariff: contract.tariff,
    from: isoTime(span.from),
    to: isoTime(span.to),
    currency: rated?.currency ?? null,
    total: rated?.total ?? null,
    tax: rated?.tax ?? null,
    intervals: qualitiesOf(counts),
    held: rated ? (gateOf(counts, percent) ?? null) : null,
    reason,
    rounding: rated?.rounding ?? null,
    meters: parts.map((part) => ({ meter: part.meter, from: isoTime(part.from), to: isoTime(part.to) })),
    lines: rated ? linesOf(rated) : [],
    marks: rated ? rated.marks.map(({ kind, sentence }) => ({ kind, sentence })) : [],
  };
}

/** Previews of all contracts of a point in a time, up to the last midnight that has been. */
export async function previewPoint(
  store: Store,
  point: string,
  wanted: Span,
  now: number,
  scope: Scope,
  percent: number,
): Promise<z.output<typeof previewShape>[]> {
  const contracts = await store.billing.contracts.list({ meteringPoint: point, ...wanted, limit: 100, scope });
  const rating = createRating(store);
  const jobs: Job[] = [];
  for (const contract of contracts) {
    const plan = await rating.planOf(contract);
    const { zone } = plan;
    const from = Math.max(startOf('day', zone, wanted.from), contract.from);
    const whole = startOf('day', zone, wanted.to);
    const end = whole < wanted.to ? add('day', zone, wanted.to, 1) : whole;
    const to = Math.min(end, startOf('day', zone, now), contract.to ?? Number.POSITIVE_INFINITY);
    if (from < to) jobs.push({ contract, plan, span: { from, to } });
  }
  return (await rating.rate(jobs)).map((outcome) => previewOf(outcome, percent));
}
