/**
 * From contracts to what they come to: reads what their metering points took, rates it, and keeps what was seen (feature M6).
 *
 * Decides: which version of a tariff, which meterings and which prices a contract needs; that contracts with the same needs are read together;
 * that what cannot be rated is named with its reason and stops nothing else. Leaves out: what is stored (run.ts), money (compute's `rate`).
 */
import { MisuseError } from '@amiable/bytes';
import {
  type Rated,
  type Rater,
  type RatingPrices,
  type RatingSeries,
  rater,
  type TariffVersion,
} from '@amiable/compute';
import type { Tariff, Unit } from '@amiable/model';
import type { Contract, PointIntervals, PointPart, Store } from '@amiable/store';
import { dayPlaces, digestDays, digestLength } from './days.ts';
import { inZone, type Period, type Span } from './periods.ts';
import { registersOf } from './registers.ts';

const QUARTER = 900_000;

/** A tariff with all of its versions, and what it wants to know. */
export interface Plan {
  readonly tariff: string;
  readonly versions: readonly TariffVersion[];
  readonly zone: string;
  /** Meterings, in order of name. */
  readonly quantities: readonly string[];
  readonly registers: readonly string[];
  readonly prices: readonly string[];
}

export function planOf(tariff: string, versions: readonly TariffVersion[]): Plan {
  const quantities = new Set<string>();
  const registers = new Set<string>();
  const prices = new Set<string>();
  for (const { tariff } of versions)
    for (const component of tariff.components) {
      if (component.kind === 'energy') {
        if (component.registers) for (const name of Object.values(component.registers)) registers.add(name);
        else quantities.add(component.of);
        if (component.spot) prices.add(component.spot.prices);
      }
      if (component.kind === 'capacity') quantities.add(component.of);
      if (component.kind === 'net') quantities.add(component.import).add(component.export);
    }
  return {
    tariff,
    versions,
    zone: versions[0]?.tariff.zone ?? 'UTC',
    quantities: [...quantities].sort(),
    registers: [...registers].sort(),
    prices: [...prices].sort(),
  };
}

/** One contract with the span to be rated. */
export interface Job {
  readonly contract: Contract;
  readonly plan: Plan;
  readonly span: Span;
}

export interface SeenMetering {
  readonly quantity: string;
  readonly start: number;
  readonly step: number;
  readonly scaler: number;
  readonly unit: string | null;
  /** Local days that were digested. */
  readonly days: number;
}
export interface Outcome {
  readonly job: Job;
  /** Undefined where it could not be rated; `reason` says why. */
  readonly rated: Rated | undefined;
  readonly reason: string | null;
  readonly parts: readonly PointPart[];
  /** Intervals of the span by quality. */
  readonly counts: Float64Array;
  readonly version: number;
  readonly days: Uint8Array | null;
  readonly seen: readonly SeenMetering[];
}

/** Plans and prices of one run: each tariff, calendar and price is looked up once. */
export interface Rating {
  jobsOf(contracts: readonly Contract[], period: Period): Promise<readonly Job[]>;
  /** A job with other versions than those that hold now, or another span. */
  job(contract: Contract, versions: readonly TariffVersion[], span: Span): Job;
  planOf(contract: Contract): Promise<Plan>;
  /** @throws MisuseError for a tariff or period that cannot be billed */
  rater(job: Job): Rater;
  /** `pricesAsOf`: spot prices as they were known then. */
  rate(jobs: readonly Job[], pricesAsOf?: number): Promise<readonly Outcome[]>;
}

export const versionsOf = (
  all: readonly { readonly version: number; readonly validFrom: string; readonly definition: unknown }[],
): TariffVersion[] =>
  all.map((v) => ({ version: String(v.version), from: v.validFrom, tariff: v.definition as Tariff }));

export function createRating(store: Store): Rating {
  const plans = new Map<number, Plan>();
  const adhoc = new WeakMap<readonly TariffVersion[], Plan>();
  const raters = new Map<string, Rater | MisuseError>();
  const places = new Map<string, Int32Array>();
  const priced = new Map<string, Promise<RatingPrices | undefined>>();
  const planNumbers = new WeakMap<Plan, number>();
  let plansSeen = 0;

  async function load(ids: readonly number[], names: ReadonlyMap<number, string>): Promise<void> {
    const lacking = ids.filter((id) => !plans.has(id));
    if (lacking.length === 0) return;
    const found = await store.billing.tariffs.published(lacking);
    for (const id of lacking) plans.set(id, planOf(names.get(id) ?? '', versionsOf(found.get(id) ?? [])));
  }

  function raterOf(plan: Plan, { from, to }: Span): Rater {
    let number = planNumbers.get(plan);
    if (number === undefined) {
      number = plansSeen++;
      planNumbers.set(plan, number);
    }
    const key = `${number} ${from} ${to}`;
    let found = raters.get(key);
    if (!found) {
      try {
        found = rater(plan.versions, from, to);
      } catch (error) {
        if (!(error instanceof MisuseError)) throw error;
        found = error;
      }
      raters.set(key, found);
    }
    if (found instanceof MisuseError) throw found;
    return found;
  }

  function placesOf(zone: string, from: number, to: number, start: number, step: number): Int32Array {
    const key = `${zone} ${from} ${to} ${start} ${step}`;
    let found = places.get(key);
    if (!found) {
      found = dayPlaces(zone, from, to, start, step);
      places.set(key, found);
    }
    return found;
  }

  const pricesOf = (name: string, from: number, to: number, asOf?: number): Promise<RatingPrices | undefined> => {
    const key = `${name} ${from} ${to} ${asOf ?? ''}`;
    let found = priced.get(key);
    if (!found) {
      found = store.prices.read(name, { from, to, step: QUARTER, ...(asOf === undefined ? {} : { asOf }) });
      priced.set(key, found);
    }
    return found;
  };

  async function rateJobs(jobs: readonly Job[], asOf?: number): Promise<Outcome[]> {
    const faults = new Map<Job, string>();
    const since = new Map<Job, number>();
    const reads = new Map<string, { quantity: string; from: number; to: number; points: Set<string> }>();
    for (const job of jobs) {
      const { plan, span, contract } = job;
      try {
        const earliest = Math.max(raterOf(plan, span).compiled.earliest, Math.min(contract.from, span.from));
        since.set(job, earliest);
        for (const quantity of plan.quantities) {
          const key = `${quantity} ${earliest} ${span.to}`;
          let read = reads.get(key);
          if (!read) {
            read = { quantity, from: earliest, to: span.to, points: new Set() };
            reads.set(key, read);
          }
          read.points.add(contract.meteringPoint);
        }
      } catch (error) {
        if (!(error instanceof MisuseError)) throw error;
        faults.set(job, error.message);
      }
    }
    const values = new Map<string, PointIntervals>();
    for (const [key, { quantity, from, to, points }] of reads)
      await store.billing.readPoints([...points], { quantity, from, to }, (one) => {
        values.set(`${key} ${one.point}`, one);
      });
    const out: Outcome[] = [];
    for (const job of jobs) {
      const fault = faults.get(job);
      out.push(
        fault === undefined
          ? await rateOne(job, since.get(job) as number, values, asOf)
          : failed(job, fault, [], new Float64Array(5)),
      );
    }
    return out;
  }

  async function rateOne(
    job: Job,
    earliest: number,
    values: ReadonlyMap<string, PointIntervals>,
    asOf: number | undefined,
  ): Promise<Outcome> {
    const { plan, span, contract } = job;
    const series: Record<string, RatingSeries> = {};
    const counts = new Float64Array(5);
    const seen: SeenMetering[] = [];
    const digests: Uint8Array[] = [];
    let parts: readonly PointPart[] = [];
    let version = 0;
    for (const quantity of plan.quantities) {
      const found = values.get(`${quantity} ${earliest} ${span.to} ${contract.meteringPoint}`);
      if (!found) continue;
      const { start, step, scaler, unit } = found;
      series[quantity] = {
        start,
        step,
        scaler,
        values: found.values,
        quality: found.quality,
        ...(unit === null ? {} : { unit: unit as Unit }),
      };
      parts = found.parts;
      version = Math.max(version, found.version);
      const of = placesOf(plan.zone, earliest, span.to, start, step);
      const digest = new Uint8Array(digestLength(of));
      digestDays(found, of, Math.ceil((span.from - start) / step), counts, new DataView(digest.buffer), 0);
      digests.push(digest);
      seen.push({ quantity, start: earliest, step, scaler, unit, days: of.length - 1 });
    }
    try {
      const lacking = plan.quantities.find((quantity) => !(quantity in series));
      if (lacking !== undefined && (seen.length === 0 || lacking !== 'energyExport'))
        throw new MisuseError(
          `there are no values of ${lacking} from ${new Date(earliest).toISOString()} to ${new Date(span.to).toISOString()}`,
        );
      const prices: Record<string, RatingPrices> = {};
      for (const name of plan.prices) {
        const found = await pricesOf(name, earliest, span.to, asOf);
        if (found) prices[name] = found;
      }
      const registers =
        plan.registers.length > 0
          ? await registersOf(store, contract.meteringPoint, plan.registers, span.from, span.to)
          : undefined;
      if (registers && parts.length === 0) parts = registers.parts;
      const rated = raterOf(plan, span).rate({
        since: contract.from,
        series,
        ...(registers ? { registers: registers.showings } : {}),
        prices,
        parameters: contract.parameters as Readonly<Record<string, string>>,
      });
      return { job, rated, reason: null, parts, counts, version, days: joined(digests), seen };
    } catch (error) {
      if (!(error instanceof MisuseError)) throw error;
      return failed(job, error.message, parts, counts);
    }
  }

  return {
    async jobsOf(contracts, period) {
      await load([...new Set(contracts.map((c) => c.tariffId))], new Map(contracts.map((c) => [c.tariffId, c.tariff])));
      const jobs: Job[] = [];
      for (const contract of contracts) {
        const plan = plans.get(contract.tariffId) as Plan;
        const whole = inZone(period, plan.zone, contract.cycleDay);
        const span = {
          from: Math.max(whole.from, contract.from),
          to: contract.to === null ? whole.to : Math.min(whole.to, contract.to),
        };
        if (span.from < span.to) jobs.push({ contract, plan, span });
      }
      return jobs;
    },
    job(contract, versions, span) {
      let plan = adhoc.get(versions);
      if (!plan) {
        plan = planOf(contract.tariff, versions);
        adhoc.set(versions, plan);
      }
      return { contract, plan, span };
    },
    async planOf(contract) {
      await load([contract.tariffId], new Map([[contract.tariffId, contract.tariff]]));
      return plans.get(contract.tariffId) as Plan;
    },
    rater: ({ plan, span }) => raterOf(plan, span),
    rate: rateJobs,
  };
}

const failed = (job: Job, reason: string, parts: readonly PointPart[], counts: Float64Array): Outcome => ({
  job,
  rated: undefined,
  reason,
  parts,
  counts,
  version: 0,
  days: null,
  seen: [],
});

function joined(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0] as Uint8Array;
  const out = new Uint8Array(parts.reduce((n, part) => n + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** Mantissa of a decimal as text. */
export function mantissaOf(text: string, decimals: number): bigint {
  const [whole = '0', fraction = ''] = text.split('.');
  const digits = BigInt(`${whole.replace('-', '')}${fraction.padEnd(decimals, '0').slice(0, decimals)}`);
  return whole.startsWith('-') ? -digits : digits;
}
