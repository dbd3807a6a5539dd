/**
 * What a spool holds at one moment, for the parts that work on it: attach.ts (what an earlier run left), write.ts (to the disk), room.ts
 * (what goes), delivered.ts (what the uplinks are done with); spool.ts says when.
 */
import type { Clock } from '@amiable/io';
import type { SpoolStatus } from '../service/types.ts';
import type { Held, InnerCursor } from './cursor.ts';
import type { Disk } from './disk.ts';
import type { Lock } from './lock.ts';
import type { Segment } from './segments.ts';

export interface SpoolState {
  readonly disk: Disk;
  readonly folder: string;
  readonly clock: Clock;
  readonly tell: (line: string) => void;
  /** Octets of a segment. */
  readonly most: number;
  /** Octets in memory while the disk cannot be written. */
  readonly memoryBytes: number;
  readonly cursors: Set<InnerCursor>;
  /** By stream. */
  readonly newest: Map<number, Held>;

  state: SpoolStatus['state'];
  lock: Lock | undefined;
  segments: Segment[];
  /** Not written yet, in order. */
  pending: Held[];
  pendingBytes: number;
  /** Written since the last sync. */
  unsynced: Held[];
  unsyncedBytes: number;
  /** Number that the next record will get. */
  next: number;
  active: { readonly segment: Segment; readonly fd: number } | undefined;
  /** Files of earlier segments that are not synced yet. */
  toSync: number[];
  newNames: boolean;
  reserve: boolean;
  /** The newest segment is one of an earlier run with room in it. */
  mayGoOn: boolean;

  thinned: number;
  dropped: number;
  damaged: number;
  damageTold: boolean;
  /** When it was last told that messages were given up. */
  roomTold: number;
}

export function createState(
  given: Pick<SpoolState, 'disk' | 'folder' | 'clock' | 'tell' | 'most' | 'memoryBytes'>,
): SpoolState {
  const { disk, folder, clock, tell, most, memoryBytes } = given;
  return {
    disk,
    folder,
    clock,
    tell,
    most,
    memoryBytes,
    cursors: new Set(),
    newest: new Map(),
    state: 'memory',
    lock: undefined,
    segments: [],
    pending: [],
    pendingBytes: 0,
    unsynced: [],
    unsyncedBytes: 0,
    next: 0,
    active: undefined,
    toSync: [],
    newNames: false,
    reserve: false,
    mayGoOn: false,
    thinned: 0,
    dropped: 0,
    damaged: 0,
    damageTold: false,
    roomTold: 0,
  };
}

/** Octets on disk. */
export function total({ segments }: SpoolState): number {
  let sum = 0;
  for (const one of segments) sum += one.bytes;
  return sum;
}

export const isFull = (error: unknown) => ['ENOSPC', 'EDQUOT'].includes((error as NodeJS.ErrnoException)?.code ?? '');
