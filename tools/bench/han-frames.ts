/**
 * Frames to measure with: long captures of one meter each, every frame with its own time and values, check sums right.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fromHex } from '@amiable/bytes';
import {
  type Crypto,
  type Data,
  dateTimeBytes,
  dateTimeOf,
  decodeApdu,
  encipher,
  encodeApdu,
  encodeDataNotification,
  type KeyPair,
} from '@amiable/dlms';
import { decodeFrame, encodeFrame, type HdlcFrame } from '@amiable/hdlc';
import { caseFolders, keysOfCase } from '../fuzz/inputs.ts';

const HOUR = 3_600_000;
const START = Date.UTC(2017, 8, 15, 5);
const LLC = [0xe6, 0xe7, 0x00];

const octets = (text: string): Data => ({ type: 'octet-string', value: new TextEncoder().encode(text) });
const u32 = (value: number): Data => ({ type: 'double-long-unsigned', value });

function frame(apdu: Uint8Array): Uint8Array {
  return encodeFrame({
    destination: { value: 0, length: 1 },
    source: { value: 0x80, length: 2 },
    control: 0x10,
    info: new Uint8Array([...LLC, ...apdu]),
  });
}

function cat(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const p of parts) {
    out.set(p, at);
    at += p.length;
  }
  return out;
}

/** Kaifa list 3 of a three-phase meter, 18 elements without codes, hour after hour. */
export function kaifaList3(count: number): Uint8Array {
  return cat(Array.from({ length: count }, (_, i) => frame(list3(i))));
}

function list3(i: number): Uint8Array {
  const hour = START + i * HOUR;
  const wave = (mean: number, swing: number, phase: number) => u32(Math.round(mean + swing * Math.sin(i / 7 + phase)));
  const body: Data = {
    type: 'structure',
    value: [
      octets('KFM_001'),
      octets('6970631401753985'),
      octets('MA304H3E'),
      wave(1500, 1400, 0),
      u32(0),
      u32(0),
      wave(200, 150, 1),
      wave(3000, 2900, 2),
      wave(2000, 1900, 3),
      wave(2500, 2400, 4),
      wave(2300, 40, 5),
      wave(2310, 40, 6),
      wave(2320, 40, 7),
      { type: 'octet-string', value: dateTimeBytes(dateTimeOf(hour, { status: 0 })) },
      u32(4_000_000 + 1700 * i),
      u32(0),
      u32(3 * i),
      u32(70_000 + 60 * i),
    ],
  };
  return encodeDataNotification(body, {
    invokeId: 0x40000000,
    dateTime: dateTimeOf(hour + 10_000, { status: 0 }),
    form: 'tagged',
  });
}

/** A real frame with other values: every 32-bit element is changed, everything else stays as the meter sent it. */
export function varied(real: HdlcFrame, count: number): Uint8Array {
  return cat(Array.from({ length: count }, (_, i) => encodeFrame({ ...real, info: vary(real.info, i) })));
}

function vary(info: Uint8Array, i: number): Uint8Array {
  const out = info.slice();
  // Tag of double-long-unsigned behind the end of a code.
  for (let at = 1; at + 5 <= out.length; at++)
    if (out[at] === 0x06 && out[at - 1] === 0xff) {
      const value = (((out[at + 3] as number) << 8) | (out[at + 4] as number)) + (i % 997);
      out[at + 3] = value >> 8;
      out[at + 4] = value;
      at += 4;
    }
  return out;
}

/** List 3 under AES-GCM with its tag. */
export function sealedList3(count: number, pair: KeyPair, crypto: Crypto): Uint8Array {
  const systemTitle = fromHex('4b464d1020300405');
  return cat(
    Array.from({ length: count }, (_, i) =>
      frame(encodeApdu(encipher(list3(i), pair, { systemTitle, invocationCounter: i + 1 }, crypto))),
    ),
  );
}

export interface RealCase {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly key?: Uint8Array;
  readonly authKey?: Uint8Array;
}

/** Every single message of a real meter that is at hand. */
export function realCases(): RealCase[] {
  const cases = new Map<string, RealCase>();
  for (const folder of caseFolders)
    for (const file of readdirSync(folder).sort()) {
      if (!file.endsWith('.hex') || file.startsWith('stream_')) continue;
      const name = file.slice(0, -4);
      const hexFile = join(folder, file);
      cases.set(name, { name, bytes: fromHex(readFileSync(hexFile, 'utf8')), ...keysOfCase(hexFile) });
    }
  return [...cases.values()];
}

/** The Swedish 36-element list as the meter sent it. */
export function swedishList(): HdlcFrame {
  const real = realCases().find((c) => c.name === 'amshan_kaifa_se_list');
  if (!real) throw new Error('vectors/han/amshan_kaifa_se_list.hex is missing');
  const frame = decodeFrame(real.bytes);
  decodeApdu(frame.info.subarray(3));
  return frame;
}
