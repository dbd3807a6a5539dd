/**
 * The gas smart module's one loop over what comes next: a change of flow, a block's limit, the last of the credit, the valve's
 * motor, midnight (system description §8).
 *
 * Decides: at one instant, time's own events come first (motor, activation, midnight, hour), then what the gas has reached
 * (block, credit), then new conditions. Limits are reached to the millisecond; volumes and money are whole numbers, split
 * exactly at a block's limit. What the description leaves open is decided here and listed in docs/simulate-mbus.md.
 */
import { MisuseError } from '@amiable/bytes';
import { add, startOf, zoneOffset } from '@amiable/calendar';
import { chargeDay, chargeVolume, creditChanged, creditDue, isFriendly } from './account.ts';
import { displayOf } from './display.ts';
import { checkParameters, DELIVERED_GAS } from './parameters.ts';
import { addVolume, createState, type GasState, log, MOTOR, NEVER, raise } from './state.ts';
import {
  GAS_ALARMS,
  type GasModule,
  type GasOptions,
  type GasOutcome,
  type GasParameters,
  SPECIFICATION as S,
  SOUND,
} from './types.ts';

const HOUR = 3_600_000;
/** A quarter of the least flow: below it the sound tells nothing. */
const STARTING_FLOW = S.minimumFlow / 4;
const KELVIN = 273.15;
/** Of the temperature that volumes are converted to, and of the air. */
const BASE_KELVIN = 288.15;
const ATMOSPHERE = 1013.25;
const HOURS_KEPT = 744;
const DAYS_KEPT = 366;
/** µAh. */
const DRAW = { day: 3000, valve: 500, wireless: 5, wired: 0 } as const;
const BATTERY = S.battery * 1000;
const LONGEST = 50 * 366 * 24 * HOUR;

const done: GasOutcome = { done: true };
const refused = (reason: string): GasOutcome => ({ done: false, reason });

// ---------------------------------------------------------------- metering

/** All that flowed since it was last settled. */
function settle(s: GasState): void {
  const dt = s.now - s.settledTo;
  if (dt <= 0) return;
  s.settledTo = s.now;
  if (s.rate > 0) {
    addVolume(s.gross, s.rate, dt);
    addVolume(s.converted, s.convertedRate, dt);
    const billed = addVolume(s.billed, billedRate(s), dt);
    if (s.module !== 'none' && billed > 0) chargeVolume(s, billed);
  }
}

const billedRate = (s: GasState): number =>
  s.parameters.compensation && s.module !== 'none' ? s.convertedRate : s.rate;

/** What the sound says of the flow, mL/h: with this meter's error, and nothing below its start. */
function measured(s: GasState, real: number): number {
  if (real < STARTING_FLOW) return 0;
  const percent = real < S.transitionalFlow ? 2 * S.accuracyPercent : S.accuracyPercent;
  // Another gas has another sound: the times of flight no longer fit the tables.
  const strange = s.gas === 'natural' ? 1 : 1 + (SOUND.natural - SOUND[s.gas]) / 4000;
  return Math.round(real * (1 + (s.config.errorShare * percent) / 100) * strange);
}

/** New conditions from `now` on. */
function applyConditions(s: GasState): void {
  settle(s);
  const { source } = s;
  const temperature = source.temperature(s.now);
  const pressure = source.pressure(s.now);
  const shut = s.valve === 'closed' || s.valve === 'armed' || s.valve === 'opening';
  // The household takes energy: colder gas is denser, so less of it goes through the pipe.
  const wanted = source.rate(s.now);
  const through = (wanted * (KELVIN + temperature) * ATMOSPHERE) / (BASE_KELVIN * (ATMOSPHERE + pressure));
  s.rate = measured(s, shut ? s.leak : through);
  s.temperature = temperature;
  s.convertedRate = Math.round((s.rate * BASE_KELVIN) / (KELVIN + temperature));
  raise(s, 'overflow', s.rate > S.maximumFlow, 'overflow', 'overflowEnd');
  raise(s, 'overpressure', pressure > S.maximumPressure, 'overpressure', 'overpressureEnd');
  const outside = temperature < S.lowestTemperature || temperature > S.highestTemperature;
  raise(s, 'temperature', outside, 'temperature', 'temperatureEnd');
  raise(s, 'wrongGas', s.gas !== 'natural', 'wrongGas', 'wrongGasEnd');
  raise(s, 'valveLeak', (s.valve === 'closed' || s.valve === 'armed') && s.rate > 0, 'valveLeak', undefined);
}

// ---------------------------------------------------------------- valve

function moveValve(s: GasState, to: 'opening' | 'closing', cause: GasState['valveCause']): void {
  s.valve = to;
  s.valveCause = cause;
  s.valveDue = s.now + MOTOR;
  s.battery = Math.max(0, s.battery - DRAW.valve);
}

function valveArrived(s: GasState): void {
  const opened = s.valve === 'opening';
  s.valve = opened ? 'open' : 'closed';
  s.valveDue = NEVER;
  log(s, opened ? 'valveOpened' : 'valveClosed');
  applyConditions(s);
  // Credit may have come while the valve was on its way.
  if (!opened && s.valveCause === 'credit' && !s.wantsClosed) arm(s);
}

function arm(s: GasState): void {
  s.valve = 'armed';
  log(s, 'valveArmed');
}

/** Closes for want of credit, or arms again, as the account now is. */
function applyCredit(s: GasState): void {
  creditChanged(s);
  if (s.wantsClosed && (s.valve === 'open' || s.valve === 'opening' || s.valve === 'armed')) {
    if (isFriendly(s)) return;
    if (s.valve === 'armed') {
      s.valve = 'closed';
      s.valveCause = 'credit';
    } else moveValve(s, 'closing', 'credit');
  } else if (!s.wantsClosed && s.valve === 'closed' && s.valveCause === 'credit') arm(s);
}

// ---------------------------------------------------------------- time

const clockOf = (s: GasState): number => s.now + s.clockOffset;

function schedule(s: GasState): void {
  const clock = clockOf(s);
  s.hourDue = startOf('hour', s.config.zone, clock) + HOUR - s.clockOffset;
  s.dayDue = add('day', s.config.zone, clock, 1) - s.clockOffset;
}

function keep(rows: { at: number; volume: number }[], most: number, at: number, volume: number): void {
  // A clock that was set back comes to the same hours again; what is kept stays.
  if (rows.length && (rows[rows.length - 1]?.at ?? 0) >= at) return;
  rows.push({ at, volume });
  if (rows.length > most) rows.shift();
}

function hourPassed(s: GasState): void {
  keep(s.hours, HOURS_KEPT, clockOf(s), s.billed.whole);
  // The end of friendly hours, and of nothing else.
  applyCredit(s);
}

function dayPassed(s: GasState): void {
  const clock = clockOf(s);
  keep(s.days, DAYS_KEPT, clock, s.billed.whole);
  s.battery = Math.max(0, s.battery - DRAW.day);
  raise(s, 'batteryLow', s.battery < BATTERY / 10, 'batteryLow', undefined);
  chargeDay(s);
  const dayOfMonth = new Date(clock + zoneOffset(s.config.zone, clock)).getUTCDate();
  if (dayOfMonth === s.parameters.tariff.billingDay) {
    s.lastPeriod = s.blocks;
    s.blocks = s.parameters.tariff.prices.map(() => 0);
    log(s, 'billingPeriod');
  }
  applyCredit(s);
}

function activate(s: GasState): void {
  const { passive } = s.parameters;
  if (passive) {
    const used = s.blocks.reduce((a, b) => a + b, 0);
    s.parameters = { ...s.parameters, tariff: passive, passive: undefined, activation: undefined };
    // The period goes on: what was used fills the new blocks from the first.
    s.blocks = passive.prices.map(() => 0);
    fillBlocks(s, used);
    log(s, 'tariffActivated');
  } else s.parameters = { ...s.parameters, activation: undefined };
}

function fillBlocks(s: GasState, volume: number): void {
  const { limits } = s.parameters.tariff;
  let left = volume;
  for (let i = 0; i < s.blocks.length; i++) {
    const room = i < limits.length ? (limits[i] as number) - (i > 0 ? (limits[i - 1] as number) : 0) : left;
    const part = Math.min(left, room);
    s.blocks[i] = part;
    left -= part;
  }
}

function nextDue(s: GasState): number {
  let due = Math.min(s.sourceDue, s.valveDue);
  if (s.module === 'none') return due;
  due = Math.min(due, s.hourDue, s.dayDue, creditDue(s, billedRate(s)));
  const { activation } = s.parameters;
  if (activation !== undefined && s.parameters.passive)
    due = Math.min(due, Math.max(s.now, activation - s.clockOffset));
  return due;
}

function runDue(s: GasState): void {
  settle(s);
  if (s.valveDue <= s.now) valveArrived(s);
  if (s.module !== 'none') {
    const { activation, passive } = s.parameters;
    if (passive && activation !== undefined && activation <= clockOf(s)) activate(s);
    if (s.dayDue <= s.now) dayPassed(s);
    if (s.hourDue <= s.now) hourPassed(s);
    if (s.dayDue <= s.now || s.hourDue <= s.now) schedule(s);
    applyCredit(s);
  }
  if (s.sourceDue <= s.now) {
    const next = s.source.next(s.now);
    if (next <= s.now) throw new MisuseError(`the source's next change after ${s.now} is ${next}`);
    s.sourceDue = next;
    applyConditions(s);
  }
}

function advance(s: GasState, until: number): void {
  if (!Number.isSafeInteger(until)) throw new MisuseError(`advance(${until}): whole milliseconds are needed`);
  if (until - s.now > LONGEST) throw new MisuseError(`advance(${until}): more than 50 years after ${s.now}`);
  for (let due = nextDue(s); due <= until; due = nextDue(s)) {
    if (due > s.now) s.now = due;
    runDue(s);
  }
  if (until > s.now) s.now = until;
  settle(s);
}

// ---------------------------------------------------------------- the face

/** Hangs a meter up. @throws MisuseError for parameters that cannot be */
export function createGasModule(options: GasOptions): GasModule {
  const parameters: GasParameters = { ...DELIVERED_GAS, ...options.parameters };
  const bad = checkParameters(parameters);
  if (bad) throw new MisuseError(bad);
  const s = createState(options, parameters, BATTERY);
  s.sourceDue = options.source.next(s.now);
  applyConditions(s);
  schedule(s);
  applyCredit(s);

  /** Commands reach a module; without one there is a meter only. */
  const commanded = (work: () => GasOutcome): GasOutcome => {
    if (s.module === 'none') return refused('no module is fitted');
    return work();
  };

  return {
    identity: options.identity,
    config: options.config,
    get now() {
      return s.now;
    },
    advance: (until) => advance(s, until),
    nextDue: () => nextDue(s),

    fit(module) {
      settle(s);
      if (s.module === module) return;
      if (s.module !== 'none') log(s, 'moduleRemoved');
      const fresh = s.module === 'none';
      s.module = module;
      if (module === 'none') return;
      log(s, 'moduleFitted');
      if (fresh) {
        // It accounts for what flows from now on.
        s.blocks = s.parameters.tariff.prices.map(() => 0);
        s.billed = { whole: s.parameters.compensation ? s.converted.whole : s.gross.whole, rest: 0 };
        schedule(s);
      }
      applyCredit(s);
    },
    setGas(gas) {
      s.gas = gas;
      applyConditions(s);
    },
    setLeak(rate) {
      s.leak = rate;
      applyConditions(s);
    },
    pressButton() {
      if (s.valve === 'armed') {
        moveValve(s, 'opening', 'button');
        return done;
      }
      if (s.module !== 'none' && s.parameters.mode === 'prepayment' && s.credit <= s.parameters.lowCredit)
        return emergency();
      return refused('nothing is there to be done by the button');
    },
    changeBattery() {
      s.battery = BATTERY;
      s.alarms &= ~GAS_ALARMS.batteryLow;
      log(s, 'batteryChanged');
    },
    transmitted() {
      s.battery = Math.max(0, s.battery - (s.module === 'wireless' ? DRAW.wireless : DRAW.wired));
    },

    closeValve: () =>
      commanded(() => {
        settle(s);
        if (s.valve === 'closed' && s.valveCause === 'command') return done;
        if (s.valve === 'armed' || s.valve === 'closed') {
          s.valve = 'closed';
          s.valveCause = 'command';
          log(s, 'valveClosed');
        } else moveValve(s, 'closing', 'command');
        return done;
      }),
    armValve: () =>
      commanded(() => {
        if (s.wantsClosed) return refused('there is no credit');
        if (s.valve === 'closed') arm(s);
        else if (s.valve === 'closing') return refused('the valve is closing');
        return done;
      }),
    topUp: (transaction, amount) =>
      commanded(() => {
        settle(s);
        if (!Number.isSafeInteger(amount) || amount <= 0 || amount > 1e12) {
          log(s, 'topUpRefused');
          return refused('an amount is a whole number above 0');
        }
        if (s.transactions.includes(transaction)) {
          log(s, 'topUpRefused');
          return refused(`top-up ${transaction} has been taken before`);
        }
        s.transactions.push(transaction);
        if (s.transactions.length > 100) s.transactions.shift();
        s.credit += amount;
        if (s.credit > 0) s.emergencyUsed = false;
        log(s, 'topUp');
        applyCredit(s);
        return done;
      }),
    activateEmergencyCredit: () => commanded(emergency),
    setParameters: (change) =>
      commanded(() => {
        settle(s);
        const next = { ...s.parameters, ...change };
        const wrong = checkParameters(next);
        if (wrong) return refused(wrong);
        const used = s.blocks.reduce((a, b) => a + b, 0);
        s.parameters = next;
        if (change.tariff) {
          s.blocks = next.tariff.prices.map(() => 0);
          fillBlocks(s, used);
        }
        log(s, 'parametersChanged');
        applyCredit(s);
        return done;
      }),
    setClock: (utc) =>
      commanded(() => {
        settle(s);
        s.clockOffset = utc - s.now;
        s.clockValid = true;
        s.alarms &= ~GAS_ALARMS.clockInvalid;
        log(s, 'clockSet');
        schedule(s);
        return done;
      }),

    get module() {
      return s.module;
    },
    get parameters() {
      return s.parameters;
    },
    get clock() {
      return clockOf(s);
    },
    get clockValid() {
      return s.clockValid;
    },
    get volume() {
      return s.gross.whole;
    },
    get convertedVolume() {
      return s.converted.whole;
    },
    get billedVolume() {
      return s.module === 'none' ? s.gross.whole : s.billed.whole;
    },
    get flow() {
      return s.rate;
    },
    get temperature() {
      return s.temperature;
    },
    get valve() {
      return s.valve;
    },
    get valveCause() {
      return s.valveCause;
    },
    get credit() {
      return s.credit;
    },
    get emergencyUsed() {
      return s.emergencyUsed;
    },
    get charged() {
      return s.charged;
    },
    get block() {
      return s.block + 1;
    },
    get blocks() {
      return s.blocks;
    },
    get lastPeriod() {
      return s.lastPeriod;
    },
    get periodVolume() {
      return s.blocks.reduce((a, b) => a + b, 0);
    },
    get carbon() {
      return Math.floor((s.accounted * s.parameters.carbon) / 1e6) / 1000;
    },
    get batteryPercent() {
      return Math.ceil((s.battery * 100) / BATTERY);
    },
    get alarms() {
      return s.alarms;
    },
    get events() {
      return s.events;
    },
    get hours() {
      return s.hours;
    },
    get days() {
      return s.days;
    },
    display() {
      return displayOf(this, s.parameters);
    },
  };

  function emergency(): GasOutcome {
    settle(s);
    if (s.parameters.mode !== 'prepayment')
      return refused('there is no credit to lend: the meter is not on prepayment');
    if (s.emergencyUsed) return refused('emergency credit has been used; top up first');
    if (s.credit > s.parameters.lowCredit) return refused('there is credit enough');
    s.emergencyUsed = true;
    log(s, 'emergencyCredit');
    applyCredit(s);
    return done;
  }
}
