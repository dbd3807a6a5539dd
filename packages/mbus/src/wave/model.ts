/**
 * From octets to the sampled waveform that they make on the bus (EN 13757-2 clause 4).
 *
 * Decides: the driver goes from level to level in a straight line of `transition` s; cable and load are one resistance and
 * one capacitance, solved exactly between samples, so that the curve does not depend on the sample rate. On top come ripple
 * of the supply and noise. The voltage is seen at the slave's end (lower by what the idle slaves draw through the
 * cable), the current at the master's.
 *
 * Leaves out reflections (the cable is short for 9600 baud), collisions, and what the current of an answer does to the
 * voltage. Random numbers are passed in.
 */
import { MisuseError } from '@amiable/bytes';
import { bitsOf, LEVELS, parityBit, type Waveform, type WaveParity, type WaveSender } from './types.ts';

export interface WaveOptions {
  /** Default 'master'. */
  readonly sender?: WaveSender;
  /** Default 2400. */
  readonly baud?: number;
  /** Per cent by which the sender's clock is fast. */
  readonly baudError?: number;
  /** Default 'even'. */
  readonly parity?: WaveParity;
  /** Samples a second; default 32 a bit. */
  readonly rate?: number;
  /** Levels in V, or mA for a slave; for over- and undervoltage give others than the standard's. */
  readonly mark?: number;
  readonly space?: number;
  /** Slaves on the bus, each with its quiescent current. Default 1. */
  readonly slaves?: number;
  /** Ohm of driver and cable, both wires. Default 60. */
  readonly resistance?: number;
  /** nF of cable and slaves. Default 20; 180 is allowed. */
  readonly capacitance?: number;
  /** s from level to level at the driver. Default 20 µs. */
  readonly transition?: number;
  /** RMS, in V or mA; wants `random`. */
  readonly noise?: number;
  /** In [0, 1). */
  readonly random?: () => number;
  /** Amplitude in V or mA, and Hz (100 unless said). */
  readonly ripple?: number;
  readonly rippleFrequency?: number;
  /** Idle bits before, between characters (0 unless said), and after. */
  readonly lead?: number;
  readonly gap?: number;
  readonly tail?: number;
  /** Characters, by number, whose parity bit is wrong, or whose stop bit is a space. */
  readonly parityErrors?: readonly number[];
  readonly framingErrors?: readonly number[];
  /** The two wires are swapped: what is measured is negative. */
  readonly swapped?: boolean;
}

/** 20 million samples are 160 MB. */
const MOST_SAMPLES = 20_000_000;

/** Levels in bits, from the first lead bit on: 1 is mark. */
export function lineBits(bytes: Uint8Array, options: WaveOptions = {}): Uint8Array {
  const { parity = 'even', lead = 22, gap = 0, tail = 22, parityErrors = [], framingErrors = [] } = options;
  const wrongParity = new Set(parityErrors);
  const wrongStop = new Set(framingErrors);
  const each = bitsOf(parity) + gap;
  const bits = new Uint8Array(lead + bytes.length * each + tail).fill(1);
  for (let i = 0; i < bytes.length; i++) {
    const value = bytes[i] as number;
    let at = lead + i * each;
    bits[at++] = 0;
    for (let bit = 0; bit < 8; bit++) bits[at++] = (value >> bit) & 1;
    if (parity !== 'none') bits[at++] = parityBit(value, parity) ^ (wrongParity.has(i) ? 1 : 0);
    bits[at] = wrongStop.has(i) ? 0 : 1;
  }
  return bits;
}

/** @throws MisuseError for options that make no wave */
export function encodeWave(bytes: Uint8Array, options: WaveOptions = {}): Waveform {
  const { sender = 'master', baud = 2400, baudError = 0, slaves = 1, noise = 0, ripple = 0, random } = options;
  const { resistance = 60, capacitance = 20, transition = 20e-6, rippleFrequency = 100, swapped = false } = options;
  if (!(baud > 0)) throw new MisuseError(`a line of ${baud} baud carries nothing`);
  if (noise > 0 && !random) throw new MisuseError('noise wants random numbers: give `random`');
  const bits = lineBits(bytes, options);
  const bit = 1 / (baud * (1 + baudError / 100));
  const rate = options.rate ?? baud * 32;
  const count = Math.floor(bits.length * bit * rate);
  if (!(rate > 0) || !(count <= MOST_SAMPLES))
    throw new MisuseError(`${bits.length} bits at ${rate} samples a second make more than ${MOST_SAMPLES} samples`);
  const idle = slaves * LEVELS.quiescent;
  const drop = sender === 'master' ? (idle / 1000) * resistance : 0;
  const mark = options.mark ?? (sender === 'master' ? LEVELS.mark : idle);
  const space = options.space ?? (sender === 'master' ? LEVELS.space : mark + LEVELS.step);
  const sign = swapped ? -1 : 1;
  const tau = resistance * capacitance * 1e-9;
  const ramp = Math.max(0, Math.min(transition, bit / 2));

  const values = new Float64Array(count);
  const line = createLine((bits[0] === 0 ? space : mark) - drop, tau, ramp);
  let next = 0;
  for (let i = 0; i < count; i++) {
    const t = i / rate;
    // Every bit boundary up to this sample.
    while (next < bits.length && next * bit <= t) {
      line.go((bits[next] === 0 ? space : mark) - drop, next * bit);
      next++;
    }
    let v = line.at(t);
    if (ripple > 0) v += ripple * Math.sin(2 * Math.PI * rippleFrequency * t);
    if (noise > 0) v += noise * gauss(random as () => number);
    values[i] = v * sign;
  }
  return { start: 0, interval: 1 / rate, values, quantity: sender === 'master' ? 'voltage' : 'current' };
}

/** Normal deviate out of two uniform ones (Box and Muller). */
function gauss(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

interface Line {
  /** The driver begins to go to `level` at `t`. */
  go(level: number, t: number): void;
  /** What is on the line at `t`, which never goes back. */
  at(t: number): number;
}

/** A driver with straight ramps behind a resistance, onto a capacitance. */
function createLine(level: number, tau: number, ramp: number): Line {
  let now = 0;
  let y = level;
  // The driver: from `from` at `began` to `to` at `began + ramp`.
  let from = level;
  let to = level;
  let began = 0;
  const driver = (t: number): number =>
    t >= began + ramp || ramp === 0 ? to : from + ((to - from) * (t - began)) / ramp;
  /** One straight piece of the driver, [now, t]. */
  const piece = (t: number): void => {
    const dt = t - now;
    if (dt <= 0) return;
    const u0 = driver(now);
    const slope = now < began + ramp && ramp > 0 ? (to - from) / ramp : 0;
    y = tau > 0 ? u0 + slope * (dt - tau) + (y - u0 + slope * tau) * Math.exp(-dt / tau) : u0 + slope * dt;
    now = t;
  };
  const move = (t: number): void => {
    const end = began + ramp;
    if (now < end && end < t) piece(end);
    piece(t);
  };
  return {
    go(next, t) {
      if (next === to) return;
      move(t);
      from = driver(t);
      to = next;
      began = t;
      if (ramp === 0 && tau === 0) y = next;
    },
    at(t) {
      move(t);
      return y;
    },
  };
}
