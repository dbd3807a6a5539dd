/**
 * Which meters somebody sees, for what is sent from memory (live values, sums) rather than asked of the database: for each set of
 * segments in use the ids that the database gives for it, taken anew after a while. Whoever sees all needs none of it.
 */
import type { Scope } from '@amiable/model';
import type { AccessStore } from '@amiable/store';

/** A meter that changes its segment is seen, or no longer seen, after so long at the latest. */
const ANEW = 10_000;
/** A set that nobody asked for is let go. */
const IDLE = 60_000;
const MOST = 64;

export interface Seen {
  has(meter: string): boolean;
}

export interface ScopeSets {
  /** Undefined: sees all. Awaits the database where the set is not there or too old. */
  of(scope: Scope): Promise<Seen | undefined>;
  /** What is known now, for what cannot wait; asks for a newer one in passing. Nobody is seen in what was never asked for. */
  now(scope: Scope): Seen | undefined;
}

const NONE: Seen = { has: () => false };

interface Kept {
  readonly segments: readonly number[];
  ids: ReadonlySet<string> | undefined;
  at: number;
  asked: number;
  loading: Promise<void> | undefined;
}

export function createScopeSets(store: Pick<AccessStore, 'metersIn'>, clock: () => number): ScopeSets {
  const sets = new Map<string, Kept>();
  const load = (kept: Kept): Promise<void> => {
    kept.loading ??= store
      .metersIn(kept.segments)
      .then((ids) => {
        kept.ids = new Set(ids);
        kept.at = clock();
      })
      .finally(() => {
        kept.loading = undefined;
      });
    return kept.loading;
  };
  function keptOf(scope: readonly number[]): Kept {
    const segments = [...new Set(scope)].sort((a, b) => a - b);
    const key = segments.join();
    const now = clock();
    for (const [other, { asked }] of sets) if (now - asked > IDLE) sets.delete(other);
    let kept = sets.get(key);
    if (!kept) {
      if (sets.size >= MOST) sets.delete(sets.keys().next().value as string);
      kept = { segments, ids: undefined, at: 0, asked: now, loading: undefined };
      sets.set(key, kept);
    }
    kept.asked = now;
    return kept;
  }
  return {
    async of(scope) {
      if (scope === 'all') return undefined;
      const kept = keptOf(scope);
      if (kept.ids === undefined || clock() - kept.at >= ANEW) await load(kept);
      return kept.ids;
    },
    now(scope) {
      if (scope === 'all') return undefined;
      const kept = keptOf(scope);
      if (kept.ids === undefined || clock() - kept.at >= ANEW) load(kept).catch(() => {});
      return kept.ids ?? NONE;
    },
  };
}
