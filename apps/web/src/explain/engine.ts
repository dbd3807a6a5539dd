/**
 * Explains what the page was given, within bounds, and keeps the parts until they are asked for. Runs in a worker, so that
 * typing stays quick and whatever takes too long can be ended.
 *
 * Decides: how much is explained of what is too much, and says so. Left out: talking to the page (worker.ts).
 */
import {
  type CarrierKind,
  type Direction,
  type ExplainedPart,
  type ExplainKeys,
  explainConversation,
  type MessageField,
} from '@amiable/meter';
import { browserCrypto } from './crypto.ts';
import { type Piece, type Remark, type Source, sourcesOfFile, sourcesOfText } from './sources.ts';

export interface ExplainRequest {
  readonly text: string;
  /** Instead of the text. */
  readonly file?: Uint8Array | undefined;
  /** What the bytes are; found out unless said. */
  readonly kind?: CarrierKind | undefined;
  readonly keys?: ExplainKeys | undefined;
}

/** A part as the conversation lists it. */
export interface PartLine {
  readonly direction: Direction | undefined;
  readonly title: string;
  readonly hint: string | undefined;
  readonly length: number;
  /** As a log wrote it, or milliseconds since 1970. */
  readonly time: string | number | undefined;
  /** Index of its conversation. */
  readonly source: number;
}

/** What was left out, and how much was taken. */
export interface Cut {
  readonly by: 'parts' | 'bytes' | 'time';
  readonly n: number;
}

export interface Explanation {
  /** Names of the conversations that have parts. */
  readonly sources: readonly string[];
  readonly parts: readonly PartLine[];
  readonly remarks: readonly Remark[];
  readonly cut: Cut | undefined;
}

export interface PartDetail {
  readonly layers: readonly {
    readonly name: string;
    readonly bytes: Uint8Array;
    readonly fields: readonly MessageField[];
  }[];
  /** The innermost APDU as XML-like text. */
  readonly text: string | undefined;
  /** It is of a protocol without APDUs. */
  readonly textless: boolean;
}

const TEXTLESS: ReadonlySet<CarrierKind> = new Set(['p1', 'iec62056-21', 'mbus', 'wmbus']);

export interface Limits {
  readonly parts: number;
  readonly bytes: number;
  readonly ms: number;
}
export const LIMITS: Limits = { parts: 1000, bytes: 1 << 20, ms: 2000 };

export interface Engine {
  explain(request: ExplainRequest): Explanation;
  /** A part of the last explanation. */
  part(index: number): PartDetail | undefined;
}

/** @param now milliseconds of any clock, for the bound on time */
export function createEngine(now: () => number, limits: Limits = LIMITS): Engine {
  let kept: ExplainedPart[] = [];
  return {
    explain(request) {
      kept = [];
      const { sources, remarks } = request.file ? sourcesOfFile(request.file) : sourcesOfText(request.text);
      const lines: PartLine[] = [];
      const names: string[] = [];
      const end = now() + limits.ms;
      let left = limits.bytes;
      let cut: Cut | undefined;

      const takePiece = (piece: Piece, explain: ReturnType<typeof explainConversation>, source: number): void => {
        const bytes = piece.bytes.subarray(0, left);
        left -= bytes.length;
        let t = 0;
        for (const part of explain.add(bytes, piece.direction)) {
          if (lines.length === limits.parts) {
            cut = { by: 'parts', n: limits.parts };
            return;
          }
          while ((piece.times[t + 1]?.at ?? Number.POSITIVE_INFINITY) <= part.offset) t++;
          const { direction, title, hint, length } = part;
          lines.push({ direction, title, hint, length, time: piece.times[t]?.time, source });
          kept.push(part);
        }
        if (bytes.length < piece.bytes.length) cut = { by: 'bytes', n: limits.bytes };
      };
      const take = (source: Source): void => {
        const explain = explainConversation({
          maxParts: limits.parts + 1,
          ...(request.keys ? { keys: request.keys, crypto: browserCrypto } : {}),
          ...(request.kind ? { kind: request.kind } : {}),
        });
        if (source.pieces.length > 0) names.push(source.name);
        for (const piece of source.pieces) {
          if (cut) return;
          if (now() > end) cut = { by: 'time', n: lines.length };
          else takePiece(piece, explain, names.length - 1);
        }
      };
      for (const source of sources) {
        if (cut) break;
        take(source);
      }
      return { sources: names, parts: lines, remarks, cut };
    },
    part(index) {
      const found = kept[index];
      if (!found) return undefined;
      return {
        // Copies: what is sent to the page would else take the whole input along.
        layers: found.layers.map(({ name, bytes, fields }) => ({ name, bytes: bytes.slice(), fields })),
        text: found.text,
        textless: found.text === undefined && TEXTLESS.has(found.kind),
      };
    },
  };
}
