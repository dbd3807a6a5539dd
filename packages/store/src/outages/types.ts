/** Interruptions of supply and their statistics (AMI system description §7.4.7; IEEE 1366). Times are epoch ms. */
import type { Interrupted, SupplyIndices, SupplySums } from '@amiable/compute';
import type { Scope } from '@amiable/model';
import type { MeterId } from '../types.ts';

export interface StoredOutage {
  readonly meter: MeterId;
  readonly serial: string;
  readonly name: string | null;
  readonly phase: Interrupted;
  readonly from: number;
  /** Undefined while it lasts. */
  readonly to: number | undefined;
  /** It began within announced work. */
  readonly planned: boolean;
}

export interface OutageQuery {
  readonly from: number;
  readonly to: number;
  readonly under?: string;
  readonly meter?: MeterId;
  /** Meters after this one. */
  readonly after?: MeterId;
  /** Meters at most. */
  readonly limit: number;
  readonly scope: Scope;
}

export interface IndexQuery {
  /** Months or other periods, half open, one after the other. */
  readonly periods: readonly { readonly from: number; readonly to: number }[];
  readonly rows: 'all' | 'region' | 'substation' | 'transformer' | 'feeder';
  readonly under?: string;
  /** ms */
  readonly momentary: number;
  readonly now: number;
  readonly scope: Scope;
}

export interface IndexRow {
  readonly id: string;
  readonly name: string;
  /** By period. */
  readonly sums: readonly (Readonly<SupplySums> & SupplyIndices)[];
}

export interface Planned {
  readonly id: string;
  /** Node of the network; null: everywhere. */
  readonly node: string | null;
  readonly from: number;
  readonly to: number;
  readonly reason: string;
  readonly who: string | null;
}

/** What the meter itself counted, as a check of what its events say. */
export interface CounterCheck {
  /** OBIS code. */
  readonly register: string;
  readonly first: { readonly time: number; readonly value: number };
  readonly last: { readonly time: number; readonly value: number };
}

export interface OutageStore {
  list(query: OutageQuery): Promise<{ readonly outages: readonly StoredOutage[]; readonly next?: MeterId }>;
  indices(query: IndexQuery): Promise<readonly IndexRow[]>;
  /** Counters of failures of one meter in a span. */
  counters(meter: MeterId, from: number, to: number): Promise<readonly CounterCheck[]>;
  planned(from: number, to: number, limit: number, scope: Scope): Promise<readonly Planned[]>;
  /** @returns undefined when there is no such node in the scope; everywhere is for who sees all */
  plan(work: Omit<Planned, 'id'>, at: number, scope: Scope): Promise<string | undefined>;
  /** @returns false when there is none */
  unplan(id: string, scope: Scope): Promise<boolean>;
}
