/**
 * A USB adapter that is pulled out and put in again often gets another name (/dev/ttyUSB1 in place of 0). Linux keeps a link
 * in /dev/serial/by-id that bears maker, type and serial number of the adapter. Once a port was open its link is remembered,
 * and the next opening goes there. Adapters without a serial number share a link; then the name as given is all there is.
 */
import { readdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';

const BY_ID = '/dev/serial/by-id';

export interface DeviceName {
  /** What to open now. */
  path(): string;
  /** It was opened; by what else can it be found? */
  opened(): void;
}

const real = (path: string): string | undefined => {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
};

export function deviceName(given: string, folder = BY_ID): DeviceName {
  let link: string | undefined;
  return {
    path() {
      if (link === undefined) return given;
      const now = real(link);
      // Gone altogether: the given name says what is missing.
      return now === undefined || now === real(given) ? given : now;
    },
    opened() {
      if (link !== undefined) return;
      const own = real(given);
      if (own === undefined) return;
      try {
        link = readdirSync(folder)
          .map((name) => join(folder, name))
          .find((path) => path !== given && real(path) === own);
      } catch {
        // A system without such links.
      }
    },
  };
}
