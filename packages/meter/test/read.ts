/** Reads bytes through the HAN reader, in pieces of any size, and gives everything that came out. */
import { fromHex } from '@amiable/bytes';
import { nodeCrypto } from '@amiable/io';
import { type Message, messageToJson } from '@amiable/model';
import { createHanReader, type HanReader, type HanReaderOptions } from '../src/index.ts';

export interface Json {
  readonly readings: readonly { readonly obis?: string; readonly value: number | string }[];
  readonly meterId?: string;
  readonly meterTime?: string;
  readonly flags: readonly string[];
  readonly error?: { readonly reason: string };
}

export interface Outcome {
  readonly messages: readonly Message[];
  /** The messages as JSON lines. */
  readonly texts: readonly string[];
  readonly json: readonly Json[];
  readonly drops: readonly string[];
  readonly reader: HanReader;
}

export interface Keys {
  readonly key?: string | undefined;
  readonly authKey?: string | undefined;
}

export function read(
  bytes: Uint8Array,
  { key, authKey }: Keys = {},
  options: Partial<HanReaderOptions> = {},
  chunk = Number.POSITIVE_INFINITY,
): Outcome {
  const messages: Message[] = [];
  const drops: string[] = [];
  const pair = key === undefined ? undefined : { key: fromHex(key), ...(authKey && { authKey: fromHex(authKey) }) };
  const reader = createHanReader(
    {
      reader: 'test',
      port: 'han0',
      now: () => 0,
      keys: { candidates: () => (pair ? [pair] : []) },
      crypto: nodeCrypto,
      ...options,
    },
    { message: (m) => messages.push(m), drop: (d) => drops.push(d.reason) },
  );
  const piece = new Uint8Array(Math.min(chunk, bytes.length));
  for (let at = 0; at < bytes.length; at += chunk) {
    // One buffer for all pieces, as some callers have it: the reader must keep nothing of it.
    const part = bytes.subarray(at, at + chunk);
    piece.set(part);
    reader.push(piece.subarray(0, part.length));
    piece.fill(0xaa);
  }
  reader.end();
  const texts = messages.map((m) => messageToJson(m, { raw: true }));
  return { messages, texts, json: texts.map((t) => JSON.parse(t) as Json), drops, reader };
}
