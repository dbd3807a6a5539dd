/**
 * Reading a meter by a plan (AMI system description §3.5, §5.2): everything that is due for it, in one association.
 *
 * Decides: the shapes, the same for DLMS/COSEM and IEC 62056-21. `acquire(plan, access, sink)` opens a line, makes sure that the
 * right meter answers, fetches the items of the plan in their order and gives what came to the sink at once: whole rows, also
 * of an item that broke off. It throws nothing that a meter or a line may cause: how it went is the result, item by item.
 * Leaves out: what is due (the central system knows what its store lacks) and where values go.
 */
import type { Crypto } from '@amiable/dlms';
import type { Unit } from '@amiable/model';
import type { SessionClock, SessionLink, SessionSecurity, SessionTimeouts, SessionTrace } from '../session/types.ts';
import type { ShapeMemory } from './shape.ts';

/** A stretch of time: epoch ms, `to` not included. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

// ---------------------------------------------------------------- what is to be read

export interface ReadPlan {
  readonly identity: IdentityCheck;
  /** Meters of one type (and configuration, which the meter tells itself) have the same profiles: what is learnt of one serves the others. */
  readonly type: string;
  /** In the order in which they are fetched. Ids are the caller's, unique in the plan. */
  readonly items: readonly ReadItem[];
  /** The fingerprint that the last result of this meter gave: saves asking for the columns of its logs again. */
  readonly known?: string;
}

/** Who must answer. */
export interface IdentityCheck {
  /** Any of these, as text without blanks around it; compared without regard to case. Empty: whoever answers is the meter. */
  readonly expected: readonly string[];
  /** Where the meter says who it is, OBIS codes; the logical device name unless said. One that fits is enough. */
  readonly from?: readonly string[];
  /** Codes of configuration and parameterisation ID, where the type has them; part of the fingerprint. */
  readonly configuration?: readonly string[];
}

export type ReadItem = ProfileItem | LogItem | RegistersItem | ClockItem;

/** Rows of a profile: load profile, daily and monthly billing values. */
export interface ProfileItem {
  readonly kind: 'profile';
  readonly id: string;
  /** Name of the profile for people and reports: `load`, `daily`. */
  readonly name: string;
  readonly obis: string;
  /** Seconds from row to row; 86,400 for daily values, 0 for monthly ones (no grid). */
  readonly period: number;
  /** What is missing, ascending. */
  readonly ranges: readonly Span[];
  /** Codes of the columns that are kept; all registers when left out. */
  readonly registers?: readonly string[];
  /** How the status word of a row is read; `amr` unless said. */
  readonly status?: StatusKind;
  /** Not every meter of the type has it: that this one has not is no failure. */
  readonly optional?: boolean;
}

/** Entries of an event log. */
export interface LogItem {
  readonly kind: 'log';
  readonly id: string;
  readonly name: string;
  readonly obis: string;
  /** Entries from this moment on, which is mostly that of the newest known entry: it comes once more. Absent: all. */
  readonly since?: number;
}

/** Values of now. */
export interface RegistersItem {
  readonly kind: 'registers';
  readonly id: string;
  /** Name of the set: `billing`, `status`, `quality`. */
  readonly name: string;
  readonly registers: readonly string[];
}

/** Compares the meter's clock with ours and, by the rule, sets it. Without a rule it is compared only. */
export interface ClockItem {
  readonly kind: 'clock';
  readonly id: string;
  readonly rule?: ClockRule;
}

/** Seconds. A deviation up to `ignore` is none, up to `adjust` it is mended, a larger one is reported or set. */
export interface ClockRule {
  readonly ignore: number;
  readonly adjust: number;
  readonly above: 'report' | 'set';
  /** Length of the meter's shortest interval: a mend that would cross its boundary is put off to the next time. 3,600 unless said. */
  readonly interval?: number;
}

// ---------------------------------------------------------------- how the meter is reached

export type MeterAccess = DlmsAccess | IecAccess;

export interface AccessCommon {
  /** Not open yet. */
  readonly link: SessionLink;
  readonly clock: SessionClock;
  /** What time it is, epoch ms, where that is not the clock of the timers (simulated time). */
  readonly now?: () => number;
  /** IANA zone of the meter's local time, for clocks that name no deviation. */
  readonly timeZone: string;
  readonly timeouts?: Partial<SessionTimeouts>;
  /** Time for all of it, ms; what was not begun by then is left for another time. 15 minutes unless said. */
  readonly deadline?: number;
  readonly trace?: (trace: SessionTrace) => void;
}

export type AcquireAuthentication = 'none' | 'low' | 'md5' | 'sha1' | 'gmac' | 'sha256' | 'ecdsa';

export interface DlmsAccess extends AccessCommon {
  readonly protocol: 'dlms';
  readonly transport: 'wrapper' | 'hdlc';
  /** LN unless said. */
  readonly referencing?: 'LN' | 'SN';
  /** wPort or HDLC upper address; public client (16) and management device (1) unless said. */
  readonly client?: number;
  readonly server?: number;
  /** HDLC lower address. */
  readonly physical?: number;
  readonly authentication?: AcquireAuthentication;
  /** Password, or secret of mechanisms 3, 4 and 6. */
  readonly password?: Uint8Array;
  readonly security?: SessionSecurity;
  /** Longest APDU that the meter may send; 65,535 unless said. Of an APDU that breaks off nothing is kept: bad lines want short ones. */
  readonly maxPduSize?: number;
  /** Needed with security and high-level authentication. */
  readonly crypto?: Crypto;
  /** Sees to it that enough invocation counters are granted; called before each item. */
  readonly reserve?: () => Promise<void>;
  /**
   * The meter expects a higher invocation counter: makes it durable, and says whether the association may be tried once more
   * with it. What is said here is not authenticated, so whoever answers should bound the step.
   */
  readonly raise?: (expected: number) => Promise<boolean>;
  /** What was learnt of meter types; shared by all meters of a program. */
  readonly shapes: ShapeMemory;
}

export interface IecAccess extends AccessCommon {
  readonly protocol: 'iec62056-21';
  /** Device address in the request message; none: whoever is alone on the line. */
  readonly deviceAddress?: string;
  readonly password?: string;
  /** Baud rates follow the sign-on (a serial line or modem), or stay (TCP); stay unless said. */
  readonly setBaud?: (baud: number) => Promise<void>;
}

// ---------------------------------------------------------------- what comes

export type StatusKind = 'amr' | 'amiable';

/** Normalised marks of a row: bits. */
export const ROW_FLAGS = {
  criticalError: 0x0001,
  clockInvalid: 0x0002,
  /** The value is not one of this instant. */
  dataInvalid: 0x0004,
  dst: 0x0008,
  /** The clock was set in this interval. */
  clockAdjusted: 0x0010,
  powerFailure: 0x0020,
  /** Captured after its instant. */
  late: 0x0040,
  disconnected: 0x0080,
  overDemand: 0x0100,
  parametersChanged: 0x0200,
  alarm: 0x0400,
  /** Another row of the same instant came; this is the one that was captured last. */
  repeated: 0x0800,
} as const;
export type RowFlag = keyof typeof ROW_FLAGS;

/** One register over the rows. */
export interface AcquiredColumn {
  readonly obis: string;
  readonly name: string;
  readonly unit?: Unit;
  /** value = mantissa × 10^scaler. */
  readonly scaler: number;
  /** Mantissas; NaN, or undefined among bigints, where there is none. */
  readonly values: Float64Array | readonly (bigint | undefined)[];
}

/** Whole rows, ascending in time. */
export interface AcquiredRows {
  /** Epoch ms. */
  readonly times: Float64Array;
  readonly columns: readonly AcquiredColumn[];
  /** ROW_FLAGS of each row; absent when all are 0. */
  readonly flags?: Uint16Array;
  /** Rows whose values the meter marks as invalid, or whose time it does not vouch for; absent when there are none. */
  readonly doubtful?: Uint8Array;
}

export interface AcquiredEvent {
  /** Epoch ms. */
  readonly time: number;
  /** The maker's code. */
  readonly code: number;
  /** 0 for the first entry of this code and instant, then 1, 2 …, in the order of the log. */
  readonly ordinal: number;
  /** Status word and what else stands in the entry, by column name. */
  readonly detail?: Readonly<Record<string, string | number>>;
}

export interface AcquiredRegister {
  readonly obis: string;
  readonly name: string;
  readonly unit?: Unit;
  readonly scaler: number;
  readonly value: number | bigint | string;
  /** Epoch ms, where the meter says when it was captured. */
  readonly time?: number;
}

/** Takes what comes, item by item, as soon as it is whole. An item may bring its rows in several calls. */
export interface AcquireSink {
  rows(item: ProfileItem, rows: AcquiredRows): void;
  events(item: LogItem, events: readonly AcquiredEvent[]): void;
  /** `time`: epoch ms of the reading, by our clock. */
  registers(item: RegistersItem, values: readonly AcquiredRegister[], time: number): void;
}

// ---------------------------------------------------------------- how it went

export interface ClockMeasure {
  /** Meter less ours, ms. */
  readonly deviation: number;
  /** Half the round trip and the clock's resolution, ms: the deviation is right to within this. */
  readonly uncertainty: number;
  /** Ours, epoch ms. */
  readonly at: number;
  /** The meter says that its clock is invalid or doubtful. */
  readonly invalid: boolean;
}

export type ClockAction =
  /** Within `ignore`, or compared only. */
  | 'none'
  | 'adjusted'
  | 'set'
  /** It would have crossed the boundary of an interval; the next time will do. */
  | 'postponed'
  /** Larger than the rule mends by itself. */
  | 'reported'
  | 'refused';

export interface ClockResult extends ClockMeasure {
  readonly action: ClockAction;
  /** ms that the clock was moved; 0 when it was not. */
  readonly moved: number;
  /** It was moved across the boundary of an interval: that interval is too short, too long or twice there. */
  readonly crossed: boolean;
}

export interface ItemResult {
  readonly id: string;
  /** `partial`: some came, the rest may come another time. `none`: the meter has nothing of what was asked. */
  readonly state: 'done' | 'none' | 'partial' | 'failed' | 'skipped';
  /** Rows, entries or values. */
  readonly count: number;
  /** In words, for `partial`, `failed` and `skipped`. Never a secret. */
  readonly reason?: string;
  /** False: asking again will not help (the meter has no such object, or refuses it). */
  readonly again: boolean;
  /** Of what is optional: the meter has no such object. */
  readonly absent?: true;
}

export interface AcquireResult {
  /**
   * `done`: every item done; `partial`: some; `failed`: the association stood, nothing came of it; `unreachable`: no line or no
   * answer; `refused`: the meter refused the association; `stranger`: another meter answered, and nothing of it was given on.
   */
  readonly outcome: 'done' | 'partial' | 'failed' | 'unreachable' | 'refused' | 'stranger';
  readonly items: readonly ItemResult[];
  /** What the meter said of itself, by code. */
  readonly identity: Readonly<Record<string, string>>;
  /** To be kept and given with the next plan as `known`. */
  readonly fingerprint?: string;
  readonly clock?: ClockResult;
  readonly error?: Error;
  /** For the log and for figures. */
  readonly requests: number;
  readonly began: number;
  readonly ended: number;
}

export type Acquire<A extends MeterAccess = MeterAccess> = (
  plan: ReadPlan,
  access: A,
  sink: AcquireSink,
) => Promise<AcquireResult>;

/** A meter whose line is open: several plans one after the other without a new association. */
export interface OpenMeter {
  readonly open: boolean;
  read(plan: ReadPlan, sink: AcquireSink): Promise<AcquireResult>;
  /** Ends association and line. Never throws. */
  close(): Promise<void>;
}
