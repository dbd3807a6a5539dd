/**
 * What the switching tables switch: the rate that energy is counted in, and the control output.
 *
 * Where the fitted interface is a rate control input, that decides the rate (energised: rate 2) and the table does not. While
 * the clock is not synchronised the low tariff holds and the control output is off, because nobody knows what time it is.
 */
import { clockNow } from './clock.ts';
import { type Core, NEVER } from './core.ts';
import { settle } from './energy.ts';
import { EVENTS } from './events.ts';
import { logEvent } from './log.ts';
import type { Rate } from './parameter-types.ts';
import { governing } from './tou.ts';

/** Puts into force what the table says now; sets when to ask again. */
export function applySwitching(core: Core): void {
  const { s, config, parameters } = core;
  const { tou, specialDays } = parameters;
  let rate: Rate = config.lowRate;
  let output = false;
  s.switchDue = NEVER;
  if (s.synchronised) {
    const clock = clockNow(core);
    const tariff = governing(tou.tariff, specialDays, config.zone, clock);
    const load = governing(tou.output, specialDays, config.zone, clock);
    rate = (tariff.selector as Rate | undefined) ?? config.lowRate;
    output = load.selector === 1;
    s.switchDue = Math.min(tariff.next, load.next);
  }
  if (config.interface === 'rate-input') rate = s.rateInput ? 2 : 1;
  if (rate !== s.rate) {
    settle(core);
    s.rate = rate;
  }
  s.output = output;
}

/** A parameterisation id was written, directly or with a table: the concentrator has to learn it anew. */
export function setParameterisationId(core: Core, id: string): void {
  const { s } = core;
  s.ids['parameterisation-id'] = id;
  logEvent(core, EVENTS.parameterisationIdChanged);
  if (core.config.module === 'plc') {
    s.plcState = 'new-unlocked';
    s.plcDue = NEVER;
  }
}

/** The passive table becomes active, and with it its parameterisation id. */
export function activateTou(core: Core): void {
  const { passiveTou } = core.parameters;
  core.parameters = { ...core.parameters, tou: passiveTou, touActivation: undefined };
  core.s.activationDue = NEVER;
  logEvent(core, EVENTS.touActivated);
  if (passiveTou.parameterisationId !== undefined) setParameterisationId(core, passiveTou.parameterisationId);
  applySwitching(core);
}
