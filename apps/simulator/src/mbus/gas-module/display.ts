/**
 * The display of the gas smart module: 2 lines of 16 characters (system description §8.1), a picture every five seconds.
 *
 * Decides the pictures and their order: alarms first, then volume, flow, account, valve, carbon. Without a module the meter shows its
 * index only.
 */
import { GAS_ALARMS, type GasModule, type GasParameters, SPECIFICATION } from './types.ts';

const TURN = 5000;
const ALARM_TEXTS: Readonly<Record<keyof typeof GAS_ALARMS, string>> = {
  valveLeak: 'Valve leaks',
  overflow: 'Flow too high',
  overpressure: 'Pressure high',
  temperature: 'Temperature',
  wrongGas: 'Not natural gas',
  batteryLow: 'Battery low',
  creditLow: 'Credit low',
  creditExhausted: 'No credit',
  clockInvalid: 'Clock not set',
};

const VALVES: Readonly<Record<GasModule['valve'], string>> = {
  open: 'open',
  closed: 'closed',
  opening: 'opening ...',
  closing: 'closing ...',
  armed: 'press to open',
};

const line = (text: string): string => text.slice(0, SPECIFICATION.columns).padEnd(SPECIFICATION.columns);
/** Left and right on one line. */
const pair = (left: string, right: string): string =>
  line(left.padEnd(SPECIFICATION.columns - right.length).slice(0, SPECIFICATION.columns - right.length) + right);
const money = (units: number): string => (units / 100_000).toFixed(2);
const cubic = (ml: number): string => `${(ml / 1e6).toFixed(3).padStart(9, '0')} m3`;

export function displayOf(m: GasModule, parameters: GasParameters): readonly [string, string] {
  if (m.module === 'none') return [line('Gas'), pair('', cubic(m.volume))];
  const pictures: (readonly [string, string])[] = [];
  for (const [name, text] of Object.entries(ALARM_TEXTS))
    if (m.alarms & GAS_ALARMS[name as keyof typeof GAS_ALARMS]) pictures.push(['! Alarm', text]);
  pictures.push([parameters.compensation ? 'Gas at 15 C' : 'Gas', pair('', cubic(m.billedVolume))]);
  pictures.push(['Flow', pair(`${m.temperature.toFixed(0)} C`, `${(m.flow / 1e6).toFixed(3)} m3/h`)]);
  if (parameters.mode === 'prepayment')
    pictures.push([m.emergencyUsed ? 'Emergency credit' : 'Credit', pair('', money(m.credit))]);
  else pictures.push(['Charged', pair('', money(m.charged))]);
  const price = parameters.tariff.prices[m.block - 1] ?? 0;
  pictures.push([pair(`Block ${m.block}`, `${(price / 100_000).toFixed(4)}/m3`), pair('Month', cubic(m.periodVolume))]);
  pictures.push(['Valve', VALVES[m.valve]]);
  pictures.push(['CO2', pair('', `${m.carbon.toFixed(1)} kg`)]);
  const [first, second] = pictures[Math.floor(m.now / TURN) % pictures.length] as readonly [string, string];
  return [line(first), line(second)];
}
