/** Tokens of programs, and the audit log. */
import { auditList, nothing, token, tokenList, tokenMade, tokenPost } from '@amiable/model/schemas';
import { z } from 'zod';
import type { Context } from '../../context.ts';
import { HttpError } from '../../http/error.ts';
import type { Router } from '../../http/router.ts';
import { digest, newSecret } from '../access.ts';
import { mayChange, requireScope } from '../rules.ts';
import { auditShape, given, idParams, pageQuery, tokenShape } from './shapes.ts';

const DAY = 86_400_000;
const MOST_TOKENS = 1000;
const digits = z.string().regex(/^\d{1,18}$/);
const time = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));
const auditQuery = z.object({
  from: time.optional(),
  to: time.optional(),
  user: digits.optional(),
  object: z.string().max(200).describe('`meter 7`, or a beginning with * at the end').optional(),
  action: z.string().max(200).describe('`log-in`, or a beginning with * at the end').optional(),
  before: digits.describe('ids below this one').optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
});

export function tokenRoutes(router: Router, context: Context): void {
  const { access } = context;
  const store = context.store.access;

  router.add({
    method: 'GET',
    path: '/api/v1/tokens',
    needs: 'token:view',
    tag: 'tokens',
    summary: 'Tokens of all users, or of one',
    query: pageQuery.extend({ user: digits.optional() }),
    answer: tokenList,
    handler: async ({ query }) => {
      const { tokens, next } = await store.tokens(given(query));
      return { tokens: tokens.map(tokenShape), next };
    },
  });
  router.add({
    method: 'POST',
    path: '/api/v1/tokens',
    needs: 'token:create',
    tag: 'tokens',
    summary: 'Makes a token that acts for the caller, with some of the caller’s privileges; it is told this once',
    body: tokenPost,
    answer: tokenMade,
    handler: async ({ caller, body, about }) => {
      if (caller.user === undefined) throw new HttpError(403, 'tokens are made by users');
      for (const privilege of body.privileges)
        if (!caller.privileges.has(privilege)) throw new HttpError(403, `${caller.name} lacks ${privilege}`);
      // A token that sees some segments makes none that sees all of the user's.
      const segments = body.segments ?? (caller.kind === 'token' && caller.scope !== 'all' ? caller.scope : 'user');
      if (segments !== 'user') requireScope(caller, segments);
      if ((await store.tokens({ user: caller.user, limit: MOST_TOKENS })).tokens.length >= MOST_TOKENS)
        throw new HttpError(409, `you have ${MOST_TOKENS} tokens already; end some that are no longer used`);
      const secret = newSecret('amt');
      const now = access.clock();
      const made = await store.createToken(
        {
          user: caller.user,
          name: body.name,
          hash: digest(secret),
          privileges: body.privileges,
          segments,
          expiresAt: body.days === null ? null : now + body.days * DAY,
        },
        now,
      );
      about(`token ${made.id}`, { name: made.name, privileges: made.privileges, segments: made.segments });
      return { ...tokenShape(made), token: secret };
    },
  });
  router.add({
    method: 'GET',
    path: '/api/v1/tokens/:id',
    needs: 'token:view',
    tag: 'tokens',
    summary: 'One token, without the token itself',
    params: idParams,
    answer: token,
    handler: async ({ params: { id } }) => {
      const found = await store.token(id);
      if (!found) throw new HttpError(404, `there is no token ${id}`);
      return tokenShape(found);
    },
  });
  router.add({
    method: 'DELETE',
    path: '/api/v1/tokens/:id',
    needs: 'token:delete',
    tag: 'tokens',
    summary: 'Ends a token',
    params: idParams,
    answer: nothing,
    handler: async ({ caller, params: { id }, about }) => {
      const found = await store.token(id);
      if (!found) throw new HttpError(404, `there is no token ${id}`);
      if (found.user !== caller.user) mayChange(caller)(await store.rights(found.user), undefined);
      about(`token ${id}`, { name: found.name, user: found.user });
      await store.deleteToken(id);
      access.changed();
      return {};
    },
  });

  router.add({
    method: 'GET',
    path: '/api/v1/audit',
    needs: 'audit:view',
    tag: 'audit',
    summary: 'Who changed or revealed what, newest first',
    description: 'Who does not see all segments is told what they did themselves.',
    query: auditQuery,
    answer: auditList,
    audit: 'reveal',
    handler: async ({ caller, query, about }) => {
      about('audit', given({ ...query, from: query.from && new Date(query.from).toISOString() }));
      const own = caller.scope === 'all' ? {} : { user: caller.user ?? '0' };
      const found = await store.auditLog({ ...given(query), ...own, limit: query.limit + 1 });
      const page = found.slice(0, query.limit);
      return { audit: page.map(auditShape), next: found.length > query.limit ? (page.at(-1)?.id ?? null) : null };
    },
  });
}
