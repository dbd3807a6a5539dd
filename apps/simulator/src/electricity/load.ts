/**
 * What stands before and behind a virtual meter: a household's load with the street's voltage, or nothing but the nominal
 * voltage; and on top of either the disturbances that a seed brings: outages, sags, swells, lost phases, short dips.
 *
 * All are pure functions of time, so that one source may feed any number of meters, and a meter that is loaded from a file
 * goes on as if it had never been away. Leaves out a network's load flow.
 */
import { createGrid } from '../house/grid.ts';
import { createHouse, type House } from '../house/house.ts';
import { between, part, unit } from '../house/noise.ts';
import { rollProfile } from '../house/profile.ts';
import { createWeather, type Weather } from '../house/weather.ts';
import { DAY, MINUTE, SECOND } from './core.ts';
import type { Triple } from './parameter-types.ts';
import type { Source } from './types.ts';

/** Always the same. */
export function constantSource(voltages: Triple, powers: Triple): Source {
  return {
    next: () => Number.POSITIVE_INFINITY,
    into(_at, out) {
      for (let i = 0; i < 3; i++) {
        out[i] = voltages[i] as number;
        out[3 + i] = powers[i] as number;
      }
    },
  };
}

export interface HouseholdOptions {
  readonly seed: number;
  /** Weather and voltage of the street. */
  readonly street: number;
  readonly zone: string;
  readonly type: 'polyphase' | 'single-phase';
  readonly solar?: boolean;
  readonly car?: boolean;
  readonly weather?: Weather;
  /** How long conditions stay as they are, minutes; a whole part of an hour. Default 1. */
  readonly step?: number;
}

/**
 * A house of the street (the same that the HAN meters have): mean power of each step, voltage at its beginning. With whole
 * minutes the energy is exactly that of the house.
 */
export function householdSource(options: HouseholdOptions): Source & { readonly house: House } {
  const { seed, street, zone, type, solar = false, car = false, step = 1 } = options;
  const network = type === 'polyphase' ? 'tn' : 'single';
  const profile = rollProfile(seed, { network, solar, car });
  const house = createHouse(seed, profile, zone, options.weather ?? createWeather(street));
  const grid = createGrid(street, seed, network);
  const length = step * MINUTE;
  const power = new Float64Array(5);
  const net = new Float64Array(6);
  let day = Number.NaN;
  let minutes = house.minutes(Math.floor(Date.UTC(2020, 0, 1) / DAY));
  return {
    house,
    next: (at) => (Math.floor(at / length) + 1) * length,
    into(at, out) {
      const today = Math.floor(at / DAY);
      if (today !== day) {
        minutes = house.minutes(today);
        day = today;
      }
      const from = Math.floor((at - today * DAY) / length) * step;
      for (let phase = 0; phase < 3; phase++) {
        const column = minutes.phases[phase as 0 | 1 | 2];
        let sum = 0;
        if (type === 'polyphase' || phase === 0) for (let m = from; m < from + step; m++) sum += column[m] as number;
        power[phase + 1] = sum / step;
      }
      power[4] = minutes.reactive[from] as number;
      grid.into(Math.floor(at / length) * length, power, net);
      for (let i = 0; i < 3; i++) {
        out[i] = net[i] as number;
        out[3 + i] = Math.round(power[i + 1] as number);
      }
    },
  };
}

export type DisturbanceKind = 'outage' | 'dip' | 'sag' | 'swell' | 'phase';

export interface Disturbance {
  readonly kind: DisturbanceKind;
  readonly from: number;
  readonly to: number;
  /** The phase concerned; 3 is all. */
  readonly phase: number;
  /** What becomes of the voltage. */
  readonly factor: number;
}

/** How many of each there are in a year, on the average. */
export type Rates = Readonly<Partial<Record<DisturbanceKind, number>>>;

const KINDS: readonly DisturbanceKind[] = ['outage', 'dip', 'sag', 'swell', 'phase'];
export const ORDINARY: Rates = { outage: 2, dip: 6, sag: 8, swell: 4, phase: 0.5 };

/** Disturbances that begin on UTC day `day`: at most one of each kind. They may last into the next day, no longer. */
export function disturbancesOf(seed: number, rates: Rates, day: number): readonly Disturbance[] {
  const found: Disturbance[] = [];
  for (const [k, kind] of KINDS.entries()) {
    const s = part(seed, 80 + k);
    if (unit(s, day) >= (rates[kind] ?? 0) / 365) continue;
    const from = day * DAY + between(s, day, 1, 0, DAY / SECOND - 1) * SECOND;
    const u = unit(s, day, 2);
    // Most are short: cubed, a tenth of them are in the upper part.
    const long = u ** 3;
    const phase = kind === 'outage' || kind === 'dip' ? 3 : between(s, day, 3, 0, 2);
    const [low, high, factor]: readonly [number, number, number] =
      kind === 'outage'
        ? [20 * SECOND, 10 * 60 * MINUTE, 0]
        : kind === 'dip'
          ? [60, 900, 0.3]
          : kind === 'sag'
            ? [MINUTE, 120 * MINUTE, 0.8 + 0.08 * unit(s, day, 4)]
            : kind === 'swell'
              ? [MINUTE, 120 * MINUTE, 1.1 + 0.06 * unit(s, day, 4)]
              : [MINUTE, 180 * MINUTE, 0.02];
    found.push({ kind, from, to: from + Math.round(low + (high - low) * long), phase, factor });
  }
  return found;
}

/** A source with disturbances of its voltage. Power stays: a meter counts none where there is no voltage. */
export function disturbed(source: Source, list: (day: number) => readonly Disturbance[]): Source {
  let day = Number.NaN;
  let near: readonly Disturbance[] = [];
  const around = (at: number): readonly Disturbance[] => {
    const today = Math.floor(at / DAY);
    if (today !== day) {
      near = [...list(today - 1), ...list(today)];
      day = today;
    }
    return near;
  };
  return {
    next(at) {
      // The day after begins with its own list.
      let next = Math.min(source.next(at), (Math.floor(at / DAY) + 1) * DAY);
      for (const d of around(at)) {
        if (d.from > at && d.from < next) next = d.from;
        if (d.to > at && d.to < next) next = d.to;
      }
      return next;
    },
    into(at, out) {
      source.into(at, out);
      for (const d of around(at)) {
        if (at < d.from || at >= d.to) continue;
        for (let phase = 0; phase < 3; phase++)
          if (d.phase === 3 || d.phase === phase) out[phase] = (out[phase] as number) * d.factor;
      }
    },
  };
}

/** The same by a seed and yearly rates. */
export const disturbedBySeed = (source: Source, seed: number, rates: Rates = ORDINARY): Source =>
  disturbed(source, (day) => disturbancesOf(seed, rates, day));
