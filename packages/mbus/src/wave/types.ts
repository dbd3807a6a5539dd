/**
 * What the M-Bus looks like to an oscilloscope (EN 13757-2 clause 4, physical layer).
 *
 * Master to slave the voltage tells: mark (1, and idle) is 36 V at the driver, space (0) is 12 V lower. Slave to master the
 * current tells: mark is the quiescent current, at most 1.5 mA for each slave, space draws 11 to 20 mA more. A character has
 * 11 bits: start (space), eight data bits, least significant first, even parity, stop (mark), at 300 to 9600 baud.
 *
 * Decides the shapes that the model and the decoder share, and the limits. Units: seconds, volts, milliamperes.
 */

/** Samples of one quantity, at equal steps unless `times` says when each was taken. */
export interface Waveform {
  /** s, of the first sample. */
  readonly start: number;
  /** s between samples; with `times` their mean. */
  readonly interval: number;
  readonly values: Float64Array;
  /** s of each sample, rising, where steps are not equal. */
  readonly times?: Float64Array;
  readonly quantity: Quantity;
}

/** `voltage` in V; `current` in mA. */
export type Quantity = 'voltage' | 'current';

/** Who sends: the master by voltage, a slave by current. */
export type WaveSender = 'master' | 'slave';

export type WaveParity = 'even' | 'odd' | 'none';

export const BAUD_RATES = [300, 600, 1200, 2400, 4800, 9600, 19_200, 38_400] as const;

export const LEVELS = {
  /** V at the driver. */
  mark: 36,
  space: 24,
  /** mA that one slave draws when nobody sends. */
  quiescent: 1.5,
  /** mA more that a slave draws for a space: what the model takes, and what is allowed. */
  step: 15,
  leastStep: 11,
  mostStep: 20,
} as const;

/** What a bus may show before it is called faulty, V. */
export const LIMITS = {
  /** Beyond it inputs are damaged. */
  mostVoltage: 42,
  /** Below these a slave has too little to live on. */
  leastMark: 21,
  leastSpace: 12,
  /** A space has to be at least so much below the mark to be taken for one. */
  leastSwing: 10,
  /** mA for one unit load. */
  mostQuiescent: 1.5,
  /** nF of a whole segment. */
  mostCapacitance: 180,
} as const;

/** When sample `index` was taken, s. */
export function timeOf(wave: Waveform, index: number): number {
  return wave.times ? (wave.times[index] as number) : wave.start + index * wave.interval;
}

export const bitsOf = (parity: WaveParity): number => (parity === 'none' ? 10 : 11);

/** The parity bit of a data octet. */
export function parityBit(value: number, parity: 'even' | 'odd'): 0 | 1 {
  let v = value ^ (value >> 4);
  v ^= v >> 2;
  v ^= v >> 1;
  return ((v & 1) ^ (parity === 'odd' ? 1 : 0)) as 0 | 1;
}
