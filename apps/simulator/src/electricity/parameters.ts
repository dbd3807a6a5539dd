/**
 * Parameters: what a meter is delivered with, and the limits that a change must keep. A change is taken whole or not at all.
 */
import { clear, MAX_REGISTERS, MAX_SLAVES, mark } from './capture.ts';
import { type Core, DAILY, MONTHLY, PERIODIC } from './core.ts';
import { startDemand } from './demand.ts';
import { REGISTERS, settle } from './energy.ts';
import { EVENTS, PROFILE_STATUS } from './events.ts';
import { logEvent } from './log.ts';
import { DONE, refuse } from './outcome.ts';
import type {
  Definition,
  EnergyRegister,
  Limit,
  MeterParameters,
  SlaveSettings,
  SwitchingTables,
} from './parameter-types.ts';
import { superviseVoltages, suspendQuality } from './quality.ts';
import { restartSchedule } from './schedule.ts';
import { replaceSlave } from './slaves.ts';
import type { Outcome } from './state-types.ts';
import { setParameterisationId } from './switching.ts';
import { checkSpecialDays, checkTables } from './tou.ts';
import type { MeterConfig } from './types.ts';

export const MESSAGE_LENGTH = 43;
/** Per cent of nominal voltage. */
const SINGLE_PHASE_ABOVE = 80;

const EVERY_DAY = [1, 1, 1, 1, 1, 1, 1] as const;

const one = (points: readonly { readonly minute: number; readonly selector: number }[]): Definition => ({
  seasons: [{ name: 'year', start: { month: 1, day: 1 }, week: 'week' }],
  weeks: [{ name: 'week', days: EVERY_DAY }],
  days: [{ id: 1, points }],
});

/** Rate 1 by day (06:00 to 22:00), rate 2 and the control output by night. */
export const DELIVERED_TABLES: SwitchingTables = {
  name: 'day/night',
  parameterisationId: '1',
  tariff: one([
    { minute: 6 * 60, selector: 1 },
    { minute: 22 * 60, selector: 2 },
  ]),
  output: one([
    { minute: 6 * 60, selector: 0 },
    { minute: 22 * 60, selector: 1 },
  ]),
};

const NO_TABLES: SwitchingTables = {
  name: '',
  parameterisationId: undefined,
  tariff: { seasons: [], weeks: [], days: [] },
  output: { seasons: [], weeks: [], days: [] },
};

/** As delivered. Shared by all meters until something is written. */
export const DELIVERED: MeterParameters = {
  syncLimit: 10,
  smallShiftWindow: 86_400,
  plcLostAfter: 6 * 3600,
  longPowerFailure: 180,
  undervoltage: { percent: 90, minutes: 10 },
  overvoltage: { percent: 110, minutes: 10 },
  phaseOutage: { percent: 70, minutes: 2 },
  hysteresis: 2,
  powerQualityRegistration: true,
  unregistered: [],
  maximumDemand: 0,
  demandMargin: 1,
  fuse: '',
  capturePeriod: 60,
  daily: ['1.8.1', '1.8.2', '2.8.1', '2.8.2'],
  periodic: ['1.8.0', '2.8.0'],
  monthly: ['1.8.1', '1.8.2', '2.8.1', '2.8.2'],
  slaves: [],
  tou: DELIVERED_TABLES,
  passiveTou: NO_TABLES,
  touActivation: undefined,
  specialDays: [],
  display: {
    thresholds: [2000, 5000],
    prices: [200, 150],
    currency: '€',
    co2Electricity: 400,
    co2Gas: 1800,
    message: '',
  },
};

/** For a single-phase meter the limits of undervoltage and outage lie above 80 %: below that it has no supply of its own. */
export const DELIVERED_SINGLE_PHASE: MeterParameters = { ...DELIVERED, phaseOutage: { percent: 82, minutes: 2 } };

const whole = (n: number, low: number, high: number): boolean => Number.isInteger(n) && n >= low && n <= high;
const within = (n: number, low: number, high: number): boolean => n >= low && n <= high;

function checkLimit(what: string, limit: Limit, low: number, high: number, above?: number): string | undefined {
  if (!within(limit.percent, low, high)) return `${what}: ${limit.percent} %; ${low} to ${high} are possible`;
  if (above !== undefined && limit.percent <= above)
    return `${what}: ${limit.percent} %; a single-phase meter asks for more than ${above} %`;
  if (!whole(limit.minutes, 2, 1440))
    return `${what}: ${limit.minutes} minutes; whole minutes, more than 1 and at most 1440`;
  return undefined;
}

function checkRegisters(what: string, registers: readonly EnergyRegister[]): string | undefined {
  if (registers.length > MAX_REGISTERS) return `${what}: ${registers.length} registers; at most ${MAX_REGISTERS}`;
  for (const id of registers) if (!REGISTERS.includes(id)) return `${what}: there is no register ${id}`;
  if (new Set(registers).size < registers.length) return `${what}: a register stands there twice`;
  return undefined;
}

function checkSlave(settings: SlaveSettings, channel: number): string | undefined {
  if (!whole(settings.address, 0, 250))
    return `slave ${channel + 1}: address ${settings.address}; 0 to 250 are possible`;
  if (!/^\d{1,3}-\d{1,3}:\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(settings.obis))
    return `slave ${channel + 1}: ${settings.obis} is no OBIS code`;
  if (!whole(settings.scaler, -9, 9)) return `slave ${channel + 1}: scaler ${settings.scaler}; -9 to 9 are possible`;
  return undefined;
}

/** What is wrong with parameters for a meter of this kind; undefined when nothing is. */
export function checkParameters(config: MeterConfig, p: MeterParameters): string | undefined {
  const single = config.type === 'single-phase';
  const above = single ? SINGLE_PHASE_ABOVE : undefined;
  const { display } = p;
  return (
    (whole(p.syncLimit, 0, 65535) ? undefined : `sync_limit of ${p.syncLimit} s; 0 to 65535 are possible`) ??
    (whole(p.smallShiftWindow, 60, 2_592_000)
      ? undefined
      : `window of ${p.smallShiftWindow} s; 60 to 2592000 are possible`) ??
    (whole(p.plcLostAfter, 60, 604_800)
      ? undefined
      : `${p.plcLostAfter} s until a module is NEW; 60 to 604800 are possible`) ??
    (whole(p.longPowerFailure, 10, 65535)
      ? undefined
      : `long power failure after ${p.longPowerFailure} s; 10 to 65535 are possible`) ??
    checkLimit('undervoltage', p.undervoltage, 1, 99, above) ??
    checkLimit('overvoltage', p.overvoltage, 101, 150) ??
    checkLimit('single phase outage', p.phaseOutage, 1, 99, above) ??
    (p.phaseOutage.percent < p.undervoltage.percent
      ? undefined
      : 'the limit of an outage is below that of undervoltage') ??
    (within(p.hysteresis, 0, 10) ? undefined : `hysteresis of ${p.hysteresis} %; 0 to 10 are possible`) ??
    (p.maximumDemand === 0 || within(p.maximumDemand, 1, 256)
      ? undefined
      : `maximum demand of ${p.maximumDemand} kW; 1 to 256 are possible, 0 turns it off`) ??
    (within(p.demandMargin, 1, 2) ? undefined : `margin factor ${p.demandMargin}; 1 to 2 are possible`) ??
    (p.fuse.length <= 32 ? undefined : 'the fuse has more than 32 characters') ??
    ([15, 30, 60].includes(p.capturePeriod) ? undefined : `${p.capturePeriod} minutes; 15, 30 and 60 are possible`) ??
    checkRegisters('daily profile', p.daily) ??
    checkRegisters('periodic profile', p.periodic) ??
    checkRegisters('monthly profile', p.monthly) ??
    (p.slaves.length <= MAX_SLAVES ? undefined : `${p.slaves.length} slaves; at most ${MAX_SLAVES}`) ??
    p.slaves.map((slave, channel) => slave && checkSlave(slave, channel)).find(Boolean) ??
    checkTables(p.tou) ??
    checkTables(p.passiveTou) ??
    checkSpecialDays(p.specialDays) ??
    (p.touActivation === undefined || Number.isSafeInteger(p.touActivation) ? undefined : 'no time of activation') ??
    (display.message.length <= MESSAGE_LENGTH
      ? undefined
      : `a message of ${display.message.length} characters; at most ${MESSAGE_LENGTH}`) ??
    (display.prices.length <= 4 ? undefined : 'more than 4 prices') ??
    (display.thresholds[0] <= display.thresholds[1] ? undefined : 'threshold 1 is above threshold 2')
  );
}

const same = (a: unknown, b: unknown): boolean => a === b || JSON.stringify(a) === JSON.stringify(b);

/** Takes a change and does what follows from it: profiles begin anew where what they capture has changed, and so on. */
export function setParameters(core: Core, change: Partial<MeterParameters>): Outcome {
  const { s, config } = core;
  if (!s.powered) return refuse('power-down', 'the module has no mains');
  const before = core.parameters;
  const after: MeterParameters = { ...before, ...change };
  const wrong = checkParameters(config, after);
  if (wrong) return refuse('range', wrong);
  const changed = (Object.keys(change) as (keyof MeterParameters)[]).filter((key) => !same(before[key], after[key]));
  if (changed.length === 0) return DONE;
  const has = (...keys: (keyof MeterParameters)[]): boolean => keys.some((key) => changed.includes(key));
  settle(core);
  if (before.powerQualityRegistration && !after.powerQualityRegistration) logEvent(core, EVENTS.powerQualityOff);
  core.parameters = after;
  if (!before.powerQualityRegistration && after.powerQualityRegistration) logEvent(core, EVENTS.powerQualityOn);
  if (has('daily')) clear(core, DAILY);
  if (has('periodic', 'capturePeriod')) clear(core, PERIODIC);
  if (has('monthly', 'slaves')) clear(core, MONTHLY);
  if (has('slaves'))
    for (let channel = 0; channel < MAX_SLAVES; channel++)
      if (!same(before.slaves[channel], after.slaves[channel])) replaceSlave(core, channel);
  if (has('undervoltage', 'overvoltage', 'phaseOutage', 'hysteresis')) {
    // Minutes that count under the old limits do not count under the new ones.
    suspendQuality(core);
    superviseVoltages(core);
  }
  if (has('maximumDemand', 'demandMargin')) startDemand(core);
  if (has('plcLostAfter') && s.plcState === 'registered') s.plcDue = s.now + after.plcLostAfter * 1000;
  if (has('display') && after.display.message !== before.display.message)
    s.messageUnread = after.display.message !== '';
  const id = after.tou.parameterisationId;
  if (has('tou') && id !== undefined && id !== s.ids['parameterisation-id']) setParameterisationId(core, id);
  // A message or a price is nothing that a log of 200 entries should fill up with.
  if (changed.some((key) => key !== 'display')) {
    mark(core, PROFILE_STATUS.parametersChanged);
    logEvent(core, EVENTS.parametersChanged);
  }
  if (has('capturePeriod', 'tou', 'touActivation', 'passiveTou', 'specialDays', 'slaves')) restartSchedule(core);
  return DONE;
}
