/**
 * What validation, estimation and editing of one series takes and gives (mdm §2 and §3).
 *
 * Decides: the shapes. Functions that check are passed in, so that estimation knows no rule and a caller may leave checks out.
 * Everything else is plain data, fit for being sent between threads.
 */
import type { Span } from '../outages.ts';
import type { Intervals, Showings } from '../series.ts';
import type { Finding } from '../validation/types.ts';
import type { Estimate, EstimationMethod } from './types.ts';

/** Each step of checking; one that is left out finds nothing. All are asked about [from, to) of the result. */
export interface VeeChecks {
  /** Step 1: register readings. Those in a finding that is not usable are not scaled to. */
  registers?(showings: Showings, from: number, to: number): readonly Finding[];
  /** Step 2: what makes an interval worthless whatever its value is: clock, wrong length, not installed. */
  structure?(intervals: Intervals, from: number, to: number): readonly Finding[];
  /** Step 4: the values; what step 2 dropped is missing already. */
  intervals?(intervals: Intervals, from: number, to: number): readonly Finding[];
}

/** What may be configured; what is left out has the default that is named. */
export interface EstimationSettings {
  /** Gaps up to this long are filled by `short`, ms; default 2 h. */
  readonly shortUpTo?: number;
  /** Methods for short gaps; the first that can be applied. Default check-meter, linear (beside power failures: zero, or nearest); then `long`. */
  readonly short?: readonly EstimationMethod[];
  /** Methods for long gaps, local day by local day; default check-meter, same-weekday, like-day, reference-profile, previous-week, previous-day. */
  readonly long?: readonly EstimationMethod[];
  /** How many days are averaged; default 3. */
  readonly days?: number;
  /** A gap as long as this is reported, ms; default 24 h. */
  readonly longGap?: number;
  /** A gap longer than this is not estimated but left missing, ms; default 62 days. */
  readonly giveUp?: number;
  /** What is missing and no rule speaks of is estimated; default true. */
  readonly fill?: boolean;
  /** Estimates are scaled to registers; default true. */
  readonly scale?: boolean;
}

export interface VeeInput {
  /**
   * What the meter sent (intervals/metering.ts) with edits over it; with as much context before and after as there is, for like
   * days. In [from, to) values of quality `estimated` are taken for missing, so that late real values undo them.
   */
  readonly intervals: Intervals;
  /** What is validated and estimated; epoch ms, on the grid. */
  readonly from: number;
  readonly to: number;
  /** IANA name; days are local. */
  readonly zone: string;
  /** The total register, falls and rollovers taken out or left as they are; with or without context. */
  readonly showings?: Showings;
  /** Which readings are of one run: a fall begins a new one. As long as showings; left out: any fall does. */
  readonly runs?: Uint32Array;
  /** Energy of an interval per step of the register (after scalers); default 1. */
  readonly multiplier?: number;
  /** False where values may go below zero; default true. */
  readonly consumption?: boolean;
  /** A reading this close to a boundary stands for it, ms; default 30 s. */
  readonly tolerance?: number;
  readonly outages?: readonly Span[];
  /** Starts of local days that are holidays, epoch ms. */
  readonly holidays?: readonly number[];
  /** Context that was not accepted: no basis for estimates. */
  readonly notAccepted?: readonly Span[];
  /** The check meter at the same point. */
  readonly checkMeter?: Intervals;
  /** A profile of the customer's kind; only its shape is used. */
  readonly reference?: Intervals;
  /** Times at which the register should stand (billing days); what lacks is estimated. Epoch ms, rising. */
  readonly wanted?: Float64Array;
  readonly checks?: VeeChecks;
  readonly settings?: EstimationSettings;
}

/** A register reading that was made. */
export interface RegisterEstimate {
  readonly time: number;
  /** Mantissa with the scaler of `VeeInput.showings`. */
  readonly value: number;
  readonly method: 'intervals' | 'average-daily';
  readonly sentence: string;
  readonly inputs: Readonly<Record<string, number>>;
}

export interface VeeResult {
  /**
   * All of the input with what was estimated. The scaler is the finer of intervals and register, so that sums are equal to the last
   * unit; mantissas of the context follow.
   */
  readonly intervals: Intervals;
  /**
   * What was worked on and is to be written: [from, to) of the input, widened to whole gaps and to the register readings around
   * them, as far as the context goes.
   */
  readonly from: number;
  readonly to: number;
  /** Of the checks, in the order of the steps. */
  readonly findings: readonly Finding[];
  /** In order of time; one for each run of one method and local day. */
  readonly estimates: readonly Estimate[];
  /** What estimation itself has to say: long gap, negative estimate, nothing to estimate from. Rule `estimation`. */
  readonly flags: readonly Finding[];
  readonly registers: readonly RegisterEstimate[];
}
