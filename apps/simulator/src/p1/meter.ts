/**
 * A virtual P1 meter: a house behind a model's telegram. Telegrams are a function of time alone. Beside each stands the canonical
 * message that a reader should make of it, built from the values that went in, with names from a table of its own.
 */
import { toLocal, zoneOffset } from '@amiable/calendar';
import type { Crypto, KeyPair } from '@amiable/dlms';
import type { Item, Message, Unit, Value } from '@amiable/model';
import { addParity, encodeTelegram, sealTelegram } from '@amiable/p1';
import type { Grid } from '../house/grid.ts';
import { type House, ORIGIN } from '../house/house.ts';
import { between, part } from '../house/noise.ts';
import type { Weather } from '../house/weather.ts';
import { type Consumption, createConsumption } from './consumption.ts';
import type { Medium, P1Model } from './models.ts';

export type P1Truth = Omit<Message, 'id' | 'reader' | 'port' | 'receivedAt' | 'raw'>;

export interface P1Emission {
  readonly at: number;
  readonly bytes: Uint8Array;
  readonly truth: P1Truth;
}

export interface P1MeterOptions {
  readonly model: P1Model;
  readonly seed: number;
  readonly zone: string;
  readonly house: House;
  readonly grid: Grid;
  readonly weather: Weather;
  /** Worked out before, for the same seed, house and zone; its sums over past years take a moment. */
  readonly use?: Consumption;
  readonly channels: readonly Medium[];
  /** Shown to the customer. */
  readonly message?: string;
  readonly cipher?: { readonly keys: KeyPair; readonly systemTitle: Uint8Array; readonly crypto: Crypto };
}

export interface P1Meter {
  readonly model: P1Model;
  readonly serial: string;
  readonly zone: string;
  /** Every telegram whose sending begins in [from, to); none while the power is out. */
  telegrams(fromMs: number, toMs: number): Generator<P1Emission>;
  emission(at: number): P1Emission;
}

const MINUTE = 60_000;
const hex = (text: string): string => Buffer.from(text).toString('hex').toUpperCase();
const fixed = (mantissa: number, whole: number, places: number): string => {
  const digits = String(mantissa).padStart(whole + places, '0');
  return places === 0 ? digits : `${digits.slice(0, -places)}.${digits.slice(-places)}`;
};
const two = (n: number): string => String(n).padStart(2, '0');

interface Line {
  readonly address: string;
  readonly values: readonly string[];
}

/** Collects the lines of a telegram and what they mean. */
class Writing {
  readonly lines: Line[] = [];
  readonly items: Item[] = [];
  readonly values: Value[] = [];
  readonly times: (number | undefined)[] = [];

  line(address: string, ...values: string[]): void {
    this.lines.push({ address, values });
  }

  means(address: string, name: string, value: Value, more: Partial<Item> = {}, time?: number): void {
    this.items.push({ obis: address, address, name, scaler: 0, ...more });
    this.values.push(value);
    this.times.push(time);
  }

  /** A number with its unit: `mantissa` in steps of 10^-places of the written unit. */
  measure(address: string, name: string, mantissa: number, form: Form): void {
    this.line(address, `${fixed(mantissa, form.whole, form.places)}${form.written ? `*${form.written}` : ''}`);
    this.means(address, name, mantissa, {
      scaler: form.power - form.places,
      ...(form.unit ? { unit: form.unit } : {}),
    });
  }
}

interface Form {
  readonly whole: number;
  readonly places: number;
  readonly written: string;
  readonly unit?: Unit;
  /** Of the written unit. */
  readonly power: number;
}

const ENERGY: Form = { whole: 6, places: 3, written: 'kWh', unit: 'Wh', power: 3 };
const OLD_ENERGY: Form = { ...ENERGY, whole: 5 };
const POWER: Form = { whole: 2, places: 3, written: 'kW', unit: 'W', power: 3 };
const OLD_POWER: Form = { ...POWER, whole: 4, places: 2 };
const VOLTAGE: Form = { whole: 3, places: 1, written: 'V', unit: 'V', power: 0 };
const CURRENT: Form = { whole: 3, places: 0, written: 'A', unit: 'A', power: 0 };
const FINE_CURRENT: Form = { ...CURRENT, places: 2 };
const COUNT: Form = { whole: 5, places: 0, written: '', unit: '1', power: 0 };
const STATE: Form = { whole: 1, places: 0, written: '', power: 0 };

const MEDIA: Record<Medium, { readonly type: number; readonly name: string; readonly letters: string }> = {
  gas: { type: 3, name: 'gasVolume', letters: 'G0039' },
  water: { type: 7, name: 'waterVolume', letters: '8SAG' },
  heat: { type: 4, name: 'heatEnergy', letters: 'KAM' },
};

export function createP1Meter(options: P1MeterOptions): P1Meter {
  const { model, seed, zone, house, grid, channels, cipher } = options;
  const use = options.use ?? createConsumption(seed, house, options.weather, zone);
  const digits = (n: number, count: number): string =>
    String(between(part(seed, 80 + n), 0, 0, 0, 999_999_999))
      .padStart(count, '0')
      .slice(-count);
  const serial = model.letters === '' ? '' : model.letters + digits(0, 17 - model.letters.length);
  const deviceId = (kind: Medium, channel: number): string => MEDIA[kind].letters + digits(channel, 12);
  const power = new Float64Array(5);
  const net = new Float64Array(6);
  const old = model.name === 'dsmr2';
  const later = model.name !== 'dsmr2' && model.name !== 'dsmr4';

  /** Offsets of the zone in winter: the mark tells summer from it. */
  const isSummer = (ms: number): boolean => {
    const year = new Date(ms).getUTCFullYear();
    return (
      zoneOffset(zone, ms) > Math.min(zoneOffset(zone, Date.UTC(year, 0, 1)), zoneOffset(zone, Date.UTC(year, 6, 1)))
    );
  };
  const clockDigits = (ms: number): string => {
    const d = new Date(toLocal(zone, ms));
    return `${two(d.getUTCFullYear() % 100)}${two(d.getUTCMonth() + 1)}${two(d.getUTCDate())}${two(d.getUTCHours())}${two(d.getUTCMinutes())}${two(d.getUTCSeconds())}`;
  };
  const stamp = (ms: number): string => clockDigits(ms) + (isSummer(ms) ? 'S' : 'W');
  const wallText = (ms: number): string =>
    `${new Date(toLocal(zone, ms)).toISOString().slice(0, 19)}${isSummer(ms) ? 'S' : 'W'}`;

  function write(at: number): Writing {
    const w = new Writing();
    house.instantInto(at, power);
    grid.into(at, power, net);
    if (model.name === 'dsmr4' || model.name === 'dsmr5' || model.name === 'luxembourg') {
      const version = model.name === 'dsmr5' ? '50' : '42';
      w.line('1-3:0.2.8', version);
      w.means('1-3:0.2.8', 'version', version);
    }
    if (model.name === 'emucs') {
      w.line('0-0:96.1.4', '50217');
      w.means('0-0:96.1.4', 'version', '50217');
      number(w, '0-0:96.1.1', 'meterId', serial);
    }
    if (!old) {
      w.line('0-0:1.0.0', stamp(at));
      w.means('0-0:1.0.0', 'clock', wallText(at));
    }
    if (model.name === 'luxembourg') number(w, '0-0:42.0.0', 'logicalDeviceName', serial);
    else if (model.name !== 'emucs' && serial !== '') number(w, '0-0:96.1.1', 'meterId', serial);
    registers(w, at);
    if (model.name === 'emucs') peaks(w, at);
    powers(w);
    if (!old) events(w, at);
    limits(w);
    if (model.name !== 'swedish') {
      const text = old ? '' : (options.message ?? '');
      w.line('0-0:96.13.0', hex(text));
      w.means('0-0:96.13.0', 'textMessage', text);
    }
    for (const [i, kind] of channels.entries()) channel(w, kind, i + 1, at);
    return w;
  }

  function number(w: Writing, address: string, name: string, text: string, more: Partial<Item> = {}): void {
    w.line(address, hex(text));
    w.means(address, name, text, more);
  }

  function registers(w: Writing, at: number): void {
    if (model.name === 'swedish' || model.name === 'luxembourg') {
      const now = house.registers(at);
      w.measure('1-0:1.8.0', 'activeEnergyImport', Math.floor(now.import / 3600), { ...ENERGY, whole: 8 });
      w.measure('1-0:2.8.0', 'activeEnergyExport', Math.floor(now.export / 3600), { ...ENERGY, whole: 8 });
      const form: Form = { ...ENERGY, whole: 8, written: model.name === 'swedish' ? 'kVArh' : 'kvarh', unit: 'varh' };
      w.measure('1-0:3.8.0', 'reactiveEnergyImport', Math.floor(now.reactiveImport / 3600), form);
      w.measure('1-0:4.8.0', 'reactiveEnergyExport', Math.floor(now.reactiveExport / 3600), form);
      return;
    }
    const form = old ? OLD_ENERGY : ENERGY;
    const [in1, in2, out1, out2] = use.tariffs(at);
    w.measure('1-0:1.8.1', 'activeEnergyImportRate1', in1, form);
    w.measure('1-0:1.8.2', 'activeEnergyImportRate2', in2, form);
    w.measure('1-0:2.8.1', 'activeEnergyExportRate1', out1, form);
    w.measure('1-0:2.8.2', 'activeEnergyExportRate2', out2, form);
    w.line('0-0:96.14.0', `000${use.tariff(at)}`);
    w.means('0-0:96.14.0', 'tariff', use.tariff(at));
  }

  function peaks(w: Writing, at: number): void {
    w.measure('1-0:1.4.0', 'activePowerImportAverage', use.quarter(at), POWER);
    const peak = use.peak(at);
    if (peak) {
      w.line('1-0:1.6.0', stamp(peak.at), `${fixed(peak.watts, 2, 3)}*kW`);
      w.means('1-0:1.6.0', 'activePowerImportMaximum', peak.watts, { unit: 'W' }, peak.at);
    }
    const months = use.months(at);
    const entries = months.flatMap((m) => [stamp(m.until), stamp(m.at), `${fixed(m.watts, 2, 3)}*kW`]);
    w.line('0-0:98.1.0', String(months.length), '1-0:1.6.0', '1-0:1.6.0', ...entries);
    for (const m of months) w.means('0-0:98.1.0', 'activePowerImportMaximumHistory', m.watts, { unit: 'W' }, m.at);
  }

  function powers(w: Writing): void {
    const form = old ? OLD_POWER : model.name === 'swedish' ? { ...POWER, whole: 4 } : POWER;
    const watts = (value: number): number => Math.round(Math.max(0, value) / (old ? 10 : 1));
    w.measure('1-0:1.7.0', 'activePowerImport', watts(power[0] as number), form);
    w.measure('1-0:2.7.0', 'activePowerExport', watts(-(power[0] as number)), form);
    if (old) return;
    const phases = [1, 2, 3] as const;
    if (later)
      for (const p of phases)
        w.measure(`1-0:${12 + 20 * p}.7.0`, `voltageL${p}`, Math.round((net[p - 1] as number) * 10), VOLTAGE);
    for (const p of phases) {
      const amps = net[p + 2] as number;
      if (model.name === 'emucs')
        w.measure(`1-0:${11 + 20 * p}.7.0`, `currentL${p}`, Math.round(amps * 100), FINE_CURRENT);
      else w.measure(`1-0:${11 + 20 * p}.7.0`, `currentL${p}`, Math.round(amps), CURRENT);
    }
    for (const p of phases)
      w.measure(`1-0:${1 + 20 * p}.7.0`, `activePowerImportL${p}`, watts(power[p] as number), form);
    for (const p of phases)
      w.measure(`1-0:${2 + 20 * p}.7.0`, `activePowerExportL${p}`, watts(-(power[p] as number)), form);
  }

  function events(w: Writing, at: number): void {
    if (model.name === 'swedish' || model.name === 'emucs') return;
    const failures = use.failures(at);
    w.measure('0-0:96.7.21', 'powerFailures', failures.length * 2 + 1, COUNT);
    w.measure('0-0:96.7.9', 'longPowerFailures', failures.length, COUNT);
    const log = failures.slice(-10);
    const entries = log.flatMap((f) => [stamp(f.end), `${String(f.seconds).padStart(10, '0')}*s`]);
    w.line('1-0:99.97.0', String(log.length), '0-0:96.7.19', ...entries);
    for (const f of log) w.means('1-0:99.97.0', 'powerFailureLog', f.seconds, { unit: 's' }, f.end);
    for (const p of [1, 2, 3])
      w.measure(`1-0:${12 + 20 * p}.32.0`, `voltageL${p}Sags`, between(part(seed, 90), p, 0, 0, 9), COUNT);
    for (const p of [1, 2, 3])
      w.measure(`1-0:${12 + 20 * p}.36.0`, `voltageL${p}Swells`, between(part(seed, 91), p, 0, 0, 3), COUNT);
  }

  function limits(w: Writing): void {
    if (model.name !== 'emucs' && model.name !== 'luxembourg' && !old) return;
    w.measure('0-0:96.3.10', 'breakerState', 1, STATE);
    if (model.name === 'luxembourg')
      w.measure('0-0:17.0.0', 'powerLimit', 690, { whole: 3, places: 1, written: 'kVA', unit: 'VA', power: 3 });
    else w.measure('0-0:17.0.0', 'powerLimit', 9999, { whole: 3, places: 1, written: 'kW', unit: 'W', power: 3 });
    if (model.name === 'emucs') w.measure('1-0:31.4.0', 'currentLimit', 999, CURRENT);
  }

  function channel(w: Writing, kind: Medium, n: number, at: number): void {
    const { type, name } = MEDIA[kind];
    const id = deviceId(kind, n);
    const of = { channel: n, deviceId: id };
    const captured = Math.floor(at / (model.capture * MINUTE)) * model.capture * MINUTE;
    const value = use.medium(kind, captured);
    w.line(`0-${n}:24.1.0`, `00${type}`);
    w.means(`0-${n}:24.1.0`, 'deviceType', type, of);
    number(w, `0-${n}:96.1.${model.name === 'emucs' ? 1 : 0}`, 'deviceId', id, of);
    const heat = kind === 'heat';
    const measured = { ...of, unit: (heat ? 'J' : 'm3') as Unit, scaler: heat ? 6 : -3 };
    const mantissa = heat ? Math.floor(value / 1000) : value;
    const written = heat ? 'GJ' : 'm3';
    const text = fixed(mantissa, 5, 3);
    if (old) {
      w.line(`0-${n}:24.3.0`, clockDigits(captured), '00', '60', '1', `0-${n}:24.2.1`, written, text);
      w.means(`0-${n}:24.3.0`, name, mantissa, measured, captured);
      w.means(`0-${n}:24.3.0`, name, mantissa, { ...measured, obis: `0-${n}:24.2.1` }, captured);
    } else {
      const belgian = model.name === 'emucs' && kind === 'gas';
      const address = `0-${n}:24.2.${belgian ? 3 : 1}`;
      w.line(address, stamp(captured), `${text}*${written}`);
      w.means(address, belgian ? 'gasVolumeUncorrected' : name, mantissa, measured, captured);
    }
    if (model.name === 'emucs' || old) {
      w.line(`0-${n}:24.4.0`, '1');
      w.means(`0-${n}:24.4.0`, 'valveState', 1, of);
    }
  }

  function emission(at: number): P1Emission {
    const w = write(at);
    let bytes = encodeTelegram({ identification: model.identification, objects: w.lines, checksum: model.checksum });
    if (old) bytes = onTwoLines(bytes);
    if (model.seven) bytes = addParity(bytes);
    if (cipher)
      bytes = sealTelegram(
        bytes,
        cipher.keys,
        { systemTitle: cipher.systemTitle, invocationCounter: Math.floor((at - ORIGIN) / 1000) },
        cipher.crypto,
      );
    const second = Math.floor(at / 1000) * 1000;
    const own = w.times.map((time) => (time === second && !old ? undefined : time));
    const truth: P1Truth = {
      v: 1,
      protocol: 'p1',
      ...(MAKER[model.name] ? { maker: MAKER[model.name] as string } : {}),
      ...(LIST[model.name] ? { list: LIST[model.name] as string } : {}),
      ...(serial === '' ? {} : { meterId: serial }),
      meterType: TYPE[model.name],
      ...(old ? {} : { time: second, meterTime: wallText(at) }),
      flags: model.checksum === 'none' ? ['crcMissing'] : [],
      items: w.items,
      values: w.values,
      ...(own.some((time) => time !== undefined) ? { times: own } : {}),
    };
    return { at, bytes, truth };
  }

  return {
    model,
    serial,
    zone,
    emission,
    *telegrams(fromMs, toMs) {
      for (let at = Math.ceil(fromMs / model.period) * model.period; at < toMs; at += model.period)
        if (!use.isDown(at)) yield emission(at);
    },
  };
}

const MAKER: Partial<Record<P1Model['name'], string>> = {
  dsmr2: 'Iskraemeco',
  dsmr4: 'Kaifa',
  dsmr5: 'Iskraemeco',
  swedish: 'Landis+Gyr',
};
const LIST: Partial<Record<P1Model['name'], string>> = {
  dsmr4: 'DSMR 4.2',
  dsmr5: 'DSMR 5.0',
  emucs: 'e-MUCS-P1 1.7',
  luxembourg: 'DSMR 4.2',
};
const TYPE: Record<P1Model['name'], string> = {
  dsmr2: 'MT382-1003',
  dsmr4: 'KAIFA-METER',
  dsmr5: 'M550T-1012',
  emucs: '53769484_A',
  luxembourg: '53694471_M',
  swedish: 'E360',
};

/** DSMR 2 breaks the line before the value of a device. */
function onTwoLines(bytes: Uint8Array): Uint8Array {
  const text = Buffer.from(bytes)
    .toString('latin1')
    .replace(/\((m3|GJ)\)\(/g, '($1)\r\n(');
  return new Uint8Array(Buffer.from(text, 'latin1'));
}
