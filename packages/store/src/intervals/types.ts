/**
 * Meterings in the store: the validated interval series, now and as they were at any time (features M1).
 *
 * Values are mantissas with a scaler, times epoch ms, qualities codes of model QUALITIES. Intervals stand at their start.
 */
import type { Quality, Scope } from '@amiable/model';
import type { MeterId, SeriesData, WriteOptions, WriteResult } from '../types.ts';

/** Intervals of one meter: `values[i]` begins at `start + i × step`; NaN and quality 4 where nothing is. */
export interface MeterIntervals {
  readonly meter: MeterId;
  readonly start: number;
  readonly step: number;
  readonly scaler: number;
  readonly values: Float64Array;
  readonly quality: Uint8Array;
  /** Highest version of the blocks that were read; greater than 1 when values have been changed. */
  readonly version: number;
}

export interface IntervalQuery {
  /** `energyImport` …, or the name of a calculated profile. */
  readonly quantity: string;
  readonly from: number;
  readonly to: number;
  /** Seconds; left out: the finest that the meter has. */
  readonly period?: number;
  /** Epoch ms: as everything stood then. Left out: now. */
  readonly asOf?: number;
}

/** One past or present state of one value. */
export interface ValueState {
  readonly time: number;
  readonly value: number | null;
  readonly quality: Quality;
  /** What brought it: `validation`, `edit`, `import`, a task … */
  readonly source: string;
  readonly user: string | null;
  readonly reason: string | null;
  /** From when on it was so; null: since before anybody wrote it down. */
  readonly at: number | null;
}

export interface NewEdit {
  readonly meter: MeterId;
  readonly quantity: string;
  readonly period?: number;
  readonly from: number;
  readonly to: number;
  /** Mantissas with `scaler`, one for each interval, or one for all of them; null takes the value away. */
  readonly values: readonly (number | null)[];
  readonly scaler: number;
  readonly reason: string;
}

export interface Edit extends NewEdit {
  readonly id: string;
  readonly state: 'waiting' | 'applied' | 'refused' | 'undone';
  readonly by: string;
  readonly at: number;
  /** Who approved or refused it, where two persons are asked for. */
  readonly decidedBy: string | null;
  readonly decidedAt: number | null;
  readonly undoneBy: string | null;
  readonly undoneAt: number | null;
}

export interface IntervalStore {
  /** Meter by meter in order of id; meters without any value in the time are left out. Arrays are the taker's to keep. */
  read(
    meters: readonly MeterId[] | 'all',
    query: IntervalQuery,
    take: (intervals: MeterIntervals) => void | Promise<void>,
  ): Promise<void>;
  one(meter: MeterId, query: IntervalQuery, scope?: Scope): Promise<MeterIntervals | undefined>;
  /**
   * Writes meterings. Measured over estimated, edited over all but edits; what was there before goes to the change log, and what comes
   * late to a day that was complete is written down as an arrival. A mantissa NaN with quality `missing` takes a value away.
   */
  write(series: readonly SeriesData[], how: WriteOptions & { readonly at: number }): Promise<WriteResult>;
  /** All states that the values of a time had, the newest first. */
  states(meter: MeterId, query: Omit<IntervalQuery, 'asOf'>, limit: number): Promise<readonly ValueState[]>;

  /** @throws MisuseError for what cannot be: no reason, too much at once, an interval that is not on the grid */
  edit(edits: readonly NewEdit[], by: string, at: number, twoPersons: boolean): Promise<readonly Edit[]>;
  decide(id: string, apply: boolean, by: string, at: number): Promise<Edit>;
  undo(id: string, by: string, reason: string, at: number): Promise<Edit>;
  edits(query: {
    readonly meter?: MeterId;
    readonly state?: Edit['state'];
    readonly after?: string;
    readonly limit: number;
    readonly scope: Scope;
  }): Promise<readonly Edit[]>;
}
