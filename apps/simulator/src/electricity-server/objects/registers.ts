/**
 * What is measured: energy registers and rates, power quality, demand, and the settings of their supervision (§7.4.1, §7.4.2,
 * §7.4.7, §7.4.8 of the system description).
 *
 * Decides: thresholds stand where IEC 62056-6-1 has a code for them (12.31 and so on), else in the maker's range 0-0:96.128.x.
 */
import type { EnergyRegister, EventNumber, Limit, MeterParameters } from '../../electricity/index.ts';
import { data, type MeterObject, object, register } from '../define.ts';
import type { ServedMeter } from '../served.ts';
import { bool, doubleLong, group, list, octets, u16, u32, unsigned } from '../values.ts';

const ENERGY: readonly (readonly [EnergyRegister, string])[] = [
  ['1.8.0', 'Active energy import (+A)'],
  ['2.8.0', 'Active energy export (-A)'],
  ['15.8.0', 'Combined total (|AL1| + |AL2| + |AL3|)'],
  ['1.8.1', 'Active energy import (+A), rate 1'],
  ['1.8.2', 'Active energy import (+A), rate 2'],
  ['2.8.1', 'Active energy export (-A), rate 1'],
  ['2.8.2', 'Active energy export (-A), rate 2'],
];

export const energyRegisters = (): MeterObject[] =>
  ENERGY.map(([id, meaning]) => register(`1-0:${id}`, meaning, 'data', 'Wh', 0, (m) => u32(m.engine.register(id))));

export function qualityRegisters(polyphase: boolean): MeterObject[] {
  const voltage = (phase: 0 | 1 | 2): MeterObject =>
    register(`1-1:${32 + 20 * phase}.7.0`, `Voltage in phase ${phase + 1}, RMS over 5 s`, 'data', 'V', -1, (m) =>
      u16(Math.round(m.engine.powerQuality.voltages[phase] * 10)),
    );
  const objects = [
    register(
      '0-0:96.7.0',
      'Total power failures: all three phases below 120 V for more than 200 ms',
      'data',
      '',
      0,
      (m) => u32(m.engine.powerQuality.totalPowerFailures),
    ),
    register(
      '0-0:96.7.5',
      'Long power failures: all phases below 150 V for longer than 0-0:96.7.20; reset sets it to 0',
      'set',
      '',
      0,
      (m) => u32(m.engine.powerQuality.longPowerFailures),
      undefined,
      { reset: (m) => m.engine.resetLongPowerFailures() },
    ),
    voltage(0),
  ];
  if (polyphase) objects.push(voltage(1), voltage(2));
  else
    objects.push(
      register('1-1:31.7.0', 'Current in phase 1', 'data', 'A', -2, (m) =>
        u16(Math.round((m.engine.powerQuality.current ?? 0) * 100)),
      ),
    );
  objects.push(
    register('1-0:1.7.0', 'Power import, mean of 15 s (what the display behind the meter shows)', 'data', 'W', 0, (m) =>
      u32(Math.max(0, Math.round(m.engine.display.power))),
    ),
    register('1-0:2.7.0', 'Power export, mean of 15 s', 'data', 'W', 0, (m) =>
      u32(Math.max(0, Math.round(-m.engine.display.power))),
    ),
  );
  return objects;
}

/** A parameter of the engine as a number. */
function parameter(
  obis: string,
  meaning: string,
  unit: string,
  scaler: number,
  wide: boolean,
  read: (p: MeterParameters) => number,
  change: (value: number, p: MeterParameters) => Partial<MeterParameters>,
): MeterObject {
  const factor = 10 ** -scaler;
  return register(
    obis,
    meaning,
    'set',
    unit,
    scaler,
    (m) => (wide ? u32 : u16)(Math.round(read(m.engine.parameters) * factor)),
    (value, m) => m.engine.setParameters(change(Number(value) / factor, m.engine.parameters)),
  );
}

/** Per cent, tenths of them, and minutes, told in seconds as the code has it. */
function limit(
  name: 'undervoltage' | 'overvoltage' | 'phaseOutage',
  percentObis: string,
  timeObis: string,
  meaning: string,
): MeterObject[] {
  const change = (limitOf: (old: Limit) => Limit) => (_: number, p: MeterParameters) => ({ [name]: limitOf(p[name]) });
  return [
    parameter(
      percentObis,
      `${meaning}: threshold, per cent of nominal voltage`,
      '%',
      -1,
      false,
      (p) => p[name].percent,
      (value, p) => change((old) => ({ ...old, percent: value }))(value, p),
    ),
    parameter(
      timeObis,
      `${meaning}: whole minutes for which it must last, in seconds`,
      's',
      0,
      false,
      (p) => p[name].minutes * 60,
      (value, p) => change((old) => ({ ...old, minutes: value / 60 }))(value, p),
    ),
  ];
}

export function supervision(): MeterObject[] {
  return [
    ...limit('undervoltage', '1-0:12.31.0', '1-0:12.43.0', 'Undervoltage'),
    ...limit('overvoltage', '1-0:12.35.0', '1-0:12.44.0', 'Overvoltage'),
    ...limit('phaseOutage', '1-0:12.39.0', '1-0:12.45.0', 'Single phase outage'),
    parameter(
      '0-0:96.7.20',
      'Power failures longer than this are long ones (10 to 65535)',
      's',
      0,
      false,
      (p) => p.longPowerFailure,
      (longPowerFailure) => ({ longPowerFailure }),
    ),
    parameter(
      '0-0:96.128.2',
      'Hysteresis of voltage limits, per cent of nominal voltage',
      '%',
      -1,
      false,
      (p) => p.hysteresis,
      (hysteresis) => ({ hysteresis }),
    ),
    data(
      '0-0:96.128.0',
      'Registration of power quality: true is enabled',
      'set',
      (m) => bool(m.engine.parameters.powerQualityRegistration),
      (value, m) => m.engine.setParameters({ powerQualityRegistration: value === true }),
    ),
    data(
      '0-0:96.128.1',
      'Numbers of events that are not registered although the registration is enabled',
      'set',
      (m) => list(...m.engine.parameters.unregistered.map(unsigned)),
      (value, m) => m.engine.setParameters({ unregistered: (value as number[]).map((n) => n as EventNumber) }),
    ),
    parameter(
      '1-0:0.9.11',
      'sync_limit: a larger deviation is registered when the clock is set',
      's',
      0,
      false,
      (p) => p.syncLimit,
      (syncLimit) => ({ syncLimit }),
    ),
    parameter(
      '0-0:96.128.20',
      'Window in which small shifts of the clock may add up to sync_limit at most',
      's',
      0,
      true,
      (p) => p.smallShiftWindow,
      (smallShiftWindow) => ({ smallShiftWindow }),
    ),
  ];
}

const watts = (m: ServedMeter): number => m.engine.parameters.maximumDemand * m.engine.parameters.demandMargin * 1000;
const NO_ACTION = { script_logical_name: '0-0:0.0.0', script_selector: 0 };

/** Maximum demand and fuse: as parameters, and as a Limiter that shows them. */
export function demandSupervision(): MeterObject[] {
  return [
    register('1-0:1.24.0', 'Mean power import of the last hour (0 while the supervision is off)', 'data', 'W', 0, (m) =>
      u32(Math.max(0, Math.round(m.engine.hourlyDemand))),
    ),
    register(
      '0-0:96.128.10',
      'Maximum demand, 1 to 256 kW; 0 turns the supervision off',
      'set',
      'kW',
      0,
      (m) => u16(m.engine.parameters.maximumDemand),
      (value, m) => m.engine.setParameters({ maximumDemand: Number(value) }),
    ),
    register(
      '0-0:96.128.11',
      'Margin factor on the maximum demand, 1.00 to 2.00',
      'set',
      '',
      -2,
      (m) => u16(Math.round(m.engine.parameters.demandMargin * 100)),
      (value, m) => m.engine.setParameters({ demandMargin: Number(value) / 100 }),
    ),
    data(
      '0-0:96.128.12',
      'Fuse, as the utility says it (at most 32 characters)',
      'set',
      (m) => octets(m.engine.parameters.fuse),
      (value, m) => m.engine.setParameters({ fuse: textOf(value) }),
    ),
    object({
      classId: 71,
      obis: '0-0:17.0.0',
      meaning:
        'Maximum demand supervision as Limiter: hourly mean against maximum demand × margin; events, no switching',
      unit: 'W',
      level: 'data',
      attributes: {
        monitored_value: { is: { class_id: 3, logical_name: '1-0:1.24.0', attribute_index: 2 } },
        threshold_active: { get: (m) => doubleLong(Math.round(watts(m))) },
        threshold_normal: { get: (m) => doubleLong(Math.round(watts(m))) },
        threshold_emergency: { get: (m) => doubleLong(Math.round(watts(m))) },
        min_over_threshold_duration: { is: 3600 },
        min_under_threshold_duration: { is: 3600 },
        emergency_profile: {
          is: group(
            { type: 'long-unsigned', value: 0 },
            octets(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x80, 0, 0xff)),
            doubleLong(0),
          ),
        },
        emergency_profile_group_id_list: { is: [] },
        emergency_profile_active: { is: false },
        actions: { is: { action_over_threshold: NO_ACTION, action_under_threshold: NO_ACTION } },
      },
    }),
  ];
}

/** Octets that a class table does not call text. */
export function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  return value instanceof Uint8Array ? new TextDecoder().decode(value) : '';
}
