/** Formulas in the store: definitions in versions, how far results stand, runs. Times are epoch ms. */
import type { Formula, Scope } from '@amiable/model';

export interface StoredFormula {
  readonly id: string;
  readonly name: string;
  readonly definition: Formula;
  readonly version: number;
  readonly segment: number;
  /** Segments that it reads: of who made this version; null: all. */
  readonly reads: readonly number[] | null;
  readonly changedBy: string;
  readonly changedAt: number;
}
export interface FormulaVersion {
  readonly version: number;
  readonly definition: Formula;
  readonly changedBy: string;
  readonly changedAt: number;
}
/** Results of `version` stand in [from, to), with all changes of inputs that were written before `seenAt`. */
export interface FormulaState {
  readonly version: number;
  readonly seenAt: number;
  readonly from: number;
  readonly to: number;
  /** Local days in which inputs lacked, to be calculated again. */
  readonly incomplete: readonly string[];
}
export interface FormulaRun {
  readonly id: string;
  readonly version: number;
  readonly from: number;
  readonly to: number;
  readonly by: string;
  readonly at: number;
  readonly meters: number;
  readonly days: number;
  readonly written: number;
  readonly report: Readonly<Record<string, unknown>>;
}

export interface FormulaStore {
  list(query: {
    readonly after?: string;
    readonly limit: number;
    readonly scope: Scope;
  }): Promise<readonly StoredFormula[]>;
  get(name: string, scope: Scope): Promise<StoredFormula | undefined>;
  /**
   * Made where it is not there, else a new version. `check` sees all other formulas and throws for a cycle; nobody else saves meanwhile.
   * @throws MisuseError when the name is one of another segment's
   */
  put(
    formula: { readonly name: string; readonly definition: Formula; readonly segment: number },
    by: string,
    at: number,
    scope: Scope,
    check: (others: readonly StoredFormula[]) => void,
  ): Promise<StoredFormula>;
  /** Results stay. @returns false when there was none */
  remove(name: string, scope: Scope): Promise<boolean>;
  versions(id: string): Promise<readonly FormulaVersion[]>;
  state(id: string): Promise<FormulaState | undefined>;
  putState(id: string, state: FormulaState): Promise<void>;
  addRun(formula: string, run: Omit<FormulaRun, 'id'>): Promise<string>;
  /** Newest first. */
  runs(id: string, limit: number): Promise<readonly FormulaRun[]>;
  /** The earliest time about which stays of meters or ratios were written down or corrected since; undefined: none. */
  movedSince(since: number): Promise<number | undefined>;
  /** From when to when prices became known or changed since; undefined: none. */
  repricedSince(
    series: readonly string[],
    since: number,
  ): Promise<{ readonly from: number; readonly to: number } | undefined>;
}
