/**
 * Voltages and currents at a house's connection. The street's transformer sets the voltage, which wanders over hours and
 * minutes; the house's own load pulls it down (about 0.25 ohm of cable). In a three-wire net the three loads hang between
 * lines (L1-L2, L1-L3, L2-L3), so a line's current is the vector sum of two of them, 60 degrees apart.
 */
import { part, smooth, swing } from './noise.ts';
import type { Network } from './profile.ts';

/** Volt per watt: 0.25 ohm at 230 V. */
const DROP = 0.25 / 230;

export interface Grid {
  /**
   * Voltages and currents for the phase powers in `power` (as House.instantInto gives them) at `ms`, into `out`:
   * U1 U2 U3 in V, I1 I2 I3 in A. Two-phase items that the net does not have are 0.
   */
  into(ms: number, power: Float64Array, out: Float64Array): void;
}

export function createGrid(streetSeed: number, houseSeed: number, network: Network): Grid {
  const slow = part(streetSeed, 21);
  const local = part(houseSeed, 22);
  const fast = part(houseSeed, 23);
  const volts = new Float64Array(3);
  const amps = new Float64Array(3);
  return {
    into(ms, power, out) {
      const slot = Math.floor(ms / 10_000);
      const common = 232.5 + 2.6 * smooth(slow, ms / 10_800_000);
      const vars = (power[4] as number) / (network === 'single' ? 1 : 3);
      const phases = network === 'single' ? 1 : 3;
      for (let p = 0; p < 3; p++) {
        if (p >= phases) {
          volts[p] = 0;
          amps[p] = 0;
          continue;
        }
        const watts = power[p + 1] as number;
        const u = common + 1.4 * smooth(local + p, ms / 720_000) + 0.25 * swing(fast, slot, p) - DROP * watts;
        volts[p] = u;
        amps[p] = Math.sqrt(watts * watts + vars * vars) / u;
      }
      for (let p = 0; p < 3; p++) out[p] = volts[p] as number;
      if (network === 'it') {
        const [a, b, c] = amps as unknown as [number, number, number];
        out[3] = Math.sqrt(a * a + b * b + a * b);
        out[4] = Math.sqrt(a * a + c * c + a * c);
        out[5] = Math.sqrt(b * b + c * c + b * c);
      } else for (let p = 0; p < 3; p++) out[3 + p] = amps[p] as number;
    },
  };
}
