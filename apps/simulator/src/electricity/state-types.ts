/**
 * Everything that can be read of a virtual meter beside its registers: clock, disconnecter, rows and log entries, lines, radio,
 * firmware image, display; and what a command answers.
 *
 * Units: instants are epoch milliseconds; those that the meter itself shows (rows, entries) are its own clock's, which may be
 * wrong. Energy Wh, power W (import positive), voltage V, current A.
 */
import type { EventNumber } from './events.ts';
import type { Rate, Triple } from './parameter-types.ts';

export interface DisplayInformation {
  /** Mean of the last whole 15 seconds, W. */
  readonly power: number;
  readonly indicator: 'normal' | 'high' | 'very-high';
  /** Currency units an hour. */
  readonly costPerHour: number;
  /** kg of CO2 an hour. */
  readonly co2PerHour: number;
  readonly rate: Rate;
  /** Four places; rates that the meter does not have are 0. kWh. */
  readonly rates: readonly [number, number, number, number];
  /** kWh. */
  readonly total: number;
  readonly price: number;
  readonly nextRateChange: string;
  /** NaN where the profile has a gap, or does not capture it. kWh of each hour since local midnight, of the last 28 days, of the last 12 months; oldest first. */
  readonly hours: readonly number[];
  readonly days: readonly number[];
  readonly months: readonly number[];
  readonly message: string;
  readonly messageUnread: boolean;
  readonly currency: string;
}

/** One picture of the meter's own display. */
export interface DisplayLine {
  /** OBIS, as the display shows it: "1.8.0". */
  readonly code: string;
  readonly value: string;
  readonly unit: string;
}

export interface ClockState {
  /** Epoch ms that the meter believes in. */
  readonly utc: number;
  /** Local minus UTC, ms, daylight saving included. */
  readonly offset: number;
  readonly dst: boolean;
  /** It stopped, or was never set. */
  readonly invalid: boolean;
  readonly synchronised: boolean;
}

export type ClockSet =
  | { readonly accepted: true; readonly registered: boolean; readonly deviation: number }
  | { readonly accepted: false; readonly reason: 'power-down' | 'small-shifts' | 'range'; readonly deviation: number };

export type DisconnecterMode = 'local' | 'remote';

export interface DisconnecterState {
  readonly fitted: boolean;
  readonly mode: DisconnecterMode;
  readonly connected: boolean;
  readonly localConnectionEnabled: boolean;
  /** Who changed it last. */
  readonly lastCause: 'local' | 'remote' | 'none';
  /** COSEM Disconnect control: control_state 0 disconnected, 1 connected, 2 ready for reconnection. */
  readonly controlState: 0 | 1 | 2;
  /** COSEM Disconnect control: 0 without a disconnecter, 1 local mode, 3 remote mode. */
  readonly controlMode: 0 | 1 | 3;
}

/** Why a command was not obeyed. */
export type Refusal = 'power-down' | 'not-fitted' | 'mode' | 'state' | 'range' | 'read-only' | 'unknown';
export type Outcome =
  | { readonly done: true }
  | { readonly done: false; readonly reason: Refusal; readonly text: string };

export interface ProfileRow {
  /** The meter's clock when captured, epoch ms. */
  readonly at: number;
  readonly status: number;
  /** Wh (electricity) or the slave's mantissa; monthly rows have the slaves' totals after the registers. */
  readonly values: readonly number[];
}

export type ProfileId = 'daily' | 'periodic' | 'monthly' | 'slave-1' | 'slave-2' | 'slave-3' | 'slave-4';

/** Rows oldest first; reading copies nothing but what is asked for. */
export interface ProfileView {
  readonly capacity: number;
  readonly length: number;
  /** s; 0 for the monthly profile. */
  readonly period: number;
  /** OBIS codes of the values, "1-0:1.8.0" or the slave's. */
  readonly columns: readonly string[];
  row(index: number): ProfileRow;
  /** Epoch ms of a row without building it. */
  timeOf(index: number): number;
  statusOf(index: number): number;
  value(index: number, column: number): number;
}

export type LogId = 'standard' | 'disconnecter';

export interface LogEntry {
  readonly at: number;
  /** Device status when it happened: see DEVICE_STATUS. */
  readonly status: number;
  readonly event: EventNumber;
}

export interface LogView {
  readonly capacity: number;
  readonly length: number;
  /** Oldest first. */
  entry(index: number): LogEntry;
}

export type PlcState = 'new-unlocked' | 'new-locked' | 'registered';
export type ErrorState = 'none' | 'critical' | 'fatal';

/** What a PLC module's line is doing, as far as its lights show it. */
export interface PlcLine {
  readonly mains: boolean;
  readonly concentrator: boolean;
  readonly receivingUntil: number;
  readonly transmittingUntil: number;
}

/** What a GPRS/GSM module's radio is doing, as far as its lights show it. */
export interface Radio {
  readonly ready: boolean;
  readonly sim: 'ok' | 'missing' | 'error';
  readonly gprs: 'off' | 'listening' | 'open';
  readonly gsm: 'off' | 'listening' | 'connected';
  /** dBm; undefined without any signal. */
  readonly signal: number | undefined;
  readonly call: boolean;
  readonly lastTransmit: number;
  readonly lastReceive: number;
}

/** COSEM image_transfer_status. */
export type ImageStatus = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7;

export interface ImageState {
  readonly enabled: boolean;
  readonly status: ImageStatus;
  readonly blockSize: number;
  readonly identifier: Uint8Array;
  readonly size: number;
  readonly blocks: number;
  /** One bit per block, block 0 in the highest bit of byte 0. */
  readonly transferred: Uint8Array;
  readonly firstNotTransferred: number;
  /** Of the verified image; empty before. */
  readonly toActivate:
    | { readonly size: number; readonly identification: string; readonly signature: Uint8Array }
    | undefined;
}

export interface PowerQuality {
  /** 0-0:C.7.0 and 0-0:C.7.5. */
  readonly totalPowerFailures: number;
  readonly longPowerFailures: number;
  /** V, RMS over 5 s, as of the last read-out. */
  readonly voltages: Triple;
  /** A, phase 1; single-phase meters only. */
  readonly current: number | undefined;
}

export interface Outputs {
  /** Load switching as the table wants it and the fitted interface gives it; undefined when it has no relay. */
  readonly relay: boolean | undefined;
  /** S0 pulses (2 Wh of import each) since it was hung up; undefined when it has no S0 output. */
  readonly pulses: number | undefined;
}

export interface MeterListener {
  event?(log: LogId, entry: LogEntry): void;
  captured?(profile: ProfileId): void;
  /** The module came up or went down: its associations are gone either way. */
  power?(up: boolean): void;
}

export type IdentificationName =
  | 'utility-serial'
  | 'meter-serial'
  | 'module-serial'
  | 'meter-firmware'
  | 'module-firmware'
  | 'configuration-id'
  | 'parameterisation-id'
  | 'utility-serial-2.1'
  | 'utility-serial-2.2';

export type SlaveIdentificationName = 'utility-serial' | 'manufacturer-serial' | 'ocr-serial' | 'configuration-id';
