/**
 * Status lights (§7.4.11, §7.4.12, §7.5.1, §7.6.1): which there are, how each blinks in which state, and whether it is lit at an
 * instant. Where the system description says "flashing" without a rate, or "slowly" and "fast", ours are 1 Hz, 0.5 Hz and 2 Hz.
 *
 * With a fatal error only ERR has a meaning; the others are shown dark. Without mains every light is dark.
 */
import type { ErrorState, PlcLine, PlcState, Radio } from './state-types.ts';
import type { Meter } from './types.ts';

export type Pattern =
  | { readonly kind: 'off' }
  | { readonly kind: 'on' }
  /** Lit for `on` ms, then dark for `off` ms, from every multiple of their sum on. */
  | { readonly kind: 'flashing'; readonly on: number; readonly off: number }
  /** Lit until a virtual instant. */
  | { readonly kind: 'until'; readonly end: number };

export type LightName = 'ERR' | 'Relay off' | 'Rx' | 'Tx' | 'NEW' | 'SYN' | 'GPRS' | 'GSM' | 'RSL' | 'OPM';
export type LightColour = 'red' | 'yellow' | 'green';

export interface Light {
  readonly name: LightName;
  readonly colour: LightColour;
  readonly pattern: Pattern;
  /** What the pattern means. */
  readonly meaning: string;
}

const OFF: Pattern = { kind: 'off' };
const ON: Pattern = { kind: 'on' };
export const flashing = (hertz: number): Pattern => {
  const half = Math.round(500 / hertz);
  return { kind: 'flashing', on: half, off: half };
};
const SLOW = flashing(0.5);
const PLAIN = flashing(1);
const FAST = flashing(2);
/** 3.3 Hz. */
const DATA = flashing(3.3);
const NO_SIGNAL: Pattern = { kind: 'flashing', on: 600, off: 600 };
const SIGNAL: Pattern = { kind: 'flashing', on: 75, off: 3000 };
/** "From time to time the Rx LED flashes shortly." */
const NO_SIM: Pattern = { kind: 'flashing', on: 200, off: 9800 };
/** A character lights Tx or Rx for so long, ms. */
export const CHARACTER_LIGHT = 200;

/** Level 1 to 4 of a signal in dBm; undefined at -113 dBm and below, or without any. */
export function signalLevel(dBm: number | undefined): 1 | 2 | 3 | 4 | undefined {
  if (dBm === undefined || dBm <= -113) return undefined;
  if (dBm >= -80) return 4;
  if (dBm >= -89) return 3;
  return dBm >= -99 ? 2 : 1;
}

/** The receive signal value: 0 at -110 dBm and below, 10 at -100, 20 at -90; 31 at -80, 63 at most. */
export function signalValue(dBm: number | undefined): number {
  if (dBm === undefined) return 0;
  return Math.max(0, Math.min(63, Math.floor(dBm >= -80 ? dBm + 111 : Math.min(30, dBm + 110))));
}

interface Shown {
  readonly now: number;
  readonly powered: boolean;
  readonly error: ErrorState;
  readonly module: 'plc' | 'gprs';
  readonly disconnecter: boolean;
  readonly connected: boolean;
  readonly plcState: PlcState;
  readonly plcLine: PlcLine;
  readonly radio: Radio;
}

const light = (name: LightName, colour: LightColour, pattern: Pattern, meaning: string): Light => ({
  name,
  colour,
  pattern,
  meaning,
});

function errorLight(error: ErrorState): Light {
  if (error === 'fatal') return light('ERR', 'red', ON, 'Fatal error in the module');
  if (error === 'critical') return light('ERR', 'red', PLAIN, 'Critical error in the module');
  return light('ERR', 'red', OFF, 'No error');
}

function plcLights({ now, plcLine: line, plcState }: Shown): Light[] {
  const receiving = line.receivingUntil > now;
  const rx: readonly [Pattern, string] = !line.mains
    ? [SLOW, 'Waiting for 50 Hz mains detection']
    : !line.concentrator
      ? [ON, 'Waiting for synchronisation with data concentrator']
      : receiving
        ? [DATA, 'Receiving data']
        : [OFF, 'Ready to receive data'];
  const news: readonly [Pattern, string] =
    plcState === 'registered'
      ? [OFF, 'Module registered at data concentrator']
      : plcState === 'new-locked'
        ? [SLOW, 'Module not registered, data concentrator known (locked)']
        : [ON, 'Module not registered, data concentrator unknown (unlocked)'];
  const sending = line.transmittingUntil > now;
  return [
    light('Rx', 'yellow', ...rx),
    light('Tx', 'yellow', sending ? DATA : OFF, sending ? 'Transmitting data' : 'Not transmitting'),
    light('NEW', 'green', ...news),
    light(
      'SYN',
      'green',
      line.mains ? ON : OFF,
      line.mains ? 'Synchronised to the 50 Hz mains' : 'Not synchronised to the 50 Hz mains',
    ),
  ];
}

const RSL: readonly Pattern[] = [OFF, OFF, SLOW, FAST, ON];

function gprsLights({ now, radio }: Shown): Light[] {
  if (radio.sim === 'missing') {
    const none = 'No SIM card';
    return [
      light('Tx', 'yellow', OFF, none),
      light('Rx', 'yellow', NO_SIM, none),
      light('GPRS', 'green', OFF, none),
      light('GSM', 'green', OFF, none),
      light('RSL', 'yellow', OFF, none),
      light('OPM', 'yellow', OFF, none),
    ];
  }
  const faulty = radio.sim === 'error';
  const wrong = 'SIM card error: wrong card or PIN code';
  const character = (last: number): Pattern =>
    last <= now && now < last + CHARACTER_LIGHT ? { kind: 'until', end: last + CHARACTER_LIGHT } : OFF;
  const tx = character(radio.lastTransmit);
  const rx = character(radio.lastReceive);
  const gprs: readonly [Pattern, string] = faulty
    ? [ON, wrong]
    : radio.gprs === 'open'
      ? [ON, 'Logged in, TCP/IP open']
      : radio.gprs === 'listening'
        ? [PLAIN, 'Logged in, TCP/IP listening']
        : [OFF, 'Not logged in'];
  const gsm: readonly [Pattern, string] = faulty
    ? [ON, wrong]
    : radio.gsm === 'connected'
      ? [ON, 'GSM connected']
      : radio.gsm === 'listening'
        ? [PLAIN, 'GSM listening']
        : [OFF, 'GSM disabled'];
  const level = signalLevel(radio.signal);
  const opm: readonly [Pattern, string] = !radio.ready
    ? [OFF, 'Module not ready']
    : radio.call
      ? [ON, 'Call in progress']
      : level === undefined
        ? [NO_SIGNAL, 'Signal level low or no signal']
        : [SIGNAL, 'Signal detected, its level is shown by RSL'];
  return [
    light('Tx', 'yellow', tx, tx === OFF ? 'Not transmitting' : 'Character transmitted'),
    light('Rx', 'yellow', rx, rx === OFF ? 'Not receiving' : 'Character received'),
    light('GPRS', 'green', ...gprs),
    light('GSM', 'green', ...gsm),
    light(
      'RSL',
      'yellow',
      faulty ? OFF : (RSL[level ?? 0] as Pattern),
      faulty ? wrong : `Signal level ${level ?? 'none'}`,
    ),
    light('OPM', 'yellow', ...opm),
  ];
}

/** The lights of a meter as they are at its `now`, in the order of its face plate. */
export function lights(meter: Meter): readonly Light[] {
  const { config, plcState, plcLine, radio, error, powered, now } = meter;
  const { fitted, connected } = meter.disconnecter;
  const shown = {
    now,
    powered,
    error,
    module: config.module,
    disconnecter: fitted,
    connected,
    plcState,
    plcLine,
    radio,
  };
  return lightsOf(shown);
}

/** The same, of a state alone. */
export function lightsOf(shown: Shown): readonly Light[] {
  const dark = !shown.powered ? 'No mains' : shown.error === 'fatal' ? 'To be ignored: fatal error' : undefined;
  const err = errorLight(shown.error);
  const rest: Light[] = shown.disconnecter
    ? [
        shown.connected
          ? light('Relay off', 'yellow', FAST, 'Premises connected')
          : light('Relay off', 'yellow', SLOW, 'Premises disconnected'),
      ]
    : [];
  rest.push(...(shown.module === 'plc' ? plcLights(shown) : gprsLights(shown)));
  if (dark === undefined) return [err, ...rest];
  const all = rest.map((l) => light(l.name, l.colour, OFF, dark));
  return [shown.powered ? err : light('ERR', 'red', OFF, dark), ...all];
}

/** Whether a pattern is lit at `at`. */
export function isLit(pattern: Pattern, at: number): boolean {
  switch (pattern.kind) {
    case 'off':
      return false;
    case 'on':
      return true;
    case 'until':
      return at < pattern.end;
    case 'flashing': {
      const cycle = pattern.on + pattern.off;
      return ((at % cycle) + cycle) % cycle < pattern.on;
    }
  }
}

/** A pattern in words: "flashing 2 Hz", "on", "75 ms on / 3000 ms off". */
export function patternText(pattern: Pattern): string {
  if (pattern.kind === 'off' || pattern.kind === 'on') return pattern.kind;
  if (pattern.kind === 'until') return 'on';
  if (pattern.on === pattern.off && pattern.on !== 600) return `flashing ${Number((500 / pattern.on).toFixed(1))} Hz`;
  return `${pattern.on} ms on / ${pattern.off} ms off`;
}
