/**
 * Setting the clock, by the rules of sync_limit (§7.5.3, §7.6.3 of the system description).
 *
 * - Deviation larger than sync_limit: the clock is set, two events (old and new time), `timeChanged` in every running period.
 * - Otherwise: the clock is set and nothing is registered. But "multiple small time shifts are not accepted": over the last
 *   `smallShiftWindow` seconds the accepted small shifts, the new one included, may add up to sync_limit at most, in either
 *   direction. So a drifting clock can be corrected each hour, and a large shift cannot be smuggled in as many small ones. The
 *   first refusal is an event; further ones are not, until a window has passed without small shifts.
 * - A clock that is not synchronised takes any time and is synchronised then.
 */
import { mark } from './capture.ts';
import { clockNow, isDst } from './clock.ts';
import { type Core, SECOND } from './core.ts';
import { readAtOnce } from './energy.ts';
import { EVENTS, PROFILE_STATUS } from './events.ts';
import { logEvent } from './log.ts';
import { makeGood, noteDst, refreshSchedule, restartSchedule, runSchedule, scheduleActivation } from './schedule.ts';
import type { ClockSet } from './state-types.ts';
import { applySwitching } from './switching.ts';

/** Clocks of the field show nothing before 2000 and nothing that a row's 32 bits could not hold. */
const EARLIEST = Date.UTC(2000, 0, 1);
const LATEST = Date.UTC(2100, 0, 1);

function smallShiftSum(core: Core): number {
  const { s, parameters } = core;
  const from = s.now - parameters.smallShiftWindow * SECOND;
  while (s.shifts.length > 0 && (s.shifts[0] as number) <= from) s.shifts.splice(0, 2);
  if (s.shifts.length === 0) s.shiftsRefused = false;
  let sum = 0;
  for (let i = 1; i < s.shifts.length; i += 2) sum += s.shifts[i] as number;
  return sum;
}

function put(core: Core, utc: number): void {
  const { s } = core;
  s.clockBase = utc;
  s.clockAt = s.now;
  readAtOnce(core);
}

export function setClock(core: Core, utc: number): ClockSet {
  const { s, parameters } = core;
  const deviation = utc - clockNow(core);
  if (!s.powered) return { accepted: false, reason: 'power-down', deviation };
  if (!Number.isSafeInteger(utc) || utc < EARLIEST || utc >= LATEST)
    return { accepted: false, reason: 'range', deviation };
  const limit = parameters.syncLimit * SECOND;
  const registered = Math.abs(deviation) > limit;
  const first = !s.synchronised;
  if (registered) {
    logEvent(core, EVENTS.clockAdjusted);
    mark(core, PROFILE_STATUS.timeChanged);
    const seen = s.dayStart;
    const dst = isDst(core.config.zone, utc - deviation);
    s.shifts = [];
    s.shiftsRefused = false;
    put(core, utc);
    if (first) synchronised(core);
    logEvent(core, EVENTS.clockAdjustedTo);
    noteDst(core, dst);
    if (deviation > 0) {
      makeGood(core, seen);
      // Those rows took the mark with them; the running period has been changed as well.
      mark(core, PROFILE_STATUS.timeChanged);
    }
    restartSchedule(core);
    return { accepted: true, registered, deviation };
  }
  if (!first && deviation !== 0) {
    if (Math.abs(smallShiftSum(core) + deviation) > limit) {
      if (!s.shiftsRefused) logEvent(core, EVENTS.smallShiftsRefused);
      s.shiftsRefused = true;
      return { accepted: false, reason: 'small-shifts', deviation };
    }
    s.shifts.push(s.now, deviation);
  }
  if (deviation !== 0) put(core, utc);
  if (first) {
    synchronised(core);
    scheduleActivation(core);
    applySwitching(core);
  }
  // What the shift has jumped over is done now; what it went back before is not done again.
  if (deviation !== 0) runSchedule(core);
  else refreshSchedule(core);
  return { accepted: true, registered, deviation };
}

function synchronised(core: Core): void {
  core.s.synchronised = true;
  core.s.clockInvalid = false;
  logEvent(core, EVENTS.clockSynchronised);
}

/** The clock cannot be trusted: low tariff until somebody sets it. */
export function desynchronise(core: Core): void {
  const { s } = core;
  if (!s.synchronised) return;
  s.synchronised = false;
  s.shifts = [];
  logEvent(core, EVENTS.clockInvalid);
}
