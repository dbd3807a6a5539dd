/**
 * Reads the kept frames anew: with the keys that are known now, and with the meter that a port has shown since. Frames
 * that still cannot be placed stay where they are.
 */
import type { KeyRing } from '@amiable/dlms';
import { nodeCrypto } from '@amiable/io';
import { createAnyReader } from '@amiable/meter';
import type { Message } from '@amiable/model';
import type { Decode, Store, Unplaced } from '@amiable/store';
import { plain } from '../ingest/plain.ts';

/**
 * @param meterOf the meter that is known to hang on a reader's port
 * @param read told of each frame that was read, and its meter
 */
export function redecoder(
  keys: KeyRing,
  meterOf: (reader: string, port: string) => string | undefined,
  read: (raw: Uint8Array, meterId: string) => void = () => {},
): Decode {
  return (kept: Unplaced) => {
    const messages: Message[] = [];
    const reader = createAnyReader(
      { reader: kept.reader, port: kept.port, keys, crypto: nodeCrypto, now: () => kept.receivedAt },
      { message: (m) => messages.push(m), drop: () => {} },
    );
    reader.push(kept.raw);
    reader.end();
    if (messages.length === 0) return undefined;
    const placed: Message[] = [];
    for (const message of messages) {
      if (message.error) return undefined;
      if (message.meterId !== undefined) {
        placed.push(message);
        read(kept.raw, message.meterId);
      } else {
        const meterId = meterOf(kept.reader, kept.port);
        if (meterId === undefined) return undefined;
        read(kept.raw, meterId);
        placed.push({ ...plain(message), meterId, flags: [...message.flags, 'meterIdInherited'] });
      }
    }
    return placed;
  };
}

/** The meters that hang on ports, by what the store knows of each. */
export async function portMeters(
  store: Pick<Store, 'meters'>,
): Promise<(reader: string, port: string) => string | undefined> {
  const byPort = new Map<string, string | undefined>();
  for (let after: string | undefined; ; ) {
    const page = await store.meters({ limit: 1000, ...(after === undefined ? {} : { after }) });
    for (const meter of page.meters) {
      if (meter.reader === null || meter.port === null || meter.serial.startsWith('st:')) continue;
      const place = `${meter.reader}\u0000${meter.port}`;
      // A port that several meters were seen on tells nothing about a frame without a number.
      byPort.set(place, byPort.has(place) ? undefined : meter.serial);
    }
    if (page.next === null) break;
    after = page.next;
  }
  return (reader, port) => byPort.get(`${reader}\u0000${port}`);
}
