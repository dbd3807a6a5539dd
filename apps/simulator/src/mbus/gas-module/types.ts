/**
 * The gas smart module as its neighbours see it: an ultrasonic gas meter with shut-off valve, and the module fitted to it that
 * makes a smart meter of it (system description §8: casework, specifications, modules).
 *
 * Decides the face of the engine: identity, configuration, inputs, commands, readable state, events. Leaves out how any of it is
 * worked out, and the bus (device.ts binds it to M-Bus records).
 *
 * Units: instants are epoch ms of virtual time; volume mL; flow mL/h; temperature °C; pressure mbar; money in 10^-5 of the
 * currency's unit, whole numbers throughout.
 */

/** §8.1, §8.2: two caseworks with the same metering. */
export const CASEWORKS = {
  'single-pipe': { name: 'LIBRA Single Pipe', connection: 'DN25 to DIN3376-2' },
  '250mm': { name: 'LIBRA 250mm', connection: 'G1¼" to EN ISO228-1' },
} as const;
export type Casework = keyof typeof CASEWORKS;

/** The table of specifications. */
export const SPECIFICATION = {
  /** mL/h. */
  maximumFlow: 6_000_000,
  minimumFlow: 40_000,
  /** From here on ±1.5 %; below, twice that (the transitional flow of the class). */
  transitionalFlow: 600_000,
  accuracyPercent: 1.5,
  /** mbar. */
  maximumPressure: 100,
  pressureDrop: 2,
  /** °C. */
  lowestTemperature: -10,
  highestTemperature: 40,
  /** Lines and characters of the display. */
  lines: 2,
  columns: 16,
  /** mAh of a lithium thionyl chloride D cell. */
  battery: 19_000,
} as const;

/** What goes through the pipe: the sound in it tells the gases apart. */
export type Gas = 'natural' | 'air' | 'lpg';
/** m/s at 15 °C; only the first is metered within its limits. */
export const SOUND: Readonly<Record<Gas, number>> = { natural: 430, air: 340, lpg: 255 };

/** What the household would take if the valve were open: piecewise constant, a pure function of time. */
export interface GasSource {
  /** mL/h at base conditions. */
  rate(at: number): number;
  /** °C of the gas, and mbar of the net, in the same step. */
  temperature(at: number): number;
  pressure(at: number): number;
  next(at: number): number;
}

export type ValveState = 'open' | 'closed' | 'opening' | 'closing' | 'armed';
export type ValveCause = 'none' | 'command' | 'credit' | 'button';

export interface GasIdentity {
  /** 8 digits; the secondary address. */
  readonly identification: string;
  /** 3 letters. */
  readonly manufacturer: string;
  readonly version: number;
  readonly firmware: string;
}

export type CommunicationModule = 'none' | 'wired' | 'wireless';

export interface GasConfig {
  readonly casework: Casework;
  readonly zone: string;
  /** Measurement error of this meter, per cent of full accuracy, within ±1. */
  readonly errorShare: number;
  /** A wireless module listens for so long after it has sent, ms; and sends this often, s. */
  readonly sendEvery: number;
}

/** Everything that may be written by the supplier. */
export interface GasParameters {
  readonly compensation: boolean;
  readonly mode: 'credit' | 'prepayment';
  readonly tariff: BlockTariff;
  /** Takes the place of `tariff` at `activation` (local midnight or any instant). */
  readonly passive: BlockTariff | undefined;
  readonly activation: number | undefined;
  /** Credit at which the display warns. */
  readonly lowCredit: number;
  /** Credit lent once until the next top-up. */
  readonly emergencyCredit: number;
  /** Local hours [from, to) and weekdays (1 Monday) in which no valve is closed for want of credit. */
  readonly friendly: { readonly from: number; readonly to: number; readonly weekdays: readonly number[] };
  /** g CO2 for a m3. */
  readonly carbon: number;
}

export interface BlockTariff {
  readonly name: string;
  /** mL of a billing period at which the next block begins; rising, at most 3. */
  readonly limits: readonly number[];
  /** 10^-5 for a m3 in each block; one more than limits. */
  readonly prices: readonly number[];
  /** 10^-5 a day. */
  readonly standingCharge: number;
  /** Day of month on which a billing period begins, 1 to 28. */
  readonly billingDay: number;
}

export const GAS_EVENTS = {
  moduleFitted: 1,
  moduleRemoved: 2,
  clockSet: 3,
  valveClosed: 10,
  valveArmed: 11,
  valveOpened: 12,
  valveLeak: 13,
  creditLow: 20,
  creditExhausted: 21,
  emergencyCredit: 22,
  topUp: 23,
  topUpRefused: 24,
  blockReached: 30,
  billingPeriod: 31,
  tariffActivated: 32,
  parametersChanged: 33,
  overflow: 40,
  overflowEnd: 41,
  overpressure: 42,
  overpressureEnd: 43,
  temperature: 44,
  temperatureEnd: 45,
  wrongGas: 46,
  wrongGasEnd: 47,
  batteryLow: 50,
  batteryChanged: 51,
} as const;
export type GasEventName = keyof typeof GAS_EVENTS;

export interface GasEvent {
  /** By the module's clock. */
  readonly at: number;
  readonly event: GasEventName;
}

/** Bits of the error flags, as long as they hold. */
export const GAS_ALARMS = {
  valveLeak: 1 << 0,
  overflow: 1 << 1,
  overpressure: 1 << 2,
  temperature: 1 << 3,
  wrongGas: 1 << 4,
  batteryLow: 1 << 5,
  creditLow: 1 << 6,
  creditExhausted: 1 << 7,
  clockInvalid: 1 << 8,
} as const;
export type GasAlarm = keyof typeof GAS_ALARMS;

/** What a command came to. */
export type GasOutcome = { readonly done: true } | { readonly done: false; readonly reason: string };

export interface GasModule {
  readonly identity: GasIdentity;
  readonly config: GasConfig;
  /** Virtual time that it has lived to. */
  readonly now: number;
  advance(until: number): void;
  nextDue(): number;

  // ---- inputs
  fit(module: CommunicationModule): void;
  setGas(gas: Gas): void;
  /** A valve that no longer closes tight lets so much pass, mL/h. */
  setLeak(rate: number): void;
  pressButton(): GasOutcome;
  changeBattery(): void;
  /** The module has sent something: it costs battery. */
  transmitted(): void;

  // ---- commands
  closeValve(): GasOutcome;
  /** Enables opening; the consumer opens by the button. */
  armValve(): GasOutcome;
  topUp(transaction: number, amount: number): GasOutcome;
  activateEmergencyCredit(): GasOutcome;
  setParameters(change: Partial<GasParameters>): GasOutcome;
  setClock(utc: number): GasOutcome;

  // ---- readable state
  readonly module: CommunicationModule;
  readonly parameters: GasParameters;
  /** The module's clock. */
  readonly clock: number;
  readonly clockValid: boolean;
  /** mL: as metered, at base temperature, and the one of both that is billed. */
  readonly volume: number;
  readonly convertedVolume: number;
  readonly billedVolume: number;
  /** mL/h as metered, °C. */
  readonly flow: number;
  readonly temperature: number;
  readonly valve: ValveState;
  readonly valveCause: ValveCause;
  /** 10^-5; negative while emergency credit or friendly hours are used. */
  readonly credit: number;
  readonly emergencyUsed: boolean;
  /** 10^-5 charged since the module was fitted, standing charges included. */
  readonly charged: number;
  /** From 1. */
  readonly block: number;
  /** mL in each block of this billing period, and of the one before. */
  readonly blocks: readonly number[];
  readonly lastPeriod: readonly number[];
  readonly periodVolume: number;
  /** kg CO2 since the module was fitted. */
  readonly carbon: number;
  readonly batteryPercent: number;
  /** Bits of GAS_ALARMS. */
  readonly alarms: number;
  readonly events: readonly GasEvent[];
  /** Billed volume at full hours and local midnights, newest last. */
  readonly hours: readonly GasRow[];
  readonly days: readonly GasRow[];
  /** The two lines that the display shows now. */
  display(): readonly [string, string];
}

export interface GasRow {
  readonly at: number;
  readonly volume: number;
}

/** A meter that is hung up. */
export interface GasOptions {
  readonly identity: GasIdentity;
  readonly config: GasConfig;
  /** Virtual time at which it was hung up. */
  readonly start: number;
  readonly source: GasSource;
  readonly parameters?: Partial<GasParameters>;
  /** Default 'wired'. */
  readonly module?: GasModule['module'];
  /** mL on the index when it was hung up. */
  readonly volume?: number;
  /** 10^-5. */
  readonly credit?: number;
}
