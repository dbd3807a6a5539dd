/**
 * How fast bytes of a P1 port become canonical messages, on one core: check sum, values, names, units, times, devices.
 *
 * Peers are measured in the same run, on the same telegrams: AMIABLE_PEER_ATHOM names a checkout of athombv/node-dsmr-parser
 * (ISC), AMIABLE_PEER_DSMR_PARSER the folder of the npm package dsmr-parser once installed. Peers get whole telegrams, one each
 * call, and so have no stream to search; ours gets the stream. To all the clock and some digits go on from telegram to telegram,
 * so that nobody reads the same bytes twice.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type Message, messageToJson } from '@amiable/model';
import { createP1Decoder, decodeTelegram, encodeTelegram } from '@amiable/p1';
import { best, type Work } from './best.ts';
import type { Figure } from './figure.ts';

const CHUNK = 1 << 16;
const VECTORS = fileURLToPath(new URL('../../vectors/p1/', import.meta.url));
/** Telegrams as they are most common, and the longest. */
const CASES = ['basjes_TestDsmrParserOnRealDSMR5_2', 'wassasin_t211', 'ndokter_v5_two_mbus', 'ndokter_fluvius_v171'];

type Peer = (telegram: string) => void;

export async function benchP1({ smoke = false }: { smoke?: boolean } = {}): Promise<Figure[]> {
  const figures: Figure[] = [];
  const rounds = smoke ? 2 : 100;
  const peers = await loadPeers();
  for (const name of CASES) {
    const file = readdirSync(VECTORS).find((entry) => entry === `${name}.txt`);
    if (!file) continue;
    const telegrams = varied(new Uint8Array(readFileSync(VECTORS + file)), smoke ? 50 : 1000);
    const size = telegrams[0]?.length ?? 0;
    const works: Work[] = [stream(telegrams, touch)];
    for (const { parse } of peers) works.push(whole(telegrams, parse));
    const [ours = 0, ...theirs] = best(works, rounds);
    const title = `P1: ${name} (${size} B)`;
    if (theirs.length === 0) figures.push({ name: title, value: ours, unit: 'messages/s' });
    theirs.forEach((value, i) => {
      const peer = peers[i]?.name as string;
      figures.push({ name: title, value: ours, unit: 'messages/s', peer, ratio: ours / value });
      figures.push({ name: `  ${peer} on it`, value, unit: 'telegrams/s' });
    });
  }
  const telegrams = varied(new Uint8Array(readFileSync(`${VECTORS}ndokter_v5_two_mbus.txt`)), smoke ? 50 : 1000);
  const [withId = 0, json = 0, byTheBook = 0] = best(
    [
      stream(telegrams, (m) => m.id.length),
      stream(telegrams, (m) => messageToJson(m).length),
      stream(telegrams, touch, 0),
    ],
    rounds,
  );
  figures.push(
    { name: 'P1: ndokter_v5_two_mbus with its id', value: withId, unit: 'messages/s' },
    { name: 'P1: the same with id and JSON text', value: json, unit: 'messages/s' },
    { name: 'P1: the same by the book, nothing learnt', value: byTheBook, unit: 'messages/s' },
  );
  return figures;
}

const touch = (m: Message): number => m.values.length;

/** The telegram again and again: its clock goes on by seconds, and the last two digits of its powers change. */
function varied(bytes: Uint8Array, count: number): Uint8Array[] {
  const telegram = decodeTelegram(bytes.subarray(0, bytes.indexOf(0x21) + 5));
  return Array.from({ length: count }, (_, i) =>
    encodeTelegram({
      ...telegram,
      objects: telegram.objects.map(({ address, values }) => {
        const [first = '', ...rest] = values;
        if (address === '0-0:1.0.0') {
          const minute = String(Math.floor(i / 60) % 60).padStart(2, '0');
          const clock = first.slice(0, 8) + minute + String(i % 60).padStart(2, '0') + first.slice(12);
          return { address, values: [clock] };
        }
        if (/\.7\.0$/.test(address)) return { address, values: [first.replace(/\d(?=\*)/, String(i % 10)), ...rest] };
        return { address, values };
      }),
    }),
  );
}

function stream(telegrams: readonly Uint8Array[], take: (m: Message) => number, layouts?: number): Work {
  let n = 0;
  let sum = 0;
  const decoder = createP1Decoder(
    { reader: 'bench', port: 'p1', now: Date.now, layouts },
    {
      message(m) {
        n++;
        sum += take(m);
      },
      drop() {},
    },
  );
  const all = Buffer.concat(telegrams);
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < all.length; at += CHUNK) chunks.push(new Uint8Array(all.subarray(at, at + CHUNK)));
  return () => {
    const before = n;
    for (const chunk of chunks) decoder.push(chunk);
    if (n - before !== telegrams.length || sum < 0) throw new Error('a telegram was lost');
    return n - before;
  };
}

function whole(telegrams: readonly Uint8Array[], parse: Peer): Work {
  const texts = telegrams.map((bytes) => Buffer.from(bytes).toString('latin1'));
  return () => {
    for (const text of texts) parse(text);
    return texts.length;
  };
}

async function loadPeers(): Promise<{ name: string; parse: Peer }[]> {
  const peers: { name: string; parse: Peer }[] = [];
  const athom = process.env.AMIABLE_PEER_ATHOM;
  if (athom) {
    const entry = join(athom, 'src/protocols/dsmr.ts');
    if (!existsSync(entry)) throw new Error(`AMIABLE_PEER_ATHOM=${athom}: there is no src/protocols/dsmr.ts`);
    const { parseDsmr } = (await import(pathToFileURL(entry).href)) as {
      parseDsmr(options: { telegram: string | Buffer }): unknown;
    };
    peers.push({ name: 'athombv parseDsmr', parse: (telegram) => void parseDsmr({ telegram }) });
  }
  const dsmr = process.env.AMIABLE_PEER_DSMR_PARSER;
  if (dsmr) {
    const parser = createRequire(import.meta.url)(dsmr) as { parse(telegram: string): unknown };
    peers.push({ name: 'dsmr-parser (npm)', parse: (telegram) => void parser.parse(telegram) });
  }
  return peers;
}
