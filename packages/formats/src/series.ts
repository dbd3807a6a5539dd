/**
 * What files are written of and read to, whatever their format: values of one meter and quantity, and single readings with their place.
 *
 * Times are epoch ms, values integer mantissas with a scaler in the base unit. Intervals stand at their start. Leaves out: where
 * values come from (the store), and which of them.
 */
import type { Quality } from '@amiable/model';

export interface DeliveredMeter {
  /** Number in the system. */
  readonly id: string;
  readonly serial: string;
  readonly utilitySerial: string | null;
  /** Code of the metering point it stood at. */
  readonly point: string | null;
  /** IANA zone in which its days are counted. */
  readonly zone: string;
}

export interface DeliveredQuantity {
  /** `energyImport`. */
  readonly name: string;
  /** `1-0:1.29.0`. */
  readonly obis: string;
  /** Base unit: `Wh`, `m3`. */
  readonly unit: string;
}

/** Values of one quantity of one meter; NaN with quality 4 where one lacks. */
export interface DeliveredSeries {
  readonly meter: DeliveredMeter;
  readonly quantity: DeliveredQuantity;
  /** Length of the intervals, ms; 0: showings of a register at `times`. */
  readonly step: number;
  /** Of intervals. */
  readonly start: number;
  /** Of showings. */
  readonly times?: Float64Array;
  readonly values: Float64Array;
  /** Codes of model QUALITIES. */
  readonly quality: Uint8Array;
  readonly scaler: number;
}

export const QUALITY_NAMES: readonly Quality[] = ['measured', 'calculated', 'edited', 'estimated', 'missing'];

/** What a file is about. */
export interface FileFacts {
  /** When it is made. */
  readonly created: number;
  /** The span asked for. */
  readonly from: number;
  readonly to: number;
  /** A name or number of its own, such as the number of the delivery. */
  readonly reference: string;
  /** Who sends: name of the system or the sender's identification. */
  readonly sender: string;
  readonly receiver: string;
  /** Zone of dates that belong to no meter. */
  readonly zone: string;
}

/** Writes a file piece by piece; what it returns is the taker's to keep. */
export interface FileWriter {
  head(): Uint8Array;
  series(series: DeliveredSeries): Uint8Array;
  tail(): Uint8Array;
  /** Values written so far. */
  readonly rows: number;
}

/** Time of the i-th value: start of an interval, time of a showing. */
export const timeAt = (series: DeliveredSeries, i: number): number =>
  series.times ? (series.times[i] as number) : series.start + i * series.step;

// ---------------------------------------------------------------- reading

export type MeterName = 'serial' | 'utilitySerial' | 'id' | 'point';

/** One value of a file. */
export interface ReadingRow {
  readonly line: number;
  readonly column: number;
  /** Whose it is, and what that is the name of; undefined: the file does not say. */
  readonly meter: string | undefined;
  readonly by: MeterName;
  /** Name of a quantity or OBIS code; undefined: the file does not say. */
  readonly what: string | undefined;
  /** Start of the interval, or time of a showing. */
  readonly time: number;
  /** ms; 0: a showing of a register. */
  readonly period: number;
  /** null: the file says that it lacks. */
  readonly mantissa: number | null;
  readonly scaler: number;
  /** Base unit, when the file says it. */
  readonly unit: string | undefined;
  readonly quality: Quality;
}

/** What is wrong and what to do. */
export interface ReadingFault {
  readonly line: number;
  /** From 1 on, in characters. */
  readonly column: number;
  readonly field?: string;
  readonly message: string;
}

export interface ReadingSink {
  row(row: ReadingRow): void;
  fault(fault: ReadingFault): void;
}

export interface ReadingReader {
  /** @returns false after a fault that ends it: what follows is not looked at */
  push(bytes: Uint8Array): boolean;
  end(): boolean;
}
