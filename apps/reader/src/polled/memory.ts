/**
 * The meters that searches found on each M-Bus, in `mbus-meters.json` beside the spool: a search takes minutes. It counts for the same port on
 * the same device with the same settings; without the file the bus is searched again.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BusMemory } from './types.ts';

interface Entry {
  readonly found: readonly string[];
}

export interface BusMemories {
  of(port: string, device: string, meters: readonly string[]): BusMemory;
}

export function openBusMemory(folder: string): BusMemories {
  const file = join(folder, 'mbus-meters.json');
  const read = (): Record<string, Entry> => {
    try {
      const all: unknown = JSON.parse(readFileSync(file, 'utf8'));
      return typeof all === 'object' && all !== null && !Array.isArray(all) ? (all as Record<string, Entry>) : {};
    } catch {
      return {};
    }
  };
  return {
    of(port, device, meters) {
      const key = [port, device, ...meters].join(' ');
      return {
        load() {
          const found: unknown = read()[key]?.found;
          return Array.isArray(found) ? found.filter((one) => typeof one === 'string') : undefined;
        },
        save(found) {
          try {
            writeFileSync(`${file}.new`, JSON.stringify({ ...read(), [key]: { found } }, undefined, 1), {
              mode: 0o600,
            });
            renameSync(`${file}.new`, file);
          } catch {
            // Of use only, not of need: the next start searches again.
          }
        },
      };
    },
  };
}
