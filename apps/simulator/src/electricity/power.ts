/**
 * Power-down and power-up (§7.4.2, §7.5.2, §7.6.2).
 *
 * Two supplies, two limits: the meter fails when every phase is below 120 V, the module when every phase is below 150 V. Both
 * bridge 200 ms. The meter counts its failures (total power failures); the module, at power-up, how many lasted longer than N
 * seconds (long power failures), from the moment the voltage fell.
 *
 * - powerDown is registered when the meter failed, at the moment the 200 ms are over; if the module was down already by then,
 *   at power-up with the time it happened. shortPowerUp follows it; longPowerUp follows every long failure, also one in which
 *   the meter itself lived on between 120 and 150 V.
 * - After `clockReserve` (7 days) without mains the clock stands still and is invalid at power-up, until it is set.
 * - A PLC module that was without mains for `plcLostAfter` (6 h) is NEW again. GPRS modules have nothing to register at.
 * - Disconnecter, parameters, profiles, logs and received firmware blocks stay as they were.
 */
import { mark } from './capture.ts';
import { clockAt, clockNow, isDst } from './clock.ts';
import { type Core, NEVER, phaseCount, SECOND } from './core.ts';
import { resumeDemand } from './demand.ts';
import { readAtOnce, settle } from './energy.ts';
import { EVENTS, PROFILE_STATUS } from './events.ts';
import { interruptImage, resumeImage } from './image.ts';
import { logEvent } from './log.ts';
import { suspendQuality } from './quality.ts';
import { makeGood, noteDst, restartSchedule } from './schedule.ts';
import { desynchronise } from './set-clock.ts';

const METER_FAILS = 120;
const MODULE_FAILS = 150;
const BRIDGED = 200;

function highest(core: Core): number {
  let most = core.volts[0] as number;
  for (let phase = 1; phase < phaseCount(core); phase++) most = Math.max(most, core.volts[phase] as number);
  return most;
}

/** The basic meter measures as long as one phase feeds it. */
export const feedsMeter = (core: Core): boolean => highest(core) >= METER_FAILS;

/** To be called when the voltages have changed. Brings the module back up at once; failures wait for the 200 ms. */
export function supervisePower(core: Core): void {
  const { s } = core;
  const most = highest(core);
  if (most >= METER_FAILS) {
    s.lowSince = NEVER;
    s.totalDue = NEVER;
  } else if (s.lowSince === NEVER) {
    s.lowSince = s.now;
    s.totalDue = s.now + BRIDGED + 1;
  }
  if (most < MODULE_FAILS) {
    if (s.moduleLowSince === NEVER) {
      s.moduleLowSince = s.now;
      s.moduleDue = s.now + BRIDGED + 1;
    }
    return;
  }
  const down = !s.powered;
  s.moduleLowSince = NEVER;
  s.moduleDue = NEVER;
  if (down) powerUp(core);
}

/** The 200 ms are over, of the meter, of the module, or of both. */
export function runPower(core: Core): void {
  const { s } = core;
  if (s.totalDue <= s.now) {
    s.totalDue = NEVER;
    settle(core);
    s.totalFailures++;
    if (s.powered) {
      logEvent(core, EVENTS.powerDown);
      s.totalLogged = true;
    } else if (s.totalClock === 0) s.totalClock = clockNow(core);
  }
  if (s.moduleDue <= s.now) {
    s.moduleDue = NEVER;
    powerDown(core);
  }
}

function powerDown(core: Core): void {
  const { s } = core;
  settle(core);
  s.powered = false;
  s.downSince = s.moduleLowSince;
  suspendQuality(core);
  interruptImage(core);
  s.plcDue = NEVER;
  s.demandDue = NEVER;
  core.listener?.power?.(false);
}

function powerUp(core: Core): void {
  const { s, config, parameters } = core;
  const lasted = s.now - s.downSince;
  const stopped = lasted >= config.clockReserve;
  const dst = isDst(config.zone, clockAt(core, s.downSince));
  if (stopped) {
    s.clockBase = clockAt(core, s.downSince + config.clockReserve);
    s.clockAt = s.now;
  }
  s.powered = true;
  settle(core);
  readAtOnce(core);
  if (stopped) {
    // Even a clock that was not trusted before is now known to be wrong.
    s.clockInvalid = true;
    desynchronise(core);
  }
  if (s.totalClock !== 0) {
    logEvent(core, EVENTS.powerDown, s.totalClock);
    s.totalLogged = true;
  }
  const long = lasted > parameters.longPowerFailure * SECOND;
  if (long) s.longFailures++;
  if (long) logEvent(core, EVENTS.longPowerUp);
  else if (s.totalLogged) logEvent(core, EVENTS.shortPowerUp);
  s.totalLogged = false;
  s.totalClock = 0;
  noteDst(core, dst);
  mark(core, PROFILE_STATUS.powerDown | PROFILE_STATUS.powerUp);
  if (config.module === 'plc' && lasted >= parameters.plcLostAfter * SECOND) s.plcState = 'new-unlocked';
  s.plcDue = s.plcState === 'registered' ? s.now + parameters.plcLostAfter * SECOND : NEVER;
  makeGood(core, s.dayStart);
  mark(core, PROFILE_STATUS.powerDown | PROFILE_STATUS.powerUp);
  restartSchedule(core);
  resumeDemand(core);
  resumeImage(core);
  core.listener?.power?.(true);
}
