/**
 * The meter's one loop over what comes next: a change of voltage or load, a capture, a switch point, minutes of undervoltage that
 * are full, and so on.
 *
 * Decides the order of what happens at one instant: what has lasted long enough comes first, then the clock's schedule, then
 * new conditions. So a voltage that comes back in the very moment in which its minutes are full was out for long enough, and a
 * row at midnight ends with the load before midnight. And decides how a meter begins.
 */
import { MisuseError } from '@amiable/bytes';
import { type Core, NEVER, PROFILES, phaseCount, type Scalars } from './core.ts';
import { runDemand, startDemand } from './demand.ts';
import { REGISTERS, ROLL_OVER, readAtOnce, settle, WH } from './energy.ts';
import { runImage } from './image.ts';
import { constantSource } from './load.ts';
import type { MeterParameters } from './parameter-types.ts';
import { runPlc } from './plc.ts';
import { feedsMeter, runPower, supervisePower } from './power.ts';
import { runQuality, superviseVoltages } from './quality.ts';
import { restartSchedule, runSchedule } from './schedule.ts';
import type { MeterOptions } from './types.ts';

/** Below it a phase carries no load, V. */
const NO_LOAD = 50;

const conditions = new Float64Array(6);

/** New voltages and powers from `now` on. */
export function applyConditions(core: Core): void {
  const { s, source, volts, watts } = core;
  settle(core);
  source.into(s.now, conditions);
  const phases = phaseCount(core);
  const gain = s.mains ? core.gain : 0;
  for (let phase = 0; phase < 3; phase++) {
    const u = (s.voltages ? s.voltages[phase] : conditions[phase]) as number;
    const p = (s.powers ? s.powers[phase] : conditions[3 + phase]) as number;
    const there = phase < phases ? u * gain : 0;
    volts[phase] = there;
    watts[phase] = s.connected && there >= NO_LOAD ? Math.round(p) : 0;
  }
  s.metering = feedsMeter(core);
  supervisePower(core);
  if (s.powered) superviseVoltages(core);
}

/** Asks the source for its next change. */
function nextChange(core: Core): void {
  const { s } = core;
  const next = core.source.next(s.now);
  if (next <= s.now) throw new MisuseError(`the source's next change after ${s.now} is ${next}`);
  s.sourceAt = next < NEVER ? Math.ceil(next) : NEVER;
}

export function nextDue(s: Scalars): number {
  let due = s.sourceAt;
  if (s.totalDue < due) due = s.totalDue;
  if (s.moduleDue < due) due = s.moduleDue;
  if (s.powered) {
    if (s.clockDue < due) due = s.clockDue;
    if (s.qualityDue < due) due = s.qualityDue;
    if (s.demandDue < due) due = s.demandDue;
    if (s.imageDue < due) due = s.imageDue;
    if (s.plcDue < due) due = s.plcDue;
  }
  return due;
}

function runDue(core: Core): void {
  const { s } = core;
  if (s.powered && s.qualityDue <= s.now) runQuality(core);
  if (s.totalDue <= s.now || s.moduleDue <= s.now) runPower(core);
  if (s.powered) {
    if (s.demandDue <= s.now) runDemand(core);
    if (s.imageDue <= s.now) runImage(core);
    if (s.plcDue <= s.now) runPlc(core);
    if (s.clockDue <= s.now) runSchedule(core);
  }
  if (s.sourceAt <= s.now) {
    nextChange(core);
    applyConditions(core);
  }
}

/** How far one advance() may go, so that a mistaken unit is an error and not an endless loop: 50 years. */
const LONGEST = 50 * 366 * 86_400_000;

export function advance(core: Core, until: number): void {
  const { s } = core;
  if (!Number.isSafeInteger(until)) throw new MisuseError(`advance(${until}): whole milliseconds are needed`);
  if (until - s.now > LONGEST) throw new MisuseError(`advance(${until}): more than 50 years after ${s.now}`);
  for (let due = nextDue(s); due <= until; due = nextDue(s)) {
    if (due > s.now) s.now = due;
    runDue(core);
  }
  if (until > s.now) s.now = until;
}

/** What a clock shows that was never set. */
const UNSET = Date.UTC(2000, 0, 1);

function freshScalars(options: MeterOptions, parameters: MeterParameters): Scalars {
  const { start, config, clockSet = true } = options;
  return {
    now: start,
    start,
    clockBase: clockSet ? start : UNSET,
    clockAt: start,
    clockInvalid: !clockSet,
    synchronised: clockSet,
    shiftsRefused: false,
    shifts: [],
    accumulatedTo: start,
    gridFrom: start,
    voltBlock: Math.floor(start / 5000) * 5000,
    powerBlock: Math.floor(start / 15_000) * 15_000,
    pulseEnergy: 0,
    rate: config.lowRate,
    sourceAt: NEVER,
    mains: true,
    voltages: undefined,
    powers: undefined,
    powered: true,
    metering: true,
    lowSince: NEVER,
    totalDue: NEVER,
    moduleLowSince: NEVER,
    moduleDue: NEVER,
    downSince: start,
    totalLogged: false,
    totalClock: 0,
    totalFailures: 0,
    longFailures: 0,
    periodicDue: NEVER,
    dayDue: NEVER,
    switchDue: NEVER,
    activationDue: NEVER,
    dstDue: NEVER,
    clockDue: NEVER,
    dayStart: start,
    qualityDue: NEVER,
    demandDue: NEVER,
    overDemand: false,
    imageDue: NEVER,
    plcDue: NEVER,
    plcState: config.module === 'plc' ? 'new-unlocked' : 'registered',
    plcLine: { mains: true, concentrator: true, receivingUntil: 0, transmittingUntil: 0 },
    radio: {
      ready: true,
      sim: 'ok',
      gprs: 'listening',
      gsm: 'listening',
      signal: -85,
      call: false,
      lastTransmit: 0,
      lastReceive: 0,
    },
    output: false,
    rateInput: false,
    alertInput: false,
    inputPulses: 0,
    error: 'none',
    mode: 'local',
    connected: true,
    enabled: false,
    cause: 'none',
    messageUnread: parameters.display.message !== '',
    ids: {},
  };
}

export const voltageError = ({ config, identity }: MeterOptions): number =>
  identity.voltageErrorPercent ?? config.voltageErrorPercent;

export function freshCore(options: MeterOptions, parameters: MeterParameters): Core {
  const { config, identity, source, slavePort } = options;
  const n = config.nominalVoltage;
  return {
    config,
    identity,
    source: source ?? constantSource([n, n, n], [0, 0, 0]),
    port: slavePort,
    drift: identity.driftPpm ?? config.driftPpm,
    gain: 1 + voltageError(options) / 100,
    parameters,
    listener: undefined,
    s: freshScalars(options, parameters),
    energy: new Float64Array(7),
    snap: new Float64Array(12),
    blocks: new Float64Array(8),
    volts: new Float64Array(3),
    watts: new Float64Array(3),
    qualityDue: new Float64Array(9).fill(NEVER),
    qualityActive: new Uint8Array(9),
    pending: new Uint16Array(PROFILES.length),
    rings: new Array(PROFILES.length).fill(undefined),
    logs: [undefined, undefined],
    slaves: [undefined, undefined, undefined, undefined],
    demand: undefined,
    image: undefined,
  };
}

export function begin(core: Core, { registers = {} }: MeterOptions): void {
  for (const [i, id] of REGISTERS.entries()) core.energy[i] = ((registers[id] ?? 0) * WH) % ROLL_OVER;
  nextChange(core);
  applyConditions(core);
  // The RMS and mean of what was before it was hung up: as it is now.
  for (let phase = 0; phase < 3; phase++) core.blocks[3 + phase] = core.volts[phase] as number;
  readAtOnce(core);
  restartSchedule(core);
  startDemand(core);
}
