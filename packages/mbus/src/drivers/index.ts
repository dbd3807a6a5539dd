/** The drivers, and how one is found. */
import { APATOR } from './apator.ts';
import { BMETERS } from './bmeters.ts';
import { IZAR } from './izar.ts';
import { OTHERS } from './others.ts';
import { TECHEM } from './techem.ts';
import type { Driver } from './types.ts';

export type { Driver, DriverInput, DriverReading, DriverResult } from './types.ts';

const DRIVERS: readonly Driver[] = [...APATOR, ...BMETERS, ...IZAR, ...OTHERS, ...TECHEM];

const found = new Map<string, readonly Driver[]>();
const MAX_FOUND = 4096;

/** Drivers that may know octets of this maker, in the order to be tried. */
export function driversFor(maker: string, version: number, medium: number): readonly Driver[] {
  const key = `${maker}${version}/${medium}`;
  let list = found.get(key);
  if (!list) {
    list = DRIVERS.filter(
      (d) => d.makers.includes(maker) && (d.versions?.includes(version) ?? true) && (d.media?.includes(medium) ?? true),
    );
    if (found.size >= MAX_FOUND) found.clear();
    found.set(key, list);
  }
  return list;
}
