/**
 * What was pasted, typed, dropped or opened, as conversations of pieces with their times.
 *
 * Decides: whether bytes are a capture, text with hex in it, or bytes themselves; how much of them is taken. Neighbouring
 * packets of one side are put together, for a frame may be cut by packets. Left out: what the bytes mean.
 */
import { type Direction, MAX_PASTE, parsePaste } from '@amiable/meter';
import { extractStreams, milliseconds } from '@amiable/pcap';
import { isText } from './files.ts';

export interface Piece {
  readonly bytes: Uint8Array;
  readonly direction: Direction | undefined;
  /** When which byte came: as the log wrote it, or milliseconds since 1970 of a capture. In the order of `at`. */
  readonly times: readonly { readonly at: number; readonly time: string | number }[];
}

export interface Source {
  /** Both ends, for a heading; empty where there is one conversation only. */
  readonly name: string;
  readonly pieces: readonly Piece[];
}

/** Told beside the explanation. */
export type Remark =
  | { readonly kind: 'skipped'; readonly n: number }
  | { readonly kind: 'damaged'; readonly n: number }
  | { readonly kind: 'missing'; readonly n: number }
  | { readonly kind: 'noStreams' }
  | { readonly kind: 'cutText'; readonly n: number };

export interface Sources {
  readonly sources: readonly Source[];
  readonly remarks: readonly Remark[];
}

/** pcap in both byte orders and both resolutions, and pcapng. */
const CAPTURES = new Set([0xa1b2c3d4, 0xd4c3b2a1, 0xa1b23c4d, 0x4d3cb2a1, 0x0a0d0d0a]);
const CLOCK = /(?:^|[^\d:.])(\d{1,2}:\d{2}:\d{2}(?:[.,]\d{1,6})?)(?!\d|:)/;

export function sourcesOfText(text: string): Sources {
  const { pieces, skipped } = parsePaste(text);
  const lines = text.slice(0, MAX_PASTE).split(/\r\n|\r|\n/);
  const source = {
    name: '',
    pieces: pieces.map(({ bytes, direction, line }) => {
      const time = CLOCK.exec((lines[line - 1] ?? '').slice(0, 60))?.[1];
      return { bytes, direction, times: time === undefined ? [] : [{ at: 0, time }] };
    }),
  };
  const remarks: Remark[] = [];
  if (skipped > 0) remarks.push({ kind: 'skipped', n: skipped });
  if (text.length > MAX_PASTE) remarks.push({ kind: 'cutText', n: MAX_PASTE });
  return { sources: [source], remarks };
}

/** @param file no longer than `MAX_FILE` */
export function sourcesOfFile(file: Uint8Array): Sources {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (file.length >= 4 && CAPTURES.has(view.getUint32(0))) return sourcesOfCapture(file);
  if (isText(file)) return sourcesOfText(new TextDecoder().decode(file));
  return { sources: [{ name: '', pieces: [{ bytes: file, direction: undefined, times: [] }] }], remarks: [] };
}

function sourcesOfCapture(file: Uint8Array): Sources {
  const { streams, damage } = extractStreams(file);
  const remarks: Remark[] = [];
  if (damage.length > 0) remarks.push({ kind: 'damaged', n: damage.length });
  let missing = 0;
  const sources = streams.map(({ kind, client, server, pieces }): Source => {
    const out: Piece[] = [];
    let run: Captured[] = [];
    const flush = () => {
      if (run.length > 0) out.push(joined(run));
      run = [];
    };
    for (const piece of pieces) {
      missing += piece.missing ?? 0;
      if (piece.octets.length === 0) continue;
      // Behind a hole a new frame is looked for.
      if (piece.missing || run[0]?.from !== piece.from) flush();
      run.push(piece);
    }
    flush();
    return { name: `${kind.toUpperCase()} ${client} – ${server}`, pieces: out };
  });
  if (missing > 0) remarks.push({ kind: 'missing', n: missing });
  if (streams.length === 0) remarks.push({ kind: 'noStreams' });
  return { sources, remarks };
}

type Captured = ReturnType<typeof extractStreams>['streams'][number]['pieces'][number];

function joined(run: readonly Captured[]): Piece {
  const bytes = new Uint8Array(run.reduce((sum, piece) => sum + piece.octets.length, 0));
  const times: { at: number; time: number }[] = [];
  let at = 0;
  for (const piece of run) {
    bytes.set(piece.octets, at);
    times.push({ at, time: milliseconds(piece.time) });
    at += piece.octets.length;
  }
  const from = run[0]?.from;
  return { bytes, direction: from === 'client' ? 'out' : from === 'server' ? 'in' : undefined, times };
}
