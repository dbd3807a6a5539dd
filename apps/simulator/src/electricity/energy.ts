/**
 * Energy registers of the basic meter, and what the module sees of it when it reads it every 60 seconds.
 *
 * Powers are whole watts and constant between two changes, time is whole milliseconds: W·ms add up without any rounding, so a
 * year cut in pieces gives the same registers as a year in one go. A register rolls over after 999,999,999 Wh.
 *
 * Import and export follow the sign of the sum over the phases; the combined total adds the phases' magnitudes.
 * Voltages are RMS over 5 seconds, the display's power is a mean over 15 seconds, both in blocks aligned to virtual time.
 *
 * The module reads at each full minute of its clock, so that what it captures on the hour is the meter's register on the hour.
 * Nothing runs each minute for that: the last read-out is worked out when somebody looks, or when a change would blur it.
 */
import { clockAt, instantOf } from './clock.ts';
import {
  COMBINED,
  type Core,
  ENERGIES,
  EXPORT,
  IMPORT,
  MINUTE,
  RATED_EXPORT,
  RATED_IMPORT,
  SNAP_CURRENT,
  SNAP_FAILURES,
  SNAP_VOLTS,
} from './core.ts';
import type { EnergyRegister } from './parameter-types.ts';

/** W·ms in a Wh. */
export const WH = 3_600_000;
/** 9 digits. */
export const ROLL_OVER = 1_000_000_000 * WH;
const VOLT_BLOCK = 5000;
const POWER_BLOCK = 15_000;
/** Places in `blocks`. */
const VOLT_SUM = 0;
const VOLT_RMS = 3;
const POWER_SUM = 6;
const POWER_MEAN = 7;

export const REGISTERS: readonly EnergyRegister[] = ['1.8.0', '2.8.0', '15.8.0', '1.8.1', '1.8.2', '2.8.1', '2.8.2'];
export const placeOf = (id: EnergyRegister): number => REGISTERS.indexOf(id);

/** What register `place` stood at `at`, which is not before the last change; W·ms. */
function energyAt(core: Core, place: number, at: number): number {
  const { energy, watts, s } = core;
  const old = energy[place] as number;
  if (!s.metering) return old;
  const a = watts[0] as number;
  const b = watts[1] as number;
  const c = watts[2] as number;
  const sum = a + b + c;
  let power = 0;
  if (place === IMPORT) power = sum > 0 ? sum : 0;
  else if (place === EXPORT) power = sum < 0 ? -sum : 0;
  else if (place === COMBINED) power = Math.abs(a) + Math.abs(b) + Math.abs(c);
  else if (place < RATED_EXPORT) power = sum > 0 && place - RATED_IMPORT + 1 === s.rate ? sum : 0;
  else power = sum < 0 && place - RATED_EXPORT + 1 === s.rate ? -sum : 0;
  if (power === 0) return old;
  const now = old + power * (at - s.accumulatedTo);
  return now >= ROLL_OVER ? now % ROLL_OVER : now;
}

/** Import as it stands at this moment, W·ms; ahead of what the module has read. */
export const importNow = (core: Core): number => energyAt(core, IMPORT, core.s.now);

/** RMS of the last whole 5 s before `at`. */
function rmsAt(core: Core, phase: number, at: number): number {
  const { blocks, volts, s } = core;
  const block = Math.floor(at / VOLT_BLOCK) * VOLT_BLOCK;
  if (block === s.voltBlock) return blocks[VOLT_RMS + phase] as number;
  const u = volts[phase] as number;
  if (block > s.voltBlock + VOLT_BLOCK) return u;
  const sum = (blocks[VOLT_SUM + phase] as number) + u * u * (block - s.accumulatedTo);
  return Math.sqrt(sum / VOLT_BLOCK);
}

/** Mean power of the last whole 15 s before now, W. */
export function displayPower(core: Core): number {
  const { blocks, s } = core;
  const block = Math.floor(s.now / POWER_BLOCK) * POWER_BLOCK;
  if (block === s.powerBlock) return blocks[POWER_MEAN] as number;
  const power = powerNow(core);
  if (block > s.powerBlock + POWER_BLOCK) return power;
  return ((blocks[POWER_SUM] as number) + power * (block - s.accumulatedTo)) / POWER_BLOCK;
}

function powerNow(core: Core): number {
  const { watts, s } = core;
  return s.metering ? (watts[0] as number) + (watts[1] as number) + (watts[2] as number) : 0;
}

/** The module's last read-out at or before `at`; undefined when that was before the last power-up or setting of the clock. */
function lastReadOut(core: Core, at: number): number | undefined {
  const read = instantOf(core, Math.floor(clockAt(core, at) / MINUTE) * MINUTE);
  return read > core.s.gridFrom ? read : undefined;
}

/** A, phase 1; power is active power alone. */
function currentNow({ volts, watts }: Core): number {
  const u = volts[0] as number;
  return u > 1 ? Math.abs(watts[0] as number) / u : 0;
}

/** The module reads the meter: everything as of `at`, which is not before the last change. */
function readOut(core: Core, at: number): void {
  const { snap, s } = core;
  for (let i = 0; i < ENERGIES; i++) snap[i] = energyAt(core, i, at);
  for (let phase = 0; phase < 3; phase++) snap[SNAP_VOLTS + phase] = rmsAt(core, phase, at);
  snap[SNAP_CURRENT] = currentNow(core);
  snap[SNAP_FAILURES] = s.totalFailures;
}

/** To be called before anything that the registers depend on changes at `s.now`. */
export function settle(core: Core): void {
  const { s, energy, blocks, volts } = core;
  const at = s.now;
  const from = s.accumulatedTo;
  if (at <= from) return;
  if (s.powered) {
    const read = lastReadOut(core, at);
    if (read !== undefined && read > from) readOut(core, read);
  }
  const power = powerNow(core);
  if (s.metering) {
    for (let i = 0; i < ENERGIES; i++) energy[i] = energyAt(core, i, at);
    if (power > 0) s.pulseEnergy += power * (at - from);
  }
  const voltBlock = Math.floor(at / VOLT_BLOCK) * VOLT_BLOCK;
  for (let phase = 0; phase < 3; phase++) {
    const u = volts[phase] as number;
    if (voltBlock === s.voltBlock)
      blocks[VOLT_SUM + phase] = (blocks[VOLT_SUM + phase] as number) + u * u * (at - from);
    else {
      blocks[VOLT_RMS + phase] = rmsAt(core, phase, at);
      blocks[VOLT_SUM + phase] = u * u * (at - voltBlock);
    }
  }
  const powerBlock = Math.floor(at / POWER_BLOCK) * POWER_BLOCK;
  if (powerBlock === s.powerBlock) blocks[POWER_SUM] = (blocks[POWER_SUM] as number) + power * (at - from);
  else {
    blocks[POWER_MEAN] = displayPower(core);
    blocks[POWER_SUM] = power * (at - powerBlock);
  }
  s.voltBlock = voltBlock;
  s.powerBlock = powerBlock;
  s.accumulatedTo = at;
}

/** Power-up, or the clock was set: the module reads at once, and its minutes count from now. */
export function readAtOnce(core: Core): void {
  settle(core);
  readOut(core, core.s.now);
  core.s.gridFrom = core.s.now;
}

/** The value of place `place` as the module last read it, W·ms. */
export function visible(core: Core, place: number): number {
  const { s, snap } = core;
  if (s.powered) {
    const read = lastReadOut(core, s.now);
    if (read !== undefined && read > s.accumulatedTo) return energyAt(core, place, read);
  }
  return snap[place] as number;
}

/** Wh. */
export const visibleWh = (core: Core, place: number): number => Math.floor(visible(core, place) / WH);

/** U1 U2 U3, I1 and the meter's own failure counter as last read. */
export function visibleQuality(core: Core): readonly [number, number, number, number, number] {
  const { s, snap } = core;
  const read = s.powered ? lastReadOut(core, s.now) : undefined;
  if (read !== undefined && read > s.accumulatedTo) {
    return [rmsAt(core, 0, read), rmsAt(core, 1, read), rmsAt(core, 2, read), currentNow(core), s.totalFailures];
  }
  return [
    snap[SNAP_VOLTS] as number,
    snap[SNAP_VOLTS + 1] as number,
    snap[SNAP_VOLTS + 2] as number,
    snap[SNAP_CURRENT] as number,
    snap[SNAP_FAILURES] as number,
  ];
}

/** S0: 500 pulses a kWh of import. */
export function pulses(core: Core): number {
  const { s } = core;
  const power = Math.max(0, powerNow(core));
  return Math.floor((s.pulseEnergy + power * (s.now - s.accumulatedTo)) / (2 * WH));
}
