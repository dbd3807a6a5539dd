/** From the words of `simulate p1` to what a run needs; each refusal says which option, what is wrong, and what would do. */
import { isValidZone } from '@amiable/calendar';
import { type DamageRates, nodeCrypto, type Parity } from '@amiable/io';
import { createGrid } from '../house/grid.ts';
import { createHouse, type House, ORIGIN } from '../house/house.ts';
import { hash, part } from '../house/noise.ts';
import { rollProfile } from '../house/profile.ts';
import { createWeather, type Weather } from '../house/weather.ts';
import { parseDuration, parseKey, parseNoise, parseTarget, refuse, type Target, whole } from '../options.ts';
import { type Consumption, createConsumption } from './consumption.ts';
import { createP1Meter, type P1Meter } from './meter.ts';
import { type Medium, P1_MODELS, type P1Model } from './models.ts';

export interface P1Options {
  readonly meter: P1Meter;
  readonly from?: number;
  readonly duration?: number;
  readonly fast: boolean;
  readonly target: Target;
  readonly baud: number;
  readonly parity: Parity;
  readonly hex: boolean;
  readonly truth?: string;
  readonly noise?: { readonly rates: DamageRates; readonly seed: number };
  /** Keys to tell; absent when the telegrams are in the clear or the user has given the keys. */
  readonly keys?: { readonly key: Uint8Array; readonly authKey: Uint8Array };
}

const MEDIA: readonly Medium[] = ['gas', 'water', 'heat'];

function mediaOf(text: string): Medium[] {
  if (text === 'none') return [];
  const words = text.split(',').map((word) => word.trim());
  for (const word of words)
    if (!MEDIA.includes(word as Medium)) refuse(`--channels ${text}: say gas, water, heat, with commas, or none`);
  if (words.length > 4) refuse(`--channels ${text}: an M-Bus port has at most 4`);
  return words as Medium[];
}

export interface P1Household {
  readonly house: House;
  readonly weather: Weather;
  readonly use: Consumption;
  readonly zone: string;
  readonly seed: number;
}

/** The household behind a virtual meter; the same seed is the same household and weather. */
export function p1Household(seed: number, zone: string, wishes: { solar?: boolean; car?: boolean } = {}): P1Household {
  const weather = createWeather(part(seed, 31));
  const profile = rollProfile(seed, { network: 'tn', car: wishes.car ?? false, solar: wishes.solar ?? false });
  const house = createHouse(seed, profile, zone, weather);
  return { house, weather, use: createConsumption(seed, house, weather, zone), zone, seed };
}

/** A virtual meter of a model on a household; the same seed is the same meter. */
export function virtualP1Meter(
  model: P1Model,
  { house, weather, use, zone, seed }: P1Household,
  more: {
    channels?: readonly Medium[];
    message?: string;
    keys?: { key: Uint8Array; authKey: Uint8Array };
  } = {},
): P1Meter {
  const systemTitle = Uint8Array.from([
    ...[0x53, 0x41, 0x47],
    ...Array.from({ length: 5 }, (_, i) => hash(part(seed, 62), i) & 0xff),
  ]);
  return createP1Meter({
    model,
    seed,
    zone,
    weather,
    house,
    use,
    grid: createGrid(part(seed, 31), seed, 'tn'),
    channels: more.channels ?? model.channels,
    ...(more.message === undefined ? {} : { message: more.message }),
    ...(model.ciphered ? { cipher: { keys: more.keys ?? p1Keys(seed), systemTitle, crypto: nodeCrypto } } : {}),
  });
}

/** Keys of a ciphered virtual meter: from its seed, so no secret. */
export function p1Keys(seed: number): { key: Uint8Array; authKey: Uint8Array } {
  const bytes = (n: number) => Uint8Array.from({ length: 16 }, (_, i) => hash(part(seed, n), i) & 0xff);
  return { key: bytes(60), authKey: bytes(61) };
}

export function p1Options(given: Record<string, unknown>): P1Options {
  const model =
    P1_MODELS.find((m) => m.name === String(given.model ?? 'dsmr5').toLowerCase()) ??
    refuse(`--model ${String(given.model)}: the models are ${P1_MODELS.map((m) => m.name).join(', ')}`);
  const seed = whole('--seed', given.seed ?? 1, 0, 0xffff_ffff) | 0;
  const zone = String(given.tz ?? model.zone);
  if (!isValidZone(zone)) refuse(`--tz ${zone}: an IANA name such as Europe/Amsterdam is needed`);
  const message = given.message === undefined ? undefined : String(given.message);
  if (message !== undefined && Buffer.byteLength(message) > 2048) refuse('--message: at most 2048 bytes are shown');
  const channels = given.channels === undefined ? undefined : mediaOf(String(given.channels));
  if ((given.key !== undefined || given.authKey !== undefined) && !model.ciphered)
    refuse(`--key: ${model.name} sends in the clear; luxembourg is ciphered`);
  if ((given.key === undefined) !== (given.authKey === undefined)) refuse('--key and --auth-key go together');
  const own = p1Keys(seed);
  const keys =
    given.key === undefined
      ? own
      : { key: parseKey('--key', given.key), authKey: parseKey('--auth-key', given.authKey) };
  const fast = given.fast === true;
  const from = given.from === undefined ? undefined : Date.parse(String(given.from));
  if (Number.isNaN(from)) refuse(`--from ${String(given.from)}: a time such as 2026-01-31T12:00:00Z is needed`);
  if (from !== undefined && from < ORIGIN)
    refuse(`--from ${String(given.from)}: the virtual meters begin on ${new Date(ORIGIN).toISOString().slice(0, 10)}`);
  const duration = given.duration === undefined ? (fast ? 600_000 : undefined) : parseDuration(String(given.duration));
  return {
    meter: virtualP1Meter(model, p1Household(seed, zone, { solar: given.solar === true, car: given.car === true }), {
      keys,
      ...(channels ? { channels } : {}),
      ...(message === undefined ? {} : { message }),
    }),
    ...(from === undefined ? {} : { from }),
    ...(duration === undefined ? {} : { duration }),
    fast,
    target: parseTarget(String(given.to ?? 'stdout')),
    baud: given.baud === undefined ? model.baud : whole('--baud', given.baud, 300, 921_600),
    // Seven data bits and parity take as long as eight without.
    parity: 'N',
    hex: given.hex === true,
    ...(given.truth === undefined ? {} : { truth: String(given.truth) }),
    ...(given.noise === undefined
      ? {}
      : {
          noise: {
            rates: parseNoise(String(given.noise)),
            seed: whole('--noise-seed', given.noiseSeed ?? 1, 0, 0xffff_ffff),
          },
        }),
    ...(model.ciphered && given.key === undefined ? { keys: own } : {}),
  };
}
