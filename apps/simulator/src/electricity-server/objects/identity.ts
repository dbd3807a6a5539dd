/**
 * Identification numbers (§7.4.3 of the system description), status and errors, inputs and outputs, lights, and what the display
 * behind the meter gets (§7.4.10 to §7.4.12, §9).
 *
 * Decides: identification numbers are Registers without unit, as the description has them, but for the logical device
 * name, which the standard wants as Data.
 */
import {
  type DisplayParameters,
  IDENTIFICATIONS,
  type IdentificationName,
  isLit,
  lights,
  type Meter,
  type MeterConfig,
  SLAVE_IDENTIFICATIONS,
  type SlaveIdentificationName,
  type SlaveSettings,
  slaveObis,
} from '../../electricity/index.ts';
import { data, type Level, type MeterObject, object, register } from '../define.ts';
import type { ServedMeter } from '../served.ts';
import { bool, doubleLong, group, list, long, octets, text, textOctets, u16, u32, unsigned } from '../values.ts';
import { textOf } from './registers.ts';

const NAMES: Readonly<Record<IdentificationName, readonly [string, Level]>> = {
  'utility-serial': ['Utility serial number of the electricity meter', 'open'],
  'meter-serial': ['Logical device name: manufacturer serial number of the meter', 'open'],
  'module-serial': ['Manufacturer serial number of the communication module', 'open'],
  'meter-firmware': ['Firmware ID of the meter', 'open'],
  'module-firmware': ['Firmware ID of the module', 'open'],
  'configuration-id': ['Configuration ID: hard- and software of the device', 'open'],
  'parameterisation-id': [
    'Parameterisation ID (0 to 255); a PLC module is NEW and unlocked when it is written',
    'openSet',
  ],
  'utility-serial-2.1': ['Utility serial number 2.1, free for the utility', 'set'],
  'utility-serial-2.2': ['Utility serial number 2.2, free for the utility', 'set'],
};

export function identifications(): MeterObject[] {
  return (Object.keys(IDENTIFICATIONS) as IdentificationName[]).map((name) => {
    const { obis, baseName, maxLength, writable } = IDENTIFICATIONS[name];
    const [meaning, level] = NAMES[name];
    const isName = name === 'meter-serial';
    return object({
      classId: isName ? 1 : 3,
      obis,
      meaning: `${meaning}; up to ${maxLength} characters`,
      level,
      ...(baseName !== undefined && { baseName }),
      attributes: {
        value: {
          encoded: (m) => textOctets(m.engine.identification(name)),
          ...(writable && {
            set: (value: unknown, m: ServedMeter) => m.engine.writeIdentification(name, textOf(value)),
          }),
        },
        ...(!isName && { scaler_unit: { is: [0, { type: 'enum', value: 255 }] } }),
      },
    });
  });
}

const SLAVE_NAMES: Readonly<Record<SlaveIdentificationName, string>> = {
  'utility-serial': 'utility serial number',
  'manufacturer-serial': 'manufacturer serial number',
  'ocr-serial': 'manufacturer serial number of the OCR module',
  'configuration-id': 'configuration ID',
};

/** Codes with the medium count channels from 0, as the description does; abstract codes from 1, as M-Bus channels do. */
export function slaveIdentifications(channel: number, settings: SlaveSettings): MeterObject[] {
  return (Object.keys(SLAVE_IDENTIFICATIONS) as SlaveIdentificationName[]).map((name) => {
    const own = slaveObis(name, settings.medium, channel);
    const obis = own.startsWith('0-') ? slaveObis(name, settings.medium, channel + 1) : own;
    return object({
      classId: 3,
      obis,
      meaning: `Slave ${channel + 1} (${settings.medium}): ${SLAVE_NAMES[name]}`,
      level: 'set',
      attributes: {
        value: {
          encoded: (m) => textOctets(m.engine.slaveIdentification(channel, name)),
          set: (value, m) => m.engine.writeSlaveIdentification(channel, name, textOf(value)),
        },
        scaler_unit: { is: [0, { type: 'enum', value: 255 }] },
      },
    });
  });
}

const ERROR_BITS = { none: 0, critical: 1, fatal: 2 } as const;

export function statusObjects(config: MeterConfig): MeterObject[] {
  const objects = [
    data('0-0:97.97.0', 'Error register: 1 critical error, 2 fatal error in the module', 'open', (m) =>
      unsigned(ERROR_BITS[m.engine.error]),
    ),
    data('0-0:96.5.0', 'Device status, 16 bits, as in the event logs', 'data', (m) => long(m.engine.deviceStatus)),
    data('0-0:96.14.0', 'Rate in force, 1 or 2', 'data', (m) => unsigned(m.engine.rate)),
    data('0-0:96.3.1', 'Inputs: bit 0 rate control input energised, bit 1 alert input active', 'data', (m) =>
      unsigned((m.engine.rateInput ? 1 : 0) | (m.engine.alertInput ? 2 : 0)),
    ),
    data('0-0:96.3.2', 'Outputs: bit 0 control output (load switching) on', 'data', (m) =>
      unsigned(m.engine.outputs.relay ? 1 : 0),
    ),
    data('0-0:96.128.40', 'Status lights: name, colour, lit ms, dark ms, lit now, meaning', 'data', (m) =>
      list(...lights(m.engine).map((light) => lightData(light, m.engine.now))),
    ),
    data('0-0:96.128.42', 'Over-demand at present', 'data', (m) => bool(m.engine.overDemand)),
  ];
  if (config.interface === 's0')
    objects.push(
      register('0-0:96.128.60', 'Pulses given at the S0 output, 500 to the kWh', 'data', '', 0, (m) =>
        u32(m.engine.outputs.pulses ?? 0),
      ),
    );
  if (config.extraInput === 's0')
    objects.push(
      register('0-0:96.128.61', 'Pulses counted at the S0 input', 'data', '', 0, (m) => u32(m.engine.inputPulses ?? 0)),
    );
  return objects;
}

function lightData(light: ReturnType<typeof lights>[number], now: number) {
  const { pattern } = light;
  const [on, off] =
    pattern.kind === 'flashing' ? [pattern.on, pattern.off] : pattern.kind === 'off' ? [0, 0xffff] : [0xffff, 0];
  return group(
    text(light.name),
    text(light.colour),
    long(on),
    long(off),
    bool(isLit(pattern, now)),
    text(light.meaning),
  );
}

const change =
  (part: (value: unknown, old: DisplayParameters) => Partial<DisplayParameters>) =>
  (value: unknown, m: ServedMeter) => {
    const { display } = m.engine.parameters;
    return m.engine.setParameters({ display: { ...display, ...part(value, display) } });
  };

/** Figures of a graph, in Wh; 0xFFFFFFFF where there is none. */
const graph = (kWh: readonly number[]) =>
  list(...kWh.map((n) => doubleLong(Number.isNaN(n) ? 0xffffffff : Math.round(n * 1000))));

export function displayObjects(): MeterObject[] {
  return [
    data('0-0:96.128.51', "Pictures of the meter's own display: code, value, unit", 'data', (m) =>
      list(...m.engine.displayLines().map(({ code, value, unit }) => group(text(code), text(value), text(unit)))),
    ),
    data(
      '0-0:96.128.50',
      'Display behind the meter: power W, indicator (0 normal, 1 high, 2 very high), cost/h in thousandths, CO2 g/h, rate, next change of rate, unread message',
      'data',
      (m) => displaySummary(m.engine),
    ),
    data(
      '0-0:96.128.53',
      'Display behind the meter: kWh of each hour since midnight, of 28 days, of 12 months',
      'data',
      (m) => {
        const { hours, days, months } = m.engine.display;
        return group(graph(hours), graph(days), graph(months));
      },
      undefined,
      'Wh',
    ),
    data(
      '0-0:96.13.0',
      'Message to the consumer, at most 43 characters',
      'set',
      (m) => octets(m.engine.parameters.display.message),
      change((value) => ({ message: textOf(value) })),
    ),
    data(
      '0-0:96.128.54',
      'The message was read (writing true marks it as read)',
      'set',
      (m) => bool(!m.engine.display.messageUnread),
      (value, m) => {
        if (value === true) m.engine.messageRead();
        return undefined;
      },
    ),
    data(
      '0-0:96.128.55',
      'Thresholds of high and very high consumption',
      'set',
      (m) => list(...m.engine.parameters.display.thresholds.map(doubleLong)),
      change((value) => ({ thresholds: pair(value) })),
      'W',
    ),
    data(
      '0-0:96.128.56',
      'Prices of a kWh by rate (up to four), thousandths of the currency unit',
      'set',
      (m) => list(...m.engine.parameters.display.prices.map(doubleLong)),
      change((value) => ({ prices: value as number[] })),
    ),
    data(
      '0-0:96.128.57',
      'Currency of the prices',
      'set',
      (m) => octets(m.engine.parameters.display.currency),
      change((value) => ({ currency: textOf(value) })),
    ),
    register(
      '0-0:96.128.58',
      'CO2, g per kWh',
      'set',
      '',
      0,
      (m) => u16(m.engine.parameters.display.co2Electricity),
      change((value) => ({ co2Electricity: Number(value) })),
    ),
    register(
      '0-0:96.128.59',
      'CO2, g per m3 of gas',
      'set',
      '',
      0,
      (m) => u16(m.engine.parameters.display.co2Gas),
      change((value) => ({ co2Gas: Number(value) })),
    ),
  ];
}

const pair = (value: unknown): readonly [number, number] => {
  const [low = 0, high = 0] = value as number[];
  return [low, high];
};

const INDICATOR = { normal: 0, high: 1, 'very-high': 2 } as const;

function displaySummary(engine: Meter) {
  const d = engine.display;
  return group(
    { type: 'double-long', value: Math.round(d.power) },
    unsigned(INDICATOR[d.indicator]),
    doubleLong(Math.round(d.costPerHour * 1000)),
    doubleLong(Math.round(d.co2PerHour * 1000)),
    unsigned(d.rate),
    octets(d.nextRateChange),
    bool(d.messageUnread),
  );
}
