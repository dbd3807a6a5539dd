/**
 * What `amiable explain` is given: hex on the command line, files of bytes, text or captures, standard input.
 *
 * Decides: which of these a word is, and in what pieces its bytes come. Bounded: a file longer than 64 MiB is refused.
 */
import { open } from 'node:fs/promises';
import { formOf } from '@amiable/io';
import { type Pasted, parsePaste } from '@amiable/meter';
import { extractStreams, isCapture, runsOf } from '@amiable/pcap';

export interface Piece {
  readonly bytes: Uint8Array;
  readonly direction: 'out' | 'in' | undefined;
}

/** Pieces that belong to one conversation. */
export interface Source {
  /** Where it is from, for a heading; empty for the command line. */
  readonly name: string;
  readonly pieces: readonly Piece[];
  /** Lines without bytes, damaged packets: told, not hidden. */
  readonly remarks: readonly string[];
}

const MAX_INPUT = 64 << 20;
/** @throws Error with a sentence */
export async function sourcesOf(words: readonly string[], stdin: AsyncIterable<Uint8Array>): Promise<Source[]> {
  const sources: Source[] = [];
  const bare: string[] = [];
  for (const word of words) {
    const file = word === '-' ? await collect(stdin) : await fileNamed(word);
    if (file) sources.push(...sourcesOfBytes(word === '-' ? '' : word, file));
    else bare.push(word);
  }
  if (bare.length > 0) {
    const pasted = parsePaste(bare.join(' '));
    const { pieces } = pasted;
    if (pieces.length === 0)
      throw new Error(
        `${JSON.stringify(bare.join(' ').slice(0, 60))} is neither a file nor hex nor a telegram. Give bytes as 7E A0 07 …, a file, or - for standard input.`,
      );
    sources.unshift({ name: '', pieces, remarks: remarksOf(pasted) });
  }
  return sources;
}

async function fileNamed(path: string): Promise<Uint8Array | undefined> {
  const file = await open(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENAMETOOLONG') return undefined;
    throw new Error(`${path} cannot be read: ${error.message}`);
  });
  if (!file) return undefined;
  try {
    const { size } = await file.stat();
    if (size > MAX_INPUT)
      throw new Error(
        `${path} has ${Math.round(size / 2 ** 20)} MiB; explain takes up to ${MAX_INPUT >> 20}. Cut out what is of interest.`,
      );
    return new Uint8Array(await file.readFile());
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EISDIR') throw new Error(`${path} is a folder.`);
    throw error;
  } finally {
    await file.close();
  }
}

async function collect(stream: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of stream) {
    size += part.length;
    if (size > MAX_INPUT) throw new Error(`Standard input brings more than ${MAX_INPUT >> 20} MiB.`);
    parts.push(part);
  }
  return new Uint8Array(Buffer.concat(parts));
}

function sourcesOfBytes(name: string, bytes: Uint8Array): Source[] {
  if (isCapture(bytes)) return capture(name, bytes);
  const head = bytes.subarray(0, 4096);
  // A slash with a parity bit begins a telegram that is no text before that bit is gone.
  const isText = head[0] !== 0xaf && (formOf(head) === 'hex' || head.every((b) => b >= 32 || (b >= 9 && b <= 13)));
  if (!isText) return [{ name, pieces: [{ bytes, direction: undefined }], remarks: [] }];
  const pasted = parsePaste(
    Buffer.from(bytes)
      .toString('utf8')
      .replace(/^\uFEFF/, ''),
  );
  return [{ name, pieces: pasted.pieces, remarks: remarksOf(pasted) }];
}

const remarksOf = ({ skipped, odd }: Pasted): string[] => [
  ...(skipped === 0 ? [] : [`${skipped} line${skipped === 1 ? '' : 's'} without bytes left out`]),
  ...(odd === 0 ? [] : ['an odd number of hex digits: the last one, half a byte, is left out']),
];

function capture(name: string, bytes: Uint8Array): Source[] {
  const { streams, damage } = extractStreams(bytes);
  const remarks = damage.slice(0, 5).map((error) => `damaged packet: ${error.message}`);
  if (streams.length === 0)
    return [{ name, pieces: [], remarks: [...remarks, 'no TCP, UDP or serial data in this capture'] }];
  return streams.map((stream, i) => ({
    name: `${name}: ${stream.kind} ${stream.client} and ${stream.server}`,
    pieces: runsOf(stream).map(({ from, octets }) => ({
      bytes: octets,
      direction: from === 'client' ? 'out' : from === 'server' ? 'in' : undefined,
    })),
    remarks: [
      ...(i === 0 ? remarks : []),
      ...stream.pieces
        .filter((p) => p.missing)
        .map((p) => `${p.missing} bytes from the ${p.from} are not in the capture`),
    ],
  }));
}
