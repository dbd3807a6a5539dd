/** The store as one: what all of its areas together give. Apart from types.ts, so that areas know the basics and not each other. */
import type {
  Energy,
  Live,
  Media,
  Message,
  Meter,
  MeterList,
  MeterPatch,
  Scope,
  Series,
  StoredMessage,
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
import type {
  CompactResult,
  Counters,
  Decode,
  Gap,
  IngestResult,
  MeterId,
  MeterQuery,
  NewMeter,
  Placed,
  Profile,
  RegisterKey,
  RetainResult,
  Retention,
  SeriesData,
  Slots,
  WriteOptions,
  WriteResult,
} from './types.ts';
import type { ValidationStore } from './validation/types.ts';
import type { ReadsStore } from './work/reads.ts';
import type { WorkStore } from './work/types.ts';

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
