/**
 * What the fuzzer feeds: real frames and APDUs, changed at random, and plain random bytes. Half of the changed frames get
 * right check sums again, or the layers behind them would never see anything odd.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DecodeError, fromHex } from '@amiable/bytes';
import { type Crypto, encipher, encodeApdu } from '@amiable/dlms';
import { createHdlcReceiver, encodeFrame } from '@amiable/hdlc';
import { createMbusReceiver, encodeLongFrame, splitTransport } from '@amiable/mbus';

/** A repeatable source of numbers below n (mulberry32). */
export type Dice = (n: number) => number;

export function dice(seed: number): Dice {
  let s = seed | 0;
  return (n) => {
    s = (s + 0x6d2b79f5) | 0;
    let t = Math.imul(s ^ (s >>> 15), 1 | s);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4294967296) * n);
  };
}

export const root = join(dirname(fileURLToPath(import.meta.url)), '../..');

/** Folders of cases: the repository's own, and a larger collection beside the checkout where there is one. */
export const caseFolders = [join(root, 'vectors/han'), join(root, '../shared/data/han')].filter(existsSync);

/** The keys that were published with a case. */
export function keysOfCase(hexFile: string): { key: Uint8Array; authKey?: Uint8Array } | undefined {
  const json = ['.json', '.expected.json'].map((end) => hexFile.replace(/\.hex$/, end)).find(existsSync);
  if (!json) return undefined;
  const { key, authKey, auth_key } = JSON.parse(readFileSync(json, 'utf8')) as Record<string, string | undefined>;
  const second = authKey ?? auth_key;
  return key === undefined ? undefined : { key: fromHex(key), ...(second && { authKey: fromHex(second) }) };
}

export interface Corpus {
  /** Whole captures. */
  readonly streams: readonly Uint8Array[];
  /** Information fields of HDLC frames and APDUs in the clear. */
  readonly payloads: readonly Uint8Array[];
  readonly keys: readonly { readonly key: Uint8Array; readonly authKey?: Uint8Array }[];
}

export function loadCorpus(): Corpus {
  const streams: Uint8Array[] = [];
  const payloads: Uint8Array[] = [];
  const keys: { key: Uint8Array; authKey?: Uint8Array }[] = [];
  for (const folder of caseFolders)
    for (const file of readdirSync(folder).sort()) {
      if (!file.endsWith('.hex')) continue;
      const bytes = fromHex(readFileSync(join(folder, file), 'utf8'));
      streams.push(bytes);
      const pair = keysOfCase(join(folder, file));
      if (pair) keys.push(pair);
      const before = payloads.length;
      const hdlc = createHdlcReceiver({ frame: (f) => payloads.push(f.info.slice()), drop: () => {} });
      hdlc.push(bytes);
      const mbus = createMbusReceiver({ frame: (f) => payloads.push(f.data.slice()), drop: () => {} });
      mbus.push(bytes);
      if (payloads.length === before) payloads.push(bytes);
    }
  if (streams.length === 0) throw new Error('no frames in vectors/han to start from');
  return { streams, payloads, keys };
}

/** APDUs of associations: those of recorded exchanges over the wrapper, each kind of first bytes a few times. */
export function loadApdus(): Uint8Array[] {
  const folder = join(root, 'vectors/dlms');
  const apdus: Uint8Array[] = [];
  const kinds = new Map<string, number>();
  for (const file of existsSync(folder) ? readdirSync(folder).sort() : []) {
    if (!file.endsWith('.json')) continue;
    const { transport, frames } = JSON.parse(readFileSync(join(folder, file), 'utf8')) as {
      transport?: string;
      frames?: readonly string[];
    };
    if (transport !== 'wrapper') continue;
    for (const frame of frames ?? []) {
      const apdu = fromHex(frame.slice(2)).slice(8);
      const kind = `${apdu[0]} ${apdu[1]} ${apdu.length >> 4}`;
      const seen = kinds.get(kind) ?? 0;
      if (apdu.length === 0 || apdu.length > 1000 || seen >= 3) continue;
      kinds.set(kind, seen + 1);
      apdus.push(apdu);
    }
  }
  if (apdus.length === 0) throw new Error('no exchanges in vectors/dlms to start from');
  return apdus;
}

/** Values that are most often the edge of something. */
const EDGES = [
  0x00, 0x01, 0x02, 0x06, 0x09, 0x0a, 0x0c, 0x0f, 0x13, 0x7d, 0x7e, 0x7f, 0x80, 0x81, 0x82, 0x84, 0xdb, 0xe0, 0xff,
];

export function mutate(bytes: Uint8Array, roll: Dice, corpus: readonly Uint8Array[]): Uint8Array {
  let out: Uint8Array = bytes.slice();
  for (let n = 1 + roll(4); n > 0; n--) {
    const at = roll(out.length + 1);
    switch (roll(8)) {
      case 0:
        if (at < out.length) out[at] = (out[at] as number) ^ (1 << roll(8));
        break;
      case 1:
        if (at < out.length) out[at] = EDGES[roll(EDGES.length)] as number;
        break;
      case 2:
        if (at < out.length) out[at] = roll(256);
        break;
      case 3:
        out = cat(out.subarray(0, at), out.subarray(Math.min(out.length, at + 1 + roll(8))));
        break;
      case 4:
        out = cat(out.subarray(0, at), random(1 + roll(8), roll), out.subarray(at));
        break;
      case 5: // a piece twice, or very often
        out = repeat(out, at, 1 + roll(12), 1 + (roll(20) === 0 ? roll(200) : roll(3)));
        break;
      case 6:
        out = out.slice(0, at);
        break;
      default: {
        const other = corpus[roll(corpus.length)] as Uint8Array;
        const from = roll(other.length);
        out = cat(out.subarray(0, at), other.subarray(from, from + roll(64)), out.subarray(at));
      }
    }
    if (out.length > 4096) out = out.slice(0, 4096);
  }
  return out;
}

const random = (n: number, roll: Dice) => Uint8Array.from({ length: n }, () => roll(256));

function repeat(bytes: Uint8Array, at: number, length: number, times: number): Uint8Array {
  const piece = bytes.subarray(at, at + length);
  const parts = [bytes.subarray(0, at)];
  for (let i = 0; i <= times; i++) parts.push(piece);
  parts.push(bytes.subarray(at + length));
  return cat(...parts);
}

function cat(...parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const p of parts) {
    out.set(p, at);
    at += p.length;
  }
  return out;
}

/** One APDU or information field, as it is or changed. */
export function oddPayload(corpus: Corpus, roll: Dice): Uint8Array {
  if (roll(16) === 0) return random(roll(300), roll);
  return mutate(corpus.payloads[roll(corpus.payloads.length)] as Uint8Array, roll, corpus.payloads);
}

/** A piece of a stream: a capture, changed or not, noise, or odd content in frames whose check sums are right. */
export function oddStream(corpus: Corpus, roll: Dice, crypto: Crypto): Uint8Array {
  const kind = roll(10);
  if (kind < 1) return random(roll(400), roll);
  const stream = corpus.streams[roll(corpus.streams.length)] as Uint8Array;
  if (kind < 2) return stream;
  if (kind < 5) return mutate(stream, roll, corpus.streams);
  const payload = oddPayload(corpus, roll);
  try {
    if (kind < 8)
      return encodeFrame({
        segmented: roll(8) === 0,
        destination: { value: roll(128), length: 1 },
        source: { value: roll(128), length: roll(2) ? 1 : 4 },
        control: 0x13,
        info: payload.subarray(0, 2000),
      });
    const pair = corpus.keys[roll(Math.max(1, corpus.keys.length))];
    const apdu =
      kind === 8 && pair
        ? encodeApdu(
            encipher(
              payload.subarray(payload[0] === 0xe6 ? 3 : 0),
              pair,
              { systemTitle: random(8, roll), invocationCounter: roll(2 ** 32), security: roll(2) ? 0x30 : 0x20 },
              crypto,
            ),
          )
        : payload;
    return cat(...splitTransport(apdu, 1, 103, 40 + roll(200)).map(encodeLongFrame));
  } catch (e) {
    if (e instanceof DecodeError) return payload;
    throw e;
  }
}
