/** Balances in the store: areas in versions, their local days, alarms, and who belonged to an area when. Times are epoch ms. */
import type { BalanceArea, Scope } from '@amiable/model';
import type { NodeId } from '../registry/types.ts';
import type { MeterId } from '../types.ts';

export interface StoredArea {
  readonly id: string;
  readonly name: string;
  readonly node: NodeId | null;
  readonly definition: BalanceArea;
  readonly version: number;
  readonly segment: number;
  /** Segments that it reads: of who made this version; null: all. */
  readonly reads: readonly number[] | null;
  readonly changedBy: string;
  readonly changedAt: number;
}

/** One local day. Sums are mantissas (Wh × 10^-scaler) over the complete intervals alone. */
export interface BalanceDay {
  readonly day: string;
  readonly from: number;
  readonly to: number;
  readonly version: number;
  /** Seconds. */
  readonly step: number;
  readonly scaler: number;
  readonly supplied: number;
  readonly consumed: number;
  readonly produced: number;
  readonly loss: number;
  readonly intervals: number;
  readonly complete: number;
  readonly meters: number;
  readonly detail: {
    /** Meters that lacked values, the worst first; at most 200 of them. */
    readonly missing: readonly {
      readonly meter: MeterId;
      readonly serial: string;
      readonly role: string;
      readonly count: number;
      readonly spans: readonly (readonly [number, number])[];
    }[];
    readonly missingMeters: number;
    /** Values by quality. */
    readonly shares: readonly number[];
    /** Loss of each interval, mantissa; null where it is not complete. */
    readonly loss: readonly (number | null)[];
  };
  readonly computedAt: number;
}

export interface AreaSummary {
  readonly id: string;
  readonly name: string;
  readonly node: NodeId | null;
  readonly days: number;
  readonly complete: number;
  readonly intervals: number;
  /** Wh. */
  readonly supplied: number;
  readonly consumed: number;
  readonly produced: number;
  readonly loss: number;
}

export const ALARM_STATES = ['open', 'accepted', 'closed'] as const;
export type AlarmState = (typeof ALARM_STATES)[number];
export type AlarmKind = 'persistent-loss' | 'negative-loss' | 'step' | 'incomplete';
export interface NewAlarm {
  readonly kind: AlarmKind;
  readonly severity: 'info' | 'warning' | 'error';
  readonly firstDay: string;
  readonly lastDay: string;
  readonly sentence: string;
  readonly numbers: Readonly<Record<string, number>>;
}
export interface BalanceAlarm extends NewAlarm {
  readonly id: string;
  readonly area: string;
  readonly areaName: string;
  readonly state: AlarmState;
  readonly owner: string | null;
  readonly note: string | null;
  readonly openedAt: number;
  readonly changedAt: number;
  readonly changedBy: string | null;
}

/** From when to when a meter belongs, and by what ratio (numerator / denominator) its values are multiplied then. */
export interface BelongingSpan {
  readonly from: number;
  readonly to: number;
  readonly numerator: number;
  readonly denominator: number;
}
export interface Belonging {
  readonly meter: MeterId;
  readonly serial: string;
  readonly spans: readonly BelongingSpan[];
}

export interface BalanceStore {
  list(query: {
    readonly after?: string;
    readonly limit: number;
    readonly scope: Scope;
  }): Promise<readonly StoredArea[]>;
  get(name: string, scope: Scope): Promise<StoredArea | undefined>;
  /** Made where it is not there, else a new version. @throws MisuseError when the name is taken in another segment */
  put(
    area: { readonly name: string; readonly definition: BalanceArea; readonly segment: number },
    by: string,
    at: number,
    scope: Scope,
  ): Promise<StoredArea>;
  /** With its days and alarms. @returns false when there was none */
  remove(name: string, scope: Scope): Promise<boolean>;
  versions(id: string): Promise<
    readonly {
      readonly version: number;
      readonly definition: BalanceArea;
      readonly changedBy: string;
      readonly changedAt: number;
    }[]
  >;
  putDays(area: string, days: readonly BalanceDay[]): Promise<void>;
  /** Local days from `from` to before `to`, in order. */
  days(area: string, from: string, to: string): Promise<readonly BalanceDay[]>;
  /** All areas in order of name, with their sums over local days. */
  summary(query: {
    readonly from: string;
    readonly to: string;
    readonly after?: string;
    readonly limit: number;
    readonly scope: Scope;
  }): Promise<readonly AreaSummary[]>;
  /** Opens what is new, renews what is open, closes what is no longer found. */
  setAlarms(
    area: string,
    found: readonly NewAlarm[],
    at: number,
  ): Promise<{ readonly opened: number; readonly closed: number }>;
  /** Newest first. */
  alarms(query: {
    readonly states?: readonly AlarmState[];
    readonly area?: string;
    readonly after?: string;
    readonly limit: number;
    readonly scope: Scope;
  }): Promise<readonly BalanceAlarm[]>;
  /** @throws MisuseError when it is closed @returns undefined when there is no such alarm */
  decide(
    id: string,
    change: { readonly state?: AlarmState; readonly owner?: string; readonly note?: string },
    by: string,
    at: number,
    scope: Scope,
  ): Promise<BalanceAlarm | undefined>;
  /**
   * Who belongs between two times: those who stood under a node (slaves behind them too), or those who are listed, all the time. With
   * the ratios of measuring transformers as they held, unless `ratios` is false.
   */
  belonging(
    who: { readonly node: NodeId } | { readonly meters: readonly MeterId[] },
    query: {
      readonly from: number;
      readonly to: number;
      readonly scope: Scope;
      readonly ratios?: boolean;
      readonly slaves?: boolean;
    },
  ): Promise<readonly Belonging[]>;
}
