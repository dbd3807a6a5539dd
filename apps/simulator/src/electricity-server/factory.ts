/**
 * Virtual meters as the simulator offers them: one with a household behind it, or a fleet.
 *
 * Decides: everything follows from seed and number; a meter is made, with its history, when it is first asked for. Meters of a
 * fleet share eight households, so that ten thousand of them fit into memory. Slaves hang on an M-Bus (mbus/), whose master the
 * meter is.
 */
import { createHmac } from 'node:crypto';
import { startOf } from '@amiable/calendar';
import type { SecuritySuite } from '@amiable/dlms';
import {
  createMeter,
  DELIVERED,
  DELIVERED_SINGLE_PHASE,
  disturbedBySeed,
  firmwareConfig,
  householdSource,
  type Medium,
  type Meter,
  type MeterConfig,
  type MeterIdentity,
  type MeterParameters,
  meterConfig,
  meterIdentity,
  ORDINARY,
  type Rates,
  type SlaveReading,
  type SlaveSettings,
  type Source,
} from '../electricity/index.ts';
import { type Consumption, createConsumption, HUNG_UP } from '../mbus/consumption.ts';
import { install, type SlaveKind } from '../mbus/install.ts';
import { insideBus, type LineBusOptions, type MeterBus } from '../mbus/meter-port.ts';
import { createCredentials, deliveredCredentials, type StoredCredentials } from './keys.ts';
import { nextScheduled, runScheduled } from './schedules.ts';
import { advanceHeard, ServedMeter } from './served.ts';

export interface VirtualMeterOptions {
  readonly seed: number;
  readonly zone: string;
  readonly suite: SecuritySuite;
  readonly config?: Partial<MeterConfig>;
  readonly parameters?: Partial<MeterParameters>;
  readonly slaves?: readonly Medium[];
  /** What each of them is on the bus; meters with a module of their own unless said. */
  readonly slaveKinds?: readonly SlaveKind[];
  /** Makes the bus where it is not our own: a line with whoever's slaves on it. */
  readonly bus?: (face: Pick<LineBusOptions, 'zone' | 'now' | 'deliver'>) => MeterBus;
  /** ms that it has lived before. */
  readonly history: number;
  readonly solar?: boolean;
  readonly car?: boolean;
  /** Meters of a fleet share their households. */
  readonly shared?: boolean;
  /** How many times as often as in an ordinary network the supply is disturbed; 1 unless said, in a fleet 0. Twelve feeders share what befalls them. */
  readonly disturbances?: number;
  /** Instead of a household. */
  readonly source?: Source;
  /** Virtual time. */
  now(): number;
}

/** What was kept of a meter. */
export interface Kept {
  readonly engine?: Uint8Array;
  readonly settings?: ReadonlyMap<string, Uint8Array>;
  readonly credentials?: StoredCredentials;
}

/** Key of the keyed hash that images for the virtual meters carry; no secret. */
export const FIRMWARE_KEY = new TextEncoder().encode('amiable firmware');

export const hmac = (profile: 'hmac-sha-256' | 'hmac-sha-1', key: Uint8Array, data: Uint8Array): Uint8Array =>
  new Uint8Array(
    createHmac(profile === 'hmac-sha-1' ? 'sha1' : 'sha256', key)
      .update(data)
      .digest(),
  );

const SHARED = 8;
const FEEDERS = 12;
const times = (factor: number): Rates =>
  Object.fromEntries(Object.entries(ORDINARY).map(([kind, rate]) => [kind, rate * factor]));

const sources = new Map<string, Source>();

function sourceOf(options: VirtualMeterOptions, config: MeterConfig, number: number): Source {
  if (options.source) return options.source;
  const { seed, zone, solar = false, car = false, shared = false } = options;
  if (!shared) {
    const house = householdSource({ seed: seed + number, street: seed, zone, type: config.type, solar, car });
    return disturbedBySeed(house, seed + number, times(options.disturbances ?? 1));
  }
  const which = number % SHARED;
  const { disturbances = 0 } = options;
  const feeder = disturbances === 0 ? 0 : 1 + ((number - 1) % FEEDERS);
  const key = [seed, zone, config.type, which, solar, car, feeder, disturbances].join('/');
  let source = sources.get(key);
  if (!source) {
    const house = householdSource({ seed: seed + which, street: seed, zone, type: config.type, solar, car, step: 15 });
    source = feeder === 0 ? house : disturbedBySeed(house, seed + feeder, times(disturbances));
    sources.set(key, source);
  }
  return source;
}

// ---------------------------------------------------------------- slaves

interface MediumKind {
  readonly obis: string;
  readonly unit: SlaveSettings['unit'];
  readonly scaler: number;
}
const KINDS: Readonly<Record<Medium, MediumKind>> = {
  electricity: { obis: '1-{b}:1.8.0', unit: 'Wh', scaler: 0 },
  heat: { obis: '6-{b}:1.0.0', unit: 'Wh', scaler: 3 },
  gas: { obis: '7-{b}:3.0.0', unit: 'm3', scaler: -3 },
  'water-cold': { obis: '8-{b}:1.0.0', unit: 'm3', scaler: -3 },
  'water-hot': { obis: '9-{b}:1.0.0', unit: 'm3', scaler: -3 },
};
export const MEDIA = Object.keys(KINDS) as Medium[];

export const busOf = (media: readonly Medium[]): SlaveSettings[] =>
  media.map((medium, channel) => {
    const { obis, unit, scaler } = KINDS[medium];
    return {
      medium,
      address: channel + 1,
      baud: 2400,
      obis: obis.replace('{b}', String(channel)),
      record: { storage: 0, tariff: 0, subunit: 0 },
      scaler,
      unit,
      capture: 'hourly',
      hasProfile: true,
    };
  });

const consumptions = new Map<string, Consumption>();

/** The household's gas, water and heat: the same people as its electricity. */
function consumptionOf({ seed, zone, shared = false }: VirtualMeterOptions, number: number): Consumption {
  if (!shared) return createConsumption({ seed: seed + number, street: seed, zone });
  const which = seed + (number % SHARED);
  const key = `${seed}/${zone}/${which}`;
  let consumption = consumptions.get(key);
  if (!consumption) {
    consumption = createConsumption({ seed: which, street: seed, zone });
    consumptions.set(key, consumption);
  }
  return consumption;
}

/** The bus with slaves of our own on it. */
function ownBus(options: VirtualMeterOptions, number: number, start: number, now: () => number): MeterBus {
  const { seed, zone, slaves: media = [], slaveKinds = media } = options;
  const { slaves } = install({
    seed: seed + number,
    zone,
    kinds: slaveKinds,
    start: Math.max(start, HUNG_UP),
    consumption: consumptionOf(options, number),
    now,
  });
  return insideBus({ slaves, zone, now });
}

// ---------------------------------------------------------------- one meter

export interface MadeMeter {
  readonly number: number;
  readonly lower?: number;
  readonly kept?: Kept;
  /** Durable before it returns; absent: nothing is kept. */
  saveCredentials?(stored: StoredCredentials): void;
}

const configs = new Map<VirtualMeterOptions, MeterConfig>();

export function configOf(options: VirtualMeterOptions): MeterConfig {
  let config = configs.get(options);
  if (!config) {
    config = meterConfig(options.zone, firmwareConfig(hmac, FIRMWARE_KEY), options.config);
    configs.set(options, config);
  }
  return config;
}

function newEngine(
  options: VirtualMeterOptions,
  made: MadeMeter,
  identity: MeterIdentity,
  at: number,
  wired: (bus: MeterBus) => void,
): Meter {
  const { number, kept } = made;
  const config = configOf(options);
  const source = sourceOf(options, config, number);
  const bus = busOf(options.slaves ?? []);
  const delivered = config.type === 'polyphase' ? DELIVERED : DELIVERED_SINGLE_PHASE;
  const start = startOf('hour', options.zone, at - options.history);
  let engine: Meter | undefined;
  const now = (): number => engine?.now ?? start;
  const deliver = (channel: number, readings: readonly SlaveReading[]): void => engine?.slaveData(channel, readings);
  const port = bus.length
    ? (options.bus?.({ zone: options.zone, now, deliver }) ?? ownBus(options, number, start, now))
    : undefined;
  if (port) wired(port);
  engine = createMeter({
    config,
    identity,
    start,
    source,
    ...(port && { slavePort: port }),
    parameters: options.parameters || bus.length ? { ...delivered, slaves: bus, ...options.parameters } : delivered,
    registers: registersOf(options.seed + number),
    ...(kept?.engine && { state: kept.engine }),
  });
  if (!kept?.engine) {
    if (config.module === 'gprs')
      engine.setRadio({ ready: true, sim: 'ok', gprs: 'listening', gsm: 'listening', signal: -85 });
    else {
      engine.setPlcLine({ mains: true, concentrator: true });
      engine.plcRegistered();
    }
    for (const [channel, slave] of bus.entries()) {
      const serial = `AMI97${String((options.seed + number) % 100_000).padStart(5, '0')}${channel}`;
      engine.writeSlaveIdentification(
        channel,
        'utility-serial',
        `99${slave.medium.slice(0, 1).toUpperCase()}${serial.slice(5)}`,
      );
      engine.writeSlaveIdentification(channel, 'manufacturer-serial', serial);
      engine.writeSlaveIdentification(channel, 'ocr-serial', `OCR${serial.slice(5)}`);
    }
  }
  advanceHeard(engine, at);
  return engine;
}

/** What a meter has counted before. */
function registersOf(seed: number) {
  const day = 1_000_000 + ((seed * 7919) % 9000) * 1000;
  const night = 400_000 + ((seed * 6271) % 4000) * 1000;
  return { '1.8.0': day + night, '1.8.1': day, '1.8.2': night, '15.8.0': day + night };
}

/** A meter; nothing of it is made before it is asked for. */
export function virtualMeter(options: VirtualMeterOptions, made: MadeMeter): ServedMeter {
  const { number, lower, kept } = made;
  const meter: ServedMeter = new ServedMeter({
    number,
    ...(lower !== undefined && { lower }),
    engine: (at) =>
      newEngine(options, made, meterIdentity(number), at, (bus) => {
        meter.wire = bus;
      }),
    now: options.now,
    credentials: () =>
      createCredentials(
        kept?.credentials ?? deliveredCredentials(options.seed, number, options.suite),
        number,
        (stored) => made.saveCredentials?.(stored),
      ),
    bus: busOf(options.slaves ?? []),
    ...(kept?.settings && { settings: kept.settings }),
  });
  meter.runScheduled = runScheduled;
  meter.nextScheduled = nextScheduled;
  return meter;
}
