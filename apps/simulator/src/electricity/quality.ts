/**
 * Supervision of each phase's voltage (§7.4.7): under-, overvoltage and single-phase outage, each for at least so many
 * minutes, and the return from each.
 *
 * - Below a limit means below it, above means above: at the limit nothing begins. A state that has begun to last is over as
 *   soon as the voltage is at the limit again; a registered one only when it is the hysteresis (2 % of nominal, the accuracy of
 *   the measurement) beyond it, so that noise does not fill the log.
 * - While a phase is below the limit of an outage, no undervoltage of it begins or is registered; minutes count from when it
 *   is above. An undervoltage that was registered before ends with its own event when the voltage has come back.
 * - A failure of all phases takes the module down with it: what had begun begins anew at power-up, what was registered ends
 *   with its event then, if the voltage is good.
 *
 * Supervision is continuous: it does not wait for the module's next read-out. Leaves out failures of all phases (power.ts).
 */
import { type Core, MINUTE, NEVER, phaseCount } from './core.ts';
import { EVENTS, type EventNumber } from './events.ts';
import { logEvent } from './log.ts';

const UNDER = 0;
const OVER = 3;
const OUTAGE = 6;

function begin(core: Core, place: number, minutes: number): void {
  const { qualityDue, qualityActive, s } = core;
  if (qualityActive[place] === 1 || (qualityDue[place] as number) < NEVER) return;
  qualityDue[place] = s.now + minutes * MINUTE;
  s.qualityDue = Math.min(s.qualityDue, qualityDue[place] as number);
}

function cancel(core: Core, place: number): void {
  if (core.qualityDue[place] === NEVER) return;
  core.qualityDue[place] = NEVER;
  refresh(core);
}

function end(core: Core, place: number, event: EventNumber): void {
  if (core.qualityActive[place] !== 1) return;
  core.qualityActive[place] = 0;
  logEvent(core, event);
}

function refresh(core: Core): void {
  let due = NEVER;
  for (let i = 0; i < core.qualityDue.length; i++) due = Math.min(due, core.qualityDue[i] as number);
  core.s.qualityDue = due;
}

/** To be called when the voltages have changed, and at power-up; the module has mains. */
export function superviseVoltages(core: Core): void {
  const { parameters, config, volts, qualityActive } = core;
  const { undervoltage, overvoltage, phaseOutage, hysteresis } = parameters;
  const percent = 100 / config.nominalVoltage;
  for (let phase = 0; phase < phaseCount(core); phase++) {
    const u = (volts[phase] as number) * percent;
    const out = u < phaseOutage.percent;
    if (out) begin(core, OUTAGE + phase, phaseOutage.minutes);
    else {
      cancel(core, OUTAGE + phase);
      if (u >= phaseOutage.percent + hysteresis)
        end(core, OUTAGE + phase, (EVENTS.phaseRestoredL1 + phase) as EventNumber);
    }
    // Registered as out, the phase is out until it is restored.
    if (u < undervoltage.percent && !out && qualityActive[OUTAGE + phase] === 0)
      begin(core, UNDER + phase, undervoltage.minutes);
    else {
      cancel(core, UNDER + phase);
      if (u >= undervoltage.percent + hysteresis)
        end(core, UNDER + phase, (EVENTS.undervoltageEndL1 + phase) as EventNumber);
    }
    if (u > overvoltage.percent) begin(core, OVER + phase, overvoltage.minutes);
    else {
      cancel(core, OVER + phase);
      if (u <= overvoltage.percent - hysteresis)
        end(core, OVER + phase, (EVENTS.overvoltageEndL1 + phase) as EventNumber);
    }
  }
}

/** Registers what has lasted long enough at `now`. */
export function runQuality(core: Core): void {
  const { qualityDue, qualityActive, s } = core;
  for (let place = 0; place < qualityDue.length; place++) {
    if ((qualityDue[place] as number) > s.now) continue;
    qualityDue[place] = NEVER;
    qualityActive[place] = 1;
    const first =
      place < OVER
        ? EVENTS.undervoltageL1
        : place < OUTAGE
          ? EVENTS.overvoltageL1 - OVER
          : EVENTS.phaseOutageL1 - OUTAGE;
    logEvent(core, (first + place) as EventNumber);
  }
  refresh(core);
}

/** Power-down: nothing is timed any more. */
export function suspendQuality(core: Core): void {
  core.qualityDue.fill(NEVER);
  core.s.qualityDue = NEVER;
}
