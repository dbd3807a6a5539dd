/**
 * What can be seen of a meter: the pictures of its own display, the data set of an optical read-out (IEC 62056-21 gives it a
 * line each), and the information for the display behind it (§9: consumption, rates, prices, CO2, a message).
 *
 * Decides lines and figures. Leaves out the optical protocol and the drawing.
 */
import { add, startOf, toLocal } from '@amiable/calendar';
import { viewProfile } from './capture.ts';
import { clockNow } from './clock.ts';
import { type Core, HOUR, IMPORT, phaseCount, RATED_IMPORT } from './core.ts';
import { displayPower, placeOf, REGISTERS, visibleQuality, visibleWh } from './energy.ts';
import { identification } from './identification.ts';
import type { Rate } from './parameter-types.ts';
import type { DisplayInformation, DisplayLine, ProfileId } from './state-types.ts';
import { governing } from './tou.ts';

const pad = (n: number, digits: number): string => String(n).padStart(digits, '0');

/** Wh as kWh with 3 decimals, 9 digits: "000930.184". */
export const kWhText = (wh: number): string => `${pad(Math.floor(wh / 1000), 6)}.${pad(wh % 1000, 3)}`;

function localText(zone: string, utc: number): { readonly date: string; readonly time: string; readonly day: string } {
  const d = new Date(toLocal(zone, utc));
  const year = d.getUTCFullYear();
  const [month, day] = [pad(d.getUTCMonth() + 1, 2), pad(d.getUTCDate(), 2)];
  const time = `${pad(d.getUTCHours(), 2)}:${pad(d.getUTCMinutes(), 2)}`;
  return {
    date: `${pad(year % 100, 2)}-${month}-${day}`,
    time: `${time}:${pad(d.getUTCSeconds(), 2)}`,
    day: `${day}/${month}/${year} at ${time}`,
  };
}

function energyLines(core: Core): DisplayLine[] {
  return REGISTERS.map((code) => ({ code, value: kWhText(visibleWh(core, placeOf(code))), unit: 'kWh' }));
}

/** Error code of the read-out: F.F. */
const ERROR_CODE = { none: '00000000', critical: '00000001', fatal: '00000080' } as const;

function qualityLines(core: Core): DisplayLine[] {
  const [u1, u2, u3, current, failures] = visibleQuality(core);
  const lines = [u1, u2, u3]
    .slice(0, phaseCount(core))
    .map((u, i) => ({ code: `${32 + 20 * i}.7.0`, value: pad(Math.round(u), 3), unit: 'V' }));
  if (core.config.type === 'single-phase') lines.push({ code: '31.7.0', value: current.toFixed(2), unit: 'A' });
  lines.push({ code: 'C.7.0', value: pad(failures % 10_000, 4), unit: '' });
  return lines;
}

/** The pictures of the meter's own display, in their rotation. */
export function displayLines(core: Core): readonly DisplayLine[] {
  const { date, time } = localText(core.config.zone, clockNow(core));
  return [
    { code: 'F.F', value: ERROR_CODE[core.s.error], unit: '' },
    ...energyLines(core),
    { code: '0.9.1', value: time, unit: '' },
    { code: '0.9.2', value: date, unit: '' },
    ...qualityLines(core),
  ];
}

/** The data set of a read-out: identification first. */
export function readout(core: Core): readonly DisplayLine[] {
  const text = (code: string, value: string): DisplayLine => ({ code, value, unit: '' });
  return [
    text('F.F', ERROR_CODE[core.s.error]),
    text('0.0.0', identification(core, 'utility-serial')),
    text('C.1.0', identification(core, 'meter-serial')),
    text('0.2.0', identification(core, 'meter-firmware')),
    text('0.2.1', identification(core, 'parameterisation-id')),
    ...displayLines(core).slice(1),
    text('C.7.5', pad(core.s.longFailures % 10_000, 4)),
  ];
}

/** kWh between rows that stand at the given instants; NaN where one of them is missing or the register is not captured. */
function steps(core: Core, id: ProfileId, columns: readonly string[], instants: readonly number[]): number[] {
  const view = viewProfile(core, id);
  const places = columns.map((name) => view.columns.indexOf(name));
  const at = instants.map(() => Number.NaN);
  if (!places.includes(-1)) {
    const wanted = new Map(instants.map((instant, i) => [instant, i]));
    for (let row = 0; row < view.length; row++) {
      const i = wanted.get(view.timeOf(row));
      if (i !== undefined) at[i] = places.reduce((sum, place) => sum + view.value(row, place), 0);
    }
  }
  // A register that has rolled over is below what it was.
  return at.slice(1).map((end, i) => {
    const gone = end - (at[i] as number);
    return (gone < 0 ? gone + 1e9 : gone) / 1000;
  });
}

function totals(core: Core, id: ProfileId, instants: readonly number[]): number[] {
  const { columns } = viewProfile(core, id);
  return steps(core, id, columns.includes('1-0:1.8.0') ? ['1-0:1.8.0'] : ['1-0:1.8.1', '1-0:1.8.2'], instants);
}

function nextRateChange(core: Core): string {
  const { config, parameters, s } = core;
  const other = s.rate === 1 ? 2 : 1;
  const never = `Change to rate ${other} on 01/01/3000 at 00:00`;
  if (config.interface === 'rate-input' || !s.synchronised) return never;
  let at = clockNow(core);
  // A week has the change, or there is none to speak of.
  for (let i = 0; i < 40; i++) {
    const { next } = governing(parameters.tou.tariff, parameters.specialDays, config.zone, at);
    const then = governing(parameters.tou.tariff, parameters.specialDays, config.zone, next).selector ?? config.lowRate;
    if (then !== s.rate) return `Change to rate ${then} on ${localText(config.zone, next).day}`;
    at = next;
  }
  return never;
}

export function displayInformation(core: Core): DisplayInformation {
  const { s, parameters, config } = core;
  const { display } = parameters;
  const { zone } = config;
  const power = displayPower(core);
  const drawn = Math.max(0, power) / 1000;
  const price = (display.prices[s.rate - 1] ?? 0) / 1000;
  const clock = clockNow(core);
  const midnight = startOf('day', zone, clock);
  const hours: number[] = [];
  for (let at = midnight; at <= clock; at += HOUR) hours.push(at);
  const back = (unit: 'day' | 'month', n: number): number[] =>
    Array.from({ length: n + 1 }, (_, i) => add(unit, zone, clock, i - n));
  const rated = (rate: Rate): number => visibleWh(core, RATED_IMPORT + rate - 1) / 1000;
  return {
    power,
    indicator: power > display.thresholds[1] ? 'very-high' : power > display.thresholds[0] ? 'high' : 'normal',
    costPerHour: drawn * price,
    co2PerHour: (drawn * display.co2Electricity) / 1000,
    rate: s.rate,
    rates: [rated(1), rated(2), 0, 0],
    total: visibleWh(core, IMPORT) / 1000,
    price,
    nextRateChange: nextRateChange(core),
    hours: totals(core, 'periodic', hours),
    days: totals(core, 'daily', back('day', 28)),
    months: totals(core, 'monthly', back('month', 12)),
    message: display.message,
    messageUnread: s.messageUnread,
    currency: display.currency,
  };
}
