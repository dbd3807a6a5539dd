/** The completeness report (AMI system description §3.5, §5.1): what should be there, what is, and what was given up. Days are local, `2026-11-20`. */
import type { Scope } from '@amiable/model';
import type { MeterId } from '../types.ts';
import type { Missing, MissingQuery } from './types.ts';

export interface CompletenessCounts {
  readonly expected: number;
  /** Those that are there, the estimated ones among them. */
  readonly present: number;
  readonly missing: number;
  readonly estimated: number;
  readonly givenUp: number;
}

export interface CompletenessCell extends CompletenessCounts {
  readonly meters: number;
  /** How many of them lack nothing. */
  readonly complete: number;
}

export interface CompletenessRow {
  readonly id: string;
  readonly name: string;
  /** By day of the question; null where nothing was counted. */
  readonly cells: readonly (CompletenessCell | null)[];
}

export interface CompletenessQuery {
  readonly profile: string;
  /** `to` not included. */
  readonly from: string;
  readonly to: string;
  readonly rows: 'region' | 'substation' | 'transformer' | 'feeder' | 'meter';
  readonly under?: string;
  readonly after?: string;
  readonly limit: number;
  readonly scope: Scope;
}

export interface CompletenessReport {
  readonly profiles: readonly string[];
  readonly days: readonly string[];
  readonly total: readonly (CompletenessCell | null)[];
  readonly rows: readonly CompletenessRow[];
  readonly next?: string;
  /** Epoch ms. */
  readonly computed?: number;
}

export interface MeterDay extends CompletenessCounts {
  readonly day: string;
  readonly reason?: string;
  readonly gaps: readonly Missing[];
}

export interface MeterGaps {
  readonly meter: MeterId;
  readonly serial: string;
  readonly name: string | null;
  /** Days on which something lacks. */
  readonly days: number;
  readonly missing: number;
  readonly givenUp: number;
  readonly first: string;
  readonly last: string;
}

export interface GapQuery {
  readonly profile: string;
  readonly from: string;
  readonly to: string;
  readonly under?: string;
  readonly after?: string;
  readonly limit: number;
  readonly scope: Scope;
}

/** Parameters of the task kind `completeness`. */
export interface CompletenessOptions {
  /** Names of profiles; all of the read-out sets unless said. */
  readonly profiles?: readonly string[];
  /** Days before today that are counted anew each time. Default 10. */
  readonly days?: number;
  /** What lacks is given up after so many days. Default 60. */
  readonly giveUpDays?: number;
}

export interface CompletenessResult {
  readonly profiles: readonly string[];
  readonly meters: number;
  readonly days: number;
  readonly expected: number;
  readonly missing: number;
  readonly givenUp: number;
}

export interface CompletenessStore extends MissingQuery {
  /** Counts, gives up by rule, and keeps the result: the last days, and older ones of which something lacks or has come. */
  compute(options: CompletenessOptions, now: number, signal?: AbortSignal): Promise<CompletenessResult>;
  /** What lacks in these days of a meter will not come: its buffer does not hold it any more. Counted as given up from now on. */
  giveUp(meter: MeterId, profile: string, from: number, to: number, reason: string, now: number): Promise<void>;
  report(query: CompletenessQuery): Promise<CompletenessReport>;
  /** One meter's days, counted now. @returns undefined when it is not read at all */
  meterDays(
    meter: MeterId,
    profile: string,
    from: string,
    to: string,
  ): Promise<{ readonly profiles: readonly string[]; readonly days: readonly MeterDay[] } | undefined>;
  /** Up to 100,000 meters that lack something in days since this moment. */
  lacking(since: number): Promise<readonly MeterId[]>;
  gaps(query: GapQuery): Promise<{ readonly meters: readonly MeterGaps[]; readonly next?: string }>;
}
