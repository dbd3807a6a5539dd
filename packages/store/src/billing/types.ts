/**
 * What the store takes and gives of billing (feature M6): tariffs in versions, contracts over time, runs, bills. Times are epoch ms, days
 * of validity local dates, amounts integer mantissas with a scaler.
 */
import type { Scope } from '@amiable/model';
import type { IntervalQuery } from '../intervals/types.ts';
import type { By } from '../registry/parts.ts';
import type { Rational } from '../registry/ratios.ts';
import type { NodeId } from '../registry/types.ts';
import type { MeterId } from '../types.ts';

/** JSON as it was given; whoever gives it has checked it. */
export type BillingJson = Readonly<Record<string, unknown>>;

export interface TariffVersion {
  readonly tariff: string;
  readonly version: number;
  readonly state: 'draft' | 'published';
  /** First local day on which it holds: 2026-01-01. */
  readonly validFrom: string;
  readonly definition: BillingJson;
  readonly createdAt: number;
  readonly createdBy: string | null;
  readonly publishedAt: number | null;
  readonly publishedBy: string | null;
}
export interface TariffRow {
  readonly id: number;
  readonly name: string;
  readonly description: string | null;
  /** Newest published and newest draft version; null where there is none. */
  readonly published: number | null;
  readonly draft: number | null;
  readonly validFrom: string | null;
  /** Contracts that name it and hold; 10,001 stands for more. */
  readonly contracts: number;
}
export interface TariffStore {
  list(query: { readonly q?: string; readonly after?: string; readonly limit: number }): Promise<readonly TariffRow[]>;
  get(name: string): Promise<TariffRow | undefined>;
  versions(name: string): Promise<readonly TariffVersion[]>;
  version(name: string, version: number): Promise<TariffVersion | undefined>;
  /** By id of tariff: its published versions by the day from which they hold, the later version of equal days alone. */
  published(ids: readonly number[]): Promise<Map<number, readonly TariffVersion[]>>;
  /** Writes the draft: a new version, or the draft that is there. Makes the tariff known when it is not. */
  put(
    name: string,
    given: { readonly description?: string | null; readonly validFrom: string; readonly definition: BillingJson },
    by: By,
  ): Promise<TariffVersion>;
  /** @throws MisuseError when there is no draft, or it would hold in time that was billed by this tariff */
  publish(name: string, version: number, zone: string, by: By): Promise<TariffVersion>;
  /** Takes a draft away, and the tariff with it when it has nothing else. @returns false when there is none */
  removeDraft(name: string): Promise<boolean>;
}

export const CYCLES = ['month', 'quarter', 'year', 'dates'] as const;
export type Cycle = (typeof CYCLES)[number];

export interface NewContract {
  readonly meteringPoint: NodeId;
  readonly product: string;
  /** Name of the tariff. */
  readonly tariff: string;
  readonly reference?: string | null | undefined;
  readonly cycle?: Cycle | undefined;
  readonly cycleDay?: number | undefined;
  readonly parameters?: BillingJson | undefined;
  readonly from: number;
  readonly to?: number | null | undefined;
}
export interface Contract {
  readonly id: string;
  readonly meteringPoint: NodeId;
  /** Code of the metering point. */
  readonly code: string;
  readonly product: string;
  readonly tariff: string;
  readonly tariffId: number;
  readonly reference: string | null;
  readonly cycle: Cycle;
  readonly cycleDay: number;
  readonly parameters: BillingJson;
  readonly from: number;
  readonly to: number | null;
  readonly recordedAt: number;
  readonly recordedBy: string | null;
  readonly replacedAt: number | null;
  readonly replacedBy: string | null;
  readonly reason: string | null;
}
export interface ContractQuery {
  readonly meteringPoint?: NodeId;
  readonly product?: string;
  readonly tariff?: string;
  /** Those that hold in some of this time. */
  readonly from?: number;
  readonly to?: number;
  /** Only metering points at which one of these meters stood in that time. */
  readonly meters?: readonly MeterId[];
  readonly cycle?: Cycle;
  /** Also what was replaced. */
  readonly replaced?: boolean;
  readonly after?: string;
  readonly limit: number;
  readonly scope: Scope;
}
export interface ContractStore {
  list(query: ContractQuery): Promise<readonly Contract[]>;
  /** Contracts of whole metering points in order of their ids, behind `afterPoint`: for runs. */
  due(query: ContractQuery & { readonly afterPoint: NodeId }): Promise<readonly Contract[]>;
  get(id: string, scope: Scope): Promise<Contract | undefined>;
  byIds(ids: readonly string[], scope: Scope): Promise<readonly Contract[]>;
  /** An open contract of the point and product ends where this one begins. @throws MisuseError when it overlaps another */
  put(contract: NewContract, scope: Scope, by: By): Promise<Contract>;
  end(id: string, to: number, scope: Scope, by: By): Promise<Contract>;
  /** @returns what holds in its place; undefined when it never was */
  correct(
    id: string,
    right: Omit<NewContract, 'meteringPoint' | 'product'> | undefined,
    reason: string,
    scope: Scope,
    by: By,
  ): Promise<Contract | undefined>;
}

export interface BillingRun {
  readonly id: string;
  readonly kind: 'bill' | 'difference' | 'determinants';
  readonly state: 'running' | 'done' | 'failed' | 'cancelled';
  readonly name: string;
  readonly from: number;
  readonly to: number;
  readonly definition: BillingJson;
  readonly segments: readonly number[] | null;
  readonly taskRun: string | null;
  readonly createdAt: number;
  readonly createdBy: string | null;
  readonly endedAt: number | null;
  readonly report: BillingJson | null;
  readonly error: string | null;
}
export interface RunStore {
  /** Begins a run; of a task's run that has one already, gives that. */
  begin(run: {
    readonly kind: BillingRun['kind'];
    readonly name: string;
    readonly from: number;
    readonly to: number;
    readonly definition: BillingJson;
    readonly scope: Scope;
    readonly taskRun?: string;
    readonly by: By;
  }): Promise<BillingRun>;
  end(
    id: string,
    state: Exclude<BillingRun['state'], 'running'>,
    report: BillingJson,
    error: string | null,
    at: number,
  ): Promise<void>;
  get(id: string, scope: Scope): Promise<BillingRun | undefined>;
  list(query: {
    readonly after?: string;
    readonly limit: number;
    readonly scope: Scope;
  }): Promise<readonly BillingRun[]>;
}

/** A bill as it is written. */
export interface NewBill {
  readonly meter: MeterId;
  readonly contract: string;
  readonly meteringPoint: NodeId;
  readonly kind: 'bill' | 'difference';
  readonly state: 'billed' | 'blocked' | 'failed';
  readonly product: string;
  readonly tariffId: number;
  readonly tariffVersion: number | null;
  readonly from: number;
  readonly to: number;
  readonly currency: string | null;
  readonly scaler: number;
  readonly amount: number | bigint | null;
  readonly total: number | bigint | null;
  /** Intervals by quality, in the order measured, calculated, edited, estimated, missing. */
  readonly counts: ArrayLike<number>;
  readonly valueVersion: number;
  readonly seenAt: number;
  readonly previousRun: string | null;
  /** Sum and check number of each local day, see days.ts of the billing feature; null for what was not billed. */
  readonly days: Uint8Array | null;
  /** JSON text. */
  readonly detail: string | null;
  readonly reason: string | null;
}
export interface Bill {
  /** METER-RUN-CONTRACT. */
  readonly id: string;
  readonly meter: MeterId;
  readonly run: string;
  readonly contract: string;
  readonly meteringPoint: NodeId;
  readonly code: string;
  readonly kind: 'bill' | 'difference';
  readonly state: 'billed' | 'blocked' | 'failed';
  readonly product: string;
  readonly tariff: string;
  readonly tariffId: number;
  readonly tariffVersion: number | null;
  readonly from: number;
  readonly to: number;
  readonly currency: string | null;
  readonly scaler: number;
  readonly amount: bigint | null;
  readonly total: bigint | null;
  readonly counts: readonly number[];
  readonly valueVersion: number;
  readonly seenAt: number;
  readonly previousRun: string | null;
  readonly reason: string | null;
}
export interface WholeBill extends Bill {
  readonly days: Uint8Array | null;
  readonly detail: BillingJson | null;
}
export interface BillQuery {
  readonly run?: string;
  readonly meteringPoint?: NodeId;
  readonly meter?: MeterId;
  readonly product?: string;
  readonly state?: Bill['state'];
  /** Those that bill some of this time. */
  readonly from?: number;
  readonly to?: number;
  /** Id of the last bill of the page before. */
  readonly after?: string;
  readonly limit: number;
  readonly scope: Scope;
}
export interface BillStore {
  /** By meter, run and contract, rising. */
  list(query: BillQuery): Promise<readonly Bill[]>;
  /** The same with all that they keep. */
  whole(query: BillQuery): Promise<readonly WholeBill[]>;
  get(id: string, scope: Scope): Promise<WholeBill | undefined>;
  /** What was billed of these points in this time, whole, the oldest run first. */
  billed(points: readonly NodeId[], from: number, to: number): Promise<readonly WholeBill[]>;
  /** Which time was billed, without what it came to. */
  spans(points: readonly NodeId[], from: number, to: number): Promise<readonly BilledSpan[]>;
  /** Points of which something was billed in this time, in order of their ids. */
  points(query: {
    readonly from: number;
    readonly to: number;
    readonly product?: string;
    /** Only points at which one of these meters stood. */
    readonly meters?: readonly MeterId[];
    readonly after: NodeId;
    readonly limit: number;
    readonly scope: Scope;
  }): Promise<readonly NodeId[]>;
  /**
   * Writes bills of a run in one transaction by COPY. What the run has written already, and what another run has billed meanwhile of the
   * same point, product and time, is left out: so a run that is taken up again bills nothing twice.
   * @returns how many were written
   */
  write(run: string, bills: readonly NewBill[]): Promise<number>;
  /** Points of a run that are done: the highest in order of id; '0' before the first. */
  reached(run: string): Promise<NodeId>;
  /** Counts and sums of a run. */
  sums(run: string): Promise<readonly BillSum[]>;
}
export interface BillSum {
  readonly state: Bill['state'];
  readonly currency: string | null;
  readonly scaler: number;
  readonly n: number;
  readonly amount: bigint;
}

/** Quantities of a contract's period by rate, without prices. */
export interface Determinants {
  readonly meter: MeterId;
  readonly contract: string;
  readonly quantity: string;
  readonly from: number;
  readonly to: number;
  readonly meteringPoint: NodeId;
  readonly tariffId: number;
  readonly tariffVersion: number;
  readonly unit: string | null;
  readonly scaler: number;
  readonly rates: readonly string[];
  /** Mantissas, in the order of the rates. */
  readonly energy: ArrayLike<number>;
  /** Mantissa of the highest interval and its start; null where all are missing. */
  readonly highest: number | null;
  readonly highestAt: number | null;
  readonly step: number;
  readonly counts: ArrayLike<number>;
  readonly valueVersion: number;
  readonly seenAt: number;
}
export interface DeterminantRow extends Omit<Determinants, 'tariffId' | 'energy' | 'counts'> {
  readonly code: string;
  readonly tariff: string;
  readonly energy: readonly number[];
  readonly counts: readonly number[];
}
export interface DeterminantStore {
  /** By COPY in one transaction; contracts that the run has written already are left out. @returns how many were written */
  write(run: string, rows: readonly Determinants[]): Promise<number>;
  /** Whole metering points in order of their ids, behind `after`. */
  list(query: {
    readonly run: string;
    readonly after?: NodeId;
    readonly limit: number;
    readonly scope: Scope;
  }): Promise<readonly DeterminantRow[]>;
  reached(run: string): Promise<NodeId>;
  count(run: string): Promise<number>;
}

export interface Release {
  readonly id: string;
  readonly meteringPoint: NodeId;
  readonly code: string;
  readonly from: number;
  readonly to: number;
  readonly reason: string;
  readonly at: number;
  readonly by: string;
}
export interface ReleaseStore {
  put(
    release: { readonly meteringPoint: NodeId; readonly from: number; readonly to: number; readonly reason: string },
    scope: Scope,
    by: By,
  ): Promise<Release>;
  list(query: {
    readonly meteringPoint?: NodeId;
    readonly after?: string;
    readonly limit: number;
    readonly scope: Scope;
  }): Promise<readonly Release[]>;
  /** Those that touch the time at these points. */
  of(points: readonly NodeId[], from: number, to: number): Promise<readonly Release[]>;
}

export interface PointsQuery extends IntervalQuery {
  /** The arrays that are handed over are good until the next points come: they are used again. */
  readonly reuse?: boolean;
}

/** One meter's part of what a metering point took. */
export interface PointPart {
  readonly meter: MeterId;
  readonly from: number;
  readonly to: number;
  /** Stretches of its stay with the product of the transformer ratios. */
  readonly ratios: readonly { readonly from: number; readonly to: number; readonly multiplier: Rational }[];
}
/** What a metering point took, over meter exchanges and with transformer ratios; shape of MeterIntervals. */
export interface PointIntervals {
  readonly point: NodeId;
  readonly start: number;
  readonly step: number;
  readonly scaler: number;
  readonly unit: string | null;
  readonly values: Float64Array;
  readonly quality: Uint8Array;
  readonly version: number;
  readonly parts: readonly PointPart[];
}

export interface Readings {
  readonly times: Float64Array;
  readonly values: Float64Array;
  readonly unit: string | null;
}

/** Billed time in which a meter's values were used. */
export interface BilledSpan {
  readonly bill: string;
  readonly run: string;
  readonly meteringPoint: NodeId;
  readonly product: string;
  readonly from: number;
  readonly to: number;
}

export interface BillingStore {
  readonly tariffs: TariffStore;
  readonly contracts: ContractStore;
  readonly runs: RunStore;
  readonly bills: BillStore;
  readonly determinants: DeterminantStore;
  readonly releases: ReleaseStore;
  /** What one metering point took. @returns undefined when no meter stood there in the time, or not in the scope */
  readPoint(point: NodeId, query: IntervalQuery, scope?: Scope): Promise<PointIntervals | undefined>;
  /** The same of many, in the order of the ids; points where no meter stood are left out. */
  readPoints(
    points: readonly NodeId[],
    query: PointsQuery,
    take: (intervals: PointIntervals) => void | Promise<void>,
  ): Promise<void>;
  /** Which meters stood at points, without values. */
  parts(points: readonly NodeId[], from: number, to: number): Promise<Map<NodeId, readonly PointPart[]>>;
  /** Metering points where these meters stood in the time, or any did, in order of their ids behind `after`. */
  pointsOf(
    meters: readonly MeterId[] | undefined,
    query: {
      readonly from: number;
      readonly to: number;
      readonly after?: NodeId;
      readonly limit: number;
      readonly scope: Scope;
    },
  ): Promise<readonly { readonly id: NodeId; readonly code: string }[]>;
  /** What was billed with values of this meter in this time: for those who write values. */
  billedOverlap(meter: MeterId, from: number, to: number): Promise<readonly BilledSpan[]>;
  /** Showings of a cumulative register of a meter by its short code: `1.8.1`; values in its unit. */
  register(meter: MeterId, code: string, from: number, to: number): Promise<Readings>;
  /** Zones of meters by id. */
  zones(meters: readonly MeterId[]): Promise<Map<MeterId, string>>;
}
