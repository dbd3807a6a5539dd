/**
 * The shape of profiles: what stands in their rows, learnt from one meter and used for all of its type and configuration
 * (IEC 62056-6-2 clause 4.3.6).
 *
 * Decides: what is remembered, and that the memory is bounded. Leaves out: how a shape is read and checked (dlms-shape.ts).
 */
import type { ProfileColumn } from '@amiable/cosem';
import type { Unit } from '@amiable/model';

export interface ShapeColumn extends ProfileColumn {
  readonly name: string;
  readonly unit?: Unit;
  /** Power of ten, in `unit`. */
  readonly scaler: number;
  /** A value of a register; false for clock, status, capture times. */
  readonly value: boolean;
}

export interface ProfileShape {
  /** Of its capture objects, as the meter sent them. */
  readonly hash: string;
  readonly columns: readonly ShapeColumn[];
  /** Index of the clock's and the status' column; -1: none. */
  readonly clock: number;
  readonly status: number;
  /** Seconds. */
  readonly capturePeriod: number;
  readonly newestFirst: boolean;
  /** What worked last: rows by time, by number, or all of them. */
  access: 'range' | 'entry' | 'all';
}

/** What is known of a meter type in one configuration. */
export interface TypeShape {
  /** By logical name of the profile and hash of its capture objects. */
  readonly profiles: Map<string, ProfileShape>;
  /** Class, scaler and unit of objects that are read by themselves; null: none of the classes that have a value. By logical name. */
  readonly objects: Map<string, ObjectShape | null>;
  /** False: meters of this type do not take identity and rows in one request. */
  bundles?: boolean;
}

export interface ObjectShape {
  readonly classId: number;
  readonly scaler: number;
  readonly unit?: Unit;
}

export interface ShapeMemory {
  of(key: string): TypeShape;
  readonly size: number;
}

/** Types that are remembered at most, and profiles of one; what was made known first is forgotten first. */
const MOST = 1000;

export function createShapeMemory(): ShapeMemory {
  const types = new Map<string, TypeShape>();
  return {
    of(key) {
      let shape = types.get(key);
      if (!shape) {
        if (types.size >= MOST) types.delete(types.keys().next().value as string);
        shape = { profiles: new Map(), objects: new Map() };
        types.set(key, shape);
      }
      return shape;
    },
    get size() {
      return types.size;
    },
  };
}

export const profileKey = (obis: string, hash: string): string => `${obis}#${hash}`;

export function rememberProfile(type: TypeShape, obis: string, shape: ProfileShape): void {
  if (type.profiles.size >= MOST) type.profiles.delete(type.profiles.keys().next().value as string);
  type.profiles.set(profileKey(obis, shape.hash), shape);
}

/** 53 bits of bytes, as hex: enough to tell lists of capture objects apart. No protection against anybody. */
export function hashOf(bytes: Uint8Array): string {
  let a = 0x811c9dc5;
  let b = 0x2f0b4a27;
  for (const byte of bytes) {
    a = Math.imul(a ^ byte, 0x01000193);
    b = Math.imul(b ^ (byte + 0x9e), 0x85ebca6b);
    b ^= b >>> 13;
  }
  return (a >>> 0).toString(16).padStart(8, '0') + (b >>> 0).toString(16).padStart(8, '0');
}
