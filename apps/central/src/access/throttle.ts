/**
 * Guesses slowed, by name and by address. A name that does not exist is slowed as one that does, so nothing is learnt from it. A wrong
 * guess counts before it is checked: guesses sent at once are as many as guesses sent in turn.
 */

interface Limit {
  /** Wrong guesses that cost nothing. */
  readonly free: number;
  /** Longest wait, ms. */
  readonly longest: number;
}
/** Short, for a stranger must not lock somebody out by guessing. */
const NAME: Limit = { free: 5, longest: 30_000 };
const ADDRESS: Limit = { free: 20, longest: 300_000 };
const FORGET = 3_600_000;
const MOST = 10_000;

export interface Throttle {
  /** ms until this name may be tried from this address again; 0: now. */
  wait(name: string, address: string): number;
  failed(name: string, address: string): void;
  succeeded(name: string, address: string): void;
}

/** The half of an IPv6 address that names a household; what it is short for written out, or one household would be many. */
export function netOf(address: string): string {
  if (!address.includes(':') || address.includes('.')) return address;
  const [head = '', tail] = address.toLowerCase().split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? [] : Array<string>(Math.max(0, 8 - before.length - after.length)).fill('0');
  return [...before, ...zeros, ...after]
    .slice(0, 4)
    .map((part) => part.replace(/^0+(?=.)/, ''))
    .join(':');
}

export function createThrottle(now: () => number): Throttle {
  const names = new Map<string, { count: number; at: number }>();
  const addresses = new Map<string, { count: number; at: number }>();
  const waitOf = (kept: typeof names, key: string, { free, longest }: Limit): number => {
    const found = kept.get(key);
    if (!found || found.count <= free) return 0;
    if (now() - found.at > FORGET) {
      kept.delete(key);
      return 0;
    }
    return Math.max(0, found.at + Math.min(longest, 1000 * 2 ** Math.min(found.count - free - 1, 30)) - now());
  };
  const count = (kept: typeof names, key: string): void => {
    const before = kept.get(key)?.count ?? 0;
    // The one that was guessed at longest ago goes first.
    kept.delete(key);
    if (kept.size >= MOST) kept.delete(kept.keys().next().value as string);
    kept.set(key, { count: before + 1, at: now() });
  };
  const uncount = (kept: typeof names, key: string): void => {
    const found = kept.get(key);
    if (found && found.count > 1) found.count--;
    else kept.delete(key);
  };
  return {
    wait: (name, address) => Math.max(waitOf(names, name, NAME), waitOf(addresses, netOf(address), ADDRESS)),
    failed(name, address) {
      count(names, name);
      count(addresses, netOf(address));
    },
    succeeded(name, address) {
      names.delete(name);
      // Who knows one password has not guessed the others: only this try is taken back.
      uncount(addresses, netOf(address));
    },
  };
}
