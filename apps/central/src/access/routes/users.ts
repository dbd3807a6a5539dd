/** Users, and the erasure of what is kept of a person. Nobody gives or takes here what they do not have (rules.ts). */
import { nothing, sessionList, user, userList, userPatch, userPost } from '@amiable/model/schemas';
import type { UserPatch } from '@amiable/store';
import { z } from 'zod';
import type { Context } from '../../context.ts';
import { HttpError } from '../../http/error.ts';
import type { Router } from '../../http/router.ts';
import { requireGoodPassword } from '../passwords.ts';
import { mayChange } from '../rules.ts';
import { given, idParams, pageQuery, sessionShape, userShape } from './shapes.ts';

const TAG = 'users';
const personParams = z.object({
  id: z.string().regex(/^(user|premises)-\d{1,18}$/, 'user-7 or premises-7'),
});
const personAnswer = z.object({ erased: z.string() });

export function userRoutes(router: Router, context: Context): void {
  const { access } = context;
  const store = context.store.access;
  const missing = (id: string) => new HttpError(404, `there is no user ${id}`);

  router.add({
    method: 'GET',
    path: '/api/v1/users',
    needs: 'user:view',
    tag: TAG,
    summary: 'Users, in pages by id',
    query: pageQuery.extend({ q: z.string().max(100).optional() }),
    answer: userList,
    audit: 'reveal',
    handler: async ({ query, about }) => {
      about('users', given(query));
      const { users, next } = await store.users(given(query));
      return { users: users.map(userShape), next };
    },
  });

  router.add({
    method: 'GET',
    path: '/api/v1/users/:id',
    needs: 'user:view',
    tag: TAG,
    summary: 'One user',
    params: idParams,
    answer: user,
    audit: 'reveal',
    handler: async ({ params: { id }, about }) => {
      about(`user ${id}`);
      const found = await store.user(id);
      if (!found) throw missing(id);
      return userShape(found);
    },
  });

  router.add({
    method: 'POST',
    path: '/api/v1/users',
    needs: 'user:create',
    tag: TAG,
    summary: 'Makes a user; the password has to be changed at the first log-in',
    body: userPost,
    answer: user,
    handler: async ({ caller, body: { password, ...rest }, about }) => {
      if (password !== undefined) requireGoodPassword(password, rest.name);
      const hash = password === undefined ? {} : { password: await access.passwords.hash(password) };
      const made = await store.createUser(
        { ...given(rest), ...hash, mustChangePassword: true },
        access.clock(),
        mayChange(caller),
      );
      access.changed();
      about(`user ${made.id}`, { name: made.name, groups: made.groups, segments: made.segments });
      return userShape(made);
    },
  });

  router.add({
    method: 'PATCH',
    path: '/api/v1/users/:id',
    needs: 'user:modify',
    tag: TAG,
    summary: 'Changes a user; the sessions end of whoever is disabled, gets another password or other rights',
    params: idParams,
    body: userPatch,
    answer: user,
    handler: async ({ caller, params: { id }, body: { password, ...rest }, request, about }) => {
      const { attributes, ...told } = rest;
      about(`user ${id}`, {
        ...given(told),
        ...(attributes || password
          ? { fields: [...(attributes ? ['attributes'] : []), ...(password ? ['password'] : [])] }
          : {}),
      });
      if (password !== undefined) requireGoodPassword(password, rest.name ?? (await store.user(id))?.name ?? '');
      const patch: UserPatch = {
        ...given(rest),
        ...(password === undefined
          ? {}
          : { password: await access.passwords.hash(password), mustChangePassword: caller.user !== id }),
      };
      const changed = await store.changeUser(id, patch, mayChange(caller), access.asked(request).session);
      if (!changed) throw missing(id);
      access.changed();
      return userShape(changed);
    },
  });

  router.add({
    method: 'DELETE',
    path: '/api/v1/users/:id',
    needs: 'user:delete',
    tag: TAG,
    summary: 'Deletes a user with tokens and sessions; the audit log keeps the name',
    params: idParams,
    answer: nothing,
    handler: async ({ caller, params: { id }, about }) => {
      about(`user ${id}`, { name: (await store.user(id))?.name });
      if (!(await store.deleteUser(id, mayChange(caller)))) throw missing(id);
      access.changed();
      return {};
    },
  });

  router.add({
    method: 'GET',
    path: '/api/v1/users/:id/sessions',
    needs: 'user:view',
    tag: TAG,
    summary: 'Open sessions of a user',
    params: idParams,
    answer: sessionList,
    audit: 'reveal',
    handler: async ({ params: { id }, about }) => {
      about(`user ${id}`);
      if (!(await store.user(id))) throw missing(id);
      return { sessions: (await store.sessions(id, access.clock())).map(sessionShape) };
    },
  });

  router.add({
    method: 'POST',
    path: '/api/v1/users/:id/logout',
    needs: 'user:modify',
    tag: TAG,
    summary: 'Ends all sessions of a user',
    params: idParams,
    answer: nothing,
    handler: async ({ caller, params: { id }, about }) => {
      about(`user ${id}`);
      const rights = await store.rights(id);
      if (!rights) throw missing(id);
      mayChange(caller)(rights, undefined);
      await store.endSessions(id);
      access.changed();
      return {};
    },
  });

  router.add({
    method: 'POST',
    path: '/api/v1/persons/:id/erase',
    needs: 'execute:erase-person',
    tag: TAG,
    summary: 'Blanks the personal data of a user (user-7) or of premises (premises-7), wherever they stand',
    description:
      'Readings stay, under a number that leads to nobody. Of a user: name, attributes, language, sessions, tokens, and the name and addresses in the audit log. Of premises: customer, account, address and contact. It cannot be undone; older backups still have what was erased.',
    params: personParams,
    answer: personAnswer,
    scoped: true,
    handler: async ({ caller, params, about }) => {
      const [kind, id] = params.id.split('-') as ['user' | 'premises', string];
      about(`${kind} ${id}`);
      const erased =
        kind === 'user'
          ? await store.eraseUser(id, access.clock(), mayChange(caller))
          : await store.erasePremises(id, access.clock(), caller.scope);
      if (!erased) throw new HttpError(404, `there is no ${kind} ${id}`);
      access.changed();
      return { erased: params.id };
    },
  });
}
