/**
 * Which messages are of a kind, and which of them may be thinned. A stream is what one port says of one meter in one layout:
 * Kaifa's list 1 is one, its list 3 with the registers another, a P1 telegram a third. A message is fast when nothing in it
 * counts (no energy, no volume), or when the one before of its stream is less than a minute older: P1 telegrams and wireless
 * meters repeat their registers. What is not fast is never thinned. Frames that no key opens show nothing but their
 * length, which tells a long list from a short one.
 */
import type { Item, Message } from '@amiable/model';

/** ms */
const FAST = 60_000;
/** So many streams are remembered; a port that shows a new layout each time must not fill the memory. */
const MOST = 4096;
const COUNTS: ReadonlySet<string> = new Set(['Wh', 'varh', 'VAh', 'm3', 'J', 'kg', 'Ah', 'V2h', 'A2h']);

interface Layout {
  readonly hash: number;
  readonly counts: boolean;
}
const layouts = new WeakMap<readonly Item[], Layout>();

/** FNV-1a over UTF-16 code units. */
function hashOf(text: string, from = 0x811c9dc5): number {
  let h = from;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return h >>> 0;
}

function layoutOf(items: readonly Item[]): Layout {
  let layout = layouts.get(items);
  if (!layout) {
    let hash = 0x811c9dc5;
    let counts = false;
    for (const item of items) {
      hash = hashOf(
        `${item.obis ?? item.address ?? ''} ${item.name} ${item.storage ?? ''} ${item.tariff ?? ''},`,
        hash,
      );
      if (item.clock === 'list' || (item.unit !== undefined && COUNTS.has(item.unit))) counts = true;
    }
    layout = { hash, counts };
    layouts.set(items, layout);
  }
  return layout;
}

export interface Kind {
  readonly stream: number;
  readonly fast: boolean;
  readonly stamp: number;
}

export interface Streams {
  of(m: Message): Kind;
}

export function createStreams(): Streams {
  const before = new Map<number, number>();
  return {
    of(m) {
      const layout = layoutOf(m.items);
      const sealed = m.error && m.items.length === 0 ? `${m.error.reason} ${m.raw?.length ?? 0}` : '';
      const stream = hashOf(`${m.port}\0${m.meterId ?? ''}\0${sealed}`, layout.hash);
      const stamp = m.time ?? m.receivedAt;
      const last = before.get(stream);
      if (last === undefined && before.size >= MOST) before.clear();
      before.set(stream, stamp);
      const gap = last === undefined ? Number.POSITIVE_INFINITY : stamp - last;
      return { stream, stamp, fast: (gap >= 0 && gap < FAST) || (sealed === '' && !layout.counts) };
    },
  };
}

/** Lets one record of each stream pass in every `spacing` ms, the first; a tenth less counts as the whole, for clocks wander. */
export function createThinner(spacing: number): (stream: number, stamp: number) => boolean {
  const passed = new Map<number, number>();
  const least = spacing * 0.9;
  return (stream, stamp) => {
    const last = passed.get(stream);
    if (last !== undefined && stamp >= last && stamp - last < least) return false;
    if (last === undefined && passed.size >= MOST) passed.clear();
    passed.set(stream, stamp);
    return true;
  };
}
