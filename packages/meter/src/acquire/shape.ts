/**
 * The shape of profiles: what stands in their rows, learnt from one meter and used for all of its type and configuration
 * (IEC 62056-6-2 clause 4.3.6).
 *
 * Decides: what is remembered, and that the memory is bounded. Leaves out: how a shape is read and checked (dlms-shape.ts).
 */
import type { ProfileColumn } from '@amiable/cosem';
import type { ObjectListEntry } from '../session/types.ts';

export interface ProfileShape {
  readonly columns: readonly ProfileColumn[];
  /** capture_objects as the meter sent them: compared byte by byte. */
  readonly captureObjects: Uint8Array;
  /** Seconds. */
  readonly capturePeriod: number;
  readonly newestFirst: boolean;
  /** What worked last: rows by time, by number, or all of them. */
  access: 'range' | 'entry' | 'all';
}

/** What is known of a meter type in one configuration. */
export interface TypeShape {
  /** By logical name of the profile. */
  readonly profiles: Map<string, ProfileShape>;
  /** Scaler and unit of registers that are read by themselves; null: it is not a register. By logical name. */
  readonly registers: Map<string, RegisterShape | null>;
  /** With short names: the object list. */
  objects?: readonly ObjectListEntry[];
}

export interface RegisterShape {
  readonly classId: number;
  readonly scaler: number;
  /** Code of the unit; 255: none. */
  readonly unit: number;
}

export interface ShapeMemory {
  of(key: string): TypeShape;
  readonly size: number;
}

/** Types that are remembered at most; the one that was made known first is forgotten first. */
const MOST = 1000;

export function createShapeMemory(): ShapeMemory {
  const types = new Map<string, TypeShape>();
  return {
    of(key) {
      let shape = types.get(key);
      if (!shape) {
        if (types.size >= MOST) types.delete(types.keys().next().value as string);
        shape = { profiles: new Map(), registers: new Map() };
        types.set(key, shape);
      }
      return shape;
    },
    get size() {
      return types.size;
    },
  };
}
