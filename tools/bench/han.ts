/**
 * How fast bytes of a HAN port become canonical messages, on one core: both check sums, list, codes, names, units, time.
 *
 * A peer is measured in the same run when AMIABLE_PEER_ATHOM names a checkout of athombv/node-dsmr-parser (ISC), the
 * fastest TypeScript parser that was found: its stream parser and our reader get the same bytes in the same pieces.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { fromHex } from '@amiable/bytes';
import { nodeCrypto } from '@amiable/io';
import { createHanReader, type HanReader, type HanReaderOptions } from '@amiable/meter';
import { type Message, messageToJson } from '@amiable/model';
import { best, type Work } from './best.ts';
import type { Figure } from './figure.ts';
import { kaifaList3, type RealCase, realCases, sealedList3, swedishList, varied } from './han-frames.ts';

const CHUNK = 1 << 16;
const PEER = 'athombv/node-dsmr-parser';

export async function benchHan({ smoke = false }: { smoke?: boolean } = {}): Promise<Figure[]> {
  const figures: Figure[] = [];
  const rounds = smoke ? 2 : 150;
  const count = smoke ? 100 : 4000;

  const list3 = kaifaList3(count);
  const size = list3.length / count;
  figures.push(
    rate(`HAN: Kaifa list 3 (${size} B, 18 elements) to canonical message`, bulk(list3, {}), rounds),
    rate('HAN: the same, with its id', bulk(list3, {}, withId), rounds),
    rate('HAN: the same, with id and JSON text', bulk(list3, {}, asJson), rounds),
    rate('HAN: Kaifa Swedish list (287 B, 36 elements)', bulk(varied(swedishList(), count), {}), rounds),
  );
  const pair = {
    key: fromHex('000102030405060708090a0b0c0d0e0f'),
    authKey: fromHex('d0d1d2d3d4d5d6d7d8d9dadbdcdddedf'),
  };
  const sealed = sealedList3(count, pair, nodeCrypto);
  figures.push(
    rate(
      'HAN: Kaifa list 3 enciphered, tag checked',
      bulk(sealed, { keys: { candidates: () => [pair] }, crypto: nodeCrypto }),
      rounds,
    ),
  );

  const peer = await loadPeer();
  for (const real of realCases()) {
    const ours = single(real);
    if (!ours) continue;
    const theirs = peer?.(real);
    const name = `HAN: ${real.name} (${real.bytes.length} B)`;
    const [mine = 0, peers] = best(theirs ? [ours, theirs] : [ours], Math.ceil(rounds / 2));
    figures.push({ name, value: mine, unit: 'messages/s', ...(peers && { peer: PEER, ratio: mine / peers }) });
  }
  return figures;
}

const withId = (m: Message): number => m.id.length;
const asJson = (m: Message): number => messageToJson(m).length;
const touch = (m: Message): number => m.values.length;

function reader(
  options: Partial<HanReaderOptions>,
  take: (m: Message) => number,
): { reader: HanReader; state: { n: number; sum: number } } {
  const state = { n: 0, sum: 0 };
  return {
    state,
    reader: createHanReader(
      { reader: 'bench', port: 'han0', now: Date.now, ...options },
      {
        message(m) {
          if (m.error) return;
          state.n++;
          state.sum += take(m);
        },
        drop() {},
      },
    ),
  };
}

/** A capture in pieces of 64 KiB. */
function bulk(bytes: Uint8Array, options: Partial<HanReaderOptions>, take = touch): Work {
  const { reader: han, state } = reader(options, take);
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += CHUNK) chunks.push(bytes.slice(at, at + CHUNK));
  return () => {
    const before = state.n;
    for (const chunk of chunks) han.push(chunk);
    return state.n - before;
  };
}

/** One message again and again, as a capture read in pieces; where no link says where it ends, one piece each. */
function repeated(real: RealCase): Uint8Array {
  const times = real.bytes[0] === 0x0f ? 1 : Math.max(1, Math.floor(CHUNK / real.bytes.length));
  const out = new Uint8Array(times * real.bytes.length);
  for (let i = 0; i < times; i++) out.set(real.bytes, i * real.bytes.length);
  return out;
}

/** Undefined when the message cannot be read. */
function single(real: RealCase): Work | undefined {
  const pair = real.key && { key: real.key, ...(real.authKey && { authKey: real.authKey }) };
  const options = { keys: { candidates: () => (pair ? [pair] : []) }, crypto: nodeCrypto };
  const { reader: han, state } = reader(options, touch);
  const bare = real.bytes[0] === 0x0f;
  const piece = repeated(real);
  const work = () => {
    const before = state.n;
    for (let i = 0; i < (bare ? 100 : 1); i++) {
      han.push(piece);
      if (bare) han.idle();
    }
    return state.n - before;
  };
  return work() > 0 ? work : undefined;
}

function rate(name: string, work: Work, rounds: number): Figure {
  return { name, value: best([work], rounds)[0] as number, unit: 'messages/s' };
}

/** What is used of the peer. */
interface PeerModule {
  readonly DlmsStreamParser: new (options: {
    stream: PassThrough;
    callback: (error: unknown, result?: unknown) => void;
    decryptionKey?: Buffer;
    additionalAuthenticatedData?: Buffer;
  }) => { destroy(): void };
}

async function loadPeer(): Promise<((real: RealCase) => Work | undefined) | undefined> {
  const folder = process.env.AMIABLE_PEER_ATHOM;
  if (!folder) return undefined;
  const entry = join(folder, 'src/index.ts');
  if (!existsSync(entry)) throw new Error(`AMIABLE_PEER_ATHOM=${folder}: there is no src/index.ts`);
  const { DlmsStreamParser } = (await import(pathToFileURL(entry).href)) as PeerModule;
  return (real) => {
    const stream = new PassThrough();
    let n = 0;
    new DlmsStreamParser({
      stream,
      callback: (error) => {
        if (!error) n++;
      },
      ...(real.key && { decryptionKey: Buffer.from(real.key) }),
      ...(real.authKey && { additionalAuthenticatedData: Buffer.from(real.authKey) }),
    });
    const bytes = Buffer.from(repeated(real));
    const work = () => {
      const before = n;
      stream.emit('data', bytes);
      return n - before;
    };
    return work() > 0 ? work : undefined;
  };
}
