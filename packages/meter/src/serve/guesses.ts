/**
 * Slows down who guesses passwords: a server on a network answers tens of thousands of requests a second, and an LLS
 * password of eight digits would last an hour.
 *
 * Decides: after some failures in a row at one (meter, client) the next tries are refused unlooked at, for one second,
 * then two, up to a minute; a good one, or ten quiet minutes, forget it all. What is refused in the meantime does not lengthen the
 * wait, so that who has the password gets in within a minute whatever a stranger does. Left out: a log of it, which is
 * the device's.
 */
import type { LoginGuard } from '@amiable/dlms';
import type { ServerClock } from './types.ts';

/** Wrong tries that cost nothing: people mistype. */
const FREE = 5;
const LONGEST = 60_000;
const FORGOTTEN = 600_000;
/** Pairs that are remembered; the oldest goes for a new one. */
const MOST = 20_000;

interface Failures {
  count: number;
  last: number;
}

export class Guesses {
  readonly #clock: ServerClock;
  readonly #failures = new Map<string, Failures>();

  constructor(clock: ServerClock) {
    this.#clock = clock;
  }

  /** @param who meter and client, as one word */
  guard(who: string): LoginGuard {
    return { allowed: () => this.#allowed(who), tried: (good) => this.#tried(who, good) };
  }

  #allowed(who: string): boolean {
    const known = this.#failures.get(who);
    if (!known || known.count < FREE) return true;
    const since = this.#clock.now() - known.last;
    if (since >= FORGOTTEN) this.#failures.delete(who);
    // A clock that was set back must not shut anyone out.
    return since < 0 || since >= Math.min(LONGEST, 1000 * 2 ** Math.min(known.count - FREE, 10));
  }

  #tried(who: string, good: boolean): void {
    if (good) {
      this.#failures.delete(who);
      return;
    }
    const known = this.#failures.get(who);
    const now = this.#clock.now();
    // Set anew, so that the map is in the order of failing.
    this.#failures.delete(who);
    this.#failures.set(who, { count: known && now - known.last < FORGOTTEN ? known.count + 1 : 1, last: now });
    if (this.#failures.size <= MOST) return;
    for (const oldest of this.#failures.keys()) {
      this.#failures.delete(oldest);
      return;
    }
  }
}
