/**
 * The virtual electricity meter behind its optical port: data set of the read-out, and what programming mode does with it.
 *
 * Decides: which codes can be read, written and executed, and with which password. Levels: 0 reads, 1 (P1) sets the clock, 2
 * (P2) sets identification and limits; three wrong passwords end the exchange, and lock for a minute. Leaves out: the protocol
 * (package iec62056-21), the meter itself (electricity/).
 */
import { localToUtc, startOf, toLocal } from '@amiable/calendar';
import {
  type DeviceCommand,
  encodeDataSet,
  parseDate,
  parseMoment,
  parseTime,
  printNumber,
  type Reply,
  type TariffDevice,
} from '@amiable/iec62056-21';
import type { Meter, ProfileView } from '../electricity/index.ts';
import type { ServedMeter } from '../electricity-server/served.ts';

export interface OpticalDeviceOptions {
  readonly zone: string;
  /** Of P1 and P2. */
  readonly passwords: { readonly 1: string; readonly 2: string };
  /** Random digits for the operand; 8 zeros unless given. */
  readonly operand?: () => string;
  /** Told of each read-out. */
  readonly onReadout?: (lines: readonly string[]) => void;
}

const LOCKED = 60_000;
const BLOCK = 96;
const HISTORY_MONTHS = 12;
/** Rows of one answer; a longer span is cut. */
const MAX_ROWS = 2000;
const QUARTER = 'periodic';

/** Identification that may be written with P2, by code. */
const WRITABLE: Readonly<Record<string, 'parameterisation-id' | 'utility-serial-2.1' | 'utility-serial-2.2'>> = {
  '0.2.1': 'parameterisation-id',
  '0.0.1': 'utility-serial-2.1',
  '0.0.2': 'utility-serial-2.2',
};

const pad = (n: number, digits: number): string => String(n).padStart(digits, '0');

/** `26-11-20 16:45` of the meter's wall clock. */
function stampText(zone: string, utc: number): string {
  const d = new Date(toLocal(zone, utc));
  return `${pad(d.getUTCFullYear() % 100, 2)}-${pad(d.getUTCMonth() + 1, 2)}-${pad(d.getUTCDate(), 2)} ${pad(d.getUTCHours(), 2)}:${pad(d.getUTCMinutes(), 2)}`;
}

/** `s261120164500`: season digit, then date and time. */
function seasonStamp(zone: string, utc: number): string {
  const winter =
    toLocal(zone, Date.UTC(new Date(utc).getUTCFullYear(), 0, 1)) - Date.UTC(new Date(utc).getUTCFullYear(), 0, 1);
  const d = new Date(toLocal(zone, utc));
  const summer = toLocal(zone, utc) - utc > winter ? '1' : '0';
  return `${summer}${pad(d.getUTCFullYear() % 100, 2)}${pad(d.getUTCMonth() + 1, 2)}${pad(d.getUTCDate(), 2)}${pad(d.getUTCHours(), 2)}${pad(d.getUTCMinutes(), 2)}${pad(d.getUTCSeconds(), 2)}`;
}

const kW = (watts: number): string => printNumber(Math.round(Math.max(0, watts)), -3, 3);

function powerLines(engine: Meter): string[] {
  const sum = engine.powers[0] + engine.powers[1] + engine.powers[2];
  return [
    encodeDataSet('1.7.0', [{ value: kW(sum), unit: 'kW' }]),
    encodeDataSet('2.7.0', [{ value: kW(-sum), unit: 'kW' }]),
  ];
}

const importColumn = ({ columns }: ProfileView): number[] => {
  const total = columns.indexOf('1-0:1.8.0');
  return total >= 0 ? [total] : [columns.indexOf('1-0:1.8.1'), columns.indexOf('1-0:1.8.2')].filter((i) => i >= 0);
};

const registerAt = (view: ProfileView, row: number, places: readonly number[]): number =>
  places.reduce((sum, place) => sum + view.value(row, place), 0);

/** Highest mean power of a capture period since `since`, W, and when it ended. */
function maximumSince(view: ProfileView, since: number): { readonly watts: number; readonly at: number } | undefined {
  const places = importColumn(view);
  if (places.length === 0) return undefined;
  let best: { watts: number; at: number } | undefined;
  for (let row = 1; row < view.length; row++) {
    const at = view.timeOf(row);
    const from = view.timeOf(row - 1);
    if (from < since || at <= from) continue;
    const watts = ((registerAt(view, row, places) - registerAt(view, row - 1, places)) * 3_600_000) / (at - from);
    if (watts >= 0 && (!best || watts > best.watts)) best = { watts, at };
  }
  return best;
}

export function opticalDevice(meter: ServedMeter, options: OpticalDeviceOptions): TariffDevice {
  const { zone, passwords } = options;
  let wrong = 0;
  let lockedUntil = 0;
  /** When the maxima were reset last; the month's beginning unless said. */
  let resetAt = 0;

  function lines(): string[] {
    const engine = meter.live();
    const out = engine.readout().map(({ code, value, unit }) => encodeDataSet(code, [{ value, unit }]));
    out.push(...powerLines(engine));
    for (const [code, name] of Object.entries(WRITABLE)) {
      const value = engine.identification(name);
      if (code !== '0.2.1' && value !== '') out.push(encodeDataSet(code, [value]));
    }
    out.push(encodeDataSet('17.0.0', [{ value: String(engine.parameters.maximumDemand), unit: 'kW' }]));
    const maximum = maximumSince(engine.profile(QUARTER), Math.max(resetAt, startOf('month', zone, engine.now)));
    if (maximum)
      out.push(encodeDataSet('1.6.0', [{ value: kW(maximum.watts), unit: 'kW' }, stampText(zone, maximum.at)]));
    const months = engine.profile('monthly');
    const places = importColumn(months);
    for (let n = 1; places.length > 0 && n <= Math.min(HISTORY_MONTHS, months.length); n++) {
      const row = months.length - n;
      const value = printNumber(registerAt(months, row, places), -3, 6);
      out.push(encodeDataSet(`1.8.0*${pad(n, 2)}`, [{ value, unit: 'kWh' }, stampText(zone, months.timeOf(row))]));
    }
    return out;
  }

  /** A load profile in the form of the VDEW. */
  function profileLines(span: string): string[] | undefined {
    const engine = meter.live();
    const view = engine.profile(QUARTER);
    const [from = '', to = ''] = span.split(';').map((text) => text.trim());
    const first = from === '' ? 0 : utcOfText(from);
    const last = to === '' ? engine.now : utcOfText(to);
    if (first === undefined || last === undefined || view.columns.length === 0) return undefined;
    const out: string[] = [];
    let expected = Number.NaN;
    let before = '';
    for (let row = 0; row < view.length && out.length < MAX_ROWS; row++) {
      const at = view.timeOf(row);
      if (at < first || at > last) continue;
      const values = view.columns.map((_, i) => `(${printNumber(view.value(row, i), -3, 6)})`).join('');
      const status = view.statusOf(row).toString(16).toUpperCase().padStart(2, '0');
      // A head holds for the rows below it: a gap or another status begins a new one.
      if (at !== expected || status !== before) {
        const heads = view.columns.map((code) => `(${code.replace(/^1-0:/, '')})(kWh)`).join('');
        out.push(
          `P.01(${seasonStamp(zone, at)})(${status})(${view.period / 60})(${view.columns.length})${heads}${values}`,
        );
      } else out.push(values);
      expected = at + view.period * 1000;
      before = status;
    }
    return out.length === 0 ? ['P.01()'] : out;
  }

  function eventLines(): string[] {
    const log = meter.live().log('standard');
    const out: string[] = [];
    for (let i = Math.max(0, log.length - 100); i < log.length; i++) {
      const entry = log.entry(i);
      out.push(
        `P.98(${seasonStamp(zone, entry.at)})(${entry.status.toString(16).toUpperCase().padStart(4, '0')})(${entry.event})`,
      );
    }
    return out.length === 0 ? ['P.98()'] : out;
  }

  function utcOfText(text: string): number | undefined {
    const moment = parseMoment(text) ?? parseDate(text);
    if (!moment) return undefined;
    return moment.utc
      ? moment.wall
      : localToUtc(zone, moment.wall, moment.dst === undefined ? {} : { dst: moment.dst });
  }

  function read(type: string, address: string, value: string): Reply {
    const partial = type === '3' || type === '4' || type === '6';
    if (/^P\.0?1$/i.test(address) || /^P\.98$/i.test(address)) {
      if (type !== '5' && type !== '6') return { type: 'error', text: 'ER08' };
      const found = /98/.test(address) ? eventLines() : profileLines(value);
      if (!found) return { type: 'error', text: 'ER11' };
      return { type: 'data', parts: partial ? inBlocks(found) : [found.map((line) => `${line}\r\n`).join('')] };
    }
    const wanted = plainCode(address);
    const line = lines().find((text) => plainCode(text.slice(0, text.indexOf('('))) === wanted);
    if (line === undefined) return { type: 'error', text: 'ER01' };
    if (!partial) return { type: 'data', parts: [line] };
    return { type: 'data', parts: line.match(/.{1,48}/g) ?? [line] };
  }

  function write(address: string, value: string, level: number): Reply {
    const code = plainCode(address);
    const engine = meter.live();
    const clock = (utc: number | undefined): Reply => {
      if (utc === undefined) return { type: 'error', text: 'ER11' };
      engine.setClock(utc);
      meter.changed();
      return { type: 'ack' };
    };
    if (code === '0.9.1' || code === '0.9.2') {
      if (level < 1) return { type: 'error', text: 'ER07' };
      const wall = toLocal(zone, engine.clock.utc);
      const midnight = Math.floor(wall / 86_400_000) * 86_400_000;
      const given = code === '0.9.1' ? parseTime(value) : parseDate(value);
      if (!given) return { type: 'error', text: 'ER11' };
      return clock(localToUtc(zone, code === '0.9.1' ? midnight + given.wall : given.wall + wall - midnight));
    }
    if (code === '1.0.0' || code === '0.9.4')
      return level < 1 ? { type: 'error', text: 'ER07' } : clock(utcOfText(value));
    const identification = WRITABLE[code];
    if (identification || code === '17.0.0') {
      if (level < 2) return { type: 'error', text: 'ER07' };
      const outcome = identification
        ? engine.writeIdentification(identification, value)
        : engine.setParameters({ maximumDemand: Number.parseFloat(value) });
      if (!outcome.done) return { type: 'error', text: 'ER17' };
      meter.changed();
      return { type: 'ack' };
    }
    const known = lines().some((text) => plainCode(text.slice(0, text.indexOf('('))) === code);
    return { type: 'error', text: known ? 'ER04' : 'ER01' };
  }

  function execute(address: string, level: number): Reply {
    if (level < 2) return { type: 'error', text: 'ER07' };
    const code = plainCode(address);
    if (code === '1.6.0') resetAt = meter.live().now;
    else if (code === 'F.F') meter.live().setError('none');
    else return { type: 'error', text: 'ER09' };
    meter.changed();
    return { type: 'ack' };
  }

  function logIn({ type, data }: DeviceCommand, level: number): Reply {
    const now = meter.live().now;
    if (now < lockedUntil) return { type: 'error', text: 'ER07' };
    if ((type === '1' || type === '2') && data === `(${passwords[type]})`) {
      wrong = 0;
      return { type: 'ack', level: Math.max(level, Number(type)) };
    }
    if (++wrong < 3) return { type: 'error', text: 'ER07' };
    wrong = 0;
    lockedUntil = now + LOCKED;
    return { type: 'break' };
  }

  return {
    readout(option) {
      if (option !== '0') return undefined;
      const all = lines();
      options.onReadout?.(all);
      return all;
    },
    operand: () => options.operand?.() ?? '00000000',
    command(command, level) {
      if (command.command === 'P') return logIn(command, level);
      const found = /^([^()]+)\(([^()]*)\)$/.exec(command.data);
      if (!found) return { type: 'error', text: 'ER03' };
      const [, address = '', value = ''] = found;
      if (command.command === 'R') return read(command.type, address, value);
      if (command.command === 'W') return write(address, value, level);
      return command.command === 'E' ? execute(address, level) : { type: 'error', text: 'ER01' };
    },
  };
}

/** `1-0:1.8.0*255` and `1.8.0` are the same. */
function plainCode(address: string): string {
  return address
    .replace(/^[01]-0:/, '')
    .replace(/\*255$/, '')
    .toUpperCase();
}

/** Whole lines in blocks of about so many characters. */
function inBlocks(lines: readonly string[]): string[] {
  const parts: string[] = [];
  let part = '';
  for (const line of lines) {
    if (part !== '' && part.length + line.length > BLOCK) {
      parts.push(part);
      part = '';
    }
    part += `${line}\r\n`;
  }
  parts.push(part);
  return parts;
}
