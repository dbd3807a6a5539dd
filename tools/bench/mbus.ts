/**
 * How fast frames of a wired M-Bus become canonical messages, on one core: check sum, header, records, names, base units, exact decimals,
 * and a copy of the raw bytes. All real frames that libmbus and we both read; values vary from frame to frame.
 *
 * The peer is measured in the same run when AMIABLE_PEER_LIBMBUS names the program that tools/bench/libmbus.c makes with
 * rscada/libmbus (BSD): parse, decode, and the normalised XML, which is its form for named values in base units.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fromHex, toHex } from '@amiable/bytes';
import { createMbusDecoder } from '@amiable/mbus';
import { type Message, messageToJson } from '@amiable/model';
import { best, type Work } from './best.ts';
import type { Figure } from './figure.ts';

const VECTORS = new URL('../../vectors/mbus/', import.meta.url);
const PEER = 'libmbus, normalised XML';
const CHUNK = 1 << 16;
const TURNS = 5;

interface Real {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly records: number;
}

export async function benchMbus({ smoke = false }: { smoke?: boolean } = {}): Promise<Figure[]> {
  const frames = realFrames();
  const rounds = smoke ? 1 : 25;
  // The compiler sees all kinds of frames first, as it would on a bus.
  const all = rate(worker(frames), rounds);
  // Turn and turn about: what else runs on the machine slows both.
  let theirs: number[] | undefined;
  let ours = frames.map(() => 0);
  const works = frames.map((real) => worker([real]));
  for (let turn = 0; turn < (smoke ? 1 : TURNS); turn++) {
    const peer = peerRates(frames, smoke);
    theirs = peer?.map((rate, i) => Math.max(rate, theirs?.[i] ?? 0));
    ours = works.map((work, i) => Math.max(ours[i] as number, rate(work, smoke ? 1 : 6)));
  }
  const compared = frames.map((_, i) => i).filter((i) => !theirs || (theirs[i] as number) > 0);
  // Frames a second over one of each, which is the harmonic mean.
  const mean = (rates: readonly number[]): number =>
    compared.length / compared.reduce((sum, i) => sum + 1 / (rates[i] as number), 0);
  const peerMean = theirs && mean(theirs);
  const ourMean = mean(ours);
  const figures: Figure[] = [
    {
      name: `M-Bus: one of each of ${compared.length} real frames to canonical messages`,
      value: ourMean,
      unit: 'frames/s',
      ...(peerMean && { peer: PEER, ratio: ourMean / peerMean }),
    },
    {
      name: 'M-Bus: all of them mixed on one bus',
      value: Math.max(all, rate(worker(frames), rounds)),
      unit: 'frames/s',
    },
    { name: 'M-Bus: the same, with id and JSON text', value: rate(worker(frames, asJson), rounds), unit: 'frames/s' },
  ];
  for (const i of compared) {
    const { name, bytes, records } = frames[i] as Real;
    if (!SHOWN.has(name)) continue;
    const peer = theirs?.[i];
    figures.push({
      name: `M-Bus: ${name} (${bytes.length} B, ${records} records)`,
      value: ours[i] as number,
      unit: 'frames/s',
      ...(peer && { peer: PEER, ratio: (ours[i] as number) / peer }),
    });
  }
  return figures;
}

const SHOWN = new Set(['kamstrup_multical_601', 'GWF-MTKcoder', 'SEN_Pollustat', 'EFE_Engelmann-WaterStar']);
const touch = (m: Message): number => m.values.length;
const asJson = (m: Message): number => messageToJson(m).length;

function realFrames(): Real[] {
  const out: Real[] = [];
  for (const file of readdirSync(VECTORS)) {
    if (!file.endsWith('.hex')) continue;
    const name = file.slice(0, -4);
    const told = JSON.parse(readFileSync(new URL(`${name}.json`, VECTORS), 'utf8')) as {
      kind: string;
      message?: { readings: unknown[] };
    };
    if (told.kind !== 'good' || !told.message) continue;
    const bytes = fromHex(readFileSync(new URL(file, VECTORS), 'utf8'));
    out.push({ name, bytes, records: told.message.readings.length });
  }
  return out;
}

/** Frames with another access number each, as a meter sends them, in pieces of 64 KiB. */
function worker(frames: readonly Real[], take = touch): () => number {
  const stream: number[] = [];
  for (let n = 0; stream.length < CHUNK; n++)
    for (const { bytes } of frames) {
      const frame = bytes.slice();
      frame[15] = n & 0xff;
      let sum = 0;
      for (let i = 4; i < frame.length - 2; i++) sum += frame[i] as number;
      frame[frame.length - 2] = sum & 0xff;
      stream.push(...frame);
    }
  const piece = Uint8Array.from(stream);
  const state = { good: 0, sum: 0 };
  const decoder = createMbusDecoder(
    { reader: 'bench', port: 'mbus0', now: Date.now },
    {
      message(m) {
        if (m.error) return;
        state.good++;
        state.sum += take(m);
      },
      drop(d) {
        throw new Error(`a frame was dropped: ${d.reason}`);
      },
    },
  );
  return () => {
    const before = state.good;
    decoder.push(piece);
    return state.good - before;
  };
}

const rate = (work: Work, rounds: number): number => best([work], rounds)[0] as number;

function peerRates(frames: readonly Real[], smoke: boolean): number[] | undefined {
  const program = process.env.AMIABLE_PEER_LIBMBUS;
  if (!program) return undefined;
  const input = frames.map(({ bytes }) => `${toHex(bytes)}\n`).join('');
  const ran = spawnSync(program, smoke ? ['0.001', '1'] : ['0.01', '6'], { input, encoding: 'utf8' });
  if (ran.status !== 0) throw new Error(`AMIABLE_PEER_LIBMBUS=${program}: ${ran.error?.message ?? ran.stderr}`);
  return ran.stdout.trim().split('\n').map(Number);
}
