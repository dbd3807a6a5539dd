/** What a gas smart module remembers, and the few things that are done to all of it: counting, logging, raising alarms. */
import {
  GAS_ALARMS,
  type Gas,
  type GasAlarm,
  type GasConfig,
  type GasEvent,
  type GasEventName,
  type GasModule,
  type GasOptions,
  type GasParameters,
  type GasSource,
  type ValveCause,
  type ValveState,
} from './types.ts';

export const NEVER = Number.MAX_SAFE_INTEGER;
/** The valve's motor takes so long, ms. */
export const MOTOR = 5000;
const EVENTS_KEPT = 200;
/** ms of an hour: what flows at 1 mL/h in so many ms is 1 mL. */
const PER_ML = 3_600_000;

/** Whole mL, and the part of the next in mL/h × ms. */
export interface Volume {
  whole: number;
  rest: number;
}

export interface GasState {
  readonly config: GasConfig;
  readonly source: GasSource;
  parameters: GasParameters;
  now: number;
  settledTo: number;
  clockOffset: number;
  clockValid: boolean;
  module: GasModule['module'];
  gas: Gas;
  leak: number;
  /** mL/h as metered, and at base temperature. */
  rate: number;
  convertedRate: number;
  temperature: number;
  gross: Volume;
  converted: Volume;
  billed: Volume;
  /** mL that the module has accounted for since it was fitted. */
  accounted: number;
  valve: ValveState;
  valveCause: ValveCause;
  valveDue: number;
  sourceDue: number;
  hourDue: number;
  dayDue: number;
  credit: number;
  charged: number;
  /** mL × price of the part of a unit of money that is not charged yet. */
  costRest: number;
  emergencyUsed: boolean;
  /** There is no credit left to draw on. */
  wantsClosed: boolean;
  transactions: number[];
  blocks: number[];
  lastPeriod: number[];
  /** From 0. */
  block: number;
  battery: number;
  alarms: number;
  events: GasEvent[];
  hours: { at: number; volume: number }[];
  days: { at: number; volume: number }[];
}

export function createState(options: GasOptions, parameters: GasParameters, battery: number): GasState {
  const volume = options.volume ?? 0;
  return {
    config: options.config,
    source: options.source,
    parameters,
    now: options.start,
    settledTo: options.start,
    clockOffset: 0,
    clockValid: true,
    module: options.module ?? 'wired',
    gas: 'natural',
    leak: 0,
    rate: 0,
    convertedRate: 0,
    temperature: 15,
    gross: { whole: volume, rest: 0 },
    converted: { whole: volume, rest: 0 },
    billed: { whole: volume, rest: 0 },
    accounted: 0,
    valve: 'open',
    valveCause: 'none',
    valveDue: NEVER,
    sourceDue: NEVER,
    hourDue: NEVER,
    dayDue: NEVER,
    credit: options.credit ?? 0,
    charged: 0,
    costRest: 0,
    emergencyUsed: false,
    wantsClosed: false,
    transactions: [],
    blocks: parameters.tariff.prices.map(() => 0),
    lastPeriod: [],
    block: 0,
    battery,
    alarms: 0,
    events: [],
    hours: [],
    days: [],
  };
}

/** Adds what flows at `rate` in `dt` ms; gives the whole mL that came to it. */
export function addVolume(volume: Volume, rate: number, dt: number): number {
  const sum = volume.rest + rate * dt;
  const whole = Math.floor(sum / PER_ML);
  volume.rest = sum - whole * PER_ML;
  volume.whole += whole;
  return whole;
}

/** ms until `volume` has so many mL more; NEVER at rest. */
export function timeTo(volume: Volume, millilitres: number, rate: number): number {
  if (rate <= 0) return NEVER;
  return Math.max(0, Math.ceil((millilitres * PER_ML - volume.rest) / rate));
}

/** Without a module there is nothing to log it. */
export function log(s: GasState, event: GasEventName): void {
  if (s.module === 'none') return;
  s.events.push({ at: s.now + s.clockOffset, event });
  if (s.events.length > EVENTS_KEPT) s.events.shift();
}

/** A condition holds, or no longer; its beginning and end are events. */
export function raise(
  s: GasState,
  alarm: GasAlarm,
  holds: boolean,
  begin: GasEventName,
  end: GasEventName | undefined,
): void {
  const bit = GAS_ALARMS[alarm];
  if (holds === ((s.alarms & bit) !== 0)) return;
  s.alarms ^= bit;
  if (holds) log(s, begin);
  else if (end) log(s, end);
}
