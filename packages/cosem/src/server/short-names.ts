/**
 * Short names (IEC 62056-6-2 clause 4.1.3): base_name of an object plus the offset of an attribute or method.
 *
 * Decides: names that are not given are given out in the order of the objects, each object with room for all that its
 * class has, below the names that the standard reserves (FA00 Association SN, FB00 script tables, FC00 SAP assignment,
 * FD00 logical device name).
 */
import { MisuseError } from '@amiable/bytes';
import type { Entry } from './entry.ts';

const FIRST = 0x0100;
const RESERVED = 0xfa00;
const STEP = 8;

/** Bytes of name space that an object takes: up to behind its last attribute or method. */
function extent<M>(entry: Entry<M>): number {
  let end = STEP;
  for (const attribute of entry.table?.attributes ?? []) end = Math.max(end, attribute.shortNameOffset + STEP);
  for (const method of entry.table?.methods ?? []) end = Math.max(end, method.shortNameOffset + STEP);
  for (const index of entry.slots.keys()) end = Math.max(end, index * STEP);
  if (!entry.table) end += entry.methods.size * STEP;
  return end;
}

/** Gives a base_name to all that have none. @throws MisuseError when a given one is impossible, or no room is left */
export function giveBaseNames<M>(entries: readonly Entry<M>[]): void {
  const taken: { from: number; to: number; name: string }[] = [];
  for (const entry of entries) {
    if (entry.baseName < 0) continue;
    const { logicalName } = entry.object;
    if (entry.baseName % STEP !== 0 || entry.baseName > 0xffff)
      throw new MisuseError(`${logicalName}: base_name ${entry.baseName} is not a multiple of 8 below 65536`);
    const to = entry.baseName + extent(entry);
    const other = taken.find((range) => entry.baseName < range.to && range.from < to);
    if (other) throw new MisuseError(`${logicalName}: its short names run into those of ${other.name}`);
    taken.push({ from: entry.baseName, to, name: logicalName });
  }
  taken.sort((a, b) => a.from - b.from);
  let at = FIRST;
  let range = 0;
  for (const entry of entries) {
    if (entry.baseName >= 0) continue;
    const size = extent(entry);
    for (let next = taken[range]; next && next.from < at + size; next = taken[++range]) at = Math.max(at, next.to);
    if (at + size > RESERVED) throw new MisuseError(`${entry.object.logicalName}: no short names are left`);
    entry.baseName = at;
    at += size;
  }
}

export type ShortName<M> = { readonly entry: Entry<M>; readonly attribute?: number; readonly method?: number };

/** All short names of the objects. */
export function shortNames<M>(entries: readonly Entry<M>[]): Map<number, ShortName<M>> {
  const names = new Map<number, ShortName<M>>();
  for (const entry of entries) {
    if (entry.baseName < 0) continue;
    for (const index of entry.slots.keys())
      if (index > 0) names.set(entry.baseName + (index - 1) * STEP, { entry, attribute: index });
    let behind = entry.baseName + extent(entry) - (entry.table ? 0 : entry.methods.size * STEP);
    for (const index of [...entry.methods.keys()].sort((a, b) => a - b)) {
      const offset = entry.table?.methods.find((method) => method.index === index)?.shortNameOffset;
      if (offset !== undefined) names.set(entry.baseName + offset, { entry, method: index });
      else if (!entry.table) {
        names.set(behind, { entry, method: index });
        behind += STEP;
      }
    }
  }
  return names;
}
