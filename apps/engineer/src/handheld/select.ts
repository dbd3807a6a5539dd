/**
 * Which group of values an object of a meter belongs to, for selective reading.
 *
 * Decides: IS 15959's word where that standard has one; else the value groups of the code (IEC 62056-6-1), so that meters of
 * other countries are read by the same seven words. For IEC 62056-21 the same over codes as they stand in a read-out.
 */
import { obisGroups, obisToBytes } from '@amiable/cosem';
import { GROUPS, type Group, isObject } from './is15959.ts';

const PROFILE = 7;
/** Data, the registers, Clock. */
const SCALAR = new Set([1, 3, 4, 5, 8]);

export interface Listed {
  readonly classId: number;
  readonly version: number;
  readonly obis: string;
  readonly instanceId: Uint8Array;
}

/** Undefined for objects that are none of the seven groups' (settings, associations, …). */
export function groupOf(obis: string, classId: number): Group | undefined {
  const named = isObject(obis);
  if (classId === PROFILE) return profileGroup(obis, named?.classId === PROFILE ? named.group : undefined);
  if (!SCALAR.has(classId)) return undefined;
  if (named) return named.group;
  const groups = obisGroups(obis);
  if (!groups) return undefined;
  const { a, c, d, f } = groups;
  if (classId === 8) return 'instantaneous';
  // A value of a billing period.
  if (f !== 255) return 'billing';
  if (a === 0) {
    if (c === 96 && d === 1) return 'identity';
    if (c === 0 && d === 2) return 'identity';
    if (c === 96 && (d === 7 || d === 8 || d === 6 || d === 5)) return 'instantaneous';
    if (c === 97 && (d === 97 || d === 98)) return 'events';
    return c === 24 && d === 2 ? 'energy' : undefined;
  }
  if (c === 0) return d === 0 || d === 2 ? 'identity' : d === 1 ? 'billing' : undefined;
  if (c === 96 && d === 1) return 'identity';
  if (c > 95) return undefined;
  if (d === 8 || d === 9) return 'energy';
  if (d === 7) return 'instantaneous';
  if (d === 2 || d === 4 || d === 5 || d === 6) return 'demand';
  return a >= 4 && (c === 1 || c === 2 || c === 3) ? 'energy' : undefined;
}

function profileGroup(obis: string, named: Group | undefined): Group | undefined {
  if (named) return named;
  const groups = obisGroups(obis);
  if (!groups) return undefined;
  const { c, d } = groups;
  if (c === 98) return 'billing';
  if (c === 99) return d === 97 || d === 98 ? 'events' : 'load';
  return c === 24 && d === 3 ? 'load' : undefined;
}

/** What to ask for where a meter does not tell its objects: IS 15959's list. */
export const knownObjects = (
  group: Group,
  all: readonly { obis: string; classId: number; group?: Group }[],
): Listed[] =>
  all
    .filter((object) => object.group === group)
    .map(({ obis, classId }) => ({ classId, version: 0, obis, instanceId: obisToBytes(obis) }));

/** Of a code in a read-out: `1.8.0`, `1-1:1.6.1*01`, `C.1.0`, `0.9.1`. */
export function groupOfCode(address: string): Group {
  const bare = address.replace(/^\d+-\d+:/, '');
  if (/^P\.0?[12]/i.test(bare)) return 'load';
  if (/^P\.9[89]/i.test(bare)) return 'events';
  if (/[*&]\d+$/.test(bare) && !/\*255$/.test(bare)) return 'billing';
  const found = /^([0-9]{1,3}|[CFLP])\.(\d{1,3}|[CFLP])/i.exec(bare);
  const c = found?.[1] ?? '';
  const d = Number(found?.[2] ?? Number.NaN);
  if (c === '' || /^[CFL]$/i.test(c)) return 'identity';
  if (c === '0') return d === 1 ? 'billing' : 'identity';
  if (d === 8 || d === 9) return 'energy';
  if (d === 7) return 'instantaneous';
  return d === 2 || d === 4 || d === 5 || d === 6 ? 'demand' : 'identity';
}

/** Date and time stand with every reading. */
export const isClockCode = (address: string): boolean =>
  /^(?:\d+-\d+:)?(?:0\.9\.[124]|1\.0\.0)(?:\*255)?$/.test(address);

export const isGroup = (word: string): word is Group => (GROUPS as readonly string[]).includes(word);
