/**
 * The virtual electricity meter with communication module, as its neighbours see it: a basic meter (registers, voltages)
 * and a module that reads it every 60 seconds and makes profiles, logs, tariffs and supervision of it.
 *
 * Decides the face of the engine: configuration (fixed at ordering), parameters (changed in the field), inputs, commands,
 * readable state. Leaves out how any of it is worked out, and every protocol: COSEM, IEC 62056-21 and M-Bus are bound to
 * this face elsewhere.
 *
 * Units: instants are epoch milliseconds of virtual time; energy Wh; power W (import positive); voltage V; current A.
 * Times that the meter itself shows (`clock`, profile rows, log entries) are the meter's own clock, which may be wrong.
 */
import type { EventNumber } from './events.ts';

export type Phase = 0 | 1 | 2;
export type Triple = readonly [number, number, number];
export type Rate = 1 | 2;

/** The seven energy registers, in the order in which they are kept. */
export type EnergyRegister = '1.8.0' | '2.8.0' | '15.8.0' | '1.8.1' | '1.8.2' | '2.8.1' | '2.8.2';

/** What drives the meter: piecewise constant voltages and powers, a pure function of time. */
export interface Source {
  /** The first instant after `at` at which anything changes; Infinity when nothing ever does. */
  next(at: number): number;
  /** U1 U2 U3 (V), P1 P2 P3 (W, import positive) as they are from `at` on, into `out`. */
  into(at: number, out: Float64Array): void;
}

// ---------------------------------------------------------------- configuration

/** Chosen at ordering and manufacturing; shared by as many meters as like. */
export interface MeterConfig {
  /** `polyphase`: three systems (ZMF); `single-phase`: one (ZCF), with a current register. */
  readonly type: 'polyphase' | 'single-phase';
  readonly module: 'plc' | 'gprs';
  /** IANA zone whose rules the meter's local time follows. */
  readonly zone: string;
  readonly disconnecter: boolean;
  /** The one configurable interface: a rate control input, or an output as relay, or as S0 with 500 imp/kWh. */
  readonly interface: 'rate-input' | 'relay' | 's0';
  /** Second input, GPRS/GSM modules only. */
  readonly extraInput: 'none' | 'alert' | 's0';
  /** V between phase and neutral. */
  readonly nominalVoltage: number;
  /** How far the voltage measurement is off, per cent of the reading, within ±2. */
  readonly voltageErrorPercent: number;
  /** Parts per million by which the clock is fast. */
  readonly driftPpm: number;
  /** How long the clock runs without mains, ms. */
  readonly clockReserve: number;
  /** The rate that counts while nothing else is known: before the first switch point, and with a clock that is not synchronised. */
  readonly lowRate: Rate;
  /** 8 or 16: width of the status word in profiles. */
  readonly statusBits: 8 | 16;
  readonly firmware: FirmwareConfig;
}

export interface FirmwareConfig {
  /** Key of the keyed hash that images carry. */
  readonly key: Uint8Array;
  /** HMAC-SHA-256, or HMAC-SHA-1 (the older profile). */
  readonly profile: 'hmac-sha-256' | 'hmac-sha-1';
  readonly hmac: (profile: 'hmac-sha-256' | 'hmac-sha-1', key: Uint8Array, data: Uint8Array) => Uint8Array;
  /** Bytes of a block, and the largest image that fits. */
  readonly blockSize: number;
  readonly maxImage: number;
  /** How long the module works at it, ms of virtual time. */
  readonly verifyTime: number;
  readonly activateTime: number;
}

/** What tells one meter from the next. */
export interface MeterIdentity {
  readonly seed: number;
  /** Copied from the basic meter, at most 24 characters. */
  readonly utilitySerial: string;
  /** LGZ and 8 digits in the field; at most 16 characters. */
  readonly meterSerial: string;
  readonly moduleSerial: string;
  readonly meterFirmware?: string;
  readonly moduleFirmware?: string;
  readonly configurationId?: string;
}

export interface MeterOptions {
  readonly config: MeterConfig;
  readonly identity: MeterIdentity;
  /** Virtual time at which it was hung up. Ignored with `state`. */
  readonly start: number;
  /** Default: nominal voltage on every phase and no load. */
  readonly source?: Source;
  readonly slavePort?: SlavePort;
  /** Initial parameters; shared until something is written. */
  readonly parameters?: MeterParameters;
  /** False: nobody has set its clock yet; it begins at 2000-01-01 and is invalid. Default true. */
  readonly clockSet?: boolean;
  /** Initial registers, Wh. */
  readonly registers?: Readonly<Partial<Record<EnergyRegister, number>>>;
  /** What saveState gave. @throws DecodeError where it is damaged, of another version, or of another kind of meter */
  readonly state?: Uint8Array;
}

// ---------------------------------------------------------------- parameters

export interface Limit {
  /** Per cent of the nominal voltage. */
  readonly percent: number;
  /** Whole minutes for which it must be so; more than 1. */
  readonly minutes: number;
}

/** Everything that may be written in the field. Immutable: a write makes a new object, so that a fleet shares the rest. */
export interface MeterParameters {
  /** s; a larger deviation is registered when the clock is set. */
  readonly syncLimit: number;
  /** s; within it shifts of at most `syncLimit` may not add up to more than `syncLimit`. */
  readonly smallShiftWindow: number;
  /** s without mains or concentrator after which a PLC module is NEW again. */
  readonly plcLostAfter: number;
  /** s, 10 to 65535: longer ones are long power failures. */
  readonly longPowerFailure: number;
  readonly undervoltage: Limit;
  readonly overvoltage: Limit;
  readonly phaseOutage: Limit;
  /** Per cent of nominal voltage that it must come back beyond a limit to have returned. */
  readonly hysteresis: number;
  /** Master switch for registering what concerns the quality of supply. */
  readonly powerQualityRegistration: boolean;
  /** Events of the quality of supply that are not registered although the master switch is on. */
  readonly unregistered: readonly EventNumber[];
  /** kW, 1 to 256; 0 turns the supervision off. */
  readonly maximumDemand: number;
  /** Registered when the hour's mean exceeds maximumDemand × margin; 1 to 2. */
  readonly demandMargin: number;
  /** As the utility says it, e.g. "gG 63 A". */
  readonly fuse: string;
  readonly capturePeriod: 15 | 30 | 60;
  readonly daily: readonly EnergyRegister[];
  readonly periodic: readonly EnergyRegister[];
  readonly monthly: readonly EnergyRegister[];
  readonly slaves: readonly (SlaveSettings | undefined)[];
  readonly tou: SwitchingTables;
  readonly passiveTou: SwitchingTables;
  /** Meter clock, epoch ms; undefined: no activation is awaited. */
  readonly touActivation: number | undefined;
  readonly specialDays: readonly SpecialDay[];
  readonly display: DisplayParameters;
}

// ---------------------------------------------------------------- activity calendar

/** A tariff definition and a load-switching definition under one parameterisation id. */
export interface SwitchingTables {
  readonly name: string;
  /** '0' to '255'; becomes the meter's when the table becomes active. Undefined leaves it. */
  readonly parameterisationId: string | undefined;
  /** Selectors are rates, 1 or 2. */
  readonly tariff: Definition;
  /** Selectors are 0 (off) and 1 (on). */
  readonly output: Definition;
}

export interface Definition {
  /** At most 4. */
  readonly seasons: readonly Season[];
  /** At most 4. */
  readonly weeks: readonly Week[];
  /** At most 8. */
  readonly days: readonly DayTable[];
}

export interface Season {
  readonly name: string;
  /** Begins at 00:00 of this day; year undefined: every year. */
  readonly start: CalendarDay;
  readonly week: string;
}

export interface Week {
  readonly name: string;
  /** Day ids, Monday first. */
  readonly days: readonly [number, number, number, number, number, number, number];
}

export interface DayTable {
  readonly id: number;
  /** At most 4. */
  readonly points: readonly SwitchPoint[];
}

export interface SwitchPoint {
  /** Minutes after local midnight, 0 to 1439. */
  readonly minute: number;
  readonly selector: number;
}

/** Undefined stands for "any". */
export interface CalendarDay {
  readonly year?: number;
  /** 1 to 12. */
  readonly month?: number;
  /** 1 to 31. */
  readonly day?: number;
  /** 1 (Monday) to 7. */
  readonly weekday?: number;
}

export interface SpecialDay {
  readonly index: number;
  readonly date: CalendarDay;
  readonly dayId: number;
}

// ---------------------------------------------------------------- slaves

export type Medium = 'electricity' | 'heat' | 'gas' | 'water-cold' | 'water-hot';

export interface SlaveSettings {
  readonly medium: Medium;
  /** Primary address 0 to 250. */
  readonly address: number;
  readonly baud: 300 | 600 | 1200 | 2400 | 4800 | 9600 | 19200 | 38400;
  /** What of the slave's records is captured, and as which OBIS code. */
  readonly obis: string;
  /** Storage number, tariff and unit of the M-Bus record that is mapped; the wire's business, kept here. */
  readonly record: { readonly storage: number; readonly tariff: number; readonly subunit: number };
  /** Power of ten of the values in `unit`. */
  readonly scaler: number;
  readonly unit: 'Wh' | 'm3' | 'J';
  readonly capture: 'hourly' | 'daily';
  /** The slave keeps hourly values: they are fetched once a day and its battery is spared. */
  readonly hasProfile: boolean;
}

export interface SlaveReading {
  /** Epoch ms for which the value stands. */
  readonly at: number;
  /** Mantissa in the settings' scaler. */
  readonly value: number;
  /** The slave's own status byte; 0 is good. */
  readonly status?: number;
}

/** The bus. `fetch` may answer at once, or give undefined and call Meter.slaveData later. */
export interface SlavePort {
  fetch(channel: number, settings: SlaveSettings, from: number, to: number): readonly SlaveReading[] | undefined;
}

// ---------------------------------------------------------------- display

/** What the display behind the meter needs to know of prices, thresholds and CO2. */
export interface DisplayParameters {
  /** W: above the first consumption is high, above the second very high. */
  readonly thresholds: readonly [number, number];
  /** Price of a kWh by rate, thousandths of the currency unit. */
  readonly prices: readonly number[];
  readonly currency: string;
  /** g of CO2 per kWh. */
  readonly co2Electricity: number;
  /** g of CO2 per m3. */
  readonly co2Gas: number;
  /** From the utility; at most 43 characters. */
  readonly message: string;
}

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

// ---------------------------------------------------------------- readable state

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

// ---------------------------------------------------------------- the meter

export interface Meter {
  readonly config: MeterConfig;
  readonly identity: MeterIdentity;
  /** Virtual time that it has lived to. */
  readonly now: number;
  listener: MeterListener | undefined;

  /** Lives on to `until`. Earlier than `now` does nothing. */
  advance(until: number): void;
  /** When something will happen next of its own accord; after that advance() has work to do. */
  nextDue(): number;

  // ---- inputs: they take effect at `now`
  /** Overrides the source's voltages; undefined gives them back to it. */
  setVoltages(voltages: Triple | undefined): void;
  /** Overrides the source's powers; undefined gives them back to it. */
  setPowers(powers: Triple | undefined): void;
  /** Off is no voltage on any phase, whatever else is said. */
  setMains(on: boolean): void;
  /** The disconnecter's button behind the terminal cover. */
  pressButton(): Outcome;
  setRateInput(energised: boolean): void;
  setAlertInput(active: boolean): void;
  /** Pulses arrive at the S0 input; counted where there is one and the module has mains. */
  addInputPulses(count: number): void;
  setError(error: ErrorState): void;
  setPlcLine(line: Partial<PlcLine>): void;
  setRadio(radio: Partial<Radio>): void;
  /** The concentrator was heard: keeps a registered module registered; a NEW one becomes locked to it. */
  plcHeard(): void;
  plcRegistered(): void;
  slaveData(channel: number, readings: readonly SlaveReading[]): void;

  // ---- commands
  /** Epoch ms; what the way to the meter took is the caller's to add. */
  setClock(utc: number): ClockSet;
  /** Somebody knows that the clock cannot be trusted. */
  desynchronise(): void;
  remoteDisconnect(): Outcome;
  /** Only enables the local connection, and only in remote mode. */
  remoteReconnect(): Outcome;
  setDisconnecterMode(mode: DisconnecterMode): Outcome;
  /** Checks every limit; all or nothing. @throws MisuseError never: a bad value is refused with its reason */
  setParameters(change: Partial<MeterParameters>): Outcome;
  activatePassiveTou(): Outcome;
  clearProfile(id: ProfileId): Outcome;
  clearLog(id: LogId): Outcome;
  /** The module's own counter, of long failures; the other is the basic meter's and only grows. */
  resetLongPowerFailures(): Outcome;
  messageRead(): void;
  writeIdentification(name: IdentificationName, text: string): Outcome;
  writeSlaveIdentification(channel: number, name: SlaveIdentificationName, text: string): Outcome;

  imageEnable(enabled: boolean): Outcome;
  imageInitiate(identifier: Uint8Array, size: number): Outcome;
  imageBlock(number: number, bytes: Uint8Array): Outcome;
  /** Begins; see image.status. */
  imageVerify(): Outcome;
  imageActivate(): Outcome;

  // ---- readable state
  /** Whether the module has mains. Nothing can be asked of it otherwise. */
  readonly powered: boolean;
  readonly parameters: MeterParameters;
  readonly clock: ClockState;
  /** Wh as of the last read-out, 0 to 999,999,999. */
  register(id: EnergyRegister): number;
  /** kWh with 3 decimals, "000930.184". */
  registerText(id: EnergyRegister): string;
  readonly rate: Rate;
  readonly powerQuality: PowerQuality;
  /** W by phase at this moment, behind the disconnecter. */
  readonly powers: Triple;
  profile(id: ProfileId): ProfileView;
  log(id: LogId): LogView;
  readonly deviceStatus: number;
  readonly error: ErrorState;
  readonly disconnecter: DisconnecterState;
  readonly outputs: Outputs;
  readonly overDemand: boolean;
  /** Mean import of the last hour, W; 0 while the supervision is off. */
  readonly hourlyDemand: number;
  readonly image: ImageState;
  readonly plcState: PlcState;
  readonly plcLine: PlcLine;
  readonly radio: Radio;
  identification(name: IdentificationName): string;
  slaveIdentification(channel: number, name: SlaveIdentificationName): string;
  slaveValue(channel: number): SlaveReading | undefined;
  /** Undefined for an input that is not fitted. */
  readonly rateInput: boolean | undefined;
  readonly alertInput: boolean | undefined;
  /** Pulses counted at the S0 input. */
  readonly inputPulses: number | undefined;
  readonly display: DisplayInformation;
  /** The pictures of its own display in their rotation. */
  displayLines(): readonly DisplayLine[];
  /** The data set of a read-out under IEC 62056-21. */
  readout(): readonly DisplayLine[];

  /** All that it would lose; the source is not in it. */
  saveState(): Uint8Array;
}
