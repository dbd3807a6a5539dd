/** Telegrams of a slave: a CI, a header and as many records as fit, over several frames where one is too short. */
import { MisuseError } from '@amiable/bytes';
import { encodeRecords } from '../application/encode.ts';
import { encodeLongHeader, LONG_HEADER } from '../application/header.ts';
import type { MbusHeader, RecordToSend } from '../application/types.ts';
import { CI } from '../link.ts';

/** Octets of user data in one long frame, CI included. */
const MOST = 253;

/**
 * Splits records into telegrams (CI 72, long header), each but the last ended by DIF 1F: more follows.
 * The access number counts on from the header's. @throws MisuseError when one record fits no frame
 */
export function telegramsOf(
  header: MbusHeader,
  records: readonly RecordToSend[],
  { maxOctets = MOST, manufacturerData }: { maxOctets?: number; manufacturerData?: Uint8Array } = {},
): Uint8Array[] {
  const room = maxOctets - 1 - LONG_HEADER - 1;
  const bodies: Uint8Array[][] = [[]];
  let used = 0;
  const pieces = records.map((record) => encodeRecords([record]));
  const makers = manufacturerData && Uint8Array.of(0x0f, ...manufacturerData);
  for (const piece of makers ? [...pieces, makers] : pieces) {
    if (piece.length > room)
      throw new MisuseError(`a record of ${piece.length} octets fits no telegram of ${maxOctets}`);
    if (used + piece.length > room) {
      bodies.push([]);
      used = 0;
    }
    (bodies.at(-1) as Uint8Array[]).push(piece);
    used += piece.length;
  }
  return bodies.map((body, i) => {
    const head = encodeLongHeader({ ...header, accessNumber: (header.accessNumber + i) & 0xff });
    const more = i < bodies.length - 1 ? [0x1f] : [];
    return Uint8Array.of(CI.variable, ...head, ...body.flatMap((piece) => [...piece]), ...more);
  });
}

/** A telegram that reports an application error (CI 70). */
export const errorTelegram = (code: number): Uint8Array => Uint8Array.of(CI.applicationError, code);
