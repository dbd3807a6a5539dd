/**
 * How a PLC module stands with its concentrator, as far as lights and clock rules need it: NEW and unlocked (no concentrator
 * known), NEW and locked (one was heard), registered. A registered module that has heard nothing for `plcLostAfter` (6 h) is
 * NEW again, as after so long without mains, and as after its parameterisation id was written.
 */
import { type Core, NEVER, SECOND } from './core.ts';

export function plcHeard(core: Core): void {
  const { s, parameters, config } = core;
  if (config.module !== 'plc' || !s.powered) return;
  if (s.plcState === 'new-unlocked') s.plcState = 'new-locked';
  if (s.plcState === 'registered') s.plcDue = s.now + parameters.plcLostAfter * SECOND;
}

export function plcRegistered(core: Core): void {
  const { s, config } = core;
  if (config.module !== 'plc' || !s.powered) return;
  s.plcState = 'registered';
  plcHeard(core);
}

export function runPlc(core: Core): void {
  core.s.plcDue = NEVER;
  core.s.plcState = 'new-unlocked';
}
