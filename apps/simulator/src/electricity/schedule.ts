/**
 * What the module's clock sets off: captures, switch points, the activation of a table, daylight saving, slaves' fetches.
 *
 * Keeps the next clock time of each and the earliest of all in virtual time. Decides the order at one instant: captures come
 * before anything is switched, so that a row at midnight holds what the old rate had counted.
 */
import { startOf, zoneOffset } from '@amiable/calendar';
import { capture, nextMidnight, nextPeriod } from './capture.ts';
import { clockNow, instantOf, isDst } from './clock.ts';
import { type Core, DAILY, MONTHLY, NEVER, PERIODIC, SECOND } from './core.ts';
import { settle } from './energy.ts';
import { EVENTS, PROFILE_STATUS } from './events.ts';
import { logEvent } from './log.ts';
import { fetchSlaves, scheduleSlaves, slavesDue } from './slaves.ts';
import { activateTou, applySwitching } from './switching.ts';

/** To be called after any due time or the clock itself has changed. */
export function refreshSchedule(core: Core): void {
  const { s } = core;
  const due = Math.min(s.periodicDue, s.dayDue, s.switchDue, s.activationDue, s.dstDue, slavesDue(core));
  s.clockDue = due >= NEVER ? NEVER : instantOf(core, due);
}

/** When daylight saving changes between `clock` and the midnight after; NEVER if it does not. */
function nextDst(zone: string, clock: number, midnight: number): number {
  const offset = zoneOffset(zone, clock);
  if (zoneOffset(zone, midnight) === offset) return NEVER;
  let low = clock;
  let high = midnight;
  while (high - low > SECOND) {
    const middle = low + Math.floor((high - low) / 2 / SECOND) * SECOND;
    if (middle === low) break;
    if (zoneOffset(zone, middle) === offset) low = middle;
    else high = middle;
  }
  // Zones change at whole seconds; the bisection began at any millisecond.
  return Math.floor(high / SECOND) * SECOND;
}

function scheduleDay(core: Core, clock: number): void {
  const { s, config } = core;
  s.dayStart = startOf('day', config.zone, clock);
  s.dayDue = nextMidnight(config.zone, clock);
  s.dstDue = nextDst(config.zone, clock, s.dayDue);
}

/** The activation time of the passive table was written, or has to be looked at again. */
export function scheduleActivation(core: Core): void {
  const { touActivation } = core.parameters;
  core.s.activationDue = touActivation === undefined || !core.s.synchronised ? NEVER : touActivation;
  if (core.s.activationDue <= clockNow(core)) activateTou(core);
}

/** Begins anew from what the clock shows: start, power-up, and after it was set by more than sync_limit. */
export function restartSchedule(core: Core): void {
  const { s, config, parameters } = core;
  const clock = clockNow(core);
  s.periodicDue = nextPeriod(config.zone, clock, parameters.capturePeriod);
  scheduleDay(core, clock);
  scheduleSlaves(core, clock);
  scheduleActivation(core);
  applySwitching(core);
  refreshSchedule(core);
}

const isFirstOfMonth = (zone: string, midnight: number): boolean => startOf('month', zone, midnight) === midnight;

/**
 * Makes good the last midnight, and the last first of a month, that passed unseen: while the module was down, or because the
 * clock was set forward. `seen` is the local midnight it had seen last.
 */
export function makeGood(core: Core, seen: number): void {
  const { zone } = core.config;
  const clock = clockNow(core);
  const midnight = startOf('day', zone, clock);
  if (midnight <= seen) return;
  capture(core, DAILY, midnight, PROFILE_STATUS.late);
  const month = startOf('month', zone, clock);
  if (month > seen) capture(core, MONTHLY, month, PROFILE_STATUS.late);
}

/** Daylight saving changed while nobody looked: in a power failure, or because the clock was set over it. */
export function noteDst(core: Core, before: boolean): void {
  const now = isDst(core.config.zone, clockNow(core));
  if (now !== before) logEvent(core, now ? EVENTS.dstOn : EVENTS.dstOff);
}

/** Does everything whose time has come by the clock. */
export function runSchedule(core: Core): void {
  const { s, config, parameters } = core;
  const clock = clockNow(core);
  do {
    if (s.periodicDue <= clock) {
      capture(core, PERIODIC, s.periodicDue);
      s.periodicDue = nextPeriod(config.zone, s.periodicDue, parameters.capturePeriod);
    }
    if (s.dstDue <= clock) {
      logEvent(core, isDst(config.zone, s.dstDue) ? EVENTS.dstOn : EVENTS.dstOff);
      s.dstDue = NEVER;
    }
    if (s.dayDue <= clock) {
      const midnight = s.dayDue;
      // However long a load is constant, its sums stay far below where whole numbers end.
      settle(core);
      capture(core, DAILY, midnight);
      if (isFirstOfMonth(config.zone, midnight)) capture(core, MONTHLY, midnight);
      scheduleDay(core, midnight);
    }
    if (slavesDue(core) <= clock) fetchSlaves(core, clock);
    if (s.activationDue <= clock) activateTou(core);
    if (s.switchDue <= clock) applySwitching(core);
    refreshSchedule(core);
    // A small shift forward may jump over several instants where sync_limit is long.
  } while (s.clockDue <= s.now);
}
