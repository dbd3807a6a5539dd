/**
 * Meterings in the store: the validated interval series, now and as they were at any time (features M1).
 *
 * Values are mantissas with a scaler, times epoch ms, qualities codes of model QUALITIES. Intervals stand at their start.
 */
import type { Quality, Scope } from '@amiable/model';
import type { MeterId, SeriesData, WriteResult } from '../types.ts';

/** Intervals of one meter: `values[i]` begins at `start + i × step` ms; NaN and quality 4 where nothing is. */
export interface MeterIntervals {
  readonly meter: MeterId;
  readonly start: number;
  /** ms */
  readonly step: number;
  readonly scaler: number;
  /** All of [from, to), whatever is there. */
  readonly values: Float64Array;
  readonly quality: Uint8Array;
  /** Highest version of the blocks that were read; greater than 1 when values have been changed. */
  readonly version: number;
  readonly unit: string | null;
}

export interface IntervalQuery {
  /** `energyImport` …, or the name of a calculated profile. */
  readonly quantity: string;
  readonly from: number;
  readonly to: number;
  /** Seconds; left out: the finest that the meter has in this time. */
  readonly period?: number;
  /** Epoch ms: as everything stood then, what was written at that very moment included. Left out: now. */
  readonly asOf?: number;
}

/** One past or present state of one value. */
export interface ValueState {
  readonly time: number;
  /** Mantissa; null: nothing was there. */
  readonly value: number | null;
  readonly scaler: number;
  readonly quality: Quality;
  /** What brought it: `validation`, `edit`, `undo`, `import`, a task …; what was never changed is named by its quality: `reading`, `estimation` … */
  readonly source: string;
  readonly user: string | null;
  readonly reason: string | null;
  /** The edit that made it. */
  readonly edit: string | null;
  /** From when on it was so; null: since before anybody wrote it down. */
  readonly at: number | null;
  /** True: it came and did not count, because what was there is better (a reading where a person has edited). */
  readonly kept: boolean;
}

export interface NewEdit {
  readonly meter: MeterId;
  readonly quantity: string;
  readonly period?: number;
  /** Start of the first interval and end of the last, both on the metering's grid. */
  readonly from: number;
  readonly to: number;
  /** Mantissas with `scaler`, one for each interval, or one for all of them; null takes the value away. */
  readonly values: readonly (number | null)[];
  readonly scaler: number;
  readonly reason: string;
}

export const EDIT_STATES = ['waiting', 'applied', 'refused', 'undone'] as const;
export type EditState = (typeof EDIT_STATES)[number];

export interface Edit extends NewEdit {
  readonly id: string;
  readonly period: number;
  readonly unit: string | null;
  readonly state: EditState;
  readonly by: string;
  readonly at: number;
  /** Who approved or refused it, where two persons are asked for. */
  readonly decidedBy: string | null;
  readonly decidedAt: number | null;
  readonly undoneBy: string | null;
  readonly undoneAt: number | null;
  readonly undoReason: string | null;
}

export interface IntervalWrite {
  /** Who or what wrote it, for the change log: `validation`, `calculation`, `import` … */
  readonly source: string;
  readonly user?: string;
  readonly reason?: string;
  /** When, epoch ms; never earlier than the write before. */
  readonly at: number;
  /**
   * True for who judges anew what all is made of (validation, a calculated profile): what comes stands in place of whatever was
   * there, measured ones included. Edits of people stay all the same.
   */
  readonly replace?: boolean;
}

export interface IntervalsWritten extends WriteResult {
  /** Values that came and did not count, because what was there is better. */
  readonly kept: number;
  /** Values that were there and are others now, or gone. */
  readonly replaced: number;
}

/** One metering that a meter has. */
export interface Metering {
  readonly quantity: string;
  /** Seconds. */
  readonly period: number;
  readonly obis: string | null;
  readonly unit: string | null;
  /** UTC days of the first and the last value, epoch ms of their start. */
  readonly first: number;
  readonly last: number;
}

/** What of a metering was changed, or came to a day that had been written before. */
export interface ChangedMetering {
  readonly meter: MeterId;
  readonly quantity: string;
  readonly period: number;
  /** UTC days, epoch ms of their start, rising. */
  readonly days: readonly number[];
  /** When the last of it was written. */
  readonly latest: number;
}

export interface ChangedQuery {
  /**
   * What was written since, epoch ms. Ten minutes before it are looked at too, for what was committed late: so a change may be told
   * twice and none is missed, if `since` is the time at which the last answer was asked for.
   */
  readonly since: number;
  /** Of values in [from, to). */
  readonly from: number;
  readonly to: number;
  readonly meters: readonly MeterId[] | 'all';
  /** All unless said. */
  readonly quantities?: readonly string[];
}

export interface IntervalStore {
  /** Meter by meter in order of id; meters without any value in the time are left out. Arrays are the taker's to keep. */
  read(
    meters: readonly MeterId[] | 'all',
    query: IntervalQuery,
    take: (intervals: MeterIntervals) => void | Promise<void>,
  ): Promise<void>;
  /** @throws NotThere with `scope`, when there is no such meter in it; undefined: it has no such values */
  one(meter: MeterId, query: IntervalQuery, scope?: Scope): Promise<MeterIntervals | undefined>;
  /** The meterings that a meter has. @throws NotThere as `one` */
  list(meter: MeterId, scope?: Scope): Promise<readonly Metering[]>;
  /**
   * Writes meterings: registers of `intervalRegister`. Measured over estimated, edited over all but edits; an estimate over estimates
   * alone. What was there before goes to the change log, what comes to a day that was there is written down as an arrival. NaN says
   * nothing of a value, NaN with quality `missing` takes it away. All of it or nothing for up to 150,000 days of meterings; more go in several transactions.
   */
  write(series: readonly SeriesData[], how: IntervalWrite): Promise<IntervalsWritten>;
  /** All states that the values of a time had: by time, of each the newest first. @throws NotThere as `one` */
  states(
    meter: MeterId,
    query: Omit<IntervalQuery, 'asOf'>,
    limit: number,
    scope?: Scope,
  ): Promise<readonly ValueState[]>;
  /** What depends on values (bills, reports, balances) asks this to find what to do again. By meter, quantity, period. */
  changedSince(query: ChangedQuery): Promise<readonly ChangedMetering[]>;

  /**
   * All of them or none. With two persons they wait for `decide`.
   * @throws MisuseError for what cannot be: no reason, too much at once, an interval that is not on the grid, no such metering
   * @throws NotThere when a meter is not in `scope`
   */
  edit(
    edits: readonly NewEdit[],
    by: string,
    at: number,
    twoPersons: boolean,
    scope?: Scope,
    account?: string,
  ): Promise<readonly Edit[]>;
  /** @throws MisuseError when it does not wait, or who made it approves: the same account, or the same name where none is known */
  decide(id: string, apply: boolean, by: string, at: number, scope?: Scope, account?: string): Promise<Edit>;
  /**
   * Restores what was there before, and lets readings count that came meanwhile.
   * @throws MisuseError when it is not applied, or a later edit of the same values stands
   */
  undo(id: string, by: string, reason: string, at: number, scope?: Scope): Promise<Edit>;
  /** Newest first; `after` is the id of the last that was seen. */
  edits(query: {
    readonly meter?: MeterId;
    readonly state?: EditState;
    readonly after?: string;
    readonly limit: number;
    readonly scope: Scope;
  }): Promise<readonly Edit[]>;
  oneEdit(id: string, scope: Scope): Promise<Edit | undefined>;

  /** Whether edits wait for a second person. */
  twoPersons(): Promise<boolean>;
  setTwoPersons(on: boolean, by: string, at: number): Promise<void>;
}
