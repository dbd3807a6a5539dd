/**
 * The recorded exchanges of vectors/dlms as APDUs: frames cut by the packages' own scanner and wrapper, segments joined,
 * LLC octets off, general block transfer left as it is.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { fromHex } from '@amiable/bytes';
import { createHdlcScanner, decodeFrame } from '@amiable/hdlc';

export interface Recording {
  readonly name: string;
  readonly what: string;
  readonly server: string;
  readonly client: string;
  readonly referencing: 'ln' | 'sn';
  readonly transport: 'hdlc' | 'wrapper';
  readonly clientAddress: number;
  readonly serverAddress: number;
  readonly authentication: string;
  readonly password?: string;
  readonly security?: {
    readonly suite: 0 | 1 | 2;
    readonly unicastKey: string;
    readonly authenticationKey: string;
    readonly dedicatedKey?: string;
  };
  /** Public keys of the digital signatures, x || y. */
  readonly signatures?: { readonly clientKey: string; readonly serverKey: string };
  readonly frames: readonly string[];
}

export interface RecordedApdu {
  readonly fromClient: boolean;
  readonly bytes: Uint8Array;
  /** Index of its last frame in `frames`. */
  readonly frame: number;
  /** Counts the connections of the recording. */
  readonly connection: number;
}

const folder = new URL('../../../vectors/dlms/', import.meta.url);

export function recordings(): readonly Recording[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .sort()
    .map((file) => {
      const body = JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as Omit<Recording, 'name'>;
      return { ...body, name: file.slice(0, -5) };
    });
}

export function apdusOf(recording: Recording): readonly RecordedApdu[] {
  const apdus: RecordedApdu[] = [];
  let connection = 0;
  const joined: { [direction: string]: number[] } = {};
  recording.frames.forEach((line, frame) => {
    const direction = line.slice(0, 1);
    if (direction === '-') {
      connection += 1;
      return;
    }
    const bytes = fromHex(line.slice(2));
    const fromClient = direction === '>';
    if (recording.transport === 'wrapper') {
      apdus.push({ fromClient, bytes: bytes.subarray(8), frame, connection });
      return;
    }
    const scanner = createHdlcScanner({
      frame(buf, start, _infoStart, infoEnd) {
        const { control, info, segmented } = decodeFrame(buf.subarray(start, infoEnd + 2));
        // Information and unnumbered information carry APDUs; the rest is the link's own.
        if ((control & 1) !== 0 && (control & 0xef) !== 0x03) return;
        const held = joined[direction] ?? [];
        held.push(...info);
        joined[direction] = segmented ? held : [];
        if (!segmented) apdus.push({ fromClient, bytes: Uint8Array.from(held.slice(3)), frame, connection });
      },
      drop() {},
    });
    scanner.push(bytes);
    scanner.end();
  });
  return apdus;
}
