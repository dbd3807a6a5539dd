/**
 * What a virtual meter is made of inside: one record of plain numbers (so that it can be saved as it stands), a few typed
 * arrays, and rings that are allocated when first written. Functions elsewhere work on it, one idea a file.
 *
 * Decides the record and its beginning. Leaves out all behaviour.
 */
import type { Image } from './image.ts';
import type { MeterParameters, Rate, SlavePort, SlaveReading, Triple } from './parameter-types.ts';
import type { LogRing, Ring } from './ring.ts';
import type { DisconnecterMode, ErrorState, MeterListener, PlcLine, PlcState, Radio } from './state-types.ts';
import type { MeterConfig, MeterIdentity, Source } from './types.ts';

/** Later than anything; an integer so that it survives JSON. */
export const NEVER = Number.MAX_SAFE_INTEGER;
export const SECOND = 1000;
export const MINUTE = 60_000;
export const HOUR = 3_600_000;
export const DAY = 86_400_000;

export const PROFILES = ['daily', 'periodic', 'monthly', 'slave-1', 'slave-2', 'slave-3', 'slave-4'] as const;
export const DAILY = 0;
export const PERIODIC = 1;
export const MONTHLY = 2;
export const FIRST_SLAVE = 3;

/** Places in `energy` and `snap`. */
export const IMPORT = 0;
export const EXPORT = 1;
export const COMBINED = 2;
export const RATED_IMPORT = 3;
export const RATED_EXPORT = 5;
export const ENERGIES = 7;
/** Places in `snap` after the energies: U1 U2 U3, I1, total power failures. */
export const SNAP_VOLTS = 7;
export const SNAP_CURRENT = 10;
export const SNAP_FAILURES = 11;

export interface SlaveState {
  readonly ids: Record<string, string>;
  last: SlaveReading | undefined;
  /** Meter clock of the next fetch. */
  due: number;
  /** The period's end for which an answer is awaited; 0 for none. */
  awaited: number;
  /** Newest row, or where rows begin. */
  rowsTo: number;
  silent: boolean;
}

/** Everything that JSON can hold. Instants are virtual time unless they say "clock". */
export interface Scalars {
  now: number;
  start: number;
  // clock.ts
  clockBase: number;
  clockAt: number;
  clockInvalid: boolean;
  synchronised: boolean;
  shiftsRefused: boolean;
  /** [virtual instant, shift] of small shifts within the window. */
  shifts: number[];
  // energy.ts
  accumulatedTo: number;
  gridFrom: number;
  voltBlock: number;
  powerBlock: number;
  pulseEnergy: number;
  rate: Rate;
  // conditions
  sourceAt: number;
  mains: boolean;
  voltages: Triple | undefined;
  powers: Triple | undefined;
  // power.ts
  powered: boolean;
  metering: boolean;
  lowSince: number;
  totalDue: number;
  moduleLowSince: number;
  moduleDue: number;
  downSince: number;
  totalLogged: boolean;
  totalClock: number;
  totalFailures: number;
  longFailures: number;
  // clock-driven, in clock time
  periodicDue: number;
  dayDue: number;
  switchDue: number;
  activationDue: number;
  dstDue: number;
  /** The earliest of them in virtual time. */
  clockDue: number;
  /** The last of the local midnights that were seen, clock. */
  dayStart: number;
  // others
  qualityDue: number;
  demandDue: number;
  overDemand: boolean;
  imageDue: number;
  plcDue: number;
  plcState: PlcState;
  plcLine: PlcLine;
  radio: Radio;
  output: boolean;
  rateInput: boolean;
  alertInput: boolean;
  inputPulses: number;
  error: ErrorState;
  mode: DisconnecterMode;
  connected: boolean;
  enabled: boolean;
  cause: 'local' | 'remote' | 'none';
  messageUnread: boolean;
  ids: Record<string, string>;
}

export interface Core {
  readonly config: MeterConfig;
  readonly identity: MeterIdentity;
  readonly source: Source;
  readonly port: SlavePort | undefined;
  /** Parts per million by which the clock is fast. */
  readonly drift: number;
  /** Measured voltage per real voltage. */
  readonly gain: number;
  parameters: MeterParameters;
  listener: MeterListener | undefined;
  s: Scalars;
  /** W·ms, whole: exact far beyond nine digits of Wh. */
  readonly energy: Float64Array;
  /** What the module saw when it last read the meter. */
  readonly snap: Float64Array;
  /** V²·ms of the running 5 s (3), RMS of the 5 s before (3), W·ms of the running 15 s, mean of the 15 s before. */
  readonly blocks: Float64Array;
  /** As measured, and W behind the disconnecter, whole. */
  readonly volts: Float64Array;
  readonly watts: Float64Array;
  /** Under-, overvoltage and outage of each phase: when it will have lasted long enough; whether it is registered. */
  readonly qualityDue: Float64Array;
  readonly qualityActive: Uint8Array;
  /** Status bits that wait for each profile's next row. */
  readonly pending: Uint16Array;
  readonly rings: (Ring | undefined)[];
  readonly logs: (LogRing | undefined)[];
  readonly slaves: (SlaveState | undefined)[];
  demand: Float64Array | undefined;
  image: Image | undefined;
}

export const phaseCount = (core: Core): 1 | 3 => (core.config.type === 'polyphase' ? 3 : 1);
