/**
 * Maximum demand or fuse supervision (§7.4.8): the mean import over the last hour, looked at each minute, against the
 * subscribed maximum times its margin. Crossing it upwards is an event, and so is coming back.
 *
 * The ring of 61 register values is allocated when the supervision is turned on. A power failure counts as time without load.
 */
import { type Core, MINUTE, NEVER } from './core.ts';
import { importNow, ROLL_OVER, WH } from './energy.ts';
import { EVENTS } from './events.ts';
import { logEvent } from './log.ts';

const PLACES = 61;

/** The mean import of the last hour, W; before an hour has passed, what there was of it spread over an hour. */
export function hourlyDemand(core: Core): number {
  const { demand, s } = core;
  if (!demand) return 0;
  const now = importNow(core);
  // The place after the newest holds the oldest: an hour ago.
  const before = demand[(Math.floor(s.now / MINUTE) + 1) % PLACES] as number;
  return (now >= before ? now - before : now + ROLL_OVER - before) / WH;
}

/** Supervision is turned on, or off, or its limit has changed. */
export function startDemand(core: Core): void {
  const { s, parameters } = core;
  if (parameters.maximumDemand === 0) {
    core.demand = undefined;
    s.demandDue = NEVER;
    s.overDemand = false;
    return;
  }
  core.demand ??= new Float64Array(PLACES).fill(importNow(core));
  s.demandDue = s.powered ? (Math.floor(s.now / MINUTE) + 1) * MINUTE : NEVER;
}

/** Power-up: the register has stood still meanwhile. */
export function resumeDemand(core: Core): void {
  const { demand, s } = core;
  if (demand) {
    const first = Math.floor(s.downSince / MINUTE) + 1;
    const last = Math.floor(s.now / MINUTE);
    for (let m = Math.max(first, last - PLACES + 1); m <= last; m++) demand[m % PLACES] = importNow(core);
  }
  startDemand(core);
}

export function runDemand(core: Core): void {
  const { demand, s, parameters } = core;
  s.demandDue = s.now + MINUTE;
  if (!demand) return;
  demand[Math.floor(s.now / MINUTE) % PLACES] = importNow(core);
  const over = hourlyDemand(core) > parameters.maximumDemand * parameters.demandMargin * 1000;
  if (over === s.overDemand) return;
  s.overDemand = over;
  logEvent(core, over ? EVENTS.overDemand : EVENTS.overDemandEnd);
}
