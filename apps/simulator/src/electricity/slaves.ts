/**
 * Up to four M-Bus slaves: when they are asked, and what of their answers becomes a row.
 *
 * A slave with daily values, or with hourly ones that it keeps itself, is asked once a day, some minutes after local midnight
 * (its battery is spared). One with hourly values that it does not keep is asked each hour. When it has not answered by the
 * next time, the row gets the last value known and `dataNotActual`, unless the slave keeps its hours and can give them later;
 * the first such time is an event, and so is its return.
 *
 * Leaves out the bus: the port answers at once or later. The mapping of records to OBIS codes is kept in the settings.
 */
import { startOf } from '@amiable/calendar';
import { captureSlave, MAX_SLAVES, nextMidnight, nextPeriod } from './capture.ts';
import { clockNow } from './clock.ts';
import { type Core, FIRST_SLAVE, HOUR, MINUTE, NEVER, type SlaveState } from './core.ts';
import { EVENTS, type EventNumber, PROFILE_STATUS } from './events.ts';
import { logEvent } from './log.ts';
import type { SlaveReading, SlaveSettings } from './parameter-types.ts';

/** After midnight, so that the slave has closed its day; each channel a minute later. */
const FETCH_DELAY = 5 * MINUTE;

const daily = (settings: SlaveSettings): boolean => settings.capture === 'daily' || settings.hasProfile;

export function slaveState(core: Core, channel: number): SlaveState {
  core.slaves[channel] ??= { ids: {}, last: undefined, due: NEVER, awaited: 0, rowsTo: 0, silent: false };
  return core.slaves[channel];
}

/** First fetch after clock time `clock`. */
function nextFetch(core: Core, channel: number, settings: SlaveSettings, clock: number): number {
  const { zone } = core.config;
  if (!daily(settings)) return nextPeriod(zone, clock, 60);
  const delay = FETCH_DELAY + channel * MINUTE;
  const today = startOf('day', zone, clock) + delay;
  return today > clock ? today : nextMidnight(zone, clock) + delay;
}

/** Start, new settings, clock set, power-up: the next fetches from clock time `clock` on. */
export function scheduleSlaves(core: Core, clock: number): void {
  for (let channel = 0; channel < MAX_SLAVES; channel++) {
    const settings = core.parameters.slaves[channel];
    if (!settings) {
      if (core.slaves[channel]) slaveState(core, channel).due = NEVER;
      continue;
    }
    const state = slaveState(core, channel);
    // What was missed is done soon; the bus gets a moment to come up.
    state.due = state.due <= clock ? clock + (channel + 1) * MINUTE : nextFetch(core, channel, settings, clock);
    if (state.rowsTo === 0 || state.rowsTo > clock) state.rowsTo = startOf('hour', core.config.zone, clock);
  }
}

export function slavesDue(core: Core): number {
  let due = NEVER;
  for (const state of core.slaves) if (state && state.due < due) due = state.due;
  return due;
}

function row(core: Core, channel: number, at: number, value: number, bits: number): void {
  const state = slaveState(core, channel);
  captureSlave(core, channel, at, value, bits);
  state.rowsTo = at;
}

function silence(core: Core, channel: number, silent: boolean): void {
  const state = slaveState(core, channel);
  if (state.silent === silent) return;
  state.silent = silent;
  logEvent(core, ((silent ? EVENTS.slaveSilent1 : EVENTS.slaveBack1) + channel) as EventNumber);
}

/** No answer came in its period. */
function giveUp(core: Core, channel: number): void {
  const state = slaveState(core, channel);
  if (state.awaited === 0) return;
  const { hasProfile, capture } = core.parameters.slaves[channel] as SlaveSettings;
  // What a slave keeps itself is not lost: it is asked for again, from the last row on.
  if (state.awaited > state.rowsTo && !(hasProfile && capture === 'hourly'))
    row(core, channel, state.awaited, state.last?.value ?? 0, PROFILE_STATUS.dataNotActual);
  state.awaited = 0;
  silence(core, channel, true);
}

/** Asks every slave whose time has come by clock time `clock`. */
export function fetchSlaves(core: Core, clock: number): void {
  const { zone } = core.config;
  for (let channel = 0; channel < MAX_SLAVES; channel++) {
    const settings = core.parameters.slaves[channel];
    const state = core.slaves[channel];
    if (!settings || !state || state.due > clock) continue;
    giveUp(core, channel);
    state.due = nextFetch(core, channel, settings, clock);
    state.awaited = startOf(daily(settings) ? 'day' : 'hour', zone, clock);
    const answer = core.port?.fetch(channel, settings, state.rowsTo, state.awaited);
    if (answer) slaveData(core, channel, answer);
  }
}

/** Readings came, asked for or not. */
export function slaveData(core: Core, channel: number, readings: readonly SlaveReading[]): void {
  const settings = core.parameters.slaves[channel];
  if (!settings || !core.s.powered || readings.length === 0) return;
  const state = slaveState(core, channel);
  const sorted = [...readings].sort((a, b) => a.at - b.at);
  const newest = sorted.at(-1) as SlaveReading;
  if (!state.last || newest.at >= state.last.at) state.last = newest;
  if (state.awaited === 0) return;
  const alarm = (reading: SlaveReading): number => (reading.status ? PROFILE_STATUS.slaveAlarm : 0);
  const until = state.awaited;
  if (settings.capture === 'hourly' && settings.hasProfile) {
    // A clock that is ahead of ours must not write rows of tomorrow.
    for (const reading of sorted)
      if (reading.at > state.rowsTo && reading.at <= until)
        row(core, channel, reading.at, reading.value, alarm(reading));
  } else if (until > state.rowsTo) {
    const before = settings.capture === 'hourly' ? until - HOUR : startOf('day', core.config.zone, until - 1);
    row(core, channel, until, newest.value, (newest.at <= before ? PROFILE_STATUS.dataNotActual : 0) | alarm(newest));
  }
  state.awaited = 0;
  silence(core, channel, false);
}

/** New settings for a channel: its rows mean something else now. */
export function replaceSlave(core: Core, channel: number): void {
  core.rings[FIRST_SLAVE + channel] = undefined;
  const old = core.slaves[channel];
  if (old) core.slaves[channel] = { ...old, last: undefined, awaited: 0, rowsTo: 0, silent: false, due: NEVER };
  scheduleSlaves(core, clockNow(core));
}
