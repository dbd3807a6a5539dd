/**
 * Billing determinants in bulk: energy by rate and the highest interval of many contracts, for billing elsewhere (AMI system description
 * §5.4.1: profiles become periodic meterings). No prices, no gate: the counts of qualities go with each row.
 *
 * Decides: each metering is rated while it comes from the database, by one pass over runs of equal rates; what cannot be is told with its
 * reason and stops nothing else. Leaves out: what looks back
 * over months (capacity means, net per year): those are determinants of bills.
 */
import { MisuseError } from '@amiable/bytes';
import { addRatesAndPeak } from '@amiable/compute';
import type { Tariff } from '@amiable/model';
import type { Contract, Determinants, PointIntervals, Store } from '@amiable/store';
import type { Period } from './periods.ts';
import type { Job, Rating } from './rating.ts';

const names = new WeakMap<Tariff, readonly string[]>();
function ratesOf(tariff: Tariff): readonly string[] {
  let found = names.get(tariff);
  if (!found) {
    found = tariff.rates.map(({ name }) => name);
    names.set(tariff, found);
  }
  return found;
}

export async function determinantsOf(
  store: Store,
  rating: Rating,
  contracts: readonly Contract[],
  period: Period,
  now: number,
  leftOut: (contract: Contract, reason: string) => void,
): Promise<Determinants[]> {
  const reads = new Map<string, { quantity: string; from: number; to: number; jobs: Map<string, Job[]> }>();
  for (const job of await rating.jobsOf(contracts, period)) {
    const { span, plan, contract } = job;
    if (span.to > now) continue;
    for (const quantity of plan.quantities) {
      const key = `${quantity} ${span.from} ${span.to}`;
      let read = reads.get(key);
      if (!read) {
        read = { quantity, from: span.from, to: span.to, jobs: new Map() };
        reads.set(key, read);
      }
      const own = read.jobs.get(contract.meteringPoint);
      if (own) own.push(job);
      else read.jobs.set(contract.meteringPoint, [job]);
    }
  }
  const out: Determinants[] = [];
  for (const { quantity, from, to, jobs } of reads.values())
    await store.billing.readPoints([...jobs.keys()], { quantity, from, to, reuse: true }, (intervals) => {
      for (const job of jobs.get(intervals.point) as Job[]) {
        const before = out.length;
        try {
          rateInto(out, rating, job, quantity, intervals, now);
        } catch (error) {
          if (!(error instanceof MisuseError)) throw error;
          out.length = before;
          leftOut(job.contract, error.message);
        }
      }
    });
  return out;
}

/** @throws MisuseError where a rate changes within an interval */
function rateInto(
  out: Determinants[],
  rating: Rating,
  job: Job,
  quantity: string,
  intervals: PointIntervals,
  now: number,
): void {
  const { start, step, values, quality, scaler, unit, version, parts } = intervals;
  const { compiled } = rating.rater(job);
  for (const span of compiled.spans) {
    const grid = compiled.grid(span, start, step, quantity);
    const base = (grid.origin - start) / step;
    const energy = new Float64Array(span.tariff.rates.length);
    const highest = addRatesAndPeak(values, base, grid.spanRuns, energy);
    const first = base + (span.from - grid.origin) / step;
    const last = base + Math.ceil((span.to - grid.origin) / step);
    const counts = countsOf(quality, first, last);
    // Something is missing: counted again without it.
    if ((counts[4] as number) > 0) addThere(values, base, grid.spanRuns, energy.fill(0));
    const some = Number.isFinite(highest);
    out.push({
      meter: parts.at(-1)?.meter ?? '0',
      contract: job.contract.id,
      quantity,
      from: span.from,
      to: span.to,
      meteringPoint: job.contract.meteringPoint,
      tariffId: job.contract.tariffId,
      tariffVersion: Number(span.version),
      unit,
      scaler,
      rates: ratesOf(span.tariff),
      energy,
      highest: some ? highest : null,
      highestAt: some ? start + values.indexOf(highest, first) * step : null,
      step,
      counts,
      valueVersion: version,
      seenAt: now,
    });
  }
}

/** Four at a time: most months are whole. */
function allMeasured(quality: Uint8Array): boolean {
  if (quality.byteOffset % 4 !== 0 || quality.length % 4 !== 0) return false;
  const words = new Uint32Array(quality.buffer, quality.byteOffset, quality.length / 4);
  for (let i = 0; i < words.length; i++) if (words[i] !== 0) return false;
  return true;
}

function countsOf(quality: Uint8Array, from: number, to: number): Float64Array {
  const counts = new Float64Array(5);
  if (allMeasured(quality)) {
    counts[0] = to - from;
    return counts;
  }
  let measured = 0;
  for (let i = from; i < to; i++) {
    const q = quality[i] as number;
    if (q === 0) measured++;
    else counts[q] = (counts[q] as number) + 1;
  }
  counts[0] = measured;
  return counts;
}

function addThere(values: Float64Array, base: number, runs: Int32Array, out: Float64Array): void {
  for (let r = 0; r < runs.length; r += 3) {
    const end = base + (runs[r + 1] as number);
    let sum = 0;
    for (let i = base + (runs[r] as number); i < end; i++) {
      const value = values[i] as number;
      if (!Number.isNaN(value)) sum += value;
    }
    out[runs[r + 2] as number] = (out[runs[r + 2] as number] as number) + sum;
  }
}
