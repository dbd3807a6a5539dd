/**
 * Billing runs: what nobody billed yet, point by point in order of their ids, in batches that are each one transaction (feature M6).
 *
 * Decides: a run is frozen by its id and by the versions that each bill names, never by a snapshot; what is taken up again goes on behind
 * the last point that it wrote; what lacks too much is blocked by the gate, what cannot be rated is named, and neither stops the others.
 * Leaves out: differences (differences.ts), what a contract comes to (rating.ts).
 */
import type { Scope } from '@amiable/model';
import type { BillingRun, Contract, MeterId, MeterSelection, NewBill, Store } from '@amiable/store';
import { billOf, emptyBill } from './bill.ts';
import { determinantsOf } from './determinants.ts';
import { differencesOf } from './differences.ts';
import { type Period, periodNamed, periodOfDates } from './periods.ts';
import { createRating, type Rating } from './rating.ts';
import { money, type RunParameters, runParameters } from './shapes.ts';

/** Contracts that are rated together; their intervals of a month are in memory. */
const BATCH = 1000;
/** Of determinants: they are rated while they come. */
const BULK = 2500;
const MEMBERS = 10_000;
const MOST_METERS = 1_000_000;
const DAY = 86_400_000;

export interface RunOptions {
  readonly store: Store;
  readonly now: () => number;
  readonly signal: AbortSignal;
  progress(fact: Readonly<Record<string, unknown>>): void;
}

export const periodOf = (p: RunParameters, zone: string, now: number): Period =>
  p.from !== undefined && p.to !== undefined ? periodOfDates(p.from, p.to) : periodNamed(p.cycle, p.of, zone, now);

/** Meters of a target; undefined: all. */
export async function metersOf(
  store: Store,
  target: RunParameters['target'],
  scope: Scope,
): Promise<readonly MeterId[] | undefined> {
  const { types, where, ...rest } = target;
  if (Object.keys(target).length === 0) return undefined;
  const selection = {
    ...rest,
    where: [...(where ?? []), ...(types ? [{ attribute: 'meterType', is: 'in' as const, value: types }] : [])],
  } as MeterSelection;
  const ids: MeterId[] = [];
  for (let after: MeterId | undefined; ids.length < MOST_METERS; ) {
    const page = await store.registry.select(selection, scope, {
      limit: MEMBERS,
      ...(after === undefined ? {} : { after }),
    });
    ids.push(...page);
    if (page.length < MEMBERS) break;
    after = page.at(-1);
  }
  return ids;
}

/** Pages of contracts of whole points, behind a point. */
export async function* duePages(
  store: Store,
  query: {
    readonly parameters: RunParameters;
    readonly from: number;
    readonly to: number;
    readonly meters: readonly MeterId[] | undefined;
    readonly scope: Scope;
    readonly after: string;
    readonly limit: number;
  },
): AsyncGenerator<readonly Contract[]> {
  const { parameters: p, from, to, meters, scope, limit } = query;
  for (let after = query.after; ; ) {
    const contracts = await store.billing.contracts.due({
      // Zones differ, and cycles begin on other days than the first: what does not fit is left out when its span is known.
      from: from - DAY,
      to: to + 28 * DAY,
      limit,
      scope,
      afterPoint: after,
      ...(p.from === undefined ? { cycle: p.cycle } : {}),
      ...(p.product === undefined ? {} : { product: p.product }),
      ...(p.tariff === undefined ? {} : { tariff: p.tariff }),
      ...(meters === undefined ? {} : { meters }),
    });
    if (contracts.length === 0) return;
    yield contracts;
    after = (contracts.at(-1) as Contract).meteringPoint;
  }
}

/** The same, with the next one on its way while one is used. */
async function* ahead<T>(pages: AsyncGenerator<T>): AsyncGenerator<T> {
  let next = pages.next();
  try {
    for (;;) {
      const { value, done } = await next;
      if (done) return;
      next = pages.next();
      next.catch(() => {});
      yield value;
    }
  } finally {
    await next.catch(() => {});
  }
}

const writerOf =
  <T>(
    into: { write(run: string, all: readonly T[]): Promise<number> },
    { id }: BillingRun,
    all: readonly T[],
  ): (() => Promise<number>) =>
  () =>
    into.write(id, all);

/** Contracts without determinants that a report names. */
const NAMED = 100;

/** Executes a run to its end, or as far as the signal lets it. @returns a sentence for people */
export async function executeRun(run: BillingRun, scope: Scope, options: RunOptions): Promise<string> {
  const { store, signal, progress } = options;
  // Words such as `previous` were made a period when the run began.
  const parameters = runParameters.parse(run.definition);
  const period = periodOf(parameters, 'UTC', run.from);
  const rating = createRating(store);
  const meters = await metersOf(store, parameters.target, scope);
  const bulk = run.kind === 'determinants';
  const after = await (bulk ? store.billing.determinants : store.billing.bills).reached(run.id);
  let done = 0;
  let written = 0;
  const failures: { code: string; reason: string }[] = [];
  let failed = 0;
  const leftOut = ({ code }: Contract, reason: string): void => {
    if (failed++ < NAMED) failures.push({ code, reason });
  };
  if (run.kind !== 'difference') {
    const spanned = { limit: bulk ? BULK : BATCH, parameters, from: run.from, to: run.to, meters, scope, after };
    // While one page is rated the one before is written and the one after read; they are written one after the other.
    let writing: Promise<void> = Promise.resolve();
    try {
      for await (const contracts of ahead(duePages(store, spanned))) {
        if (signal.aborted) break;
        const at = options.now();
        const write = bulk
          ? writerOf(
              store.billing.determinants,
              run,
              await determinantsOf(store, rating, contracts, period, at, leftOut),
            )
          : writerOf(store.billing.bills, run, await newBills(store, rating, contracts, period, parameters, at));
        await writing;
        writing = write().then((count) => {
          written += count;
          done += contracts.length;
          progress({ done, written, point: contracts.at(-1)?.code });
        });
        writing.catch(() => {});
      }
    } finally {
      await writing;
    }
  } else
    for (let at = after; ; ) {
      if (signal.aborted) return '';
      const points = await store.billing.bills.points({
        from: run.from + DAY / 2,
        to: run.to - DAY / 2,
        after: at,
        limit: BATCH,
        scope,
        ...(parameters.product === undefined ? {} : { product: parameters.product }),
        ...(meters === undefined ? {} : { meters }),
      });
      if (points.length === 0) break;
      const bills = await differencesOf(store, rating, points, run, parameters, options.now());
      written += await store.billing.bills.write(run.id, bills);
      done += points.length;
      at = points.at(-1) as string;
      progress({ done, written });
    }
  if (signal.aborted) return '';
  const report = bulk
    ? { determinants: await store.billing.determinants.count(run.id), failed, failures }
    : await reportOf(store, run.id);
  await store.billing.runs.end(run.id, 'done', report, null, options.now());
  return 'determinants' in report
    ? `run ${run.id}, ${run.name}: determinants of ${report.determinants} contracts and meterings${failed === 0 ? '' : `; ${failed} left out, such as ${failures[0]?.code}: ${failures[0]?.reason}`}`
    : sentenceOf(run, report as Report);
}

export interface Report extends Record<string, unknown> {
  readonly billed: number;
  readonly blocked: number;
  readonly failed: number;
  readonly amounts: readonly { readonly currency: string; readonly amount: string }[];
}

export async function reportOf(store: Store, run: string): Promise<Report> {
  const sums = await store.billing.bills.sums(run);
  const count = (state: string): number => sums.reduce((n, s) => (s.state === state ? n + s.n : n), 0);
  return {
    billed: count('billed'),
    blocked: count('blocked'),
    failed: count('failed'),
    amounts: sums
      .filter((s) => s.state === 'billed')
      .map((s) => ({ currency: s.currency ?? '', amount: money(s.amount, s.scaler) ?? '0' })),
  };
}

function sentenceOf(run: BillingRun, { billed, blocked, failed, amounts }: Report): string {
  const what = run.kind === 'bill' ? 'bills' : 'differences';
  const sums = amounts.map(({ currency, amount }) => `${amount} ${currency}`).join(', ');
  const held = [
    ...(blocked > 0 ? [`${blocked} blocked by the gate`] : []),
    ...(failed > 0 ? [`${failed} could not be billed`] : []),
  ];
  return `run ${run.id}, ${run.name}: ${billed} ${what}${sums === '' ? '' : `, ${sums}`}${held.length > 0 ? `; ${held.join(', ')}` : ''}`;
}

async function newBills(
  store: Store,
  rating: Rating,
  contracts: readonly Contract[],
  period: Period,
  parameters: RunParameters,
  now: number,
): Promise<NewBill[]> {
  const jobs = await rating.jobsOf(contracts, period);
  if (jobs.length === 0) return [];
  const points = [...new Set(jobs.map(({ contract }) => contract.meteringPoint))];
  const from = Math.min(...jobs.map(({ span }) => span.from));
  const to = Math.max(...jobs.map(({ span }) => span.to));
  const billed = new Set<string>();
  const spans = new Map<string, { from: number; to: number; run: string }[]>();
  for (const bill of await store.billing.bills.spans(points, from, to)) {
    billed.add(`${bill.meteringPoint} ${bill.product} ${bill.from} ${bill.to}`);
    const key = `${bill.meteringPoint} ${bill.product}`;
    const list = spans.get(key);
    if (list) list.push(bill);
    else spans.set(key, [bill]);
  }
  const fresh = jobs.filter(
    ({ contract, span }) =>
      !billed.has(`${contract.meteringPoint} ${contract.product} ${span.from} ${span.to}`) && span.to <= now,
  );
  const overlapping = new Map(
    fresh.map((job) => [
      job,
      spans
        .get(`${job.contract.meteringPoint} ${job.contract.product}`)
        ?.find((s) => s.from < job.span.to && job.span.from < s.to),
    ]),
  );
  const outcomes = await rating.rate(fresh.filter((job) => overlapping.get(job) === undefined));
  const releases = await store.billing.releases.of(points, from, to);
  const bills = outcomes.map((outcome) => billOf(outcome, parameters.gate.percent, releases, now));
  for (const [{ contract, span }, other] of overlapping)
    if (other)
      bills.push({
        ...emptyBill(contract, span, '0', now),
        state: 'failed',
        reason: `part of it was billed by run ${other.run} (${iso(other.from)} to ${iso(other.to)}); give dates from there on`,
      });
  return bills;
}

const iso = (at: number): string => new Date(at).toISOString();
