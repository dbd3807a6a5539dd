/**
 * Who asks: a session by its cookie, a token by `Authorization: Bearer`, or nobody. Everything is looked up again at each request, so
 * what is taken away is gone at once; only what programs send thousands of times (API keys, tokens) is remembered, for seconds, and
 * forgotten at any change of rights in this process.
 *
 * Decides: what somebody who is not logged in may: what the group `guest` has, in segment 1; and, until there is an administrator and
 * from this machine alone, what the start of a demonstration gives. A token in an address is taken by displays alone, for nothing else.
 */
import { createHash, randomBytes } from 'node:crypto';
import { type Caller, FIRST_SEGMENT, type Privilege } from '@amiable/model';
import { GUESTS, type Identity, READER_PROGRAMS, type Store } from '@amiable/store';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { HttpError } from '../http/error.ts';
import { createApiKeys } from '../http/keys.ts';
import type { AnyRoute, AuditEntry, Guard } from '../http/router.ts';
import { readCookie, setCookie } from './cookies.ts';
import { type ArgonCost, createPasswords, type Passwords } from './passwords.ts';
import { createScopeSets, type ScopeSets } from './scopes.ts';
import { createThrottle, type Throttle } from './throttle.ts';
import { createPlaces, type Place } from './where.ts';

export interface AccessOptions {
  readonly store: Pick<Store, 'access'>;
  readonly apiKeys: readonly string[];
  /** What nobody in particular may, asked from this machine, until there is an administrator. */
  readonly guest?: readonly Privilege[];
  /** Addresses of proxies that are believed. */
  readonly trustedProxies?: readonly string[];
  /** Passwords may come over plain HTTP from elsewhere: for networks that protect themselves. */
  readonly plainLogin?: boolean;
  /** Real time, epoch ms: sessions do not run faster than people. */
  readonly clock?: () => number;
  readonly argon?: ArgonCost;
  isUnavailable(error: unknown): boolean;
  readonly log: (line: string) => void;
}

export interface Asked {
  readonly caller: Caller;
  readonly identity?: Identity;
  /** Hash of the session that asks. */
  readonly session?: Buffer;
}

export interface Access {
  readonly guard: Guard;
  readonly passwords: Passwords;
  readonly throttle: Throttle;
  readonly scopes: ScopeSets;
  readonly clock: () => number;
  place(request: FastifyRequest): Place;
  /** Whether a password may come the way that this request came. */
  mayLogIn(request: FastifyRequest): boolean;
  asked(request: FastifyRequest): Asked;
  /** Whom a secret belongs to that came elsewhere than in a header: a form, a display's address. */
  ofSecret(secret: string): Promise<Caller | undefined>;
  /** Whether it brings a token: no page that rebinds a name can know one. */
  isKeyed(request: FastifyRequest): Promise<boolean>;
  /** A new session, whatever the request brought along. @returns its secret */
  open(request: FastifyRequest, reply: FastifyReply, user: string, kind: 'page' | 'command'): Promise<string>;
  firstNeeded(): Promise<boolean>;
  /** Rights have changed: nothing remembered holds, and streams are looked at again. */
  changed(): void;
  /** Written without waiting, for answers that must not tell by their time. */
  later(work: () => Promise<unknown>): void;
  callerOf(identity: Identity): Caller;
  hashOf(secret: string): Buffer;
  /** Two spellings of one name. */
  nameKey(name: string): string;
  stop(): Promise<void>;
}

export const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
/** 256 bits; the beginning says what it is to who finds one. */
export const newSecret = (kind: 'amt' | 'ams'): string => `${kind}_${randomBytes(32).toString('base64url')}`;

/** Names that mean this machine, as they stand in a Host header. */
export const LOCAL_NAME = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i;

const REMEMBER = 5000;
const MOST_REMEMBERED = 1000;
/** How long a public route waits for the database to say who asks. */
const PATIENCE = 2000;
const LOOK_AGAIN = 15_000;
const HOUR = 3_600_000;
const LIFE = {
  page: { idle: 2 * HOUR, whole: 12 * HOUR },
  command: { idle: 7 * 24 * HOUR, whole: 30 * 24 * HOUR },
} as const;

const bearerOf = (request: FastifyRequest): string | undefined =>
  /^Bearer (\S{1,200})$/i.exec(request.headers.authorization ?? '')?.[1];
const wantsBearer = (request: FastifyRequest): boolean => /^Bearer\b/i.test(request.headers.authorization ?? '');

export function createAccess(options: AccessOptions): Access {
  const { store, log } = options;
  const { access } = store;
  const clock = options.clock ?? Date.now;
  const places = createPlaces(options.trustedProxies ?? []);
  const apiKeys = createApiKeys(options.apiKeys);
  const known = new WeakMap<FastifyRequest, Asked>();
  const remembered = new Map<string, { readonly at: number; readonly found: Promise<Asked | undefined> }>();
  const groups = new Map<number, { at: number; privileges: ReadonlySet<Privilege> }>();
  let administrator = false;
  let lookedAt = Number.NEGATIVE_INFINITY;
  let pending: Promise<unknown> = Promise.resolve();
  const scopes = createScopeSets(access, clock);

  /** A group's privileges, as they were seconds ago at the latest; while the database is away, as they were last. */
  async function privilegesOf(group: number): Promise<ReadonlySet<Privilege>> {
    const kept = groups.get(group);
    if (kept && clock() - kept.at < REMEMBER) return kept.privileges;
    try {
      const privileges = await access.groupPrivileges(group);
      groups.set(group, { at: clock(), privileges });
      return privileges;
    } catch (error) {
      if (kept && options.isUnavailable(error)) return kept.privileges;
      throw error;
    }
  }

  async function hasAdministrator(): Promise<boolean> {
    if (!administrator && clock() - lookedAt >= 1000) {
      lookedAt = clock();
      administrator = await access.hasAdministrator();
    }
    return administrator;
  }

  const callerOf = (identity: Identity): Caller => ({
    kind: identity.token ? 'token' : 'user',
    id: identity.token?.id ?? identity.user.id,
    user: identity.user.id,
    name: identity.token ? `${identity.user.name}/${identity.token.name}` : identity.user.name,
    // A password that somebody else knows opens the way to a new one and to nothing more.
    privileges: identity.session && identity.user.mustChangePassword ? new Set() : identity.privileges,
    scope: identity.scope,
    ...(identity.user.language === null ? {} : { language: identity.user.language }),
  });

  async function lookUp(secret: string, hash: Buffer): Promise<Asked | undefined> {
    if (apiKeys.is(secret)) {
      const privileges = await privilegesOf(READER_PROGRAMS);
      return { caller: { kind: 'token', name: 'reader-program', privileges, scope: 'all' } };
    }
    if (secret.startsWith('ams_')) {
      const identity = await access.bySession(hash, clock());
      if (identity?.session?.kind !== 'command') return undefined;
      return { caller: callerOf(identity), identity, session: hash };
    }
    const identity = await access.byToken(hash, clock());
    return identity && { caller: callerOf(identity), identity };
  }

  function bySecret(secret: string): Promise<Asked | undefined> {
    const hash = digest(secret);
    const key = hash.toString('hex');
    const kept = remembered.get(key);
    if (kept && clock() - kept.at < REMEMBER) return kept.found;
    const found = lookUp(secret, hash);
    remembered.delete(key);
    if (remembered.size >= MOST_REMEMBERED) remembered.delete(remembered.keys().next().value as string);
    remembered.set(key, { at: clock(), found });
    // Only what is known is remembered: a token that is being made counts at once, and strangers fill nothing.
    found.then(
      (asked) => asked ?? remembered.delete(key),
      () => remembered.delete(key),
    );
    return found;
  }

  /** A page that rebinds its name to this machine calls us by that name. */
  const isShown = (request: FastifyRequest): boolean => {
    const { local, host } = places(request);
    return local && LOCAL_NAME.test(host);
  };
  async function guestOf(request: FastifyRequest): Promise<Asked> {
    const privileges = new Set(await privilegesOf(GUESTS));
    const shown = options.guest !== undefined && isShown(request) && !(await hasAdministrator());
    if (shown) for (const privilege of options.guest ?? []) privileges.add(privilege);
    return { caller: { kind: 'guest', name: 'guest', privileges, scope: shown ? 'all' : [FIRST_SEGMENT] } };
  }
  const NOBODY: Asked = { caller: { kind: 'guest', name: 'guest', privileges: new Set(), scope: [] } };

  async function identify(request: FastifyRequest, needs: AnyRoute['needs'] | undefined, path = ''): Promise<Asked> {
    if (wantsBearer(request)) {
      const secret = bearerOf(request);
      const asked = secret === undefined ? undefined : await bySecret(secret);
      if (asked) return asked;
      if (needs !== 'public')
        throw new HttpError(401, 'this token is not known, or has ended; `amiable login` gets one');
      return NOBODY;
    }
    if (path.startsWith('/display.')) {
      const { key } = request.query as { key?: unknown };
      if (typeof key === 'string') {
        const caller = await ofSecret(key);
        if (!caller) throw new HttpError(401, 'this key is not known');
        const own: Privilege[] = caller.privileges.has('execute:display') ? ['execute:display'] : [];
        return { caller: { ...caller, privileges: new Set(own) } };
      }
    }
    const cookie = readCookie(request, places(request).secure);
    if (cookie !== undefined) {
      const hash = digest(cookie);
      const identity = await access.bySession(hash, clock());
      if (identity?.session?.kind === 'page') return { caller: callerOf(identity), identity, session: hash };
    }
    return guestOf(request);
  }

  async function ofSecret(secret: string): Promise<Caller | undefined> {
    // A session is no secret for forms and addresses.
    if (secret.length > 200 || secret.startsWith('ams_')) return undefined;
    return (await bySecret(secret))?.caller;
  }

  interface Watched {
    readonly request: FastifyRequest;
    readonly caller: Caller;
    readonly ended: () => void;
  }
  const watched = new Set<Watched>();
  async function lookAgain(): Promise<void> {
    for (const each of [...watched]) {
      let asked: Asked | undefined;
      try {
        asked = await identify(each.request, undefined, each.request.routeOptions.url);
      } catch (error) {
        if (!(error instanceof HttpError)) continue;
      }
      if (watched.has(each) && !(asked && sameRights(each.caller, asked.caller))) {
        watched.delete(each);
        each.ended();
      }
    }
  }
  let looking: Promise<void> = Promise.resolve();
  const look = (): void => {
    if (watched.size > 0) looking = looking.then(lookAgain).catch((error: Error) => log(`access: ${error.message}`));
  };
  const timer = setInterval(look, LOOK_AGAIN);
  timer.unref();

  const guard: Guard = {
    async caller(request, route) {
      const asking = identify(request, route.needs, route.path);
      const asked = route.needs === 'public' ? await orNobody(asking) : await asking;
      known.set(request, asked);
      return asked.caller;
    },
    watch(caller, request, ended) {
      const each = { request, caller, ended };
      watched.add(each);
      return () => watched.delete(each);
    },
    async audit(entry: AuditEntry) {
      await access.audit({
        at: clock(),
        who: entry.caller.name,
        ...(entry.caller.user === undefined ? {} : { user: entry.caller.user }),
        ...(entry.caller.kind === 'token' && entry.caller.id !== undefined ? { token: entry.caller.id } : {}),
        action: entry.action,
        ...(entry.object === undefined ? {} : { object: entry.object }),
        ...(entry.detail === undefined ? {} : { detail: entry.detail }),
        address: places(entry.request).address,
      });
    },
  };

  /** Health has to answer also when the database, which knows everybody, does not. */
  async function orNobody(asking: Promise<Asked>): Promise<Asked> {
    let late: NodeJS.Timeout | undefined;
    try {
      return await Promise.race([
        asking,
        new Promise<Asked>((resolve) => {
          late = setTimeout(() => resolve(NOBODY), PATIENCE);
        }),
      ]);
    } catch (error) {
      if (options.isUnavailable(error)) return NOBODY;
      throw error;
    } finally {
      clearTimeout(late);
      asking.catch(() => {});
    }
  }

  return {
    guard,
    passwords: createPasswords(options.argon),
    throttle: createThrottle(clock),
    scopes,
    clock,
    place: places,
    mayLogIn(request) {
      const place = places(request);
      return place.secure || place.local || options.plainLogin === true;
    },
    asked: (request) => known.get(request) ?? NOBODY,
    ofSecret,
    async isKeyed(request) {
      const secret = bearerOf(request);
      if (secret !== undefined) return (await bySecret(secret)) !== undefined;
      const { key } = request.query as { key?: unknown };
      return request.url.startsWith('/display.') && typeof key === 'string' && (await ofSecret(key)) !== undefined;
    },
    async open(request, reply, user, kind) {
      const { secure, address } = places(request);
      const brought = readCookie(request, secure);
      // What a browser brings to the log-in was perhaps put there by somebody who waits for it to become worth something.
      if (brought !== undefined) await access.endSession(digest(brought));
      const secret = newSecret('ams');
      const { idle, whole } = LIFE[kind];
      const agent = request.headers['user-agent'];
      await access.openSession(
        {
          user,
          hash: digest(secret),
          kind,
          idle,
          endsAt: clock() + whole,
          address,
          ...(agent === undefined ? {} : { agent }),
        },
        clock(),
      );
      if (kind === 'page') setCookie(reply, secure, secret);
      return secret;
    },
    callerOf,
    hashOf: digest,
    nameKey: (name) => name.normalize('NFKC').trim().toLowerCase(),
    async firstNeeded() {
      return !(await hasAdministrator());
    },
    changed() {
      remembered.clear();
      groups.clear();
      lookedAt = Number.NEGATIVE_INFINITY;
      look();
    },
    later(work) {
      const done = work().catch((error: Error) => log(`access: ${error.message}`));
      pending = Promise.all([pending, done]);
    },
    async stop() {
      clearInterval(timer);
      watched.clear();
      await Promise.all([pending, looking]);
    },
  };
}

/** Whether a stream that one was let into may go on for the other: the same somebody, with as much or more. */
function sameRights(before: Caller, now: Caller): boolean {
  return (
    before.kind === now.kind &&
    before.id === now.id &&
    JSON.stringify(before.scope) === JSON.stringify(now.scope) &&
    [...before.privileges].every((privilege) => now.privileges.has(privilege))
  );
}
