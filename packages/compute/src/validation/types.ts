/** What validation is given, what it finds and what may be done about it; the shapes that its kernels, its jobs and its pages share. */
import type { PeriodicRule, ProfileRule, Severity, Unit, ValueAction } from '@amiable/model';
import type { Expression } from '../expression/types.ts';
import type { Span } from '../outages.ts';
import type { Intervals, Showings } from '../series.ts';

export { ACTIONS_ON_VALUES, SEVERITIES, type Severity, type ValueAction } from '@amiable/model';

/** One hit of one rule: the intervals [from, to) of the series that was looked at (of a register: its showings). */
export interface Finding {
  /** Name of the rule in its rule set. */
  readonly rule: string;
  /** Which check of the catalogue: `gap`, `spike`, `sum` … */
  readonly check: string;
  readonly severity: Severity;
  readonly from: number;
  readonly to: number;
  /** What happened, in a sentence with the numbers. */
  readonly sentence: string;
  readonly numbers: Readonly<Record<string, number>>;
  readonly action: ValueAction;
  /** Of the user defined actions: the mantissa (scaler of the series) of each interval, or of all of them together. */
  readonly value?: number;
  /** False: the intervals cannot be used and are estimated, whatever they say. */
  readonly usable: boolean;
  /** The named group that the meter joins. */
  readonly group?: string;
}

/** Intervals of another quantity of the same meter; the same start, step and count as the series that is validated. */
export interface Sibling {
  /** `energyExport` …; a formula calls it by this name. */
  readonly name: string;
  readonly unit: Unit;
  readonly intervals: Intervals;
}

/** What is known of the meter's time from events; every list in order of time, epoch ms. Left out: nothing is known. */
export interface MeterTimes {
  readonly outages?: readonly Span[];
  /** The meter's relay was open. */
  readonly disconnected?: readonly Span[];
  /** Stays of the meter at a metering point. Left out: it is not asked; empty: it stood nowhere. */
  readonly installed?: readonly Span[];
  /** Its clock was wrong or not set, by its own flags or by events. */
  readonly clock?: readonly (Span & { readonly deviation?: number })[];
  /** Communication errors, status words and log entries, by the word of the event catalogue; a moment has from = to. */
  readonly events?: readonly (Span & { readonly event: string })[];
}

/** What the meter sent for these intervals, as it came: structure is checked on it. */
export interface SourceRows {
  /** Stamps (epoch ms) as they came; equal ones are duplicates. */
  readonly times: Float64Array;
  /** Mantissas in the order of times; duplicates that agree are harmless. */
  readonly values?: Float64Array;
  /** Unit that the meter names, where it names one. */
  readonly unit?: Unit;
  /** Capture period that the meter names, ms. */
  readonly step?: number;
  /** Transformer ratio that the meter says it applies, or that the source names. */
  readonly multiplier?: number;
}

/** Use of days a year ago beside the days that they are compared with. */
export interface LastYear {
  /** Epoch ms, in this year: what `daily[0]` is compared with begins here, the next a day of 24 hours later. */
  readonly first: number;
  /** Mean use of a day of 24 hours on each of them, mantissas with the scaler of `intervals`; NaN: unknown. */
  readonly daily: Float64Array;
}

export interface ValidationInput {
  /** With context before `from` where there is any: previous days, the last valid interval, usual use. */
  readonly intervals: Intervals;
  /** Indices that are validated: [from, to). */
  readonly from: number;
  readonly to: number;
  readonly unit: Unit;
  /** IANA name; days are local days. */
  readonly zone: string;
  /** Name of the quantity: how formulas call the series, beside `value`. */
  readonly quantity?: string;
  /** Cumulative register of the same quantity. */
  readonly showings?: Showings;
  /** k of the sum check: what one of the register's units stands for (transformer ratio). 1 where left out. */
  readonly multiplier?: number;
  /** Registers of the rates; together they are `showings`. */
  readonly rates?: readonly { readonly name: string; readonly showings: Showings }[];
  readonly meter?: MeterTimes;
  readonly siblings?: readonly Sibling[];
  /** The same days of last year: mean daily use as a mantissa with the scaler of `intervals`; NaN or left out: unknown. */
  readonly lastYearDaily?: number;
  /** The same, day by day; stands before `lastYearDaily` where both are given. */
  readonly lastYear?: LastYear;
  readonly source?: SourceRows;
}

export interface PeriodicInput {
  /** What it showed, with context before `from`: the previous one, the month and the year before. */
  readonly showings: Showings;
  readonly from: number;
  readonly to: number;
  readonly unit: Unit;
  readonly zone: string;
  readonly quantity?: string;
  /** `register`: it counts up for ever; `consumption`: each value is the use of its period. */
  readonly kind: 'register' | 'consumption';
  /** How often a value is due. Left out: nothing is missing but values that are NaN. */
  readonly period?: 'hour' | 'day' | 'week' | 'month' | 'year';
  /** Of a register: the mantissa behind its highest showing (six digits with scaler 0: 1,000,000). Left out: it does not roll over. */
  readonly rollover?: number;
  /** Mantissa with the scaler of showings. */
  readonly reference?: number;
  /** What the meter itself sent for each showing, before estimates and edits; mantissas. Left out: showings of quality measured. */
  readonly source?: Float64Array;
  readonly multiplier?: number;
  readonly sourceMultiplier?: number;
  readonly rates?: readonly { readonly name: string; readonly showings: Showings }[];
  readonly meter?: MeterTimes;
}

/** A rule with its formula parsed. Plain data: it can be sent to a worker thread. */
export type CompiledRule =
  | { readonly kind: 'profile'; readonly rule: ProfileRule; readonly expression?: Expression }
  | { readonly kind: 'periodic'; readonly rule: PeriodicRule; readonly expression?: Expression };
