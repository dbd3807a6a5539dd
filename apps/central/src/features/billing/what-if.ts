/**
 * What if (feature M6): past consumption of a customer or a group billed by another tariff, beside what holds or a third one; nothing is stored.
 *
 * Decides: both sides are rated from the same values, without the gate; who cannot be rated is named and left out of the sums; the
 * distribution is of the differences, in twelve steps of equal width between the lowest and the highest, and by percentiles.
 */
import { MisuseError } from '@amiable/bytes';
import { compareRated, type Rated, type TariffVersion } from '@amiable/compute';
import { decimal, type Scope } from '@amiable/model';
import type { Contract, MeterId, Store } from '@amiable/store';
import { z } from 'zod';
import { day, id63 } from '../../http/queries.ts';
import { inZone } from './periods.ts';
import { linesOf, ratedLine } from './preview.ts';
import { createRating, type Job, mantissaOf, type Outcome, versionsOf } from './rating.ts';
import { metersOf, periodOf } from './run.ts';
import { runParameters, tariffName } from './shapes.ts';
import { parseTariff } from './tariffs.ts';

const BATCH = 1000;
/** Points that are compared at once; more is a task's affair. */
const MOST = 20_000;
const BINS = 12;
const NAMED = 100;

const which = z
  .strictObject({
    tariff: tariffName.optional(),
    version: z
      .number()
      .int()
      .min(1)
      .optional()
      .describe('of the tariff; all published ones by their validity unless said'),
    definition: z.record(z.string(), z.unknown()).optional().describe('a whole tariff that nobody has stored'),
    parameters: z.record(z.string(), z.string()).optional().describe('in place of those of the contract'),
  })
  .refine((w) => (w.tariff === undefined) !== (w.definition === undefined), 'name a tariff, or give its definition');
export const whatIfBody = z.strictObject({
  ...runParameters.shape,
  kind: z.undefined().optional(),
  gate: z.undefined().optional(),
  prices: z.undefined().optional(),
  from: day.optional(),
  to: day.optional(),
  proposal: which.describe('what if it were this'),
  against: which.optional().describe('beside it; left out: the contract that holds'),
  meteringPoint: id63.optional().describe('one customer'),
  limit: z
    .number()
    .int()
    .min(0)
    .max(1000)
    .default(100)
    .describe('metering points that are named, largest difference first'),
});
export type WhatIf = z.output<typeof whatIfBody>;

const text = z.string();
const money = text.nullable();
const side = z.object({ total: text, lines: z.array(ratedLine) });
export const whatIfShape = z
  .object({
    period: text,
    currency: money,
    points: z.number().describe('that were rated by both'),
    before: money,
    after: money,
    difference: money.describe('after less before: below zero the customers pay less'),
    percent: money,
    cheaper: z.number(),
    dearer: z.number(),
    same: z.number(),
    distribution: z.array(z.object({ from: text, to: text, points: z.number() })).describe('of the differences'),
    percentiles: z.record(text, text).describe('of the differences: 5, 25, 50, 75, 95'),
    components: z.array(z.object({ component: text, title: text, before: money, after: money })),
    rows: z.array(
      z.object({
        meteringPoint: text,
        code: text,
        before: money,
        after: money,
        difference: money,
        percent: money,
      }),
    ),
    failed: z.number(),
    failures: z.array(z.object({ code: text, reason: text })),
    one: z.object({ before: side.nullable(), after: side }).nullable().describe('both bills, of one customer'),
  })
  .meta({ id: 'WhatIf' });

async function versionsFor(store: Store, asked: z.output<typeof which>): Promise<TariffVersion[]> {
  if (asked.definition) return [{ version: 'proposal', from: '1970-01-01', tariff: parseTariff(asked.definition) }];
  const all = await store.billing.tariffs.versions(asked.tariff as string);
  if (all.length === 0) throw new MisuseError(`there is no tariff ${JSON.stringify(asked.tariff)}`);
  if (asked.version !== undefined) {
    const one = all.find((v) => v.version === asked.version);
    if (!one) throw new MisuseError(`${JSON.stringify(asked.tariff)} has no version ${asked.version}`);
    // One version is tried on time before it too: that is the question.
    return versionsOf([{ ...one, validFrom: '1970-01-01' }]);
  }
  const published = all.filter((v) => v.state === 'published');
  const [first] = published.length > 0 ? published : all;
  const list = published.length > 0 ? published : [first as (typeof all)[number]];
  return versionsOf([...new Map(list.map((v) => [v.validFrom, v])).values()]).map((v, i) =>
    i === 0 ? { ...v, from: '1970-01-01' } : v,
  );
}

interface Pair {
  readonly contract: Contract;
  readonly before: Job | undefined;
  readonly after: Job;
}

const customer = (point: { readonly id: string; readonly code: string }, product: string): Contract => ({
  id: '0',
  meteringPoint: point.id,
  code: point.code,
  product,
  tariff: '',
  tariffId: 0,
  reference: null,
  cycle: 'dates',
  cycleDay: 1,
  parameters: {},
  from: 0,
  to: null,
  recordedAt: 0,
  recordedBy: null,
  replacedAt: null,
  replacedBy: null,
  reason: null,
});

export async function whatIf(
  store: Store,
  asked: WhatIf,
  how: { readonly scope: Scope; readonly zone: string; readonly now: number; readonly signal: AbortSignal },
): Promise<z.output<typeof whatIfShape>> {
  const { scope, zone, now, signal } = how;
  const period = periodOf({ ...asked, kind: 'bill', gate: { percent: 100 }, prices: 'seen' }, zone, now);
  const proposal = await versionsFor(store, asked.proposal);
  const against = asked.against && (await versionsFor(store, asked.against));
  const span = inZone(period, proposal[0]?.tariff.zone ?? zone);
  if (span.to > now) throw new MisuseError(`${period.name} is not over; what if asks of past consumption`);
  const rating = createRating(store);
  const sum = createSums(asked.limit);
  const meters = await metersOf(store, asked.target, scope);
  let one: { before: Rated | undefined; after: Rated } | undefined;
  for await (const contracts of candidates(store, asked, span, meters, scope, against !== undefined)) {
    if (signal.aborted) break;
    const pairs: Pair[] = [];
    const present = against ? [] : await rating.jobsOf(contracts, { ...period, cycle: 'dates' });
    const held = new Map(present.map((job) => [job.contract.id, job]));
    for (const contract of contracts) {
      const own = held.get(contract.id);
      if (!against && !own) continue;
      const cut = own?.span ?? span;
      const withParameters = (given: Contract['parameters'] | undefined): Contract =>
        given ? { ...contract, parameters: given } : contract;
      pairs.push({
        contract,
        before: against ? rating.job(withParameters(asked.against?.parameters), against, cut) : own,
        after: rating.job(withParameters(asked.proposal.parameters), proposal, cut),
      });
    }
    if (sum.points + pairs.length > MOST)
      throw new MisuseError(
        `more than ${MOST} metering points; take a smaller target, such as a group or a transformer`,
      );
    const before = await rating.rate(pairs.flatMap((pair) => (pair.before ? [pair.before] : [])));
    const after = await rating.rate(pairs.map((pair) => pair.after));
    for (const [i, pair] of pairs.entries()) {
      const [a, b] = [before[i] as Outcome, after[i] as Outcome];
      sum.add(pair.contract, a, b);
      if (asked.meteringPoint !== undefined && b.rated) one = { before: a.rated, after: b.rated };
    }
  }
  return {
    period: period.name,
    ...sum.done(),
    one: one
      ? {
          before: one.before ? { total: one.before.total, lines: linesOf(one.before) } : null,
          after: { total: one.after.total, lines: linesOf(one.after) },
        }
      : null,
  };
}

/** Contracts of the product; where both sides are given, metering points without one too. */
async function* candidates(
  store: Store,
  asked: WhatIf,
  span: { readonly from: number; readonly to: number },
  meters: readonly MeterId[] | undefined,
  scope: Scope,
  withoutContract: boolean,
): AsyncGenerator<readonly Contract[]> {
  const product = asked.product ?? 'supply';
  if (withoutContract) {
    for (let after = '0'; ; ) {
      const points = await store.billing.pointsOf(meters, { ...span, after, limit: BATCH, scope });
      const wanted = asked.meteringPoint === undefined ? points : points.filter((p) => p.id === asked.meteringPoint);
      yield wanted.map((point) => customer(point, product));
      if (points.length < BATCH) return;
      after = (points.at(-1) as { id: string }).id;
    }
  }
  for (let afterPoint = '0'; ; ) {
    const contracts = await store.billing.contracts.due({
      ...span,
      afterPoint,
      product,
      limit: BATCH,
      scope,
      ...(meters === undefined ? {} : { meters }),
      ...(asked.tariff === undefined ? {} : { tariff: asked.tariff }),
      ...(asked.meteringPoint === undefined ? {} : { meteringPoint: asked.meteringPoint }),
    });
    if (contracts.length === 0) return;
    yield contracts;
    afterPoint = (contracts.at(-1) as Contract).meteringPoint;
  }
}

interface Row {
  readonly meteringPoint: string;
  readonly code: string;
  readonly before: bigint;
  readonly after: bigint;
}

/** Sums over points, in one currency. */
function createSums(limit: number) {
  const rows: Row[] = [];
  const failures: { code: string; reason: string }[] = [];
  const components = new Map<string, { title: string; before: bigint | null; after: bigint | null }>();
  let failed = 0;
  let currency: string | null = null;
  let decimals = 2;
  const fail = (code: string, reason: string): void => {
    failed++;
    if (failures.length < NAMED) failures.push({ code, reason });
  };
  const amount = (mantissa: bigint): string => decimal(mantissa, -decimals);
  return {
    get points(): number {
      return rows.length + failed;
    },
    add({ meteringPoint, code }: Contract, before: Outcome, after: Outcome): void {
      const [a, b] = [before.rated, after.rated];
      if (!a || !b) {
        fail(code, (a ? after.reason : before.reason) ?? 'it could not be rated');
        return;
      }
      if (currency === null) {
        currency = a.currency;
        decimals = Math.max(a.decimals, b.decimals);
      }
      if (a.currency !== currency || b.currency !== currency) {
        fail(
          code,
          a.currency === b.currency
            ? `it is billed in ${a.currency}, the others in ${currency}`
            : `one tariff is in ${a.currency}, the other in ${b.currency}; compare tariffs of one currency`,
        );
        return;
      }
      rows.push({
        meteringPoint,
        code,
        before: mantissaOf(a.total, decimals),
        after: mantissaOf(b.total, decimals),
      });
      for (const line of compareRated(a, b).components) {
        const known = components.get(line.component) ?? { title: line.title, before: null, after: null };
        const plus = (sum: bigint | null, text: string | null): bigint | null =>
          text === null ? sum : (sum ?? 0n) + mantissaOf(text, 6);
        components.set(line.component, {
          title: known.title,
          before: plus(known.before, line.before),
          after: plus(known.after, line.after),
        });
      }
    },
    done(): Omit<z.output<typeof whatIfShape>, 'period' | 'one'> {
      const differences = rows.map((r) => r.after - r.before).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
      const before = rows.reduce((sum, r) => sum + r.before, 0n);
      const after = rows.reduce((sum, r) => sum + r.after, 0n);
      const size = (r: Row): bigint => (r.after > r.before ? r.after - r.before : r.before - r.after);
      const named = [...rows].sort((a, b) => (size(a) > size(b) ? -1 : size(a) < size(b) ? 1 : 0)).slice(0, limit);
      const some = rows.length > 0;
      return {
        currency,
        points: rows.length,
        before: some ? amount(before) : null,
        after: some ? amount(after) : null,
        difference: some ? amount(after - before) : null,
        percent: percentOf(before, after),
        cheaper: differences.filter((d) => d < 0n).length,
        dearer: differences.filter((d) => d > 0n).length,
        same: differences.filter((d) => d === 0n).length,
        distribution: binsOf(differences).map(({ from, to, points }) => ({
          from: amount(from),
          to: amount(to),
          points,
        })),
        percentiles: some
          ? Object.fromEntries(
              [5, 25, 50, 75, 95].map((p) => [
                String(p),
                amount(
                  differences[Math.min(differences.length - 1, Math.floor((differences.length * p) / 100))] as bigint,
                ),
              ]),
            )
          : {},
        components: [...components].map(([component, c]) => ({
          component,
          title: c.title,
          before: c.before === null ? null : decimal(c.before, -6),
          after: c.after === null ? null : decimal(c.after, -6),
        })),
        rows: named.map((r) => ({
          meteringPoint: r.meteringPoint,
          code: r.code,
          before: amount(r.before),
          after: amount(r.after),
          difference: amount(r.after - r.before),
          percent: percentOf(r.before, r.after),
        })),
        failed,
        failures,
      };
    },
  };
}

function percentOf(before: bigint, after: bigint): string | null {
  if (before === 0n) return null;
  const hundredths = ((after - before) * 10_000n) / (before < 0n ? -before : before);
  return decimal(hundredths, -2);
}

/** Steps of equal width from the lowest to the highest; one where all are the same. */
function binsOf(sorted: readonly bigint[]): { from: bigint; to: bigint; points: number }[] {
  const [lowest, highest] = [sorted[0], sorted.at(-1)];
  if (lowest === undefined || highest === undefined) return [];
  const width = (highest - lowest) / BigInt(BINS) + 1n;
  const bins: { from: bigint; to: bigint; points: number }[] = [];
  let at = 0;
  for (let from = lowest; from <= highest; from += width) {
    const to = from + width;
    let points = 0;
    while (at < sorted.length && (sorted[at] as bigint) < to) {
      points++;
      at++;
    }
    bins.push({ from, to, points });
  }
  return bins;
}
