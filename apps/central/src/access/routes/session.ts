/** Log-in and what everybody does about themselves. Refusals of a log-in are the same in words and time, whatever the reason. */
import type { Caller } from '@amiable/model';
import {
  firstPost,
  loginAnswer,
  loginPost,
  logoutPost,
  type Me,
  me,
  mePatch,
  nothing,
  passwordAnswer,
  passwordPut,
  sessionList,
  tokenList,
} from '@amiable/model/schemas';
import type { Identity, User } from '@amiable/store';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Context } from '../../context.ts';
import { HttpError } from '../../http/error.ts';
import type { Router } from '../../http/router.ts';
import { setCookie } from '../cookies.ts';
import { codeHash } from '../first.ts';
import { requireGoodPassword } from '../passwords.ts';
import { given, idParams, sessionShape, tokenShape } from './shapes.ts';

const WRONG = 'the name or the password is wrong';
const TAG = 'log-in';

export function sessionRoutes(router: Router, context: Context): void {
  const { access } = context;
  const store = context.store.access;

  const requirePlace = (request: FastifyRequest): void => {
    if (!access.mayLogIn(request))
      throw new HttpError(
        403,
        'passwords are not taken over plain HTTP from another machine: use https://, or name the proxy that does TLS (docs/access.md)',
      );
  };
  const requireTurn = (name: string, request: FastifyRequest, reply: FastifyReply): void => {
    const wait = access.throttle.wait(name, access.place(request).address);
    if (wait === 0) return;
    const seconds = Math.ceil(wait / 1000);
    reply.header('retry-after', String(seconds));
    throw new HttpError(429, `too many wrong tries; try again in ${seconds} s`);
  };
  const log = (user: User | undefined, who: string, action: string, request: FastifyRequest, detail?: object) =>
    store.audit({
      at: access.clock(),
      who,
      ...(user ? { user: user.id, object: `user ${user.id}` } : {}),
      action,
      ...(detail ? { detail: { ...detail } } : {}),
      address: access.place(request).address,
    });

  const requireSelf = (request: FastifyRequest): { identity: Identity; session: Buffer } => {
    const { identity, session } = access.asked(request);
    if (!identity || !session) throw new HttpError(403, 'this is done by the user, logged in, not by a token');
    return { identity, session };
  };

  async function describe(caller: Caller, identity: Identity | undefined): Promise<Me> {
    const [groups, segments, firstNeeded] = await Promise.all([
      identity ? store.groups() : [],
      caller.scope === 'all' ? ('all' as const) : store.segments(caller.scope),
      access.firstNeeded(),
    ]);
    const session = identity?.session;
    return {
      name: caller.name,
      kind: caller.kind,
      user: caller.user ?? null,
      language: caller.language ?? null,
      privileges: [...caller.privileges].sort(),
      segments: segments === 'all' ? 'all' : segments.map(({ id, name }) => ({ id, name })),
      groups: groups.filter((g) => identity?.user.groups.includes(g.id)).map((g) => g.name),
      attributes: { ...identity?.user.attributes },
      mustChangePassword: identity?.session !== undefined && identity.user.mustChangePassword,
      firstNeeded,
      session: session
        ? { idleUntil: new Date(session.idleUntil).toISOString(), endsAt: new Date(session.endsAt).toISOString() }
        : null,
    };
  }

  /** Opens a session and tells whom it is for. */
  async function enter(
    request: FastifyRequest,
    reply: FastifyReply,
    user: string,
    as: 'cookie' | 'token',
  ): Promise<Me & { token?: string }> {
    const secret = await access.open(request, reply, user, as === 'token' ? 'command' : 'page');
    const hash = access.hashOf(secret);
    const identity = await store.bySession(hash, access.clock());
    if (!identity) throw new HttpError(401, WRONG);
    const told = await describe(access.callerOf(identity), identity);
    return as === 'token' ? { ...told, token: secret } : told;
  }

  router.add({
    method: 'POST',
    path: '/api/v1/login',
    needs: 'public',
    tag: TAG,
    summary: 'Logs in with name and password; the session comes as a cookie, or as a bearer token for programs',
    description:
      'A wrong password, a name that does not exist and a user who is disabled get the same answer. After some wrong tries the next is looked at later (429).',
    body: loginPost,
    answer: loginAnswer,
    audit: 'none',
    handler: async ({ body: { name, password, as }, request, reply }) => {
      requirePlace(request);
      const key = access.nameKey(name);
      const { address } = access.place(request);
      requireTurn(key, request, reply);
      access.throttle.failed(key, address);
      const found = await store.userByName(name);
      const fits = await access.passwords.verify(found?.password, password);
      if (!found || !fits || found.user.disabled) {
        access.later(async () => {
          if (found) await store.loginFailed(found.user.id, access.clock());
          // What was typed for a name may be a password: it is not written down.
          await log(found?.user, found?.user.name ?? 'guest', 'log-in refused', request);
        });
        throw new HttpError(401, WRONG);
      }
      access.throttle.succeeded(key, address);
      await store.loggedIn(found.user.id, access.clock(), fits.rehashed);
      await log(found.user, found.user.name, 'log-in', request, { as });
      return enter(request, reply, found.user.id, as);
    },
  });

  router.add({
    method: 'POST',
    path: '/api/v1/first',
    needs: 'public',
    tag: TAG,
    summary: 'Makes the first administrator, with the one-time code that the start of the program tells',
    body: firstPost,
    answer: me,
    audit: 'none',
    handler: async ({ body: { code, name, password, language }, request, reply }) => {
      requirePlace(request);
      if (!(await access.firstNeeded())) throw new HttpError(409, 'there is an administrator already; log in');
      const { address } = access.place(request);
      // One name for all: who guesses the code has few tries, whatever names they bring.
      requireTurn('\0first', request, reply);
      requireGoodPassword(password, name);
      access.throttle.failed('\0first', address);
      const hash = await access.passwords.hash(password);
      const made = await store.claimFirst(
        codeHash(code),
        { name, password: hash, ...(language === undefined ? {} : { language }) },
        access.clock(),
      );
      if (made === 'taken') throw new HttpError(409, 'there is an administrator already; log in');
      if (made === 'wrong') throw new HttpError(401, 'the code is wrong; the one of the last start counts');
      access.throttle.succeeded('\0first', address);
      // What everybody could see for a demonstration ends here.
      access.changed();
      await log(made, made.name, 'first administrator', request);
      return enter(request, reply, made.id, 'cookie');
    },
  });

  router.add({
    method: 'POST',
    path: '/api/v1/logout',
    needs: 'public',
    tag: TAG,
    summary: 'Ends this session, or all sessions of the user',
    body: logoutPost,
    answer: nothing,
    audit: 'none',
    handler: async ({ body: { everywhere }, request, reply }) => {
      const { identity, session } = access.asked(request);
      setCookie(reply, access.place(request).secure, undefined);
      if (!identity || !session) return {};
      if (everywhere) await store.endSessions(identity.user.id);
      else await store.endSession(session);
      access.changed();
      await log(identity.user, identity.user.name, everywhere ? 'log-out everywhere' : 'log-out', request);
      return {};
    },
  });

  router.add({
    method: 'GET',
    path: '/api/v1/me',
    needs: 'public',
    tag: TAG,
    summary: 'Who asks, and what they may: pages and programs adapt to it',
    answer: me,
    handler: ({ caller, request, reply }) => {
      reply.header('cache-control', 'no-store');
      return describe(caller, access.asked(request).identity);
    },
  });

  router.add({
    method: 'PATCH',
    path: '/api/v1/me',
    needs: 'caller',
    tag: TAG,
    summary: 'Changes the own language and attributes',
    body: mePatch,
    answer: me,
    handler: async ({ body, request, about }) => {
      const { identity, session } = requireSelf(request);
      about(`user ${identity.user.id}`, { fields: Object.keys(body) });
      await store.changeUser(identity.user.id, given(body), () => {}, session);
      const fresh = await store.bySession(session, access.clock());
      if (!fresh) throw new HttpError(401, 'the session has ended; log in again');
      return describe(access.callerOf(fresh), fresh);
    },
  });

  router.add({
    method: 'PUT',
    path: '/api/v1/me/password',
    needs: 'caller',
    tag: TAG,
    summary: 'Changes the own password; every other session of the user ends, this one gets a new id',
    body: passwordPut,
    answer: passwordAnswer,
    handler: async ({ body: { old, password }, request, reply, about }) => {
      const { identity } = requireSelf(request);
      requirePlace(request);
      const { user } = identity;
      const key = access.nameKey(user.name);
      const { address } = access.place(request);
      requireTurn(key, request, reply);
      access.throttle.failed(key, address);
      if (!(await access.passwords.verify(await store.passwordOf(user.id), old)))
        throw new HttpError(403, 'the old password is wrong');
      access.throttle.succeeded(key, address);
      if (old === password) throw new HttpError(422, 'password: it is the old one');
      requireGoodPassword(password, user.name);
      about(`user ${user.id}`, { fields: ['password'] });
      const hash = await access.passwords.hash(password);
      const kind = identity.session?.kind ?? 'page';
      const secret = await access.open(request, reply, user.id, kind);
      await store.changeUser(user.id, { password: hash, mustChangePassword: false }, () => {}, access.hashOf(secret));
      access.changed();
      return kind === 'command' ? { token: secret } : {};
    },
  });

  router.add({
    method: 'GET',
    path: '/api/v1/me/sessions',
    needs: 'caller',
    tag: TAG,
    summary: 'The own open sessions',
    answer: sessionList,
    handler: async ({ request }) => {
      const { identity } = requireSelf(request);
      return { sessions: (await store.sessions(identity.user.id, access.clock())).map(sessionShape) };
    },
  });

  router.add({
    method: 'GET',
    path: '/api/v1/me/tokens',
    needs: 'caller',
    tag: TAG,
    summary: 'The own tokens',
    answer: tokenList,
    handler: async ({ caller }) => {
      if (caller.user === undefined) return { tokens: [], next: null };
      const { tokens, next } = await store.tokens({ user: caller.user, limit: 1000 });
      return { tokens: tokens.map(tokenShape), next };
    },
  });

  router.add({
    method: 'DELETE',
    path: '/api/v1/me/tokens/:id',
    needs: 'caller',
    tag: TAG,
    summary: 'Ends one of the own tokens',
    params: idParams,
    answer: nothing,
    handler: async ({ caller, params: { id }, about }) => {
      const token = await store.token(id);
      if (!token || token.user !== caller.user) throw new HttpError(404, `you have no token ${id}`);
      about(`token ${id}`, { name: token.name });
      await store.deleteToken(id);
      access.changed();
      return {};
    },
  });
}
