/**
 * Passwords: argon2id (RFC 9106), at most two hashes at once, and a bounded queue of those that wait, so that guessing can fill neither
 * the memory nor the processor.
 */
import { HttpError } from '../http/error.ts';

/** 64 MiB, three passes, one lane: RFC 9106's second recommended choice with one lane. About a tenth of a second on a desktop core. */
export const ARGON = { memoryCost: 65_536, timeCost: 3, parallelism: 1 } as const;
export interface ArgonCost {
  /** KiB. */
  readonly memoryCost: number;
  readonly timeCost: number;
  readonly parallelism: number;
}

const AT_ONCE = 2;
const MOST_WAITING = 30;

export interface Passwords {
  hash(password: string): Promise<string>;
  /** Takes as long when there is no hash as when there is one. @returns what stands when it fits: the hash to keep from now on */
  verify(stored: string | null | undefined, password: string): Promise<false | { readonly rehashed?: string }>;
}

/** The same text typed on different machines is the same password. */
const plain = (password: string): string => password.normalize('NFKC');

export function createPasswords(cost: ArgonCost = ARGON): Passwords {
  let running = 0;
  const waiting: (() => void)[] = [];
  async function inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (running >= AT_ONCE) {
      if (waiting.length >= MOST_WAITING) throw new HttpError(503, 'too many log-ins at once; try again in a moment');
      await new Promise<void>((resolve) => waiting.push(resolve));
    } else running++;
    try {
      return await work();
    } finally {
      // The place goes from hand to hand.
      const next = waiting.shift();
      if (next) next();
      else running--;
    }
  }
  const hashNow = async (password: string): Promise<string> => {
    const { hash } = await import('@node-rs/argon2');
    return hash(plain(password), cost);
  };
  let dummy: Promise<string> | undefined;
  const wanted = `$m=${cost.memoryCost},t=${cost.timeCost},p=${cost.parallelism}$`;
  return {
    hash: (password) => inTurn(() => hashNow(password)),
    async verify(stored, password) {
      dummy ??= inTurn(() => hashNow('nobody has this password'));
      const against = stored ?? (await dummy);
      return inTurn(async () => {
        const { verify } = await import('@node-rs/argon2');
        const fits = await verify(against, plain(password)).catch(() => false);
        if (!fits || stored === null || stored === undefined) return false;
        return stored.includes(wanted) ? {} : { rehashed: await hashNow(password) };
      });
    },
  };
}

/** @throws HttpError 422 for passwords that are guessed first */
export function requireGoodPassword(password: string, name: string): void {
  const bare = (text: string): string => text.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');
  if (new Set(password).size < 5) throw new HttpError(422, 'password: it has hardly any different characters');
  const own = bare(name);
  if (own.length >= 3 && bare(password).replaceAll(own, '').length < 6)
    throw new HttpError(422, 'password: it is little more than the name');
}
