/**
 * What the numbers of logs mean, by catalogue: one number is an event of the one catalogue, or unknown there and kept with
 * its number.
 *
 * `amiable-virtual`: the virtual electricity meter (docs/virtual-meter.md). `dlms`: the event numbers that European companion
 * specifications of DLMS/COSEM share (0-0:99.98.0 and its neighbours for fraud, disconnecter, M-Bus, power quality,
 * communication). `p98`: bits of the status word that heads a line of P.98 and P.01 (IEC 62056-21 read-outs), a number for each
 * bit; the bits above the eighth are the maker's. `mbus`: status byte of EN 13757-3 §5.9, one number for each meaning. `p1`:
 * the power failure log of customer ports. Lists of HAN ports carry no events.
 */
import { CATALOGUE, type CatalogueEvent, UNKNOWN_EVENT } from './catalogue.ts';

type Numbers = Readonly<Record<number, string>>;

/** `event-l1`, `event-l2`, `event-l3` from a number on. */
const byPhase = (first: number, event: string): Numbers =>
  Object.fromEntries([1, 2, 3].map((phase) => [first + phase - 1, `${event}-l${phase}`]));
/** `event-1` … `event-4`, `step` apart. */
const byChannel = (first: number, step: number, event: string): Numbers =>
  Object.fromEntries([1, 2, 3, 4].map((channel) => [first + (channel - 1) * step, `${event}-${channel}`]));

const VIRTUAL: Numbers = {
  1: 'fatal-error',
  2: 'critical-error',
  3: 'error-cleared',
  11: 'clock-adjusted-from',
  12: 'clock-adjusted',
  13: 'clock-invalid',
  14: 'clock-synchronised',
  15: 'clock-shifts-refused',
  16: 'dst-begins',
  17: 'dst-ends',
  18: 'log-cleared',
  19: 'profile-cleared',
  20: 'parameters-changed',
  21: 'tariff-activated',
  22: 'parameterisation-changed',
  23: 'power-down',
  24: 'power-up-short',
  25: 'power-up-long',
  ...byPhase(26, 'undervoltage'),
  ...byPhase(29, 'undervoltage-end'),
  ...byPhase(32, 'overvoltage'),
  ...byPhase(35, 'overvoltage-end'),
  ...byPhase(38, 'phase-outage'),
  ...byPhase(41, 'phase-restored'),
  44: 'over-demand',
  45: 'over-demand-end',
  46: 'quality-registration-on',
  47: 'quality-registration-off',
  50: 'firmware-transfer',
  51: 'firmware-ready',
  52: 'firmware-refused',
  53: 'firmware-activated',
  54: 'firmware-not-activated',
  60: 'alert',
  61: 'alert-end',
  ...byChannel(70, 1, 'slave-silent'),
  ...byChannel(74, 1, 'slave-back'),
  80: 'disconnected',
  81: 'disconnected-manually',
  82: 'connected-manually',
  83: 'connection-enabled',
  84: 'connection-withdrawn',
  85: 'mode-local',
  86: 'mode-remote',
};

const DLMS: Numbers = {
  1: 'power-down',
  2: 'power-up',
  3: 'dst-changed',
  4: 'clock-adjusted-from',
  5: 'clock-adjusted',
  6: 'clock-invalid',
  7: 'battery-replace',
  8: 'battery-low',
  9: 'tariff-activated',
  10: 'error-cleared',
  11: 'alarm-cleared',
  12: 'program-memory-error',
  13: 'ram-error',
  14: 'nv-memory-error',
  15: 'watchdog',
  16: 'measurement-error',
  17: 'firmware-ready',
  18: 'firmware-activated',
  19: 'tariff-programmed',
  20: 'alert',
  21: 'billing-reset',
  22: 'capture-1-on',
  23: 'capture-1-off',
  24: 'capture-2-on',
  25: 'capture-2-off',
  40: 'terminal-cover-removed',
  41: 'terminal-cover-closed',
  42: 'magnetic-field',
  43: 'magnetic-field-end',
  44: 'meter-cover-removed',
  45: 'meter-cover-closed',
  46: 'authentication-failed',
  47: 'parameters-changed',
  48: 'keys-changed',
  49: 'decryption-failed',
  50: 'replay',
  51: 'firmware-refused',
  52: 'unexpected-consumption',
  59: 'connection-enabled',
  60: 'disconnected-manually',
  61: 'connected-manually',
  62: 'disconnected',
  63: 'connected',
  64: 'disconnected-locally',
  65: 'over-demand',
  66: 'over-demand-end',
  67: 'limiter-changed',
  68: 'disconnecter-failed',
  69: 'connected-locally',
  70: 'monitor-1',
  71: 'monitor-1-end',
  72: 'monitor-2',
  73: 'monitor-2-end',
  74: 'monitor-3',
  75: 'monitor-3-end',
  ...byPhase(76, 'undervoltage'),
  ...byPhase(79, 'overvoltage'),
  ...byPhase(82, 'phase-outage'),
  ...byPhase(85, 'voltage-normal'),
  88: 'phase-sequence-reversed',
  89: 'neutral-missing',
  90: 'phase-asymmetry',
  91: 'current-reversed',
  ...byPhase(92, 'voltage-quality-bad'),
  ...byChannel(100, 10, 'slave-silent'),
  ...byChannel(101, 10, 'slave-back'),
  ...byChannel(102, 10, 'slave-battery'),
  ...byChannel(103, 10, 'slave-fraud'),
  ...byChannel(104, 10, 'slave-clock'),
  ...byChannel(105, 10, 'slave-installed'),
  ...byChannel(106, 10, 'slave-error'),
  140: 'no-connection',
  141: 'modem-failed',
  142: 'sim-failed',
  143: 'sim-ok',
  144: 'network-refused',
  145: 'packet-refused',
  146: 'context-established',
  147: 'context-destroyed',
  148: 'context-failed',
  149: 'modem-reset',
  150: 'modem-reset',
  151: 'call-out',
  152: 'call-in',
  153: 'hang-up',
  154: 'diagnosis-failed',
  155: 'modem-failed',
  156: 'signal-low',
  157: 'calls-exceeded',
  158: 'local-communication',
  ...byChannel(160, 10, 'slave-disconnected-manually'),
  ...byChannel(161, 10, 'slave-connected-manually'),
  ...byChannel(162, 10, 'slave-disconnected'),
  ...byChannel(163, 10, 'slave-connected'),
  ...byChannel(164, 10, 'slave-valve'),
  255: 'log-cleared',
};

/** Bits of the status word, the lowest first. */
const P98: Numbers = {
  0: 'fatal-error',
  1: 'clock-invalid',
  2: 'value-disturbed',
  3: 'dst-changed',
  4: 'billing-reset',
  5: 'clock-adjusted',
  6: 'power-up',
  7: 'power-down',
};

/** 1 to 3 are the two lowest bits as a number; then 4, 8 and 16 are the bits. */
const MBUS: Numbers = {
  1: 'busy',
  2: 'application-error',
  3: 'abnormal',
  4: 'battery-low',
  8: 'critical-error',
  16: 'temporary-error',
};

const P1: Numbers = { 1: 'power-failure-long' };

export const EVENT_SOURCES: Readonly<Record<string, Numbers>> = {
  'amiable-virtual': VIRTUAL,
  dlms: DLMS,
  p98: P98,
  mbus: MBUS,
  p1: P1,
};

/** What a number of a catalogue means; `unknown` for one that is in none. */
export function eventOf(catalogue: string, code: number): CatalogueEvent {
  const numbers = Object.hasOwn(EVENT_SOURCES, catalogue) ? (EVENT_SOURCES[catalogue] as Numbers) : {};
  const word = Object.hasOwn(numbers, code) ? numbers[code] : undefined;
  return (word === undefined ? undefined : CATALOGUE.get(word)) ?? UNKNOWN_EVENT;
}

/** The numbers of `p98` that a status word says: its bits. Bits above the eighth are the maker's and stay unknown. */
export function eventsOfStatusWord(word: number): number[] {
  const out: number[] = [];
  for (let bit = 0; bit < 32; bit++) if ((word >>> bit) & 1) out.push(bit);
  return out;
}

/** The numbers of `mbus` that a status byte says; the three highest bits are the maker's. */
export function eventsOfMbusStatus(status: number): number[] {
  const out: number[] = [];
  if ((status & 3) !== 0) out.push(status & 3);
  for (const bit of [4, 8, 16]) if (status & bit) out.push(bit);
  return out;
}
