/**
 * Everything that may be written to a virtual meter in the field: limits, profiles, switching tables, slaves, the display behind
 * it. Immutable: a write makes a new object, so that a fleet shares what nobody has written.
 *
 * Decides shapes and units. Limits are checked in parameters.ts and tou.ts.
 */
import type { EventNumber } from './events.ts';

export type Triple = readonly [number, number, number];
export type Rate = 1 | 2;

/** The seven energy registers, in the order in which they are kept. */
export type EnergyRegister = '1.8.0' | '2.8.0' | '15.8.0' | '1.8.1' | '1.8.2' | '2.8.1' | '2.8.2';

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
