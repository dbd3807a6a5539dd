/**
 * Who may change the reader: an argon2id hash of the page's password, the one-time code of the first start, sessions in memory, and
 * guesses slowed. Hashing runs in the library's own threads, one at a time, so that guessing cannot fill the memory of a small machine.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto';

/** RFC 9106's second choice scaled to a small computer: 19 MiB, two passes (OWASP's least). */
const ARGON = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;

let turn: Promise<unknown> = Promise.resolve();
function alone<T>(work: () => Promise<T>): Promise<T> {
  const result = turn.then(work, work);
  turn = result.catch(() => {});
  return result;
}

export function hashPassword(password: string): Promise<string> {
  return alone(async () => {
    const { hash } = await import('@node-rs/argon2');
    return hash(password, ARGON);
  });
}

/** False also for a hash that is damaged. */
export function verifyPassword(stored: string, password: string): Promise<boolean> {
  return alone(async () => {
    const { verify } = await import('@node-rs/argon2');
    return verify(stored, password).catch(() => false);
  });
}

/** Neither 0 nor O, 1, I or L: it is read off a console. */
const LETTERS = '23456789ABCDEFGHJKMNPQRSTUVWXYZ';

/** `K7QX-M2PD`: 40 bits, which slowed guessing does not find in the lifetime of a code. */
export function oneTimeCode(bytes: (n: number) => Uint8Array = randomBytes): string {
  let out = '';
  while (out.length < 8)
    for (const byte of bytes(16)) {
      // Bytes that would make some letters likelier are left out.
      if (byte < 248 && out.length < 8) out += LETTERS[byte % 31];
    }
  return `${out.slice(0, 4)}-${out.slice(4)}`;
}

/** Blanks, hyphens and case do not matter. */
export function sameCode(given: string, code: string): boolean {
  const bare = (text: string) =>
    Buffer.from(
      text
        .toUpperCase()
        .replace(/[^0-9A-Z]/g, '')
        .slice(0, 32)
        .padEnd(32, '-'),
    );
  return timingSafeEqual(bare(given), bare(code));
}

export interface Session {
  readonly id: string;
  /** Stands in every form; who cannot read the page cannot send it. */
  readonly token: string;
  /** Entered with the one-time code: a password has to be set first. */
  readonly first: boolean;
  used: number;
}

const IDLE = 12 * 3_600_000;
const MOST_SESSIONS = 32;

export interface Sessions {
  open(first: boolean): Session;
  find(id: string | undefined): Session | undefined;
  close(id: string): void;
  /** Everybody out but `keep`, whose session is good for the password of `hash`, which is about to hold. */
  closeOthers(keep?: string, hash?: string): void;
}

/** @param hash that of the password that holds: a session ends with the password it was opened under, whoever changed that and how */
export function createSessions(now: () => number, hash: () => string | undefined = () => undefined): Sessions {
  const sessions = new Map<string, Session>();
  /** Hashes that each session is good for. */
  const under = new WeakMap<Session, Set<string | undefined>>();
  return {
    open(first) {
      if (sessions.size >= MOST_SESSIONS) {
        const oldest = [...sessions.values()].sort((a, b) => a.used - b.used)[0];
        if (oldest) sessions.delete(oldest.id);
      }
      const session = {
        id: randomBytes(24).toString('base64url'),
        token: randomBytes(18).toString('base64url'),
        first,
        used: now(),
      };
      sessions.set(session.id, session);
      under.set(session, new Set([hash()]));
      return session;
    },
    find(id) {
      const session = id === undefined ? undefined : sessions.get(id);
      if (!session) return undefined;
      if (now() - session.used > IDLE || !under.get(session)?.has(hash())) {
        sessions.delete(session.id);
        return undefined;
      }
      session.used = now();
      return session;
    },
    close: (id) => void sessions.delete(id),
    closeOthers(keep, next) {
      for (const [id, session] of sessions)
        if (id !== keep) sessions.delete(id);
        // The old one holds until the new one is in force.
        else if (next !== undefined) under.set(session, new Set([hash(), next]));
    },
  };
}

const FREE = 3;
const LONGEST = 60_000;
const FORGET = 3_600_000;
const MOST_ADDRESSES = 1000;
/** Wrong guesses a minute, all addresses together. */
const MOST_A_MINUTE = 30;

export interface Guard {
  /** ms until this address may guess again; 0: now. */
  wait(address: string): number;
  failed(address: string): void;
  succeeded(address: string): void;
}

/** After three wrong guesses each further one makes the address wait twice as long, a minute at most. */
export function createGuard(now: () => number): Guard {
  const failures = new Map<string, { count: number; at: number }>();
  let recent: number[] = [];
  // The half of an IPv6 address that a household has for itself.
  const keyOf = (address: string) =>
    address.includes(':') && !address.includes('.') ? address.split(':').slice(0, 4).join(':') : address;
  return {
    wait(address) {
      recent = recent.filter((at) => now() - at < 60_000);
      const crowd = recent.length >= MOST_A_MINUTE ? 60_000 - (now() - (recent[0] as number)) : 0;
      const own = failures.get(keyOf(address));
      if (!own || now() - own.at > FORGET) return crowd;
      const pause = own.count < FREE ? 0 : Math.min(LONGEST, 1000 * 2 ** (own.count - FREE));
      return Math.max(crowd, own.at + pause - now(), 0);
    },
    failed(address) {
      recent.push(now());
      const key = keyOf(address);
      if (failures.size >= MOST_ADDRESSES && !failures.has(key))
        failures.delete(failures.keys().next().value as string);
      failures.set(key, { count: (failures.get(key)?.count ?? 0) + 1, at: now() });
    },
    succeeded: (address) => void failures.delete(keyOf(address)),
  };
}

/** The same text, without telling by the time it takes how much of it is right. */
export function sameText(a: string, b: string): boolean {
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  return left.length === right.length && timingSafeEqual(left, right);
}
