/**
 * A bad line on purpose: pieces are dropped, bits flipped, pieces doubled, cut short, or held back and joined with the
 * next. Repeatable by seed. What is a piece is the caller's choice: a frame or whatever a link hands over.
 */
import type { Link } from './link.ts';

/** Probabilities per piece, 0 to 1. */
export interface DamageRates {
  readonly drop?: number;
  readonly flip?: number;
  readonly duplicate?: number;
  readonly cut?: number;
  readonly join?: number;
}

export interface Damage {
  /** The pieces that arrive in place of this one; the given bytes stay as they are. */
  apply(piece: Uint8Array): Uint8Array[];
  /** What was held back for joining. */
  end(): Uint8Array[];
  readonly counts: Readonly<Record<keyof DamageRates, number>>;
}

/** mulberry32: small, fast, good enough to choose faults. */
export function seededRandom(seed: number): () => number {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), a | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

export function createDamage(seed: number, rates: DamageRates): Damage {
  const random = seededRandom(seed);
  const counts = { drop: 0, flip: 0, duplicate: 0, cut: 0, join: 0 };
  const hit = (kind: keyof DamageRates) => {
    // One number is drawn per kind and piece even where the rate is 0, so that changing one rate moves no other fault.
    const strikes = random() < (rates[kind] ?? 0);
    if (strikes) counts[kind]++;
    return strikes;
  };
  let held: Uint8Array | undefined;
  const release = (piece: Uint8Array): Uint8Array => {
    if (!held) return piece;
    const joined = new Uint8Array(held.length + piece.length);
    joined.set(held);
    joined.set(piece, held.length);
    held = undefined;
    return joined;
  };
  return {
    counts,
    apply(given) {
      const [drop, flip, duplicate, cut, join] = [hit('drop'), hit('flip'), hit('duplicate'), hit('cut'), hit('join')];
      const [where, which] = [random(), random()];
      if (drop || given.length === 0) return [];
      let piece = given;
      if (flip) {
        piece = piece.slice();
        const at = Math.floor(where * piece.length);
        piece[at] = (piece[at] as number) ^ (1 << Math.floor(which * 8));
      }
      if (cut) piece = piece.subarray(0, Math.floor(which * piece.length));
      if (join) {
        held = release(piece).slice();
        return [];
      }
      const out = release(piece);
      return duplicate ? [out, out.slice()] : out.length > 0 ? [out] : [];
    },
    end() {
      const rest = held;
      held = undefined;
      return rest ? [rest] : [];
    },
  };
}

/** A link whose incoming bytes suffer. */
export function damaged(link: Link, damage: Damage): Link {
  return {
    get describe() {
      return `${link.describe} (damaged on purpose)`;
    },
    open: (events) =>
      link.open({
        data(bytes) {
          for (const piece of damage.apply(bytes)) events.data(piece);
        },
        closed(error) {
          for (const piece of damage.end()) events.data(piece);
          events.closed(error);
        },
      }),
    write: (bytes) => link.write(bytes),
    pause: () => link.pause(),
    resume: () => link.resume(),
    close: () => link.close(),
  };
}
