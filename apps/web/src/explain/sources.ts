/**
 * What was pasted, typed, dropped or opened, as conversations of pieces with their times.
 *
 * Decides: whether bytes are a capture, text with hex in it, or bytes themselves; how much of them is taken. Left out:
 * what the bytes mean.
 */
import { type Direction, MAX_PASTE, parsePaste } from '@amiable/meter';
import { extractStreams, isCapture, milliseconds, runsOf } from '@amiable/pcap';
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
  | { readonly kind: 'odd' }
  | { readonly kind: 'damaged'; readonly n: number }
  | { readonly kind: 'missing'; readonly n: number }
  | { readonly kind: 'noStreams' }
  | { readonly kind: 'cutText'; readonly n: number };

export interface Sources {
  readonly sources: readonly Source[];
  readonly remarks: readonly Remark[];
}

const CLOCK = /(?:^|[^\d:.])(\d{1,2}:\d{2}:\d{2}(?:[.,]\d{1,6})?)(?!\d|:)/;

export function sourcesOfText(text: string): Sources {
  const { pieces, skipped, odd } = parsePaste(text);
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
  if (odd > 0) remarks.push({ kind: 'odd' });
  if (text.length > MAX_PASTE) remarks.push({ kind: 'cutText', n: MAX_PASTE });
  return { sources: [source], remarks };
}

/** @param file no longer than `MAX_FILE` */
export function sourcesOfFile(file: Uint8Array): Sources {
  if (isCapture(file)) return sourcesOfCapture(file);
  if (isText(file)) return sourcesOfText(new TextDecoder().decode(file));
  return { sources: [{ name: '', pieces: [{ bytes: file, direction: undefined, times: [] }] }], remarks: [] };
}

function sourcesOfCapture(file: Uint8Array): Sources {
  const { streams, damage } = extractStreams(file);
  const remarks: Remark[] = [];
  if (damage.length > 0) remarks.push({ kind: 'damaged', n: damage.length });
  const missing = streams.reduce(
    (sum, { pieces }) => sum + pieces.reduce((n, piece) => n + (piece.missing ?? 0), 0),
    0,
  );
  const sources = streams.map(
    (stream): Source => ({
      name: `${stream.kind.toUpperCase()} ${stream.client} – ${stream.server}`,
      pieces: runsOf(stream).map(({ from, octets, times }) => ({
        bytes: octets,
        direction: from === 'client' ? 'out' : from === 'server' ? 'in' : undefined,
        times: times.map(({ at, time }) => ({ at, time: milliseconds(time) })),
      })),
    }),
  );
  if (missing > 0) remarks.push({ kind: 'missing', n: missing });
  if (streams.length === 0) remarks.push({ kind: 'noStreams' });
  return { sources, remarks };
}
