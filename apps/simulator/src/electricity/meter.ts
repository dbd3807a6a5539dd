/** A virtual electricity meter: the face that types.ts describes, on the engine. */
import { MisuseError } from '@amiable/bytes';
import { zoneOffset } from '@amiable/calendar';
import { clear, mark, viewProfile } from './capture.ts';
import { clockNow, isDst } from './clock.ts';
import { type Core, PROFILES } from './core.ts';
import { hourlyDemand } from './demand.ts';
import { pressButton, remoteDisconnect, remoteReconnect, setMode, viewDisconnecter } from './disconnecter.ts';
import { displayInformation, displayLines, kWhText, readout } from './display.ts';
import { placeOf, pulses, visibleQuality, visibleWh } from './energy.ts';
import { advance, applyConditions, begin, freshCore, nextDue, voltageError } from './engine.ts';
import { EVENTS, PROFILE_STATUS } from './events.ts';
import {
  identification,
  slaveIdentification,
  writeIdentification,
  writeSlaveIdentification,
} from './identification.ts';
import { activateImage, enableImage, initiateImage, verifyImage, viewImage, writeBlock } from './image.ts';
import { DISCONNECTER, deviceStatus, LOG_CAPACITY, logEvent, STANDARD } from './log.ts';
import { DONE, refuse } from './outcome.ts';
import type { EnergyRegister, MeterParameters, Rate, SlaveReading, Triple } from './parameter-types.ts';
import { checkParameters, DELIVERED, DELIVERED_SINGLE_PHASE, setParameters } from './parameters.ts';
import { plcHeard, plcRegistered } from './plc.ts';
import { refreshSchedule, scheduleActivation } from './schedule.ts';
import { desynchronise, setClock } from './set-clock.ts';
import { slaveData } from './slaves.ts';
import { loadState, saveState } from './state.ts';
import type {
  ClockSet,
  ClockState,
  DisconnecterMode,
  DisconnecterState,
  DisplayInformation,
  DisplayLine,
  ErrorState,
  IdentificationName,
  ImageState,
  LogId,
  LogView,
  MeterListener,
  Outcome,
  Outputs,
  PlcLine,
  PlcState,
  PowerQuality,
  ProfileId,
  ProfileView,
  Radio,
  SlaveIdentificationName,
} from './state-types.ts';
import { activateTou, applySwitching } from './switching.ts';
import type { Meter, MeterConfig, MeterIdentity, MeterOptions } from './types.ts';

function checkOptions(options: MeterOptions): void {
  const { config, identity, start } = options;
  if (!Number.isSafeInteger(start)) throw new MisuseError(`start ${start}: whole milliseconds are needed`);
  if (!(Math.abs(voltageError(options)) <= 2))
    throw new MisuseError(`voltage error of ${voltageError(options)} %; the meter's accuracy is 2 %`);
  const drift = identity.driftPpm ?? config.driftPpm;
  if (!(Math.abs(drift) <= 1000)) throw new MisuseError(`clock drift of ${drift} ppm; 1000 is the most`);
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
  const parameters = options.parameters ?? (config.type === 'polyphase' ? DELIVERED : DELIVERED_SINGLE_PHASE);
  const wrong = checkParameters(config, parameters);
  if (wrong) throw new MisuseError(wrong);
  const core = freshCore(options, parameters);
  if (options.state) loadState(core, options.state);
  else begin(core, options);
  return new VirtualMeter(core, parameters);
}

const moved = applyConditions;

/** What is connected to a meter for 80 A at 230 V, with room: an input beyond it is a mistake of units. */
const MOST_VOLTS = 1000;
const MOST_WATTS = 1_000_000;

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
    if (voltages && !voltages.every((u) => u >= 0 && u <= MOST_VOLTS))
      throw new MisuseError(`voltages ${voltages.join(', ')}: 0 to ${MOST_VOLTS} V are possible`);
    this.#core.s.voltages = voltages;
    applyConditions(this.#core);
  }
  setPowers(powers: Triple | undefined): void {
    if (powers && !powers.every((p) => Math.abs(p) <= MOST_WATTS))
      throw new MisuseError(`powers ${powers.join(', ')}: up to ${MOST_WATTS} W are possible`);
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
    desynchronise(this.#core);
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
