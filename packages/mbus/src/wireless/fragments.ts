/**
 * Messages in several frames (EN 13757-7 clause 6.5): fragments of one meter joined in order.
 *
 * Decides: a first fragment has number 1, later ones count on; a gap gives up what was there. The joined message is the first
 * fragment's frame with the octets of the others behind it, its AFL that of the first fragment. Leaves out: retransmission,
 * which is the business of who can ask.
 */
import type { Envelope } from './open.ts';

const MAX_METERS = 64;
const MAX_OCTETS = 16_384;

interface Open {
  readonly first: Envelope;
  readonly parts: Uint8Array[];
  next: number;
  octets: number;
}

export interface Joined {
  readonly envelope: Envelope;
  /** Frames that it took. */
  readonly frames: number;
}

export interface FragmentJoiner {
  /** Undefined while fragments are missing. @returns the envelope as it is when it is no fragment */
  push(envelope: Envelope): Joined | undefined;
  /** Messages given up since asked last. */
  lost(): number;
}

export function createFragmentJoiner(): FragmentJoiner {
  const open = new Map<string, Open>();
  let lost = 0;
  return {
    push(envelope) {
      const afl = envelope.authentication;
      const number = afl?.fragment ?? 0;
      if (!afl || (number <= 1 && !afl.moreFragments)) return { envelope, frames: 1 };
      const key = envelope.address.join();
      const before = open.get(key);
      const octets = envelope.bytes.slice(envelope.at);
      if (number <= 1) {
        if (before) lost++;
        open.delete(key);
        if (open.size >= MAX_METERS) {
          open.delete(open.keys().next().value as string);
          lost++;
        }
        open.set(key, {
          first: { ...envelope, bytes: envelope.bytes.slice() },
          parts: [octets],
          next: 2,
          octets: octets.length,
        });
        return undefined;
      }
      if (!before || before.next !== number || before.octets + octets.length > MAX_OCTETS) {
        // A fragment that came twice changes nothing.
        if (before && number === before.next - 1) return undefined;
        open.delete(key);
        lost++;
        return undefined;
      }
      before.parts.push(octets);
      before.next++;
      before.octets += octets.length;
      if (afl.moreFragments) return undefined;
      open.delete(key);
      const { first } = before;
      const bytes = new Uint8Array(first.at + before.octets);
      bytes.set(first.bytes.subarray(0, first.at));
      let at = first.at;
      for (const part of before.parts) {
        bytes.set(part, at);
        at += part.length;
      }
      const authentication =
        first.authentication && afl.mac && !first.authentication.mac
          ? { ...first.authentication, mac: afl.mac }
          : first.authentication;
      return { envelope: { ...first, bytes, authentication }, frames: before.parts.length };
    },
    lost() {
      const n = lost;
      lost = 0;
      return n;
    },
  };
}
