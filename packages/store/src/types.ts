/**
 * What the store takes and gives. Times are epoch milliseconds, meter ids the database's 64-bit numbers as decimal text
 * (JSON has no 64-bit integers), values integer mantissas with a scaler.
 */
import type {
  Energy,
  ExplainedMessage,
  Item,
  Live,
  Message,
  Meter,
  MeterList,
  MeterPatch,
  Quality,
  Scope,
  Series,
  StoredMessage,
  Unit,
} from '@amiable/model';

/** The database's id of a meter, decimal digits. */
export type MeterId = string;

export interface StoreOptions {
  /** `postgres://user:password@host:port/database` */
  readonly url: string;
  /** Time zone of meters that become known, until somebody sets another. Default Europe/Oslo. */
  readonly zone?: string;
  /** Connections for queries; one more is kept for writing. Default 4. */
  readonly connections?: number;
  /** Messages that may wait for their commit before `ingest` makes its callers wait. Default 20,000. */
  readonly queue?: number;
  /** Times that a transaction is tried anew when the database is away or busy, and the first pause in ms. */
  readonly retry?: { readonly attempts: number; readonly pause: number };
  /** False when the caller has brought the schema up to date itself. */
  readonly migrate?: boolean;
}

export interface IngestResult {
  /** Committed and synced, and not known before; frames that could not be placed yet count too: they are kept. */
  readonly accepted: number;
  /** Known before. */
  readonly duplicates: number;
  /** Of the accepted ones, those that wait in the queue of unplaced messages. */
  readonly unplaced: number;
  /** What can never be stored, by position in the call. */
  readonly rejected: readonly { readonly index: number; readonly reason: string }[];
}

/** A message that has just become durable, with the meter that it belongs to. */
export interface Placed {
  readonly meter: MeterId;
  readonly message: Message;
}

/** What a series measures; series that agree in all of it are one register. */
export interface RegisterKey {
  readonly obis?: string;
  readonly address?: string;
  readonly name: string;
  readonly unit?: Unit;
  readonly between?: string;
  readonly channel?: number;
  readonly device?: string;
  readonly storage?: number;
  readonly tariff?: number;
  readonly subunit?: number;
  readonly function?: Item['function'];
  /** Seconds from value to value of a profile or a derived series; 0 (default): as the meter sent them. */
  readonly period?: number;
  /** What a value of a derived series is of its period; default `value`. */
  readonly stat?: Stat;
}
export type Stat = 'value' | 'mean' | 'min' | 'max';

/** Values of one register of one meter, in bulk. Any length: it is cut into UTC days. */
export interface SeriesData {
  readonly meter: MeterId;
  readonly register: RegisterKey;
  readonly scaler: number;
  /** Regular series: the first value's time and the distance. Give these or `times`. */
  readonly start?: number;
  readonly step?: number;
  /** Irregular series: epoch ms, rising, whole milliseconds. */
  readonly times?: Float64Array | readonly number[];
  /** Mantissas; NaN is a missing value. */
  readonly values: Float64Array | readonly number[] | BigInt64Array;
  /** Names, or codes in the order of model QUALITIES. */
  readonly quality?: readonly (Quality | undefined)[] | Uint8Array;
}

export interface WriteOptions {
  /** Who or what wrote it, for the change log. Default `profile`. */
  readonly source?: string;
  readonly user?: string;
  readonly reason?: string;
}

export interface WriteResult {
  /** Day-blocks that were new, changed, and already there in the same form. */
  readonly inserted: number;
  readonly changed: number;
  readonly duplicates: number;
  /** Values in all of them. */
  readonly values: number;
}

export interface Unplaced {
  readonly id: string;
  readonly reason: string;
  readonly reader: string;
  readonly port: string;
  readonly protocol: Message['protocol'];
  readonly receivedAt: number;
  readonly raw: Uint8Array;
  /** What was decoded of it, if anything; without the bytes. */
  readonly message?: Message;
}

/** What `reprocess` is told of one unplaced message: messages to store in its place, or undefined to leave it. */
export type Decode = (message: Unplaced) => readonly Message[] | undefined;

export interface CompactResult {
  readonly meters: number;
  readonly messages: number;
  readonly values: number;
  readonly blocks: number;
}

/**
 * How long what is kept. The defaults are the stated policy: values as the meter sent them (2 s, 10 s) and raw messages
 * 7 days, means of a minute 90 days, means of a quarter of an hour and hourly registers for ever.
 */
export interface Retention {
  readonly rawDays: number;
  readonly sourceDays: number;
  readonly minuteDays: number;
  readonly unplacedDays: number;
}

export interface RetainResult {
  readonly partitions: number;
  readonly messages: number;
  readonly blocks: number;
  readonly unplaced: number;
}

export interface Counters {
  readonly meters: number;
  readonly newMeters: number;
  readonly unplaced: number;
  /** Since this program opened the store. */
  readonly accepted: number;
  readonly duplicates: number;
  readonly rejected: number;
  /** Messages that wait for their commit now. */
  readonly waiting: number;
}

export interface MeterQuery {
  /** Any part of serial number, utility's serial number, name or place. */
  readonly q?: string;
  readonly state?: 'new' | 'named';
  /** Those that stand below this node of the network now. */
  readonly under?: string;
  /** Those that stand below no node of this kind: what is left over when a street is grouped by it. Not with `under`. */
  readonly outside?: string;
  /** Segments to look in; all without it. */
  readonly scope?: Scope;
  readonly limit?: number;
  readonly after?: MeterId;
}

export interface NewMeter {
  readonly serial: string;
  readonly name?: string;
  readonly place?: string;
  readonly maker?: string;
  readonly type?: string;
  readonly list?: string;
  readonly phases?: number;
  readonly lineVoltage?: boolean;
  readonly timeZone?: string;
  readonly firstSeen?: number;
  readonly reader?: string;
  readonly port?: string;
}

/** Equal stretches of time. */
export interface Slots {
  /** Start of the first slot, epoch ms. */
  readonly from: number;
  /** Length of a slot, ms. */
  readonly step: number;
  readonly count: number;
}

export interface Profile {
  /** Sum of all meters in each slot. */
  readonly sum: Float64Array;
  /** Meters that had a value in each slot. */
  readonly meters: Uint32Array;
}

export interface Gap {
  readonly meter: MeterId;
  readonly missing: number;
}

/** What was asked for is not there, or not for whoever asks; the message says which. */
export class NotThere extends Error {
  override readonly name = 'NotThere';
}

/** The database could not do it now; the same call may work later. Nothing of it is half-done. */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable';
  readonly retryable = true;
  /** SQLSTATE or the system's error code. */
  readonly code: string | undefined;
  constructor(message: string, code?: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export type { Energy, ExplainedMessage, Live, Meter, MeterList, MeterPatch, Series, StoredMessage };
