/**
 * A street of virtual houses, each with its own meter. The same seed is the same street, in every second of it: names,
 * serial numbers, keys, weather and load.
 */
import { nodeCrypto } from '@amiable/io';
import { type CapturedFrame, KAIFA_CAPTURE } from './han/captured.ts';
import type { Cipher } from './han/encode.ts';
import { createHanMeter, type Emission, type FrameOptions, type HanMeter } from './han/meter.ts';
import { findModel, type Model } from './han/models.ts';
import { createReplayMeter } from './han/replay.ts';
import { type HistoryOptions, type HistorySeries, history } from './history.ts';
import { createGrid } from './house/grid.ts';
import { createHouse, houseSeed } from './house/house.ts';
import { between, hash, part } from './house/noise.ts';
import { rollProfile } from './house/profile.ts';
import { createWeather, type Weather } from './house/weather.ts';

export interface StreetOptions {
  readonly seed: number;
  /** IANA name; the meters' clocks show it. */
  readonly zone: string;
  /** Kept for the callers' sake: the meters know every instant, so nothing depends on it. */
  readonly start?: number;
  /** Simulated houses; default 12. */
  readonly houses?: number;
  /** Adds the house that replays captured frames; default true. */
  readonly replay?: boolean;
}

/** One meter of the street as its neighbours in the program see it. */
export interface StreetMeter {
  readonly serial: string;
  readonly maker: string;
  readonly model: string;
  readonly type: string;
  readonly phases: 1 | 3;
  readonly lineVoltage: boolean;
  readonly parity: 'E' | 'N';
  /** Street address, e.g. "Bekkeveien 7". */
  readonly name: string;
  /** What else there is to say of the house, e.g. "roof with panels". */
  readonly note: string;
  /** Name of the port that its reader gives it. */
  readonly port: string;
  readonly key?: { readonly key: Uint8Array; readonly authKey: Uint8Array; readonly systemTitle: Uint8Array };
  /** The recording; it has no history. */
  readonly replay: boolean;
  readonly han?: HanMeter;
  frames(fromMs: number, toMs: number, options?: FrameOptions): Iterable<Pick<Emission, 'at' | 'bytes' | 'list'>>;
  /** What a database would hold of [from, to) under the stated retention policy; nothing for the recording. */
  history(fromMs: number, toMs: number, options?: HistoryOptions): Iterable<HistorySeries>;
}

export interface Street {
  readonly name: string;
  readonly zone: string;
  readonly meters: readonly StreetMeter[];
}

const STREETS = ['Bekkeveien', 'Furulia', 'Solbakken', 'Granstien', 'Lillevannsveien', 'Mølleveien', 'Bjørkelunden'];

interface Plot {
  readonly model: string;
  readonly car?: boolean;
  readonly solar?: boolean;
  readonly ciphered?: boolean;
}

/** All five models of the guide, three Aidons, three Kamstrups; the row begins anew after twelve. */
const PLOTS: readonly Plot[] = [
  { model: 'MA304H3E' },
  { model: 'MA105H2E' },
  { model: 'MA304H4', car: true, solar: true },
  { model: 'Aidon-6525', car: true },
  { model: 'Kamstrup-6841', car: true },
  { model: 'MA304T3' },
  { model: 'Aidon-6515' },
  { model: 'MA304T4', solar: true },
  { model: 'Kamstrup-6861' },
  { model: 'Aidon-6534', car: true },
  { model: 'Kamstrup-6841', ciphered: true },
  { model: 'MA304H3E', car: true },
];

/** A 16-digit serial number that belongs to no real meter: the makers' prefixes, then 99. */
export const virtualSerial = (model: Model, seed: number): string =>
  `${model.serialPrefix}99${String(between(part(seed, 50), 0, 0, 0, 999_999)).padStart(6, '0')}`;

/** Registered with the FLAG association; a system title begins with them. */
const FLAG_LETTERS = { Kaifa: 'KFM', Aidon: 'ADN', Kamstrup: 'KAM' } as const;

/** Six digits are few for thousands of houses: the next number that no neighbour has. */
function freeSerial(wanted: string, taken: Set<string>): string {
  const prefix = wanted.slice(0, -6);
  let serial = wanted;
  for (let n = Number(wanted.slice(-6)); taken.has(serial); serial = prefix + String(n).padStart(6, '0'))
    n = (n + 1) % 1_000_000;
  taken.add(serial);
  return serial;
}

function bytesOf(seed: number, n: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => hash(part(seed, n), i) & 0xff);
}

/** Keys of a ciphered virtual meter: from its seed, so no secret. */
export function virtualCipher(model: Model, seed: number, serial: string): Cipher {
  const title = Uint8Array.from(FLAG_LETTERS[model.maker], (c) => c.charCodeAt(0));
  const systemTitle = new Uint8Array(8);
  systemTitle.set(title);
  for (let i = 0; i < 5; i++) systemTitle[3 + i] = Number.parseInt(serial.slice(6 + 2 * i, 8 + 2 * i), 16);
  return { keys: { key: bytesOf(seed, 60, 16), authKey: bytesOf(seed, 61, 16) }, systemTitle, crypto: nodeCrypto };
}

export interface VirtualMeterOptions {
  /** Seed of the house and meter. */
  readonly seed: number;
  /** Seed of the street: weather and grid. */
  readonly street: number;
  readonly zone: string;
  readonly model: Model;
  readonly weather?: Weather;
  readonly car?: boolean;
  readonly solar?: boolean;
  readonly cipher?: Cipher | 'own';
  readonly serial?: string;
}

/** A meter with a house behind it. */
export function createVirtualMeter(options: VirtualMeterOptions): HanMeter {
  const { seed, model, zone } = options;
  const { network } = model;
  const serial = options.serial ?? virtualSerial(model, seed);
  const weather = options.weather ?? createWeather(options.street);
  const profile = rollProfile(seed, { network, car: options.car ?? false, solar: options.solar ?? false });
  const cipher = options.cipher === 'own' ? virtualCipher(model, seed, serial) : options.cipher;
  return createHanMeter({
    serial,
    model,
    zone,
    house: createHouse(seed, profile, zone, weather),
    grid: createGrid(options.street, seed, network),
    ...(cipher ? { cipher } : {}),
  });
}

function noteOf(plot: Plot, meter: HanMeter): string {
  const { persons, heatGain } = meter.house.profile;
  const parts = [`${persons} ${persons === 1 ? 'person' : 'persons'}`, heatGain > 1 ? 'heat pump' : 'panel ovens'];
  if (plot.car) parts.push('electric car');
  if (plot.solar) parts.push('solar panels');
  return parts.join(', ');
}

export function createStreet(options: StreetOptions): Street {
  const { seed, zone, houses = 12, replay = true } = options;
  const street = STREETS[between(part(seed, 30), 0, 0, 0, STREETS.length - 1)] as string;
  const weather = createWeather(part(seed, 31));
  const meters: StreetMeter[] = [];
  const taken = new Set<string>();
  for (let i = 0; i < houses; i++) {
    const plot = PLOTS[i % PLOTS.length] as Plot;
    const model = findModel(plot.model) as Model;
    const own = houseSeed(seed, i);
    const han = createVirtualMeter({
      seed: own,
      serial: freeSerial(virtualSerial(model, own), taken),
      street: part(seed, 31),
      zone,
      model,
      weather,
      car: plot.car ?? false,
      solar: plot.solar ?? false,
      ...(plot.ciphered ? { cipher: 'own' as const } : {}),
    });
    meters.push({
      serial: han.serial,
      maker: model.maker,
      model: model.name,
      type: model.type,
      phases: model.network === 'single' ? 1 : 3,
      lineVoltage: model.network === 'it',
      parity: model.parity,
      name: `${street} ${i + 1}`,
      note: noteOf(plot, han),
      port: `house${String(i + 1).padStart(2, '0')}`,
      ...(han.cipher
        ? {
            key: {
              key: han.cipher.keys.key,
              authKey: han.cipher.keys.authKey as Uint8Array,
              systemTitle: han.cipher.systemTitle,
            },
          }
        : {}),
      replay: false,
      han,
      frames: han.frames,
      history: (from, to, limits) => history(han, from, to, limits),
    });
  }
  if (replay) meters.push(replayHouse(KAIFA_CAPTURE, zone, `${street} ${houses + 1}`));
  return { name: street, zone, meters };
}

function replayHouse(capture: readonly CapturedFrame[], zone: string, name: string): StreetMeter {
  const meter = createReplayMeter(capture, zone);
  return {
    serial: meter.serial,
    maker: 'Kaifa',
    model: meter.type,
    type: meter.type,
    phases: 3,
    lineVoltage: true,
    parity: 'E',
    name,
    note: 'replays frames captured from a real meter',
    port: 'replay',
    replay: true,
    frames: meter.frames,
    history: () => [],
  };
}
