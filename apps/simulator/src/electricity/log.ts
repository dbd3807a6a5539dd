/**
 * The two event logs: standard (200 entries) and disconnecter (20), and the device status word that goes with each entry.
 * Events of the quality of supply are only registered where that is enabled.
 */
import { clockNow, isDst } from './clock.ts';
import type { Core } from './core.ts';
import { DEVICE_STATUS, type EventNumber, isDisconnecterEvent, isQualityEvent } from './events.ts';
import { LogRing } from './ring.ts';

export const STANDARD = 0;
export const DISCONNECTER = 1;
export const LOG_CAPACITY = [200, 20] as const;

/** Below it a phase counts as missing in the device status, V. */
const MISSING = 120;

export function deviceStatus(core: Core): number {
  const { s, config, volts } = core;
  const D = DEVICE_STATUS;
  let bits = 0;
  if (s.error === 'fatal') bits |= D.fatalError;
  if (s.error === 'critical') bits |= D.criticalError;
  if (s.clockInvalid) bits |= D.clockInvalid;
  if (!s.synchronised) bits |= D.clockDesynchronised;
  if (isDst(config.zone, clockNow(core))) bits |= D.dst;
  if (!s.connected) bits |= D.disconnected;
  if (s.enabled) bits |= D.localConnectionEnabled;
  if (config.disconnecter && s.mode === 'remote') bits |= D.remoteMode;
  if (s.rate === 2) bits |= D.rate2;
  if (s.output) bits |= D.controlOutput;
  if ((volts[0] as number) < MISSING) bits |= D.phase1Missing;
  if (config.type === 'polyphase') {
    if ((volts[1] as number) < MISSING) bits |= D.phase2Missing;
    if ((volts[2] as number) < MISSING) bits |= D.phase3Missing;
  }
  if (s.overDemand) bits |= D.overDemand;
  if (s.alertInput) bits |= D.alert;
  if (!s.powered) bits |= D.powerDown;
  return bits;
}

/** Registers an event at the clock's now, or at clock time `at`. */
export function logEvent(core: Core, event: EventNumber, at = clockNow(core)): void {
  const { parameters } = core;
  if (isQualityEvent(event) && !parameters.powerQualityRegistration) return;
  if (parameters.unregistered.includes(event)) return;
  const which = isDisconnecterEvent(event) ? DISCONNECTER : STANDARD;
  core.logs[which] ??= new LogRing(LOG_CAPACITY[which]);
  const status = deviceStatus(core);
  core.logs[which].push(at, status, event);
  core.listener?.event?.(which === STANDARD ? 'standard' : 'disconnecter', {
    at: Math.floor(at / 1000) * 1000,
    status,
    event,
  });
}
