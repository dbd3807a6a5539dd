/**
 * From a sampled waveform back to octets: levels, baud rate, polarity, parity, and every fault with the sample it is at
 * (EN 13757-2 clause 4).
 *
 * Decides: each baud rate is tried with both polarities (a rate only where the edges lie on its grid), and the reading with the
 * fewest faults is taken; where two are equal, the one whose idle level is what the quantity makes of it (mark is the higher
 * voltage, the lower current). A bit is the mean of its middle half, so noise and a spike cost nothing. A
 * character's bits are timed from its own start edge. After a stop bit that is a space the next character is taken where it
 * should be, if it is right there, else behind the next mark. Voltages are checked against the limits of the standard.
 *
 * Two or three characters may be read at two rates (06 at 1200 baud is F1 at 600); a frame's first octets may not.
 *
 * Leaves out frames: what octets mean is frame.ts and those who build on it. Bounded: work is linear in samples and edges
 * for each rate tried.
 */
import { DecodeError } from '@amiable/bytes';
import { type Edge, findEdges, findLevels, type WaveLevels } from './edges.ts';
import { BAUD_RATES, bitsOf, LEVELS, LIMITS, parityBit, timeOf, type Waveform, type WaveParity } from './types.ts';

export interface WaveDecodeOptions {
  /** When it is known; found otherwise. */
  readonly baud?: number;
  /** Default 'auto': even, unless most characters say otherwise. */
  readonly parity?: WaveParity | 'auto';
}

export type WaveFaultKind =
  | 'parity'
  | 'framing'
  | 'break'
  | 'cut'
  | 'glitch'
  | 'overVoltage'
  | 'underVoltage'
  | 'weakSwing'
  | 'currentStep';

export interface WaveFault {
  readonly kind: WaveFaultKind;
  /** Index of the sample at which it is seen, and its time, s. */
  readonly sample: number;
  readonly at: number;
  /** Number of the character that it concerns. */
  readonly character?: number;
  readonly message: string;
}

export interface WaveCharacter {
  readonly value: number;
  /** s of the middle of the start edge, and the sample there. */
  readonly at: number;
  readonly sample: number;
  readonly parityGood: boolean;
  readonly stopGood: boolean;
}

export interface WaveReading {
  readonly bytes: Uint8Array;
  readonly characters: readonly WaveCharacter[];
  readonly faults: readonly WaveFault[];
  /** Nominal, and as measured over the edges. */
  readonly baud: number;
  readonly measuredBaud: number;
  readonly parity: WaveParity;
  readonly levels: WaveLevels;
  /** V or mA, signed as sampled. */
  readonly mark: number;
  readonly space: number;
  /** Idle is the lower level for a voltage (or the higher for a current): swapped wires, or a logic level that is inverted. */
  readonly inverted: boolean;
  readonly edges: readonly Edge[];
}

/** An edge may be off its place on the grid by this share of a bit. */
const GRID = 0.3;
/** Most voltages are checked within this many faults of a kind. */
const MOST_FAULTS = 1000;

interface Attempt {
  readonly baud: number;
  readonly parity: WaveParity;
  readonly markHigh: boolean;
  readonly characters: readonly WaveCharacter[];
  readonly faults: readonly WaveFault[];
  readonly bad: number;
}

/** @throws DecodeError 'empty', 'noSignal', 'noBaud' */
export function decodeWave(wave: Waveform, options: WaveDecodeOptions = {}): WaveReading {
  const levels = findLevels(wave);
  const { edges, firstHigh } = findEdges(wave, levels);
  if (edges.length < 2) throw new DecodeError('noSignal', 'no signal: the level never changes and comes back', 0);
  const usualHigh = markIsHigh(wave, levels);
  const rates = options.baud ? [options.baud] : candidates(edges);
  const parities: readonly WaveParity[] =
    options.parity && options.parity !== 'auto' ? [options.parity] : ['even', 'none', 'odd'];
  let best: Attempt | undefined;
  for (const baud of rates) {
    for (const markHigh of [usualHigh, !usualHigh]) {
      for (const parity of parities) {
        const attempt = characters(wave, levels, edges, firstHigh, baud, parity, markHigh);
        // Even parity is the standard's: another must do a good deal better, and on enough characters to be sure.
        const enough = parity === 'even' || (attempt.characters.length >= 4 && attempt.bad === 0);
        if (attempt.characters.length > 0 && enough && (!best || better(attempt, best, usualHigh))) best = attempt;
      }
    }
  }
  if (!best)
    throw new DecodeError(
      'noBaud',
      'the edges fit no baud rate from 300 to 38400; say which one it is',
      edges[0]?.sample ?? 0,
    );
  const faults = [...best.faults, ...electricalFaults(wave, levels, best.markHigh)].sort((a, b) => a.sample - b.sample);
  return {
    bytes: Uint8Array.from(best.characters, (c) => c.value),
    characters: best.characters,
    faults,
    baud: best.baud,
    measuredBaud: measure(edges, best.baud),
    parity: best.parity,
    levels,
    mark: best.markHigh ? levels.high : levels.low,
    space: best.markHigh ? levels.low : levels.high,
    inverted: best.markHigh !== usualHigh,
    edges,
  };
}

/** On a bus with swapped wires the voltage is negative, and its mark the lower one. */
function markIsHigh({ quantity }: Waveform, { high, low }: WaveLevels): boolean {
  const outward = Math.abs(high) >= Math.abs(low);
  return quantity === 'voltage' ? outward : !outward;
}

function better(a: Attempt, b: Attempt, usualHigh: boolean): boolean {
  const shareA = a.bad / a.characters.length;
  const shareB = b.bad / b.characters.length;
  if (a.parity !== b.parity && a.baud === b.baud && a.markHigh === b.markHigh) return shareA < shareB - 0.5;
  if (Math.abs(shareA - shareB) > 1e-9) return shareA < shareB;
  if (a.markHigh !== b.markHigh) return a.markHigh === usualHigh;
  return false;
}

/** Rates on whose grid nearly all edges lie; the slowest first, for a faster one fits its edges as well. */
function candidates(edges: readonly Edge[]): number[] {
  const found: number[] = [];
  for (const baud of BAUD_RATES) {
    let fits = 0;
    let looked = 0;
    for (let i = 1; i < edges.length; i++) {
      const bits = ((edges[i] as Edge).at - (edges[i - 1] as Edge).at) * baud;
      if (bits > 11.5) continue;
      looked++;
      const off = Math.abs(bits - Math.round(bits));
      // Over nine bits a clock that is 3 % off moves an edge by a quarter.
      if (Math.round(bits) >= 1 && off < GRID + 0.01 * bits) fits++;
    }
    if (looked > 0 && fits >= looked * 0.8) found.push(baud);
  }
  return found;
}

/** Baud rate over all intervals within characters. */
function measure(edges: readonly Edge[], baud: number): number {
  let time = 0;
  let bits = 0;
  for (let i = 1; i < edges.length; i++) {
    const dt = (edges[i] as Edge).at - (edges[i - 1] as Edge).at;
    const n = Math.round(dt * baud);
    if (n < 1 || n > 9) continue;
    time += dt;
    bits += n;
  }
  return time > 0 ? bits / time : baud;
}

function characters(
  wave: Waveform,
  levels: WaveLevels,
  edges: readonly Edge[],
  firstHigh: boolean,
  baud: number,
  parity: WaveParity,
  markHigh: boolean,
): Attempt {
  const bit = 1 / measuredFor(edges, baud);
  const found: WaveCharacter[] = [];
  const faults: WaveFault[] = [];
  let bad = 0;
  const reader = createBits(wave, levels, edges, firstHigh, markHigh);
  const end = timeOf(wave, wave.values.length - 1) + wave.interval;
  const positions = bitsOf(parity);
  /** Reads the character whose start edge is at `at`; undefined where the capture ends. */
  const read = (at: number): { value: number; parityGood: boolean; stopGood: boolean; seen: number } | undefined => {
    if (at + (positions - 0.5) * bit > end) return undefined;
    let value = 0;
    for (let n = 0; n < 8; n++) value |= reader.level(at, bit, 1 + n) << n;
    const seen = parity === 'none' ? 0 : reader.level(at, bit, 9);
    const parityGood = parity === 'none' || seen === parityBit(value, parity);
    return { value, parityGood, stopGood: reader.level(at, bit, positions - 1) === 1, seen };
  };
  let free = -Infinity;
  for (let i = 0; i < edges.length; i++) {
    const edge = edges[i] as Edge;
    // A start is an edge from mark to space; those before the end of a character are its data.
    if (edge.rising === markHigh || edge.at < free) continue;
    if (reader.level(edge.at, bit, 0) === 1) {
      if (faults.length < MOST_FAULTS)
        faults.push({ kind: 'glitch', sample: edge.sample, at: edge.at, message: 'a pulse too short for a start bit' });
      continue;
    }
    let start = edge.at;
    for (;;) {
      const fault = (kind: WaveFaultKind, at: number, message: string): void => {
        if (kind !== 'cut') bad++;
        faults.push({ kind, sample: reader.sampleAt(at), at, character: found.length, message });
      };
      const character = read(start);
      if (!character) {
        fault('cut', start, 'the capture ends within a character');
        return { baud, parity, markHigh, characters: found, faults, bad };
      }
      const { value, parityGood, stopGood, seen } = character;
      if (!parityGood)
        fault(
          'parity',
          start + 9 * bit,
          `character ${hex(value)}: parity bit is ${seen}, ${parity} parity makes it ${1 - seen}`,
        );
      const stopAt = start + (positions - 1) * bit;
      if (!stopGood && value === 0) fault('break', stopAt, 'a break: space for a whole character and longer');
      else if (!stopGood) fault('framing', stopAt, `character ${hex(value)}: its stop bit is a space`);
      found.push({ value, at: start, sample: reader.sampleAt(start), parityGood, stopGood });
      // The next start may come half a bit early, for clocks differ.
      free = stopAt + 0.5 * bit;
      if (stopGood) break;
      // Where only the stop bit is wrong the next character has begun without an edge: it is taken if it is right.
      const after = stopAt + bit;
      const next = value !== 0 && reader.level(after, bit, 0) === 0 ? read(after) : undefined;
      if (next?.parityGood && next.stopGood) {
        start = after;
        continue;
      }
      // Else the next one comes behind the next mark.
      while (i + 1 < edges.length && ((edges[i] as Edge).at < free || (edges[i] as Edge).rising !== markHigh)) i++;
      free = (edges[i] as Edge).at;
      break;
    }
  }
  return { baud, parity, markHigh, characters: found, faults, bad };
}

/** The sender's own clock, where it is near the nominal rate. */
function measuredFor(edges: readonly Edge[], baud: number): number {
  const measured = measure(edges, baud);
  return Math.abs(measured / baud - 1) < 0.06 ? measured : baud;
}

const hex = (v: number): string => v.toString(16).toUpperCase().padStart(2, '0');

interface Bits {
  /** 1 for mark: bit `n` of the character that starts at `start`. */
  level(start: number, bit: number, n: number): 0 | 1;
  sampleAt(at: number): number;
}

/** Means over the middle half of each bit; by edges where samples are fewer than that takes. */
function createBits(
  wave: Waveform,
  levels: WaveLevels,
  edges: readonly Edge[],
  firstHigh: boolean,
  markHigh: boolean,
): Bits {
  const { values, times } = wave;
  let edgeAt = 0;
  const sampleAt = (t: number): number => {
    if (!times) return Math.max(0, Math.min(values.length - 1, Math.round((t - wave.start) / wave.interval)));
    let low = 0;
    let high = times.length - 1;
    while (low < high) {
      const half = (low + high + 1) >> 1;
      if ((times[half] as number) <= t) low = half;
      else high = half - 1;
    }
    return low;
  };
  const stateAt = (t: number): boolean => {
    if (edgeAt > 0 && (edges[edgeAt - 1] as Edge).at > t) edgeAt = 0;
    while (edgeAt < edges.length && (edges[edgeAt] as Edge).at <= t) edgeAt++;
    return edgeAt === 0 ? firstHigh : (edges[edgeAt - 1] as Edge).rising;
  };
  return {
    sampleAt,
    level(start, bit, n) {
      const from = start + (n + 0.25) * bit;
      const to = start + (n + 0.75) * bit;
      const first = sampleAt(from);
      const last = sampleAt(to);
      if (levels.stepped || last - first < 3) return stateAt((from + to) / 2) === markHigh ? 1 : 0;
      let sum = 0;
      for (let i = first; i <= last; i++) sum += values[i] as number;
      return sum / (last - first + 1) > levels.middle === markHigh ? 1 : 0;
    },
  };
}

/** Levels against the limits of the bus; logic levels (below 10 V) have none. */
function electricalFaults(wave: Waveform, levels: WaveLevels, markHigh: boolean): WaveFault[] {
  const mark = Math.abs(markHigh ? levels.high : levels.low);
  const space = Math.abs(markHigh ? levels.low : levels.high);
  const faults: WaveFault[] = [];
  const add = (kind: WaveFaultKind, sample: number, message: string): void => {
    faults.push({ kind, sample, at: timeOf(wave, sample), message });
  };
  const first = (test: (v: number) => boolean): number => {
    for (let i = 0; i < wave.values.length; i++) if (test(wave.values[i] as number)) return i;
    return 0;
  };
  const say = (v: number): string => String(Number(v.toFixed(1)));
  if (wave.quantity === 'current') {
    const step = space - mark;
    if (step < LEVELS.leastStep * 0.98 || step > LEVELS.mostStep * 1.02)
      add(
        'currentStep',
        0,
        `a space draws ${say(step)} mA more than a mark; ${LEVELS.leastStep} to ${LEVELS.mostStep} mA are allowed`,
      );
    return faults;
  }
  if (mark < LIMITS.leastSwing) return faults;
  const beyond = LIMITS.mostVoltage + 3 * levels.noise;
  const over = first((v) => Math.abs(v) > beyond);
  if (over > 0 || mark > LIMITS.mostVoltage)
    add('overVoltage', over, `more than ${LIMITS.mostVoltage} V on the bus (mark is ${say(mark)} V)`);
  if (mark < LIMITS.leastMark) add('underVoltage', 0, `mark is ${say(mark)} V; a slave needs ${LIMITS.leastMark} V`);
  else if (space < LIMITS.leastSpace)
    add(
      'underVoltage',
      first((v) => Math.abs(v) < LIMITS.leastSpace),
      `space is ${say(space)} V; a slave needs ${LIMITS.leastSpace} V`,
    );
  if (Math.abs(mark - space) < LIMITS.leastSwing)
    add('weakSwing', 0, `space is only ${say(mark - space)} V below mark; ${LIMITS.leastSwing} V are needed`);
  return faults;
}
