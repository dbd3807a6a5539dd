/** The simulated clock beside a street that cannot always follow it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { openClock } from '../src/start/clock.ts';

const folder = mkdtempSync(join(tmpdir(), 'amiable-clock-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('waits for the street, never goes back, and goes on where the street was', () => {
  let real = 1_000_000;
  const clock = openClock(folder, 1000, () => real);
  clock.reached(1_000_000, 600_000);
  real += 100;
  expect(clock.now()).toBe(1_100_000);
  // The street is far behind: time stands ten minutes ahead of it.
  real += 100_000;
  expect(clock.now()).toBe(1_600_000);
  clock.reached(1_200_000, 600_000);
  expect(clock.now()).toBe(1_800_000);
  clock.save();
  // Nothing between what was measured and what will be.
  expect(openClock(folder, 1000, () => real).now()).toBe(1_200_000);
});
