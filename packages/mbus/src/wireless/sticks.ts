/**
 * The stream of a wireless M-Bus receiver: frames out of whatever the stick wraps them in.
 *
 * Decides: which wrapping is spoken (`auto`: by the first octets), where a frame begins and ends, and how to go on after a fault
 * (inside the rejected octets). Wrappings: lines of text (lines.ts); iM871A and iM170A of IMST (`A5`, HCI messages); the serial
 * protocol of Amber's AMB8465 (`FF 03`); raw frames one after the other, L first (RC1180-MBUS and sniffers).
 * Leaves out: commands to sticks. Never throws; keeps no reference to what is pushed; bounded.
 */
import { crc16X25, type Drop } from '@amiable/bytes';
import { controlName, decodeWirelessFrame, lengthOfA, startsAsA } from './frame.ts';
import { framesOfLine, type LineFrame, strengthOfTi } from './lines.ts';

export type Wrapping = 'auto' | 'lines' | 'imst' | 'amber' | 'raw';

export interface StickSink {
  /** `frame.bytes` may be a view that holds during the call only. `offset` counts in the stream. */
  frame(frame: LineFrame, offset: number): void;
  drop(d: Drop): void;
}

export interface StickDecoder {
  push(bytes: Uint8Array): void;
  /** The line fell silent: what is waited for will not come. */
  idle(): void;
  end(): void;
  readonly wrapping: Wrapping;
}

/** No line and no message of a stick is longer. */
const MAX_WAITING = 4096;
const EXCERPT = 64;
const IMST_SOF = 0xa5;
const IMST_HEAD = 4;
const AMBER_SOF = 0xff;
const AMBER_DATA = 0x03;
const LINE_FEED = 0x0a;
const RETURN = 0x0d;

/** Octets taken from the front: a frame, something else that is well-formed (0 frames), a fault, or undefined: wait for more. */
interface Step {
  readonly taken: number;
  readonly frame?: LineFrame;
  readonly fault?: string;
}

export function createStickDecoder(wrapping: Wrapping, sink: StickSink): StickDecoder {
  let chosen = wrapping;
  let waiting = new Uint8Array(0);
  /** Position of waiting[0] in the stream. */
  let position = 0;
  /** A run of octets that belong to nothing. */
  let noise: { from: number; excerpt: number[]; length: number } | undefined;

  function flushNoise(): void {
    if (!noise) return;
    const { from, excerpt, length } = noise;
    noise = undefined;
    sink.drop({ reason: 'noise', offset: from, length, excerpt: Uint8Array.from(excerpt) });
  }

  function skip(octets: Uint8Array, at: number): void {
    noise ??= { from: at, excerpt: [], length: 0 };
    noise.length += octets.length;
    for (let i = 0; i < octets.length && noise.excerpt.length < EXCERPT; i++) noise.excerpt.push(octets[i] as number);
  }

  function refuse(reason: string, octets: Uint8Array, at: number): void {
    flushNoise();
    sink.drop({ reason, offset: at, length: octets.length, excerpt: octets.slice() });
  }

  function line(octets: Uint8Array, at: number): void {
    if (octets.length > 2 * MAX_WAITING) {
      skip(octets, at);
      return;
    }
    const frames = framesOfLine(String.fromCharCode.apply(null, octets as unknown as number[]));
    if (!frames) {
      skip(octets, at);
      return;
    }
    for (const frame of frames) {
      flushNoise();
      sink.frame(frame, at);
    }
  }

  /** @param final nothing more will come */
  function run(bytes: Uint8Array, final: boolean): void {
    let all = bytes;
    if (waiting.length > 0) {
      all = new Uint8Array(waiting.length + bytes.length);
      all.set(waiting);
      all.set(bytes, waiting.length);
    }
    let at = 0;
    if (chosen === 'auto' && all.length > 0) {
      const guess = wrappingOf(all);
      if (guess) chosen = guess;
      else if (final || all.length > EXCERPT) chosen = 'raw';
    }
    if (chosen === 'lines') {
      for (;;) {
        let end = at;
        while (end < all.length && all[end] !== LINE_FEED && all[end] !== RETURN) end++;
        if (end === all.length && !final && all.length - at <= 2 * MAX_WAITING) break;
        if (end > at) line(all.subarray(at, end), position + at);
        at = Math.min(end + 1, all.length);
        if (at >= all.length) break;
      }
    } else if (chosen !== 'auto') {
      const step = chosen === 'imst' ? imstStep : chosen === 'amber' ? amberStep : rawStep;
      while (at < all.length) {
        const rest = all.subarray(at);
        const found = step(rest, final);
        if (!found) break;
        if (found.fault === 'noise') skip(rest.subarray(0, found.taken), position + at);
        else if (found.fault !== undefined) {
          refuse(found.fault, rest.subarray(0, found.taken), position + at);
        } else if (found.frame) {
          flushNoise();
          sink.frame(found.frame, position + at);
        }
        at += found.taken;
      }
    }
    if (final) {
      if (at < all.length) refuse('truncated', all.subarray(at), position + at);
      flushNoise();
      at = all.length;
    }
    waiting = all.slice(at);
    position += at;
  }

  return {
    get wrapping() {
      return chosen;
    },
    push: (bytes) => run(bytes, false),
    idle: () => run(new Uint8Array(0), true),
    end: () => run(new Uint8Array(0), true),
  };
}

function isText(octet: number): boolean {
  return (octet >= 0x20 && octet < 0x7f) || octet === LINE_FEED || octet === RETURN || octet === 0x09;
}

function wrappingOf(bytes: Uint8Array): Exclude<Wrapping, 'auto'> | undefined {
  const head = bytes.subarray(0, EXCERPT);
  // A frame may begin like text, not go on like it: its C field and address hardly ever are.
  if (head.length >= 12 && head.every(isText)) return 'lines';
  if (head.length < 12 && head.includes(LINE_FEED) && head.every(isText)) return 'lines';
  if (bytes[0] === IMST_SOF && bytes.length >= 2 && ((bytes[1] as number) & 0x0f) <= 4) return 'imst';
  if (bytes[0] === AMBER_SOF && bytes[1] === AMBER_DATA) return 'amber';
  return head.length >= 12 ? 'raw' : undefined;
}

/** Octets up to the next one that may begin a message. */
function toNext(rest: Uint8Array, start: number): number {
  const next = rest.indexOf(start, 1);
  return next < 0 ? rest.length : next;
}

/** IMST WMBus_HCI: SOF, control and endpoint, message, length, payload, and as control says: time (4), strength, CRC (2). */
function imstStep(rest: Uint8Array, final: boolean): Step | undefined {
  if (rest[0] !== IMST_SOF) return { taken: toNext(rest, IMST_SOF), fault: 'noise' };
  if (rest.length < IMST_HEAD) return final ? { taken: rest.length, fault: 'truncated' } : undefined;
  const control = (rest[1] as number) >> 4;
  const endpoint = (rest[1] as number) & 0x0f;
  if (control & 1 || endpoint === 0 || endpoint > 4) return { taken: 1, fault: 'noise' };
  const payload = rest[3] as number;
  let end = IMST_HEAD + payload;
  if (control & 2) end += 4;
  const strengthAt = control & 4 ? end++ : -1;
  const crcAt = end;
  if (control & 8) end += 2;
  if (rest.length < end) return final ? { taken: toNext(rest, IMST_SOF), fault: 'truncated' } : undefined;
  if (control & 8 && crc16X25(rest, 1, crcAt) !== ((rest[crcAt] as number) | ((rest[crcAt + 1] as number) << 8)))
    return { taken: toNext(rest, IMST_SOF), fault: 'crc' };
  // Endpoint 2, message 3: a frame was received; its L field is the length of the payload.
  if (endpoint !== 2 || rest[2] !== 3) return { taken: end };
  const bytes = rest.slice(IMST_HEAD - 1, IMST_HEAD + payload);
  const strength = strengthAt < 0 ? undefined : Math.round(((rest[strengthAt] as number) * 80 - 19_000) / 150);
  return { taken: end, frame: { bytes, form: 'bare', ...(strength === undefined ? {} : { strength }) } };
}

function xorOf(bytes: Uint8Array, end: number): number {
  let sum = 0;
  for (let i = 0; i < end; i++) sum ^= bytes[i] as number;
  return sum;
}

/** Amber: FF, command, L, frame from the C field on, perhaps the strength, exclusive or of all. */
function amberStep(rest: Uint8Array, final: boolean): Step | undefined {
  if (rest[0] !== AMBER_SOF) return { taken: toNext(rest, AMBER_SOF), fault: 'noise' };
  if (rest.length < 3) return final ? { taken: rest.length, fault: 'truncated' } : undefined;
  const l = rest[2] as number;
  const end = 3 + l;
  if (rest.length <= end) return final ? { taken: toNext(rest, AMBER_SOF), fault: 'truncated' } : undefined;
  if (xorOf(rest, end) === rest[end]) {
    if (rest[1] !== AMBER_DATA) return { taken: end + 1 };
    return { taken: end + 1, frame: { bytes: rest.slice(2, end), form: 'bare' } };
  }
  if (rest.length <= end + 1) return final ? { taken: toNext(rest, AMBER_SOF), fault: 'checksum' } : undefined;
  if (rest[1] !== AMBER_DATA || xorOf(rest, end + 1) !== rest[end + 1])
    return { taken: toNext(rest, AMBER_SOF), fault: 'checksum' };
  return {
    taken: end + 2,
    frame: { bytes: rest.slice(2, end), form: 'bare', strength: strengthOfTi(rest[end] as number) },
  };
}

/** Raw frames: L first, format A or B, or bare where C says a meter speaks. */
function rawStep(rest: Uint8Array, final: boolean): Step | undefined {
  const l = rest[0] as number;
  if (l < 10 || (rest.length > 1 && controlName(rest[1] as number) === undefined)) return { taken: 1, fault: 'noise' };
  const needed = lengthOfA(l);
  if (rest.length < 12) return final ? { taken: 1, fault: 'noise' } : undefined;
  const asA = startsAsA(rest, 0);
  if (rest.length < (asA ? needed : l + 1)) return final ? { taken: 1, fault: asA ? 'truncated' : 'noise' } : undefined;
  try {
    const { form, length } = decodeWirelessFrame(rest, asA ? 'A' : undefined);
    return { taken: length, frame: { bytes: rest.slice(0, length), form } };
  } catch {
    return { taken: 1, fault: 'crc' };
  }
}
