/**
 * The keys of one program run: each for one meter (by system title or meter id) or for any. A key made for the very meter is
 * tried before those for any, and those for others last. Also the mark by which a log file tells its key without giving it away.
 */
import { createHash } from 'node:crypto';
import { toHex } from '@amiable/bytes';
import type { KeyRing } from '@amiable/dlms';

export interface KeyEntry {
  /** System title in hex, or meter id; absent: for any meter. */
  readonly id?: string;
  readonly key: Uint8Array;
  readonly authKey?: Uint8Array;
}

export function keyRing(entries: readonly KeyEntry[]): KeyRing {
  const same = (a: string, b: string) => a.toLowerCase() === b.toLowerCase();
  const open = entries.filter((entry) => entry.id === undefined);
  return {
    candidates(systemTitle, meterId) {
      if (open.length === entries.length) return open;
      const title = systemTitle && toHex(systemTitle);
      const own = entries.filter(
        ({ id }) =>
          id !== undefined &&
          ((title !== undefined && same(id, title)) || (meterId !== undefined && same(id, meterId))),
      );
      // A ciphered frame shows its system title only, and the meter before need not be its meter (two meters on one line,
      // captures joined): a key that is named by meter id has to be tried.
      const named = entries.filter((entry) => entry.id !== undefined && !own.includes(entry));
      return [...own, ...open, ...named];
    },
  };
}

/** 8 hex digits that are the same for the same keys and lead nowhere back. */
export function keyMark(entries: readonly KeyEntry[]): string | undefined {
  if (entries.length === 0) return undefined;
  const hash = createHash('sha256').update('amiable key mark 1');
  for (const hex of entries.map(({ key }) => toHex(key)).sort()) hash.update(hex);
  return hash.digest('hex').slice(0, 8).toUpperCase();
}
