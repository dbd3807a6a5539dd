/**
 * The clock of the program: the machine's own, or a simulated one that runs faster. A simulated clock never goes back over
 * a restart (what was already measured would be measured again), so its position is kept in the data folder.
 * Nor does it run away from the street: when the street cannot follow, time waits for it, and a restart goes on where the
 * street was.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface StreetClock {
  /** Epoch ms of the simulated world. */
  now(): number;
  readonly speed: number;
  /** The street has come so far; the clock shows at most `ahead` ms more. */
  reached(at: number, ahead: number): void;
  /** Keeps the position; called now and then, and at the end. */
  save(): void;
}

const FILE = 'simulated-clock';

export function openClock(dataDir: string, speed: number, real: () => number = Date.now): StreetClock {
  const file = join(dataDir, FILE);
  let kept = 0;
  try {
    kept = Number(readFileSync(file, 'utf8').trim()) || 0;
  } catch {
    // The first start has none.
  }
  const begun = real();
  const from = Math.max(begun, kept);
  let latest = Number.POSITIVE_INFINITY;
  let street: number | undefined;
  const now = (): number => Math.min(latest, from + Math.round((real() - begun) * speed));
  return {
    now,
    speed,
    reached(at, ahead) {
      street = at;
      latest = at + ahead;
    },
    save() {
      const temporary = `${file}.new`;
      writeFileSync(temporary, `${street ?? now()}\n`);
      renameSync(temporary, file);
    },
  };
}
