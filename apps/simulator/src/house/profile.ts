/** Who lives in a house and what it has in it: the fixed facts that its load is drawn from, rolled once per seed. */
import { between, part, unit } from './noise.ts';

/** `single`: one phase; `it`: three wires, 230 V between lines; `tn`: four wires, 230 V to neutral. */
export type Network = 'single' | 'it' | 'tn';

export interface Profile {
  readonly network: Network;
  readonly persons: number;
  /** What never sleeps, W. */
  readonly standby: number;
  /** Light, screens and small things of one person awake at home, W. */
  readonly activity: number;
  /** Heat loss, W per degree. */
  readonly loss: number;
  /** Heat given per electricity used: 1 for panel ovens, about 3 for a heat pump. */
  readonly heatGain: number;
  readonly waterHeater: number;
  readonly hob: number;
  readonly dryer: boolean;
  readonly car?: { readonly watts: number; readonly phase: 0 | 1 | 2 | 3; readonly kmPerDay: number };
  readonly solar?: { readonly peak: number; readonly since: number };
  /** How the base load falls on the phases; sums to 1. */
  readonly shares: readonly [number, number, number];
}

export interface Wishes {
  readonly network: Network;
  readonly car?: boolean;
  readonly solar?: boolean;
}

/** Panels were put on the roof on this day, so that what went before has no export. */
const SOLAR_SINCE = Date.UTC(2023, 3, 3, 10);

export function rollProfile(seed: number, wishes: Wishes): Profile {
  const s = part(seed, 7);
  const pick = (n: number, low: number, high: number): number => between(s, n, 0, low, high);
  const three = wishes.network !== 'single';
  const a = 0.25 + 0.2 * unit(s, 20);
  const b = 0.25 + 0.15 * unit(s, 21);
  const carThree = wishes.network === 'tn' && unit(s, 22) < 0.7;
  return {
    network: wishes.network,
    persons: three ? pick(1, 2, 5) : pick(1, 1, 3),
    standby: pick(2, 60, 190),
    activity: pick(3, 70, 150),
    loss: three ? pick(4, 70, 150) : pick(4, 35, 70),
    heatGain: unit(s, 5) < 0.55 ? 2.4 + unit(s, 6) : 1,
    waterHeater: three ? 1950 + 1000 * pick(7, 0, 1) : 1950,
    hob: pick(8, 1400, 2600),
    dryer: unit(s, 9) < 0.6,
    ...(wishes.car
      ? {
          car: {
            watts: carThree ? 11_040 : three && unit(s, 23) < 0.5 ? 7360 : 3680,
            phase: carThree ? 3 : three ? 2 : 0,
            kmPerDay: pick(10, 25, 65),
          } as const,
        }
      : {}),
    ...(wishes.solar
      ? { solar: { peak: three ? pick(11, 5200, 9800) : pick(11, 2800, 4200), since: SOLAR_SINCE } }
      : {}),
    shares: three ? [a, b, 1 - a - b] : [1, 0, 0],
  };
}
