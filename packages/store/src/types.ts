/**
 * What the store takes and gives. Times are epoch milliseconds, meter ids the database's 64-bit numbers as decimal text
 * (JSON has no 64-bit integers), values integer mantissas with a scaler.
 */
import type {
  Energy,
  ExplainedMessage,
  Item,
  Live,
  Media,
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
import type { AccessStore } from './access/types.ts';
import type { BalanceStore } from './balance/types.ts';
import type { BillingStore } from './billing/types.ts';
import type { DeliveryStore } from './delivery/types.ts';
import type { EventStore } from './events/types.ts';
import type { FormulaStore } from './formulas/types.ts';
import type { IntervalStore } from './intervals/types.ts';
import type { JournalStore } from './journal/types.ts';
import type { OutageStore } from './outages/types.ts';
import type { PriceStore } from './prices/types.ts';
import type { CompletenessStore } from './readout/completeness-types.ts';
import type { ReadoutStore } from './readout/types.ts';
import type { ExchangeStore } from './registry/exchange.ts';
import type { RegistryStore } from './registry/registry.ts';
import type { ReportStore } from './reports/reports.ts';
import type { ValidationStore } from './validation/types.ts';
import type { ReadsStore } from './work/reads.ts';
import type { WorkStore } from './work/types.ts';

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

export interface Store {
  /** Formats, destinations, deliveries, imports of readings, commands of other systems. */
  readonly delivery: DeliveryStore;
  /** Users, groups, segments, tokens, sessions and the audit log. */
  readonly access: AccessStore;
  /** Resolves when all of it is durable; concurrent callers share a commit. Waits while the queue is full. */
  ingest(messages: readonly Message[]): Promise<IngestResult>;
  /** Called after each commit with what was new in it. @returns how to end it */
  onStored(listener: (placed: readonly Placed[]) => void): () => void;
  writeBlocks(series: readonly SeriesData[], options?: WriteOptions): Promise<WriteResult>;
  /** Offers each unplaced message to `decode`; what it gives is stored and the row deleted in one transaction. */
  reprocess(decode: Decode): Promise<{ readonly reprocessed: number; readonly left: number }>;

  /** Merges messages into day-blocks and computes the derived series, up to `now`. */
  compact(now: number): Promise<CompactResult>;
  retain(now: number, policy?: Partial<Retention>): Promise<RetainResult>;

  /** Makes meters known by serial number (those that are not yet) and gives their ids. */
  ensureMeters(meters: readonly NewMeter[]): Promise<Map<string, MeterId>>;
  meters(query?: MeterQuery): Promise<MeterList>;
  /** Here and below, with `scope`: a meter outside of these segments is as if it were not there. */
  meter(id: MeterId, scope?: Scope): Promise<Meter | undefined>;
  patchMeter(id: MeterId, patch: MeterPatch, user?: string, scope?: Scope): Promise<Meter | undefined>;
  /** Takes a meter away that has neither messages nor values. @returns false when it has any; nothing is done then */
  removeMeter(id: MeterId): Promise<boolean>;
  /** Latest values; of all meters when no ids are given. */
  live(ids?: readonly MeterId[]): Promise<Live[]>;

  /** Every value of one register, in its unit. */
  values(
    id: MeterId,
    register: RegisterKey,
    from: number,
    to: number,
  ): Promise<{ readonly times: Float64Array; readonly values: Float64Array }>;
  /** @throws NotThere with `scope`, when there is no such meter in it; so do those that follow */
  series(
    id: MeterId,
    obis: readonly string[],
    from: number,
    to: number,
    points: number,
    scope?: Scope,
  ): Promise<Series>;
  energy(
    id: MeterId,
    bucket: Energy['bucket'],
    from: number,
    to: number,
    zone?: string,
    scope?: Scope,
  ): Promise<Energy>;
  /** Gas, water and heat: counters on channels of the meter, or its own. */
  media(id: MeterId, bucket: Energy['bucket'], from: number, to: number, zone?: string, scope?: Scope): Promise<Media>;
  /** Newest first. */
  messages(id: MeterId, limit?: number, scope?: Scope): Promise<StoredMessage[]>;
  message(id: MeterId, messageId: string, scope?: Scope): Promise<StoredMessage | undefined>;

  /** What many meters took together in each slot; all meters when none are named. */
  loadProfile(register: RegisterKey, slots: Slots, meters?: readonly MeterId[]): Promise<Profile>;
  /** Sums per meter and rate; `rates[slot]` is the rate that holds in a slot. */
  rateSums(
    register: RegisterKey,
    slots: Slots,
    rates: Uint8Array,
    meters?: readonly MeterId[],
  ): Promise<Map<MeterId, Float64Array>>;
  /** Meters that lack values of a profile in the UTC days from `from` to before `to`, `perDay` being complete. */
  gaps(register: RegisterKey, from: number, to: number, perDay: number): Promise<Gap[]>;
  /** The highest value of each meter in these UTC days. */
  peaks(register: RegisterKey, from: number, to: number): Promise<Map<MeterId, number>>;

  /** Keys of meters, as ciphertext: the store never sees them. */
  putKey(id: MeterId, ciphertext: Uint8Array): Promise<void>;
  keys(): Promise<{ readonly meter: MeterId; readonly serial: string; readonly ciphertext: Uint8Array }[]>;

  /** Meters are counted in `scope`. */
  counters(scope?: Scope): Promise<Counters>;
  /** Whether the database answers; a cause in words when not. */
  check(): Promise<string | undefined>;
  close(): Promise<void>;

  /** What lacks of profiles, and what was given up. */
  readonly completeness: CompletenessStore;
  /** Tariffs, contracts, bills. */
  readonly billing: BillingStore;
  /** Events of meters. */
  readonly events: EventStore;
  /** Interruptions of supply. */
  readonly outages: OutageStore;
  /** Imports and exports of the registry. */
  readonly exchange: ExchangeStore;
  /** Meterings: validated interval values with their history. */
  readonly intervals: IntervalStore;
  /** The transaction log. */
  readonly journal: JournalStore;
  /** Losses of areas of the grid. */
  readonly balance: BalanceStore;
  /** Formulas that calculate profiles. */
  readonly formulas: FormulaStore;
  /** Prices by time. */
  readonly prices: PriceStore;
  readonly readout: ReadoutStore;
  readonly registry: RegistryStore;
  readonly reports: ReportStore;
  readonly reads: ReadsStore;
  /** Rule sets, exceptions, estimates, and what was validated out of what. */
  readonly validation: ValidationStore;
  readonly work: WorkStore;
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
