/** Cases of real telegrams: those of this repository in vectors/p1, and a larger set where it stands beside the checkout. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { fromHex } from '@amiable/bytes';
import type { KeyRing } from '@amiable/dlms';
import { nodeCrypto } from '@amiable/io';
import { decimal, type Message, type Value } from '@amiable/model';
import { createP1Decoder, type P1DecoderOptions } from '../src/index.ts';

export interface ExpectedObject {
  readonly obis?: string;
  readonly line?: string;
  readonly values?: readonly { readonly raw: string; readonly num?: number; readonly unit?: string }[];
}

export interface Case {
  readonly name: string;
  readonly kind: string;
  readonly bytes: Uint8Array;
  readonly objects: readonly ExpectedObject[];
  readonly crcValid: boolean | null;
  readonly timestamp?: string | null;
  readonly key?: string;
  readonly authKey?: string;
  readonly json: Record<string, unknown>;
}

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
export const VECTORS = at('../../../vectors/p1/');
/** More cases, whose licences keep them out of this repository. */
export const SHARED = at('../../../../shared/data/p1/');

export function loadCases(folder: string): Case[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((file) => file.endsWith('.expected.json'))
    .sort()
    .map((file) => {
      const name = file.slice(0, -'.expected.json'.length);
      const json = JSON.parse(readFileSync(folder + file, 'utf8')) as Record<string, unknown>;
      const hex = existsSync(`${folder}${name}.hex`);
      const bytes = hex
        ? fromHex(readFileSync(`${folder}${name}.hex`, 'utf8').replace(/\s+/g, ''))
        : new Uint8Array(readFileSync(`${folder}${name}.txt`));
      return {
        name,
        kind: json.kind as string,
        bytes,
        objects: (json.objects as ExpectedObject[] | undefined) ?? [],
        crcValid: (json.crc_valid as boolean | null | undefined) ?? null,
        ...(json.timestamp === undefined ? {} : { timestamp: json.timestamp as string | null }),
        ...(json.key ? { key: json.key as string } : {}),
        ...(json.auth_key ? { authKey: json.auth_key as string } : {}),
        json,
      };
    });
}

export interface Heard {
  readonly messages: Message[];
  readonly drops: { reason: string; length: number; offset: number }[];
}

export const NOW = Date.UTC(2026, 0, 1);

/** All that a decoder says of `bytes`, handed over in pieces of `piece` octets. */
export function listen(bytes: Uint8Array, options: Partial<P1DecoderOptions> = {}, piece = bytes.length): Heard {
  const heard: Heard = { messages: [], drops: [] };
  const decoder = createP1Decoder(
    { reader: 'test', port: 'p1', now: () => NOW, ...options },
    {
      message: (m) => heard.messages.push(m),
      drop: ({ reason, length, offset }) => heard.drops.push({ reason, length, offset }),
    },
  );
  for (let from = 0; from < bytes.length; from += Math.max(1, piece))
    decoder.push(bytes.slice(from, from + Math.max(1, piece)));
  decoder.end();
  return heard;
}

export function keysOf({ key, authKey }: Case): Partial<P1DecoderOptions> {
  if (!key) return {};
  const pair = { key: fromHex(key), ...(authKey ? { authKey: fromHex(authKey) } : {}) };
  const keys: KeyRing = { candidates: () => [pair] };
  return { keys, crypto: nodeCrypto };
}

/** Units to base units, written apart from the decoder's own table. */
const BASE: Record<string, number> = {
  kwh: 1000,
  kw: 1000,
  kvar: 1000,
  kvarh: 1000,
  kva: 1000,
  mj: 1e6,
  gj: 1e9,
};

/** What of a case's objects the messages do not hold. */
export function missing(objects: readonly ExpectedObject[], messages: readonly Message[]): string[] {
  const held = new Map<string, number[]>();
  for (const m of messages)
    m.items.forEach((item, i) => {
      const value = m.values[i] as Value;
      if (typeof value === 'string') return;
      const list = held.get(item.address as string) ?? [];
      list.push(Number(decimal(value, item.scaler)));
      held.set(item.address as string, list);
    });
  const misses: string[] = [];
  for (const { obis, values } of objects) {
    if (obis === undefined) continue;
    for (const { num, unit } of values ?? []) {
      if (num === undefined || !unit) continue;
      const want = num * (BASE[unit.toLowerCase()] ?? 1);
      const near = (have: number) => Math.abs(have - want) <= 1e-6 * Math.max(1, Math.abs(want));
      if (!(held.get(obis) ?? []).some(near)) misses.push(`${obis} ${num}*${unit}: ${held.get(obis)}`);
    }
  }
  return misses;
}
