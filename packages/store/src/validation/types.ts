/**
 * Validation in the store (AMI system description §5.3): rule sets in versions, exceptions, estimates, and what was
 * validated out of what. Times are epoch ms, days numbers since 1970 (UTC days of blocks) or local days as text.
 *
 * Leaves out: what a rule set says (model/mdm) and what finds and estimates (compute).
 */
import type { Estimate, Finding, Intervals, LastYear, Severity } from '@amiable/compute';
import type { Quantity, Scope } from '@amiable/model';
import type { By } from '../registry/parts.ts';
import type { MeterId } from '../types.ts';

// ---------------------------------------------------------------- rule sets

export interface StoredRuleSet {
  readonly id: number;
  readonly name: string;
  readonly description: string | null;
  /** Holds where no other is assigned. */
  readonly isDefault: boolean;
  readonly version: number;
  /** Rules (model/mdm/rules.ts), whom they are for, settings of estimation; checked before it comes here. */
  readonly definition: unknown;
  readonly changedAt: number;
  readonly changedBy: string;
}

export interface RuleVersion {
  readonly version: number;
  readonly definition: unknown;
  readonly changedAt: number;
  readonly changedBy: string;
  readonly reason: string | null;
}

export interface RuleSetFields {
  readonly description?: string | null | undefined;
  readonly isDefault?: boolean | undefined;
  readonly definition?: unknown;
  readonly reason?: string | undefined;
}

/** What decides which rules hold for a meter, and how its days are counted. */
export interface ValidatedMeter {
  readonly id: MeterId;
  readonly zone: string;
  readonly segment: number;
  readonly meterType: string | null;
  /** Attribute `customerType` of its metering point, else of the premises. */
  readonly customerType: string | null;
  /** Spans in which it stood at a metering point; undefined where nobody said. */
  readonly installed: readonly { readonly from: number; readonly to: number | null }[] | undefined;
  readonly firstSeen: number | null;
  /** Attribute `checkMeter` of the meter: serial number of the one that counts the same. */
  readonly checkMeter: string | null;
}

export interface RuleSets {
  list(): Promise<readonly StoredRuleSet[]>;
  get(name: string): Promise<StoredRuleSet | undefined>;
  versions(name: string): Promise<readonly RuleVersion[]>;
  /** Made where it is not there, else changed; a new definition is a new version. */
  put(name: string, fields: RuleSetFields, by: By): Promise<StoredRuleSet>;
  /** Versions stay. @returns false when there is none */
  remove(name: string): Promise<boolean>;
  /** What of these meters decides which rules hold. */
  meters(ids: readonly MeterId[]): Promise<readonly ValidatedMeter[]>;
  /** Ids of meters by serial number; of those in `scope` alone. */
  idsOf(serials: readonly string[], scope: Scope): Promise<ReadonlyMap<string, MeterId>>;
}

// ---------------------------------------------------------------- exceptions

export const EXCEPTION_STATES = ['open', 'accepted', 'corrected', 'dismissed', 'solved'] as const;
export type ExceptionState = (typeof EXCEPTION_STATES)[number];

export interface Exception {
  /** `METER-REGISTER-KEY`. */
  readonly id: string;
  readonly meter: MeterId;
  readonly serial: string;
  readonly name: string | null;
  readonly quantity: string;
  /** Seconds. */
  readonly period: number;
  readonly from: number;
  readonly to: number;
  /** Local day on which it begins. */
  readonly day: string;
  readonly rule: string;
  readonly check: string;
  readonly severity: Severity;
  readonly action: Finding['action'];
  readonly usable: boolean;
  readonly sentence: string;
  readonly numbers: Readonly<Record<string, number>>;
  readonly group: string | null;
  readonly ruleSet: string | null;
  readonly rulesVersion: number;
  readonly foundAt: number;
  readonly state: ExceptionState;
  readonly owner: string | null;
  readonly note: string | null;
  readonly changedAt: number | null;
  readonly changedBy: string | null;
}

export interface ExceptionFilter {
  readonly states?: readonly ExceptionState[] | undefined;
  /** This severity and above. */
  readonly severity?: Severity | undefined;
  readonly rule?: string | undefined;
  readonly check?: string | undefined;
  readonly quantity?: string | undefined;
  readonly owner?: string | undefined;
  readonly meters?: readonly MeterId[] | undefined;
  /** Below this node of the network. */
  readonly under?: string | undefined;
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  readonly scope: Scope;
}

export interface ExceptionChange {
  readonly state?: Exclude<ExceptionState, 'solved'> | undefined;
  /** Null: nobody. */
  readonly owner?: string | null | undefined;
  readonly note?: string | null | undefined;
}

export interface ExceptionCount {
  readonly rule: string;
  readonly check: string;
  readonly severity: Severity;
  readonly day: string;
  readonly state: ExceptionState;
  readonly count: number;
  readonly meters: number;
}

export interface StoredEstimate extends Estimate {
  readonly quantity: string;
  readonly period: number;
  readonly madeAt: number;
}

export interface Exceptions {
  /** Newest first. */
  list(
    query: ExceptionFilter & { readonly limit: number; readonly after?: string | undefined },
  ): Promise<{ readonly exceptions: readonly Exception[]; readonly next?: string }>;
  one(id: string, scope: Scope): Promise<Exception | undefined>;
  /**
   * Those of `ids`, or all that a filter meets up to 10,000. What is accepted, or no longer so, has its days validated again.
   * @returns ids of those that changed
   */
  change(
    which: { readonly ids: readonly string[] } | ExceptionFilter,
    change: ExceptionChange,
    scope: Scope,
    by: By,
  ): Promise<readonly string[]>;
  summary(query: ExceptionFilter): Promise<readonly ExceptionCount[]>;
  estimates(
    meter: MeterId,
    query: {
      readonly quantity?: string | undefined;
      readonly from: number;
      readonly to: number;
      readonly limit: number;
      readonly scope: Scope;
    },
  ): Promise<readonly StoredEstimate[]>;
}

// ---------------------------------------------------------------- what is to be done, and done

/** Which rules hold for one meter and quantity. */
export interface RulesHeld {
  readonly ruleSet: number;
  readonly version: number;
}

/** How the values of a source are to be read. */
export type SourceKind = 'register' | 'interval' | 'power';

/** One series as it was sent: times rise; mantissas with `scaler`. */
export interface SentSeries {
  readonly times: Float64Array;
  readonly values: Float64Array;
  /** Left out where all are measured. */
  readonly quality?: Uint8Array;
  readonly scaler: number;
}

/** What of one metering is to be validated, with all that the kernels need; fit for being sent between threads. */
export interface ValidationTask {
  readonly meter: MeterId;
  /** Name of the quantity. */
  readonly quantity: string;
  readonly zone: string;
  /** Seconds. */
  readonly period: number;
  readonly kind: SourceKind;
  /** register.id of the source and of the metering. */
  readonly source: number;
  readonly register: number;
  readonly rules: RulesHeld;
  /** Epoch ms; whole local days, but for the first day of a meter. */
  readonly from: number;
  readonly to: number;
  /** Where comparison begins. */
  readonly context: number;
  /** `to`, or some days more where there are validated ones behind it. */
  readonly end: number;
  readonly sent: SentSeries;
  /** The cumulative register where the source is none. */
  readonly showings?: SentSeries | undefined;
  /** The metering as it stands, over [context, end): what was validated before, and edits. */
  readonly stored: Intervals | undefined;
  /** Spans that a person accepted, by rule. */
  readonly accepted: readonly { readonly rule: string; readonly from: number; readonly to: number }[];
  /** UTC days that this settles, with what they are made of: day, version, count and how much of the day (ms), one after the other. */
  readonly days: Int32Array;
}

export interface PlanQuery {
  readonly meters: readonly ValidatedMeter[];
  readonly quantities: readonly Quantity[];
  /** Epoch ms: days from this one to before `to` are looked at; local days of these meters. */
  readonly from: number;
  readonly to: number;
  /** Behind `to`, up to this time, what is there already is looked at too, and nothing is missing. */
  readonly open?: number | undefined;
  /** Validates again although nothing changed. */
  readonly again?: boolean;
  /** Days before `from` that are read for comparison. Default 28. */
  readonly context?: number;
  /** Undefined: this quantity of this meter is not validated. */
  rulesOf(meter: ValidatedMeter, quantity: Quantity): RulesHeld | undefined;
}

export interface BesideQuery {
  /** So many days before a task's `from` are asked for a year ago too; undefined: nobody asks for last year. */
  lastYearOf(task: ValidationTask): number | undefined;
  /** Whether somebody asks for the registers of its rates. */
  ratesOf(task: ValidationTask): boolean;
}

/** What is known beside a task's own values. */
export interface Beside {
  /** Use of days a year ago: the scaler is that of the mantissas, `shift` the ms between then and now. */
  readonly lastYear?: LastYear & { readonly scaler: number; readonly shift: number };
  /** Registers of rates over the time of the task, by code. */
  readonly rates?: readonly { readonly name: string; readonly showings: SentSeries }[];
  /** Rows of the profile that the meter marked: stamp and marks (acquisition's ROW_FLAGS). */
  readonly marks?: { readonly times: Float64Array; readonly values: Float64Array };
}

/** What came of one task. */
export interface ValidationOutcome
  extends Pick<ValidationTask, 'meter' | 'quantity' | 'zone' | 'period' | 'source' | 'register' | 'rules' | 'days'> {
  /** What was worked on: findings and estimates that begin in it are all that there are. */
  readonly from: number;
  readonly to: number;
  /** What is written, over [from, to). */
  readonly intervals: Intervals;
  readonly findings: readonly Finding[];
  readonly estimates: readonly Estimate[];
}

export interface SavedOutcomes {
  readonly findings: number;
  readonly estimates: number;
  /** Findings of earlier runs that are found no more. */
  readonly solved: number;
  /** Meters that were found for a group. */
  readonly groups: ReadonlyMap<string, readonly MeterId[]>;
}

export interface ValidationStore {
  readonly rules: RuleSets;
  readonly exceptions: Exceptions;
  /** What changed since it was validated last: late values, other rules, new days. */
  plan(query: PlanQuery): Promise<ValidationTask[]>;
  /** What stands beside the values of tasks, in their order; out of headers where those say enough. */
  beside(tasks: readonly ValidationTask[], query: BesideQuery): Promise<readonly Beside[]>;
  /** Writes findings, estimates and states; doing it again changes nothing. The metering is written before it. */
  save(outcomes: readonly ValidationOutcome[], at: number): Promise<SavedOutcomes>;
  /** Meters of these that had findings for a group and have no open one any more; whom people put there is not among them. */
  freeOf(group: string, meters: readonly MeterId[]): Promise<readonly MeterId[]>;
  /** Groups that rules have put meters into. */
  groups(): Promise<readonly string[]>;
  /** States of days before this UTC day are let go. */
  forget(before: number): Promise<void>;
}
