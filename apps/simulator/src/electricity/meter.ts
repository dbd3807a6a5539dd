/**
 * The virtual electricity meter: one loop over what comes next (a change of voltage or load, a capture, a switch point, minutes
 * of undervoltage that are full, and so on), and the face that types.ts describes.
 *
 * Decides the order of what happens at one instant: what has lasted long enough comes first, then the clock's schedule, then
 * new conditions. So a voltage that comes back in the very moment in which its minutes are full was out for long enough, and a
 * row at midnight ends with the load before midnight.
 */
import { MisuseError } from '@amiable/bytes';
import { zoneOffset } from '@amiable/calendar';
import { clear, mark, viewProfile } from './capture.ts';
import { clockNow, isDst } from './clock.ts';
import { type Core, NEVER, PROFILES, phaseCount, type Scalars } from './core.ts';
import { hourlyDemand, runDemand, startDemand } from './demand.ts';
import { pressButton, remoteDisconnect, remoteReconnect, setMode, viewDisconnecter } from './disconnecter.ts';
import { displayInformation, displayLines, kWhText, readout } from './display.ts';
import { placeOf, pulses, REGISTERS, ROLL_OVER, readAtOnce, settle, visibleQuality, visibleWh, WH } from './energy.ts';
import { EVENTS, PROFILE_STATUS } from './events.ts';
import {
  identification,
  slaveIdentification,
  writeIdentification,
  writeSlaveIdentification,
} from './identification.ts';
import { activateImage, enableImage, initiateImage, runImage, verifyImage, viewImage, writeBlock } from './image.ts';
import { constantSource } from './load.ts';
import { DISCONNECTER, deviceStatus, LOG_CAPACITY, logEvent, STANDARD } from './log.ts';
import { DONE, refuse } from './outcome.ts';
import { checkParameters, DELIVERED, DELIVERED_SINGLE_PHASE, setParameters } from './parameters.ts';
import { plcHeard, plcRegistered, runPlc } from './plc.ts';
import { feedsMeter, runPower, supervisePower } from './power.ts';
import { runQuality, superviseVoltages } from './quality.ts';
import { refreshSchedule, restartSchedule, runSchedule, scheduleActivation } from './schedule.ts';
import { desynchronise, setClock } from './set-clock.ts';
import { slaveData } from './slaves.ts';
import { loadState, saveState } from './state.ts';
import { activateTou, applySwitching } from './switching.ts';
import type {
  ClockSet,
  ClockState,
  DisconnecterMode,
  DisconnecterState,
  DisplayInformation,
  DisplayLine,
  EnergyRegister,
  ErrorState,
  IdentificationName,
  ImageState,
  LogId,
  LogView,
  Meter,
  MeterConfig,
  MeterIdentity,
  MeterListener,
  MeterOptions,
  MeterParameters,
  Outcome,
  Outputs,
  PlcLine,
  PlcState,
  PowerQuality,
  ProfileId,
  ProfileView,
  Radio,
  Rate,
  SlaveIdentificationName,
  SlaveReading,
  Triple,
} from './types.ts';

/** Below it a phase carries no load, V. */
const NO_LOAD = 50;

const conditions = new Float64Array(6);

/** New voltages and powers from `now` on. */
function applyConditions(core: Core): void {
  const { s, config, source, volts, watts } = core;
  settle(core);
  source.into(s.now, conditions);
  const phases = phaseCount(core);
  const gain = s.mains ? 1 + config.voltageErrorPercent / 100 : 0;
  for (let phase = 0; phase < 3; phase++) {
    const u = (s.voltages ? s.voltages[phase] : conditions[phase]) as number;
    const p = (s.powers ? s.powers[phase] : conditions[3 + phase]) as number;
    const there = phase < phases ? u * gain : 0;
    volts[phase] = there;
    watts[phase] = s.connected && there >= NO_LOAD ? Math.round(p) : 0;
  }
  s.metering = feedsMeter(core);
  supervisePower(core);
  if (s.powered) superviseVoltages(core);
}

/** Asks the source for its next change. */
function nextChange(core: Core): void {
  const { s } = core;
  const next = core.source.next(s.now);
  if (next <= s.now) throw new MisuseError(`the source's next change after ${s.now} is ${next}`);
  s.sourceAt = next < NEVER ? Math.ceil(next) : NEVER;
}

function nextDue(s: Scalars): number {
  let due = s.sourceAt;
  if (s.totalDue < due) due = s.totalDue;
  if (s.moduleDue < due) due = s.moduleDue;
  if (s.powered) {
    if (s.clockDue < due) due = s.clockDue;
    if (s.qualityDue < due) due = s.qualityDue;
    if (s.demandDue < due) due = s.demandDue;
    if (s.imageDue < due) due = s.imageDue;
    if (s.plcDue < due) due = s.plcDue;
  }
  return due;
}

function runDue(core: Core): void {
  const { s } = core;
  if (s.powered && s.qualityDue <= s.now) runQuality(core);
  if (s.totalDue <= s.now || s.moduleDue <= s.now) runPower(core);
  if (s.powered) {
    if (s.demandDue <= s.now) runDemand(core);
    if (s.imageDue <= s.now) runImage(core);
    if (s.plcDue <= s.now) runPlc(core);
    if (s.clockDue <= s.now) runSchedule(core);
  }
  if (s.sourceAt <= s.now) {
    nextChange(core);
    applyConditions(core);
  }
}

/** How far one advance() may go, so that a mistaken unit is an error and not an endless loop: 50 years. */
const LONGEST = 50 * 366 * 86_400_000;

function advance(core: Core, until: number): void {
  const { s } = core;
  if (!Number.isSafeInteger(until)) throw new MisuseError(`advance(${until}): whole milliseconds are needed`);
  if (until - s.now > LONGEST) throw new MisuseError(`advance(${until}): more than 50 years after ${s.now}`);
  for (let due = nextDue(s); due <= until; due = nextDue(s)) {
    if (due > s.now) s.now = due;
    runDue(core);
  }
  if (until > s.now) s.now = until;
}

/** What a clock shows that was never set. */
const UNSET = Date.UTC(2000, 0, 1);

function freshScalars(options: MeterOptions, parameters: MeterParameters): Scalars {
  const { start, config, clockSet = true } = options;
  return {
    now: start,
    start,
    clockBase: clockSet ? start : UNSET,
    clockAt: start,
    clockInvalid: !clockSet,
    synchronised: clockSet,
    shiftsRefused: false,
    shifts: [],
    accumulatedTo: start,
    gridFrom: start,
    voltBlock: Math.floor(start / 5000) * 5000,
    powerBlock: Math.floor(start / 15_000) * 15_000,
    pulseEnergy: 0,
    rate: config.lowRate,
    sourceAt: NEVER,
    mains: true,
    voltages: undefined,
    powers: undefined,
    powered: true,
    metering: true,
    lowSince: NEVER,
    totalDue: NEVER,
    moduleLowSince: NEVER,
    moduleDue: NEVER,
    downSince: start,
    totalLogged: false,
    totalClock: 0,
    totalFailures: 0,
    longFailures: 0,
    periodicDue: NEVER,
    dayDue: NEVER,
    switchDue: NEVER,
    activationDue: NEVER,
    dstDue: NEVER,
    clockDue: NEVER,
    dayStart: start,
    qualityDue: NEVER,
    demandDue: NEVER,
    overDemand: false,
    imageDue: NEVER,
    plcDue: NEVER,
    plcState: config.module === 'plc' ? 'new-unlocked' : 'registered',
    plcLine: { mains: true, concentrator: true, receivingUntil: 0, transmittingUntil: 0 },
    radio: {
      ready: true,
      sim: 'ok',
      gprs: 'listening',
      gsm: 'listening',
      signal: -85,
      call: false,
      lastTransmit: 0,
      lastReceive: 0,
    },
    output: false,
    rateInput: false,
    alertInput: false,
    inputPulses: 0,
    error: 'none',
    mode: 'local',
    connected: true,
    enabled: false,
    cause: 'none',
    messageUnread: parameters.display.message !== '',
    ids: {},
  };
}

function freshCore(options: MeterOptions, parameters: MeterParameters): Core {
  const { config, identity, source, slavePort } = options;
  const n = config.nominalVoltage;
  return {
    config,
    identity,
    source: source ?? constantSource([n, n, n], [0, 0, 0]),
    port: slavePort,
    parameters,
    listener: undefined,
    s: freshScalars(options, parameters),
    energy: new Float64Array(7),
    snap: new Float64Array(12),
    blocks: new Float64Array(8),
    volts: new Float64Array(3),
    watts: new Float64Array(3),
    qualityDue: new Float64Array(9).fill(NEVER),
    qualityActive: new Uint8Array(9),
    pending: new Uint16Array(PROFILES.length),
    rings: new Array(PROFILES.length).fill(undefined),
    logs: [undefined, undefined],
    slaves: [undefined, undefined, undefined, undefined],
    demand: undefined,
    image: undefined,
  };
}

function checkOptions({ config, identity, start }: MeterOptions): void {
  if (!Number.isSafeInteger(start)) throw new MisuseError(`start ${start}: whole milliseconds are needed`);
  if (Math.abs(config.voltageErrorPercent) > 2)
    throw new MisuseError(`voltage error of ${config.voltageErrorPercent} %; the meter's accuracy is 2 %`);
  if (config.extraInput !== 'none' && config.module !== 'gprs')
    throw new MisuseError('alert and S0 inputs are fitted to GPRS/GSM modules only');
  const lengths = [
    [identity.utilitySerial, 24],
    [identity.meterSerial, 16],
    [identity.moduleSerial, 16],
    [identity.meterFirmware ?? '', 3],
    [identity.moduleFirmware ?? '', 3],
    [identity.configurationId ?? '', 16],
  ] as const;
  for (const [text, most] of lengths)
    if (text.length > most) throw new MisuseError(`identification ${text} is longer than ${most} characters`);
}

/** @throws MisuseError where options contradict each other; DecodeError for a state that cannot be loaded */
export function createMeter(options: MeterOptions): Meter {
  const { config } = options;
  checkOptions(options);
  zoneOffset(config.zone, options.start);
  const parameters = options.parameters ?? (config.type === 'polyphase' ? DELIVERED : DELIVERED_SINGLE_PHASE);
  const wrong = checkParameters(config, parameters);
  if (wrong) throw new MisuseError(wrong);
  const core = freshCore(options, parameters);
  if (options.state) loadState(core, options.state);
  else begin(core, options);
  return new VirtualMeter(core, parameters);
}

function begin(core: Core, { registers = {} }: MeterOptions): void {
  for (const [i, id] of REGISTERS.entries()) core.energy[i] = ((registers[id] ?? 0) * WH) % ROLL_OVER;
  nextChange(core);
  applyConditions(core);
  // The RMS and mean of what was before it was hung up: as it is now.
  for (let phase = 0; phase < 3; phase++) core.blocks[3 + phase] = core.volts[phase] as number;
  readAtOnce(core);
  restartSchedule(core);
  startDemand(core);
}

const moved = applyConditions;

class VirtualMeter implements Meter {
  readonly #core: Core;
  readonly #delivered: MeterParameters;

  constructor(core: Core, delivered: MeterParameters) {
    this.#core = core;
    this.#delivered = delivered;
  }

  get config(): MeterConfig {
    return this.#core.config;
  }
  get identity(): MeterIdentity {
    return this.#core.identity;
  }
  get now(): number {
    return this.#core.s.now;
  }
  get listener(): MeterListener | undefined {
    return this.#core.listener;
  }
  set listener(listener: MeterListener | undefined) {
    this.#core.listener = listener;
  }

  advance(until: number): void {
    advance(this.#core, until);
  }
  nextDue(): number {
    return nextDue(this.#core.s);
  }

  setVoltages(voltages: Triple | undefined): void {
    this.#core.s.voltages = voltages;
    applyConditions(this.#core);
  }
  setPowers(powers: Triple | undefined): void {
    this.#core.s.powers = powers;
    applyConditions(this.#core);
  }
  setMains(on: boolean): void {
    this.#core.s.mains = on;
    applyConditions(this.#core);
  }
  pressButton(): Outcome {
    return pressButton(this.#core, moved);
  }
  setRateInput(energised: boolean): void {
    this.#core.s.rateInput = energised;
    applySwitching(this.#core);
    refreshSchedule(this.#core);
  }
  setAlertInput(active: boolean): void {
    const { s, config } = this.#core;
    if (config.extraInput !== 'alert' || s.alertInput === active) return;
    s.alertInput = active;
    if (s.powered) logEvent(this.#core, active ? EVENTS.alert : EVENTS.alertEnd);
  }
  addInputPulses(count: number): void {
    const { s, config } = this.#core;
    if (config.extraInput === 's0' && s.powered && count > 0) s.inputPulses += Math.floor(count);
  }
  setError(error: ErrorState): void {
    const { s } = this.#core;
    if (s.error === error) return;
    s.error = error;
    if (error !== 'none') mark(this.#core, PROFILE_STATUS.criticalError);
    if (!s.powered) return;
    const event = error === 'none' ? 'errorCleared' : error === 'critical' ? 'criticalError' : 'fatalError';
    logEvent(this.#core, EVENTS[event]);
  }
  setPlcLine(line: Partial<PlcLine>): void {
    this.#core.s.plcLine = { ...this.#core.s.plcLine, ...line };
  }
  setRadio(radio: Partial<Radio>): void {
    this.#core.s.radio = { ...this.#core.s.radio, ...radio };
  }
  plcHeard(): void {
    plcHeard(this.#core);
  }
  plcRegistered(): void {
    plcRegistered(this.#core);
  }
  slaveData(channel: number, readings: readonly SlaveReading[]): void {
    slaveData(this.#core, channel, readings);
  }

  setClock(utc: number): ClockSet {
    return setClock(this.#core, utc);
  }
  desynchronise(): void {
    desynchronise(this.#core, false);
    scheduleActivation(this.#core);
    applySwitching(this.#core);
    refreshSchedule(this.#core);
  }
  remoteDisconnect(): Outcome {
    return remoteDisconnect(this.#core, moved);
  }
  remoteReconnect(): Outcome {
    return remoteReconnect(this.#core);
  }
  setDisconnecterMode(mode: DisconnecterMode): Outcome {
    return setMode(this.#core, mode);
  }
  setParameters(change: Partial<MeterParameters>): Outcome {
    return setParameters(this.#core, change);
  }
  activatePassiveTou(): Outcome {
    if (!this.powered) return noMains();
    activateTou(this.#core);
    refreshSchedule(this.#core);
    return DONE;
  }
  clearProfile(id: ProfileId): Outcome {
    if (!this.powered) return noMains();
    clear(this.#core, PROFILES.indexOf(id));
    logEvent(this.#core, EVENTS.profileCleared);
    return DONE;
  }
  clearLog(id: LogId): Outcome {
    if (!this.powered) return noMains();
    this.#core.logs[id === 'standard' ? STANDARD : DISCONNECTER]?.clear();
    // A cleared log begins by saying so, in the log of general events.
    logEvent(this.#core, EVENTS.logCleared);
    return DONE;
  }
  resetLongPowerFailures(): Outcome {
    if (!this.powered) return noMains();
    this.#core.s.longFailures = 0;
    return DONE;
  }
  messageRead(): void {
    this.#core.s.messageUnread = false;
  }
  writeIdentification(name: IdentificationName, text: string): Outcome {
    return writeIdentification(this.#core, name, text);
  }
  writeSlaveIdentification(channel: number, name: SlaveIdentificationName, text: string): Outcome {
    return writeSlaveIdentification(this.#core, channel, name, text);
  }

  imageEnable(enabled: boolean): Outcome {
    return enableImage(this.#core, enabled);
  }
  imageInitiate(identifier: Uint8Array, size: number): Outcome {
    return initiateImage(this.#core, identifier, size);
  }
  imageBlock(number: number, bytes: Uint8Array): Outcome {
    return writeBlock(this.#core, number, bytes);
  }
  imageVerify(): Outcome {
    return verifyImage(this.#core);
  }
  imageActivate(): Outcome {
    return activateImage(this.#core);
  }

  get powered(): boolean {
    return this.#core.s.powered;
  }
  get parameters(): MeterParameters {
    return this.#core.parameters;
  }
  get clock(): ClockState {
    const { s, config } = this.#core;
    const utc = clockNow(this.#core);
    return {
      utc,
      offset: zoneOffset(config.zone, utc),
      dst: isDst(config.zone, utc),
      invalid: s.clockInvalid,
      synchronised: s.synchronised,
    };
  }
  register(id: EnergyRegister): number {
    return visibleWh(this.#core, placeOf(id));
  }
  registerText(id: EnergyRegister): string {
    return kWhText(this.register(id));
  }
  get rate(): Rate {
    return this.#core.s.rate;
  }
  get powerQuality(): PowerQuality {
    const [u1, u2, u3, current, failures] = visibleQuality(this.#core);
    const single = this.#core.config.type === 'single-phase';
    return {
      totalPowerFailures: failures,
      longPowerFailures: this.#core.s.longFailures,
      voltages: [u1, u2, u3],
      current: single ? current : undefined,
    };
  }
  get powers(): Triple {
    const { watts, s } = this.#core;
    return s.metering ? [watts[0] as number, watts[1] as number, watts[2] as number] : [0, 0, 0];
  }
  profile(id: ProfileId): ProfileView {
    return viewProfile(this.#core, id);
  }
  log(id: LogId): LogView {
    const which = id === 'standard' ? STANDARD : DISCONNECTER;
    const log = this.#core.logs[which];
    return (
      log ?? {
        capacity: LOG_CAPACITY[which],
        length: 0,
        entry: () => ({ at: Number.NaN, status: 0, event: EVENTS.logCleared }),
      }
    );
  }
  get deviceStatus(): number {
    return deviceStatus(this.#core);
  }
  get error(): ErrorState {
    return this.#core.s.error;
  }
  get disconnecter(): DisconnecterState {
    return viewDisconnecter(this.#core);
  }
  get outputs(): Outputs {
    const { s, config } = this.#core;
    return {
      relay: config.interface === 'relay' ? s.powered && s.output : undefined,
      pulses: config.interface === 's0' ? pulses(this.#core) : undefined,
    };
  }
  get overDemand(): boolean {
    return this.#core.s.overDemand;
  }
  get hourlyDemand(): number {
    return hourlyDemand(this.#core);
  }
  get image(): ImageState {
    return viewImage(this.#core);
  }
  get plcState(): PlcState {
    return this.#core.s.plcState;
  }
  get plcLine(): PlcLine {
    return this.#core.s.plcLine;
  }
  get radio(): Radio {
    return this.#core.s.radio;
  }
  identification(name: IdentificationName): string {
    return identification(this.#core, name);
  }
  slaveIdentification(channel: number, name: SlaveIdentificationName): string {
    return slaveIdentification(this.#core, channel, name);
  }
  slaveValue(channel: number): SlaveReading | undefined {
    return this.#core.slaves[channel]?.last;
  }
  get rateInput(): boolean | undefined {
    return this.#core.config.interface === 'rate-input' ? this.#core.s.rateInput : undefined;
  }
  get alertInput(): boolean | undefined {
    return this.#core.config.extraInput === 'alert' ? this.#core.s.alertInput : undefined;
  }
  get inputPulses(): number | undefined {
    return this.#core.config.extraInput === 's0' ? this.#core.s.inputPulses : undefined;
  }
  get display(): DisplayInformation {
    return displayInformation(this.#core);
  }
  displayLines(): readonly DisplayLine[] {
    return displayLines(this.#core);
  }
  readout(): readonly DisplayLine[] {
    return readout(this.#core);
  }
  saveState(): Uint8Array {
    return saveState(this.#core, this.#delivered);
  }
}

const noMains = (): Outcome => refuse('power-down', 'the module has no mains');
