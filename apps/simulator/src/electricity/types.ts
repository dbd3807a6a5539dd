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
import type { EnergyRegister, MeterParameters, Rate, SlavePort, SlaveReading, Triple } from './parameter-types.ts';
import type {
  ClockSet,
  ClockState,
  DisconnecterMode,
  DisconnecterState,
  DisplayInformation,
  DisplayLine,
  ErrorState,
  IdentificationName,
  ImageState,
  LogId,
  LogView,
  MeterListener,
  Outcome,
  Outputs,
  PlcLine,
  PlcState,
  PowerQuality,
  ProfileId,
  ProfileView,
  Radio,
  SlaveIdentificationName,
} from './state-types.ts';

/** What drives the meter: piecewise constant voltages and powers, a pure function of time. */
export interface Source {
  /** The first instant after `at` at which anything changes; Infinity when nothing ever does. */
  next(at: number): number;
  /** U1 U2 U3 (V), P1 P2 P3 (W, import positive) as they are from `at` on, into `out`. */
  into(at: number, out: Float64Array): void;
}

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
  /** Copied from the basic meter, at most 24 characters. */
  readonly utilitySerial: string;
  /** LGZ and 8 digits in the field; at most 16 characters. */
  readonly meterSerial: string;
  readonly moduleSerial: string;
  readonly meterFirmware?: string;
  readonly moduleFirmware?: string;
  readonly configurationId?: string;
  /** This one's own clock and measurement, in place of what its configuration says. */
  readonly driftPpm?: number;
  readonly voltageErrorPercent?: number;
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
  /** Checks every limit; all or nothing. A bad value is refused with its reason. */
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
