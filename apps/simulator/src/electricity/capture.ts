/**
 * Profiles: daily (366 rows), periodic (2160), monthly (13) and one of 240 rows for each slave.
 *
 * Decides what a row holds and its status word. Rules for what time can do to a profile:
 * - Rows are stamped with the capture instant by the meter's clock; a local day has 92, 96 or 100 quarters.
 * - Instants that pass while the module is down leave no row in the periodic profile; the next row says powerDown, powerUp.
 *   Of the daily and monthly profile the last missed instant is made good at power-up and says `late` as well: registers
 *   stood still meanwhile, so the value is right.
 * - When the clock is set forward by more than sync_limit, the same holds for the instants jumped over (with `timeChanged`).
 * - When it is set backward by more than sync_limit, instants come a second time and are captured a second time; rows are never
 *   taken back. The running period of every profile says `timeChanged`.
 * - A shift within sync_limit registers nothing, and no instant is captured twice or missed for it.
 */
import { add, startOf } from '@amiable/calendar';
import { isDst } from './clock.ts';
import { type Core, DAILY, FIRST_SLAVE, MONTHLY, PERIODIC, PROFILES } from './core.ts';
import { placeOf, visibleWh } from './energy.ts';
import { PROFILE_STATUS as P } from './events.ts';
import type { EnergyRegister, SlaveSettings } from './parameter-types.ts';
import { Ring } from './ring.ts';
import type { ProfileId, ProfileView } from './state-types.ts';

export const CAPACITY = [366, 2160, 13, 240, 240, 240, 240] as const;
export const MAX_REGISTERS = 4;
export const MAX_SLAVES = 4;

/** First capture instant after `utc`, at multiples of `minutes` of local time. */
export function nextPeriod(zone: string, utc: number, minutes: number): number {
  const period = minutes * 60_000;
  const hour = startOf('hour', zone, utc);
  return hour + (Math.floor((utc - hour) / period) + 1) * period;
}

export const nextMidnight = (zone: string, utc: number): number => add('day', zone, utc, 1);

/** Status bits that hold for the whole meter as it is now. */
function commonStatus(core: Core, at: number): number {
  const { s, config } = core;
  return (
    (s.error !== 'none' ? P.criticalError : 0) |
    (s.clockInvalid ? P.clockInvalid : 0) |
    (s.synchronised ? 0 : P.clockDesynchronised) |
    (isDst(config.zone, at) ? P.dst : 0) |
    (s.connected ? 0 : P.disconnected) |
    (s.overDemand ? P.overDemand : 0)
  );
}

function registersOf(core: Core, which: number): readonly EnergyRegister[] {
  const { parameters } = core;
  return which === DAILY ? parameters.daily : which === PERIODIC ? parameters.periodic : parameters.monthly;
}

function open(core: Core, which: number, at: number, extra: number): Ring {
  let ring = core.rings[which];
  if (!ring) {
    const width =
      which >= FIRST_SLAVE ? 1 : registersOf(core, which).length + (which === MONTHLY ? slaveTotals(core).length : 0);
    ring = new Ring(CAPACITY[which] as number, width, which >= MONTHLY);
    core.rings[which] = ring;
  }
  const status = commonStatus(core, at) | (core.pending[which] as number) | extra;
  core.pending[which] = 0;
  ring.push(at, core.config.statusBits === 8 ? status & 0xff : status);
  return ring;
}

/** Channels whose totals stand in the monthly profile. */
function slaveTotals(core: Core): readonly number[] {
  return core.parameters.slaves.flatMap((settings, channel) => (settings ? [channel] : []));
}

/** Captures registers into the daily, periodic or monthly profile; `at` by the meter's clock. */
export function capture(core: Core, which: number, at: number, extra = 0): void {
  const registers = registersOf(core, which);
  const totals = which === MONTHLY ? slaveTotals(core) : [];
  const ring = open(core, which, at, extra);
  for (let i = 0; i < registers.length; i++) ring.set(i, visibleWh(core, placeOf(registers[i] as EnergyRegister)));
  for (const [i, channel] of totals.entries())
    ring.set(registers.length + i, core.slaves[channel]?.last?.value ?? Number.NaN);
  core.listener?.captured?.(PROFILES[which] as ProfileId);
}

/** Captures a slave's value. */
export function captureSlave(core: Core, channel: number, at: number, value: number, extra: number): void {
  open(core, FIRST_SLAVE + channel, at, extra).set(0, value);
  core.listener?.captured?.(PROFILES[FIRST_SLAVE + channel] as ProfileId);
}

/** Marks the running period of every profile. */
export function mark(core: Core, bits: number): void {
  for (let i = 0; i < core.pending.length; i++) core.pending[i] = (core.pending[i] as number) | bits;
}

/** Forgets the rows: asked for, or because what is captured changes. */
export function clear(core: Core, which: number): void {
  core.rings[which] = undefined;
}

function columnsOf(core: Core, which: number): string[] {
  const slave = (settings: SlaveSettings | undefined): string[] => (settings ? [settings.obis] : []);
  if (which >= FIRST_SLAVE) return slave(core.parameters.slaves[which - FIRST_SLAVE]);
  const own = registersOf(core, which).map((id) => `1-0:${id}`);
  return which === MONTHLY ? [...own, ...core.parameters.slaves.flatMap(slave)] : own;
}

function periodOf(core: Core, which: number): number {
  if (which === DAILY) return 86_400;
  if (which === PERIODIC) return core.parameters.capturePeriod * 60;
  if (which === MONTHLY) return 0;
  return core.parameters.slaves[which - FIRST_SLAVE]?.capture === 'hourly' ? 3600 : 86_400;
}

export function viewProfile(core: Core, id: ProfileId): ProfileView {
  const which = PROFILES.indexOf(id);
  const ring = core.rings[which];
  const value = (index: number, column: number): number => ring?.value(index, column) ?? Number.NaN;
  return {
    capacity: CAPACITY[which] as number,
    length: ring?.length ?? 0,
    period: periodOf(core, which),
    columns: columnsOf(core, which),
    timeOf: (index) => ring?.timeOf(index) ?? Number.NaN,
    statusOf: (index) => ring?.statusOf(index) ?? 0,
    value,
    row: (index) => ({
      at: ring?.timeOf(index) ?? Number.NaN,
      status: ring?.statusOf(index) ?? 0,
      values: Array.from({ length: ring?.width ?? 0 }, (_, column) => value(index, column)),
    }),
  };
}
